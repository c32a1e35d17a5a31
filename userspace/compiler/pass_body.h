/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The code by which MIR passes are told from a stack: what the call of a pass goes to, which is its type's run_pass(),
 * or a function to which that leaves its own frame by a jump.
 */
#ifndef QUERYTAP_COMPILER_PASS_BODY_H
#define QUERYTAP_COMPILER_PASS_BODY_H

#include "compiler/compiler.h"
#include "compiler/elf.h"

enum { PASS_RUN_SLOT = 0x38 /* of run_pass() in a pass's vtable, bytes */ };

/*
 * Adds the bodies of the plan's passes. Left out are those of types that stand for several labels, and functions that
 * types of several labels have in common, or have with one of `others`: the addresses of the run_pass() of passes that
 * are not in the plan. Returns 0 or -ENOMEM.
 */
int pass_add_bodies(const struct image *image, const uint64_t *others, size_t other_count, struct plan *plan);

#endif
