/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From profiles to results. Pure functions: they read a profile, allocate a result and touch nothing else. */
#ifndef QUERYTAP_ANALYSIS_ANALYSIS_H
#define QUERYTAP_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmprofdata/mmprofdata.h"
#include "util/error.h"

/*
 * What a profile's values count, for printing: NULL for nanoseconds, otherwise the name of another counter's smallest
 * unit ("instructions"), and what is called ns below is a number of those. Borrows the profile.
 */
const char *profile_unit(const struct mmp_reader *profile);

/* The name of a profile's counter: MMP_COUNTER_WALL_TIME if it does not say. Borrows the profile. */
const char *profile_counter(const struct mmp_reader *profile);

/* What a profile says of one label: a query, or an activity of the compiler. All times in nanoseconds. */
struct summary_row {
	char *label;
	uint64_t self_ns;     /* time within its events but not within events inside of them */
	uint64_t total_ns;    /* sum of its events' durations; counts recursion as often as it recurs */
	uint64_t span_ns;     /* the same with recursion counted once: on each thread, the time covered by its events */
	uint64_t blocked_ns;  /* waiting for another thread's result */
	uint64_t load_ns;     /* loading results of an earlier incremental build */
	uint64_t hashing_ns;  /* hashing results for the next incremental build */
	uint64_t invocations; /* events that did work: no cache hits, no loads, no hashing */
	uint64_t cache_misses; /* those of them that are queries or generic activities */
	uint64_t cache_hits;
	uint64_t queries; /* those of the invocations that are queries */
	uint64_t loads;	  /* results loaded from an earlier incremental build */
	double share;	  /* self_ns in percent of the summary's cpu_ns; 0 if that is 0 */
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
	char *unit;    /* see profile_unit */
	char *counter; /* see profile_counter; NULL stands for wall time, too */
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

/* ---- Comparing runs ---- */

/* What a profile of a run holds. Borrows everything. */
struct run_profile {
	const char *crate;
	const struct summary *summary;
};

/* One run of what is compared: a profile, or those of a build. */
struct run {
	const struct run_profile *profiles;
	size_t count;
};

enum verdict {
	VERDICT_SAME,  /* the medians are equal */
	VERDICT_SMALL, /* one run on a side, so noise can't be told: less than COMPARE_LARGE of the whole */
	VERDICT_LARGE, /* the same, but at least that; for counts: any difference */
	VERDICT_NOISE, /* several runs: within their spread */
	VERDICT_REAL,  /* several runs: beyond it */
};

/* The share of the base's self time from which a difference between single runs is called large. */
#define COMPARE_LARGE 0.005

/* How many times both sides' median absolute deviations a difference has to exceed to be called real. */
#define COMPARE_DEVIATIONS 3

/* A figure of both sides: the medians of the runs, what the runs lie between, and what to think of the difference. */
struct compared {
	uint64_t base, base_low, base_high;
	uint64_t change, change_low, change_high;
	uint64_t noise; /* COMPARE_DEVIATIONS times the sum of both sides' median absolute deviations */
	enum verdict verdict;
};

struct comparison_row {
	char *label;
	struct compared self_ns, count; /* count: summary_row.invocations */
};

/* A crate: its rows by falling absolute difference of self time, then by label; and their sums, run by run. */
struct comparison_crate {
	char *name;
	size_t base_runs, change_runs;	       /* how many runs have it; a side with 0 does not have it at all */
	size_t base_profiles, change_profiles; /* the most that one run has of it: they are added up */
	struct comparison_row *rows;
	size_t row_count;
	struct compared self_ns, count;
};

/* Freed with comparison_free. */
struct comparison {
	size_t base_runs, change_runs;
	struct comparison_crate *crates; /* as the rows; those that one side lacks come last */
	size_t crate_count;
	struct comparison_crate all; /* those crates together that every run has; no name */
	size_t all_count;	     /* how many these are */
};

/*
 * Compares the figures of two sides label by label and crate by crate. Profiles of one crate within a run are added up.
 * A crate's figures are taken from the runs that have it; a label that such a run lacks counts as 0 there. With two
 * runs or more on each side a difference of the medians is real if the sides' ranges do not overlap and it exceeds
 * `noise`. Each side needs a run. Fails with -ENOMEM.
 */
int compare_runs(const struct run *base, size_t base_count, const struct run *change, size_t change_count,
		 struct comparison *comparison, struct error *err);

/* Frees what the comparison holds, not the struct. Accepts one that is zeroed. */
void comparison_free(struct comparison *comparison);

/*
 * The probability, in percent, that the ranges of two sides do not overlap though nothing changed: every order of the
 * runs is as likely as any other.
 */
double compare_chance(size_t base_count, size_t change_count);

/* ---- A whole build ---- */

/* A compiler's process. Times in nanoseconds since 1970. Borrows the summary. */
struct build_input {
	uint64_t start_ns, end_ns;
	const struct summary *summary;
};

/* The same in the build, with times since the build's start. */
struct build_process {
	uint64_t start_ns, end_ns;
	size_t lane;
	bool in_chain;
};

/* From `time_ns` on so many processes ran. */
struct build_step {
	uint64_t time_ns;
	size_t running;
};

/* A label's figures over all processes. */
struct build_total {
	const char *label; /* borrows a summary */
	uint64_t self_ns, total_ns, invocations, cache_hits;
	size_t processes; /* in how many it occurs */
	double share;	  /* self_ns in percent of cpu_ns; 0 if that is 0 */
};

/* Freed with build_free. */
struct build {
	uint64_t start_ns;		 /* since 1970: when the first process started */
	uint64_t wall_ns;		 /* until the last one's end */
	uint64_t busy_ns;		 /* sum of the processes' lengths */
	uint64_t cpu_ns;		 /* sum of the summaries' */
	struct build_process *processes; /* as the inputs */
	size_t process_count;
	size_t lane_count;
	size_t *chain; /* indices of processes, in the order of time */
	size_t chain_count;
	uint64_t chain_ns; /* sum of their lengths */
	struct build_step *steps;
	size_t step_count;
	struct build_total *totals; /* by falling self time, then by label */
	size_t total_count;
};

/*
 * Lays processes out in time. A process gets the lowest lane that is free when it starts, so there are as many lanes as
 * ever ran at once. The chain is that sequence of processes, each of which starts when the one before it has ended or
 * later, that covers the most time: without the build's graph the best guess of its critical path. Borrows the
 * summaries' labels until build_free. Fails with -ENOMEM, or -EINVAL if a process ends before it starts.
 */
int build_lay_out(const struct build_input *inputs, size_t count, struct build *build, struct error *err);

/* Frees what the build holds, not the struct. Accepts one that is zeroed. */
void build_free(struct build *build);

/* ---- All processes of a build, as build.json tells of them ---- */

enum recorded_kind {
	RECORDED_COMPILER, /* it has a profile */
	RECORDED_CARGO,
	RECORDED_BUILD_SCRIPT,
	RECORDED_LINKER, /* below a compiler */
	RECORDED_OTHER,
	RECORDED_KINDS,
};

/* Stands for no process. */
#define RECORDED_NONE SIZE_MAX

/* What is not known. */
#define RECORDED_UNKNOWN (-1)

/* Times in nanoseconds since 1970. */
struct recorded_process {
	uint32_t pid;
	size_t parent; /* before it in the list; RECORDED_NONE if that was not followed */
	uint64_t start_ns, end_ns;
	bool joined;				/* it ran before it was followed */
	bool complete;				/* it has ended; otherwise its end is the recording's */
	int exit_code, signal;			/* RECORDED_UNKNOWN if it did not end so */
	int64_t user_ns, system_ns, peak_bytes; /* or RECORDED_UNKNOWN */
	enum recorded_kind kind;
	char *name;    /* its last program's, without folders; of a build script with its package */
	char *command; /* its last program's arguments, joined by blanks; "" if it only was forked */
	char *profile; /* the file's name; NULL if it has none */
	size_t lane;
};

/* Freed with recorded_free. */
struct recorded_build {
	struct recorded_process *processes; /* by start */
	size_t count;
	size_t lane_count;
	uint64_t start_ns, end_ns; /* of the first process, and of the last to end */
	uint64_t lost;		   /* records */
	bool complete;
};

/* The kind as it is written ("build script"). */
const char *recorded_kind_name(enum recorded_kind kind);

/*
 * Reads the file `path` (docs/build.md) and puts the processes into lanes: each below its parent, the lowest that is
 * free as long as it or what it started runs. Fails with -ENOENT if there is none, with -EINVAL if it is damaged or of
 * another format, or with -ENOMEM.
 */
int recorded_read(const char *path, struct recorded_build *recorded, struct error *err);

/* Frees what it holds, not the struct. Accepts one that is zeroed. */
void recorded_free(struct recorded_build *recorded);

/* Makes the build begin and end no later and no earlier than these processes: its times count from there, then. */
void build_widen(struct build *build, const struct recorded_build *recorded);

/* ---- Merged stacks ---- */

/* The intervals of one label that lie in the same labels: a node of a tree. Times in nanoseconds. */
struct stack_node {
	size_t parent; /* index; the root, node 0, is its own */
	size_t label;  /* index of its text; the root's is not used */
	uint64_t total_ns;
	uint64_t self_ns; /* less what lies in its intervals, shown or pruned */
	uint64_t count;
};

/* Freed with stacks_free. */
struct stacks {
	char **labels;
	size_t label_count;
	struct stack_node *nodes; /* each behind its parent, siblings next to each other by falling total time */
	size_t node_count;
	size_t pruned_count; /* nodes left out */
	uint64_t end_ns;     /* the last event's end, since the profile's start */
};

/*
 * Merges a profile's stacks, of all threads, into a tree whose root's total is the sum of the outermost intervals.
 * Nodes whose total is below `prune` (0 to 1) of the root's are left out with all below them.
 * Fails as fold_profile does.
 */
int stacks_merge(const struct mmp_reader *profile, double prune, struct stacks *stacks, struct error *err);

/* Frees what the stacks hold, not the struct. Accepts one that is zeroed. */
void stacks_free(struct stacks *stacks);

/* What a summary's rows can be sorted by: numbers fall, labels rise. */
enum summary_order {
	SUMMARY_BY_SELF,
	SUMMARY_BY_TIME,
	SUMMARY_BY_SPAN,
	SUMMARY_BY_COUNT,
	SUMMARY_BY_HITS,
	SUMMARY_BY_BLOCKED,
	SUMMARY_BY_LOAD,
	SUMMARY_BY_HASHING,
	SUMMARY_BY_LABEL,
};

/* Sorts the rows; equal ones by label. */
void summary_sort(struct summary *summary, enum summary_order order);

/*
 * How often a query's result was asked for, as far as the profile knows: it was in memory, was loaded from an earlier
 * incremental build, or was computed; and the first two in percent, 0 where nothing was asked for.
 */
struct hit_rates {
	uint64_t requests;
	double memory, incremental;
};

/* Whether two summaries are of profiles with the same counter; otherwise says so and returns -EINVAL. */
int summary_same_counter(const struct summary *one, const struct summary *other, struct error *err);

/* For one row, and for all of a summary together. */
struct hit_rates summary_row_hits(const struct summary_row *row);
struct hit_rates summary_hits(const struct summary *summary);

/* A difference of two amounts. The sign is kept where the amount is 0: -0 is what only the base has. */
struct difference {
	uint64_t amount;
	bool negative;
};

/* What became of one label; base or change is NULL if only the other profile has it. Borrows the summaries. */
struct diff_row {
	const char *label;
	const struct summary_row *base, *change;
	struct difference self_ns, total_ns, blocked_ns, load_ns, hashing_ns;
	double self_percent, total_percent; /* of the base's; infinite for what is new, NaN for 0 of 0 */
	int64_t invocations, cache_misses, cache_hits;
};

struct diff_artifact {
	const char *label;
	int64_t bytes;
};

/* Rows by falling size of the self time's difference, then by label; artifacts by falling difference. */
struct diff {
	struct diff_row *rows;
	size_t row_count;
	struct diff_artifact *artifacts;
	size_t artifact_count;
	const char *unit; /* see profile_unit */
	struct difference cpu_ns;
};

/*
 * The differences from base to change, with the numbers of measureme's `summarize diff`. Borrows the summaries until
 * diff_free. Fails with -ENOMEM, or with -EINVAL if they count different things.
 */
int diff_summaries(const struct summary *base, const struct summary *change, struct diff *diff, struct error *err);

/* Frees what the diff holds, not the struct. Accepts one that is zeroed. */
void diff_free(struct diff *diff);

/* How many of the smallest and of the largest an aggregate names. */
#define AGGREGATE_EXTREMES 10

/* A duration that occurred, or half of which is a variance: where, in words, if it was at one place alone. */
struct extreme {
	uint64_t ns;
	uint64_t count;	   /* of intervals */
	char *description; /* NULL if count is more than 1 */
};

/* Different values, rising. */
struct extremes {
	struct extreme values[AGGREGATE_EXTREMES];
	size_t count;
};

/*
 * What several profiles of the same events have in common. The times when events start, end or happen cut each thread's
 * time into intervals; of each interval there is a shortest and a longest duration over the profiles, whose difference
 * is its variance.
 */
struct aggregate {
	struct extremes smallest_durations, largest_durations, smallest_variances, largest_variances;
	uint64_t interval_count;
	char *unit; /* see profile_unit */
	/* Threads, and events of the first profile on them, that are left out: not all profiles have such a thread. */
	size_t skipped_threads;
	uint64_t skipped_events;
};

/*
 * Aggregates `count` profiles (at least 1), with the numbers of measureme's `summarize aggregate`. Threads whose events
 * are the same in every profile belong together, whatever their numbers. Fails with -EINVAL if there is no such thread,
 * and says where the profiles part, on damaged strings, or with -ENOMEM.
 */
int aggregate_profiles(const struct mmp_reader *const *profiles, size_t count, struct aggregate *aggregate,
		       struct error *err);

/* Frees what the aggregate holds, not the struct. Accepts one that is zeroed. */
void aggregate_free(struct aggregate *aggregate);

/* ---- The trace: which event lies in which ---- */

enum trace_kind {
	TRACE_MISS,    /* a query's provider ran */
	TRACE_HIT,     /* a query's result was in memory: an instant, always a leaf */
	TRACE_PASS,    /* a timed pass of the compiler: a generic activity */
	TRACE_LOAD,    /* a query's result was loaded from an earlier build */
	TRACE_HASHING, /* a query's result was hashed */
	TRACE_BLOCKED, /* waiting for another thread's result */
	TRACE_OTHER,
	TRACE_KINDS,
};

/* Stands for no node. */
#define TRACE_NONE UINT32_MAX

/* A node is an event with a place in time, and what lies in it: its children, in the order of their end. */
struct trace_node {
	uint64_t start, duration; /* nanoseconds */
	uint64_t id;		  /* the event id, for mmp_event_text_of */
	uint32_t parent;	  /* TRACE_NONE for a root */
	uint32_t first;		  /* its first child; the others follow it */
	uint32_t extent;	  /* how many children it has */
	uint32_t below;		  /* how many nodes lie in it at any depth; they are those from `first` on */
	uint32_t label;
	uint32_t depth : 24; /* 0 for a root */
	uint32_t kind : 8;   /* an enum trace_kind */
};

struct trace_label {
	char *text;
	uint64_t counts[TRACE_KINDS]; /* nodes of each kind */
	uint64_t hits;		      /* cache hits: as the profile counted them, otherwise counts[TRACE_HIT] */
	uint64_t total_ns;	      /* as in struct summary_row */
	uint64_t self_ns;
	uint32_t longest; /* its node of the longest duration, the earliest of several; TRACE_NONE without a node */
};

/* The nodes of a thread are `count` from `first` on, beginning with its `roots` roots. */
struct trace_thread {
	uint32_t id;
	uint32_t first, roots, count;
	uint64_t root_ns;    /* sum of its roots' durations */
	uint64_t start, end; /* of its first and last event with a place in time */
};

/*
 * A forest. Siblings lie side by side, in time order: a block, behind which come all that lies in its first node, then
 * all that lies in its second, and so on. Threads by id, labels by falling count of nodes. Freed with trace_free.
 */
struct trace {
	struct trace_node *nodes;
	struct trace_label *labels;
	struct trace_thread *threads;
	uint32_t node_count, label_count, thread_count;
	uint64_t whole_ns; /* sum of all roots' durations: what fractions are fractions of */
};

/*
 * Builds the trace of a profile; which event lies in which is told as in summarize_profile. Fails with -EINVAL on
 * damaged strings, with -ENOMEM, or with -E2BIG on more than 4 billion events or 256 MiB of labels.
 */
int trace_build(const struct mmp_reader *profile, struct trace *trace, struct error *err);

/* Frees what the trace holds, not the struct. Accepts one that is zeroed. */
void trace_free(struct trace *trace);

/* ---- How much of a profile another recorder could have recorded ---- */

enum coverage_kind {
	COVERAGE_QUERY,
	COVERAGE_ACTIVITY,
	COVERAGE_LOAD,
	COVERAGE_HASHING,
	COVERAGE_BLOCKED,
	COVERAGE_ARTIFACT, /* a size, without a time */
	COVERAGE_OTHER,	   /* what rustc records only when asked to */
	COVERAGE_KINDS
};

/* The kind as profiles name it ("GenericActivity"); "other" for the last. */
const char *coverage_kind_name(enum coverage_kind kind);

/* What a recorder records: NULL, or why it does not record events of this kind under this label (not copied). */
typedef const char *(*coverage_rule)(const void *recorder, enum coverage_kind kind, const char *label);

struct coverage_row {
	char *label;
	enum coverage_kind kind;
	const char *refusal; /* what the rule said */
	uint64_t events;
	uint64_t self_ns; /* as in struct summary_row, for this kind alone */
	double share;	  /* self_ns in percent of the coverage's; 0 if that is 0 */
};

/* Of one kind, or of all together. */
struct coverage_sum {
	uint64_t labels, events, self_ns;
	uint64_t covered_labels, covered_events, covered_ns; /* those of them that the rule lets pass */
};

/* Freed with coverage_free. */
struct coverage {
	struct coverage_row *rows; /* by falling self time, then by label, then by kind */
	size_t row_count;
	struct coverage_sum kinds[COVERAGE_KINDS];
	struct coverage_sum all;
	/* What rustc's own profiler did for itself, which nothing else does: neither in the rows nor in the sums. */
	uint64_t profiler_ns;
	uint64_t cache_hits; /* a kind of its own, without a time: not in the rows either */
	char *unit;	     /* see profile_unit */
};

/*
 * Applies the rule to every label of the profile. Fails as trace_build and summarize_profile do; `recorder` goes to
 * the rule as it is, and the refusals are borrowed from whom the rule has them.
 */
int coverage_of_profile(const struct mmp_reader *profile, coverage_rule rule, const void *recorder,
			struct coverage *coverage, struct error *err);

/* The part of the self time that is covered, in percent; 0 without any self time. */
double coverage_share(const struct coverage_sum *sum);

/* Frees what the coverage holds, not the struct. Accepts one that is zeroed. */
void coverage_free(struct coverage *coverage);

/* ---- Folded stacks ---- */

/* A stack of labels: its parent's and one more. Node 0 is the root, FOLD_ROOT, and its own parent. */
struct fold_node {
	uint32_t parent; /* index of a node before this one */
	uint32_t label;	 /* index of its text; the root's is not used */
	/* Time in the stack's events but not within events inside of them; at the root, time of a thread in no event.
	 */
	uint64_t self_ns;
	uint64_t count; /* of the stack's events */
};

#define FOLD_ROOT "rustc"

/* Freed with fold_free. */
struct fold {
	char **labels;
	size_t label_count;
	struct fold_node *nodes;
	size_t node_count;
	/* Of what is counted instead of nanoseconds: how it is called, and the root. Otherwise NULL. Not freed. */
	const char *unit, *root;
};

/*
 * Merges the equal stacks of all threads, with the times of measureme's stack_collapse. Where events of one thread
 * overlap without nesting, a self time may lie below zero, in two's complement, as there.
 * Fails with -EINVAL on damaged strings, with -ENOMEM, or with -E2BIG if there are more than 8 million stacks or their
 * labels need more than 256 MiB.
 */
int fold_profile(const struct mmp_reader *profile, struct fold *fold, struct error *err);

/* Frees what the fold holds, not the struct. Accepts one that is zeroed. */
void fold_free(struct fold *fold);

/* ---- What of its time a thread spent in events ---- */

/*
 * A thread's intervals: from the first one's start to the last one's end, the sum of their self times, and what that
 * leaves. In a total, start and end are the first and the last of all, and the others are sums.
 */
struct thread_times {
	uint32_t thread;
	uint64_t start_ns, end_ns;
	uint64_t span_ns;
	uint64_t self_ns;
	int64_t hole_ns; /* span_ns less self_ns: below 0 where intervals overlap without nesting */
};

/* By start, then by thread. Freed with thread_list_free; borrows the profile. */
struct thread_list {
	struct thread_times *rows;
	size_t count;
	struct thread_times total; /* its span is the cpu_ns of struct summary */
	const char *unit;	   /* see profile_unit */
	const char *counter;	   /* see profile_counter */
};

/* Lists the threads that have an interval. Fails with -ENOMEM. */
int threads_time(const struct mmp_reader *profile, struct thread_list *list, struct error *err);

/* Frees what the list holds, not the struct. Accepts one that is zeroed. */
void thread_list_free(struct thread_list *list);

/* ---- Threads with fewer numbers ---- */

struct thread_number {
	uint32_t thread, shown;
};

/* Sorted by thread. Freed with thread_map_free; zeroed, it maps every thread to itself. */
struct thread_map {
	struct thread_number *numbers;
	size_t count;
};

/*
 * Gives threads new numbers from 0, so that a thread gets the number of one that has ended before it starts, in the way
 * of measureme's crox --collapse-threads. Fails with -ENOMEM.
 */
int thread_map_collapse(const struct mmp_reader *profile, struct thread_map *map, struct error *err);

/* The number that a thread is shown with: its own if the map does not have it. */
uint32_t thread_map_find(const struct thread_map *map, uint32_t thread);

/* Frees what the map holds, not the struct. Accepts one that is zeroed. */
void thread_map_free(struct thread_map *map);

#endif
