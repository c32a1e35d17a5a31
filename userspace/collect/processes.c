/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uthash.h>

#include "collect/processes_json.h"

struct processes {
	struct process **items;
	size_t count, room;
	struct process *by_pid; /* the last of each */
	size_t leaving;
	uint64_t dropped; /* what there was no memory for */
};

struct processes *processes_new(void)
{
	return calloc(1, sizeof(struct processes));
}

static void free_process(struct process *process)
{
	for (size_t i = 0; i < process->program_count; i++) {
		free(process->programs[i].args);
		free(process->programs[i].crate);
		free(process->programs[i].profile);
	}
	free(process->programs);
	free(process);
}

void processes_free(struct processes *processes)
{
	if (!processes)
		return;
	HASH_CLEAR(hh, processes->by_pid);
	for (size_t i = 0; i < processes->count; i++)
		free_process(processes->items[i]);
	free(processes->items);
	free(processes);
}

static struct process *last_of(const struct processes *processes, uint32_t pid)
{
	struct process *process;

	HASH_FIND(hh, processes->by_pid, &pid, sizeof(pid), process);
	return process;
}

/* The process that a record is about. One that was followed before anything happened to it has not been told apart. */
static struct process *find(const struct processes *processes, uint32_t pid, uint64_t born)
{
	struct process *process = last_of(processes, pid);

	while (process && process->born && born && process->born != born)
		process = process->earlier;
	return process;
}

static bool make_room(struct processes *processes)
{
	size_t room = processes->room ? 2 * processes->room : 256;
	struct process **grown;

	if (processes->count < processes->room)
		return true;
	grown = reallocarray(processes->items, room, sizeof(struct process *));
	if (!grown)
		return false;
	processes->items = grown;
	processes->room = room;
	return true;
}

/* A new process; NULL if out of memory. */
static struct process *add(struct processes *processes, uint32_t pid, uint64_t born, uint32_t parent, uint64_t start)
{
	struct process *process = make_room(processes) ? calloc(1, sizeof(*process)) : NULL;

	if (!process) {
		processes->dropped++;
		return NULL;
	}
	process->pid = pid;
	process->parent = parent;
	process->born = born;
	process->start = start;
	process->earlier = last_of(processes, pid);
	if (process->earlier)
		HASH_DEL(processes->by_pid, process->earlier);
	HASH_ADD(hh, processes->by_pid, pid, sizeof(process->pid), process);
	processes->items[processes->count++] = process;
	return process;
}

/* The process that a record is about; made if the record of its start was lost, or if it has not been followed. */
static struct process *find_or_add(struct processes *processes, uint32_t pid, const struct wire_life *life,
				   uint64_t time)
{
	struct process *process = find(processes, pid, life->born);

	if (!process || (process->ended && !process->born))
		process = add(processes, pid, life->born, life->parent, time);
	if (process && !process->born)
		process->born = life->born;
	if (process && !process->parent)
		process->parent = life->parent;
	return process;
}

static void copy_comm(char to[WIRE_COMM], const char from[WIRE_COMM])
{
	memcpy(to, from, WIRE_COMM);
	to[WIRE_COMM - 1] = '\0';
}

static void add_program(struct processes *processes, struct process *process, uint64_t start, const char *args,
			size_t size, bool cut)
{
	struct program *grown = reallocarray(process->programs, process->program_count + 1, sizeof(*process->programs));
	char *copy = malloc(size + 1);

	if (grown)
		process->programs = grown;
	if (!grown || !copy) {
		free(copy);
		processes->dropped++;
		return;
	}
	memcpy(copy, args, size);
	copy[size] = '\0';
	grown[process->program_count] = (struct program){.start = start, .args = copy, .size = size, .cut = cut};
	copy_comm(grown[process->program_count++].comm, process->comm);
}

/* ---- what ran before it was followed ---- */

/* Reads /proc/PID/NAME, at most `size` bytes. Returns how many. */
static size_t read_proc(pid_t pid, const char *name, char *bytes, size_t size)
{
	char path[64];
	FILE *file;
	size_t length = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (file) {
		length = fread(bytes, 1, size, file);
		fclose(file);
	}
	return length;
}

/* Takes name and parent from /proc/PID/stat, and the command line. */
static void read_running(struct processes *processes, struct process *process)
{
	char text[WIRE_ARGS_CHUNK + 1];
	size_t length = read_proc((pid_t)process->pid, "stat", text, sizeof(text) - 1);
	const char *name, *behind;

	text[length] = '\0';
	name = strchr(text, '(');
	behind = strrchr(text, ')');
	if (name && behind) {
		snprintf(process->comm, sizeof(process->comm), "%.*s", (int)(behind - name - 1), name + 1);
		sscanf(behind, ") %*c %" SCNu32, &process->parent);
	}
	length = read_proc((pid_t)process->pid, "cmdline", text, sizeof(text));
	if (length)
		add_program(processes, process, process->start, text,
			    length < WIRE_ARGS_CHUNK ? length : WIRE_ARGS_CHUNK, length > WIRE_ARGS_CHUNK);
}

void processes_follow(struct processes *processes, pid_t pid, enum follow how, uint64_t time)
{
	struct process *process = add(processes, (uint32_t)pid, 0, 0, time);

	if (!process)
		return;
	process->waiting = how == FOLLOW_NEW;
	process->joined = how != FOLLOW_NEW;
	if (process->joined)
		read_running(processes, process);
}

/* A compiler that is followed only since it compiles. */
static void take_compiler(struct processes *processes, const struct wire_compiler *record)
{
	struct process *process = last_of(processes, record->header.tgid);

	if (process && !process->ended)
		return;
	process = add(processes, record->header.tgid, 0, 0, record->start);
	if (!process)
		return;
	process->joined = true;
	read_running(processes, process);
}

/* ---- records ---- */

static void take_fork(struct processes *processes, const struct wire_fork *record)
{
	const struct wire_life *life = &record->life;
	struct process *process = last_of(processes, record->header.tgid);

	/* It may have been found in /proc between its birth and this record. */
	if (!process || process->born || process->ended || !process->joined)
		process = add(processes, record->header.tgid, life->born, life->parent, life->born);
	if (!process)
		return;
	process->joined = false;
	process->born = process->start = life->born;
	process->parent = life->parent;
	copy_comm(process->comm, record->comm);
}

static void take_exec(struct processes *processes, const struct wire_exec *record)
{
	struct process *process = find_or_add(processes, record->header.tgid, &record->life, record->time);

	if (!process)
		return;
	/* Until then it was querytap's own, waiting to begin. */
	if (process->waiting)
		process->start = record->time;
	process->waiting = false;
	copy_comm(process->comm, record->comm);
	add_program(processes, process, record->time, record->args, record->header.count,
		    record->args_size > record->header.count);
}

static void take_end(struct processes *processes, uint32_t tgid, const struct wire_end *end)
{
	struct process *process = find_or_add(processes, tgid, &end->life, end->time);

	if (!process || process->ended)
		return;
	process->ended = true;
	process->end = end->time;
	process->exit_code = end->exit_code;
	process->pages_before = end->pages_before;
	process->pages = end->pages;
	processes->leaving++;
}

static void take_freed(struct processes *processes, const struct wire_freed *record)
{
	struct process *process = find(processes, record->header.tgid, record->life.born);

	if (!process || !process->ended || process->freed)
		return;
	process->freed = true;
	process->exit_code = record->exit_code;
	process->run_time = record->run_time;
	process->user = record->user;
	process->system = record->system;
	process->most_pages = record->pages;
	processes->leaving--;
}

void processes_take(struct processes *processes, const struct wire_header *record)
{
	switch (record->kind) {
	case WIRE_FORK:
		take_fork(processes, (const struct wire_fork *)record);
		break;
	case WIRE_EXEC:
		take_exec(processes, (const struct wire_exec *)record);
		break;
	case WIRE_COMPILER:
		take_compiler(processes, (const struct wire_compiler *)record);
		break;
	case WIRE_END:
		if (!((const struct wire_end *)record)->by_exec)
			take_end(processes, record->tgid, (const struct wire_end *)record);
		break;
	case WIRE_FREED:
		take_freed(processes, (const struct wire_freed *)record);
		break;
	default:
		break;
	}
}

void processes_take_remaining(struct processes *processes, uint32_t tgid, const struct wire_process *process)
{
	struct wire_end end = {.life = {process->born, process->parent, 0},
			       .time = process->end,
			       .pages_before = process->pages_before,
			       .exit_code = process->exit_code};

	if (process->flags & PROCESS_ENDED)
		take_end(processes, tgid, &end);
	else
		find_or_add(processes, tgid, &end.life, process->start);
}

void processes_add_profile(struct processes *processes, const struct profile *profile)
{
	struct process *process = last_of(processes, profile_tgid(profile));
	struct program *program;

	/* A compiler that goes on as another program ends there: its profile is that of the program before. */
	if (!process || !process->program_count)
		return;
	program = &process->programs[process->program_count - 1];
	for (size_t i = 0; i < process->program_count; i++)
		if (process->programs[i].start == profile_start(profile))
			program = &process->programs[i];
	free(program->crate);
	free(program->profile);
	program->crate = strdup(profile_crate(profile));
	program->profile = strdup(profile_file(profile));
}

size_t processes_leaving(const struct processes *processes)
{
	return processes->leaving;
}

/* ---- the file ---- */

/* The process's parent: of those with its pid the last that was born before. NULL if it was not followed. */
static struct process *parent_of(const struct processes *processes, const struct process *process)
{
	struct process *parent = process->parent ? last_of(processes, process->parent) : NULL;

	while (parent && (parent == process || (process->born && parent->born > process->born)))
		parent = parent->earlier;
	return parent;
}

static int by_start(const void *left, const void *right)
{
	const struct process *a = *(struct process *const *)left, *b = *(struct process *const *)right;

	if (a->start != b->start)
		return a->start > b->start ? 1 : -1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

/*
 * Puts a process behind its parent into the list of `count`. Those that ran already are followed in any order, so a
 * child may begin before its parent here.
 */
static size_t put_in_order(const struct processes *processes, struct process *process, struct process **list,
			   size_t count)
{
	struct process *parent;

	if (process->in_order)
		return count;
	process->in_order = true;
	parent = parent_of(processes, process);
	if (parent)
		count = put_in_order(processes, parent, list, count);
	/* If it is its own ancestor, what /proc said was of different times. */
	process->started_by = parent && parent->index != SIZE_MAX ? parent : NULL;
	process->index = count;
	list[count] = process;
	return count + 1;
}

char *processes_text(const struct processes *processes, const struct processes_summary *summary)
{
	struct processes_summary whole = *summary;
	size_t room = processes->count + 1, count = 0;
	struct process **sorted = calloc(room, sizeof(struct process *)), **list = calloc(room, sizeof(*list));
	char *text = NULL;

	if (sorted && list) {
		if (processes->count)
			memcpy(sorted, processes->items, processes->count * sizeof(struct process *));
		qsort(sorted, processes->count, sizeof(struct process *), by_start);
		for (size_t i = 0; i < processes->count; i++)
			sorted[i]->index = SIZE_MAX;
		for (size_t i = 0; i < processes->count; i++)
			count = put_in_order(processes, sorted[i], list, count);
		whole.started = count ? sorted[0]->start : whole.stopped;
		whole.lost += processes->dropped;
		text = processes_json(list, count, &whole);
	}
	free(sorted);
	free(list);
	return text;
}
