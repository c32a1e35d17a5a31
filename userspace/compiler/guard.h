/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The self-profiler's guards in a function. rustc times a piece of its own work between a test of the profiler's
 * filter, behind which a cold function starts a timer, and the end of that timer's life: a call that drops it, or a
 * test whether there is one. Both are run whether or not rustc profiles itself.
 */
#ifndef QUERYTAP_COMPILER_GUARD_H
#define QUERYTAP_COMPILER_GUARD_H

#include "compiler/recognise.h"
#include "compiler/values.h"

enum { GUARD_EXITS = 8, GUARD_LABEL = 96 };

/* What guards call, by address. */
struct guard_callees {
	struct guard_function {
		uint64_t address;
		enum guard_callee callee;
	} * items; /* by rising address */
	size_t count, room;
	int64_t verbose_timer; /* the timer's offset in a verbose guard */
};

struct guard {
	enum guard_callee callee;
	uint64_t call; /* of the function that starts the timer */
	uint64_t entry;
	uint64_t exits[GUARD_EXITS];
	size_t exit_count;
	char label[GUARD_LABEL]; /* empty if it is not a constant */
	bool has_argument;
	int32_t argument;    /* its string's pointer and length, bytes from rsp at the entry */
	const char *refusal; /* why it cannot be timed; NULL if it can */
};

/* Which of `callees` starts at `address`. */
enum guard_callee guard_callee_at(const struct guard_callees *callees, uint64_t address);

/* Finds the guard whose timer is started by the call at `index` of a followed function. */
void guard_find(const struct image *image, const struct values *values, const struct guard_callees *callees,
		size_t index, struct guard *out);

#endif
