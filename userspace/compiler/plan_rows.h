/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Adding rows to a plan that is being made. All return 0 or -ENOMEM. */
#ifndef QUERYTAP_COMPILER_PLAN_ROWS_H
#define QUERYTAP_COMPILER_PLAN_ROWS_H

#include "compiler/compiler.h"
#include "compiler/elf.h"

/* Makes room for one more of `count` items of `size` bytes; the array is lost (NULL) if there is none. */
int rows_grow(void **items, size_t count, size_t size);

/* Whether a probe may sit at `address`. */
bool rows_may_probe(const struct image *image, uint64_t address, enum site_kind kind);

/* A site that may not be probed is left out. */
int rows_add_site(const struct image *image, struct plan *plan, uint64_t address, struct site site);

/* Adds a call, by the address of its last byte. */
int rows_add_call(const struct image *image, struct plan *plan, uint64_t address, unsigned int number);

int rows_add_caller(struct plan *plan, struct plan_caller row);

int rows_add_omission(struct plan *plan, const char *label, const char *refusal);

/* Adds an activity behind the others. */
int rows_append_activity(struct plan *plan, const char *label);

/* *index is that of the activity with the label, which may be there already. */
int rows_add_activity(struct plan *plan, const char *label, size_t *index);

#endif
