/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/artifacts.h"
#include "collect/profile_private.h"
#include "util/path.h"

enum { NUMBERS = 0x10000 }; /* that intervals can have */

struct profile *profile_new(const struct profile_place *place, const struct plan *plan, const struct timing *timing,
			    const struct wire_compiler *record)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile)
		return NULL;
	profile->place = place;
	profile->plan = plan;
	profile->timing = timing;
	profile->compiler = record->compiler;
	profile->tgid = record->header.tgid;
	profile->start = record->start;
	profile->joined = record->joined;
	profile->args_announced = record->header.count;
	profile->args = calloc(1, (size_t)record->header.count + 1);
	profile->query_labels = calloc(plan->query_count + 1, sizeof(*profile->query_labels));
	profile->activity_labels = calloc(plan->activity_count + 1, sizeof(*profile->activity_labels));
	profile->artifacts = artifacts_new();
	if (place->overhead.mode == OVERHEAD_COUNTS)
		profile->counts = calloc(NUMBERS, sizeof(*profile->counts));
	if ((place->overhead.mode == OVERHEAD_COUNTS && !profile->counts) || !profile->args || !profile->query_labels ||
	    !profile->activity_labels || !profile->artifacts) {
		profile_free(profile);
		return NULL;
	}
	return profile;
}

void profile_add_args(struct profile *profile, const char *bytes, size_t size)
{
	char *grown = realloc(profile->args, profile->args_length + size + 1);

	if (!grown)
		return;
	profile->args = grown;
	memcpy(profile->args + profile->args_length, bytes, size);
	profile->args_length += size;
	profile->args[profile->args_length] = '\0';
}

static int from_mmp(int code, const struct mmp_error *from, struct error *err)
{
	return error_set(err, code, "%s", from->text);
}

/* A path that no other profile has: two compilations of one crate may, rarely, get the same process id. */
static void choose_path(struct profile *profile, char *path, size_t size)
{
	const char *directory = profile->place->directory, *crate = profile->crate;

	crate_name(profile->args, profile->args_length, profile->crate, sizeof(profile->crate));
	snprintf(path, size, "%s/%s-%07u" MMP_EXTENSION, directory, crate, profile->tgid);
	for (unsigned int i = 2; access(path, F_OK) == 0; i++)
		snprintf(path, size, "%s/%s-%07u-%u" MMP_EXTENSION, directory, crate, profile->tgid, i);
}

static const char *const kind_names[EVENT_CLASSES] = {
    [EVENT_QUERY] = MMP_KIND_QUERY,
    [EVENT_ACTIVITY] = MMP_KIND_GENERIC_ACTIVITY,
    [EVENT_INCREMENTAL_LOAD] = MMP_KIND_INCREMENTAL_LOAD,
    [EVENT_RESULT_HASHING] = MMP_KIND_RESULT_HASHING,
    [EVENT_QUERY_BLOCKED] = MMP_KIND_QUERY_BLOCKED,
};

static int open_writer(struct profile *profile, struct error *err)
{
	struct mmp_writer_options options = {
	    .set_owner = profile->place->set_owner,
	    .uid = profile->place->uid,
	    .gid = profile->place->gid,
	    .clock_origin = profile->start,
	};
	struct mmp_error error;
	char path[4096];
	int code;

	choose_path(profile, path, sizeof(path));
	profile->path = strdup(path);
	code = mmp_writer_create(path, &options, &profile->writer, &error);
	for (int i = 0; i < EVENT_CLASSES && code == 0; i++)
		if (profile->place->events & COLLECT_EVENT(i))
			code = mmp_alloc_string(profile->writer, kind_names[i], strlen(kind_names[i]),
						&profile->kinds[i], &error);
	if (code < 0) {
		profile->failed = true;
		return from_mmp(code, &error, err);
	}
	return 0;
}

void profile_add_text(struct profile *profile, const struct wire_text *record)
{
	struct text *text = calloc(1, sizeof(*text));
	struct mmp_error error;

	if (!text)
		return;
	text->argument = record->argument;
	if ((!profile->writer && (profile->failed || open_writer(profile, NULL) < 0)) ||
	    mmp_alloc_string(profile->writer, record->bytes, record->header.count, &text->string, &error) < 0) {
		free(text);
		return;
	}
	HASH_ADD(hh, profile->texts, argument, sizeof(text->argument), text);
}

/* What an interval's number says. `name` is NULL if nothing. A result whose query is not known is rustc's <unknown>. */
struct named {
	enum event_class event;
	const char *name;
	uint64_t *label;
};

static struct named look_up(const struct profile *profile, uint64_t number)
{
	static const enum event_class classes[] = {
	    [WIRE_CLASS_QUERY] = EVENT_QUERY,
	    [WIRE_CLASS_LOAD] = EVENT_INCREMENTAL_LOAD,
	    [WIRE_CLASS_HASHING] = EVENT_RESULT_HASHING,
	    [WIRE_CLASS_BLOCKED] = EVENT_QUERY_BLOCKED,
	};
	struct named named = {.event = EVENT_ACTIVITY};

	if (number >= WIRE_ACTIVITIES) {
		number -= WIRE_ACTIVITIES;
		if (number < profile->plan->activity_count) {
			named.name = profile->plan->activities[number].label;
			named.label = &profile->activity_labels[number];
		}
		return named;
	}
	named.event = classes[number >> 12];
	number &= WIRE_MAX_QUERIES;
	if (number == WIRE_QUERY_NONE && named.event != EVENT_QUERY) {
		named.name = "<unknown>";
		named.label = &profile->query_labels[profile->plan->query_count];
	}
	if (number != WIRE_QUERY_NONE && number <= profile->plan->query_count) {
		named.name = profile->plan->queries[number - 1].name;
		named.label = &profile->query_labels[number];
	}
	return named;
}

/* Adds the text that an activity has as its argument to its event id, if that text has come. */
static int add_text(struct profile *profile, uint64_t argument, uint64_t *id, struct mmp_error *error)
{
	struct text *text;
	int code;

	HASH_FIND(hh, profile->texts, &argument, sizeof(argument), text);
	if (!text)
		return 0;
	code = mmp_alloc_event_id(profile->writer, *id, &text->string, 1, id, error);
	HASH_DEL(profile->texts, text);
	free(text);
	return code;
}

/* Adds a query's key to its event id, in the words of rustc's Debug implementations. 0 stands for one not read. */
static int add_key(struct profile *profile, uint64_t key, uint64_t *id, struct mmp_error *error)
{
	char text[64] = "<not a plain id>";
	uint64_t string;
	int code;

	if (KEY_KIND(key) == KEY_UNIT)
		snprintf(text, sizeof(text), "()");
	else if (KEY_KIND(key) == KEY_CRATE)
		snprintf(text, sizeof(text), "crate%u", KEY_INDEX(key));
	else if (key)
		snprintf(text, sizeof(text), "DefId(%u:%u)", KEY_CRATE_OF(key), KEY_INDEX(key));
	code = mmp_alloc_string(profile->writer, text, strlen(text), &string, error);
	return code < 0 ? code : mmp_alloc_event_id(profile->writer, *id, &string, 1, id, error);
}

/* Says of an event that it had begun when its process was joined. */
static int add_before(struct profile *profile, uint64_t *id, struct mmp_error *error)
{
	static const char text[] = "<begun before recording>";
	uint64_t string;
	int code = mmp_alloc_string(profile->writer, text, sizeof(text) - 1, &string, error);

	profile->before++;
	return code < 0 ? code : mmp_alloc_event_id(profile->writer, *id, &string, 1, id, error);
}

static void count_event(struct profile *profile, enum event_class event)
{
	if (event == EVENT_QUERY)
		profile->queries++;
	else
		profile->others++;
}

static int write_interval(struct profile *profile, uint32_t thread, const struct wire_interval *interval,
			  const struct named *named, struct mmp_error *error)
{
	bool has_argument = interval->length_and_flags & INTERVAL_ARGUMENT;
	uint64_t argument = has_argument ? interval[1].start_and_number : 0;
	uint64_t start = interval->start_and_number & WIRE_TIME_MASK, id;
	uint64_t end = start + (interval->length_and_flags & WIRE_TIME_MASK);
	int code = 0;

	if (profile->counts) {
		profile->counts[interval->start_and_number >> 48]++;
		count_event(profile, named->event);
		return 0;
	}
	if (!*named->label)
		code = mmp_alloc_string(profile->writer, named->name, strlen(named->name), named->label, error);
	id = *named->label;
	if (code == 0 && named->event == EVENT_QUERY && (profile->place->events & COLLECT_KEYS))
		code = add_key(profile, argument, &id, error);
	else if (code == 0 && argument)
		code = add_text(profile, argument, &id, error);
	if (code == 0 && (interval->length_and_flags & INTERVAL_BEFORE))
		code = add_before(profile, &id, error);
	if (code < 0)
		return code;
	count_event(profile, named->event);
	return mmp_record_interval(profile->writer, profile->kinds[named->event], id, thread, start, end, error);
}

int profile_add_intervals(struct profile *profile, const struct wire_intervals *record, size_t count, uint64_t *unnamed,
			  struct error *err)
{
	size_t step;

	if (!profile->writer && !profile->failed) {
		int code = open_writer(profile, err);

		if (code < 0)
			return code;
	}
	for (size_t i = 0; i < count && !profile->failed; i += step) {
		const struct wire_interval *interval = &record->intervals[i];
		struct named named = look_up(profile, interval->start_and_number >> 48);
		struct mmp_error error;
		int code;

		step = interval->length_and_flags & INTERVAL_ARGUMENT ? 2 : 1;
		if (!(profile->place->events & COLLECT_EVENT(named.event)))
			continue;
		if (!timing_keeps(profile->timing, interval)) {
			profile->gone_unwound += (interval->length_and_flags & INTERVAL_UNWOUND) != 0;
			profile->gone_truncated += (interval->length_and_flags & INTERVAL_TRUNCATED) != 0;
			continue;
		}
		if (!named.name) {
			(*unnamed)++;
			continue;
		}
		code = write_interval(profile, record->header.tid, interval, &named, &error);
		if (code < 0) {
			profile->failed = true;
			return from_mmp(code, &error, err);
		}
	}
	return 0;
}

void profile_add_file(struct profile *profile, const struct wire_file *record)
{
	artifacts_note_file(profile->artifacts, record);
}

void profile_add_rename(struct profile *profile, const struct wire_rename *record)
{
	artifacts_note_rename(profile->artifacts, record);
}

struct artifact_writing {
	struct profile *profile;
	uint64_t kind;
	int code;
	struct mmp_error error;
};

static void write_artifact(void *context, const struct artifact *artifact)
{
	struct artifact_writing *writing = context;
	struct profile *profile = writing->profile;
	uint64_t label, argument, id;

	if (writing->code == 0)
		writing->code = mmp_alloc_string(profile->writer, artifact->label, strlen(artifact->label), &label,
						 &writing->error);
	if (writing->code == 0)
		writing->code = mmp_alloc_string(profile->writer, artifact->argument, strlen(artifact->argument),
						 &argument, &writing->error);
	if (writing->code == 0)
		writing->code = mmp_alloc_event_id(profile->writer, label, &argument, 1, &id, &writing->error);
	if (writing->code == 0)
		writing->code = mmp_record_integer(profile->writer, writing->kind, id, artifact->thread, artifact->size,
						   &writing->error);
	if (writing->code == 0)
		profile->others++;
}

int profile_write_artifacts(struct profile *profile, bool succeeded, struct error *err)
{
	struct artifact_writing writing = {.profile = profile};

	if (!(profile->place->events & COLLECT_SIZES) || !profile_has_files(profile) || profile->failed)
		return 0;
	if (!profile->writer) {
		int code = open_writer(profile, err);

		if (code < 0)
			return code;
	}
	writing.code = mmp_alloc_string(profile->writer, MMP_KIND_ARTIFACT_SIZE, strlen(MMP_KIND_ARTIFACT_SIZE),
					&writing.kind, &writing.error);
	artifacts_find(profile->artifacts, profile->args, profile->args_length, succeeded, write_artifact, &writing);
	if (writing.code < 0) {
		profile->failed = true;
		return from_mmp(writing.code, &writing.error, err);
	}
	return 0;
}

/* Writes how often each event came, where they are only counted. */
static int write_counts(struct profile *profile, struct mmp_error *error)
{
	uint64_t kinds[EVENT_CLASSES] = {0};
	int code = 0;

	for (uint64_t number = 0; number < NUMBERS && code == 0; number++) {
		struct named named = look_up(profile, number);
		char kind[64];

		if (!profile->counts[number] || !named.name)
			continue;
		snprintf(kind, sizeof(kind), "%s" MMP_COUNT_SUFFIX, kind_names[named.event]);
		if (!kinds[named.event])
			code = mmp_alloc_string(profile->writer, kind, strlen(kind), &kinds[named.event], error);
		if (code == 0 && !*named.label)
			code = mmp_alloc_string(profile->writer, named.name, strlen(named.name), named.label, error);
		if (code == 0)
			code = mmp_record_integer(profile->writer, kinds[named.event], *named.label, profile->tgid,
						  profile->counts[number], error);
	}
	return code;
}

int profile_finish(struct profile *profile, const struct wire_counts *counts, struct error *err)
{
	struct mmp_error error = {"out of memory"};
	char *text = NULL;
	int code = profile->failed ? -EIO : 0;

	if (!profile->writer && !profile->failed) {
		code = open_writer(profile, err);
		if (code < 0)
			return code;
	}
	if (profile->failed)
		return code;
	if (profile->counts)
		code = write_counts(profile, &error);
	if (code == 0)
		code = profile_metadata(profile, counts, &text, &error);
	if (code == 0) {
		code = mmp_writer_finish(profile->writer, text, &error);
		profile->writer = NULL;
	}
	free(text);
	return code < 0 ? from_mmp(code, &error, err) : 0;
}

void profile_free(struct profile *profile)
{
	struct text *text, *next;

	if (!profile)
		return;
	mmp_writer_abort(profile->writer);
	HASH_ITER(hh, profile->texts, text, next)
	{
		HASH_DEL(profile->texts, text);
		free(text);
	}
	artifacts_free(profile->artifacts);
	free(profile->counts);
	free(profile->query_labels);
	free(profile->activity_labels);
	free(profile->path);
	free(profile->args);
	free(profile);
}

void profile_settle(const struct profile *profile, struct wire_counts *counts)
{
	counts->unwound -= profile->gone_unwound < counts->unwound ? profile->gone_unwound : counts->unwound;
	counts->truncated -= profile->gone_truncated < counts->truncated ? profile->gone_truncated : counts->truncated;
}

uint32_t profile_compiler(const struct profile *profile)
{
	return profile->compiler;
}

uint64_t profile_start(const struct profile *profile)
{
	return profile->start;
}

const char *profile_crate(const struct profile *profile)
{
	return profile->crate;
}

const char *profile_file(const struct profile *profile)
{
	return profile->path ? path_name(profile->path) : NULL;
}

bool profile_joined_crate(const struct profile *profile)
{
	char crate[128];

	crate_name(profile->args, profile->args_length, crate, sizeof(crate));
	return profile->joined && strcmp(crate, CRATE_UNKNOWN) != 0 && strcmp(crate, CRATE_ASKED) != 0;
}

const char *profile_args(const struct profile *profile, size_t *length)
{
	*length = profile->args_length;
	return profile->args;
}

bool profile_begins(struct profile *profile, bool at_once)
{
	if (profile->begun || (profile->args_length < profile->args_announced && !at_once))
		return false;
	profile->begun = true;
	return true;
}

bool profile_joined(const struct profile *profile)
{
	return profile->joined;
}

uint32_t profile_tgid(const struct profile *profile)
{
	return profile->tgid;
}

uint64_t profile_queries(const struct profile *profile)
{
	return profile->queries;
}

uint64_t profile_others(const struct profile *profile)
{
	return profile->others;
}

bool profile_has_files(const struct profile *profile)
{
	return artifacts_noted(profile->artifacts);
}
