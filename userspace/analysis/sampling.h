/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What samples come to: folded stacks, and how much of the time queries and activities have. */
#ifndef QUERYTAP_ANALYSIS_SAMPLING_H
#define QUERYTAP_ANALYSIS_SAMPLING_H

#include "analysis/analysis.h"
#include "samples/samples.h"

/*
 * Folds the samples: "PROCESS-PID", the thread's name, "[incomplete]" where the walk did not reach the thread's start,
 * the stack, and "[kernel]" where the thread was in the kernel. Queries and activities stand in brackets. If `whole`,
 * the stack is as it was, each of them behind the function that it began in; otherwise come first all of them, and then
 * the functions within the innermost one. What is counted is samples. Fails with -ENOMEM, or
 * with -E2BIG beyond 32 million different stacks of threads.
 */
int samples_fold(const struct samples *samples, bool whole, struct fold *fold, struct error *err);

/* A function that was the innermost one, and in how many samples. */
struct sampled_function {
	const char *name, *object; /* as in struct samples_frame; of no function at all, both are "" */
	uint64_t samples;
};

/* A query or activity, or what is in none. */
struct sampled_row {
	enum samples_frame_kind kind;	    /* SAMPLES_FUNCTION for what is in none */
	const char *label;		    /* "" for what is in none */
	uint64_t self;			    /* samples in which it is the innermost one */
	uint64_t total;			    /* samples in which it is anywhere in the stack */
	uint64_t kernel, faults;	    /* of those of `self`, in the kernel; of these, because of page faults */
	double share;			    /* of `self` in the samples of compilers: 0 to 1 */
	double low, high;		    /* of the share, the 95 % confidence interval (Wilson's) */
	struct sampled_function *functions; /* of the samples of `self`, those with most first */
	size_t function_count;
};

/* Processes of one name that compiled nothing. */
struct sampled_process {
	const char *name;
	uint64_t samples, kernel, faults;
	double share, low, high; /* in all samples */
};

/* Texts are borrowed from the samples. */
struct sampling {
	uint64_t samples;	  /* all */
	uint64_t compiling;	  /* of compilers: processes that were in a query or activity, or have one's name */
	uint64_t sample_ns;	  /* what one stands for, nanoseconds; 0 if it is not known */
	struct sampled_row *rows; /* by `self`, most first */
	size_t row_count;
	struct sampled_row none;
	struct sampled_process *others; /* by `samples`, most first */
	size_t other_count;
};

/* Sums the samples up. They are borrowed until sampling_free. Fails with -ENOMEM. */
int sampling_sum(const struct samples *samples, struct sampling *out, struct error *err);

/* The share of `part` in `whole` samples, and its 95 % confidence interval (Wilson's): 0 to 1 if there are none. */
void sampling_interval(double part, double whole, double *share, double *low, double *high);

/* Frees what it holds, not the struct. Accepts one that is zeroed. */
void sampling_free(struct sampling *sampling);

#endif
