/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* How the stacks of an ELF object's functions are unwound: tables made of its call frame information. */
#ifndef QUERYTAP_UNWIND_UNWIND_H
#define QUERYTAP_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/identity.h"

/* A table as bpf/table.h describes it. Free it with unwind_table_free. */
struct unwind_table {
	uint64_t *words;
	size_t count;	  /* words */
	size_t functions; /* stretches of code that it is about */
	size_t left_out;  /* of these, malformed ones: nothing is known of their code */
	bool from_cache;
};

/*
 * Makes the table of the x86-64 ELF object `path`; some 0.2 s for a compiler. *out is filled on success only. -ENOEXEC
 * if it is no such object, -ENODATA if it has no call frame information (.eh_frame), -EBADMSG if nothing of that can be
 * read.
 */
int unwind_table_make(const char *path, struct unwind_table *out, struct error *err);

/*
 * The same from the folder `cache` (NULL for none), or made and put there, owned by `owner`. A small table is made as
 * fast as it is read, and not kept. A cached one that is damaged, of another format, or made of other call frame
 * information is made anew. A cache that cannot be written is no error.
 */
int unwind_table_get(const char *path, const char *cache, const struct identity *owner, struct unwind_table *out,
		     struct error *err);

/* Frees what the table owns and zeroes it. */
void unwind_table_free(struct unwind_table *table);

/* The rule (bpf/table.h) for a file offset in the object; 0 where the table says nothing. */
uint64_t unwind_table_rule(const struct unwind_table *table, uint64_t offset);

#endif
