/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The collector's state, for the files of collect/ that work on it. */
#ifndef QUERYTAP_COLLECT_INTERNAL_H
#define QUERYTAP_COLLECT_INTERNAL_H

#include <sys/stat.h>

#include "bpf/wire.h"
#include "build/bpf/querytap.skel.h"
#include "collect/absences.h"
#include "collect/attach.h"
#include "collect/collect.h"
#include "collect/processes.h"
#include "collect/profile.h"
#include "collect/sampler.h"
#include "collect/selftime.h"
#include "collect/timing.h"

struct probed {
	const struct plan *plan;
	dev_t device;
	ino_t inode;
	struct timing *timing;
	struct probes *probes;
	uint64_t compiled; /* how long its processes that have ended took, ns */
};

struct collector {
	struct querytap_bpf *bpf;
	struct ring_buffer *ring;
	struct sampler *sampler; /* NULL if there are no samples to take */
	bool sample_if_possible;
	struct absences *absences; /* NULL if they are not noted */
	uint64_t began, ended;	   /* recording; CLOCK_MONOTONIC nanoseconds */
	bool multi;
	struct overhead overhead;
	const char *cache;
	const struct identity *owner;
	struct selftime *selftime;
	uint64_t reviewed; /* when it was last looked whether the probes cost too much */
	char *directory;
	struct profile_place place;
	struct probed compilers[COLLECT_MAX_COMPILERS];
	size_t compiler_count;
	struct profile **live; /* one for each process that compiles now: a few */
	size_t live_count, live_room;
	struct processes *processes;
	struct collect_totals totals;
	struct probe_cost cost;
	uint64_t pace_sum, pace_count; /* of looks at compilers */
	bool measuring;		       /* the cost of probes, on querytap's own queries */
	uint64_t own_intervals;	       /* that came of these */
	void (*on_exec)(void *context, pid_t pid);
	void *context;
	const struct collect_sink *sink;
	struct bpf_link *looking; /* the iterator over threads, once it was asked for */
};

/*
 * Loads the programs into collector->bpf and attaches those that are no uprobes. Where files cannot be watched, it does
 * without. Fails with a sentence that says what the kernel or the user lacks.
 */
int load_programs(struct collector *collector, const struct collect_options *options, struct error *err);

/* Has every thread's open queries closed and its batch sent, by a BPF iterator over all tasks. */
void finish_threads(struct collector *collector);

/* The cost of probes as the cache knows it, or as a measurement finds it. */
int cost_find(struct collector *collector, struct probe_cost *cost, struct error *err);
/* Looks at the pace of the compilers that run. */
void watch_pace(struct collector *collector);
/* Keeps in the cache what the recording has shown the cost to be. */
void cost_keep(const struct collector *collector);

/* Waits until the processes that have ended are freed, so that it is known what they used; not for long. */
void await_freed(struct collector *collector);

#endif
