/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What time queries and threads were on the CPU, and why not the rest: profiles and the absences beside them, summed.
 */
#ifndef QUERYTAP_ANALYSIS_OFF_CPU_H
#define QUERYTAP_ANALYSIS_OFF_CPU_H

#include "analysis/analysis.h"
#include "samples/samples.h"
#include "util/intern.h"

/* A label. What lies within an absence is self of the innermost that the thread was in, and total of all, each once. */
struct off_cpu_row {
	const char *label;
	uint64_t self_ns, total_ns, invocations;			/* as in struct summary_row */
	uint64_t self_off[SAMPLES_REASONS], total_off[SAMPLES_REASONS]; /* nanoseconds */
};

struct off_cpu_thread {
	const struct samples_thread *thread;
	const struct samples_times *times;
};

struct off_cpu {
	struct off_cpu_row *rows;
	size_t row_count;
	uint64_t outside[SAMPLES_REASONS]; /* of absences in no row, nanoseconds */
	struct off_cpu_thread *threads;
	size_t thread_count;
	uint64_t lost;		      /* absences that are not known */
	size_t row_room, thread_room; /* private, as the next */
	struct intern labels;
};

/* Whose absences are meant: of a process, and not from before or after. Times in nanoseconds since 1970. */
struct off_cpu_scope {
	uint32_t pid;
	uint64_t from, to;
};

/* Whether what the thread with this index did at a time of the samples is meant. */
bool off_cpu_in_scope(const struct samples *samples, uint32_t thread, uint64_t time, const struct off_cpu_scope *scope);

/* Adds the times of a profile. Returns 0 or -ENOMEM. *sums is zeroed before the first; free it with off_cpu_free. */
int off_cpu_add_profile(struct off_cpu *sums, const struct summary *summary, struct error *err);

/* Adds absences. Borrows the samples until off_cpu_free. Returns 0 or -ENOMEM. */
int off_cpu_add_absences(struct off_cpu *sums, const struct samples *samples, const struct off_cpu_scope *scope,
			 struct error *err);

/* Sorts the rows by falling self time, then by label, and the threads by falling time, then by their ids. */
void off_cpu_sort(struct off_cpu *sums);

/* Parts of what is off the CPU. */
uint64_t off_cpu_all(const uint64_t off[SAMPLES_REASONS]);
uint64_t off_cpu_asleep(const uint64_t off[SAMPLES_REASONS]);
uint64_t off_cpu_preempted(const uint64_t off[SAMPLES_REASONS]);
uint64_t off_cpu_blocked(const uint64_t off[SAMPLES_REASONS]); /* all else */

/* What is left of `time` for the CPU. At least 0: times have the cost of probes taken out, absences have not. */
uint64_t off_cpu_rest(uint64_t time, const uint64_t off[SAMPLES_REASONS]);

/* Frees what the sums hold, not the struct. */
void off_cpu_free(struct off_cpu *sums);

#endif
