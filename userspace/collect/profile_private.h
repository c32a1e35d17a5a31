/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a profile is made of, for profile.c and profile_metadata.c. */
#ifndef QUERYTAP_COLLECT_PROFILE_PRIVATE_H
#define QUERYTAP_COLLECT_PROFILE_PRIVATE_H

#include <uthash.h>

#include "collect/profile.h"
#include "mmprofdata/mmprofdata.h"

/* A text that an interval to come has as its argument. */
struct text {
	uint64_t argument; /* what the interval says for it */
	uint64_t string;
	UT_hash_handle hh;
};

struct profile {
	const struct profile_place *place;
	const struct plan *plan;
	const struct timing *timing;
	uint32_t compiler;
	uint32_t tgid;
	uint64_t start;
	bool joined, failed;
	uint64_t queries, others;
	uint64_t before;		       /* of these, begun when the process was joined */
	uint64_t gone_unwound, gone_truncated; /* intervals left out since their probes were let go of */
	uint64_t *counts;		       /* of events, by number; where they are only counted */
	char crate[128];
	char *path;
	char *args; /* NUL-separated; a NUL behind the last */
	size_t args_length, args_announced;
	bool begun; /* a sink was told of it */
	struct mmp_writer *writer;
	uint64_t kinds[EVENT_CLASSES];
	/* Strings; 0 while not stored. */
	uint64_t *query_labels; /* the last is for those that are not known */
	uint64_t *activity_labels;
	struct text *texts;
	struct artifacts *artifacts;
};

/* The metadata of the file, with all that the counts say; free *text with free(). Returns 0 or a negative errno. */
int profile_metadata(const struct profile *profile, const struct wire_counts *counts, char **text,
		     struct mmp_error *error);

#endif
