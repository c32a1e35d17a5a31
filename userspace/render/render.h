/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Results to text and JSON. The functions write to a stream that the caller opened, and whose errors the caller asks
 * for; they fail only when out of memory.
 */
#ifndef QUERYTAP_RENDER_RENDER_H
#define QUERYTAP_RENDER_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/analysis.h"
#include "util/error.h"

/* Which of a summary's rows to show: those of at least `percent_above` percent, and at most `limit` (0: all). */
struct summary_filter {
	double percent_above;
	size_t limit;
};

/* The summary as the table that measureme's `summarize` prints: columns for rare things only if there are any. */
int render_summary_text(const struct summary *summary, const struct summary_filter *filter, FILE *out,
			struct error *err);

/* The summary as one line of JSON, in the structure of measureme's `summarize --json`. */
int render_summary_json(const struct summary *summary, const struct summary_filter *filter, FILE *out,
			struct error *err);

/* Longest text of render_duration, with its NUL. */
#define RENDER_DURATION_SIZE 32

/*
 * Nanoseconds in the largest fitting unit, as Rust's Debug for Duration: "1.50ms" with 2 decimals, rounded half to
 * even; as many as needed ("1.5ms") with decimals < 0. At most 9 decimals.
 */
void render_duration(char text[RENDER_DURATION_SIZE], uint64_t ns, int decimals);

#endif
