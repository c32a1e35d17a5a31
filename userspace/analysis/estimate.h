/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What queries and activities took that a profile has no times of, by the samples that were taken beside it. */
#ifndef QUERYTAP_ANALYSIS_ESTIMATE_H
#define QUERYTAP_ANALYSIS_ESTIMATE_H

#include "analysis/analysis.h"
#include "samples/samples.h"

struct estimate_labels {
	const char *const *labels;
	size_t count;
};

/* What a profile says besides its events. Borrows everything. */
struct estimate_profile {
	const struct summary *summary; /* as measured, of nanoseconds */
	uint32_t pid;
	uint64_t start_ns, end_ns;	/* when the process was profiled, nanoseconds since 1970 */
	struct estimate_labels untimed; /* left untimed from the start */
	struct estimate_labels let_go;	/* timed at first */
};

/* Where time that is estimated was found. */
struct estimate_source {
	const char *label; /* in whose self time it was measured; NULL: in none's, so nothing but samples tells of it */
	uint64_t self_ns;
};

/* A label whose self time is estimated: it was not timed, or not all of it was, or what it called was not. */
struct estimate {
	const char *label;
	bool measured;			 /* the summary has a row for it */
	uint64_t self_ns;		 /* all of it, with what was measured */
	uint64_t low_ns, high_ns;	 /* the 95 % confidence interval */
	double share;			 /* as in struct summary_row */
	uint64_t samples;		 /* in which it is the innermost one */
	struct estimate_source *sources; /* those with most first */
	size_t source_count;
};

/* Texts are borrowed from the samples and the summary. */
struct estimates {
	struct estimate *rows; /* by falling self time, then by label */
	size_t row_count;
	uint64_t samples; /* of the profile's process, without those in probes */
};

/*
 * Estimates what was not timed. Its time was measured as self time of the innermost item around it that was timed: of
 * that it gets as much as it has of the samples, and the other loses it, so that the sum stays. Samples in nothing that
 * was timed stand for the time between two samples each. Of what was timed at first it is the samples beyond the
 * measured time. Times of waiting, where the samples tell of them, stay with the item that was timed. There are no rows
 * if no sample of the process is in anything untimed. Fails with -ENOMEM.
 */
int estimate_untimed(const struct estimate_profile *profile, const struct samples *samples, struct estimates *out,
		     struct error *err);

/* The row of a label, or NULL. */
const struct estimate *estimates_find(const struct estimates *estimates, const char *label);

/*
 * Puts the estimated self times into the summary that they were estimated from: into its rows, and into new ones, which
 * have nothing else, behind them. Fails with -ENOMEM.
 */
int estimates_apply(const struct estimates *estimates, struct summary *summary, struct error *err);

/* Frees what it holds, not the struct. Accepts one that is zeroed. */
void estimates_free(struct estimates *estimates);

#endif
