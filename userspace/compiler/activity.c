/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/activity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "compiler/calls.h"
#include "compiler/event.h"
#include "compiler/pass.h"
#include "compiler/timer.h"

enum { MAX_PATH = 200, MAX_LENDINGS = 16 };

/* A guard that was found, and whose function it is in. */
struct finding {
	struct guard guard;
	size_t holder;
};

struct search {
	const struct image *image;
	const struct guard_callees *callees;
	const struct activity_sources *sources;
	struct guard_calls calls;
	struct finding *findings;
	size_t finding_count;
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

/* The function that runs queries and starts at `address`, decoded already; NULL if it is another one. */
static const struct flow *runner_at(const struct activity_sources *sources, uint64_t address)
{
	for (size_t i = 0; i < sources->runner_count; i++)
		if (sources->runners[i].address == address)
			return sources->runners[i].flow;
	return NULL;
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
	const struct holder *holder = &search->calls.holders[calls[0].holder];
	uint64_t entry = holder->ranges[0].address;
	const struct flow *runner = runner_at(search->sources, entry), *flow = runner;
	struct flow own = {0};
	struct values values;
	int code;

	/* What starts a verbose guard has a guard of its own, which is that one's. */
	if (guard_callee_at(search->callees, entry) == CALLEE_ACTIVITY_VERBOSE)
		return 0;
	if (!holder->has_entry)
		return refuse_all(search, calls, count, "the entry of the function that it is in has no symbol");
	if (!runner) {
		if (flow_decode(search->image, holder->ranges, holder->range_count, &own, NULL) < 0)
			return refuse_all(search, calls, count, "the function that it is in cannot be decoded");
		flow = &own;
	}
	code = values_follow(flow, entry, &values);
	if (code == 0) {
		struct guarded function = {search->image, &values, search->callees, -1};

		if (runner)
			function.vtable = guard_vtable_argument(&values, search->sources->filter_offset);
		code = find_in_function(search, &function, calls, count);
		values_free(&values);
	}
	flow_free(&own);
	return code;
}

/* Finds the ends of a lent timer in the function that calls its lender, at `count` calls. Returns why it cannot. */
static const char *find_lent_exits(struct search *search, const struct values *values, const struct guard_call *calls,
				   size_t count, struct guard *guard)
{
	struct timer_life life = {.values = values, .callees = search->callees, .any_stack = true, .entry = SIZE_MAX};
	size_t starts[MAX_LENDINGS];
	int64_t stack = 0, timer = 0;
	const char *refusal;

	for (size_t i = 0; i < count; i++) {
		size_t index = flow_find(values->flow, calls[i].address);
		struct values_state state;
		struct value given;

		if (life.start_count == MAX_LENDINGS || index == SIZE_MAX || !values_at(values, index, &state) ||
		    values->flow->insns[index].form != FORM_CALL)
			return "its function is not called in a known way";
		given = values_passed(&state, guard->lent_argument);
		if (given.kind != VALUE_STACK || (i && (given.number != timer || state.stack != stack)))
			return "its timer's place in the caller is not known";
		timer = given.number;
		stack = state.stack;
		starts[life.start_count++] = index;
	}
	life.timer = timer + guard->lent_offset;
	life.starts = starts;
	guard->lent = false;
	refusal = timer_find_exits(&life, guard);
	/* The return address lies between the frames. */
	stack = life.stack - stack + 8 - guard->stack;
	if (!refusal && (stack % 8 || stack < 0 || stack / 8 > INT16_MAX))
		refusal = "the stack pointer differs between its begin and its end";
	guard->frame = (int32_t)stack;
	return refusal;
}

/* A lent timer ends in the one function that calls its lender. */
static int resolve_lending(struct search *search, struct finding *finding)
{
	const struct guard_calls *calls = &search->calls;
	uint64_t lender = calls->holders[finding->holder].ranges[0].address;
	const struct holder *holder;
	size_t first = 0, count = 0;
	struct flow flow;
	struct values values;
	struct guard_call lendings[MAX_LENDINGS];

	for (size_t i = 0; i < calls->call_count; i++) {
		if (calls->calls[i].target != lender)
			continue;
		if (count == MAX_LENDINGS || (count && calls->calls[i].holder != calls->calls[first].holder)) {
			finding->guard.refusal = "its end is in more than one function";
			return 0;
		}
		first = i;
		lendings[count++] = calls->calls[i];
	}
	holder = count ? &calls->holders[calls->calls[first].holder] : NULL;
	finding->guard.refusal = "its end was not found";
	if (!holder || !holder->has_entry ||
	    flow_decode(search->image, holder->ranges, holder->range_count, &flow, NULL) < 0)
		return 0;
	if (values_follow(&flow, holder->ranges[0].address, &values) < 0) {
		flow_free(&flow);
		return -ENOMEM;
	}
	finding->guard.refusal = find_lent_exits(search, &values, lendings, count, &finding->guard);
	values_free(&values);
	flow_free(&flow);
	return 0;
}

static int find_all_guards(struct search *search)
{
	const struct guard_calls *calls = &search->calls;
	int code = 0;

	for (size_t i = 0, j; i < calls->call_count && code == 0; i = j) {
		for (j = i + 1; j < calls->call_count && calls->calls[j].holder == calls->calls[i].holder; j++)
			;
		code = find_guards(search, &calls->calls[i], j - i);
	}
	for (size_t i = 0; i < search->finding_count && code == 0; i++)
		if (search->findings[i].guard.lent && !search->findings[i].guard.refusal)
			code = resolve_lending(search, &search->findings[i]);
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
		uses[count++] = (struct use){image_file_offset(search->image, guard->entry), guard};
		for (size_t j = 0; j < guard->exit_count; j++)
			uses[count++] = (struct use){image_file_offset(search->image, guard->exits[j]), guard};
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
		bool safe = guard->refusal || rows_may_probe(search->image, guard->entry, SITE_BEGIN);

		for (size_t j = 0; j < guard->exit_count; j++)
			safe = safe && (guard->refusal || rows_may_probe(search->image, guard->exits[j], SITE_END));
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
	path = symbol_path(search->calls.holders[finding->holder].symbol);
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

/* Adds the sites of a guard, whose begin has the cookie but for the guard's number. */
static int add_sites(const struct search *search, const struct guard *guard, unsigned int id, uint64_t cookie,
		     struct plan *plan)
{
	enum event_class event = event_of(guard->callee);
	struct site begin = {.kind = SITE_BEGIN, .event = event, .cookie = cookie | GUARD_MAKE(0, id, 0, 0)};
	struct site end = {.kind = SITE_END, .event = event, .cookie = GUARD_MAKE(0, id, 0, 0)};
	int code = rows_add_site(search->image, plan, guard->entry, begin);

	for (size_t i = 0; i < guard->exit_count && code == 0; i++)
		code = rows_add_site(search->image, plan, guard->exits[i], end);
	return code;
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

static int add_findings(struct search *search, struct plan *plan)
{
	const struct event_naming naming = {search->image, search->callees, &search->calls, plan};
	unsigned int id = 0;
	int code = 0;

	for (size_t i = 0; i < search->finding_count && code == 0; i++) {
		struct guard *guard = &search->findings[i].guard;
		bool is_activity = event_of(guard->callee) == EVENT_ACTIVITY;
		uint64_t cookie = 0;

		if (is_verification(guard))
			continue;
		if (guard->is_pass && !plan->pass_count)
			guard->refusal = "the names of MIR passes are not known";
		if (!guard->refusal && is_activity && !guard->is_pass && !guard->label[0])
			guard->refusal = "its label is not a constant";
		if (!guard->refusal && (id == WIRE_MAX_GUARDS || plan->activity_count >= WIRE_MAX_ACTIVITIES))
			guard->refusal = "there are too many";
		if (!guard->refusal && is_activity)
			code = activity_cookie(guard, plan, &cookie);
		else if (!guard->refusal)
			guard->refusal =
			    event_cookie(&naming, &search->calls.holders[search->findings[i].holder], guard, &cookie);
		if (code == 0)
			code = guard->refusal ? add_omission(search, &search->findings[i], plan)
					      : add_sites(search, guard, ++id, cookie, plan);
	}
	return code;
}

static int survey(struct search *search, struct plan *plan)
{
	int code = calls_find(search->image, search->callees, &search->calls);

	if (code == 0)
		code = find_all_guards(search);
	if (code == 0)
		code = refuse_shared_sites(search, plan);
	if (code < 0)
		return code;
	refuse_unsafe_sites(search);
	return add_findings(search, plan);
}

int activity_survey(const struct image *image, struct guard_callees *callees, const struct activity_sources *sources,
		    struct plan *plan)
{
	struct search search = {.image = image, .callees = callees, .sources = sources};
	int code;

	if (callees->count)
		qsort(callees->items, callees->count, sizeof(*callees->items), callees_by_address);
	callees->verbose_timer = 0x40;
	code = survey(&search, plan);
	calls_free(&search.calls);
	free(search.findings);
	return code;
}
