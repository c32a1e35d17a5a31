/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What this kernel and these privileges allow. */
#ifndef QUERYTAP_COLLECT_FEATURES_H
#define QUERYTAP_COLLECT_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

/* One thing that querytap needs or can use. */
struct feature {
	const char *name; /* static */
	bool present;
	bool required;
	const char *without; /* what is missing without it; static */
};

enum { FEATURE_COUNT = 8 };

/* Looks for each feature by trying it, not by the kernel's version. */
void features_find(struct feature features[FEATURE_COUNT]);

/*
 * Whether the kernel has a type, function or variable of this name (at most 60 bytes), going by the strings of its BTF:
 * libbpf takes 25 ms to read all of it.
 */
bool kernel_has_type(const char *name);

#endif
