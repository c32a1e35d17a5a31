/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <inttypes.h>

#include "render/render.h"
#include "render/table.h"

static void add_amount(struct table *table, uint64_t amount, const char *unit)
{
	char text[RENDER_DURATION_SIZE];

	render_amount(text, amount, unit, 2);
	table_add(table, "%s", text);
}

/* Sizes have no time. */
static void add_self(struct table *table, enum coverage_kind kind, uint64_t amount, const char *unit)
{
	if (kind == COVERAGE_ARTIFACT)
		table_add(table, "%s", "");
	else
		add_amount(table, amount, unit);
}

static void add_titles(struct table *table, const char *const *titles, const char *unit)
{
	for (; *titles; titles++)
		table_add(table, *titles, unit ? unit : "time");
	table->columns = table->count;
}

/* The sum of one kind, or with COVERAGE_KINDS that of all. */
static void add_sum(struct table *table, enum coverage_kind kind, const struct coverage_sum *sum, const char *unit)
{
	table_add(table, "%s", kind == COVERAGE_KINDS ? "all" : coverage_kind_name(kind));
	table_add(table, "%" PRIu64, sum->labels);
	table_add(table, "%" PRIu64, sum->covered_labels);
	table_add(table, "%" PRIu64, sum->events);
	table_add(table, "%" PRIu64, sum->covered_events);
	add_self(table, kind, sum->self_ns, unit);
	add_self(table, kind, sum->covered_ns, unit);
	if (sum->self_ns)
		table_add(table, "%.3f", coverage_share(sum));
	else
		table_add(table, "%s", "");
}

static int print_kinds(const struct coverage *coverage, FILE *out, struct error *err)
{
	static const char *const titles[] = {"Kind",	"Labels",   "recorded",	   "Events", "recorded",
					     "Self %s", "recorded", "%% recorded", NULL};
	struct table table = {0};
	int rc;

	add_titles(&table, titles, coverage->unit);
	for (int kind = 0; kind < COVERAGE_KINDS; kind++)
		if (coverage->kinds[kind].labels)
			add_sum(&table, kind, &coverage->kinds[kind], coverage->unit);
	add_sum(&table, COVERAGE_KINDS, &coverage->all, coverage->unit);
	rc = table_print(&table, out, err);
	table_free(&table);
	return rc;
}

static int print_uncovered(const struct coverage *coverage, FILE *out, struct error *err)
{
	static const char *const titles[] = {"Not recorded", "Kind", "Events", "Self %s", "%% of all", "Why", NULL};
	struct table table = {0};
	int rc;

	add_titles(&table, titles, coverage->unit);
	for (size_t i = 0; i < coverage->row_count; i++) {
		const struct coverage_row *row = &coverage->rows[i];

		if (!row->refusal)
			continue;
		table_add(&table, "%s", row->label);
		table_add(&table, "%s", coverage_kind_name(row->kind));
		table_add(&table, "%" PRIu64, row->events);
		add_self(&table, row->kind, row->self_ns, coverage->unit);
		if (row->kind == COVERAGE_ARTIFACT)
			table_add(&table, "%s", "");
		else
			table_add(&table, "%.3f", row->share);
		table_add(&table, "%s", row->refusal);
	}
	rc = table.count > table.columns || table.failed ? table_print(&table, out, err) : 0;
	table_free(&table);
	return rc;
}

int render_coverage_text(const struct coverage *coverage, FILE *out, struct error *err)
{
	char amount[RENDER_DURATION_SIZE];
	int rc = print_kinds(coverage, out, err);

	if (!rc)
		rc = print_uncovered(coverage, out, err);
	if (rc)
		return rc;
	if (coverage->profiler_ns) {
		render_amount(amount, coverage->profiler_ns, coverage->unit, 2);
		fprintf(out,
			"Left out above: %s%s%s of rustc's own profiler, which writes its strings in "
			"self_profile_alloc_query_strings.\n",
			amount, coverage->unit ? " " : "", coverage->unit ? coverage->unit : "");
	}
	if (coverage->cache_hits)
		fprintf(out,
			"Left out above: %" PRIu64
			" cache hits, which cannot be seen from outside: they are loads inlined everywhere.\n",
			coverage->cache_hits);
	return 0;
}
