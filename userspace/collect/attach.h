/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Uprobes on many places of one file. Private to collect/. */
#ifndef QUERYTAP_COLLECT_ATTACH_H
#define QUERYTAP_COLLECT_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* Places of one file that a program is attached to. File descriptors; detached by attachment_close. */
struct attachment {
	int *fds;
	size_t count;
};

/*
 * Attaches the loaded program to `count` offsets of `path`. With `multi` one link takes all of them at once. Returns 0,
 * or a negative errno with nothing attached.
 */
int attachment_open(int program, bool multi, const char *path, const uint64_t *offsets, const uint64_t *cookies,
		    size_t count, struct attachment *out, struct error *err);
void attachment_close(struct attachment *attachment);

#endif
