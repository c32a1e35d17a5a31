/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Reads build.json (docs/build.md). Whatever it holds may be wrong: all of it is checked before it is used. */
#include "analysis/recorded.h"

#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "util/path.h"

enum { FORMAT = 1 };

/* Times beyond this, some 146 years, are no times; sums of two of them do not overflow. */
#define TIME_LIMIT ((uint64_t)1 << 62)

static int damaged(const char *path, struct error *err, const char *what)
{
	return error_set(err, EINVAL, "%s is damaged: %s", path, what);
}

/* A number that is no less than 0. */
static bool get_number(const json_t *object, const char *key, uint64_t *number)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = (uint64_t)json_integer_value(value);
	return *number < TIME_LIMIT;
}

/* The same, or null: RECORDED_UNKNOWN. */
static bool get_known(const json_t *object, const char *key, int64_t *number)
{
	uint64_t known;

	*number = RECORDED_UNKNOWN;
	if (json_is_null(json_object_get(object, key)))
		return true;
	if (!get_number(object, key, &known))
		return false;
	*number = (int64_t)known;
	return true;
}

static bool get_small(const json_t *object, const char *key, int *number)
{
	int64_t known;

	if (!get_known(object, key, &known) || known > INT32_MAX)
		return false;
	*number = (int)known;
	return true;
}

static bool get_flag(const json_t *object, const char *key, bool *flag)
{
	const json_t *value = json_object_get(object, key);

	*flag = json_is_true(value);
	return json_is_boolean(value);
}

/* The arguments joined by blanks; NULL if they are none, or if out of memory. */
static char *join_command(const json_t *arguments)
{
	size_t size = 1, at = 0;
	char *command;

	for (size_t i = 0; i < json_array_size(arguments); i++) {
		if (!json_is_string(json_array_get(arguments, i)))
			return NULL;
		size += json_string_length(json_array_get(arguments, i)) + 1;
	}
	command = calloc(1, size);
	for (size_t i = 0; command && i < json_array_size(arguments); i++) {
		const json_t *argument = json_array_get(arguments, i);

		if (i)
			command[at++] = ' ';
		memcpy(command + at, json_string_value(argument), json_string_length(argument));
		at += json_string_length(argument);
	}
	return command;
}

/* Cargo puts a package's build script into build/PACKAGE-HASH/. The name is allocated. */
static char *name_of_script(const char *path)
{
	const char *file = path_name(path), *folder = file > path ? file - 1 : path, *dash;
	char *name = NULL;

	while (folder > path && folder[-1] != '/')
		folder--;
	dash = memrchr(folder, '-', (size_t)(file - folder));
	if (!dash || asprintf(&name, "%.*s’s build script", (int)(dash - folder), folder) < 0)
		return strdup(file);
	return name;
}

/* What programs are that link; compilers of C are, too, when rustc starts them. */
static bool is_linker(const char *name)
{
	static const char *const patterns[] = {"cc",	   "*gcc", "*gcc-[0-9]*", "*g++", "*clang", "*clang-[0-9]*",
					       "*clang++", "c++",  "collect2",	  "ld",	  "ld.*",   "*-ld",
					       "*lld",	   "mold", "wild"};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

/* Names the process by the first argument of its last program. */
static int name_process(struct recorded_process *process, const char *program)
{
	const char *name = path_name(program);

	if (fnmatch("*/build/*-*/build-script-*", program, 0) == 0) {
		process->kind = RECORDED_BUILD_SCRIPT;
		process->name = name_of_script(program);
	} else {
		process->kind = strcmp(name, "cargo") == 0 ? RECORDED_CARGO : RECORDED_OTHER;
		process->name = strdup(name);
	}
	return process->name ? 0 : -ENOMEM;
}

static int read_programs(const json_t *object, struct recorded_process *process)
{
	const json_t *programs = json_object_get(object, "programs"), *comm = json_object_get(object, "comm");
	const json_t *last = NULL, *arguments, *profile;
	const char *first;

	if (!json_is_array(programs) || !json_is_string(comm))
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(programs); i++) {
		last = json_array_get(programs, i);
		arguments = json_object_get(last, "command");
		profile = json_object_get(last, "profile");
		if (!json_is_array(arguments) || (profile && !json_is_string(profile)))
			return -EINVAL;
		free(process->command);
		process->command = join_command(arguments);
		if (!process->command)
			return json_array_size(arguments) ? -EINVAL : -ENOMEM;
		if (profile) {
			free(process->profile);
			process->profile = strdup(json_string_value(profile));
			if (!process->profile)
				return -ENOMEM;
		}
	}
	if (!process->command)
		process->command = strdup("");
	if (!process->command)
		return -ENOMEM;
	first = json_string_value(json_array_get(json_object_get(last, "command"), 0));
	return name_process(process, first && *first ? first : json_string_value(comm));
}

/* Reads the process at `index`, with times since the first one's start. */
static int read_process(const json_t *object, size_t index, uint64_t stopped, struct recorded_process *process)
{
	int64_t end, parent;
	uint64_t pid;
	int rc;

	if (!get_number(object, "pid", &pid) || pid > UINT32_MAX || !get_known(object, "parent", &parent) ||
	    !get_number(object, "start_ns", &process->start_ns) || !get_known(object, "end_ns", &end) ||
	    !get_flag(object, "joined", &process->joined) || !get_flag(object, "complete", &process->complete) ||
	    !get_small(object, "exit_code", &process->exit_code) || !get_small(object, "signal", &process->signal) ||
	    !get_known(object, "user_ns", &process->user_ns) || !get_known(object, "system_ns", &process->system_ns) ||
	    !get_known(object, "peak_bytes", &process->peak_bytes))
		return -EINVAL;
	rc = read_programs(object, process);
	if (rc)
		return rc;
	process->pid = (uint32_t)pid;
	process->parent = parent == RECORDED_UNKNOWN ? RECORDED_NONE : (size_t)parent;
	process->end_ns = end == RECORDED_UNKNOWN ? stopped : (uint64_t)end;
	/* What was lost with the record of its end may have come behind the recording's. */
	if (process->end_ns < process->start_ns && end == RECORDED_UNKNOWN)
		process->end_ns = process->start_ns;
	return process->end_ns < process->start_ns || process->parent == index ? -EINVAL : 0;
}

/* Tells compilers, and the linkers below them. */
static void find_kinds(struct recorded_build *recorded)
{
	bool *below = calloc(recorded->count + 1, sizeof(*below));

	for (size_t i = 0; i < recorded->count; i++) {
		struct recorded_process *process = &recorded->processes[i];

		if (process->profile)
			process->kind = RECORDED_COMPILER;
		if (!below || process->parent == RECORDED_NONE)
			continue;
		below[i] = below[process->parent] || recorded->processes[process->parent].kind == RECORDED_COMPILER;
		if (below[i] && process->kind == RECORDED_OTHER && is_linker(process->name))
			process->kind = RECORDED_LINKER;
	}
	free(below);
}

static int read_processes(const json_t *root, const char *path, uint64_t start, uint64_t stopped,
			  struct recorded_build *recorded, struct error *err)
{
	const json_t *list = json_object_get(root, "processes");
	char what[64];

	if (!json_is_array(list))
		return damaged(path, err, "it has no list of processes");
	recorded->count = 0;
	recorded->processes = calloc(json_array_size(list) + 1, sizeof(*recorded->processes));
	if (!recorded->processes)
		return error_set(err, ENOMEM, "%s: out of memory", path);
	recorded->start_ns = recorded->end_ns = start;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct recorded_process *process = &recorded->processes[recorded->count++];
		int rc = read_process(json_array_get(list, i), i, stopped, process);

		snprintf(what, sizeof(what), "its process number %zu makes no sense", i);
		/* By start, so that a parent comes before its children. */
		if (rc == 0 && process->parent != RECORDED_NONE && process->parent > i)
			rc = -EINVAL;
		if (rc)
			return rc == -ENOMEM ? error_set(err, ENOMEM, "%s: out of memory", path)
					     : damaged(path, err, what);
		process->start_ns += start;
		process->end_ns += start;
		if (process->end_ns > recorded->end_ns)
			recorded->end_ns = process->end_ns;
	}
	find_kinds(recorded);
	return 0;
}

static int read_root(const json_t *root, const char *path, struct recorded_build *recorded, struct error *err)
{
	const char *text = json_string_value(json_object_get(root, "start_realtime_ns"));
	uint64_t format, start, stopped;
	char *end = NULL;

	if (!get_number(root, "format", &format))
		return damaged(path, err, "it does not say its format");
	if (format != FORMAT)
		return error_set(err, EINVAL, "%s is of format %" PRIu64 ", which this querytap does not know", path,
				 format);
	errno = 0;
	start = text ? strtoull(text, &end, 10) : 0;
	if (!text || !*text || *end || errno || start >= TIME_LIMIT || !get_number(root, "stopped_ns", &stopped) ||
	    !get_number(root, "lost", &recorded->lost) || !get_flag(root, "complete", &recorded->complete))
		return damaged(path, err, "it does not say when it was made, or whether it is complete");
	return read_processes(root, path, start, stopped, recorded, err);
}

int recorded_read(const char *path, struct recorded_build *recorded, struct error *err)
{
	FILE *file = fopen(path, "re");
	json_error_t reason;
	json_t *root;
	int rc;

	*recorded = (struct recorded_build){0};
	if (!file)
		return error_set(err, errno, "cannot read %s: %s", path, strerror(errno));
	root = json_loadf(file, 0, &reason);
	fclose(file);
	if (!root)
		return error_set(err, EINVAL, "%s is damaged: line %d: %s", path, reason.line, reason.text);
	rc = read_root(root, path, recorded, err);
	json_decref(root);
	if (!rc && recorded_lay_out(recorded))
		rc = error_set(err, ENOMEM, "%s: out of memory", path);
	if (rc)
		recorded_free(recorded);
	return rc;
}

void recorded_free(struct recorded_build *recorded)
{
	for (size_t i = 0; i < recorded->count; i++) {
		free(recorded->processes[i].name);
		free(recorded->processes[i].command);
		free(recorded->processes[i].profile);
	}
	free(recorded->processes);
	*recorded = (struct recorded_build){0};
}

const char *recorded_kind_name(enum recorded_kind kind)
{
	static const char *const names[RECORDED_KINDS] = {
	    [RECORDED_COMPILER] = "compiler", [RECORDED_CARGO] = "cargo", [RECORDED_BUILD_SCRIPT] = "build script",
	    [RECORDED_LINKER] = "linker",     [RECORDED_OTHER] = "other",
	};

	return names[kind];
}
