/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What probes cost on this machine, found out on querytap itself. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/calibrate.h"
#include "collect/internal.h"
#include "util/clock.h"

enum { MEASURED_QUERIES = 16000, MEASURED_HITS = 4000, MEASURED_STEPS = 1000 };

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Attaches the query programs to querytap's own query sites and runs through them. *more: what a query takes more for
 * it, ns. */
static int run_own_queries(struct collector *collector, const uint64_t offsets[OWN_SITES], uint64_t *more,
			   struct error *err)
{
	struct attachment enter = {0}, leave = {0};
	uint64_t cookie = COOKIE_MAKE(OWN_TCX_REGISTER, OWN_VTABLE_REGISTER, 0, 0), none = 0;
	int code = attachment_open(bpf_program__fd(collector->bpf->progs.query_exit), collector->multi,
				   "/proc/self/exe", &offsets[OWN_QUERY_EXIT], &none, 1, &leave, err);

	if (code == 0)
		code = attachment_open(bpf_program__fd(collector->bpf->progs.query_enter), collector->multi,
				       "/proc/self/exe", &offsets[OWN_QUERY_ENTER], &cookie, 1, &enter, err);
	if (code == 0)
		*more = own_queries_run(MEASURED_QUERIES);
	attachment_close(&enter);
	attachment_close(&leave);
	return code;
}

static int measure_followed(struct collector *collector, uint64_t *more, uint64_t *pace, struct error *err)
{
	struct wire_process self = {.start = clock_now(CLOCK_MONOTONIC), .flags = PROCESS_COMPILER};
	uint64_t offsets[OWN_SITES];
	uint32_t tgid = (uint32_t)getpid();
	int processes = bpf_map__fd(collector->bpf->maps.processes);
	int code = own_sites_find(offsets, err);

	if (code < 0)
		return code;
	code = bpf_map_update_elem(processes, &tgid, &self, BPF_ANY);
	if (code < 0)
		return error_set(err, code, "cannot follow querytap itself: %s", strerror(-code));
	code = run_own_queries(collector, offsets, more, err);
	finish_threads(collector);
	collector_drain(collector);
	if (bpf_map_lookup_elem(processes, &tgid, &self) == 0)
		*pace = self.pace;
	bpf_map_delete_elem(processes, &tgid);
	return code;
}

/* The median of the lengths of querytap's own intervals. */
static uint64_t measured_length(struct collector *collector)
{
	qsort(collector->measured, collector->measured_count, sizeof(*collector->measured), compare_numbers);
	return collector->measured[collector->measured_count / 2];
}

int collector_measure(struct collector *collector, struct probe_cost *cost, struct error *err)
{
	const struct probe_cost none = {0};
	uint64_t more = 0;
	int code;

	collector_compensate(collector, &none);
	*cost = none;
	collector->measured_room = 2 * MEASURED_QUERIES;
	collector->measured_count = 0;
	collector->measured = calloc(collector->measured_room, sizeof(*collector->measured));
	if (!collector->measured)
		return error_set(err, ENOMEM, "out of memory");
	code = measure_followed(collector, &more, &cost->pace, err);
	if (code == 0 && collector->measured_count >= MEASURED_QUERIES && more) {
		cost->inside = measured_length(collector);
		/*
		 * What lies around the clock readings is the outer halves of the same two traps whose inner halves lie
		 * between them. A result far from that comes from a machine too busy to measure on.
		 */
		cost->around = more > cost->inside * 3 / 2 ? more - cost->inside : cost->inside / 2;
		if (cost->around > 2 * cost->inside)
			cost->around = 2 * cost->inside;
	} else if (code == 0) {
		code = error_set(err, EIO, "the cost of a probe could not be measured (%zu of %d own queries came)",
				 collector->measured_count, MEASURED_QUERIES);
	}
	free(collector->measured);
	collector->measured = NULL;
	return code;
}

void collector_compensate(struct collector *collector, const struct probe_cost *cost)
{
	collector->cost = *cost;
	collector->bpf->bss->cost_inside = cost->inside;
	collector->bpf->bss->cost_around = cost->around;
	collector->bpf->bss->cost_pace = cost->pace;
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
