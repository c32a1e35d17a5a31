/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The layout is that of measureme's summarize/src/main.rs, so that what reads the one reads the other. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/summary.h"
#include "render/table.h"

/* Which of the rarer columns hold something, and are wanted. */
struct columns {
	bool estimated, hits, blocked, load, hashing, memory_rate, incremental_rate;
};

/* measureme's own tool stops looking once it has found the first three, and may so leave out the hashing times. */
static struct columns find_columns(const struct summary *summary, const struct summary_filter *filter)
{
	struct columns columns = {.estimated = filter->estimates && filter->estimates->row_count};

	for (size_t i = 0; i < summary->row_count; i++) {
		const struct summary_row *row = &summary->rows[i];

		columns.hits |= row->cache_hits > 0;
		columns.blocked |= row->blocked_ns > 0;
		columns.load |= row->load_ns > 0;
		columns.hashing |= row->hashing_ns > 0;
		columns.memory_rate |= filter->hits && row->cache_hits;
		columns.incremental_rate |= filter->hits && row->loads;
	}
	return columns;
}

/* The titles speak of time, or of what another counter counts; then the cells are numbers of that. */
static void add_titles(struct table *table, const struct columns *columns, const char *unit)
{
	const char *time = unit ? unit : "time";

	table_add(table, "Item");
	table_add(table, "Self %s", time);
	if (columns->estimated)
		table_add(table, "\xC2\xB1");
	table_add(table, "%% of total %s", time);
	table_add(table, "%s", unit ? unit : "Time");
	table_add(table, "Item count");
	if (columns->hits)
		table_add(table, "Cache hits");
	if (columns->blocked)
		table_add(table, "Blocked %s", time);
	if (columns->load)
		table_add(table, "Incremental load %s", time);
	if (columns->hashing)
		table_add(table, "Incremental result hashing %s", time);
	if (columns->memory_rate)
		table_add(table, "%% hit in memory");
	if (columns->incremental_rate)
		table_add(table, "%% loaded from disk");
	table->columns = table->count;
}

static void add_amount(struct table *table, uint64_t amount, const char *unit)
{
	char text[RENDER_DURATION_SIZE];

	render_amount(text, amount, unit, 2);
	table_add(table, "%s", text);
}

/* A share of the requests; nothing where there were none, as for what is no query. */
static void add_rate(struct table *table, const struct hit_rates *rates, double rate)
{
	if (rates->requests)
		table_add(table, "%.2f", rate);
	else
		table_add(table, "%s", "");
}

/* The self time, and how far it may be off where it is estimated: the wider side of the interval. */
static void add_self(struct table *table, const struct summary_row *row, const struct estimate *estimate)
{
	char text[RENDER_DURATION_SIZE];
	uint64_t below, above;

	render_duration(text, row->self_ns, 2);
	if (!estimate) {
		table_add(table, "%s", text);
		table_add(table, "%s", "");
		return;
	}
	table_add(table, "~%s", text);
	below = estimate->self_ns - estimate->low_ns;
	above = estimate->high_ns - estimate->self_ns;
	add_amount(table, below > above ? below : above, NULL);
}

static void add_row(struct table *table, const struct summary_row *row, size_t longest, const struct columns *columns,
		    const struct summary_filter *filter, const char *unit)
{
	struct hit_rates rates = summary_row_hits(row);
	const struct estimate *estimate = columns->estimated ? estimates_find(filter->estimates, row->label) : NULL;
	bool measured = !estimate || estimate->measured;

	table_add_label(table, row->label, longest);
	if (columns->estimated)
		add_self(table, row, estimate);
	else
		add_amount(table, row->self_ns, unit);
	table_add(table, "%.3f", row->share);
	if (measured) {
		add_amount(table, row->total_ns, unit);
		table_add(table, "%" PRIu64, row->invocations);
	} else {
		table_add(table, "%s", "");
		table_add(table, "%s", "");
	}
	if (columns->hits)
		table_add(table, "%" PRIu64, row->cache_hits);
	if (columns->blocked)
		add_amount(table, row->blocked_ns, unit);
	if (columns->load)
		add_amount(table, row->load_ns, unit);
	if (columns->hashing)
		add_amount(table, row->hashing_ns, unit);
	if (columns->memory_rate)
		add_rate(table, &rates, rates.memory);
	if (columns->incremental_rate)
		add_rate(table, &rates, rates.incremental);
}

static size_t longest_label(const struct summary *summary)
{
	size_t longest = 0;

	for (size_t i = 0; i < summary->row_count; i++) {
		size_t length = strlen(summary->rows[i].label);

		if (length > longest)
			longest = length;
	}
	return longest;
}

/* A profile without a single hit was taken by a profiler that does not see them. */
static void print_hits(const struct summary *summary, FILE *out)
{
	struct hit_rates rates = summary_hits(summary);

	if (rates.memory > 0)
		fprintf(out,
			"Of %" PRIu64
			" requests for a query's result, %.2f%% found it in memory, %.2f%% loaded it from disk.\n",
			rates.requests, rates.memory, rates.incremental);
	else
		fprintf(out,
			"Of %" PRIu64 " results that were not in memory, %.2f%% were loaded from disk; the profile "
			"does not record what was found in memory.\n",
			rates.requests, rates.incremental);
}

static int print_artifacts(const struct summary *summary, FILE *out, struct error *err)
{
	struct table table = {.columns = 2};
	int rc;

	table_add(&table, "Item");
	table_add(&table, "Artifact Size");
	for (size_t i = 0; i < summary->artifact_count; i++) {
		table_add(&table, "%s", summary->artifacts[i].label);
		table_add(&table, "%" PRIu64 " bytes", summary->artifacts[i].bytes);
	}
	rc = table_print(&table, out, err);
	table_free(&table);
	return rc;
}

int render_summary_text(const struct summary *summary, const struct summary_filter *filter, FILE *out,
			struct error *err)
{
	struct columns columns = find_columns(summary, filter);
	size_t longest = longest_label(summary), next = 0, shown = 0;
	char cpu_time[RENDER_DURATION_SIZE];
	const struct summary_row *row;
	struct table table = {0};
	double share = 0;
	int rc;

	add_titles(&table, &columns, summary->unit);
	while ((!filter->limit || shown < filter->limit) && (row = summary_next(summary, filter, &next))) {
		add_row(&table, row, longest, &columns, filter, summary->unit);
		share += row->share;
		shown++;
	}
	rc = table_print(&table, out, err);
	table_free(&table);
	if (rc)
		return rc;
	if (columns.estimated)
		fprintf(
		    out,
		    "~: estimated from %" PRIu64
		    " samples, since it was not timed, or not always, or something in it was not; \xC2\xB1: with 95%% "
		    "confidence\n",
		    filter->estimates->samples);
	render_amount(cpu_time, summary->cpu_ns, summary->unit, -1);
	fprintf(out, "Total %s: %s\n", summary->unit ? summary->unit : "cpu time", cpu_time);
	if (other_time(summary->unit, summary->counter))
		fprintf(out, "All times are %s.\n", summary->counter);
	if (filter->percent_above != 0 || filter->limit)
		fprintf(out, "Filtered results account for %.3f%% of total %s.\n", share,
			summary->unit ? summary->unit : "time");
	if (filter->hits)
		print_hits(summary, out);
	return print_artifacts(summary, out, err);
}
