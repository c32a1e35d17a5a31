/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The metadata string of a profile, both ways. */
#include "mmprofdata/format.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* More units than this are not looked at. */
enum { MAX_UNITS = 16 };

/*
 * rustc escapes the command line by Rust's rules (char::escape_default), which are not quite those of JSON: \' and
 * \u{e9} are not known there. Returns a copy with JSON's escapes in their place, or NULL if out of memory.
 */
static char *rust_escapes_to_json(const char *text, size_t size, size_t *json_size)
{
	char *json = malloc(2 * size + 1), *to = json;
	const char *end = text + size;

	if (!json)
		return NULL;
	while (text < end) {
		char *stop;
		unsigned long code;

		if (*text != '\\' || end - text < 2) {
			*to++ = *text++;
			continue;
		}
		if (text[1] == '\'') {
			*to++ = '\'';
			text += 2;
			continue;
		}
		if (text[1] == 'u' && end - text > 3 && text[2] == '{') {
			code = strtoul(text + 3, &stop, 16);
			if (*stop == '}' && code <= 0x10FFFF && stop - text <= 9) {
				if (code < 0x10000)
					to += sprintf(to, "\\u%04lx", code);
				else
					to += sprintf(to, "\\u%04lx\\u%04lx", 0xD7C0 + (code >> 10),
						      0xDC00 + (code & 0x3FF));
				text = stop + 1;
				continue;
			}
		}
		*to++ = *text++;
		*to++ = *text++;
	}
	*to = '\0';
	*json_size = (size_t)(to - json);
	return json;
}

static json_t *load(const char *text, size_t size, bool lenient, json_error_t *reason)
{
	json_t *root = json_loadb(text, size, 0, reason);
	char *repaired;

	if (root || !lenient)
		return root;
	repaired = rust_escapes_to_json(text, size, &size);
	if (repaired) {
		root = json_loadb(repaired, size, 0, reason);
		free(repaired);
	}
	return root;
}

/* A profile's description of its counter; without a name if there is none that makes sense. */
static void take_counter(const json_t *object, struct mmp_unit units[MAX_UNITS], struct mmp_counter *counter)
{
	const json_t *name = json_object_get(object, "name"), *list = json_object_get(object, "units");
	size_t count = json_array_size(list);

	*counter = (struct mmp_counter){.name = json_string_value(name)};
	if (!counter->name || count > MAX_UNITS)
		return;
	for (size_t i = 0; i < count; i++) {
		const json_t *unit = json_array_get(list, i), *factor = json_array_get(unit, 1);

		units[i].name = json_string_value(json_array_get(unit, 0));
		if (!units[i].name || !json_is_integer(factor) || json_integer_value(factor) <= 0)
			return;
		units[i].factor = (uint64_t)json_integer_value(factor);
	}
	counter->units = units;
	counter->unit_count = count;
}

/* Takes the fields out of the JSON object `root`, whose types are checked here. */
static int take_fields(const json_t *root, struct mmp_metadata *fields, void **memory, struct mmp_error *err)
{
	const json_t *start_time = json_object_get(root, "start_time");
	const json_t *process_id = json_object_get(root, "process_id");
	const json_t *cmd = json_object_get(root, "cmd");
	const json_t *extra = json_object_get(root, "querytap");
	struct mmp_unit units[MAX_UNITS];
	struct mmp_counter counter;
	char *querytap = NULL, *text;
	size_t cmd_size, querytap_size = 0;
	int rc;

	if (!json_is_integer(start_time) || json_integer_value(start_time) < 0)
		return mmp_fail(err, EINVAL, "the metadata has no \"start_time\" in nanoseconds");
	if (!json_is_integer(process_id) || json_integer_value(process_id) < 0 ||
	    json_integer_value(process_id) > UINT32_MAX)
		return mmp_fail(err, EINVAL, "the metadata has no \"process_id\"");
	if (!json_is_string(cmd))
		return mmp_fail(err, EINVAL, "the metadata has no \"cmd\"");
	take_counter(json_object_get(root, "counter"), units, &counter);
	cmd_size = json_string_length(cmd) + 1;
	if (json_is_object(extra)) {
		querytap = json_dumps(extra, JSON_COMPACT);
		if (!querytap)
			return mmp_fail(err, ENOMEM, "out of memory for the metadata");
		querytap_size = strlen(querytap) + 1;
	}
	rc = mmp_counter_copy(&counter, cmd_size + querytap_size, &fields->counter, memory, &text);
	if (rc) {
		free(querytap);
		return mmp_fail(err, ENOMEM, "out of memory for the metadata");
	}
	fields->start_time = (uint64_t)json_integer_value(start_time);
	fields->process_id = (uint32_t)json_integer_value(process_id);
	fields->cmd = memcpy(text, json_string_value(cmd), cmd_size);
	fields->querytap = querytap ? memcpy(text + cmd_size, querytap, querytap_size) : NULL;
	free(querytap);
	return 0;
}

int mmp_metadata_parse(const char *json, size_t size, bool lenient, struct mmp_metadata *fields, void **memory,
		       struct mmp_error *err)
{
	char *terminated = strndup(json, size);
	json_error_t reason;
	json_t *root;
	int rc;

	if (!terminated)
		return mmp_fail(err, ENOMEM, "out of memory for the metadata");
	root = load(terminated, strlen(terminated), lenient, &reason);
	free(terminated);
	if (!root)
		return mmp_fail(err, EINVAL, "the metadata is not JSON: %s", reason.text);
	rc = take_fields(root, fields, memory, err);
	json_decref(root);
	return rc;
}

/* Prints the field `key`, whose value must be valid JSON. */
static int print_extra(FILE *out, const char *key, const char *json, struct mmp_error *err)
{
	static const char *const taken[] = {"start_time", "process_id", "cmd", "counter"};
	json_error_t reason;
	json_t *name = json_string(key), *value = json_loads(json, JSON_DECODE_ANY, &reason);
	char *quoted = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
	int rc = 0;

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(key, taken[i]) == 0)
			rc = mmp_fail(err, EINVAL, "metadata: the field \"%s\" is rustc's own", key);
	}
	if (!rc && !value)
		rc = mmp_fail(err, EINVAL, "metadata: the value of \"%s\" is not JSON: %s", key, reason.text);
	if (!rc && !quoted)
		rc = mmp_fail(err, EINVAL, "metadata: \"%s\" cannot be the name of a field", key);
	if (!rc)
		fprintf(out, ", %s: %s", quoted, json);
	free(quoted);
	json_decref(name);
	json_decref(value);
	return rc;
}

/* Prints a counter as measureme's Profiler::with_counter does. */
static int print_counter(FILE *out, const struct mmp_counter *counter, struct mmp_error *err)
{
	json_t *name = json_string(counter->name);
	int rc = name ? 0 : -EINVAL;

	fputs("\"counter\": { \"name\": ", out);
	if (!rc)
		rc = json_dumpf(name, out, JSON_ENCODE_ANY);
	json_decref(name);
	fputs(", \"units\": [", out);
	for (size_t i = 0; i < counter->unit_count && !rc; i++) {
		json_t *unit = json_string(counter->units[i].name);

		fputs(i ? ", [" : "[", out);
		rc = unit ? json_dumpf(unit, out, JSON_ENCODE_ANY) : -EINVAL;
		fprintf(out, ", %llu]", (unsigned long long)counter->units[i].factor);
		json_decref(unit);
	}
	fputs("] }", out);
	return rc ? mmp_fail(err, EINVAL, "metadata: the counter's names are not UTF-8 text") : 0;
}

int mmp_metadata_text(const struct mmp_metadata *fields, const struct mmp_extra *extras, size_t extra_count,
		      char **text, struct mmp_error *err)
{
	json_t *cmd = json_string(fields->cmd);
	char *quoted = cmd ? json_dumps(cmd, JSON_ENCODE_ANY) : NULL;
	size_t size = 0;
	FILE *out;
	int rc = 0;

	*text = NULL;
	json_decref(cmd);
	if (!quoted)
		return mmp_fail(err, EINVAL, "metadata: the command line is not UTF-8 text");
	out = open_memstream(text, &size);
	if (!out) {
		free(quoted);
		return mmp_fail(err, ENOMEM, "metadata: out of memory");
	}
	fprintf(out, "{ \"start_time\": %llu, \"process_id\": %u, \"cmd\": %s, ",
		(unsigned long long)fields->start_time, fields->process_id, quoted);
	free(quoted);
	rc = print_counter(out, fields->counter.name ? &fields->counter : &mmp_wall_time, err);
	for (size_t i = 0; i < extra_count && !rc; i++)
		rc = print_extra(out, extras[i].key, extras[i].json, err);
	if (!rc && fields->querytap)
		rc = print_extra(out, "querytap", fields->querytap, err);
	fputs(" }", out);
	if (fclose(out) != 0 && !rc)
		rc = mmp_fail(err, ENOMEM, "metadata: out of memory");
	if (rc) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

int mmp_quote_command(size_t argc, const char *const *argv, char **text, struct mmp_error *err)
{
	struct mmp_buffer buffer = {0};
	int rc = 0;

	for (size_t i = 0; i < argc && !rc; i++) {
		rc = mmp_buffer_append_lossy(&buffer, argv[i], strlen(argv[i]), err);
		if (!rc)
			rc = mmp_buffer_append(&buffer, " ", 1, err);
	}
	if (!rc)
		rc = mmp_buffer_append(&buffer, "", 1, err);
	if (rc)
		mmp_buffer_free(&buffer);
	*text = buffer.bytes;
	return rc;
}

/* The calling process's arguments, as /proc has them. */
static int own_command(char **text, struct mmp_error *err)
{
	FILE *file = fopen("/proc/self/cmdline", "re");
	struct mmp_buffer command = {0};
	char *argument = NULL;
	size_t size = 0;
	int rc = 0;

	while (file && !rc && getdelim(&argument, &size, '\0', file) > 0) {
		rc = mmp_buffer_append_lossy(&command, argument, strlen(argument), err);
		if (!rc)
			rc = mmp_buffer_append(&command, " ", 1, err);
	}
	free(argument);
	if (file)
		fclose(file);
	if (!rc)
		rc = mmp_buffer_append(&command, "", 1, err);
	if (rc)
		mmp_buffer_free(&command);
	*text = command.bytes;
	return rc;
}

int mmp_metadata_of_process(const struct mmp_counter *counter, uint64_t elapsed, char **text, struct mmp_error *err)
{
	struct mmp_metadata fields = {.process_id = (uint32_t)getpid(), .counter = *counter};
	struct timespec time;
	char *command;
	int rc = own_command(&command, err);

	*text = NULL;
	if (rc)
		return rc;
	clock_gettime(CLOCK_REALTIME, &time);
	fields.start_time = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec - elapsed;
	fields.cmd = command;
	rc = mmp_metadata_text(&fields, NULL, 0, text, err);
	free(command);
	return rc;
}
