/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Whose are the loads, the hashing and the waits that guards stand around: how the kernel side is to find the query. */
#ifndef QUERYTAP_COMPILER_EVENT_H
#define QUERYTAP_COMPILER_EVENT_H

#include "compiler/survey.h"

/* Which event a guard stands for. */
enum event_class event_of(enum guard_callee callee);

/* The number in the plan, from 1 on, of the query whose vtable `holder` is in; 0 if that is not certain. */
unsigned int event_query_of_closure(const struct guard_survey *survey, const struct holder *holder);

/* The number of the only query that `holder` runs; 0 if it runs several, or none. */
unsigned int event_query_of_runner(const struct guard_survey *survey, const struct holder *holder);

/*
 * Writes the cookie of the begin of a guard that is no activity, and is in `holder`, without the guard's number.
 * Returns why that cannot be done, or NULL.
 */
const char *event_cookie(const struct guard_survey *survey, const struct holder *holder, const struct guard *guard,
			 uint64_t *cookie);

#endif
