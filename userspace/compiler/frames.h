/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Guards that begin in one function's frame and end in another's: of a timer that a function starts in its caller's
 * memory, and of one in a function that several queries share, which only its callers can name. The cookie of such a
 * begin says how far from rsp the end's rsp will be.
 */
#ifndef QUERYTAP_COMPILER_FRAMES_H
#define QUERYTAP_COMPILER_FRAMES_H

#include "compiler/survey.h"

enum { FRAMES_CALLERS = 16 };

/* Finds the ends of a timer that was lent to `holder`. Sets the guard's refusal if there are none. 0 or -ENOMEM. */
int frames_find_ends(const struct guard_survey *survey, const struct holder *holder, struct guard *guard);

/* A call of a function that several queries share. */
struct frames_begin {
	uint64_t address;
	unsigned int query; /* its number in the plan, from 1 on; 0 if it is not certain */
	const struct holder *caller;
	bool has_vtable; /* in a register, which names the query */
	uint8_t vtable;
	uint64_t runner; /* address of the function that runs queries which the call is in, if it has the vtable */
	int32_t frame;	 /* where the end's rsp lies, bytes from that at the call */
};

/* Finds all calls of `holder`, a function with the one guard `guard`. Sets the guard's refusal if one names no query.
 */
int frames_find_begins(const struct guard_survey *survey, const struct holder *holder, struct guard *guard,
		       struct frames_begin begins[FRAMES_CALLERS], size_t *count);

#endif
