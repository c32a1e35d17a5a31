/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Functions that belong to more than one query. The linker and BOLT make equal functions one, and then a function's
 * symbol names only one of the queries that it is for; but the code that fills the queries' vtables tells.
 */
#ifndef QUERYTAP_COMPILER_SHARED_H
#define QUERYTAP_COMPILER_SHARED_H

#include <stdbool.h>

#include "compiler/flow.h"

/* Addresses, rising. Zero it before use; free with shared_free. */
struct shared {
	uint64_t *addresses;
	size_t count;
};

/* Adds all functions whose address the function with these fragments stores more than once. 0 or -ENOMEM. */
int shared_find(const struct image *image, const struct code_range *ranges, size_t range_count, struct shared *out);
bool shared_has(const struct shared *shared, uint64_t address);
void shared_free(struct shared *shared);

#endif
