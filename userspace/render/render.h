/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Results to text, JSON and HTML. The functions write to a stream that the caller opened, and whose errors the caller
 * asks for; they fail only when out of memory.
 */
#ifndef QUERYTAP_RENDER_RENDER_H
#define QUERYTAP_RENDER_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/analysis.h"
#include "analysis/estimate.h"
#include "analysis/sampling.h"
#include "samples/samples.h"
#include "analysis/off_cpu.h"
#include "util/error.h"

/* Which of a summary's rows to show: those of at least `percent_above` percent, and at most `limit` (0: all). */
struct summary_filter {
	double percent_above;
	size_t limit;
	bool hits;			   /* show the shares of hits too, which measureme's tool does not know */
	const struct estimates *estimates; /* of what was not timed; NULL or without rows if there are none */
};

/*
 * The summary as the table that measureme's `summarize` prints: columns for rare things only if there are any. The
 * estimates have to be in the summary (estimates_apply); they are marked.
 */
int render_summary_text(const struct summary *summary, const struct summary_filter *filter, FILE *out,
			struct error *err);

/*
 * The summary as one line of JSON, in the structure of measureme's `summarize --json`. The summary is the one that was
 * measured; estimates are an array of their own.
 */
int render_summary_json(const struct summary *summary, const struct summary_filter *filter, FILE *out,
			struct error *err);

/*
 * How much of each thread's time lies in events, with a total: as a table, and as one line of JSON: "threads", an array
 * of objects with "thread", "start", "end", "span", "self_time", "hole" and "hole_percent", and "total", another
 * without "thread". Amounts are nanoseconds, or of the "unit" or "counter" that is given.
 */
int render_threads_text(const struct thread_list *list, FILE *out, struct error *err);
int render_threads_json(const struct thread_list *list, FILE *out, struct error *err);

/*
 * What items and threads were on and off the CPU: as tables, and as one line of JSON each, with times in nanoseconds
 * and every reason by its name. Items: "items", an array of objects with "label", "invocation_count", "self_time" with
 * its parts "self_on_cpu" and "self_off_cpu", and "time" with "off_cpu"; "outside", reasons again; "lost", a number.
 * Threads: "threads", an array of objects with "pid", "tid", "process", "name", "start", "time" with its parts "on_cpu"
 * and "off_cpu", and "scheduler_run_time"; "lost". At most `limit` items (0: all).
 */
int render_off_cpu_text(const struct off_cpu *sums, size_t limit, FILE *out, struct error *err);
int render_off_cpu_json(const struct off_cpu *sums, size_t limit, FILE *out, struct error *err);
int render_off_cpu_threads_text(const struct off_cpu *sums, FILE *out, struct error *err);
int render_off_cpu_threads_json(const struct off_cpu *sums, FILE *out, struct error *err);

/* Which rows of a diff to show: those whose label contains none of the `excluded`, and at most `limit` (0: all). */
struct diff_filter {
	const char *const *excluded;
	size_t excluded_count;
	size_t limit;
};

/* The differences as the table that measureme's `summarize diff` prints, and as one line of JSON in its structure. */
int render_diff_text(const struct diff *diff, const struct diff_filter *filter, FILE *out, struct error *err);
int render_diff_json(const struct diff *diff, const struct diff_filter *filter, FILE *out, struct error *err);

/* The aggregate as measureme's `summarize aggregate` prints it. */
void render_aggregate(const struct aggregate *aggregate, FILE *out);

/*
 * The rows in their order as lines "label,count,seconds": the form of profile_queries.counts.txt, which rustc's
 * -Zprofile-queries wrote; what another counter than wall time counted stands in place of the seconds. The count is
 * that of invocations or, with hits, of all times that a result was asked for.
 */
void render_counts(const struct summary *summary, bool hits, FILE *out);

/*
 * The trace as a page: one file that works without a network, boxes in boxes that open when asked. `profile` is what
 * the trace was built from. Fails with -EINVAL on damaged strings, too.
 */
int render_trace_html(const struct trace *trace, const struct mmp_reader *profile, FILE *out, struct error *err);

/* ---- Traces ---- */

/* What of a profile goes into a trace. */
struct trace_options {
	bool collapse_threads; /* give threads that are not there at once one number */
	uint64_t minimum_us;   /* leave out shorter events, in microseconds */
};

/*
 * A trace in JSON for Chrome and Perfetto, with the values that measureme's crox writes, made of any number of
 * profiles. trace_open borrows the stream until trace_close, which accepts NULL and ends the trace whether or not
 * trace_add failed. trace_add fails with -EINVAL on damaged strings, or with -ENOMEM.
 */
struct trace_writer;
int trace_open(FILE *out, struct trace_writer **writer, struct error *err);
int trace_add(struct trace_writer *writer, const struct mmp_reader *profile, const struct trace_options *options,
	      struct error *err);
void trace_close(struct trace_writer *writer);

/*
 * Adds the absences of the profile's process: an event for each, named by its reason, in a thread of its own beside the
 * one that was away, with times by the clock of that one's events. To be called behind trace_add of the profile.
 */
int trace_add_absences(struct trace_writer *writer, const struct mmp_reader *profile, const struct samples *samples,
		       const struct off_cpu_scope *scope, const struct trace_options *options, struct error *err);

/* Adds the processes of a build that are no compilers: an event for each, in a process of its own. */
void trace_add_processes(struct trace_writer *writer, const struct recorded_build *recorded,
			 const struct trace_options *options);

/*
 * Every event of the profile as text, or those of one thread; `thread` may be NULL. *shown is false if no event has a
 * time, and then nothing is written. Fails with -EINVAL on damaged strings, or with -ENOMEM.
 */
int render_view(const struct mmp_reader *profile, const uint32_t *thread, bool *shown, FILE *out, struct error *err);

/* A line for each stack, sorted bytewise: its labels joined by semicolons, a space and its self time in nanoseconds. */
int render_fold(const struct fold *fold, FILE *out, struct error *err);

/*
 * A line for each stack that something was counted in, without the root: its labels joined by semicolons, a space and
 * the count. For stacks of any depth, which are written as they come.
 */
int render_fold_counts(const struct fold *fold, FILE *out, struct error *err);

/*
 * The stacks as a flame graph: an SVG that zooms, searches and needs nothing else. `title` stands above it. Stacks too
 * narrow to be seen are left out and counted.
 */
int render_flamegraph(const struct fold *fold, const char *title, FILE *out, struct error *err);

/* What of a table of samples to show: at most `limit` items (0: all), and so many functions of each. */
struct sampling_filter {
	size_t limit;
	size_t functions;
};

/* The table as text, with the functions of the first items behind it; and as one line of JSON (docs/samples.md). */
int render_sampling_text(const struct samples *samples, const struct sampling *sampling,
			 const struct sampling_filter *filter, FILE *out, struct error *err);
int render_sampling_json(const struct samples *samples, const struct sampling *sampling,
			 const struct sampling_filter *filter, FILE *out, struct error *err);

/*
 * The coverage as tables: a row for each kind of event, and one for each label that is not covered, with the reason.
 * Fails with -ENOMEM.
 */
int render_coverage_text(const struct coverage *coverage, FILE *out, struct error *err);

/* Longest text of render_duration, with its NUL. */
#define RENDER_DURATION_SIZE 32

/*
 * An amount of `unit` (see profile_unit): with NULL, nanoseconds as render_duration prints them; otherwise the number
 * alone, since the unit is in the titles.
 */
void render_amount(char text[RENDER_DURATION_SIZE], uint64_t amount, const char *unit, int decimals);

/*
 * Nanoseconds in the largest fitting unit, as Rust's Debug for Duration: "1.50ms" with 2 decimals, rounded half to
 * even; as many as needed ("1.5ms") with decimals < 0. At most 9 decimals.
 */
void render_duration(char text[RENDER_DURATION_SIZE], uint64_t ns, int decimals);

/* How the runs of a comparison are called: as many as it has. Borrowed. */
struct comparison_names {
	const char *const *base;
	const char *const *change;
	bool are_folders; /* false: the comparison has one crate, which is nameless */
};

/* The comparison as one line of JSON (docs/pages.md), and as a page that contains it. Fail with -ENOMEM. */
int render_comparison_json(const struct comparison *comparison, const struct comparison_names *names, FILE *out,
			   struct error *err);
int render_comparison_page(const struct comparison *comparison, const struct comparison_names *names, FILE *out,
			   struct error *err);

/* What the report shows of a process beside its place in the build. Borrows everything. */
struct report_process {
	const char *crate;
	uint32_t process_id;
	const char *command;
	const struct summary *summary;
	const struct stacks *stacks;
	const char *file; /* its profile's name */
};

/* A whole build. Borrows everything; `processes` are in the order of build->processes. */
struct report {
	const char *name;
	const struct build *build;
	const struct report_process *processes;
	double prune;			       /* what stacks_merge was given */
	const struct recorded_build *recorded; /* all processes; NULL if they are not known */
};

/* The report as one line of JSON (docs/pages.md), and as a page that contains it. Fail with -ENOMEM. */
int render_report_json(const struct report *report, FILE *out, struct error *err);
int render_report_page(const struct report *report, FILE *out, struct error *err);

/* ---- Samples for other tools ---- */

/*
 * The samples as pprof reads them: its profile.proto, compressed with gzip. Those of one thread in one stack are one
 * there, with their number and the processor's time that they stand for. Fails with -ENOMEM.
 */
int render_pprof(const struct samples *samples, FILE *out, struct error *err);

/*
 * A profile of the Firefox Profiler, made of samples and of any number of profiles of the same recording, whose events
 * become markers. firefox_open borrows the samples until firefox_free, which accepts NULL. firefox_add reads a profile
 * of wall time: its events of at least so many microseconds; `crate` is what its process is called. It fails with
 * -EINVAL on damaged strings, and all of them with -ENOMEM.
 */
struct firefox;
int firefox_open(const struct samples *samples, struct firefox **firefox, struct error *err);
int firefox_add(struct firefox *firefox, const struct mmp_reader *profile, const char *crate, uint64_t minimum_us,
		struct error *err);
/* Writes it as JSON, which with `compressed` goes through gzip. */
int firefox_write(struct firefox *firefox, bool compressed, FILE *out, struct error *err);
void firefox_free(struct firefox *firefox);

#endif
