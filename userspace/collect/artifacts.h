/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The artifacts that rustc measures, told from the files that it writes. Private to collect/. */
#ifndef QUERYTAP_COLLECT_ARTIFACTS_H
#define QUERYTAP_COLLECT_ARTIFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* The files that one compiling process and what it started have written. */
struct artifacts;

struct artifact {
	const char *label, *argument; /* as rustc's self-profiler has them; borrowed */
	uint64_t size;		      /* bytes */
	uint32_t thread;	      /* that wrote it */
};

/* NULL if out of memory. Free with artifacts_free. */
struct artifacts *artifacts_new(void);
void artifacts_free(struct artifacts *artifacts);

/* Takes note of a file that was written, or renamed. */
void artifacts_note_file(struct artifacts *artifacts, const struct wire_file *record);
void artifacts_note_rename(struct artifacts *artifacts, const struct wire_rename *record);

/* Whether any file was written. */
bool artifacts_noted(const struct artifacts *artifacts);

/*
 * Calls `take` for each file that rustc's self-profiler would have recorded, in the order in which they were first
 * written. `args` is the compiler's command line, NUL-separated. What is linked counts only if the compiler
 * `succeeded`: a linker that fails may leave something behind.
 */
void artifacts_find(const struct artifacts *artifacts, const char *args, size_t args_length, bool succeeded,
		    void (*take)(void *context, const struct artifact *artifact), void *context);

#endif
