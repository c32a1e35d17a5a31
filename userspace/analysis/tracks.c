/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The points of a track are those of measureme's summarize/src/aggregate.rs (SamplePoints), which are found from the
 * end backwards, since an event stands behind those that it contains.
 */
#include "analysis/tracks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* See labels.h. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_START UINT64_C(0xCBF29CE484222325)
#define FNV_PRIME UINT64_C(0x100000001B3)

struct thread {
	uint32_t id;
	size_t track;
	UT_hash_handle hh;
};

static uint64_t hash_text(uint64_t hash, const struct mmp_text *text)
{
	for (size_t i = 0; i < text->size; i++)
		hash = (hash ^ (unsigned char)text->bytes[i]) * FNV_PRIME;
	/* No text contains this, so texts cannot run into each other. */
	return (hash ^ 0xFF) * FNV_PRIME;
}

static int hash_event(const struct mmp_reader *profile, const struct mmp_event *event, struct mmp_buffer *buffer,
		      uint64_t *hash, struct error *err)
{
	struct mmp_text text, arguments, argument;
	struct mmp_error reason;
	int rc = mmp_text_of(profile, event->kind, buffer, &text, &reason);

	if (!rc) {
		*hash = hash_text(FNV_START, &text);
		rc = mmp_event_text_of(profile, event->id, buffer, &text, &arguments, &reason);
	}
	if (rc)
		return error_set(err, rc, "%s", reason.text);
	*hash = hash_text(*hash, &text);
	while (mmp_next_argument(&arguments, &argument))
		*hash = hash_text(*hash, &argument);
	return 0;
}

static struct track *add_track(struct tracks *tracks, struct thread **threads, uint32_t id)
{
	struct track *grown;
	struct thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	/* Room grows by doubling: at each power of 2. */
	if (!(tracks->count & (tracks->count - 1))) {
		size_t capacity = tracks->count ? 2 * tracks->count : 1;

		grown = reallocarray(tracks->tracks, capacity, sizeof(*grown));
		if (!grown) {
			free(thread);
			return NULL;
		}
		tracks->tracks = grown;
	}
	thread->id = id;
	thread->track = tracks->count;
	HASH_ADD(hh, *threads, id, sizeof(thread->id), thread);
	if (!thread->hh.tbl) {
		free(thread);
		return NULL;
	}
	tracks->tracks[tracks->count] = (struct track){.thread = id};
	return &tracks->tracks[tracks->count++];
}

static bool add_event(struct track *track, const struct track_event *event)
{
	if (track->count == track->capacity) {
		size_t capacity = track->capacity ? 2 * track->capacity : 64;
		struct track_event *grown = reallocarray(track->events, capacity, sizeof(*grown));

		if (!grown)
			return false;
		track->events = grown;
		track->capacity = capacity;
	}
	track->events[track->count++] = *event;
	return true;
}

static int compare_tracks(const void *left, const void *right)
{
	const struct track *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

/* Finds the track's hash, and whether events overlap. */
static int finish_track(struct track *track)
{
	struct walk walk = {.track = track};
	uint64_t later = UINT64_MAX;
	struct point point;
	int rc;

	track->hash = FNV_START;
	while ((rc = walk_back(&walk, &point)) > 0) {
		uint64_t time = point_time(track, &point);

		track->hash = (track->hash ^ track->events[point.event].hash ^ point.type) * FNV_PRIME;
		track->overlaps |= time > later;
		later = time;
	}
	walk_free(&walk);
	return rc;
}

static int read_events(const struct mmp_reader *profile, struct tracks *tracks, struct thread **threads,
		       struct error *err)
{
	struct mmp_cursor cursor = mmp_begin(profile);
	struct mmp_buffer buffer = {0};
	struct mmp_event event;
	int rc = 0;

	while (!rc && mmp_next(&cursor, &event)) {
		struct track_event taken = {event.start, event.end, 0, cursor.next - 1, event.type == MMP_INSTANT};
		struct thread *thread;
		struct track *track;

		if (event.type == MMP_INTEGER)
			continue;
		HASH_FIND(hh, *threads, &event.thread, sizeof(event.thread), thread);
		track = thread ? &tracks->tracks[thread->track] : add_track(tracks, threads, event.thread);
		rc = hash_event(profile, &event, &buffer, &taken.hash, err);
		if (!rc && (!track || !add_event(track, &taken)))
			rc = error_set(err, ENOMEM, "%s: out of memory", mmp_path(profile));
	}
	mmp_buffer_free(&buffer);
	return rc;
}

int tracks_read(const struct mmp_reader *profile, struct tracks *tracks, struct error *err)
{
	struct thread *threads = NULL, *thread, *next;
	int rc;

	*tracks = (struct tracks){0};
	rc = read_events(profile, tracks, &threads, err);
	thread = threads;
	HASH_CLEAR(hh, threads);
	for (; thread; thread = next) {
		next = thread->hh.next;
		free(thread);
	}
	for (size_t i = 0; i < tracks->count && !rc; i++) {
		rc = finish_track(&tracks->tracks[i]);
		if (rc)
			rc = error_set(err, rc, "%s: out of memory", mmp_path(profile));
	}
	if (!rc && tracks->count)
		qsort(tracks->tracks, tracks->count, sizeof(*tracks->tracks), compare_tracks);
	return rc;
}

void tracks_free(struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->count; i++)
		free(tracks->tracks[i].events);
	free(tracks->tracks);
	*tracks = (struct tracks){0};
}

static bool contains(const struct track_event *outer, const struct track_event *inner)
{
	return outer->start <= inner->start && inner->end <= outer->end;
}

static bool push(struct walk *walk, size_t event)
{
	if (walk->depth == walk->capacity) {
		size_t capacity = walk->capacity ? 2 * walk->capacity : 64;
		size_t *grown = reallocarray(walk->stack, capacity, sizeof(*grown));

		if (!grown)
			return false;
		walk->stack = grown;
		walk->capacity = capacity;
	}
	walk->stack[walk->depth++] = event;
	return true;
}

int walk_back(struct walk *walk, struct point *point)
{
	const struct track_event *events = walk->track->events;
	size_t top;

	if (!walk->begun) {
		walk->begun = true;
		walk->next = walk->track->count;
	}
	top = walk->depth ? walk->stack[walk->depth - 1] : NO_EVENT;
	if (walk->next && (top == NO_EVENT || contains(&events[top], &events[walk->next - 1]))) {
		size_t event = --walk->next;

		*point = (struct point){events[event].instant ? POINT_INSTANT : POINT_END, event, top};
		if (!events[event].instant && !push(walk, event))
			return -ENOMEM;
		return 1;
	}
	if (top == NO_EVENT)
		return 0;
	walk->depth--;
	*point = (struct point){POINT_START, top, walk->depth ? walk->stack[walk->depth - 1] : NO_EVENT};
	return 1;
}

void walk_free(struct walk *walk)
{
	free(walk->stack);
	*walk = (struct walk){0};
}

uint64_t point_time(const struct track *track, const struct point *point)
{
	const struct track_event *event = &track->events[point->event];

	return point->type == POINT_END ? event->end : event->start;
}
