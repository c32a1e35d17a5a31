/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The structure is what serde makes of measureme's AnalysisResults (analyzeme/src/analysis.rs). */
#include <errno.h>
#include <jansson.h>

#include "render/json.h"
#include "render/summary.h"

static json_t *duration(uint64_t ns)
{
	return json_pack("{sIsI}", "secs", (json_int_t)(ns / 1000000000), "nanos", (json_int_t)(ns % 1000000000));
}

/* `hits` says whether to add the shares of hits, `recorded` whether the profile has those in memory. */
static json_t *row_object(const struct summary_row *row, bool hits, bool recorded)
{
	json_t *object =
	    json_pack("{ss so so sI sI sI so so so}", "label", row->label, "time", duration(row->total_ns), "self_time",
		      duration(row->self_ns), "number_of_cache_misses", (json_int_t)row->cache_misses,
		      "number_of_cache_hits", (json_int_t)row->cache_hits, "invocation_count",
		      (json_int_t)row->invocations, "blocked_time", duration(row->blocked_ns), "incremental_load_time",
		      duration(row->load_ns), "incremental_hashing_time", duration(row->hashing_ns));
	struct hit_rates rates = summary_row_hits(row);

	if (object && hits) {
		json_object_set_new(object, "incremental_load_count", json_integer((json_int_t)row->loads));
		json_object_set_new(object, "in_memory_hit_percent",
				    recorded && rates.requests ? json_real(rates.memory) : json_null());
		json_object_set_new(object, "incremental_hit_percent",
				    rates.requests ? json_real(rates.incremental) : json_null());
	}
	return object;
}

static json_t *estimate_object(const struct estimate *estimate)
{
	json_t *from = json_array();

	for (size_t i = 0; i < estimate->source_count; i++)
		json_array_append_new(from, json_pack("{ss?sI}", "label", estimate->sources[i].label, "self_ns",
						      (json_int_t)estimate->sources[i].self_ns));
	return json_pack("{sssIsIsIsIso}", "label", estimate->label, "estimated_self_ns", (json_int_t)estimate->self_ns,
			 "low_ns", (json_int_t)estimate->low_ns, "high_ns", (json_int_t)estimate->high_ns, "samples",
			 (json_int_t)estimate->samples, "from", from);
}

/* Adds the estimates that pass the filter. measureme's tool has nothing like them. */
static int add_estimates(json_t *root, const struct summary_filter *filter)
{
	const struct estimates *estimates = filter->estimates;
	json_t *rows = json_array();
	int rc = 0;

	for (size_t i = 0; i < estimates->row_count && !rc; i++)
		if (estimates->rows[i].share >= filter->percent_above &&
		    (!filter->limit || json_array_size(rows) < filter->limit))
			rc = json_array_append_new(rows, estimate_object(&estimates->rows[i]));
	return json_object_set_new(root, "estimated", rows) ? -1 : rc;
}

int render_summary_json(const struct summary *summary, const struct summary_filter *filter, FILE *out,
			struct error *err)
{
	json_t *rows = json_array(), *artifacts = json_array(), *root;
	bool recorded = summary_hits(summary).memory > 0;
	const struct summary_row *row;
	size_t next = 0, shown = 0;
	int rc = 0;

	while (!rc && (!filter->limit || shown < filter->limit) && (row = summary_next(summary, filter, &next))) {
		rc = json_array_append_new(rows, row_object(row, filter->hits, recorded));
		shown++;
	}
	for (size_t i = 0; i < summary->artifact_count && !rc; i++)
		rc = json_array_append_new(artifacts, json_pack("{sssI}", "label", summary->artifacts[i].label, "value",
								(json_int_t)summary->artifacts[i].bytes));
	root = json_pack("{sososo}", "query_data", rows, "artifact_sizes", artifacts, "total_time",
			 duration(summary->cpu_ns));
	/* The numbers keep the structure of seconds and nanoseconds, so it has to be said what they are. */
	if (!rc && root && summary->unit)
		rc = json_object_set_new(root, "unit", json_string(summary->unit));
	if (!rc && root && other_time(summary->unit, summary->counter))
		rc = json_object_set_new(root, "counter", json_string(summary->counter));
	if (!rc && root && filter->estimates && filter->estimates->row_count)
		rc = add_estimates(root, filter);
	return json_end(root, rc, out, err);
}
