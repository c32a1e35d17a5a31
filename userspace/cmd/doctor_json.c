/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "cmd/doctor.h"

static void add_label(json_t *list, const char *label)
{
	json_array_append_new(list, json_string(label));
}

static json_t *labels_json(const struct plan *plan)
{
	json_t *queries = json_array(), *activities = json_array(), *artifacts = json_array();

	for (size_t i = 0; i < plan->query_count; i++)
		if (!plan->queries[i].refusal)
			add_label(queries, plan->queries[i].name);
	for (size_t i = 0; i < plan->activity_count; i++)
		add_label(activities, plan->activities[i].label);
	for (size_t i = 0; doctor_artifacts[i]; i++)
		add_label(artifacts, doctor_artifacts[i]);
	return json_pack("{s:o, s:o, s:o}", MMP_KIND_QUERY, queries, MMP_KIND_GENERIC_ACTIVITY, activities,
			 MMP_KIND_ARTIFACT_SIZE, artifacts);
}

/* What is known of the events that are no queries. */
static void add_events(json_t *object, const struct plan *plan)
{
	json_t *places = json_object(), *omissions = json_array();

	for (int event = 0; event < EVENT_CLASSES; event++)
		json_object_set_new(places, doctor_event_names[event],
				    json_integer((json_int_t)plan_guards(plan, event)));
	for (size_t i = 0; i < plan->omission_count; i++)
		json_array_append_new(omissions, json_pack("{s:s, s:s}", "label", plan->omissions[i].label, "reason",
							   plan->omissions[i].refusal));
	json_object_set_new(object, "activities", json_integer((json_int_t)plan->activity_count));
	json_object_set_new(object, "passes", json_integer((json_int_t)plan->pass_count));
	json_object_set_new(object, "places", places);
	json_object_set_new(object, "omissions", omissions);
}

static json_t *compiler_json(const struct examined *compiler, bool labels)
{
	const struct plan *plan = compiler->plan;
	json_t *object = json_pack("{s:s, s:b}", "path", compiler->path, "likely", compiler->likely);
	json_t *left_out = json_object();

	if (!plan) {
		json_object_set_new(object, "error", json_string(compiler->err.text));
		json_decref(left_out);
		return object;
	}
	for (size_t i = 0; i < plan->query_count; i++)
		if (plan->queries[i].refusal)
			json_object_set_new(left_out, plan->queries[i].name, json_string(plan->queries[i].refusal));
	json_object_set_new(object, "version", json_string(plan->version));
	json_object_set_new(object, "build_id", json_string(plan->build_id));
	json_object_set_new(object, "queries", json_integer((json_int_t)plan->query_count));
	json_object_set_new(object, "timed", json_integer((json_int_t)plan_timed(plan)));
	json_object_set_new(object, "entry_sites", json_integer((json_int_t)plan_sites(plan, SITE_ENTER)));
	json_object_set_new(object, "exit_sites", json_integer((json_int_t)plan_sites(plan, SITE_EXIT)));
	json_object_set_new(object, "left_out", left_out);
	add_events(object, plan);
	if (labels)
		json_object_set_new(object, "labels", labels_json(plan));
	return object;
}

static json_t *cost_json(const struct findings *findings)
{
	const struct instruction_costs *costs = &findings->instructions;

	if (!findings->measured)
		return json_pack("{s:s}", "error", findings->measure_error.text);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "nop5", (json_int_t)costs->nop5, "push",
			 (json_int_t)costs->push, "jcc", (json_int_t)costs->jcc, "call", (json_int_t)costs->call,
			 "other", (json_int_t)costs->other, "query", (json_int_t)(findings->cost));
}

static json_t *sum_json(const struct coverage_sum *sum)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "labels", (json_int_t)sum->labels, "covered_labels",
			 (json_int_t)sum->covered_labels, "events", (json_int_t)sum->events, "covered_events",
			 (json_int_t)sum->covered_events, "self_ns", (json_int_t)sum->self_ns, "covered_ns",
			 (json_int_t)sum->covered_ns);
}

static json_t *uncovered_json(const struct coverage_row *row)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:f, s:s}", "label", row->label, "kind", coverage_kind_name(row->kind),
			 "events", (json_int_t)row->events, "self_ns", (json_int_t)row->self_ns, "percent", row->share,
			 "reason", row->refusal);
}

static json_t *coverage_json(const struct doctor_coverage *found)
{
	const struct coverage *coverage = &found->coverage;
	json_t *object = json_object(), *kinds = json_object(), *uncovered = json_array();

	json_object_set_new(object, "profile", json_string(found->profile));
	json_object_set_new(object, "compiler", found->compiler ? json_string(found->compiler->path) : json_null());
	if (!found->compiler) {
		json_decref(kinds);
		json_decref(uncovered);
		return object;
	}
	for (int kind = 0; kind < COVERAGE_KINDS; kind++)
		if (coverage->kinds[kind].labels)
			json_object_set_new(kinds, coverage_kind_name(kind), sum_json(&coverage->kinds[kind]));
	for (size_t i = 0; i < coverage->row_count; i++)
		if (coverage->rows[i].refusal)
			json_array_append_new(uncovered, uncovered_json(&coverage->rows[i]));
	json_object_set_new(object, "choice", json_string(found->choice));
	json_object_set_new(object, "percent", json_real(coverage_share(&coverage->all)));
	json_object_set_new(object, "all", sum_json(&coverage->all));
	json_object_set_new(object, "kinds", kinds);
	json_object_set_new(object, "uncovered", uncovered);
	json_object_set_new(object, "profiler_ns", json_integer((json_int_t)coverage->profiler_ns));
	json_object_set_new(object, "cache_hits", json_integer((json_int_t)coverage->cache_hits));
	if (coverage->unit)
		json_object_set_new(object, "unit", json_string(coverage->unit));
	return object;
}

int doctor_print_json(const struct findings *findings, bool labels, struct error *err)
{
	json_t *kernel = json_object(), *compilers = json_array();
	json_t *root;

	for (size_t i = 0; i < FEATURE_COUNT; i++)
		json_object_set_new(kernel, findings->features[i].name, json_boolean(findings->features[i].present));
	for (size_t i = 0; i < findings->compiler_count; i++)
		json_array_append_new(compilers, compiler_json(&findings->compilers[i], labels));
	root = json_pack("{s:b, s:o, s:o, s:o}", "usable", findings->usable, "kernel", kernel, "cost_ns",
			 cost_json(findings), "compilers", compilers);
	if (root && findings->coverage)
		json_object_set_new(root, "coverage", coverage_json(findings->coverage));
	if (!root)
		return error_set(err, ENOMEM, "out of memory for JSON");
	json_dumpf(root, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(root);
	return 0;
}
