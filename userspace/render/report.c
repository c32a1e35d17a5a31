/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A whole build as JSON, and as the page around it, where each trace is a piece of its own. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "render/data.h"
#include "render/page.h"
#include "render/render.h"

/* How many of a process's queries are told. */
#define TOP_ROWS 20

static void put_row(const struct summary_row *row, FILE *out)
{
	fputc('[', out);
	data_put_text(row->label, out);
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", row->self_ns, row->total_ns, row->invocations,
		row->cache_hits);
}

/* The tree: its labels, and its nodes behind the root, whose index is 0, by parent, label, total, self and count. */
static void put_stacks(const struct stacks *stacks, FILE *out)
{
	fprintf(out, "{\"total_ns\":%" PRIu64 ",\"pruned\":%zu,\"labels\":[",
		stacks->node_count ? stacks->nodes[0].total_ns : 0, stacks->pruned_count);
	for (size_t i = 0; i < stacks->label_count; i++) {
		if (i)
			fputc(',', out);
		data_put_text(stacks->labels[i], out);
	}
	fputs("],\"nodes\":[", out);
	for (size_t i = 1; i < stacks->node_count; i++) {
		const struct stack_node *node = &stacks->nodes[i];

		fprintf(out, "%s[%zu,%zu,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i > 1 ? "," : "", node->parent,
			node->label, node->total_ns, node->self_ns, node->count);
	}
	fputs("]}", out);
}

static void put_process(const struct report *report, size_t i, bool with_stacks, FILE *out)
{
	const struct report_process *process = &report->processes[i];
	const struct build_process *place = &report->build->processes[i];
	const struct summary *summary = process->summary;
	uint64_t self_ns = 0, invocations = 0;

	for (size_t j = 0; j < summary->row_count; j++) {
		self_ns += summary->rows[j].self_ns;
		invocations += summary->rows[j].invocations;
	}
	fputs("{\"crate\":", out);
	data_put_name(process->crate, out);
	fprintf(out, ",\"process_id\":%" PRIu32 ",\"command\":", process->process_id);
	data_put_name(process->command, out);
	fprintf(out,
		",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"lane\":%zu,\"in_chain\":%s,\"cpu_ns\":%" PRIu64
		",\"self_ns\":%" PRIu64 ",\"count\":%" PRIu64 ",\"labels\":%zu,\"top\":[",
		place->start_ns, place->end_ns, place->lane, place->in_chain ? "true" : "false", summary->cpu_ns,
		self_ns, invocations, summary->row_count);
	for (size_t j = 0; j < summary->row_count && j < TOP_ROWS; j++) {
		if (j)
			fputc(',', out);
		put_row(&summary->rows[j], out);
	}
	fputc(']', out);
	if (with_stacks) {
		fputs(",\"stacks\":", out);
		put_stacks(process->stacks, out);
	}
	fputc('}', out);
}

static void put_totals(const struct build *build, FILE *out)
{
	fputs(
	    "\"total_columns\":[\"label\",\"self_ns\",\"total_ns\",\"count\",\"cache_hits\",\"processes\",\"percent\"],"
	    "\"totals\":[",
	    out);
	for (size_t i = 0; i < build->total_count; i++) {
		const struct build_total *total = &build->totals[i];

		fputs(i ? ",[" : "[", out);
		data_put_text(total->label, out);
		fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%zu,%.4f]", total->self_ns,
			total->total_ns, total->invocations, total->cache_hits, total->processes, total->share);
	}
	fputc(']', out);
}

/* Which of the report's processes has this profile; -1 for none. */
static long index_of_profile(const struct report *report, const char *profile)
{
	for (size_t i = 0; profile && i < report->build->process_count; i++)
		if (strcmp(report->processes[i].file, profile) == 0)
			return (long)i;
	return -1;
}

/* A number, or null for RECORDED_UNKNOWN. */
static void put_known(const char *key, int64_t number, FILE *out)
{
	if (number == RECORDED_UNKNOWN)
		fprintf(out, ",\"%s\":null", key);
	else
		fprintf(out, ",\"%s\":%" PRId64, key, number);
}

static void put_recorded_process(const struct report *report, const struct recorded_process *process, FILE *out)
{
	uint64_t start_ns = report->build->start_ns;

	fprintf(out, "{\"process_id\":%" PRIu32 ",\"name\":", process->pid);
	data_put_name(process->name, out);
	fprintf(out, ",\"kind\":\"%s\",\"command\":", recorded_kind_name(process->kind));
	data_put_name(process->command, out);
	fprintf(out, ",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"lane\":%zu,\"joined\":%s,\"complete\":%s",
		process->start_ns - start_ns, process->end_ns - start_ns, process->lane,
		process->joined ? "true" : "false", process->complete ? "true" : "false");
	put_known("parent", process->parent == RECORDED_NONE ? RECORDED_UNKNOWN : (int64_t)process->parent, out);
	put_known("process", index_of_profile(report, process->profile), out);
	put_known("exit_code", process->exit_code, out);
	put_known("signal", process->signal, out);
	put_known("user_ns", process->user_ns, out);
	put_known("system_ns", process->system_ns, out);
	put_known("peak_bytes", process->peak_bytes, out);
	fputc('}', out);
}

static void put_recorded(const struct report *report, FILE *out)
{
	const struct recorded_build *recorded = report->recorded;

	fprintf(out, ",\n\"all\":{\"lanes\":%zu,\"lost\":%" PRIu64 ",\"complete\":%s,\"processes\":[",
		recorded->lane_count, recorded->lost, recorded->complete ? "true" : "false");
	for (size_t i = 0; i < recorded->count; i++) {
		if (i)
			fputs(",\n", out);
		put_recorded_process(report, &recorded->processes[i], out);
	}
	fputs("]}", out);
}

static void put_report(const struct report *report, bool with_stacks, FILE *out)
{
	const struct build *build = report->build;

	fputs("{\"folder\":", out);
	data_put_name(report->name, out);
	fprintf(out,
		",\"start_ns\":\"%" PRIu64 "\",\"wall_ns\":%" PRIu64 ",\"busy_ns\":%" PRIu64 ",\"cpu_ns\":%" PRIu64
		",\"lanes\":%zu,\"pruned_below\":%g,\"chain_is\":\"inferred from times\",\"chain_ns\":%" PRIu64
		",\"chain\":[",
		build->start_ns, build->wall_ns, build->busy_ns, build->cpu_ns, build->lane_count, report->prune,
		build->chain_ns);
	for (size_t i = 0; i < build->chain_count; i++)
		fprintf(out, "%s%zu", i ? "," : "", build->chain[i]);
	fputs("],\"running\":[", out);
	for (size_t i = 0; i < build->step_count; i++)
		fprintf(out, "%s[%" PRIu64 ",%zu]", i ? "," : "", build->steps[i].time_ns, build->steps[i].running);
	fputs("],\"top_columns\":[\"label\",\"self_ns\",\"total_ns\",\"count\",\"cache_hits\"],"
	      "\"node_columns\":[\"parent\",\"label\",\"total_ns\",\"self_ns\",\"count\"],\"processes\":[",
	      out);
	for (size_t i = 0; i < build->process_count; i++) {
		if (i)
			fputs(",\n", out);
		put_process(report, i, with_stacks, out);
	}
	fputs("],\n", out);
	put_totals(build, out);
	if (report->recorded)
		put_recorded(report, out);
	fputs("}\n", out);
}

int render_report_json(const struct report *report, FILE *out, struct error *err)
{
	(void)err;
	put_report(report, true, out);
	return 0;
}

static int write_data(void *context, FILE *out, struct error *err)
{
	(void)err;
	put_report(context, false, out);
	return 0;
}

/* Each trace in an element of its own, which is parsed when it is looked at. */
static int write_traces(void *context, FILE *out, struct error *err)
{
	const struct report *report = context;

	(void)err;
	for (size_t i = 0; i < report->build->process_count; i++) {
		fprintf(out, "<script type=\"application/json\" id=\"trace-%zu\">", i);
		put_stacks(report->processes[i].stacks, out);
		fputs("</script>\n", out);
	}
	return 0;
}

static int write_policy(void *context, FILE *out, struct error *err)
{
	static const char *const files[] = {"base.css", "figures.css",	"report.css", "figures.js",
					    "flame.js", "processes.js", "report.js",  NULL};

	(void)context;
	(void)err;
	policy_put(files, out);
	return 0;
}

int render_report_page(const struct report *report, FILE *out, struct error *err)
{
	static const struct page_slot slots[] = {
	    {"data", write_data}, {"traces", write_traces}, {"policy", write_policy}, {0}};

	return page_write("report.html", slots, (void *)report, out, err);
}
