/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two summaries become their differences, as in measureme's summarize/src/diff.rs (calculate_diff). */
#include "analysis/analysis.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct summary_row nothing;

static struct difference subtract(uint64_t change, uint64_t base)
{
	return change < base ? (struct difference){base - change, true} : (struct difference){change - base, false};
}

/* A label that the change has not: all of it is gone, and be it 0. */
static struct difference times(uint64_t change, uint64_t base, bool gone)
{
	return gone ? (struct difference){base, true} : subtract(change, base);
}

static double percent(struct difference difference, uint64_t base)
{
	return (difference.negative ? -1.0 : 1.0) * (double)difference.amount / (double)base * 100;
}

static int64_t counts(uint64_t change, uint64_t base)
{
	return (int64_t)(change - base);
}

static void fill(struct diff_row *row)
{
	const struct summary_row *base = row->base ? row->base : &nothing;
	const struct summary_row *change = row->change ? row->change : &nothing;
	bool gone = !row->change;

	row->label = row->change ? change->label : base->label;
	row->self_ns = times(change->self_ns, base->self_ns, gone);
	row->total_ns = times(change->total_ns, base->total_ns, gone);
	row->blocked_ns = times(change->blocked_ns, base->blocked_ns, gone);
	row->load_ns = times(change->load_ns, base->load_ns, gone);
	row->hashing_ns = times(change->hashing_ns, base->hashing_ns, gone);
	row->invocations = counts(change->invocations, base->invocations);
	row->cache_misses = counts(change->cache_misses, base->cache_misses);
	row->cache_hits = counts(change->cache_hits, base->cache_hits);
	if (gone) {
		row->self_percent = row->total_percent = -100;
	} else if (!row->base) {
		row->self_percent = row->total_percent = INFINITY;
	} else {
		row->self_percent = percent(row->self_ns, base->self_ns);
		row->total_percent = percent(row->total_ns, base->total_ns);
	}
}

static int compare_labels(const void *left, const void *right)
{
	const struct summary_row *const *a = left, *const *b = right;

	return strcmp((*a)->label, (*b)->label);
}

/* The rows of a summary by label; to be freed with free(). NULL if out of memory. */
static const struct summary_row **by_label(const struct summary *summary)
{
	const struct summary_row **rows = calloc(summary->row_count + 1, sizeof(struct summary_row *));

	for (size_t i = 0; rows && i < summary->row_count; i++)
		rows[i] = &summary->rows[i];
	if (rows)
		qsort(rows, summary->row_count, sizeof(*rows), compare_labels);
	return rows;
}

/* What stands first of two sorted lists: below 0 the left one's, above 0 the right one's, 0 both. */
static int compare_heads(const char *left, const char *right)
{
	if (!left || !right)
		return left ? -1 : 1;
	return strcmp(left, right);
}

static void merge_rows(struct diff *diff, const struct summary_row **base, const struct summary_row **change)
{
	while (*base || *change) {
		int order = compare_heads(*base ? (*base)->label : NULL, *change ? (*change)->label : NULL);
		struct diff_row *row = &diff->rows[diff->row_count++];

		row->base = order <= 0 ? *base++ : NULL;
		row->change = order >= 0 ? *change++ : NULL;
		fill(row);
	}
}

/* A summary's artifacts are sorted by label. */
static void merge_artifacts(struct diff *diff, const struct summary *base, const struct summary *change)
{
	size_t i = 0, j = 0;

	while (i < base->artifact_count || j < change->artifact_count) {
		const struct summary_artifact *left = i < base->artifact_count ? &base->artifacts[i] : NULL;
		const struct summary_artifact *right = j < change->artifact_count ? &change->artifacts[j] : NULL;
		int order = compare_heads(left ? left->label : NULL, right ? right->label : NULL);
		struct diff_artifact *artifact = &diff->artifacts[diff->artifact_count++];

		artifact->label = order <= 0 ? left->label : right->label;
		if (order <= 0)
			artifact->bytes -= (int64_t)left->bytes;
		if (order >= 0)
			artifact->bytes += (int64_t)right->bytes;
		i += order <= 0;
		j += order >= 0;
	}
}

static int compare_rows(const void *left, const void *right)
{
	const struct diff_row *a = left, *b = right;

	if (a->self_ns.amount != b->self_ns.amount)
		return a->self_ns.amount > b->self_ns.amount ? -1 : 1;
	return strcmp(a->label, b->label);
}

static int compare_artifacts(const void *left, const void *right)
{
	const struct diff_artifact *a = left, *b = right;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return strcmp(a->label, b->label);
}

int diff_summaries(const struct summary *base, const struct summary *change, struct diff *diff, struct error *err)
{
	const struct summary_row **base_rows, **change_rows;
	int rc = summary_same_counter(base, change, err);

	*diff = (struct diff){0};
	if (rc)
		return rc;
	base_rows = by_label(base);
	change_rows = by_label(change);
	*diff = (struct diff){
	    .rows = calloc(base->row_count + change->row_count + 1, sizeof(*diff->rows)),
	    .artifacts = calloc(base->artifact_count + change->artifact_count + 1, sizeof(*diff->artifacts)),
	    .unit = base->unit,
	    .cpu_ns = subtract(change->cpu_ns, base->cpu_ns),
	};
	if (base_rows && change_rows && diff->rows && diff->artifacts) {
		merge_rows(diff, base_rows, change_rows);
		merge_artifacts(diff, base, change);
		qsort(diff->rows, diff->row_count, sizeof(*diff->rows), compare_rows);
		qsort(diff->artifacts, diff->artifact_count, sizeof(*diff->artifacts), compare_artifacts);
	} else {
		rc = error_set(err, ENOMEM, "out of memory while comparing profiles");
		diff_free(diff);
	}
	free(base_rows);
	free(change_rows);
	return rc;
}

void diff_free(struct diff *diff)
{
	free(diff->rows);
	free(diff->artifacts);
	*diff = (struct diff){0};
}
