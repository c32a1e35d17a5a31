/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From profiles to results. Pure functions: they read a profile, allocate a result and touch nothing else. */
#ifndef QUERYTAP_ANALYSIS_ANALYSIS_H
#define QUERYTAP_ANALYSIS_ANALYSIS_H

#include <stddef.h>
#include <stdint.h>

#include "mmprofdata/mmprofdata.h"
#include "util/error.h"

/* What a profile says of one label: a query, or an activity of the compiler. All times in nanoseconds. */
struct summary_row {
	char *label;
	uint64_t self_ns;      /* time within its events but not within events inside of them */
	uint64_t total_ns;     /* sum of its events' durations; counts recursion as often as it recurs */
	uint64_t blocked_ns;   /* waiting for another thread's result */
	uint64_t load_ns;      /* loading results of an earlier incremental build */
	uint64_t hashing_ns;   /* hashing results for the next incremental build */
	uint64_t invocations;  /* events that did work: no cache hits, no loads, no hashing */
	uint64_t cache_misses; /* those of them that are queries or generic activities */
	uint64_t cache_hits;
	double share; /* self_ns in percent of the summary's cpu_ns; 0 if that is 0 */
};

struct summary_artifact {
	char *label;
	uint64_t bytes;
};

/* The rows, by falling self time, then by label; the artifacts by label. Freed with summary_free. */
struct summary {
	struct summary_row *rows;
	size_t row_count;
	struct summary_artifact *artifacts;
	size_t artifact_count;
	uint64_t
	    cpu_ns; /* sum over the threads of the time from their first interval's start to their last one's end */
};

/*
 * Sums a profile up by label, with the numbers of measureme's `summarize`. Where events of one thread overlap without
 * nesting, the self time of what contains them both can't be told and is at least 0.
 * Fails with -EINVAL on damaged strings, with -ENOMEM, or with -E2BIG if the labels need more than 256 MiB.
 */
int summarize_profile(const struct mmp_reader *profile, struct summary *summary, struct error *err);

/* Frees what the summary holds, not the struct. Accepts one that is zeroed. */
void summary_free(struct summary *summary);

#endif
