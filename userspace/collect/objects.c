/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/objects.h"

#include <bpf/bpf.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/upload.h"
#include "unwind/unwind.h"
#include "util/clock.h"
#include "util/path.h"

/* A table in the kernel, by the file that it was made of. */
struct file_table {
	dev_t device;
	ino_t inode;
	struct timespec changed;
	int map; /* -1: the file has no table */
};

/* A compiler that is expected, and the file with its code. */
struct expected {
	dev_t device;
	ino_t inode;
	struct told_compiler compiler;
};

struct objects {
	struct querytap_bpf *bpf;
	const char *cache;
	const struct identity *owner;
	struct places *places;
	struct file_table *tables;
	size_t table_count, table_room;
	struct expected expected[COLLECT_MAX_COMPILERS];
	size_t expected_count;
	const struct told_compiler *compilers[WIRE_MAX_OBJECTS]; /* by the object that is their code */
	int vdso;						 /* a file made of it; -1 if it was not met */
	uint64_t met;						 /* files */
	uint64_t table_bytes, table_ns;				 /* as in struct collect_samples */
};

struct objects *objects_new(struct querytap_bpf *bpf, const struct collect_options *options)
{
	struct objects *objects = calloc(1, sizeof(*objects));

	if (!objects)
		return NULL;
	*objects = (struct objects){
	    .bpf = bpf,
	    .cache = options->cache,
	    .owner = options->owner,
	    .places = places_new(),
	    .vdso = -1,
	};
	if (objects->places)
		return objects;
	objects_free(objects);
	return NULL;
}

/* ---- tables ---- */

/* Makes the file's table and puts it into the kernel. Returns its descriptor, or -1 if the file has none. */
static int make_table(struct objects *objects, const char *path)
{
	uint64_t begun = clock_now(CLOCK_MONOTONIC);
	struct unwind_table table;
	int map = -1;

	if (unwind_table_get(path, objects->cache, objects->owner, &table, NULL) == 0) {
		map = table_upload(&table);
		if (map >= 0)
			objects->table_bytes += table.count * sizeof(*table.words);
		unwind_table_free(&table);
	}
	objects->table_ns += clock_now(CLOCK_MONOTONIC) - begun;
	return map < 0 ? -1 : map;
}

/* The table of the file at `path`, which is made if that is a new one. NULL if memory runs out. */
static struct file_table *table_of(struct objects *objects, const char *path, const struct stat *status)
{
	struct file_table *added;

	for (size_t i = 0; i < objects->table_count; i++) {
		struct file_table *table = &objects->tables[i];

		if (table->device == status->st_dev && table->inode == status->st_ino &&
		    table->changed.tv_sec == status->st_ctim.tv_sec &&
		    table->changed.tv_nsec == status->st_ctim.tv_nsec)
			return table;
	}
	if (objects->table_count == objects->table_room) {
		size_t room = objects->table_room ? objects->table_room * 2 : 64;
		struct file_table *grown = realloc(objects->tables, room * sizeof(*grown));

		if (!grown)
			return NULL;
		objects->tables = grown;
		objects->table_room = room;
	}
	added = &objects->tables[objects->table_count++];
	*added = (struct file_table){status->st_dev, status->st_ino, status->st_ctim, make_table(objects, path)};
	return added;
}

static void expect_file(struct objects *objects, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0)
		table_of(objects, path, &status);
}

int objects_table(struct objects *objects, const char *path)
{
	struct stat status;
	const struct file_table *table = stat(path, &status) == 0 ? table_of(objects, path, &status) : NULL;

	return table ? table->map : -1;
}

static void expect_compiler(struct objects *objects, const struct plan *plan, size_t number)
{
	struct stat status;

	if (objects->expected_count < COLLECT_MAX_COMPILERS && stat(plan->path, &status) == 0)
		objects->expected[objects->expected_count++] =
		    (struct expected){status.st_dev, status.st_ino, {plan, (unsigned int)number}};
}

void objects_expect(struct objects *objects, const struct plan *plan, size_t number)
{
	const char *compiler = plan->path, *name = path_name(compiler);
	glob_t found = {0};
	char *pattern;

	expect_compiler(objects, plan, number);
	expect_file(objects, compiler);
	if (asprintf(&pattern, "%.*slibLLVM*.so*", (int)(name - compiler), compiler) < 0)
		return;
	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			expect_file(objects, found.gl_pathv[i]);
	globfree(&found);
	free(pattern);
}

/* Gives the kernel the table of the file at `path`, which is the object with this number. */
static void load_object(struct objects *objects, uint32_t number, const char *path, const struct stat *status)
{
	const struct file_table *table = table_of(objects, path, status);

	objects->met++;
	if (table && table->map >= 0)
		bpf_map_update_elem(bpf_map__fd(objects->bpf->maps.tables), &number, &table->map, BPF_ANY);
}

/* The vdso is no file, but the same in every process: what is mapped here is made one. */
static void take_vdso(struct objects *objects, const struct wire_object *record)
{
	const void *vdso = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t size = record->end - record->start;
	char path[64];
	struct stat status;

	if (!vdso || objects->vdso >= 0)
		return;
	objects->vdso = memfd_create("vdso", MFD_CLOEXEC);
	if (objects->vdso < 0 || write(objects->vdso, vdso, size) != (ssize_t)size || fstat(objects->vdso, &status) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", objects->vdso);
	places_note(objects->places, record->header.count, path, "vdso", &status);
	load_object(objects, record->header.count, path, &status);
}

/* A file was met. If the process that had it is gone, whoever meets it next is to tell of it again. */
static void take_file(struct objects *objects, const struct wire_object *record)
{
	char path[64], target[PATH_MAX];
	struct stat status;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", record->header.tgid, record->start, record->end);
	size = readlink(path, target, sizeof(target) - 1);
	if (size < 0 || stat(path, &status) < 0) {
		bpf_map_delete_elem(bpf_map__fd(objects->bpf->maps.objects), &record->key);
		return;
	}
	target[size] = '\0';
	for (size_t i = 0; i < objects->expected_count; i++)
		if (objects->expected[i].device == status.st_dev && objects->expected[i].inode == status.st_ino)
			objects->compilers[record->header.count] = &objects->expected[i].compiler;
	places_note(objects->places, record->header.count, target, path_name(target), &status);
	load_object(objects, record->header.count, path, &status);
}

void objects_take(struct objects *objects, const struct wire_object *record)
{
	if (record->header.count >= WIRE_MAX_OBJECTS)
		return;
	if (record->key.inode)
		take_file(objects, record);
	else
		take_vdso(objects, record);
}

const struct told_compiler *const *objects_compilers(const struct objects *objects)
{
	return objects->compilers;
}

int objects_places(const struct objects *objects, struct place *list, size_t count)
{
	return places_name(objects->places, list, count);
}

void objects_totals(const struct objects *objects, struct collect_samples *totals)
{
	totals->objects += objects->met;
	totals->table_bytes += objects->table_bytes;
	totals->table_ns += objects->table_ns;
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	places_free(objects->places);
	for (size_t i = 0; i < objects->table_count; i++)
		if (objects->tables[i].map >= 0)
			close(objects->tables[i].map);
	if (objects->vdso >= 0)
		close(objects->vdso);
	free(objects->tables);
	free(objects);
}
