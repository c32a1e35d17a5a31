/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One compiling process and the profile that is written for it. Private to collect/. */
#ifndef QUERYTAP_COLLECT_PROFILE_H
#define QUERYTAP_COLLECT_PROFILE_H

#include "bpf/wire.h"
#include "collect/collect.h"
#include "collect/timing.h"

struct profile;

/* What all profiles of a recording share; borrowed by each. */
struct profile_place {
	const char *directory;
	uid_t uid;
	gid_t gid;
	bool set_owner;
	unsigned int events;	  /* what to write: COLLECT_EVENT of each class */
	struct overhead overhead; /* how much of it is timed, for the metadata */
	bool cpu_time;		  /* what times are, for the metadata */
	uint64_t realtime_offset; /* CLOCK_REALTIME minus CLOCK_MONOTONIC, ns */
};

/* Starts a profile for the process that `record` announces. NULL if out of memory. Borrows place, plan and timing. */
struct profile *profile_new(const struct profile_place *place, const struct plan *plan, const struct timing *timing,
			    const struct wire_compiler *record);

/* Appends a piece of the process's command line. */
void profile_add_args(struct profile *profile, const char *bytes, size_t size);

/* Takes the text of an argument that an interval will have. */
void profile_add_text(struct profile *profile, const struct wire_text *record);

/* Takes note of a file that the compiler, or a program that it started, has written or renamed. */
void profile_add_file(struct profile *profile, const struct wire_file *record);
void profile_add_rename(struct profile *profile, const struct wire_rename *record);

/*
 * Writes the sizes of the artifacts among these files, for a process that has ended and with this success. Returns 0 or
 * a negative errno, like profile_add_intervals.
 */
int profile_write_artifacts(struct profile *profile, bool succeeded, struct error *err);

/*
 * Writes intervals. The file is begun by the first of them. Returns 0 or a negative errno; after a failure, intervals
 * are dropped and 0 is returned. *unnamed grows by the intervals whose query or activity is not known.
 */
int profile_add_intervals(struct profile *profile, const struct wire_intervals *record, size_t count, uint64_t *unnamed,
			  struct error *err);

/* Gives the file its metadata and name. Returns 0 or a negative errno. */
int profile_finish(struct profile *profile, const struct wire_counts *counts, struct error *err);

/* Takes the intervals out of the counts that were left out since their probes were let go of. */
void profile_settle(const struct profile *profile, struct wire_counts *counts);

/* Frees the profile; the file is removed if it was not finished. Accepts NULL. */
void profile_free(struct profile *profile);

/* The crate that it compiles, and the name of its file; NULL without a file. Borrowed. */
const char *profile_crate(const struct profile *profile);
const char *profile_file(const struct profile *profile);

/* Whether it is of a compiler that ran before it was followed, and compiles a crate: cargo also asks rustc questions.
 */
bool profile_joined_crate(const struct profile *profile);

/* The process's command line as far as it has come, NUL-separated. Borrowed. */
const char *profile_args(const struct profile *profile, size_t *length);

/* Whether a sink is to be told of the process: once, when its command line is whole or, if that is late, `at_once`. */
bool profile_begins(struct profile *profile, bool at_once);

/* Whether it ran before recording began. */
bool profile_joined(const struct profile *profile);

uint32_t profile_tgid(const struct profile *profile);

/* The compiler's number, and when its process began, as the record says. */
uint32_t profile_compiler(const struct profile *profile);
uint64_t profile_start(const struct profile *profile);

/* Events written so far: queries, and all else. */
uint64_t profile_queries(const struct profile *profile);
uint64_t profile_others(const struct profile *profile);

/* Whether files were noted. */
bool profile_has_files(const struct profile *profile);

#define CRATE_UNKNOWN "unknown-crate" /* what rustc says where nothing names the crate */
#define CRATE_ASKED "___"	      /* what cargo names it when it only asks for names of files */

/*
 * The crate that a rustc command line compiles, as rustc names it: --crate-name, else the input file's name. Writes
 * at most `size` bytes; "unknown-crate" where neither is there. What a response file (@FILE) says is not looked at: it
 * is the compiled user's file, and may be gone. `args` is NUL-separated, as in /proc/PID/cmdline.
 */
void crate_name(const char *args, size_t length, char *name, size_t size);

/* Whether the argument behind this one of a rustc command line is its value. */
bool option_takes_value(const char *arg);

#endif
