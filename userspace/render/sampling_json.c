/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The structure is described in docs/samples.md. */
#include <stdlib.h>
#include <string.h>

#include "render/json.h"
#include "render/render.h"

/* Text that need not be UTF-8, as names of processes and functions. */
static json_t *text(const char *bytes)
{
	json_t *string = json_string(bytes);
	char *copy;

	if (string)
		return string;
	copy = strdup(bytes);
	for (char *at = copy; at && *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	string = copy ? json_string(copy) : NULL;
	free(copy);
	return string;
}

static json_t *functions_array(const struct sampled_row *row, size_t limit)
{
	json_t *array = json_array();
	int rc = 0;

	for (size_t i = 0; i < row->function_count && i < limit && !rc; i++)
		rc = json_array_append_new(array, json_pack("{so so sI}", "name", text(row->functions[i].name),
							    "object", text(row->functions[i].object), "samples",
							    (json_int_t)row->functions[i].samples));
	if (!rc)
		return array;
	json_decref(array);
	return NULL;
}

/* What an item and what lies in none have in common. */
static json_t *row_object(const struct sampling *sampling, const struct sampled_row *row, size_t functions)
{
	return json_pack("{sI sI sI sI sf sf sf sI sI so}", "self_samples", (json_int_t)row->self, "total_samples",
			 (json_int_t)row->total, "kernel_samples", (json_int_t)row->kernel, "fault_samples",
			 (json_int_t)row->faults, "self_share", row->share, "self_share_low", row->low,
			 "self_share_high", row->high, "estimated_self_ns",
			 (json_int_t)(row->self * sampling->sample_ns), "estimated_time_ns",
			 (json_int_t)(row->total * sampling->sample_ns), "functions", functions_array(row, functions));
}

static json_t *item_object(const struct sampling *sampling, const struct sampled_row *row, size_t functions)
{
	json_t *object =
	    json_pack("{so ss}", "label", text(row->label), "kind", row->kind == SAMPLES_QUERY ? "query" : "activity");
	json_t *rest = row_object(sampling, row, functions);

	if (object && rest && json_object_update(object, rest) == 0) {
		json_decref(rest);
		return object;
	}
	json_decref(object);
	json_decref(rest);
	return NULL;
}

static json_t *items_array(const struct sampling *sampling, const struct sampling_filter *filter)
{
	json_t *array = json_array();
	int rc = 0;

	for (size_t i = 0; i < sampling->row_count && (!filter->limit || i < filter->limit) && !rc; i++)
		rc = json_array_append_new(array, item_object(sampling, &sampling->rows[i], filter->functions));
	if (!rc)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *others_array(const struct sampling *sampling)
{
	json_t *array = json_array();
	int rc = 0;

	for (size_t i = 0; i < sampling->other_count && !rc; i++) {
		const struct sampled_process *other = &sampling->others[i];

		rc = json_array_append_new(
		    array,
		    json_pack("{so sI sI sI sf sf sf sI}", "name", text(other->name), "samples",
			      (json_int_t)other->samples, "kernel_samples", (json_int_t)other->kernel, "fault_samples",
			      (json_int_t)other->faults, "share", other->share, "share_low", other->low, "share_high",
			      other->high, "estimated_time_ns", (json_int_t)(other->samples * sampling->sample_ns)));
	}
	if (!rc)
		return array;
	json_decref(array);
	return NULL;
}

int render_sampling_json(const struct samples *samples, const struct sampling *sampling,
			 const struct sampling_filter *filter, FILE *out, struct error *err)
{
	json_t *root = json_pack(
	    "{sI sI sI sI sb sI sI so so so}", "began_ns", (json_int_t)samples->began, "duration_ns",
	    (json_int_t)samples->duration, "hz", (json_int_t)samples->hz, "lost", (json_int_t)samples->lost,
	    "queries_by_functions", (int)samples->estimated, "samples", (json_int_t)sampling->samples,
	    "compiler_samples", (json_int_t)sampling->compiling, "items", items_array(sampling, filter), "in_none",
	    row_object(sampling, &sampling->none, filter->functions), "other_processes", others_array(sampling));

	return json_end(root, 0, out, err);
}
