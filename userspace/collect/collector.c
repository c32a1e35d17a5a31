/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/collect.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/budget.h"
#include "collect/internal.h"
#include "collect/probing.h"
#include "collect/records.h"
#include "collect/sink.h"
#include "util/clock.h"

/* What an event's probes cost where that could not be measured or is not taken out of the times, in seconds. */
#define USUAL_COST 1.5e-6
/* How much more they cost in a compiler than where they are measured: where few are left, each finds cold caches. */
#define IN_COMPILERS 1.6

_Static_assert(COLLECT_MAX_COMPILERS == WIRE_MAX_COMPILERS, "one number, two headers");

/* ---- opening ---- */

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && getenv("QUERYTAP_DEBUG_LIBBPF"))
		return vfprintf(stderr, format, args);
	return 0;
}

static int choose_method(struct collector *collector, enum attach_method method, struct error *err)
{
	collector->multi = method != ATTACH_PERF && kernel_has_uprobe_multi();
	if (method == ATTACH_MULTI && !collector->multi)
		return error_set(err, ENOTSUP, "this kernel has no uprobe_multi links (they came with Linux 6.6)");
	return 0;
}

static int map_ring(struct collector *collector, struct error *err)
{
	collector->ring = ring_buffer__new(bpf_map__fd(collector->bpf->maps.records), take_record, collector, NULL);
	if (!collector->ring)
		return error_set(err, errno, "cannot map the ring buffer: %s", strerror(errno));
	return 0;
}

static int note_absences(struct collector *collector, struct error *err)
{
	collector->absences = absences_new();
	if (!collector->absences)
		return error_set(err, ENOMEM, "out of memory");
	return absences_listen(collector->absences, collector->bpf, collector->ring, err);
}

int collector_open(const struct collect_options *options, struct collector **out, struct error *err)
{
	struct collector *collector = calloc(1, sizeof(*collector));
	struct collect_options asked = *options;
	int code;

	*out = NULL;
	if (!collector)
		return error_set(err, ENOMEM, "out of memory");
	libbpf_set_print(silent);
	if (options->sample_if_possible && !sampler_is_possible())
		asked.sample_hz = 0;
	if (options->sink)
		asked.events &= ~(COLLECT_TEXTS | COLLECT_KEYS | COLLECT_SIZES);
	collector->directory = strdup(options->directory ? options->directory : ".");
	collector->place = (struct profile_place){
	    .directory = collector->directory,
	    .uid = options->uid,
	    .gid = options->gid,
	    .set_owner = options->set_owner,
	    .events = asked.events,
	    .cpu_time = options->cpu_time,
	    .overhead = options->overhead,
	    .realtime_offset = clock_now(CLOCK_REALTIME) - clock_now(CLOCK_MONOTONIC),
	};
	collector->began = clock_now(CLOCK_MONOTONIC);
	collector->on_exec = options->on_exec;
	collector->context = options->context;
	collector->sink = options->sink;
	collector->overhead = options->overhead;
	collector->sample_if_possible = options->sample_if_possible;
	collector->cache = options->cache;
	collector->owner = options->owner;
	collector->selftime = selftime_new();
	collector->processes = processes_new();
	code = collector->directory && collector->selftime && collector->processes
		   ? choose_method(collector, options->attach, err)
		   : error_set(err, ENOMEM, "out of memory");
	if (code == 0)
		code = load_programs(collector, &asked, err);
	if (code == 0)
		code = map_ring(collector, err);
	if (code == 0 && asked.sample_hz)
		code = sampler_open(collector->bpf, collector->ring, &asked, &collector->sampler, err);
	/* There may be no compiler to probe. */
	if (code == 0 && options->overhead.mode == OVERHEAD_SAMPLE)
		code = sampler_start(collector->sampler, err);
	if (code == 0 && options->off_cpu)
		code = note_absences(collector, err);
	if (code < 0)
		collector_free(collector);
	else
		*out = collector;
	return code;
}

/* ---- probing ---- */

static size_t probed_index(const struct collector *collector, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return SIZE_MAX;
	for (size_t i = 0; i < collector->compiler_count; i++)
		if (collector->compilers[i].device == status.st_dev && collector->compilers[i].inode == status.st_ino)
			return i;
	return SIZE_MAX;
}

bool collector_only_samples(const struct collector *collector)
{
	return collector->overhead.mode == OVERHEAD_SAMPLE;
}

bool collector_has(const struct collector *collector, const char *path)
{
	return probed_index(collector, path) != SIZE_MAX;
}

/* Chooses what to time. */
static int choose_timing(const struct collector *collector, const struct plan *plan, struct timing **out,
			 struct error *err)
{
	uint64_t cost = collector->cost.query;
	struct timing_options options = {
	    .overhead = collector->overhead,
	    .events = collector->place.events,
	    .cost = cost ? IN_COMPILERS * (double)cost / 1e9 : USUAL_COST,
	    .sampling = collector->sampler ? sampler_share(collector->sampler) : 0,
	};

	return timing_new(&options, plan, experience_load(plan, collector->cache), out, err);
}

int collector_probe(struct collector *collector, const struct plan *plan, struct error *err)
{
	size_t number = collector->compiler_count;
	struct probed *probed = &collector->compilers[number < COLLECT_MAX_COMPILERS ? number : 0];
	struct stat status;
	int code = 0;

	if (collector_has(collector, plan->path))
		return 0;
	if (number >= COLLECT_MAX_COMPILERS)
		return error_set(err, ENOSPC, "more than %d compilers to probe; %s is left out", COLLECT_MAX_COMPILERS,
				 plan->path);
	if (stat(plan->path, &status) < 0)
		return error_set(err, errno, "cannot stat %s: %s", plan->path, strerror(errno));
	if (collector->sampler) {
		sampler_expect(collector->sampler, plan, number);
		code = sampler_start(collector->sampler, err);
		if (code < 0 && collector->sample_if_possible) {
			sampler_stop(collector->sampler);
			code = 0;
		}
	}
	if (code < 0)
		return code;
	*probed = (struct probed){.plan = plan, .device = status.st_dev, .inode = status.st_ino};
	code = choose_timing(collector, plan, &probed->timing, err);
	/* From its first probe on, the compiler may send records. */
	collector->compiler_count++;
	if (code == 0 && collector->overhead.mode != OVERHEAD_SAMPLE)
		code = probes_attach(collector, probed, number, err);
	if (code < 0) {
		timing_free(probed->timing);
		collector->compiler_count--;
	}
	return code;
}

/* ---- following ---- */

static bool has_ended(pid_t pid)
{
	struct pollfd file = {pidfd_open(pid, 0), POLLIN, 0};
	bool ended = file.fd < 0 ? errno == ESRCH : poll(&file, 1, 0) == 1;

	if (file.fd >= 0)
		close(file.fd);
	return ended;
}

int collector_follow(struct collector *collector, pid_t pid, enum follow how, struct error *err)
{
	static const unsigned int flags[] = {
	    [FOLLOW_NEW] = 0,
	    [FOLLOW_TREE] = PROCESS_JOINED,
	    [FOLLOW_ALONE] = PROCESS_JOINED | PROCESS_ALONE,
	};
	struct wire_process process = {.start = clock_now(CLOCK_MONOTONIC), .flags = flags[how]};
	uint32_t tgid = (uint32_t)pid;
	int processes = bpf_map__fd(collector->bpf->maps.processes);
	int code = bpf_map_update_elem(processes, &tgid, &process, BPF_NOEXIST);

	if (code < 0 && code != -EEXIST)
		return error_set(err, code, "cannot follow process %d: %s", (int)pid, strerror(-code));
	if (code == 0 && !collector->sink)
		processes_follow(collector->processes, pid, how, process.start);
	/* If it ended before it was followed, nothing else would take it out again. */
	if (code == 0 && how != FOLLOW_NEW && has_ended(pid))
		bpf_map_delete_elem(processes, &tgid);
	return 0;
}

/* Adds the command line of a running process to its profile. */
static void add_command_line(struct profile *profile, pid_t pid)
{
	char path[64], bytes[4096];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = fopen(path, "re");
	while (file && (size = fread(bytes, 1, sizeof(bytes), file)) > 0)
		profile_add_args(profile, bytes, size);
	if (file)
		fclose(file);
}

void collector_join(struct collector *collector, pid_t pid, const char *path)
{
	size_t number = probed_index(collector, path), index;
	struct wire_compiler begun = {.header = {WIRE_COMPILER, (uint32_t)pid, (uint32_t)pid, 0}, .joined = 1};
	struct wire_process process;

	if (collector->overhead.mode == OVERHEAD_SAMPLE || number == SIZE_MAX ||
	    live_index(collector, begun.header.tgid) != SIZE_MAX)
		return;
	if (collector->bpf->rodata->trace_all)
		collector_follow(collector, pid, FOLLOW_TREE, NULL);
	if (bpf_map_lookup_elem(bpf_map__fd(collector->bpf->maps.processes), &begun.header.tgid, &process) < 0 ||
	    (process.flags & (PROCESS_JOINED | PROCESS_COMPILER)) != PROCESS_JOINED)
		return;
	begun.start = process.start;
	begun.compiler = (unsigned short)number;
	begin_profile(collector, &begun);
	index = live_index(collector, begun.header.tgid);
	if (index == SIZE_MAX)
		return;
	add_command_line(collector->live[index], pid);
	if (collector->sink)
		sink_begin(collector, collector->live[index]);
}

/* One that was already past the tracepoint of its exit when it was followed is never marked as dead. */
static bool is_alive(pid_t pid, unsigned int flags)
{
	return !(flags & PROCESS_DEAD) && !((flags & PROCESS_JOINED) && has_ended(pid));
}

void collector_unfollow(struct collector *collector, pid_t pid)
{
	uint32_t tgid = (uint32_t)pid;

	bpf_map_delete_elem(bpf_map__fd(collector->bpf->maps.processes), &tgid);
}

bool collector_follows_any(const struct collector *collector)
{
	int processes = bpf_map__fd(collector->bpf->maps.processes);
	uint32_t tgid;
	struct wire_process process;

	for (int code = bpf_map_get_next_key(processes, NULL, &tgid); code == 0;
	     code = bpf_map_get_next_key(processes, &tgid, &tgid))
		if (bpf_map_lookup_elem(processes, &tgid, &process) == 0 && is_alive((pid_t)tgid, process.flags))
			return true;
	return false;
}

void finish_threads(struct collector *collector)
{
	struct bpf_link *link = bpf_program__attach_iter(collector->bpf->progs.finish_all, NULL);
	char nothing[64];
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;

	if (fd >= 0) {
		while (read(fd, nothing, sizeof(nothing)) > 0)
			;
		close(fd);
	}
	bpf_link__destroy(link);
}

/* ---- draining and ending ---- */

int collector_fd(const struct collector *collector)
{
	return ring_buffer__epoll_fd(collector->ring);
}

void collector_drain(struct collector *collector)
{
	ring_buffer__consume(collector->ring);
	watch_pace(collector);
	budget_review(collector);
}

void collector_totals(const struct collector *collector, struct collect_totals *totals)
{
	*totals = collector->totals;
	totals->running = collector->live_count;
}

unsigned int collector_events(const struct collector *collector)
{
	return collector->place.events;
}

enum attach_method collector_method(const struct collector *collector)
{
	return collector->multi ? ATTACH_MULTI : ATTACH_PERF;
}

static void stop_following(struct collector *collector)
{
	struct bpf_link **links[] = {&collector->bpf->links.on_fork, &collector->bpf->links.on_exec,
				     &collector->bpf->links.on_exit, &collector->bpf->links.call_begin,
				     &collector->bpf->links.on_free};

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		bpf_link__destroy(*links[i]);
		*links[i] = NULL;
	}
}

/* Takes the processes whose end did not come: they live on, or there was no room in the ring buffer for it. */
static void take_remaining(struct collector *collector)
{
	int processes = bpf_map__fd(collector->bpf->maps.processes);
	struct wire_end end = {0};
	struct wire_process process;

	while (bpf_map_get_next_key(processes, NULL, &end.header.tgid) == 0 &&
	       bpf_map_lookup_elem(processes, &end.header.tgid, &process) == 0 &&
	       bpf_map_delete_elem(processes, &end.header.tgid) == 0) {
		end.counts = process.counts;
		take_end(collector, &end);
		if (!collector->sink)
			processes_take_remaining(collector->processes, end.header.tgid, &process);
	}
	memset(&end.counts, 0, sizeof(end.counts));
	while (collector->live_count)
		finish_profile(collector, collector->live_count - 1, end.counts, false);
}

static void detach(struct collector *collector)
{
	for (size_t i = 0; i < collector->compiler_count; i++) {
		probes_detach(collector->compilers[i].probes);
		collector->compilers[i].probes = NULL;
	}
}

void collector_finish(struct collector *collector)
{
	if (collector->sampler)
		sampler_stop(collector->sampler);
	detach(collector);
	collector_drain(collector);
	/* From here on nobody leaves or comes back, so that what finish_threads ends is not ended once more. */
	bpf_link__destroy(collector->bpf->links.on_switch);
	collector->bpf->links.on_switch = NULL;
	finish_threads(collector);
	collector->ended = clock_now(CLOCK_MONOTONIC);
	await_freed(collector);
	stop_following(collector);
	collector_drain(collector);
	take_remaining(collector);
	budget_learn(collector);
	cost_keep(collector);
}

void collector_free(struct collector *collector)
{
	if (!collector)
		return;
	detach(collector);
	while (collector->live_count)
		profile_free(collector->live[--collector->live_count]);
	for (size_t i = 0; i < collector->compiler_count; i++)
		timing_free(collector->compilers[i].timing);
	free(collector->live);
	selftime_free(collector->selftime);
	processes_free(collector->processes);
	bpf_link__destroy(collector->looking);
	ring_buffer__free(collector->ring);
	sampler_free(collector->sampler);
	absences_free(collector->absences);
	querytap_bpf__destroy(collector->bpf);
	free(collector->directory);
	free(collector);
}
