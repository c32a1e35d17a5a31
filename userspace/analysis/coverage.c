/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* rustc's profiler writes the queries' names and keys into its file within this activity. */
#define PROFILER_LABEL "self_profile_alloc_query_strings"

static const char *const kind_names[COVERAGE_KINDS] = {
    [COVERAGE_QUERY] = MMP_KIND_QUERY,
    [COVERAGE_ACTIVITY] = MMP_KIND_GENERIC_ACTIVITY,
    [COVERAGE_LOAD] = MMP_KIND_INCREMENTAL_LOAD,
    [COVERAGE_HASHING] = MMP_KIND_RESULT_HASHING,
    [COVERAGE_BLOCKED] = MMP_KIND_QUERY_BLOCKED,
    [COVERAGE_ARTIFACT] = MMP_KIND_ARTIFACT_SIZE,
    [COVERAGE_OTHER] = "other",
};

/* What a trace's nodes are here; the hits are left out. */
static const enum coverage_kind node_kinds[TRACE_KINDS] = {
    [TRACE_MISS] = COVERAGE_QUERY,  [TRACE_HIT] = COVERAGE_KINDS,	[TRACE_PASS] = COVERAGE_ACTIVITY,
    [TRACE_LOAD] = COVERAGE_LOAD,   [TRACE_HASHING] = COVERAGE_HASHING, [TRACE_BLOCKED] = COVERAGE_BLOCKED,
    [TRACE_OTHER] = COVERAGE_OTHER,
};

/* The events of one label and kind. The time is a difference that may fall below 0: two's complement. */
struct tally {
	uint64_t events, self_ns;
};

struct work {
	const struct mmp_reader *profile;
	coverage_rule rule;
	const void *recorder;
	struct coverage *coverage;
	struct error *err;
};

const char *coverage_kind_name(enum coverage_kind kind)
{
	return kind_names[kind];
}

static int out_of_memory(const struct work *work)
{
	return error_set(work->err, ENOMEM, "%s: out of memory for its coverage", mmp_path(work->profile));
}

static struct tally *tally_of(struct tally *tallies, const struct trace_node *node)
{
	return &tallies[(size_t)node->label * COVERAGE_KINDS + node_kinds[node->kind]];
}

static void count_nodes(const struct trace *trace, struct tally *tallies)
{
	for (uint32_t i = 0; i < trace->node_count; i++) {
		const struct trace_node *node = &trace->nodes[i];

		if (node->kind == TRACE_HIT)
			continue;
		tally_of(tallies, node)->events++;
		tally_of(tallies, node)->self_ns += node->duration;
		if (node->parent != TRACE_NONE)
			tally_of(tallies, &trace->nodes[node->parent])->self_ns -= node->duration;
	}
}

static bool is_text(const struct mmp_text *text, const char *expected)
{
	return text->size == strlen(expected) && memcmp(text->bytes, expected, text->size) == 0;
}

/* Counts, for each of the summary's artifacts, the events that its bytes are the sum of. */
static int count_artifacts(const struct work *work, const struct summary *summary, uint64_t *counts)
{
	struct mmp_cursor cursor = mmp_begin(work->profile);
	struct mmp_buffer buffer = {0};
	struct mmp_event event;
	struct mmp_error reason;
	struct mmp_text text;
	int rc = 0;

	while (!rc && summary->artifact_count && mmp_next(&cursor, &event)) {
		if (event.type != MMP_INTEGER)
			continue;
		rc = mmp_text_of(work->profile, event.kind, &buffer, &text, &reason);
		if (rc || !is_text(&text, MMP_KIND_ARTIFACT_SIZE))
			continue;
		rc = mmp_label_of(work->profile, event.id, &buffer, &text, &reason);
		for (size_t i = 0; i < summary->artifact_count && !rc; i++)
			counts[i] += is_text(&text, summary->artifacts[i].label);
	}
	mmp_buffer_free(&buffer);
	return rc ? error_set(work->err, rc, "%s", reason.text) : 0;
}

static void add_to(struct coverage_sum *sum, const struct coverage_row *row)
{
	sum->labels++;
	sum->events += row->events;
	sum->self_ns += row->self_ns;
	if (!row->refusal) {
		sum->covered_labels++;
		sum->covered_events += row->events;
		sum->covered_ns += row->self_ns;
	}
}

/* Adds a row, for which there is room. */
static int add_row(const struct work *work, const char *label, enum coverage_kind kind, struct tally tally)
{
	struct coverage *coverage = work->coverage;
	struct coverage_row *row = &coverage->rows[coverage->row_count];

	if (kind == COVERAGE_ACTIVITY && strcmp(label, PROFILER_LABEL) == 0) {
		coverage->profiler_ns = tally.self_ns;
		return 0;
	}
	*row = (struct coverage_row){
	    .label = strdup(label),
	    .kind = kind,
	    .refusal = work->rule(work->recorder, kind, label),
	    .events = tally.events,
	    .self_ns = tally.self_ns,
	};
	if (!row->label)
		return out_of_memory(work);
	coverage->row_count++;
	add_to(&coverage->kinds[kind], row);
	add_to(&coverage->all, row);
	return 0;
}

static int compare_rows(const void *left, const void *right)
{
	const struct coverage_row *a = left, *b = right;
	int order = strcmp(a->label, b->label);

	if (a->self_ns != b->self_ns)
		return a->self_ns < b->self_ns ? 1 : -1;
	return order ? order : (int)a->kind - (int)b->kind;
}

static int add_artifacts(const struct work *work, const struct summary *summary)
{
	uint64_t *counts = calloc(summary->artifact_count + 1, sizeof(*counts));
	int rc = counts ? count_artifacts(work, summary, counts) : out_of_memory(work);

	for (size_t i = 0; i < summary->artifact_count && !rc; i++)
		rc = add_row(work, summary->artifacts[i].label, COVERAGE_ARTIFACT, (struct tally){counts[i], 0});
	free(counts);
	return rc;
}

static int add_rows(const struct work *work, const struct trace *trace, const struct tally *tallies,
		    const struct summary *summary)
{
	struct coverage *coverage = work->coverage;
	int rc = 0;

	for (size_t i = 0; i < (size_t)trace->label_count * COVERAGE_KINDS && !rc; i++) {
		struct tally tally = tallies[i];

		/* Where events overlap without nesting, a self time can't be told and is at least 0. */
		if ((int64_t)tally.self_ns < 0)
			tally.self_ns = 0;
		if (tally.events)
			rc = add_row(work, trace->labels[i / COVERAGE_KINDS].text, i % COVERAGE_KINDS, tally);
	}
	if (!rc)
		rc = add_artifacts(work, summary);
	for (size_t i = 0; i < coverage->row_count && coverage->all.self_ns; i++)
		coverage->rows[i].share = (double)coverage->rows[i].self_ns / (double)coverage->all.self_ns * 100;
	qsort(coverage->rows, coverage->row_count, sizeof(*coverage->rows), compare_rows);
	return rc;
}

static int build(const struct work *work, const struct trace *trace, const struct summary *summary)
{
	size_t count = (size_t)trace->label_count * COVERAGE_KINDS;
	struct tally *tallies = calloc(count + 1, sizeof(*tallies));
	int rc;

	work->coverage->rows = calloc(count + summary->artifact_count + 1, sizeof(*work->coverage->rows));
	if (summary->unit)
		work->coverage->unit = strdup(summary->unit);
	if (!tallies || !work->coverage->rows || (summary->unit && !work->coverage->unit)) {
		free(tallies);
		return out_of_memory(work);
	}
	for (uint32_t i = 0; i < trace->label_count; i++)
		work->coverage->cache_hits += trace->labels[i].hits;
	count_nodes(trace, tallies);
	rc = add_rows(work, trace, tallies, summary);
	free(tallies);
	return rc;
}

int coverage_of_profile(const struct mmp_reader *profile, coverage_rule rule, const void *recorder,
			struct coverage *coverage, struct error *err)
{
	const struct work work = {profile, rule, recorder, coverage, err};
	struct summary summary = {0};
	struct trace trace = {0};
	int rc;

	*coverage = (struct coverage){0};
	rc = trace_build(profile, &trace, err);
	if (!rc)
		rc = summarize_profile(profile, &summary, err);
	if (!rc)
		rc = build(&work, &trace, &summary);
	summary_free(&summary);
	trace_free(&trace);
	if (rc)
		coverage_free(coverage);
	return rc;
}

double coverage_share(const struct coverage_sum *sum)
{
	return sum->self_ns ? (double)sum->covered_ns / (double)sum->self_ns * 100 : 0;
}

void coverage_free(struct coverage *coverage)
{
	for (size_t i = 0; i < coverage->row_count; i++)
		free(coverage->rows[i].label);
	free(coverage->rows);
	free(coverage->unit);
	*coverage = (struct coverage){0};
}
