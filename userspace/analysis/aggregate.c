/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The algorithm, and the words, are those of measureme's summarize/src/aggregate.rs (aggregate_profiles). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tracks.h"

/* The time between two neighbouring points of a track of the first profile. */
struct interval {
	const struct track *track;
	struct point start, end;
};

struct candidate {
	uint64_t ns, count;
	struct interval at; /* the first that was found */
};

/* The smallest or the largest values so far, rising; one more for the one that falls out. */
struct candidates {
	bool largest;
	struct candidate values[AGGREGATE_EXTREMES + 1];
	size_t count;
};

struct state {
	const struct mmp_reader *const *profiles;
	struct tracks *tracks; /* one for each profile */
	size_t count;
	struct walk *walks;
	struct candidates smallest_durations, largest_durations, smallest_variances, largest_variances;
	struct aggregate *aggregate;
	struct error *err;
};

static int out_of_memory(const struct state *state)
{
	return error_set(state->err, ENOMEM, "%s: out of memory while aggregating", mmp_path(state->profiles[0]));
}

static void offer(struct candidates *list, uint64_t ns, const struct interval *at)
{
	size_t place = 0;

	while (place < list->count && list->values[place].ns < ns)
		place++;
	if (place < list->count && list->values[place].ns == ns) {
		list->values[place].count++;
		return;
	}
	if (list->count == AGGREGATE_EXTREMES && place == (list->largest ? 0 : list->count))
		return;
	memmove(&list->values[place + 1], &list->values[place], (list->count - place) * sizeof(list->values[0]));
	list->values[place] = (struct candidate){ns, 1, *at};
	if (++list->count <= AGGREGATE_EXTREMES)
		return;
	list->count--;
	if (list->largest)
		memmove(&list->values[0], &list->values[1], list->count * sizeof(list->values[0]));
}

/* Walks the tracks, one for each profile and all of the same events, interval by interval. */
static int take_tracks(struct state *state, const struct track *const *tracks)
{
	struct point point, later = {0};
	int rc = 1;

	for (size_t i = 0; i < state->count; i++)
		state->walks[i] = (struct walk){.track = tracks[i]};
	for (uint64_t number = 0; rc > 0; number++) {
		uint64_t shortest = UINT64_MAX, longest = 0;
		struct interval at;

		for (size_t i = 0; i < state->count; i++) {
			struct walk *walk = &state->walks[i];
			uint64_t duration;

			rc = walk_back(walk, &point);
			if (rc <= 0)
				break;
			if (!number)
				continue;
			duration = point_time(tracks[i], &later) - point_time(tracks[i], &point);
			shortest = duration < shortest ? duration : shortest;
			longest = duration > longest ? duration : longest;
		}
		if (rc > 0 && number) {
			at = (struct interval){tracks[0], point, later};
			offer(&state->smallest_durations, shortest, &at);
			offer(&state->largest_durations, longest, &at);
			offer(&state->smallest_variances, longest - shortest, &at);
			offer(&state->largest_variances, longest - shortest, &at);
			state->aggregate->interval_count++;
		}
		later = point;
	}
	for (size_t i = 0; i < state->count; i++)
		walk_free(&state->walks[i]);
	return rc < 0 ? out_of_memory(state) : 0;
}

/* Below 0, 0 or above 0 as the left track comes before, with, or behind the right one. */
static int compare(const struct track *left, const struct track *right)
{
	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	if (left->count != right->count)
		return left->count < right->count ? -1 : 1;
	return left->overlaps - right->overlaps;
}

/* Finds the tracks that all profiles have, in one go over their sorted lists. */
static int match_tracks(struct state *state, const struct track **group, size_t *next, size_t *matched)
{
	for (size_t first = 0; first < state->tracks[0].count; first++) {
		const struct track *track = group[0] = &state->tracks[0].tracks[first];
		bool everywhere = !track->overlaps;
		int rc;

		for (size_t i = 1; i < state->count; i++) {
			const struct tracks *others = &state->tracks[i];

			while (next[i] < others->count && compare(&others->tracks[next[i]], track) < 0)
				next[i]++;
			if (next[i] < others->count && compare(&others->tracks[next[i]], track) == 0)
				group[i] = &others->tracks[next[i]];
			else
				everywhere = false;
		}
		if (!everywhere) {
			state->aggregate->skipped_threads++;
			state->aggregate->skipped_events += track->count;
			continue;
		}
		for (size_t i = 1; i < state->count; i++)
			next[i]++;
		++*matched;
		rc = take_tracks(state, group);
		if (rc)
			return rc;
	}
	return 0;
}

static void print_text(FILE *out, const struct mmp_text *text)
{
	fwrite(text->bytes, 1, text->size, out);
}

/* Prints an event as `label(argument, argument)`, with its kind if that is neither a query nor an activity. */
static int print_event(const struct mmp_reader *profile, size_t index, FILE *out, struct error *err)
{
	struct mmp_cursor cursor = mmp_begin(profile);
	struct mmp_buffer buffer = {0};
	struct mmp_text text, arguments, argument;
	struct mmp_error reason;
	struct mmp_event event;
	const char *separator = "";
	int rc;

	cursor.next = index;
	mmp_next(&cursor, &event);
	rc = mmp_text_of(profile, event.kind, &buffer, &text, &reason);
	if (!rc) {
		static const char query[] = MMP_KIND_QUERY, activity[] = MMP_KIND_GENERIC_ACTIVITY;

		if (!(text.size == strlen(query) && !memcmp(text.bytes, query, text.size)) &&
		    !(text.size == strlen(activity) && !memcmp(text.bytes, activity, text.size))) {
			print_text(out, &text);
			fputc(' ', out);
		}
		rc = mmp_event_text_of(profile, event.id, &buffer, &text, &arguments, &reason);
	}
	if (!rc) {
		fputc('`', out);
		print_text(out, &text);
		fputc('(', out);
		while (mmp_next_argument(&arguments, &argument)) {
			fputs(separator, out);
			print_text(out, &argument);
			separator = ", ";
		}
		fputs(")`", out);
	}
	mmp_buffer_free(&buffer);
	return rc ? error_set(err, rc, "%s", reason.text) : 0;
}

/* Prints texts and events in turn: a text, then the event behind it. Ends at a NULL text. */
static int print_words(const struct state *state, const struct track *track, FILE *out, const char *const *texts,
		       const size_t *events)
{
	int rc = 0;

	for (size_t i = 0; texts[i] && !rc; i++) {
		fputs(texts[i], out);
		if (events[i] != NO_EVENT)
			rc = print_event(state->profiles[0], track->events[events[i]].index, out, state->err);
	}
	return rc;
}

static int print_interval(const struct state *state, const struct interval *at, FILE *out)
{
	const struct point *start = &at->start, *end = &at->end;

	if (start->type == POINT_START && end->type == POINT_END)
		return print_words(state, at->track, out, (const char *const[]){"", NULL},
				   (const size_t[]){start->event});
	if (start->type == POINT_START)
		return print_words(state, at->track, out, (const char *const[]){"in ", ", before ", NULL},
				   (const size_t[]){start->event, end->event});
	if (end->type == POINT_END)
		return print_words(state, at->track, out, (const char *const[]){"in ", ", after ", NULL},
				   (const size_t[]){end->event, start->event});
	if (start->parent == NO_EVENT)
		return print_words(state, at->track, out, (const char *const[]){"between ", " and ", NULL},
				   (const size_t[]){start->event, end->event});
	return print_words(state, at->track, out,
			   (const char *const[]){"in ", ",\n    between ", "\n        and ", "\n", NULL},
			   (const size_t[]){start->parent, start->event, end->event, NO_EVENT});
}

static int describe(const struct state *state, const struct interval *at, char **text)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	int rc;

	if (!out)
		return out_of_memory(state);
	rc = print_interval(state, at, out);
	if (fclose(out) && !rc)
		rc = out_of_memory(state);
	return rc;
}

static int finish(const struct state *state, const struct candidates *list, struct extremes *extremes)
{
	int rc = 0;

	for (size_t i = 0; i < list->count && !rc; i++) {
		struct extreme *extreme = &extremes->values[extremes->count++];

		extreme->ns = list->values[i].ns;
		extreme->count = list->values[i].count;
		if (extreme->count == 1)
			rc = describe(state, &list->values[i].at, &extreme->description);
	}
	return rc;
}

/* Sets the sentence about two profiles of one thread each, which have different events. */
static int first_difference(const struct state *state, const struct track *left, size_t other)
{
	const struct track *right = &state->tracks[other].tracks[0];
	size_t at = 0, size;
	char *text = NULL;
	FILE *out;

	while (at < left->count && at < right->count && left->events[at].hash == right->events[at].hash)
		at++;
	if (at == left->count && at == right->count)
		return error_set(state->err, EINVAL,
				 "aggregate needs profiles of the same events: in %s they lie otherwise in each other "
				 "than in %s",
				 mmp_path(state->profiles[other]), mmp_path(state->profiles[0]));
	out = open_memstream(&text, &size);
	if (!out)
		return out_of_memory(state);
	for (size_t i = 0; i < 2; i++) {
		const struct track *track = i ? right : left;

		fputs(i ? ", but " : "", out);
		if (at == track->count)
			fputs("nothing", out);
		else
			print_event(state->profiles[i ? other : 0], track->events[at].index, out, NULL);
		fprintf(out, " in %s", mmp_path(state->profiles[i ? other : 0]));
	}
	if (fclose(out)) {
		free(text);
		return out_of_memory(state);
	}
	error_set(state->err, EINVAL, "aggregate needs profiles of the same events: the %zu. one is %s", at + 1, text);
	free(text);
	return -EINVAL;
}

static int no_match(const struct state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct tracks *tracks = &state->tracks[i];

		if (state->tracks[0].count != 1 || tracks->count != 1)
			break;
		if (tracks->tracks[0].overlaps)
			return error_set(
			    state->err, EINVAL,
			    "%s: it has events that overlap, so there is no telling what lies between them",
			    mmp_path(state->profiles[i]));
		if (compare(&tracks->tracks[0], &state->tracks[0].tracks[0]))
			return first_difference(state, &state->tracks[0].tracks[0], i);
	}
	return error_set(
	    state->err, EINVAL,
	    "aggregate needs profiles of the same events: no thread of %s has the same ones in all profiles",
	    mmp_path(state->profiles[0]));
}

static bool any_events(const struct state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		if (state->tracks[i].count)
			return true;
	}
	return false;
}

static int find_unit(struct state *state)
{
	const char *unit = profile_unit(state->profiles[0]), *counter = profile_counter(state->profiles[0]);

	for (size_t i = 1; i < state->count; i++) {
		const char *other = profile_counter(state->profiles[i]);

		if (strcmp(counter, other) != 0)
			return error_set(state->err, EINVAL,
					 "aggregate needs profiles of the same counter: %s counts %s, but %s %s",
					 mmp_path(state->profiles[0]), counter, mmp_path(state->profiles[i]), other);
	}
	if (unit)
		state->aggregate->unit = strdup(unit);
	return unit && !state->aggregate->unit ? out_of_memory(state) : 0;
}

static int aggregate(struct state *state)
{
	const struct track **group = calloc(state->count, sizeof(struct track *));
	size_t *next = calloc(state->count, sizeof(*next)), matched = 0;
	struct aggregate *result = state->aggregate;
	int rc = 0;

	for (size_t i = 0; i < state->count && !rc; i++)
		rc = tracks_read(state->profiles[i], &state->tracks[i], state->err);
	if (!rc)
		rc = group && next ? match_tracks(state, group, next, &matched) : out_of_memory(state);
	if (!rc && !matched && any_events(state))
		rc = no_match(state);
	if (!rc)
		rc = finish(state, &state->smallest_durations, &result->smallest_durations);
	if (!rc)
		rc = finish(state, &state->largest_durations, &result->largest_durations);
	if (!rc)
		rc = finish(state, &state->smallest_variances, &result->smallest_variances);
	if (!rc)
		rc = finish(state, &state->largest_variances, &result->largest_variances);
	free(group);
	free(next);
	return rc;
}

int aggregate_profiles(const struct mmp_reader *const *profiles, size_t count, struct aggregate *result,
		       struct error *err)
{
	struct state state = {
	    .profiles = profiles,
	    .tracks = calloc(count, sizeof(*state.tracks)),
	    .count = count,
	    .walks = calloc(count, sizeof(*state.walks)),
	    .largest_durations = {.largest = true},
	    .largest_variances = {.largest = true},
	    .aggregate = result,
	    .err = err,
	};
	int rc;

	*result = (struct aggregate){0};
	rc = state.tracks && state.walks ? find_unit(&state) : out_of_memory(&state);
	if (!rc)
		rc = aggregate(&state);
	for (size_t i = 0; i < count && state.tracks; i++)
		tracks_free(&state.tracks[i]);
	free(state.tracks);
	free(state.walks);
	if (rc)
		aggregate_free(result);
	return rc;
}

static void free_extremes(struct extremes *extremes)
{
	for (size_t i = 0; i < extremes->count; i++)
		free(extremes->values[i].description);
}

void aggregate_free(struct aggregate *result)
{
	free_extremes(&result->smallest_durations);
	free_extremes(&result->largest_durations);
	free_extremes(&result->smallest_variances);
	free_extremes(&result->largest_variances);
	free(result->unit);
	*result = (struct aggregate){0};
}
