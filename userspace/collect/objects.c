/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/objects.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <link.h>
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

/* Files that are expected at once: four of each compiler, the C library's two and the vdso. */
enum { MAX_AHEAD = 4 * COLLECT_MAX_COMPILERS + 3 };

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

/* A file that was given a number before it is met. */
struct ahead {
	struct wire_object_key key;
	uint32_t number;
	int map; /* its table; -1: it has none */
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
	struct ahead ahead[MAX_AHEAD]; /* not yet given to the kernel */
	size_t ahead_count;
	const struct told_compiler *compilers[WIRE_MAX_OBJECTS]; /* by the object that is their code */
	int vdso;						 /* a file made of it, or -1 */
	uint64_t known;						 /* files */
	uint64_t table_bytes, table_ns;				 /* as in struct collect_samples */
};

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

int objects_table(struct objects *objects, const char *path)
{
	struct stat status;
	const struct file_table *table = stat(path, &status) == 0 ? table_of(objects, path, &status) : NULL;

	return table ? table->map : -1;
}

/* ---- what is expected ---- */

/* What tells the file apart from others; the key is all zero if that cannot be found out. */
static void find_key(const struct objects *objects, const char *path, struct wire_object_key *key)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *page = fd >= 0 ? mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	struct wire_mapped mapped = {.address = (uintptr_t)page};
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &mapped, .ctx_size_in = sizeof(mapped));

	if (page != MAP_FAILED) {
		bpf_prog_test_run_opts(bpf_program__fd(objects->bpf->progs.identify_file), &options);
		munmap(page, 1);
	}
	if (fd >= 0)
		close(fd);
	*key = mapped.key;
}

/* The compiler whose code is in the file; NULL if it is none's that is expected. */
static const struct told_compiler *compiler_in(const struct objects *objects, const struct stat *status)
{
	for (size_t i = 0; i < objects->expected_count; i++)
		if (objects->expected[i].device == status->st_dev && objects->expected[i].inode == status->st_ino)
			return &objects->expected[i].compiler;
	return NULL;
}

/* Notes a file that has a number: where it is, its name, and as what it can be opened. Returns its table, or -1. */
static int note_object(struct objects *objects, uint32_t number, const char *path, const char *name, const char *opened,
		       const struct stat *status)
{
	const struct file_table *table = table_of(objects, opened, status);

	objects->known++;
	objects->compilers[number] = compiler_in(objects, status);
	places_note(objects->places, number, path, name, status);
	return table ? table->map : -1;
}

/* Gives a number to the file, unless it has one; `key` is all zero for the vdso. */
static void number_ahead(struct objects *objects, const struct wire_object_key *key, const char *path, const char *name,
			 const struct stat *status)
{
	struct ahead *ahead = &objects->ahead[objects->ahead_count];
	uint32_t number;

	if (objects->ahead_count == MAX_AHEAD ||
	    bpf_map_lookup_elem(bpf_map__fd(objects->bpf->maps.objects), key, &number) == 0)
		return;
	for (size_t i = 0; i < objects->ahead_count; i++)
		if (memcmp(&objects->ahead[i].key, key, sizeof(*key)) == 0)
			return;
	number = __atomic_add_fetch(&objects->bpf->bss->object_count, 1, __ATOMIC_RELAXED);
	if (number >= WIRE_COMPILER_OBJECT(0))
		return;
	*ahead = (struct ahead){*key, number, note_object(objects, number, path, name, path, status)};
	objects->ahead_count++;
}

/* The file's path without links, unless that leads elsewhere, as out of /proc/PID/root. Allocated. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL);

	if (real && path_is_same_file(real, path))
		return real;
	free(real);
	return strdup(path);
}

static void expect_file(struct objects *objects, const char *path)
{
	struct wire_object_key key = {0};
	struct stat status;
	char *real = real_path(path);

	if (real && stat(real, &status) == 0)
		find_key(objects, real, &key);
	if (key.inode)
		number_ahead(objects, &key, real, path_name(real), &status);
	free(real);
}

static void expect_pattern(struct objects *objects, const char *pattern)
{
	glob_t found = {0};

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			expect_file(objects, found.gl_pathv[i]);
	globfree(&found);
}

/* The vdso is no file, but the same in every process: what is mapped here is made one. */
static void expect_vdso(struct objects *objects)
{
	const ElfW(Ehdr) *vdso = (const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR);
	const struct wire_object_key none = {0};
	struct stat status;
	char path[64];
	size_t size;

	if (!vdso)
		return;
	size = vdso->e_shoff + (size_t)vdso->e_shnum * vdso->e_shentsize;
	objects->vdso = memfd_create("vdso", MFD_CLOEXEC);
	if (objects->vdso < 0 || write(objects->vdso, vdso, size) != (ssize_t)size || fstat(objects->vdso, &status) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", objects->vdso);
	number_ahead(objects, &none, path, "vdso", &status);
}

/* Called for each file that this program's code is in: the C library is most likely the compiler's too. */
static int expect_c_library(struct dl_phdr_info *info, size_t size, void *context)
{
	const char *name = path_name(info->dlpi_name);

	(void)size;
	if (strncmp(name, "libc.so", 7) == 0 || strncmp(name, "ld-linux", 8) == 0)
		expect_file(context, info->dlpi_name);
	return 0;
}

void objects_expect(struct objects *objects, const struct plan *plan, size_t number)
{
	const char *compiler = plan->path;
	int folder = (int)(path_name(compiler) - compiler);
	char pattern[PATH_MAX];
	struct stat status;

	if (objects->expected_count < COLLECT_MAX_COMPILERS && stat(compiler, &status) == 0)
		objects->expected[objects->expected_count++] =
		    (struct expected){status.st_dev, status.st_ino, {plan, (unsigned int)number}};
	expect_file(objects, compiler);
	snprintf(pattern, sizeof(pattern), "%.*slibLLVM*.so*", folder, compiler);
	expect_pattern(objects, pattern);
	snprintf(pattern, sizeof(pattern), "%.*s../bin/rustc", folder, compiler);
	expect_file(objects, pattern);
}

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
	if (!objects->places) {
		objects_free(objects);
		return NULL;
	}
	dl_iterate_phdr(expect_c_library, objects);
	expect_vdso(objects);
	return objects;
}

void objects_load(struct objects *objects)
{
	uint32_t numbers[MAX_AHEAD], count = 0;
	int maps[MAX_AHEAD];

	for (size_t i = 0; i < objects->ahead_count; i++) {
		if (objects->ahead[i].map < 0)
			continue;
		numbers[count] = objects->ahead[i].number;
		maps[count++] = objects->ahead[i].map;
	}
	/* The kernel waits once for all, from Linux 6.8 on. */
	if (count)
		bpf_map_update_batch(bpf_map__fd(objects->bpf->maps.tables), numbers, maps, &count, NULL);
	/* With its key there, a file counts as met. */
	for (size_t i = 0; i < objects->ahead_count; i++)
		bpf_map_update_elem(bpf_map__fd(objects->bpf->maps.objects), &objects->ahead[i].key,
				    &objects->ahead[i].number, BPF_NOEXIST);
	objects->ahead_count = 0;
}

/* ---- what is met ---- */

/* If the process that had the file is gone, whoever meets it next is to tell of it again. */
void objects_take(struct objects *objects, const struct wire_object *record)
{
	uint32_t number = record->header.count;
	char path[64], target[PATH_MAX];
	struct stat status;
	ssize_t size;
	int map;

	/* The vdso, where it could not be made a file: there is nothing that it could be asked for again. */
	if (number >= WIRE_MAX_OBJECTS || !record->key.inode)
		return;
	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", record->header.tgid, record->start, record->end);
	size = readlink(path, target, sizeof(target) - 1);
	if (size < 0 || stat(path, &status) < 0) {
		bpf_map_delete_elem(bpf_map__fd(objects->bpf->maps.objects), &record->key);
		return;
	}
	target[size] = '\0';
	map = note_object(objects, number, target, path_name(target), path, &status);
	if (map >= 0)
		bpf_map_update_elem(bpf_map__fd(objects->bpf->maps.tables), &number, &map, BPF_ANY);
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
	totals->objects += objects->known;
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
