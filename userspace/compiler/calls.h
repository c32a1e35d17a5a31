/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* All calls of the functions that guards call, in the whole compiler, and the functions that they are in. */
#ifndef QUERYTAP_COMPILER_CALLS_H
#define QUERYTAP_COMPILER_CALLS_H

#include "compiler/guard.h"

enum { HOLDER_RANGES = 16 };

/* A function with such calls in it, and its fragments. */
struct holder {
	const char *symbol; /* of one of its fragments */
	size_t base_length;
	uint64_t hash;
	struct code_range ranges[HOLDER_RANGES]; /* the first is its entry's, if that is known */
	size_t range_count;
	bool has_entry;
};

struct guard_call {
	uint64_t address, target;
	size_t holder;
	enum guard_callee callee;
};

struct guard_calls {
	struct holder *holders;
	size_t holder_count;
	struct guard_call *calls; /* by holder and address */
	size_t call_count;
};

/* Fills *out, which is owned by the caller (calls_free), also on failure. Returns 0 or -ENOMEM. */
int calls_find(const struct image *image, const struct guard_callees *callees, struct guard_calls *out);
void calls_free(struct guard_calls *calls);

#endif
