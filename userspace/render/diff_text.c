/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The layout is that of measureme's summarize/src/main.rs, so that what reads the one reads the other. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "render/diff.h"
#include "render/table.h"

static void print_difference(char *text, size_t size, const struct difference *difference)
{
	char duration[RENDER_DURATION_SIZE];

	render_duration(duration, difference->amount, -1);
	snprintf(text, size, "%c%s", difference->negative ? '-' : '+', duration);
}

static void add_difference(struct table *table, const struct difference *difference)
{
	char text[RENDER_DURATION_SIZE + 1];

	print_difference(text, sizeof(text), difference);
	table_add(table, "%s", text);
}

static void add_percent(struct table *table, double percent)
{
	if (isnan(percent))
		table_add(table, "NaN%%");
	else
		table_add(table, "%+.2f%%", percent);
}

static void add_row(struct table *table, const struct diff_row *row, size_t longest)
{
	table_add_label(table, row->label, longest);
	add_difference(table, &row->self_ns);
	add_percent(table, row->self_percent);
	add_difference(table, &row->total_ns);
	add_percent(table, row->total_percent);
	table_add(table, "%+" PRId64, row->invocations);
	table_add(table, "%+" PRId64, row->cache_hits);
	add_difference(table, &row->blocked_ns);
	add_difference(table, &row->load_ns);
	add_difference(table, &row->hashing_ns);
}

static int print_rows(const struct diff *diff, const struct diff_filter *filter, FILE *out, struct error *err)
{
	static const char *const titles[] = {
	    "Item",
	    "Self Time",
	    "Self Time Change",
	    "Time",
	    "Time Change",
	    "Item count",
	    "Cache hits",
	    "Blocked time",
	    "Incremental load time",
	    "Incremental hashing time",
	};
	struct table table = {.columns = sizeof(titles) / sizeof(titles[0])};
	size_t longest = 0, shown = 0;
	int rc;

	for (size_t i = 0; i < table.columns; i++)
		table_add(&table, "%s", titles[i]);
	for (size_t i = 0; i < diff->row_count; i++) {
		size_t length = strlen(diff->rows[i].label);

		if (length > longest)
			longest = length;
	}
	for (size_t i = 0; i < diff->row_count && (!filter->limit || shown < filter->limit); i++) {
		if (diff_excludes(filter, diff->rows[i].label))
			continue;
		add_row(&table, &diff->rows[i], longest);
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
	print_difference(cpu_time, sizeof(cpu_time), &diff->cpu_ns);
	fprintf(out, "Total cpu time: %s\n", cpu_time);
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
