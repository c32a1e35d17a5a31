/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/recovery.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include "collect/upload.h"
#include "compiler/compiler.h"

/* Of the ring of samples, where there are none. */
enum { NO_SAMPLES_BYTES = 4096 };

/* Entries are what is recovered: where there are none, nothing is. */
static bool is_wanted(const struct collect_options *options)
{
	return options->joins && options->overhead.mode != OVERHEAD_COUNTS &&
	       options->overhead.mode != OVERHEAD_SAMPLE && sampler_is_possible();
}

void recovery_configure(struct querytap_bpf *bpf, const struct collect_options *options)
{
	bool on = is_wanted(options);

	bpf_program__set_autoload(bpf->progs.query_enter_joined, on);
	bpf_program__set_autoload(bpf->progs.query_exit_joined, on);
	bpf_program__set_autoload(bpf->progs.guard_begin_joined, on);
	bpf_map__set_autocreate(bpf->maps.recoveries, on);
	bpf_map__set_autocreate(bpf->maps.calls, on);
	if (!on)
		return;
	bpf_map__set_max_entries(bpf->maps.recoveries, (uint32_t)libbpf_num_possible_cpus());
	bpf_map__set_autocreate(bpf->maps.objects, true);
	bpf_map__set_autocreate(bpf->maps.tables, true);
	bpf_map__set_autocreate(bpf->maps.samples, true);
	if (!options->sample_hz)
		bpf_map__set_max_entries(bpf->maps.samples, NO_SAMPLES_BYTES);
}

bool recovery_is_on(const struct querytap_bpf *bpf)
{
	return bpf_program__autoload(bpf->progs.query_enter_joined);
}

/* The group of the query that a call is one of; GROUP_NONE if it is none's, or that of what runs queries. */
static uint32_t group_of(const struct plan *plan, const struct plan_call *call)
{
	return call->number && call->number <= plan->query_count ? plan->queries[call->number - 1].group : GROUP_NONE;
}

/* Puts the table of the file at `path` into the kernel. Returns its descriptor, or a negative errno. */
static int make_table(const struct collector *collector, const char *path)
{
	struct unwind_table table;
	int map = unwind_table_get(path, collector->cache, collector->owner, &table, NULL);

	if (map < 0)
		return map;
	map = table_upload(&table);
	unwind_table_free(&table);
	return map;
}

void recovery_add(const struct collector *collector, const struct probed *probed, size_t number)
{
	const struct plan *plan = probed->plan;
	int calls = bpf_map__fd(collector->bpf->maps.calls), map;
	uint32_t object = WIRE_COMPILER_OBJECT((uint32_t)number);

	if (!recovery_is_on(collector->bpf))
		return;
	map = collector->sampler ? sampler_table(collector->sampler, plan->path) : make_table(collector, plan->path);
	if (map < 0)
		return;
	bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.tables), &object, &map, BPF_ANY);
	if (!collector->sampler)
		close(map);
	for (size_t i = 0; i < plan->call_count; i++) {
		const struct plan_call *call = &plan->calls[i];
		uint64_t key = WIRE_CALL((uint64_t)number, call->offset);
		uint32_t group = group_of(plan, call);

		if (call->number == WIRE_QUERY_NONE || (group && timing_probes(probed->timing, group)))
			bpf_map_update_elem(calls, &key, &call->number, BPF_ANY);
	}
}

void recovery_forget(const struct collector *collector, const struct probed *probed, const uint32_t *groups,
		     size_t count)
{
	const struct plan *plan = probed->plan;
	size_t number = (size_t)(probed - collector->compilers);

	for (size_t i = 0; i < plan->call_count && recovery_is_on(collector->bpf); i++) {
		uint64_t key = WIRE_CALL((uint64_t)number, plan->calls[i].offset);
		uint32_t group = group_of(plan, &plan->calls[i]);

		for (size_t j = 0; j < count; j++)
			if (group && groups[j] == group)
				bpf_map_delete_elem(bpf_map__fd(collector->bpf->maps.calls), &key);
	}
}
