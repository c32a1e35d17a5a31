/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The structure is what serde makes of measureme's DiffResults (summarize/src/diff.rs). */
#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "render/json.h"
#include "render/diff.h"

static json_t *difference_object(const struct difference *difference)
{
	return json_pack("{s{sIsI}sb}", "duration", "secs", (json_int_t)(difference->amount / 1000000000), "nanos",
			 (json_int_t)(difference->amount % 1000000000), "is_positive", !difference->negative);
}

/* JSON has no infinity; serde writes null for it. */
static json_t *percent_value(double percent)
{
	return isfinite(percent) ? json_real(percent) : json_null();
}

static json_t *row_object(const struct diff_row *row)
{
	return json_pack(
	    "{ss so so so so sI sI sI so so so}", "label", row->label, "time", difference_object(&row->total_ns),
	    "time_change", percent_value(row->total_percent), "self_time", difference_object(&row->self_ns),
	    "self_time_change", percent_value(row->self_percent), "number_of_cache_misses",
	    (json_int_t)row->cache_misses, "number_of_cache_hits", (json_int_t)row->cache_hits, "invocation_count",
	    (json_int_t)row->invocations, "blocked_time", difference_object(&row->blocked_ns), "incremental_load_time",
	    difference_object(&row->load_ns), "incremental_hashing_time", difference_object(&row->hashing_ns));
}

int render_diff_json(const struct diff *diff, const struct diff_filter *filter, FILE *out, struct error *err)
{
	json_t *rows = json_array(), *artifacts = json_array(), *root;
	size_t shown = 0;
	int rc = 0;

	for (size_t i = 0; i < diff->row_count && (!filter->limit || shown < filter->limit) && !rc; i++) {
		if (diff_excludes(filter, diff->rows[i].label))
			continue;
		rc = json_array_append_new(rows, row_object(&diff->rows[i]));
		shown++;
	}
	for (size_t i = 0; i < diff->artifact_count && !rc; i++) {
		if (diff_excludes(filter, diff->artifacts[i].label))
			continue;
		rc = json_array_append_new(artifacts, json_pack("{sssI}", "label", diff->artifacts[i].label,
								"size_change", (json_int_t)diff->artifacts[i].bytes));
	}
	root = json_pack("{sososo}", "query_data", rows, "artifact_sizes", artifacts, "total_time",
			 difference_object(&diff->cpu_ns));
	/* The numbers keep the structure of seconds and nanoseconds, so it has to be said what they are. */
	if (!rc && root && diff->unit)
		rc = json_object_set_new(root, "unit", json_string(diff->unit));
	return json_end(root, rc, out, err);
}
