/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The code that runs between the begin and the end of activities, by which samples tell these. */
#ifndef QUERYTAP_COMPILER_SPANS_H
#define QUERYTAP_COMPILER_SPANS_H

#include "compiler/compiler.h"
#include "compiler/timer.h"

/* The live code of all guards. What guards have in common is in it several times. */
struct spans {
	struct span_found {
		uint64_t offset, end; /* in the file, bytes */
		uint64_t within;      /* bytes of all code of its guard */
		uint16_t number;
	} * items; /* free with free() */
	size_t count;
};

/*
 * As timer_find_exits, whose life->live need not be given. For activities, adds the code that runs while the timer
 * lives to out->live, less what is run without the guard's begin as well.
 */
const char *spans_find(struct timer_life *life, struct guard *out);

/* Adds a guard's live code under the activity's number. Returns 0 or -ENOMEM. */
int spans_add(struct spans *spans, const struct image *image, const struct guard *guard, unsigned int number);

/*
 * Fills the plan's spans: code that several guards have in common is cut out, and then has several rows, that of the
 * guard with the most code first. Sorts `spans`. Returns 0 or -ENOMEM.
 */
int spans_to_plan(struct spans *spans, struct plan *plan);

#endif
