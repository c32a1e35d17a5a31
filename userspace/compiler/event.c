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

static bool runs_queries(const struct holder *holder)
{
	struct recognised what;

	recognise(holder->symbol, &what);
	return what.role == ROLE_TRY_EXECUTE;
}

/* The query's number in the plan, counted from 1; 0 if it has none. */
static unsigned int query_number(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->query_count && i < WIRE_MAX_QUERIES; i++)
		if (!strcmp(plan->queries[i].name, name))
			return (unsigned int)i + 1;
	return 0;
}

/* The query whose vtable `holder` is in; 0 if that is not certain. Several may be one function, in the linker's eyes.
 */
static unsigned int query_of_closure(const struct event_naming *naming, const struct holder *holder)
{
	const struct image_symbol *symbols;
	char query[SYMBOL_QUERY];
	size_t count, at = 0;

	if (!symbol_query_closure(holder->symbol, query))
		return 0;
	symbols = image_symbols(naming->image, &count);
	while (at < count && symbols[at].address < holder->ranges[0].address)
		at++;
	return at + 1 < count && symbols[at + 1].address == symbols[at].address ? 0 : query_number(naming->plan, query);
}

/* Whether nothing calls the function at `address` but what runs queries. */
static bool only_queries_call(const struct event_naming *naming, uint64_t address)
{
	const struct guard_calls *calls = naming->calls;

	for (size_t i = 0; i < calls->call_count; i++)
		if (calls->calls[i].target == address && !runs_queries(&calls->holders[calls->calls[i].holder]))
			return false;
	return true;
}

/* Results are hashed behind the provider, while its query runs; or fed by whoever has them, which names no query. */
static uint64_t hashing_cookie(const struct event_naming *naming, const struct holder *holder)
{
	uint64_t entry = holder->ranges[0].address;
	bool running = runs_queries(holder) || (guard_callee_at(naming->callees, entry) == CALLEE_HASH_RESULT &&
						only_queries_call(naming, entry));

	return GUARD_MAKE(running ? GUARD_QUERY_RUNNING : GUARD_FIXED, 0, 0, 0) |
	       GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_HASHING, 0), 0);
}

static const char *load_cookie(const struct event_naming *naming, const struct holder *holder, uint64_t *cookie)
{
	unsigned int query = query_of_closure(naming, holder);

	if (query) {
		*cookie = GUARD_MAKE(GUARD_FIXED, 0, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, query), 0);
		return NULL;
	}
	if (guard_callee_at(naming->callees, holder->ranges[0].address) != CALLEE_SHARED_LOAD)
		return "its query is not known";
	*cookie = GUARD_MAKE(GUARD_QUERY_NOTED, 0, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, 0), 0);
	return NULL;
}

const char *event_cookie(const struct event_naming *naming, const struct holder *holder, const struct guard *guard,
			 uint64_t *cookie)
{
	const struct vtable_place *vtable = &guard->vtable;

	if (vtable->known) {
		*cookie = GUARD_MAKE(vtable->on_stack ? GUARD_QUERY_STACK : GUARD_QUERY_REGISTER, 0, vtable->reg, 0) |
			  GUARD_WITH_NUMBER(WIRE_NUMBER(class_of(guard->callee), 0), vtable->displacement);
		return NULL;
	}
	if (guard->callee == CALLEE_HASHING) {
		*cookie = hashing_cookie(naming, holder);
		return NULL;
	}
	if (guard->callee == CALLEE_LOAD)
		return load_cookie(naming, holder, cookie);
	return "the query's vtable is not at hand";
}
