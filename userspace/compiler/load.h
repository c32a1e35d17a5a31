/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Of which query the results are that are loaded from an earlier build. Mostly the function that loads them is in one
 * query's vtable. One that is in several is called through those: for which query it is, only its caller knows, a
 * function that runs queries, which keeps the vtable on its stack or in a register that the functions it calls leave as
 * they were, or save on theirs.
 */
#ifndef QUERYTAP_COMPILER_LOAD_H
#define QUERYTAP_COMPILER_LOAD_H

#include "compiler/frames.h"

/*
 * Writes the cookie of the begin of `guard`, a load's in `holder`, but for the guard's number. Notes in the plan for
 * which queries' loads that names the query, and where callers have the vtables. Returns 0 or -ENOMEM.
 */
int load_cookie(struct guard_survey *survey, const struct holder *holder, const struct guard *guard, struct plan *plan,
		uint64_t *cookie);

/* The same for a load in a function that several queries' own functions call, at one of those calls. */
int load_cookie_at_call(struct guard_survey *survey, const struct frames_begin *begin, struct plan *plan,
			uint64_t *cookie);

#endif
