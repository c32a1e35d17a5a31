/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where the timer of a guard ends: all places that drop it, or test whether there is one, on the ways from its start.
 */
#ifndef QUERYTAP_COMPILER_TIMER_H
#define QUERYTAP_COMPILER_TIMER_H

#include "compiler/guard.h"

struct timer_life {
	const struct values *values;
	const struct guard_callees *callees;
	int64_t timer;	  /* its place, from rsp at the function's entry */
	int64_t stack;	  /* rsp at the guard's entry, likewise */
	size_t entry;	  /* index of the guard's entry */
	size_t starts[2]; /* indexes of the instructions behind which the timer is in its place */
};

/* Fills the exits of *out. Returns why they cannot be used, or NULL. */
const char *timer_find_exits(const struct timer_life *life, struct guard *out);

#endif
