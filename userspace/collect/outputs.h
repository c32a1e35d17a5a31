/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* How the files are called that a rustc command line links. Private to collect/. */
#ifndef QUERYTAP_COLLECT_OUTPUTS_H
#define QUERYTAP_COLLECT_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>

/* A part of the command line; `text` is NULL if it is not there. */
struct output_name {
	const char *text;
	size_t length;
};

struct outputs {
	bool links;		   /* anything at all */
	struct output_name link;   /* --emit=link=FILE, without directories */
	struct output_name output; /* -o FILE, likewise */
	bool adapted;		   /* -o FILE only gives the stem of several names */
	char crate[128];	   /* as crate_name() has it */
	struct output_name extra;  /* -C extra-filename */
};

/* Reads a command line, NUL-separated as in /proc/PID/cmdline; borrows it. */
void outputs_read(const char *args, size_t length, struct outputs *outputs);

/*
 * Whether a file of this name, without directories, is one that is linked. Whatever the type of the crate: that may be
 * said in the source. So may the crate's name; `is_stem` tells whether a text is that of other outputs.
 */
bool outputs_link(const struct outputs *outputs, const char *name,
		  bool (*is_stem)(const void *context, const char *stem, size_t length), const void *context);

#endif
