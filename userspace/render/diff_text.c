/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The layout is that of measureme's summarize/src/main.rs, so that what reads the one reads the other. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "render/diff.h"
#include "render/table.h"

static void print_difference(char *text, size_t size, const struct difference *difference, const char *unit)
{
	char duration[RENDER_DURATION_SIZE];

	render_amount(duration, difference->amount, unit, -1);
	snprintf(text, size, "%c%s", difference->negative ? '-' : '+', duration);
}

static void add_difference(struct table *table, const struct difference *difference, const char *unit)
{
	char text[RENDER_DURATION_SIZE + 1];

	print_difference(text, sizeof(text), difference, unit);
	table_add(table, "%s", text);
}

static void add_percent(struct table *table, double percent)
{
	if (isnan(percent))
		table_add(table, "NaN%%");
	else
		table_add(table, "%+.2f%%", percent);
}

static void add_row(struct table *table, const struct diff_row *row, size_t longest, const char *unit)
{
	table_add_label(table, row->label, longest);
	add_difference(table, &row->self_ns, unit);
	add_percent(table, row->self_percent);
	add_difference(table, &row->total_ns, unit);
	add_percent(table, row->total_percent);
	table_add(table, "%+" PRId64, row->invocations);
	table_add(table, "%+" PRId64, row->cache_hits);
	add_difference(table, &row->blocked_ns, unit);
	add_difference(table, &row->load_ns, unit);
	add_difference(table, &row->hashing_ns, unit);
}

/* See summary_text.c. */
static void add_titles(struct table *table, const char *unit)
{
	const char *time = unit ? unit : "Time", *small = unit ? unit : "time";

	table_add(table, "Item");
	table_add(table, "Self %s", time);
	table_add(table, "Self %s Change", time);
	table_add(table, "%s", time);
	table_add(table, "%s Change", time);
	table_add(table, "Item count");
	table_add(table, "Cache hits");
	table_add(table, "Blocked %s", small);
	table_add(table, "Incremental load %s", small);
	table_add(table, "Incremental hashing %s", small);
	table->columns = table->count;
}

static int print_rows(const struct diff *diff, const struct diff_filter *filter, FILE *out, struct error *err)
{
	struct table table = {0};
	size_t longest = 0, shown = 0;
	int rc;

	add_titles(&table, diff->unit);
	for (size_t i = 0; i < diff->row_count; i++) {
		size_t length = strlen(diff->rows[i].label);

		if (length > longest)
			longest = length;
	}
	for (size_t i = 0; i < diff->row_count && (!filter->limit || shown < filter->limit); i++) {
		if (diff_excludes(filter, diff->rows[i].label))
			continue;
		add_row(&table, &diff->rows[i], longest, diff->unit);
		shown++;
	}
	rc = table_print(&table, out, err);
	table_free(&table);
	return rc;
}

int render_diff_text(const struct diff *diff, const struct diff_filter *filter, FILE *out, struct error *err)
{
	char cpu_time[RENDER_DURATION_SIZE + 1];
	struct table table = {.columns = 2};
	int rc = print_rows(diff, filter, out, err);

	if (rc)
		return rc;
	print_difference(cpu_time, sizeof(cpu_time), &diff->cpu_ns, diff->unit);
	fprintf(out, "Total %s: %s\n", diff->unit ? diff->unit : "cpu time", cpu_time);
	table_add(&table, "Item");
	table_add(&table, "Artifact Size Change");
	for (size_t i = 0; i < diff->artifact_count; i++) {
		if (diff_excludes(filter, diff->artifacts[i].label))
			continue;
		table_add(&table, "%s", diff->artifacts[i].label);
		table_add(&table, "%" PRId64 " bytes", diff->artifacts[i].bytes);
	}
	rc = table_print(&table, out, err);
	table_free(&table);
	return rc;
}
