/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/activity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "compiler/event.h"
#include "compiler/frames.h"
#include "compiler/load.h"
#include "compiler/pass.h"
#include "compiler/spans.h"

enum { MAX_PATH = 200 };

/* A guard that was found, and whose function it is in. */
struct finding {
	struct guard guard;
	size_t holder;
};

struct search {
	struct guard_survey *survey;
	struct finding *findings;
	size_t finding_count;
	struct spans spans;
};

int activity_note_callee(struct guard_callees *callees, const struct image_symbol *symbol,
			 const struct recognised *what)
{
	if (what->fragment)
		return 0;
	if (rows_grow((void **)&callees->items, callees->count, sizeof(*callees->items)) < 0) {
		callees->count = 0;
		return -ENOMEM;
	}
	callees->items[callees->count++] = (struct guard_function){symbol->address, what->callee};
	return 0;
}

static int callees_by_address(const void *a, const void *b)
{
	const struct guard_function *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

static bool starts_guard(enum guard_callee callee)
{
	switch (callee) {
	case CALLEE_ACTIVITY:
	case CALLEE_ACTIVITY_ARGUMENT:
	case CALLEE_ACTIVITY_RECORDER:
	case CALLEE_ACTIVITY_VERBOSE:
	case CALLEE_LOAD:
	case CALLEE_HASHING:
	case CALLEE_BLOCKED:
	case CALLEE_UNKNOWN:
		return true;
	default:
		return false;
	}
}

/* ---- the guards ---- */

static int add_finding(struct search *search, size_t holder, const struct guard *guard)
{
	if (rows_grow((void **)&search->findings, search->finding_count, sizeof(*search->findings)) < 0) {
		search->finding_count = 0;
		return -ENOMEM;
	}
	search->findings[search->finding_count++] = (struct finding){*guard, holder};
	return 0;
}

/* Finds the guards of a followed function, whose calls are `count` of them. */
static int find_in_function(struct search *search, const struct guarded *function, const struct guard_call *calls,
			    size_t count)
{
	int code = 0;

	for (size_t i = 0; i < count && code == 0; i++) {
		size_t index = flow_find(function->values->flow, calls[i].address);
		struct guard guard;

		if (index == SIZE_MAX || !starts_guard(calls[i].callee))
			continue;
		guard_find(function, index, &guard);
		if (guard.callee == CALLEE_UNKNOWN)
			guard.refusal = "its kind is not known";
		if (guard.callee == CALLEE_ACTIVITY_ARGUMENT && !guard.label[0])
			pass_find_guard(function, index, &guard);
		code = add_finding(search, calls[i].holder, &guard);
	}
	return code;
}

/* None of the guards of a function can be found. */
static int refuse_all(struct search *search, const struct guard_call *calls, size_t count, const char *refusal)
{
	int code = 0;

	for (size_t i = 0; i < count && code == 0; i++) {
		struct guard guard = {.callee = calls[i].callee, .call = calls[i].address, .refusal = refusal};

		if (starts_guard(calls[i].callee))
			code = add_finding(search, calls[i].holder, &guard);
	}
	return code;
}

static int find_guards(struct search *search, const struct guard_call *calls, size_t count)
{
	const struct guard_survey *survey = search->survey;
	const struct holder *holder = &survey->calls.holders[calls[0].holder];
	struct survey_function function;
	const char *refusal;
	int code;

	/* What starts a verbose guard has a guard of its own, which is that one's. */
	if (guard_callee_at(survey->callees, holder->ranges[0].address) == CALLEE_ACTIVITY_VERBOSE)
		return 0;
	code = survey_follow(survey, holder, &function, &refusal);
	if (code == -ENOENT)
		return refuse_all(search, calls, count, refusal);
	if (code < 0)
		return code;
	code = find_in_function(search, &function.guarded, calls, count);
	survey_leave(&function);
	return code;
}

static const struct holder *holder_of(const struct search *search, const struct finding *finding)
{
	return &search->survey->calls.holders[finding->holder];
}

static int find_all_guards(struct search *search)
{
	const struct guard_calls *calls = &search->survey->calls;
	int code = 0;

	for (size_t i = 0, j; i < calls->call_count && code == 0; i = j) {
		for (j = i + 1; j < calls->call_count && calls->calls[j].holder == calls->calls[i].holder; j++)
			;
		code = find_guards(search, &calls->calls[i], j - i);
	}
	for (size_t i = 0; i < search->finding_count && code == 0; i++)
		if (search->findings[i].guard.lent && !search->findings[i].guard.refusal)
			code = frames_find_ends(search->survey, holder_of(search, &search->findings[i]),
						&search->findings[i].guard);
	return code;
}

/* ---- into the plan ---- */

/* A place where something happens, and the guard that it belongs to. */
struct use {
	uint64_t offset;     /* in the file */
	struct guard *guard; /* NULL for a query's site */
};

static void refuse_use(const struct use *use)
{
	if (use->guard)
		use->guard->refusal = "something else begins or ends in the same place";
}

static int uses_by_offset(const void *a, const void *b)
{
	const struct use *left = a, *right = b;

	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Sites that are not one guard's alone would end or begin the wrong one. */
static int refuse_shared_sites(struct search *search, const struct plan *plan)
{
	size_t room = search->finding_count * (GUARD_EXITS + 1) + plan->site_count + 1, count = 0;
	struct use *uses = calloc(room, sizeof(*uses));

	if (!uses)
		return -ENOMEM;
	for (size_t i = 0; i < search->finding_count; i++) {
		struct guard *guard = &search->findings[i].guard;

		if (guard->refusal)
			continue;
		uses[count++] = (struct use){image_file_offset(search->survey->image, guard->entry), guard};
		for (size_t j = 0; j < guard->exit_count; j++)
			uses[count++] = (struct use){image_file_offset(search->survey->image, guard->exits[j]), guard};
	}
	for (size_t i = 0; i < plan->site_count; i++)
		uses[count++] = (struct use){plan->sites[i].offset, NULL};
	qsort(uses, count, sizeof(*uses), uses_by_offset);
	for (size_t i = 1; i < count; i++) {
		if (uses[i].offset != uses[i - 1].offset)
			continue;
		refuse_use(&uses[i]);
		refuse_use(&uses[i - 1]);
	}
	free(uses);
	return 0;
}

static void refuse_unsafe_sites(struct search *search)
{
	for (size_t i = 0; i < search->finding_count; i++) {
		struct guard *guard = &search->findings[i].guard;
		bool safe = guard->refusal || rows_may_probe(search->survey->image, guard->entry, SITE_BEGIN);

		for (size_t j = 0; j < guard->exit_count; j++)
			safe = safe &&
			       (guard->refusal || rows_may_probe(search->survey->image, guard->exits[j], SITE_END));
		if (!safe)
			guard->refusal = "its place is not safe to probe";
	}
}

/* Notes a guard that is left out by its label or, if that is not known, by the function that it is in. */
static int add_omission(const struct search *search, const struct finding *finding, struct plan *plan)
{
	char *path;
	int code;

	if (finding->guard.label[0])
		return rows_add_omission(plan, finding->guard.label, finding->guard.refusal);
	path = symbol_path(holder_of(search, finding)->symbol);
	if (path && strlen(path) > MAX_PATH)
		path[MAX_PATH] = '\0';
	code = rows_add_omission(plan, path ? path : "unknown", finding->guard.refusal);
	free(path);
	return code;
}

/* Only -Zincremental-verify-ich runs these. */
static bool is_verification(const struct guard *guard)
{
	static const char prefix[] = "query_key_hash_verify";

	return !strncmp(guard->label, prefix, sizeof(prefix) - 1);
}

static int add_ends(const struct search *search, const struct guard *guard, unsigned int id, struct plan *plan)
{
	struct site end = {.kind = SITE_END, .event = event_of(guard->callee), .cookie = GUARD_MAKE(0, id, 0, 0)};
	int code = 0;

	for (size_t i = 0; i < guard->exit_count && code == 0; i++)
		code = rows_add_site(search->survey->image, plan, guard->exits[i], end);
	return code;
}

/* Adds the sites of a guard, whose begin has the cookie but for the guard's number. */
static int add_sites(struct search *search, const struct guard *guard, unsigned int id, uint64_t cookie,
		     struct plan *plan)
{
	struct site begin = {
	    .kind = SITE_BEGIN, .event = event_of(guard->callee), .cookie = cookie | GUARD_MAKE(0, id, 0, 0)};
	int code = rows_add_site(search->survey->image, plan, guard->entry, begin);

	if (code == 0 && guard->is_pass)
		code = rows_add_call(search->survey->image, plan, guard->pass_call, PLAN_CALL_OF_PASS);
	else if (code == 0 && begin.event == EVENT_ACTIVITY)
		code = spans_add(&search->spans, search->survey->image, guard, GUARD_NUMBER(cookie));
	return code == 0 ? add_ends(search, guard, id, plan) : code;
}

static int activity_cookie(const struct guard *guard, struct plan *plan, uint64_t *cookie)
{
	size_t index;
	int code;

	if (guard->is_pass) {
		*cookie = GUARD_MAKE(GUARD_PASS, 0, guard->pass_vtable, guard->pass_self) | guard->entry << 32;
		return 0;
	}
	code = rows_add_activity(plan, guard->label, &index);
	*cookie = GUARD_MAKE(guard->has_argument ? GUARD_ARGUMENT : GUARD_FIXED, 0, 0, 0) |
		  GUARD_WITH_NUMBER(WIRE_ACTIVITIES + index, guard->has_argument ? guard->argument : guard->frame);
	return code;
}

static bool has_site(const struct plan *plan, uint64_t offset)
{
	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->sites[i].offset == offset)
			return true;
	return false;
}

/* Adds the begins of a guard in a function that several queries share, where that is called. */
static int add_shared_load(const struct search *search, struct finding *finding, unsigned int id, struct plan *plan)
{
	struct frames_begin begins[FRAMES_CALLERS];
	struct guard *guard = &finding->guard;
	const struct image *image = search->survey->image;
	size_t count;
	int code = frames_find_begins(search->survey, holder_of(search, finding), guard, begins, &count);

	for (size_t i = 0; i < count && code == 0 && !guard->refusal; i++)
		if (!rows_may_probe(image, begins[i].address, SITE_BEGIN) ||
		    has_site(plan, image_file_offset(image, begins[i].address)))
			guard->refusal = "its place is not safe to probe";
	if (guard->refusal || code < 0)
		return code;
	for (size_t i = 0; i < count && code == 0; i++) {
		struct site begin = {.kind = SITE_BEGIN, .event = EVENT_INCREMENTAL_LOAD};

		code = load_cookie_at_call(search->survey, &begins[i], plan, &begin.cookie);
		begin.cookie |= GUARD_MAKE(0, id, 0, 0);
		if (code == 0)
			code = rows_add_site(image, plan, begins[i].address, begin);
	}
	return code == 0 ? add_ends(search, guard, id, plan) : code;
}

/* Adds what was found, as sites with the number `id` or, if that cannot be, as an omission. */
static int add_finding_to_plan(struct search *search, struct finding *finding, unsigned int id, struct plan *plan)
{
	struct guard *guard = &finding->guard;
	const struct holder *holder = holder_of(search, finding);
	bool is_activity = event_of(guard->callee) == EVENT_ACTIVITY;
	uint64_t cookie = 0;
	int code = 0;

	if (guard->is_pass && !plan->pass_count)
		guard->refusal = "the names of MIR passes are not known";
	if (!guard->refusal && is_activity && !guard->is_pass && !guard->label[0])
		guard->refusal = "its label is not a constant";
	if (!guard->refusal && (id > WIRE_MAX_GUARDS || plan->activity_count >= WIRE_MAX_ACTIVITIES))
		guard->refusal = "there are too many";
	if (!guard->refusal && is_activity) {
		code = activity_cookie(guard, plan, &cookie);
	} else if (!guard->refusal && guard->callee == CALLEE_LOAD &&
		   guard_callee_at(search->survey->callees, holder->ranges[0].address) == CALLEE_SHARED_LOAD) {
		code = add_shared_load(search, finding, id, plan);
		return code == 0 && guard->refusal ? add_omission(search, finding, plan) : code;
	} else if (!guard->refusal && guard->callee == CALLEE_LOAD) {
		code = load_cookie(search->survey, holder, guard, plan, &cookie);
	} else if (!guard->refusal) {
		guard->refusal = event_cookie(search->survey, holder, guard, &cookie);
	}
	if (code < 0)
		return code;
	return guard->refusal ? add_omission(search, finding, plan) : add_sites(search, guard, id, cookie, plan);
}

static int add_findings(struct search *search, struct plan *plan)
{
	unsigned int id = 1;
	int code = 0;

	for (size_t i = 0; i < search->finding_count && code == 0; i++) {
		struct finding *finding = &search->findings[i];

		if (is_verification(&finding->guard))
			continue;
		code = add_finding_to_plan(search, finding, id, plan);
		id += finding->guard.refusal == NULL;
	}
	return code;
}

/* How far behind a verbose guard's start the one is that a function drops with it; -1 if it drops none. */
static int verbose_timer(const struct guard_survey *survey, uint64_t address, int64_t *offset)
{
	struct code_range range = {address, image_function_size(survey->image, address)};
	struct values_state state;
	struct values values;
	struct flow flow;
	int code = 0;

	*offset = -1;
	if (!range.size || flow_decode(survey->image, &range, 1, &flow, NULL) < 0)
		return 0;
	code = values_follow(&flow, address, &values);
	for (size_t i = 0; i < flow.count && code == 0; i++) {
		const struct insn *insn = &flow.insns[i];
		struct value given;

		if (guard_callee_at(survey->callees, insn->callee ? insn->callee : insn->target) != CALLEE_DROP ||
		    !values_at(&values, i, &state))
			continue;
		given = state.registers[REG_RDI];
		if (given.kind == VALUE_ARGUMENT && given.argument == 0)
			*offset = given.number;
	}
	values_free(&values);
	flow_free(&flow);
	return code;
}

/* Finds where the timer is in a verbose guard, by all functions that drop one. */
static int find_verbose_timer(struct guard_survey *survey)
{
	struct guard_callees *callees = survey->callees;
	int code = 0;

	callees->verbose_timer = -1;
	for (size_t i = 0; i < callees->count && code == 0; i++) {
		int64_t offset;

		if (callees->items[i].callee != CALLEE_DROP_VERBOSE)
			continue;
		code = verbose_timer(survey, callees->items[i].address, &offset);
		if (code == 0 && offset >= 0) {
			if (callees->verbose_timer >= 0 && callees->verbose_timer != offset) {
				callees->verbose_timer = -1;
				break;
			}
			callees->verbose_timer = offset;
		}
	}
	return code;
}

int activity_add_missing(const struct guard_callees *callees, struct plan *plan)
{
	static const struct {
		enum guard_callee callee;
		const char *kind;
	} kinds[] = {{CALLEE_ACTIVITY, "GenericActivity"},
		     {CALLEE_LOAD, "IncrementalLoadResult"},
		     {CALLEE_HASHING, "IncrementalResultHashing"},
		     {CALLEE_BLOCKED, "QueryBlocked"}};
	int code = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && code == 0; i++) {
		size_t at = 0;

		while (at < callees->count && callees->items[at].callee != kinds[i].callee)
			at++;
		if (at == callees->count)
			code = rows_add_omission(plan, kinds[i].kind, "what starts its timers was not found");
	}
	return code;
}

/* Takes the passes out of the plan, whose only labels are theirs so far, if none of the guards is around them. */
static int drop_idle_passes(const struct search *search, struct plan *plan)
{
	for (size_t i = 0; i < search->finding_count; i++)
		if (search->findings[i].guard.is_pass && !search->findings[i].guard.refusal)
			return 0;
	if (!plan->pass_count)
		return 0;
	for (size_t i = 0; i < plan->activity_count; i++)
		free(plan->activities[i].label);
	plan->activity_count = plan->pass_count = plan->body_count = 0;
	return rows_add_omission(plan, "MIR passes", "where they are run was not found");
}

int activity_survey(struct guard_survey *survey, struct plan *plan)
{
	struct guard_callees *callees = survey->callees;
	struct search search = {.survey = survey};
	int code;

	if (callees->count)
		qsort(callees->items, callees->count, sizeof(*callees->items), callees_by_address);
	code = find_verbose_timer(survey);
	if (code == 0)
		code = calls_find(survey->image, callees, &survey->calls);
	if (code == 0)
		code = find_all_guards(&search);
	if (code == 0)
		code = refuse_shared_sites(&search, plan);
	refuse_unsafe_sites(&search);
	if (code == 0)
		code = drop_idle_passes(&search, plan);
	if (code == 0)
		code = add_findings(&search, plan);
	if (code == 0)
		code = spans_to_plan(&search.spans, plan);
	calls_free(&survey->calls);
	free(survey->loader_calls);
	survey->loader_calls = NULL;
	for (size_t i = 0; i < search.finding_count; i++)
		guard_free(&search.findings[i].guard);
	free(search.findings);
	free(search.spans.items);
	return code;
}
