/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The structure is what serde makes of measureme's AnalysisResults (analyzeme/src/analysis.rs). */
#include <errno.h>
#include <jansson.h>

#include "render/summary.h"

static json_t *duration(uint64_t ns)
{
	return json_pack("{sIsI}", "secs", (json_int_t)(ns / 1000000000), "nanos", (json_int_t)(ns % 1000000000));
}

static json_t *row_object(const struct summary_row *row)
{
	return json_pack("{ss so so sI sI sI so so so}", "label", row->label, "time", duration(row->total_ns),
			 "self_time", duration(row->self_ns), "number_of_cache_misses", (json_int_t)row->cache_misses,
			 "number_of_cache_hits", (json_int_t)row->cache_hits, "invocation_count",
			 (json_int_t)row->invocations, "blocked_time", duration(row->blocked_ns),
			 "incremental_load_time", duration(row->load_ns), "incremental_hashing_time",
			 duration(row->hashing_ns));
}

int render_summary_json(const struct summary *summary, const struct summary_filter *filter, FILE *out,
			struct error *err)
{
	size_t shown = summary_shown(summary, filter);
	json_t *rows = json_array(), *artifacts = json_array(), *root;
	int rc = 0;

	for (size_t i = 0; i < shown && !rc; i++)
		rc = json_array_append_new(rows, row_object(&summary->rows[i]));
	for (size_t i = 0; i < summary->artifact_count && !rc; i++)
		rc = json_array_append_new(artifacts, json_pack("{sssI}", "label", summary->artifacts[i].label, "value",
								(json_int_t)summary->artifacts[i].bytes));
	root = json_pack("{sososo}", "query_data", rows, "artifact_sizes", artifacts, "total_time",
			 duration(summary->cpu_ns));
	if (rc || !root) {
		json_decref(root);
		return error_set(err, ENOMEM, "out of memory for JSON");
	}
	/* Failures to write are the stream's own and asked for by the caller. */
	json_dumpf(root, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(root);
	return 0;
}
