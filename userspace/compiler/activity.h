/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Finds all guards of a compiler that are not those of queries' providers, and adds them to its plan. */
#ifndef QUERYTAP_COMPILER_ACTIVITY_H
#define QUERYTAP_COMPILER_ACTIVITY_H

#include "compiler/plan_rows.h"
#include "compiler/survey.h"

/* Notes a function that guards call. Returns 0 or -ENOMEM. */
int activity_note_callee(struct guard_callees *callees, const struct image_symbol *symbol,
			 const struct recognised *what);

/*
 * Adds the guards that call the survey's callees, which are sorted on the way. What cannot be timed becomes an
 * omission. `plan` is the survey's. Returns 0 or -ENOMEM.
 */
int activity_survey(struct guard_survey *survey, struct plan *plan);

/* Adds omissions for the kinds of events of which none has a place, as nothing among `callees` starts their timers. */
int activity_add_missing(const struct guard_callees *callees, struct plan *plan);

#endif
