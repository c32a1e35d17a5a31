/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What probes cost on this machine, found out on querytap itself. */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collect/calibrate.h"
#include "collect/cost_cache.h"
#include "collect/internal.h"
#include "util/clock.h"

enum { MEASURED_HITS = 4000, MEASURED_STEPS = 1000, MEASURED_TURNS = 500 };
/* How often to measure, since most times something slows the machine down; and how long a compiler runs until its pace
 * is its own. */
enum { WINDOWS = 24, SETTLED_NS = 200 * 1000 * 1000 };

/*
 * What probes cost in a compiler, without what refill_time in bpf/state.h takes for the caches, by what they cost in
 * querytap's own queries. Found by comparing recordings with those of rustc's own profiler, event by event.
 */
#define MORE_IN_COMPILERS 1.05

struct own_probes {
	struct attachment enter, leave;
};

static void close_own_probes(struct own_probes *own)
{
	attachment_close(&own->enter);
	attachment_close(&own->leave);
}

static int open_own_probes(struct collector *collector, struct own_probes *own, struct error *err)
{
	uint64_t offsets[OWN_SITES], cookie = COOKIE_MAKE(OWN_TCX_REGISTER, OWN_VTABLE_REGISTER, 0, 0), none = 0;
	int code = own_sites_find(offsets, err);

	if (code == 0)
		code = attachment_open(bpf_program__fd(collector->bpf->progs.query_exit), collector->multi,
				       "/proc/self/exe", &offsets[OWN_QUERY_EXIT], &none, 1, &own->leave, err);
	if (code == 0)
		code = attachment_open(bpf_program__fd(collector->bpf->progs.query_enter), collector->multi,
				       "/proc/self/exe", &offsets[OWN_QUERY_ENTER], &cookie, 1, &own->enter, err);
	if (code < 0)
		close_own_probes(own);
	return code;
}

/* Forgets what the programs know of the calling thread, so that it is none of those that are recorded. */
static void forget_own_thread(struct collector *collector)
{
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (self < 0)
		return;
	bpf_map_delete_elem(bpf_map__fd(collector->bpf->maps.threads), &self);
	close(self);
}

/* Runs through querytap's own queries while it follows itself. */
static int run_own_queries(struct collector *collector, uint64_t *cost, struct error *err)
{
	struct wire_process self = {.start = clock_now(CLOCK_MONOTONIC), .flags = PROCESS_COMPILER};
	uint64_t before = collector->own_intervals;
	int processes = bpf_map__fd(collector->bpf->maps.processes);
	uint32_t tgid = (uint32_t)getpid();
	int code = bpf_map_update_elem(processes, &tgid, &self, BPF_ANY);
	int64_t more;

	if (code < 0)
		return error_set(err, code, "cannot follow querytap itself: %s", strerror(-code));
	more = own_queries_run(MEASURED_TURNS);
	bpf_map_delete_elem(processes, &tgid);
	forget_own_thread(collector);
	ring_buffer__consume(collector->ring);
	if (collector->own_intervals == before || more <= 0)
		return error_set(err, EIO, "the cost of a probe could not be measured (%" PRIu64 " own queries came)",
				 collector->own_intervals - before);
	*cost = (uint64_t)(MORE_IN_COMPILERS * (double)more);
	return 0;
}

int collector_measure(struct collector *collector, uint64_t *cost, struct error *err)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	struct own_probes own = {0};
	int code = open_own_probes(collector, &own, err);

	if (code < 0)
		return code;
	*cost = 0;
	collector->measuring = true;
	for (unsigned int i = 0; code == 0 && i < WINDOWS; i++) {
		uint64_t found = 0;

		if (i)
			nanosleep(&pause, NULL);
		code = run_own_queries(collector, &found, err);
		if (code == 0 && (!i || found < *cost))
			*cost = found;
	}
	collector->measuring = false;
	close_own_probes(&own);
	return code;
}

void collector_compensate(struct collector *collector, const struct probe_cost *cost)
{
	collector->cost = *cost;
	collector->bpf->bss->query_cost = cost->query;
	collector->bpf->bss->usual_pace = cost->pace;
}

void watch_pace(struct collector *collector)
{
	int processes = bpf_map__fd(collector->bpf->maps.processes);
	uint64_t now = clock_now(CLOCK_MONOTONIC);

	for (size_t i = 0; i < collector->live_count; i++) {
		uint32_t tgid = profile_tgid(collector->live[i]);
		struct wire_process process;

		if (bpf_map_lookup_elem(processes, &tgid, &process) == 0 && process.pace &&
		    now - process.start > SETTLED_NS) {
			collector->pace_sum += process.pace;
			collector->pace_count++;
		}
	}
}

/* Moves quickly to what is less than before and slowly to what is more, which comes of what slows the machine down. */
static uint64_t learn(uint64_t known, uint64_t seen)
{
	if (seen < known)
		return known - (known - seen) / 4;
	return known + (seen - known < known / 256 ? seen - known : known / 256);
}

int cost_find(struct collector *collector, struct probe_cost *cost, struct error *err)
{
	if (cost_load(collector->cache, cost))
		return 0;
	*cost = (struct probe_cost){0};
	return collector_measure(collector, &cost->query, err);
}

void cost_keep(const struct collector *collector)
{
	struct probe_cost cost = collector->cost;

	if (!cost.query)
		return;
	if (collector->pace_count)
		cost.pace = cost.pace ? learn(cost.pace, collector->pace_sum / collector->pace_count)
				      : collector->pace_sum / collector->pace_count;
	cost_store(collector->cache, collector->owner, &cost);
}

static int measure_instruction(struct collector *collector, uint64_t offset, enum own_site site, unsigned int times,
			       uint64_t *cost, struct error *err)
{
	struct attachment attachment = {0};
	uint64_t cookie = 0, bare, taken;
	int code = attachment_open(bpf_program__fd(collector->bpf->progs.do_nothing), collector->multi,
				   "/proc/self/exe", &offset, &cookie, 1, &attachment, err);

	if (code < 0)
		return code;
	taken = own_site_run(site, times);
	attachment_close(&attachment);
	bare = own_site_run(site, times);
	*cost = taken > bare ? taken - bare : 0;
	return 0;
}

int collector_measure_instructions(struct collector *collector, struct instruction_costs *costs, struct error *err)
{
	uint64_t *const results[] = {
	    [OWN_NOP5] = &costs->nop5, [OWN_PUSH] = &costs->push,   [OWN_JCC] = &costs->jcc,
	    [OWN_CALL] = &costs->call, [OWN_OTHER] = &costs->other,
	};
	uint64_t offsets[OWN_SITES];
	int code = own_sites_find(offsets, err);

	for (int site = OWN_NOP5; code == 0 && site <= OWN_OTHER; site++)
		code = measure_instruction(collector, offsets[site], (enum own_site)site,
					   site == OWN_OTHER ? MEASURED_STEPS : MEASURED_HITS, results[site], err);
	return code;
}
