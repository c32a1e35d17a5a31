/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/profile.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mmprofdata/mmprofdata.h"

struct profile {
	const struct profile_place *place;
	const struct plan *plan;
	uint32_t tgid;
	uint64_t start;
	bool joined, failed;
	uint64_t queries;
	char *args; /* NUL-separated; a NUL behind the last */
	size_t args_length;
	struct mmp_writer *writer;
	uint64_t kind;
	uint64_t *labels; /* by query number; 0 while not stored */
};

struct profile *profile_new(const struct profile_place *place, const struct plan *plan,
			    const struct wire_compiler *record)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile)
		return NULL;
	profile->place = place;
	profile->plan = plan;
	profile->tgid = record->header.tgid;
	profile->start = record->start;
	profile->joined = record->joined;
	profile->args = calloc(1, (size_t)record->header.count + 1);
	profile->labels = calloc(plan->query_count + 1, sizeof(*profile->labels));
	if (!profile->args || !profile->labels) {
		profile_abandon(profile);
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
static void choose_path(const struct profile *profile, char *path, size_t size)
{
	char crate[128];

	crate_name(profile->args, profile->args_length, crate, sizeof(crate));
	snprintf(path, size, "%s/%s-%07u" MMP_EXTENSION, profile->place->directory, crate, profile->tgid);
	for (unsigned int i = 2; access(path, F_OK) == 0; i++)
		snprintf(path, size, "%s/%s-%07u-%u" MMP_EXTENSION, profile->place->directory, crate, profile->tgid, i);
}

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
	code = mmp_writer_create(path, &options, &profile->writer, &error);
	if (code == 0)
		code =
		    mmp_alloc_string(profile->writer, MMP_KIND_QUERY, strlen(MMP_KIND_QUERY), &profile->kind, &error);
	if (code < 0) {
		profile->failed = true;
		return from_mmp(code, &error, err);
	}
	return 0;
}

static int write_interval(struct profile *profile, uint32_t thread, const struct wire_interval *interval,
			  struct mmp_error *error)
{
	uint64_t number = interval->start_and_query >> 48, start = interval->start_and_query & WIRE_TIME_MASK;
	uint64_t end = start + (interval->length_and_flags & WIRE_TIME_MASK);
	uint64_t *label = &profile->labels[number];

	if (!*label) {
		const char *name = profile->plan->queries[number - 1].name;
		int code = mmp_alloc_string(profile->writer, name, strlen(name), label, error);

		if (code < 0)
			return code;
	}
	return mmp_record_interval(profile->writer, profile->kind, *label, thread, start, end, error);
}

int profile_add_intervals(struct profile *profile, const struct wire_intervals *record, size_t count, uint64_t *unnamed,
			  struct error *err)
{
	if (!profile->writer && !profile->failed) {
		int code = open_writer(profile, err);

		if (code < 0)
			return code;
	}
	if (profile->failed)
		return 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t number = record->intervals[i].start_and_query >> 48;
		struct mmp_error error;
		int code;

		if (number == WIRE_QUERY_NONE || number > profile->plan->query_count) {
			(*unnamed)++;
			continue;
		}
		code = write_interval(profile, record->header.tid, &record->intervals[i], &error);
		if (code < 0) {
			profile->failed = true;
			return from_mmp(code, &error, err);
		}
		profile->queries++;
	}
	return 0;
}

/* The command line as rustc's own profiles have it. Free with free(). */
static int command_text(const struct profile *profile, char **text, struct mmp_error *error)
{
	size_t count = 0, at = 0;
	const char **arguments = calloc(profile->args_length + 1, sizeof(*arguments));
	int code;

	if (!arguments)
		return -ENOMEM;
	while (at < profile->args_length) {
		arguments[count++] = profile->args + at;
		at += strlen(profile->args + at) + 1;
	}
	code = mmp_quote_command(count, arguments, text, error);
	free(arguments);
	return code;
}

static char *own_metadata(const struct profile *profile, const struct wire_counts *counts)
{
	json_t *left_out = json_array();
	json_t *object;
	char *text;

	for (size_t i = 0; i < profile->plan->query_count; i++)
		if (profile->plan->queries[i].refusal)
			json_array_append_new(left_out, json_string(profile->plan->queries[i].name));
	object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "version", QUERYTAP_VERSION,
			   "compiler", profile->plan->version, "build_id", profile->plan->build_id, "queries",
			   (json_int_t)profile->queries, "lost", (json_int_t)counts->lost, "missed",
			   (json_int_t)counts->missed, "unwound", (json_int_t)counts->unwound, "truncated",
			   (json_int_t)counts->truncated, "too_deep", (json_int_t)counts->too_deep, "joined_running",
			   profile->joined, "left_out", left_out);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static int metadata_text(const struct profile *profile, const struct wire_counts *counts, char **text,
			 struct mmp_error *error)
{
	struct mmp_metadata metadata = {.start_time = profile->place->realtime_offset + profile->start,
					.process_id = profile->tgid};
	char *command = NULL, *own = own_metadata(profile, counts);
	int code = own ? command_text(profile, &command, error) : -ENOMEM;

	if (code == 0) {
		metadata.cmd = command;
		metadata.querytap = own;
		code = mmp_metadata_text(&metadata, NULL, 0, text, error);
	}
	free(command);
	free(own);
	return code;
}

int profile_finish(struct profile *profile, const struct wire_counts *counts, struct error *err)
{
	struct mmp_error error = {"out of memory"};
	char *text = NULL;
	int code = profile->failed ? -EIO : 0;

	if (!profile->writer && !profile->failed) {
		code = open_writer(profile, err);
		if (code < 0) {
			profile_abandon(profile);
			return code;
		}
	}
	if (profile->failed) {
		profile_abandon(profile);
		return code;
	}
	code = metadata_text(profile, counts, &text, &error);
	if (code == 0) {
		code = mmp_writer_finish(profile->writer, text, &error);
		profile->writer = NULL;
	}
	free(text);
	profile_abandon(profile);
	return code < 0 ? from_mmp(code, &error, err) : 0;
}

void profile_abandon(struct profile *profile)
{
	if (!profile)
		return;
	mmp_writer_abort(profile->writer);
	free(profile->labels);
	free(profile->args);
	free(profile);
}

uint32_t profile_tgid(const struct profile *profile)
{
	return profile->tgid;
}

uint64_t profile_queries(const struct profile *profile)
{
	return profile->queries;
}
