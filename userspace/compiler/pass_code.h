/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Passes that no table in the image lists: functions put them on the stack, each next to its vtable. */
#ifndef QUERYTAP_COMPILER_PASS_CODE_H
#define QUERYTAP_COMPILER_PASS_CODE_H

#include <stdbool.h>

#include "compiler/elf.h"

/*
 * Calls `visit` with the address of each pass that rustc_mir_transform's functions put next to `vtable`; with 0 where
 * it is not known. Stops when that returns false.
 */
void pass_code_each(const struct image *image, uint64_t vtable, bool (*visit)(uint64_t pass, void *context),
		    void *context);

#endif
