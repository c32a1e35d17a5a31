/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a MIR pass's name() returns, found out by running it: these functions do no more than to pick a string, at most
 * by a byte of the pass.
 */
#ifndef QUERYTAP_COMPILER_PASS_NAME_H
#define QUERYTAP_COMPILER_PASS_NAME_H

#include <stdbool.h>

#include "compiler/elf.h"

enum { PASS_NAME = 80, PASS_TABLES = 4 };

struct pass_name {
	char text[PASS_NAME];
	bool selects;		      /* a byte of the pass was read */
	uint32_t selector;	      /* its offset in the pass */
	uint64_t tables[PASS_TABLES]; /* addresses of the tables that were indexed */
	size_t table_count;
};

/*
 * Runs the function at `address` on a pass whose bytes are all `byte`; or, if `self` is not 0, on the one at that
 * address in the image. Returns false if it does anything else than to pick a string.
 */
bool pass_name_run(const struct image *image, uint64_t address, uint8_t byte, uint64_t self, struct pass_name *out);

#endif
