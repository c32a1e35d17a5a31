/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A comparison as JSON, and as the page around it. */
#include <inttypes.h>

#include "render/data.h"
#include "render/page.h"
#include "render/render.h"

struct page_context {
	const struct comparison *comparison;
	const struct comparison_names *names;
};

static const char *const verdicts[] = {
    [VERDICT_SAME] = "same",   [VERDICT_SMALL] = "small", [VERDICT_LARGE] = "large",
    [VERDICT_NOISE] = "noise", [VERDICT_REAL] = "real",
};

static const char *const columns[] = {
    "label",	      "base_self_ns",	    "base_self_low_ns",	   "base_self_high_ns",
    "change_self_ns", "change_self_low_ns", "change_self_high_ns", "self_noise_ns",
    "self_verdict",   "base_count",	    "base_count_low",	   "base_count_high",
    "change_count",   "change_count_low",   "change_count_high",   "count_noise",
    "count_verdict",
};

static void put_figure(const struct compared *figure, FILE *out)
{
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",\"%s\"",
		figure->base, figure->base_low, figure->base_high, figure->change, figure->change_low,
		figure->change_high, figure->noise, verdicts[figure->verdict]);
}

static void put_row(const char *label, const struct compared *self_ns, const struct compared *count, FILE *out)
{
	fputc('[', out);
	data_put_text(label, out);
	put_figure(self_ns, out);
	put_figure(count, out);
	fputc(']', out);
}

static void put_crate(const struct comparison_crate *crate, FILE *out)
{
	fputs("{\"crate\":", out);
	if (crate->name)
		data_put_name(crate->name, out);
	else
		fputs("null", out);
	fprintf(out, ",\"base_runs\":%zu,\"change_runs\":%zu,\"base_profiles\":%zu,\"change_profiles\":%zu,\"total\":",
		crate->base_runs, crate->change_runs, crate->base_profiles, crate->change_profiles);
	put_row("", &crate->self_ns, &crate->count, out);
	fputs(",\"rows\":[", out);
	for (size_t i = 0; i < crate->row_count; i++) {
		const struct comparison_row *row = &crate->rows[i];

		if (i)
			fputc(',', out);
		put_row(row->label, &row->self_ns, &row->count, out);
	}
	fputs("]}", out);
}

static void put_names(const char *key, const char *const *names, size_t count, FILE *out)
{
	fprintf(out, "\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		if (i)
			fputc(',', out);
		data_put_name(names[i], out);
	}
	fputs("],", out);
}

int render_comparison_json(const struct comparison *comparison, const struct comparison_names *names, FILE *out,
			   struct error *err)
{
	(void)err;
	fputc('{', out);
	put_names("base", names->base, comparison->base_runs, out);
	put_names("change", names->change, comparison->change_runs, out);
	fprintf(out, "\"folders\":%s,\"large_share\":%g,\"deviations\":%d,\"chance_percent\":%.3g,",
		names->are_folders ? "true" : "false", COMPARE_LARGE, COMPARE_DEVIATIONS,
		compare_chance(comparison->base_runs, comparison->change_runs));
	put_names("columns", columns, sizeof(columns) / sizeof(columns[0]), out);
	fprintf(out, "\"common_crates\":%zu,\"all\":", comparison->all_count);
	put_crate(&comparison->all, out);
	fputs(",\"crates\":[", out);
	for (size_t i = 0; i < comparison->crate_count; i++) {
		if (i)
			fputc(',', out);
		put_crate(&comparison->crates[i], out);
	}
	fputs("]}\n", out);
	return 0;
}

static int write_data(void *context, FILE *out, struct error *err)
{
	const struct page_context *page = context;

	return render_comparison_json(page->comparison, page->names, out, err);
}

static int write_policy(void *context, FILE *out, struct error *err)
{
	static const char *const files[] = {"base.css", "figures.css", "figures.js", "compare.js", NULL};

	(void)context;
	(void)err;
	policy_put(files, out);
	return 0;
}

int render_comparison_page(const struct comparison *comparison, const struct comparison_names *names, FILE *out,
			   struct error *err)
{
	static const struct page_slot slots[] = {{"data", write_data}, {"policy", write_policy}, {0}};
	struct page_context context = {comparison, names};

	return page_write("compare.html", slots, &context, out, err);
}
