/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Finds all guards of a compiler that are not those of queries' providers, and adds them to its plan. */
#ifndef QUERYTAP_COMPILER_ACTIVITY_H
#define QUERYTAP_COMPILER_ACTIVITY_H

#include "compiler/guard.h"
#include "compiler/plan_rows.h"

/* Notes a function that guards call. Returns 0 or -ENOMEM. */
int activity_note_callee(struct guard_callees *callees, const struct image_symbol *symbol,
			 const struct recognised *what);

/* A function that runs queries, decoded. */
struct activity_runner {
	uint64_t address;
	const struct flow *flow;
};

struct activity_sources {
	const struct activity_runner *runners;
	size_t runner_count;
	int32_t filter_offset; /* of the profiler's filter, from the TyCtxt */
};

/*
 * Adds the guards that call `callees`, which is sorted on the way. What cannot be timed becomes an omission. Returns 0
 * or -ENOMEM.
 */
int activity_survey(const struct image *image, struct guard_callees *callees, const struct activity_sources *sources,
		    struct plan *plan);

#endif
