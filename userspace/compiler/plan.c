/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/compiler.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "compiler/activity.h"
#include "compiler/elf.h"
#include "compiler/groups.h"
#include "compiler/key.h"
#include "compiler/pass.h"
#include "compiler/place.h"
#include "compiler/recognise.h"

enum { MAX_RANGES = 16, MAX_CANDIDATES = 32 };

/* A try_execute_query with its fragments. */
struct runner {
	const char *symbol;
	size_t base_length;
	struct code_range ranges[MAX_RANGES];
	size_t range_count;
	bool has_entry;
	enum key_kind key;
	size_t twin; /* one that runs the same queries, itself if it is the first of those; see runner_group */
	struct flow flow;
	struct values values; /* of the flow; empty if it cannot be decoded */
	struct placement placement;
};

/* A query's own function, by which its vtable and its runner are found. */
struct entrance {
	char query[96];
	bool incremental;
	struct code_range range;
	uint64_t runner; /* address, in incremental mode; 0 if it is not known */
};

struct survey {
	const struct image *image;
	struct runner *runners;
	size_t runner_count;
	struct entrance *entrances;
	size_t entrance_count;
	struct guard_callees callees;
	struct pass_functions passes;
	struct code_range vtables[MAX_RANGES]; /* of the function that fills them */
	size_t vtable_range_count;
	int32_t filter; /* offset of the self-profiler's filter from the TyCtxt */
	uint64_t session, caught;
	const char *generation;
};

static struct runner *runner_for(struct survey *survey, const char *symbol, size_t base_length)
{
	for (size_t i = 0; i < survey->runner_count; i++)
		if (survey->runners[i].base_length == base_length &&
		    !memcmp(survey->runners[i].symbol, symbol, base_length))
			return &survey->runners[i];
	if (rows_grow((void **)&survey->runners, survey->runner_count, sizeof(*survey->runners)) < 0) {
		survey->runner_count = 0;
		return NULL;
	}
	memset(&survey->runners[survey->runner_count], 0, sizeof(*survey->runners));
	survey->runners[survey->runner_count].symbol = symbol;
	survey->runners[survey->runner_count].base_length = base_length;
	survey->runners[survey->runner_count].twin = survey->runner_count;
	return &survey->runners[survey->runner_count++];
}

static int add_runner(struct survey *survey, const struct image_symbol *symbol, const struct recognised *what)
{
	struct runner *runner = runner_for(survey, symbol->name, what->base_length);
	struct code_range range = {symbol->address, symbol->size};

	if (!runner)
		return -ENOMEM;
	for (size_t i = 0; i < runner->range_count; i++)
		if (runner->ranges[i].address == range.address)
			return 0;
	if (runner->range_count == MAX_RANGES)
		return 0;
	runner->ranges[runner->range_count++] = range;
	runner->key = what->key;
	if (!what->fragment) {
		runner->ranges[runner->range_count - 1] = runner->ranges[0];
		runner->ranges[0] = range;
		runner->has_entry = true;
	}
	return 0;
}

static int add_entrance(struct survey *survey, const struct image_symbol *symbol, const struct recognised *what)
{
	struct entrance *entrance;

	if (what->fragment)
		return 0;
	if (rows_grow((void **)&survey->entrances, survey->entrance_count, sizeof(*survey->entrances)) < 0) {
		survey->entrance_count = 0;
		return -ENOMEM;
	}
	entrance = &survey->entrances[survey->entrance_count++];
	*entrance = (struct entrance){.incremental = what->incremental, .range = {symbol->address, symbol->size}};
	snprintf(entrance->query, sizeof(entrance->query), "%s", what->query);
	return 0;
}

static int survey_symbols(struct survey *survey)
{
	size_t count;
	const struct image_symbol *symbols = image_symbols(survey->image, &count);

	for (size_t i = 0; i < count; i++) {
		struct recognised what;
		int code = 0;

		recognise(symbols[i].name, &what);
		if (what.role == ROLE_NONE)
			continue;
		survey->generation = what.generation;
		if (what.role == ROLE_TRY_EXECUTE)
			code = add_runner(survey, &symbols[i], &what);
		else if (what.role == ROLE_EXECUTE_QUERY)
			code = add_entrance(survey, &symbols[i], &what);
		else if (what.role == ROLE_GUARD)
			code = activity_note_callee(&survey->callees, &symbols[i], &what);
		else if (what.role == ROLE_PASS_NAME || what.role == ROLE_PASS_RUN)
			code = pass_note_function(&survey->passes, &symbols[i], &what);
		else if (what.role == ROLE_VTABLES && survey->vtable_range_count < MAX_RANGES)
			survey->vtables[survey->vtable_range_count++] =
			    (struct code_range){symbols[i].address, symbols[i].size};
		else if (!what.fragment && what.role == ROLE_CAUGHT)
			survey->caught = symbols[i].address;
		else if (!what.fragment && what.role == ROLE_SESSION)
			survey->session = symbols[i].address;
		if (code < 0)
			return code;
	}
	return 0;
}

/* Decodes and follows a runner's code. Returns 0 or -ENOMEM. */
static int follow_runner(const struct image *image, struct runner *runner)
{
	if (!runner->has_entry)
		runner->placement.refusal = "its entry has no symbol";
	else if (flow_decode(image, runner->ranges, runner->range_count, &runner->flow, NULL) < 0)
		runner->placement.refusal = "its code cannot be decoded";
	else
		return values_follow(&runner->flow, runner->ranges[0].address, &runner->values);
	return 0;
}

/* The offset that most functions test; 0 if none does. */
static int32_t filter_offset(const struct survey *survey)
{
	struct {
		int32_t offset;
		size_t votes;
	} table[64] = {0};
	size_t used = 0, best = 0;

	for (size_t i = 0; i < survey->runner_count; i++) {
		int32_t offsets[MAX_CANDIDATES];
		size_t count = 0;

		if (!survey->runners[i].placement.refusal)
			count = place_filter_candidates(&survey->runners[i].values, offsets, MAX_CANDIDATES);
		for (size_t j = 0; j < count; j++) {
			size_t k = 0;

			while (k < used && table[k].offset != offsets[j])
				k++;
			if (k == used && used < sizeof(table) / sizeof(*table))
				table[used++].offset = offsets[j];
			if (k < used)
				table[k].votes++;
		}
	}
	for (size_t i = 1; i < used; i++)
		if (table[i].votes > table[best].votes)
			best = i;
	return used ? table[best].offset : 0;
}

static int place_runners(struct survey *survey)
{
	for (size_t i = 0; i < survey->runner_count; i++)
		if (follow_runner(survey->image, &survey->runners[i]) < 0)
			return -ENOMEM;
	survey->filter = filter_offset(survey);
	for (size_t i = 0; i < survey->runner_count; i++) {
		struct runner *runner = &survey->runners[i];

		if (!runner->placement.refusal)
			place_sites(&runner->values, survey->filter, &runner->placement);
	}
	return 0;
}

/* The index of the runner that begins at `address`, or SIZE_MAX. */
static size_t runner_at(const struct survey *survey, uint64_t address)
{
	for (size_t i = 0; i < survey->runner_count; i++)
		if (survey->runners[i].has_entry && survey->runners[i].ranges[0].address == address)
			return i;
	return SIZE_MAX;
}

static bool is_runner(uint64_t address, const void *context)
{
	return runner_at(context, address) != SIZE_MAX;
}

static const char *runner_refusal(const struct survey *survey, uint64_t address)
{
	size_t index = runner_at(survey, address);

	return index == SIZE_MAX ? "its way to the provider was not found" : survey->runners[index].placement.refusal;
}

/* The number, from 1 on, that a runner has in common with all that run queries of its, in the other mode or this. */
static uint32_t runner_group(const struct survey *survey, size_t index)
{
	while (survey->runners[index].twin != index)
		index = survey->runners[index].twin;
	return (uint32_t)index + 1;
}

static void join_runners(struct survey *survey, size_t a, size_t b)
{
	size_t first = runner_group(survey, a) - 1, second = runner_group(survey, b) - 1;

	survey->runners[first > second ? first : second].twin = first < second ? first : second;
}

/* Of a query that two functions run, in incremental mode and without, both are in one group. */
static void join_twins(struct survey *survey, const char *query, uint64_t plain)
{
	size_t runner = runner_at(survey, plain);

	for (size_t i = 0; i < survey->entrance_count; i++) {
		const struct entrance *entrance = &survey->entrances[i];
		size_t twin = entrance->runner ? runner_at(survey, entrance->runner) : SIZE_MAX;

		if (twin != SIZE_MAX && runner != SIZE_MAX && !strcmp(entrance->query, query))
			join_runners(survey, runner, twin);
	}
}

/*
 * In incremental mode the offset is not read off the code again: the query's function there does more than one thing.
 * Its runner is the twin of the other mode's, so all that is asked is whether that may be probed.
 */
static const char *incremental_refusal(const struct survey *survey, const char *query)
{
	for (size_t i = 0; i < survey->entrance_count; i++) {
		struct entrance *entrance = &survey->entrances[i];
		struct flow flow;
		const char *refusal = "its way to the provider was not found";

		if (!entrance->incremental || strcmp(entrance->query, query) != 0)
			continue;
		if (flow_decode(survey->image, &entrance->range, 1, &flow, NULL) < 0)
			return "its code cannot be decoded";
		for (size_t j = 0; j < flow.count; j++) {
			if (!flow.insns[j].target || flow.insns[j].form == FORM_JCC ||
			    !is_runner(flow.insns[j].target, survey))
				continue;
			entrance->runner = flow.insns[j].target;
			refusal = runner_refusal(survey, entrance->runner);
		}
		flow_free(&flow);
		return refusal;
	}
	return "its incremental twin has no symbol";
}

static int add_query(struct survey *survey, const struct entrance *entrance, struct plan *plan)
{
	const char *refusal;
	struct plan_query *query;
	struct flow flow;
	int32_t offset = 0;
	uint64_t callee = 0;

	if (flow_decode(survey->image, &entrance->range, 1, &flow, NULL) < 0) {
		refusal = "its code cannot be decoded";
	} else {
		if (place_vtable(&flow, is_runner, survey, &offset, &callee) < 0 || offset % 8 ||
		    offset / 8 >= WIRE_VTABLE_SLOTS)
			refusal = "its vtable was not found";
		else
			refusal = runner_refusal(survey, callee);
		flow_free(&flow);
	}
	if (!refusal)
		refusal = incremental_refusal(survey, entrance->query);
	if (!refusal)
		join_twins(survey, entrance->query, callee);
	if (rows_grow((void **)&plan->queries, plan->query_count, sizeof(*plan->queries)) < 0) {
		plan->query_count = 0;
		return -ENOMEM;
	}
	query = &plan->queries[plan->query_count++];
	*query = (struct plan_query){.name = strdup(entrance->query),
				     .vtable_offset = (uint32_t)offset,
				     .group = refusal ? 0 : (uint32_t)runner_at(survey, callee) + 1,
				     .refusal = refusal ? strdup(refusal) : NULL};
	return query->name && (!refusal || query->refusal) ? 0 : -ENOMEM;
}

/* Two queries at one offset would be told apart by nothing: neither is timed. */
static int refuse_twins(struct plan *plan)
{
	for (size_t i = 0; i < plan->query_count; i++) {
		for (size_t j = 0; j < plan->query_count; j++) {
			struct plan_query *query = &plan->queries[i];

			if (i == j || query->refusal || query->vtable_offset != plan->queries[j].vtable_offset)
				continue;
			query->refusal = strdup("its vtable was taken for another query's");
			if (!query->refusal)
				return -ENOMEM;
		}
	}
	return 0;
}

static int compare_queries(const void *a, const void *b)
{
	return strcmp(((const struct plan_query *)a)->name, ((const struct plan_query *)b)->name);
}

static int add_queries(struct survey *survey, struct plan *plan)
{
	for (size_t i = 0; i < survey->entrance_count; i++) {
		int code = survey->entrances[i].incremental ? 0 : add_query(survey, &survey->entrances[i], plan);

		if (code < 0)
			return code;
	}
	if (plan->query_count)
		qsort(plan->queries, plan->query_count, sizeof(*plan->queries), compare_queries);
	for (size_t i = 0; i < plan->query_count; i++)
		if (plan->queries[i].group)
			plan->queries[i].group = runner_group(survey, plan->queries[i].group - 1);
	return refuse_twins(plan);
}

/* The number of a query, counted from 1; 0 if there is none. */
static unsigned int query_number(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->query_count && i < WIRE_MAX_QUERIES; i++)
		if (!strcmp(plan->queries[i].name, name))
			return (unsigned int)i + 1;
	return WIRE_QUERY_NONE;
}

/* Adds the calls by which a query's own function goes to what runs it. */
static int add_entrance_calls(const struct survey *survey, const struct entrance *entrance, struct plan *plan)
{
	unsigned int number = query_number(plan, entrance->query);
	struct flow flow;
	int code = 0;

	if (!number || flow_decode(survey->image, &entrance->range, 1, &flow, NULL) < 0)
		return 0;
	for (size_t i = 0; i < flow.count && code == 0; i++) {
		uint64_t last = flow.insns[i].address + flow.insns[i].length - 1;

		if (flow.insns[i].form == FORM_CALL && is_runner(flow.insns[i].target, survey))
			code = rows_add_call(survey->image, plan, last, number);
	}
	flow_free(&flow);
	return code;
}

static int add_calls(const struct survey *survey, struct plan *plan)
{
	int code = 0;

	for (size_t i = 0; i < survey->runner_count && code == 0; i++) {
		const struct placement *placement = &survey->runners[i].placement;

		if (placement->refusal || placement->has_more_calls)
			continue;
		for (size_t j = 0; j < placement->call_count && code == 0; j++)
			code = rows_add_call(survey->image, plan, placement->calls[j], WIRE_QUERY_NONE);
	}
	for (size_t i = 0; i < survey->entrance_count && code == 0; i++)
		code = add_entrance_calls(survey, &survey->entrances[i], plan);
	return code;
}

static int compare_calls(const void *a, const void *b)
{
	const struct plan_call *left = a, *right = b;

	if (left->offset != right->offset)
		return left->offset < right->offset ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

static int compare_sites(const void *a, const void *b)
{
	const struct site *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static int add_site(const struct survey *survey, struct plan *plan, uint64_t address, uint64_t cookie,
		    enum site_kind kind, uint32_t group)
{
	return rows_add_site(survey->image, plan, address,
			     (struct site){.cookie = cookie, .kind = kind, .event = EVENT_QUERY, .group = group});
}

/* Adds the entries of a try_execute_query. */
static int add_entries(const struct survey *survey, const struct runner *runner, uint32_t group, struct plan *plan)
{
	const struct placement *placement = &runner->placement;
	int code = 0;

	for (size_t i = 0; i < placement->guard_count && code == 0; i++) {
		const struct guard_site *guard = &placement->guards[i];
		uint64_t cookie = COOKIE_MAKE(guard->tcx_register, guard->vtable_register, guard->vtable_on_stack,
					      guard->vtable_displacement);

		cookie |= key_cookie(&runner->values, guard->address, runner->key, survey->filter);
		code = add_site(survey, plan, guard->address, cookie, SITE_ENTER, group);
	}
	return code;
}

static int add_sites(const struct survey *survey, struct plan *plan)
{
	int code = 0;

	for (size_t i = 0; i < survey->runner_count && code == 0; i++) {
		const struct placement *placement = &survey->runners[i].placement;
		uint32_t group = runner_group(survey, i);

		if (placement->refusal)
			continue;
		code = add_entries(survey, &survey->runners[i], group, plan);
		for (size_t j = 0; j < placement->exit_count && code == 0; j++)
			code = add_site(survey, plan, placement->exits[j], 0, SITE_EXIT, group);
	}
	if (code == 0)
		code = add_calls(survey, plan);
	if (code == 0 && survey->session)
		code = add_site(survey, plan, survey->session, 0, SITE_SESSION, GROUP_NONE);
	if (code == 0 && survey->caught)
		code = add_site(survey, plan, survey->caught, 0, SITE_CAUGHT, GROUP_NONE);
	return code;
}

/* Adds all guards but those of queries' providers. */
static int add_activities(struct survey *survey, struct plan *plan)
{
	struct survey_runner *runners = calloc(survey->runner_count + 1, sizeof(*runners));
	struct survey_query *queries = calloc(survey->entrance_count + 1, sizeof(*queries));
	struct shared shared = {0};
	struct guard_survey guards = {.image = survey->image,
				      .callees = &survey->callees,
				      .runners = runners,
				      .queries = queries,
				      .filter_offset = survey->filter,
				      .shared = &shared,
				      .plan = plan};
	int code = runners && queries ? pass_survey(survey->image, &survey->passes, plan) : -ENOMEM;

	if (code == 0 && survey->vtable_range_count)
		code = shared_find(survey->image, survey->vtables, survey->vtable_range_count, &shared);

	for (size_t i = 0; i < survey->runner_count && code == 0; i++)
		if (survey->runners[i].values.flow)
			runners[guards.runner_count++] =
			    (struct survey_runner){survey->runners[i].ranges[0].address, &survey->runners[i].values};
	for (size_t i = 0; i < survey->entrance_count && code == 0; i++)
		if (survey->entrances[i].incremental)
			queries[guards.query_count++] =
			    (struct survey_query){survey->entrances[i].query, survey->entrances[i].runner};
	if (code == 0)
		code = activity_survey(&guards, plan);
	if (code == 0)
		code = activity_add_missing(&survey->callees, plan);
	free(runners);
	free(queries);
	shared_free(&shared);
	return code;
}

static int fill_plan(struct survey *survey, const char *path, struct plan *plan, struct error *err)
{
	plan->path = strdup(path);
	plan->size = image_size(survey->image);
	image_build_id(survey->image, plan->build_id);
	image_version(survey->image, plan->version, sizeof(plan->version));
	if (!plan->path || survey_symbols(survey) < 0)
		return error_set(err, ENOMEM, "out of memory reading %s", path);
	if (!survey->entrance_count && !image_has_symtab(survey->image))
		return error_set(err, ENODATA,
				 "%s has no symbols, so its queries cannot be found (Debian's rustc packages are "
				 "stripped); use a compiler installed by rustup",
				 path);
	if (!survey->entrance_count || !survey->runner_count)
		return error_set(err, ENOTSUP,
				 "%s (rustc %s) has a query system of a shape that this querytap does not know; "
				 "rustc 1.95 to 1.97 are known",
				 path, plan->version);
	snprintf(plan->generation, sizeof(plan->generation), "%s", survey->generation);
	if (place_runners(survey) < 0 || add_queries(survey, plan) < 0 || add_sites(survey, plan) < 0 ||
	    add_activities(survey, plan) < 0)
		return error_set(err, ENOMEM, "out of memory reading %s", path);
	groups_assign(plan, survey->runner_count);
	if (plan->site_count)
		qsort(plan->sites, plan->site_count, sizeof(*plan->sites), compare_sites);
	if (plan->call_count)
		qsort(plan->calls, plan->call_count, sizeof(*plan->calls), compare_calls);
	if (!plan_timed(plan))
		return error_set(err, ENOTSUP, "%s (rustc %s): no query has a safe place for a probe", path,
				 plan->version);
	return 0;
}

int plan_make(const char *path, struct plan **out, struct error *err)
{
	return plan_make_fd(-1, path, out, err);
}

int plan_make_fd(int fd, const char *path, struct plan **out, struct error *err)
{
	struct survey survey = {0};
	struct image *image;
	struct plan *plan;
	int code = image_open_fd(fd, path, &image, err);

	*out = NULL;
	if (code < 0)
		return code;
	survey.image = image;
	plan = calloc(1, sizeof(*plan));
	code = image_read_symbols(image, err);
	if (code == 0)
		code = plan ? fill_plan(&survey, path, plan, err)
			    : error_set(err, ENOMEM, "out of memory reading %s", path);
	for (size_t i = 0; i < survey.runner_count; i++) {
		values_free(&survey.runners[i].values);
		flow_free(&survey.runners[i].flow);
	}
	free(survey.runners);
	free(survey.entrances);
	free(survey.callees.items);
	pass_free(&survey.passes);
	image_close(image);
	/* The decoded code took 100 MiB in small pieces, which the C library would keep for later. */
	malloc_trim(0);
	if (code < 0)
		plan_free(plan);
	else
		*out = plan;
	return code;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->query_count; i++) {
		free(plan->queries[i].name);
		free(plan->queries[i].refusal);
	}
	for (size_t i = 0; i < plan->activity_count; i++)
		free(plan->activities[i].label);
	for (size_t i = 0; i < plan->omission_count; i++) {
		free(plan->omissions[i].label);
		free(plan->omissions[i].refusal);
	}
	free(plan->queries);
	free(plan->activities);
	free(plan->omissions);
	free(plan->passes);
	free(plan->sites);
	free(plan->calls);
	free(plan->spans);
	free(plan->bodies);
	free(plan->callers);
	free(plan->path);
	free(plan);
}
