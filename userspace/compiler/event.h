/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Whose are the hashing and the waits that guards stand around: how the kernel side is to find the query. */
#ifndef QUERYTAP_COMPILER_EVENT_H
#define QUERYTAP_COMPILER_EVENT_H

#include "compiler/survey.h"

/* Which event a guard stands for. */
enum event_class event_of(enum guard_callee callee);

/*
 * The number in the plan, from 1 on, of the query whose vtable the function at `address` is in; 0 if that is not
 * certain. The linker and BOLT make equal functions one: one that is in several vtables is no query's.
 */
unsigned int event_query_at(const struct guard_survey *survey, uint64_t address);

/* The same of `holder`; 0 if that is not certain. */
unsigned int event_query_of_closure(const struct guard_survey *survey, const struct holder *holder);

/* The number of the only query that `holder` runs; 0 if it runs several, or none. */
unsigned int event_query_of_runner(const struct guard_survey *survey, const struct holder *holder);

/* The cookie, without the guard's number, of the begin of a guard where the query's vtable is at hand. */
uint64_t event_cookie_of_vtable(const struct guard *guard);

/*
 * Writes the cookie of the begin of a guard that is neither an activity nor a load, and is in `holder`, without the
 * guard's number. Returns why that cannot be done, or NULL.
 */
const char *event_cookie(const struct guard_survey *survey, const struct holder *holder, const struct guard *guard,
			 uint64_t *cookie);

#endif
