/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The layout is that of measureme's summarize/src/main.rs, so that what reads the one reads the other. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/summary.h"
#include "render/table.h"

/* Which of the rarer columns hold something. */
struct columns {
	bool hits, blocked, load, hashing;
};

/* measureme's own tool stops looking once it has found the first three, and may so leave out the hashing times. */
static struct columns find_columns(const struct summary *summary)
{
	struct columns columns = {0};

	for (size_t i = 0; i < summary->row_count; i++) {
		const struct summary_row *row = &summary->rows[i];

		columns.hits |= row->cache_hits > 0;
		columns.blocked |= row->blocked_ns > 0;
		columns.load |= row->load_ns > 0;
		columns.hashing |= row->hashing_ns > 0;
	}
	return columns;
}

static void add_titles(struct table *table, const struct columns *columns)
{
	table_add(table, "Item");
	table_add(table, "Self time");
	table_add(table, "%% of total time");
	table_add(table, "Time");
	table_add(table, "Item count");
	if (columns->hits)
		table_add(table, "Cache hits");
	if (columns->blocked)
		table_add(table, "Blocked time");
	if (columns->load)
		table_add(table, "Incremental load time");
	if (columns->hashing)
		table_add(table, "Incremental result hashing time");
	table->columns = table->count;
}

static void add_duration(struct table *table, uint64_t ns)
{
	char text[RENDER_DURATION_SIZE];

	render_duration(text, ns, 2);
	table_add(table, "%s", text);
}

/* `dots` are as many as the longest label has bytes: they lead the eye from a shorter one to the next column. */
static void add_row(struct table *table, const struct summary_row *row, const char *dots, const struct columns *columns)
{
	size_t length = strlen(row->label) + 1;
	const char *leader = length < strlen(dots) ? dots + length : "";

	table_add(table, "%s %s", row->label, leader);
	add_duration(table, row->self_ns);
	table_add(table, "%.3f", row->share);
	add_duration(table, row->total_ns);
	table_add(table, "%" PRIu64, row->invocations);
	if (columns->hits)
		table_add(table, "%" PRIu64, row->cache_hits);
	if (columns->blocked)
		add_duration(table, row->blocked_ns);
	if (columns->load)
		add_duration(table, row->load_ns);
	if (columns->hashing)
		add_duration(table, row->hashing_ns);
}

/* As many dots as the longest label has bytes; to be freed with free(). NULL if out of memory. */
static char *make_dots(const struct summary *summary)
{
	size_t longest = 0;
	char *dots;

	for (size_t i = 0; i < summary->row_count; i++) {
		size_t length = strlen(summary->rows[i].label);

		if (length > longest)
			longest = length;
	}
	dots = malloc(longest + 1);
	if (dots) {
		memset(dots, '.', longest);
		dots[longest] = '\0';
	}
	return dots;
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
	struct columns columns = find_columns(summary);
	size_t shown = summary_shown(summary, filter);
	char *dots = make_dots(summary);
	char cpu_time[RENDER_DURATION_SIZE];
	struct table table = {0};
	double share = 0;
	int rc;

	if (!dots)
		return error_set(err, ENOMEM, "out of memory for a table");
	add_titles(&table, &columns);
	for (size_t i = 0; i < shown; i++) {
		add_row(&table, &summary->rows[i], dots, &columns);
		share += summary->rows[i].share;
	}
	rc = table_print(&table, out, err);
	table_free(&table);
	free(dots);
	if (rc)
		return rc;
	render_duration(cpu_time, summary->cpu_ns, -1);
	fprintf(out, "Total cpu time: %s\n", cpu_time);
	if (filter->percent_above != 0 || filter->limit)
		fprintf(out, "Filtered results account for %.3f%% of total time.\n", share);
	return print_artifacts(summary, out, err);
}
