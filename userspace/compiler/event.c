/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/event.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"

enum event_class event_of(enum guard_callee callee)
{
	switch (callee) {
	case CALLEE_LOAD:
		return EVENT_INCREMENTAL_LOAD;
	case CALLEE_HASHING:
		return EVENT_RESULT_HASHING;
	case CALLEE_BLOCKED:
		return EVENT_QUERY_BLOCKED;
	default:
		return EVENT_ACTIVITY;
	}
}

static unsigned int class_of(enum guard_callee callee)
{
	return callee == CALLEE_LOAD	  ? WIRE_CLASS_LOAD
	       : callee == CALLEE_HASHING ? WIRE_CLASS_HASHING
					  : WIRE_CLASS_BLOCKED;
}

/* The query's number in the plan, counted from 1; 0 if it has none. */
static unsigned int query_number(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->query_count && i < WIRE_MAX_QUERIES; i++)
		if (!strcmp(plan->queries[i].name, name))
			return (unsigned int)i + 1;
	return 0;
}

unsigned int event_query_at(const struct guard_survey *survey, uint64_t address)
{
	char query[SYMBOL_QUERY];
	size_t count, low = 0;
	const struct image_symbol *symbols = image_symbols(survey->image, &count);

	for (size_t high = count; low < high;) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (shared_has(survey->shared, address) || low == count || symbols[low].address != address ||
	    (low + 1 < count && symbols[low + 1].address == address) || !symbol_query_closure(symbols[low].name, query))
		return 0;
	return query_number(survey->plan, query);
}

unsigned int event_query_of_closure(const struct guard_survey *survey, const struct holder *holder)
{
	return holder->has_entry ? event_query_at(survey, holder->ranges[0].address) : 0;
}

unsigned int event_query_of_runner(const struct guard_survey *survey, const struct holder *holder)
{
	const char *name = NULL;

	for (size_t i = 0; i < survey->query_count; i++) {
		if (!holder->has_entry || survey->queries[i].runner != holder->ranges[0].address)
			continue;
		if (name)
			return 0;
		name = survey->queries[i].name;
	}
	return name ? query_number(survey->plan, name) : 0;
}

/* Whether nothing calls the function at `address` but what runs queries. */
static bool only_queries_call(const struct guard_survey *survey, uint64_t address)
{
	const struct guard_calls *calls = &survey->calls;

	for (size_t i = 0; i < calls->call_count; i++)
		if (calls->calls[i].target == address &&
		    !survey_is_runner(survey, &calls->holders[calls->calls[i].holder]))
			return false;
	return true;
}

/* Results are hashed behind the provider, while its query runs; or fed by whoever has them, which names no query. */
static uint64_t hashing_cookie(const struct guard_survey *survey, const struct holder *holder)
{
	uint64_t entry = holder->ranges[0].address;
	bool running =
	    survey_is_runner(survey, holder) ||
	    (guard_callee_at(survey->callees, entry) == CALLEE_HASH_RESULT && only_queries_call(survey, entry));

	return GUARD_MAKE(running ? GUARD_QUERY_RUNNING : GUARD_FIXED, 0, 0, 0) |
	       GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_HASHING, 0), 0);
}

uint64_t event_cookie_of_vtable(const struct guard *guard)
{
	const struct vtable_place *vtable = &guard->vtable;

	return GUARD_MAKE(vtable->on_stack ? GUARD_QUERY_STACK : GUARD_QUERY_REGISTER, 0, vtable->reg, 0) |
	       GUARD_WITH_NUMBER(WIRE_NUMBER(class_of(guard->callee), 0), vtable->displacement);
}

const char *event_cookie(const struct guard_survey *survey, const struct holder *holder, const struct guard *guard,
			 uint64_t *cookie)
{
	if (guard->vtable.known) {
		*cookie = event_cookie_of_vtable(guard);
		return NULL;
	}
	if (guard->callee == CALLEE_HASHING) {
		*cookie = hashing_cookie(survey, holder);
		return NULL;
	}
	return "the query's vtable is not at hand";
}
