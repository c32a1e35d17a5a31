/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: a profile's events thread by thread, for aggregate.c. */
#ifndef QUERYTAP_ANALYSIS_TRACKS_H
#define QUERYTAP_ANALYSIS_TRACKS_H

#include "analysis/analysis.h"

#define NO_EVENT SIZE_MAX

/* An interval or an instant. */
struct track_event {
	uint64_t start, end; /* ns */
	uint64_t hash;	     /* of kind, label and arguments */
	size_t index;	     /* place in the profile */
	bool instant;
};

/* The events of one thread in the order of the profile. */
struct track {
	uint32_t thread;
	bool overlaps; /* there are events that neither contain each other nor follow each other */
	struct track_event *events;
	size_t count, capacity;
	uint64_t hash; /* of all events and how they lie in each other */
};

/* A profile's tracks by hash, number of events and thread. */
struct tracks {
	struct track *tracks;
	size_t count;
};

/* Reads a profile. To be freed with tracks_free, whatever it returns. */
int tracks_read(const struct mmp_reader *profile, struct tracks *tracks, struct error *err);
void tracks_free(struct tracks *tracks);

enum point_type { POINT_START, POINT_END, POINT_INSTANT };

/* A moment at which something happens in a track. */
struct point {
	enum point_type type;
	size_t event, parent; /* places in the track; NO_EVENT for no parent */
};

/* A walk over a track's points, last first. Zero it but for the track; free it with walk_free. */
struct walk {
	const struct track *track;
	bool begun;
	size_t next;   /* events left */
	size_t *stack; /* events that are entered */
	size_t depth, capacity;
};

/* Steps to the previous point: 1, 0 at the start of the track, or -ENOMEM. */
int walk_back(struct walk *walk, struct point *point);
void walk_free(struct walk *walk);

uint64_t point_time(const struct track *track, const struct point *point);

#endif
