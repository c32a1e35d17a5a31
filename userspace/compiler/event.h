/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Whose are the loads, the hashing and the waits that guards stand around: how the kernel side is to find the query. */
#ifndef QUERYTAP_COMPILER_EVENT_H
#define QUERYTAP_COMPILER_EVENT_H

#include "compiler/calls.h"
#include "compiler/compiler.h"

struct event_naming {
	const struct image *image;
	const struct guard_callees *callees;
	const struct guard_calls *calls;
	const struct plan *plan; /* with its queries, sorted */
};

/* Which event a guard stands for. */
enum event_class event_of(enum guard_callee callee);

/*
 * Writes the cookie of the begin of a guard that is no activity, and is in `holder`, without the guard's number.
 * Returns why that cannot be done, or NULL.
 */
const char *event_cookie(const struct event_naming *naming, const struct holder *holder, const struct guard *guard,
			 uint64_t *cookie);

#endif
