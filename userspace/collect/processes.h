/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The processes of a recording, compilers and all others, for DIR/build.json (docs/build.md). Private to collect/. */
#ifndef QUERYTAP_COLLECT_PROCESSES_H
#define QUERYTAP_COLLECT_PROCESSES_H

#include "bpf/wire.h"
#include "collect/collect.h"
#include "collect/profile.h"

struct processes;

/* NULL if out of memory. */
struct processes *processes_new(void);

/* Accepts NULL. */
void processes_free(struct processes *processes);

/* Takes note of a process that is followed from `time` on. How it runs already is read from /proc. */
void processes_follow(struct processes *processes, pid_t pid, enum follow how, uint64_t time);

/* Takes a record that is about the life of a process; others say nothing here. */
void processes_take(struct processes *processes, const struct wire_header *record);

/* Takes note of a profile that was written. */
void processes_add_profile(struct processes *processes, const struct profile *profile);

/* Takes what the kernel's map has of a process at the end: it lives on, or there was no room for the record of its end.
 */
void processes_take_remaining(struct processes *processes, uint32_t tgid, const struct wire_process *process);

/* How many have ended that the kernel has not freed yet, so that what they used is not known. */
size_t processes_leaving(const struct processes *processes);

/* When the recording was made, and what is missing of it. */
struct processes_summary {
	uint64_t started, stopped; /* CLOCK_MONOTONIC ns; the start is that of the first process */
	uint64_t realtime_offset;  /* CLOCK_REALTIME minus CLOCK_MONOTONIC, ns */
	uint64_t lost;		   /* records for which the kernel had no room */
};

/* The contents of build.json; free with free(). NULL if out of memory. */
char *processes_text(const struct processes *processes, const struct processes_summary *summary);

#endif
