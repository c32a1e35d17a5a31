/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is known of a process, and how build.json tells it. Private to processes.c and processes_json.c. */
#ifndef QUERYTAP_COLLECT_PROCESSES_JSON_H
#define QUERYTAP_COLLECT_PROCESSES_JSON_H

#include <inttypes.h>
#include <uthash.h>

#include "collect/processes.h"

/* One that a process became by exec. */
struct program {
	uint64_t start;
	char comm[WIRE_COMM];
	char *args; /* NUL-separated; a NUL behind them */
	size_t size;
	bool cut;
	char *crate, *profile; /* NULL for what is no compiler */
};

struct process {
	uint32_t pid, parent; /* 0 for a parent that is not known */
	uint64_t born;	      /* as in wire_life; 0 while not known */
	uint64_t start, end;
	bool waiting; /* for its first program: it is COMMAND, and does nothing before */
	bool joined, ended, freed;
	char comm[WIRE_COMM];
	struct program *programs;
	size_t program_count;
	int exit_code;
	uint64_t pages_before, pages;		     /* as in wire_end */
	uint64_t run_time, user, system, most_pages; /* as in wire_freed, once it is freed */
	struct process *earlier;		     /* another with this pid */
	bool in_order;
	size_t index;			  /* in the file */
	const struct process *started_by; /* NULL if that was not followed */
	UT_hash_handle hh;
};

/* The file's text for processes in their order; free with free(). NULL if out of memory. */
char *processes_json(struct process *const *processes, size_t count, const struct processes_summary *summary);

#endif
