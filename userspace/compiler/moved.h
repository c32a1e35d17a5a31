/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Guards that outlive their function: it leaves them in the frame of the one that called it, which ends them. */
#ifndef QUERYTAP_COMPILER_MOVED_H
#define QUERYTAP_COMPILER_MOVED_H

#include "compiler/guard.h"

/*
 * Whether the verbose guard that the call at `index` makes at `offset` of the entry's rsp is moved to where a register
 * points that holds the same at the call and behind it. Sets *reg to that register.
 */
bool moved_find(const struct values *values, size_t index, int64_t offset, uint8_t *reg);

/*
 * Adds to the guard's exits all calls in a function that drop a verbose guard: at run time their first argument says
 * whether it is this one. Returns why there are none that can be used, or NULL.
 */
const char *moved_find_ends(const struct flow *flow, const struct guard_callees *callees, struct guard *guard);

#endif
