/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/sampler.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/wire.h"
#include "collect/places.h"
#include "collect/telling.h"
#include "collect/upload.h"
#include "unwind/unwind.h"
#include "util/clock.h"
#include "util/path.h"

/*
 * Seconds that a sample takes, about: 10 us for a compiler's stack of some thirty functions, and 20 to 25 us for the
 * timer's interrupt and what it takes from the caches, which was measured in a virtual machine; without one it is less.
 * The rest is what the program in turn takes from them: at 997 Hz whole compiles take 4.5 to 5.9 % longer.
 */
#define SAMPLE_COST 50e-6

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

struct sampler {
	struct querytap_bpf *bpf;
	const char *cache;
	const struct identity *owner;
	struct sampled *sampled;
	struct places *places;
	unsigned int hz;
	uint64_t began, began_real; /* CLOCK_MONOTONIC, which samples have, and CLOCK_REALTIME, nanoseconds */
	uint64_t ended;		    /* as `began`; 0 until then */
	struct bpf_link **links;    /* one for each processor; NULL where it is offline */
	int processors;
	struct file_table *tables;
	size_t table_count, table_room;
	struct expected expected[COLLECT_MAX_COMPILERS];
	size_t expected_count;
	const struct told_compiler *compilers[WIRE_MAX_OBJECTS]; /* by the object that is their code */
	struct wire_sample told;
	bool queries_are_told; /* by stacks alone */
	int vdso;	       /* a file made of it; -1 if it was not met */
	struct collect_samples totals;
};

/*
 * What the ring of samples holds: this many seconds of samples on all processors, while a compiler's plan and tables
 * are made for one. A sample of rustc takes some 400 bytes.
 */
enum { RING_SECONDS = 4, SAMPLE_BYTES = 512, MIN_RING = 1024 * 1024, MAX_RING = 16 * 1024 * 1024, WAKE_FRACTION = 16 };

/* The ring's size: a power of two, as rings are. It is mapped twice, so each byte counts as two of the process's. */
static uint32_t ring_bytes(unsigned int hz)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t wanted = (uint64_t)(processors > 0 ? processors : 1) * hz * SAMPLE_BYTES * RING_SECONDS;
	uint32_t bytes = MIN_RING;

	while (bytes < wanted && bytes < MAX_RING)
		bytes *= 2;
	return bytes;
}

void sampler_configure(struct querytap_bpf *bpf, unsigned int hz)
{
	bool on = hz > 0;

	bpf_program__set_autoload(bpf->progs.take_sample, on);
	bpf_map__set_autocreate(bpf->maps.scratches, on);
	bpf_map__set_autocreate(bpf->maps.objects, on);
	bpf_map__set_autocreate(bpf->maps.tables, on);
	bpf_map__set_autocreate(bpf->maps.samples, on);
	if (!on)
		return;
	bpf_map__set_max_entries(bpf->maps.scratches, (uint32_t)libbpf_num_possible_cpus());
	bpf_map__set_max_entries(bpf->maps.samples, ring_bytes(hz));
	bpf->rodata->sample_wake_bytes = ring_bytes(hz) / WAKE_FRACTION;
}

/* Linux 6.1, commit 524e00b36e8c "mm: remove rb tree". */
bool sampler_is_possible(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool has = kernel && btf__find_by_name_kind(kernel, "maple_arange_64", BTF_KIND_STRUCT) > 0;

	btf__free(kernel);
	return has;
}

/* ---- tables ---- */

/* Makes the file's table and puts it into the kernel. Returns its descriptor, or -1 if the file has none. */
static int make_table(struct sampler *sampler, const char *path)
{
	uint64_t begun = clock_now(CLOCK_MONOTONIC);
	struct unwind_table table;
	int map = -1;

	if (unwind_table_get(path, sampler->cache, sampler->owner, &table, NULL) == 0) {
		map = table_upload(&table);
		if (map >= 0)
			sampler->totals.table_bytes += table.count * sizeof(*table.words);
		unwind_table_free(&table);
	}
	sampler->totals.table_ns += clock_now(CLOCK_MONOTONIC) - begun;
	return map < 0 ? -1 : map;
}

/* The table of the file at `path`, which is made if that is a new one. NULL if memory runs out. */
static struct file_table *table_of(struct sampler *sampler, const char *path, const struct stat *status)
{
	struct file_table *added;

	for (size_t i = 0; i < sampler->table_count; i++) {
		struct file_table *table = &sampler->tables[i];

		if (table->device == status->st_dev && table->inode == status->st_ino &&
		    table->changed.tv_sec == status->st_ctim.tv_sec &&
		    table->changed.tv_nsec == status->st_ctim.tv_nsec)
			return table;
	}
	if (sampler->table_count == sampler->table_room) {
		size_t room = sampler->table_room ? sampler->table_room * 2 : 64;
		struct file_table *grown = realloc(sampler->tables, room * sizeof(*grown));

		if (!grown)
			return NULL;
		sampler->tables = grown;
		sampler->table_room = room;
	}
	added = &sampler->tables[sampler->table_count++];
	*added = (struct file_table){status->st_dev, status->st_ino, status->st_ctim, make_table(sampler, path)};
	return added;
}

static void expect_file(struct sampler *sampler, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0)
		table_of(sampler, path, &status);
}

int sampler_table(struct sampler *sampler, const char *path)
{
	struct stat status;
	const struct file_table *table = stat(path, &status) == 0 ? table_of(sampler, path, &status) : NULL;

	return table ? table->map : -1;
}

static void expect_compiler(struct sampler *sampler, const struct plan *plan, size_t number)
{
	struct stat status;

	if (sampler->expected_count < COLLECT_MAX_COMPILERS && stat(plan->path, &status) == 0)
		sampler->expected[sampler->expected_count++] =
		    (struct expected){status.st_dev, status.st_ino, {plan, (unsigned int)number}};
}

void sampler_expect(struct sampler *sampler, const struct plan *plan, size_t number)
{
	const char *compiler = plan->path, *name = path_name(compiler);
	glob_t found = {0};
	char *pattern;

	expect_compiler(sampler, plan, number);
	expect_file(sampler, compiler);
	if (asprintf(&pattern, "%.*slibLLVM*.so*", (int)(name - compiler), compiler) < 0)
		return;
	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			expect_file(sampler, found.gl_pathv[i]);
	globfree(&found);
	free(pattern);
}

/* Gives the kernel the table of the file at `path`, which is the object with this number. */
static void load_object(struct sampler *sampler, uint32_t number, const char *path, const struct stat *status)
{
	const struct file_table *table = table_of(sampler, path, status);

	sampler->totals.objects++;
	if (table && table->map >= 0)
		bpf_map_update_elem(bpf_map__fd(sampler->bpf->maps.tables), &number, &table->map, BPF_ANY);
}

/* The vdso is no file, but the same in every process: what is mapped here is made one. */
static void take_vdso(struct sampler *sampler, const struct wire_object *record)
{
	const void *vdso = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t size = record->end - record->start;
	char path[64];
	struct stat status;

	if (!vdso || sampler->vdso >= 0)
		return;
	sampler->vdso = memfd_create("vdso", MFD_CLOEXEC);
	if (sampler->vdso < 0 || write(sampler->vdso, vdso, size) != (ssize_t)size || fstat(sampler->vdso, &status) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", sampler->vdso);
	places_note(sampler->places, record->header.count, path, "vdso", &status);
	load_object(sampler, record->header.count, path, &status);
}

/* A file was met. If the process that had it is gone, whoever meets it next is to tell of it again. */
static void take_file(struct sampler *sampler, const struct wire_object *record)
{
	char path[64], target[PATH_MAX];
	struct stat status;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", record->header.tgid, record->start, record->end);
	size = readlink(path, target, sizeof(target) - 1);
	if (size < 0 || stat(path, &status) < 0) {
		bpf_map_delete_elem(bpf_map__fd(sampler->bpf->maps.objects), &record->key);
		return;
	}
	target[size] = '\0';
	for (size_t i = 0; i < sampler->expected_count; i++)
		if (sampler->expected[i].device == status.st_dev && sampler->expected[i].inode == status.st_ino)
			sampler->compilers[record->header.count] = &sampler->expected[i].compiler;
	places_note(sampler->places, record->header.count, target, path_name(target), &status);
	load_object(sampler, record->header.count, path, &status);
}

static void take_object(struct sampler *sampler, const struct wire_object *record)
{
	if (record->header.count >= WIRE_MAX_OBJECTS)
		return;
	if (record->key.inode)
		take_file(sampler, record);
	else
		take_vdso(sampler, record);
}

static void take_sample(struct sampler *sampler, const struct wire_sample *sample)
{
	sampler->totals.ends[sample->in_kernel & SAMPLE_IN_KERNEL][sample->end % SAMPLE_ENDS]++;
	sampler->totals.samples++;
	tell_queries(sampler->compilers, sample, &sampler->told);
	sampled_add(sampler->sampled, &sampler->told);
}

/* Called for each record by libbpf. */
static int take_record(void *context, void *data, size_t size)
{
	const struct wire_header *header = data;

	(void)size;
	if (header->kind == WIRE_OBJECT)
		take_object(context, data);
	else if (header->kind == WIRE_SAMPLE)
		take_sample(context, data);
	return 0;
}

/* ---- events ---- */

/* The processor's cycles where it can count them, else the clock. */
static int open_event(int processor, unsigned int hz)
{
	static const struct {
		uint32_t type;
		uint64_t config;
	} events[] = {
	    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
	    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
	};
	long fd = -1;

	for (size_t i = 0; i < sizeof(events) / sizeof(*events) && fd < 0; i++) {
		struct perf_event_attr attributes = {
		    .type = events[i].type,
		    .config = events[i].config,
		    .size = sizeof(attributes),
		    .sample_freq = hz,
		    .freq = 1,
		};

		fd = syscall(__NR_perf_event_open, &attributes, -1, processor, -1, PERF_FLAG_FD_CLOEXEC);
	}
	return fd < 0 ? -errno : (int)fd;
}

bool sampler_works(void)
{
	int fd = sampler_is_possible() ? open_event(0, 1) : -1;

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int attach_processor(struct sampler *sampler, int processor, struct error *err)
{
	int fd = open_event(processor, sampler->hz);

	/* Offline. */
	if (fd == -ENODEV)
		return 0;
	if (fd < 0)
		return error_set(err, fd, "cannot open a perf event on processor %d: %s%s", processor, strerror(-fd),
				 fd == -EINVAL ? "; /proc/sys/kernel/perf_event_max_sample_rate may be too low" : "");
	sampler->links[processor] = bpf_program__attach_perf_event(sampler->bpf->progs.take_sample, fd);
	if (sampler->links[processor])
		return 0;
	fd = -errno;
	return error_set(err, fd, "cannot attach to the perf event of processor %d: %s", processor, strerror(-fd));
}

int sampler_open(struct querytap_bpf *bpf, struct ring_buffer *ring, const struct collect_options *options,
		 struct sampler **out, struct error *err)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	int code;

	*out = NULL;
	if (!sampler)
		return error_set(err, ENOMEM, "out of memory");
	sampler->bpf = bpf;
	sampler->vdso = -1;
	sampler->hz = options->sample_hz;
	sampler->queries_are_told = options->overhead.mode == OVERHEAD_SAMPLE;
	sampler->began = clock_now(CLOCK_MONOTONIC);
	sampler->began_real = clock_now(CLOCK_REALTIME);
	sampler->cache = options->cache;
	sampler->owner = options->owner;
	sampler->processors = libbpf_num_possible_cpus();
	sampler->links = calloc((size_t)sampler->processors, sizeof(*sampler->links));
	sampler->sampled = sampled_new(sampler->began);
	sampler->places = places_new();
	code = sampler->links && sampler->sampled && sampler->places
		   ? ring_buffer__add(ring, bpf_map__fd(bpf->maps.samples), take_record, sampler)
		   : -ENOMEM;
	if (code < 0)
		error_set(err, code, "cannot map the ring buffer of samples: %s", strerror(-code));
	if (code < 0)
		sampler_free(sampler);
	else
		*out = sampler;
	return code;
}

int sampler_start(struct sampler *sampler, struct error *err)
{
	int code = 0;

	for (int i = 0; i < sampler->processors && code == 0; i++)
		if (!sampler->links[i])
			code = attach_processor(sampler, i, err);
	return code;
}

void sampler_stop(struct sampler *sampler)
{
	if (!sampler->ended)
		sampler->ended = clock_now(CLOCK_MONOTONIC);
	for (int i = 0; i < sampler->processors && sampler->links; i++) {
		bpf_link__destroy(sampler->links[i]);
		sampler->links[i] = NULL;
	}
}

double sampler_share(const struct sampler *sampler)
{
	return sampler->hz * SAMPLE_COST;
}

void sampler_totals(const struct sampler *sampler, struct collect_samples *totals)
{
	*totals = sampler->totals;
	totals->lost = sampler->bpf->bss->lost_samples + sampled_left_out(sampler->sampled);
}

const struct sampled *sampler_sampled(const struct sampler *sampler)
{
	return sampler->sampled;
}

int sampler_places(const struct sampler *sampler, struct place *list, size_t count)
{
	return places_name(sampler->places, list, count);
}

uint64_t sampler_began(const struct sampler *sampler)
{
	return sampler->began;
}

void sampler_describe(const struct sampler *sampler, struct samples *samples)
{
	struct collect_samples totals;

	sampler_totals(sampler, &totals);
	samples->began = sampler->began_real;
	samples->duration = sampler->ended - sampler->began;
	samples->hz = sampler->hz;
	samples->lost = totals.lost;
	samples->estimated = sampler->queries_are_told;
}

void sampler_free(struct sampler *sampler)
{
	if (!sampler)
		return;
	sampler_stop(sampler);
	sampled_free(sampler->sampled);
	places_free(sampler->places);
	for (size_t i = 0; i < sampler->table_count; i++)
		if (sampler->tables[i].map >= 0)
			close(sampler->tables[i].map);
	if (sampler->vdso >= 0)
		close(sampler->vdso);
	free(sampler->tables);
	free(sampler->links);
	free(sampler);
}
