/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/running.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/find.h"
#include "util/path.h"

/* Of a process's name, the kernel keeps this much. */
enum { NAME_BYTES = 15 };

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* The parent of a process, or 0. */
static pid_t parent_of(pid_t pid)
{
	FILE *file = open_proc(pid, "stat");
	const char *behind_name;
	char text[1024];
	int parent = 0;
	size_t length;

	if (!file)
		return 0;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	behind_name = strrchr(text, ')');
	if (!behind_name || sscanf(behind_name, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

bool running_is_below(pid_t pid, pid_t root)
{
	for (int depth = 0; pid > 1 && depth < 1000; depth++, pid = parent_of(pid))
		if (pid == root)
			return true;
	return false;
}

static bool is_named(pid_t pid, const char *comm)
{
	FILE *file = open_proc(pid, "comm");
	char text[64] = "";

	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
	}
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, comm) == 0;
}

bool running_is_below_named(pid_t pid, const char *comm)
{
	for (int depth = 0; pid > 1 && depth < 1000; depth++, pid = parent_of(pid))
		if (is_named(pid, comm))
			return true;
	return false;
}

/* The libraries that it has mapped to run their code, whichever way they were loaded. */
void running_mapped_compilers(pid_t pid, void (*take)(void *context, const char *path), void *context)
{
	FILE *file = open_proc(pid, "maps");
	char line[PATH_MAX + 128];

	while (file && fgets(line, sizeof(line), file)) {
		char inside[PATH_MAX + 64];
		char *path = strchr(line, '/');
		char kind[8];

		if (!path || sscanf(line, "%*s %7s", kind) != 1 || kind[2] != 'x')
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (fnmatch("librustc_driver-*.so", path_name(path), 0) != 0)
			continue;
		snprintf(inside, sizeof(inside), "/proc/%d/root%s", (int)pid, path);
		take(context, access(inside, F_OK) < 0 || path_is_same_file(path, inside) ? path : inside);
	}
	if (file)
		fclose(file);
}

/* NAME=VALUE as it stands in the environment that the process was started with; allocated, NULL if it is not there. */
static char *started_with(pid_t pid, const char *name)
{
	FILE *file = open_proc(pid, "environ");
	size_t length = strlen(name), size = 0;
	char *entry = NULL;
	bool found = false;

	while (file && !found && getdelim(&entry, &size, '\0', file) > 0)
		found = strncmp(entry, name, length) == 0 && entry[length] == '=';
	if (file)
		fclose(file);
	if (found)
		return entry;
	free(entry);
	return NULL;
}

/* What its program has linked in, or will load if it has only just started. */
static void take_program(pid_t pid, void (*take)(void *context, const char *path), void *context)
{
	char link[64], program[PATH_MAX];
	char *argv[] = {program, NULL}, *environment[] = {started_with(pid, "LD_LIBRARY_PATH"), NULL};
	struct find_input input = {argv, environment, "/", "/nonexistent"};
	struct found_list found = {0};
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	length = readlink(link, program, sizeof(program) - 1);
	if (length > 0) {
		program[length] = '\0';
		compilers_find(&input, &found, NULL);
	}
	for (size_t i = 0; i < found.count; i++)
		if (found.items[i].likely)
			take(context, found.items[i].path);
	found_list_free(&found);
	free(environment[0]);
}

void running_compilers(pid_t pid, void (*take)(void *context, const char *path), void *context)
{
	running_mapped_compilers(pid, take, context);
	take_program(pid, take, context);
}
