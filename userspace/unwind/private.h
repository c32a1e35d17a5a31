/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the files of unwind/ share. */
#ifndef QUERYTAP_UNWIND_PRIVATE_H
#define QUERYTAP_UNWIND_PRIVATE_H

#include "compiler/elf.h"
#include "unwind/unwind.h"

/* unwind_table_make for an object that is open; `path` is for sentences. */
int unwind_table_of(struct image *image, const char *path, struct unwind_table *out, struct error *err);

#endif
