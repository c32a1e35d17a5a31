/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * MIR passes. rustc decides outside of a pass's guard whether it profiles itself, and otherwise runs the pass without
 * one. That call stands between two jumps, too, which are run once a pass, and the pass is known by its vtable.
 */
#ifndef QUERYTAP_COMPILER_PASS_H
#define QUERYTAP_COMPILER_PASS_H

#include "compiler/guard.h"
#include "compiler/plan_rows.h"

/* The functions name() and run_pass() of passes. */
struct pass_functions {
	struct pass_function {
		uint64_t address;
		const char *symbol;
	} * names, *runs;
	size_t name_count, run_count;
};

/* Notes one of these functions. Returns 0 or -ENOMEM. */
int pass_note_function(struct pass_functions *functions, const struct image_symbol *symbol,
		       const struct recognised *what);

/*
 * Adds the passes whose vtables name such functions, with their labels and bodies; those whose label is not known
 * become omissions. Returns 0 or -ENOMEM.
 */
int pass_survey(const struct image *image, struct pass_functions *functions, struct plan *plan);

void pass_free(struct pass_functions *functions);

/* Makes *out the guard of the passes that are otherwise timed by the guard that the call at `index` belongs to. */
bool pass_find_guard(const struct guarded *function, size_t index, struct guard *out);

#endif
