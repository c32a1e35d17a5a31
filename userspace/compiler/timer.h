/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where the timer of a guard ends: all places that drop it, or test whether there is one, on the ways from its start.
 */
#ifndef QUERYTAP_COMPILER_TIMER_H
#define QUERYTAP_COMPILER_TIMER_H

#include "compiler/guard.h"

struct timer_life {
	const struct values *values;
	const struct guard_callees *callees;
	int64_t timer;	      /* its place, from rsp at the function's entry */
	int64_t stack;	      /* rsp at the guard's entry, likewise; that of its ends has to be the same */
	bool any_stack;	      /* or not: it is set to that of the first end that is found */
	size_t entry;	      /* index of the guard's entry, SIZE_MAX if that is in another function */
	const size_t *starts; /* indexes of the instructions behind which the timer is in its place */
	size_t start_count;
	bool *live; /* by instruction: those that run while the timer lives are set */
};

/* Fills the exits of *out. Returns why they cannot be used, or NULL. */
const char *timer_find_exits(struct timer_life *life, struct guard *out);

#endif
