/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One line on stderr that says what is going on, for a person at a terminal only. */
#ifndef QUERYTAP_UTIL_PROGRESS_H
#define QUERYTAP_UTIL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool enabled;	  /* stderr is a terminal that can erase a line */
	bool shown;	  /* a line of ours stands there */
	uint64_t next_ns; /* CLOCK_MONOTONIC: no update before */
};

/* Finds out whether stderr is a terminal. Nothing is written to anything else. */
void progress_start(struct progress *progress);

/*
 * Replaces the line, cut to the terminal's width, in one write; at most ten times a second (an update in between is
 * dropped), and only while querytap is in the terminal's foreground. The cursor is left at the line's start, so that
 * what COMMAND writes there goes over our line and not behind it.
 */
void progress_show(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Erases the line if one is shown; to be called before anything else is written to stderr. */
void progress_erase(struct progress *progress);

#endif
