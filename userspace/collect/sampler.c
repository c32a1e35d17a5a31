/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/sampler.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/wire.h"
#include "collect/features.h"
#include "collect/objects.h"
#include "collect/telling.h"
#include "util/clock.h"

/*
 * Seconds that a sample takes, about: 10 us for a compiler's stack of some thirty functions, and 20 to 25 us for the
 * timer's interrupt and what it takes from the caches, which was measured in a virtual machine; without one it is less.
 * The rest is what the program in turn takes from them: at 997 Hz whole compiles take 4.5 to 5.9 % longer.
 */
#define SAMPLE_COST 50e-6

struct sampler {
	struct querytap_bpf *bpf;
	struct objects *objects;
	struct sampled *sampled;
	unsigned int hz;
	uint64_t began, began_real; /* CLOCK_MONOTONIC, which samples have, and CLOCK_REALTIME, nanoseconds */
	uint64_t ended;		    /* as `began`; 0 until then */
	struct bpf_link **links;    /* one for each processor; NULL where it is offline */
	int processors;
	struct wire_sample told;
	bool queries_are_told; /* by stacks alone */
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
	bpf_program__set_autoload(bpf->progs.identify_file, on);
	bpf_program__set_autoload(bpf->progs.find_fault_entry, on);
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
	return kernel_has_type("maple_arange_64");
}

static void take_sample(struct sampler *sampler, const struct wire_sample *sample)
{
	sampler->totals.ends[sample->in_kernel & SAMPLE_IN_KERNEL][sample->end % SAMPLE_ENDS]++;
	sampler->totals.samples++;
	tell_queries(objects_compilers(sampler->objects), sample, &sampler->told);
	sampled_add(sampler->sampled, &sampler->told);
}

/* Called for each record by libbpf. */
static int take_record(void *context, void *data, size_t size)
{
	struct sampler *sampler = context;
	const struct wire_header *header = data;

	(void)size;
	if (header->kind == WIRE_OBJECT)
		objects_take(sampler->objects, data);
	else if (header->kind == WIRE_SAMPLE)
		take_sample(sampler, data);
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
	LIBBPF_OPTS(bpf_test_run_opts, nothing);
	int code;

	*out = NULL;
	if (!sampler)
		return error_set(err, ENOMEM, "out of memory");
	bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.find_fault_entry), &nothing);
	sampler->bpf = bpf;
	sampler->hz = options->sample_hz;
	sampler->queries_are_told = options->overhead.mode == OVERHEAD_SAMPLE;
	sampler->began = clock_now(CLOCK_MONOTONIC);
	sampler->began_real = clock_now(CLOCK_REALTIME);
	sampler->processors = libbpf_num_possible_cpus();
	sampler->links = calloc((size_t)sampler->processors, sizeof(*sampler->links));
	sampler->sampled = sampled_new(sampler->began);
	sampler->objects = objects_new(bpf, options);
	code = sampler->links && sampler->sampled && sampler->objects
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

	objects_load(sampler->objects);
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

void sampler_expect(struct sampler *sampler, const struct plan *plan, size_t number)
{
	objects_expect(sampler->objects, plan, number);
}

int sampler_table(const struct sampler *sampler, const char *path)
{
	return objects_table(sampler->objects, path);
}

void sampler_totals(const struct sampler *sampler, struct collect_samples *totals)
{
	*totals = sampler->totals;
	objects_totals(sampler->objects, totals);
	totals->lost = sampler->bpf->bss->lost_samples + sampled_left_out(sampler->sampled);
}

const struct sampled *sampler_sampled(const struct sampler *sampler)
{
	return sampler->sampled;
}

int sampler_places(const struct sampler *sampler, struct place *list, size_t count)
{
	return objects_places(sampler->objects, list, count);
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
	objects_free(sampler->objects);
	free(sampler->links);
	free(sampler);
}
