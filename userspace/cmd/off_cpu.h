/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: summarize --off-cpu. */
#ifndef QUERYTAP_CMD_OFF_CPU_H
#define QUERYTAP_CMD_OFF_CPU_H

#include <stdbool.h>

#include "util/error.h"

struct off_cpu_settings {
	unsigned long limit; /* items; 0 for all */
	bool threads;	     /* instead of items */
	bool json;
	const char *output; /* NULL for standard output */
};

/* Shows what the items, or threads, of a profile or of a folder's profiles were on and off the CPU. */
int off_cpu_show(const struct off_cpu_settings *settings, const char *path, struct error *err);

#endif
