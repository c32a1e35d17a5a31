/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The text of build.json, as docs/build.md describes it. */
#include "collect/processes_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names and arguments are bytes: where they are not UTF-8, question marks stand for what is not ASCII. */
static json_t *text_value(const char *bytes, size_t size)
{
	json_t *value = json_stringn(bytes, size);
	char *plain = value ? NULL : strndup(bytes, size);

	if (value || !plain)
		return value;
	for (char *at = plain; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	value = json_string(plain);
	free(plain);
	return value;
}

static json_t *number_value(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static json_t *arguments_value(const struct program *program)
{
	json_t *list = json_array();
	const char *at = program->args, *end = at + program->size;

	while (at < end) {
		size_t length = strlen(at);

		json_array_append_new(list, text_value(at, length));
		at += length + 1;
	}
	return list;
}

static json_t *program_value(const struct program *program, uint64_t origin)
{
	json_t *value = json_pack("{s:o, s:o, s:o, s:b}", "start_ns", number_value(program->start - origin), "comm",
				  text_value(program->comm, strlen(program->comm)), "command", arguments_value(program),
				  "cut", program->cut);

	if (value && program->profile) {
		json_object_set_new(value, "crate", text_value(program->crate, strlen(program->crate)));
		json_object_set_new(value, "profile", text_value(program->profile, strlen(program->profile)));
	}
	return value;
}

/* The system time is found by sampling, what the threads ran is measured: the former says how the latter is divided. */
static uint64_t user_time(const struct process *process)
{
	if (!process->system)
		return process->run_time;
	return (uint64_t)((long double)process->run_time * (long double)process->user /
			  ((long double)process->user + (long double)process->system));
}

/*
 * The most memory that the process's last program had, bytes. The system's own figure includes what programs before it
 * had and, for one that was started by vfork, what its parent had; so it tells only where the last one had more.
 */
static json_t *peak_value(const struct process *process)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (process->freed && process->most_pages > process->pages_before)
		return number_value(process->most_pages * page);
	return process->pages ? number_value(process->pages * page) : json_null();
}

static void add_end(json_t *value, const struct process *process, uint64_t origin)
{
	int code = process->exit_code;
	bool signalled = process->ended && WIFSIGNALED(code);

	json_object_set_new(value, "end_ns", process->ended ? number_value(process->end - origin) : json_null());
	json_object_set_new(value, "exit_code",
			    process->ended && !signalled ? json_integer(WEXITSTATUS(code)) : json_null());
	json_object_set_new(value, "signal", signalled ? json_integer(WTERMSIG(code)) : json_null());
	json_object_set_new(value, "user_ns", process->freed ? number_value(user_time(process)) : json_null());
	json_object_set_new(value, "system_ns",
			    process->freed ? number_value(process->run_time - user_time(process)) : json_null());
	json_object_set_new(value, "peak_bytes", process->ended ? peak_value(process) : json_null());
	json_object_set_new(value, "maxrss_bytes",
			    process->freed ? number_value(process->most_pages * (uint64_t)sysconf(_SC_PAGESIZE))
					   : json_null());
}

static json_t *process_value(const struct process *process, uint64_t origin)
{
	json_t *programs = json_array(), *value;

	for (size_t i = 0; i < process->program_count; i++)
		json_array_append_new(programs, program_value(&process->programs[i], origin));
	value =
	    json_pack("{s:o, s:o, s:o, s:b, s:b, s:o}", "pid", number_value(process->pid), "ppid",
		      process->parent ? number_value(process->parent) : json_null(), "parent",
		      process->started_by ? number_value(process->started_by->index) : json_null(), "joined",
		      process->joined, "complete", process->ended, "start_ns", number_value(process->start - origin));
	if (!value) {
		json_decref(programs);
		return NULL;
	}
	add_end(value, process, origin);
	json_object_set_new(value, "comm", text_value(process->comm, strlen(process->comm)));
	json_object_set_new(value, "programs", programs);
	return value;
}

char *processes_json(struct process *const *processes, size_t count, const struct processes_summary *summary)
{
	uint64_t origin = summary->started;
	json_t *list = json_array(), *root;
	bool complete = summary->lost == 0;
	char start[24], *text;

	for (size_t i = 0; i < count; i++) {
		complete = complete && processes[i]->ended;
		json_array_append_new(list, process_value(processes[i], origin));
	}
	snprintf(start, sizeof(start), "%" PRIu64, summary->realtime_offset + origin);
	root = json_pack("{s:i, s:s, s:s, s:o, s:b, s:o, s:o}", "format", COLLECT_BUILD_FORMAT, "querytap",
			 QUERYTAP_VERSION, "start_realtime_ns", start, "stopped_ns",
			 number_value(summary->stopped - origin), "complete", complete, "lost",
			 number_value(summary->lost), "processes", list);
	text = root && json_array_size(list) == count ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text;
}
