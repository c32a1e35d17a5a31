/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a writer's events count: the clock, the processor's counters under the names of measureme, or the caller's. */
#include "mmprofdata/format.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

static const struct mmp_unit time_units[] = {{"ns", 1}, {"\xCE\xBCs", 1000}, {"ms", 1000000}, {"s", 1000000000}};
static const struct mmp_unit instruction_units[] = {{"instructions", 1}};

const struct mmp_counter mmp_wall_time = {MMP_COUNTER_WALL_TIME, time_units, 4};

/* An event of perf_event_open(2). */
struct perf_event {
	uint32_t type;
	uint64_t config;
};

/*
 * What counts interrupts on this processor, by the table of measureme/src/counters.rs: "hardware interrupts" of AMD
 * before and since Zen, and of Intel since Sandy Bridge. 0 if nobody knows.
 */
static uint64_t interrupts_config(void)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int eax, vendor[3], ecx, edx, family;

	if (!__get_cpuid(0, &eax, &vendor[0], &vendor[2], &vendor[1]))
		return 0;
	if (memcmp(vendor, "GenuineIntel", sizeof(vendor)) == 0)
		return 0x01CB;
	if (memcmp(vendor, "AuthenticAMD", sizeof(vendor)) != 0 || !__get_cpuid(1, &eax, &vendor[0], &ecx, &edx))
		return 0;
	family = eax >> 8 & 0xF;
	if (family == 0xF)
		family += eax >> 20 & 0xFF;
	return family < 0x17 ? 0x00CF : 0x002C;
#else
	return 0;
#endif
}

/* Opens an event for the calling thread in user mode, in the group of `leader` (-1 for none). */
static int open_event(const struct perf_event *event, int leader)
{
	struct perf_event_attr attributes = {
	    .size = sizeof(attributes),
	    .type = event->type,
	    .config = event->config,
	    .read_format = PERF_FORMAT_GROUP,
	    .exclude_kernel = 1,
	    .exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

/* Opens the events of a counter that is named after them. */
static int open_instructions(struct mmp_source *source, const char *name, const char *path, struct mmp_error *err)
{
	struct perf_event events[2] = {{PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS}, {PERF_TYPE_RAW, 0}};
	int count = strcmp(name, MMP_COUNTER_INSTRUCTIONS) == 0 ? 1 : 2;

	events[1].config = strcmp(name, MMP_COUNTER_INSTRUCTIONS_MINUS_R0420) == 0 ? 0x0420 : interrupts_config();
	if (count == 2 && !events[1].config)
		return mmp_fail(err, ENOTSUP,
				"%s: the counter %s is not known for this processor; " MMP_COUNTER_INSTRUCTIONS
				" may work",
				path, name);
	for (int i = 0; i < count; i++) {
		source->files[i] = open_event(&events[i], source->files[0]);
		if (source->files[i] < 0) {
			int code = errno;

			mmp_source_close(source);
			return mmp_fail(err, code,
					"%s: cannot count %s: perf_event_open: %s; virtual machines and containers "
					"often have no such counter",
					path, name, strerror(code));
		}
	}
	return 0;
}

static bool counts_instructions(const char *name)
{
	return strcmp(name, MMP_COUNTER_INSTRUCTIONS) == 0 || strcmp(name, MMP_COUNTER_INSTRUCTIONS_MINUS_IRQS) == 0 ||
	       strcmp(name, MMP_COUNTER_INSTRUCTIONS_MINUS_R0420) == 0;
}

int mmp_counter_copy(const struct mmp_counter *counter, size_t extra, struct mmp_counter *copy, void **memory,
		     char **rest)
{
	size_t size = counter->unit_count * sizeof(struct mmp_unit) + extra;
	struct mmp_unit *units;
	char *text;

	size += counter->name ? strlen(counter->name) + 1 : 0;
	for (size_t i = 0; i < counter->unit_count; i++)
		size += strlen(counter->units[i].name) + 1;
	units = malloc(size ? size : 1);
	if (!units)
		return -ENOMEM;
	text = (char *)(units + counter->unit_count);
	*copy = (struct mmp_counter){NULL, units, counter->unit_count};
	if (counter->name) {
		copy->name = text;
		text = stpcpy(text, counter->name) + 1;
	}
	for (size_t i = 0; i < counter->unit_count; i++) {
		units[i] = (struct mmp_unit){text, counter->units[i].factor};
		text = stpcpy(text, counter->units[i].name) + 1;
	}
	*memory = units;
	*rest = text;
	return 0;
}

static uint64_t clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* A counter without its origin taken off. */
static uint64_t read_raw(const struct mmp_source *source)
{
	struct {
		uint64_t count, values[2];
	} group = {0};

	if (source->read)
		return source->read(source->data);
	if (source->files[0] < 0)
		return clock_now();
	if (read(source->files[0], &group, sizeof(group)) < 0)
		return source->origin;
	return group.values[0] - group.values[1];
}

int mmp_source_open(struct mmp_source *source, const struct mmp_writer_options *options, const char *path,
		    struct mmp_error *err)
{
	const struct mmp_counter *chosen = &options->counter;
	struct mmp_counter counter = mmp_wall_time;
	char *rest;
	int rc = 0;

	*source = (struct mmp_source){.files = {-1, -1}};
	if (options->read_counter) {
		if (!chosen->name)
			return mmp_fail(err, EINVAL, "%s: a counter of your own needs a name", path);
		counter = *chosen;
		source->read = options->read_counter;
		source->data = options->counter_data;
	} else if (chosen->name && counts_instructions(chosen->name)) {
		counter = (struct mmp_counter){chosen->name, instruction_units, 1};
		rc = open_instructions(source, chosen->name, path, err);
	} else if (chosen->name && strcmp(chosen->name, MMP_COUNTER_WALL_TIME) != 0) {
		return mmp_fail(err, EINVAL,
				"%s: there is no counter %s; there are " MMP_COUNTER_WALL_TIME
				", " MMP_COUNTER_INSTRUCTIONS ", " MMP_COUNTER_INSTRUCTIONS_MINUS_IRQS
				" and " MMP_COUNTER_INSTRUCTIONS_MINUS_R0420 ", and others by read_counter",
				path, chosen->name);
	}
	if (rc)
		return rc;
	if (mmp_counter_copy(&counter, 0, &source->counter, &source->memory, &rest)) {
		mmp_source_close(source);
		return mmp_fail(err, ENOMEM, "%s: out of memory for writing a profile", path);
	}
	source->began = options->clock_origin ? options->clock_origin : clock_now();
	if (source->files[0] >= 0)
		source->origin = read_raw(source);
	else if (!source->read)
		source->origin = source->began;
	return 0;
}

uint64_t mmp_source_read(const struct mmp_source *source)
{
	return read_raw(source) - source->origin;
}

uint64_t mmp_source_elapsed(const struct mmp_source *source)
{
	return clock_now() - source->began;
}

void mmp_source_close(struct mmp_source *source)
{
	for (int i = 0; i < 2; i++) {
		if (source->files[i] >= 0)
			close(source->files[i]);
		source->files[i] = -1;
	}
	free(source->memory);
	source->memory = NULL;
}
