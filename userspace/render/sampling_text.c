/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "render/render.h"
#include "render/table.h"

/* Under so many items their functions are listed, with at most so many letters of a name. */
enum { ITEMS_WITH_FUNCTIONS = 10, MAX_NAME = 160 };

/* How far the dots behind labels go. */
enum { MAX_DOTS = 40 };

static const char none_label[] = "(in no query or activity)";

static void add_time(struct table *table, double ns)
{
	char text[RENDER_DURATION_SIZE];

	render_duration(text, (uint64_t)ns, 2);
	table_add(table, "%s", text);
}

/* Half of the confidence interval, as a share. */
static double half(double low, double high)
{
	return (high - low) / 2;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static void add_row(struct table *table, const struct sampling *sampling, const struct sampled_row *row,
		    const char *label, size_t longest)
{
	double ns = (double)sampling->sample_ns;

	table_add_label(table, label, longest);
	table_add(table, "%" PRIu64, row->self);
	add_time(table, (double)row->self * ns);
	add_time(table, half(row->low, row->high) * (double)sampling->compiling * ns);
	table_add(table, "%.2f", 100 * row->share);
	table_add(table, "%.2f to %.2f", 100 * row->low, 100 * row->high);
	add_time(table, (double)row->total * ns);
	table_add(table, "%.1f", percent(row->kernel, row->self));
	table_add(table, "%.1f", percent(row->faults, row->self));
}

static size_t shown_rows(const struct sampling *sampling, size_t limit)
{
	return limit && limit < sampling->row_count ? limit : sampling->row_count;
}

static int print_items(const struct sampling *sampling, size_t shown, FILE *out, struct error *err)
{
	struct table table = {0};
	size_t longest = sizeof(none_label) - 1;
	int rc;

	for (size_t i = 0; i < shown; i++) {
		size_t length = strlen(sampling->rows[i].label);

		if (length > longest)
			longest = length < MAX_DOTS ? length : MAX_DOTS;
	}
	table_add(&table, "Item");
	table_add(&table, "Samples");
	table_add(&table, "Estimated self time");
	table_add(&table, "±");
	table_add(&table, "%% of samples");
	table_add(&table, "95%% interval");
	table_add(&table, "Estimated time");
	table_add(&table, "%% in kernel");
	table_add(&table, "%% in page faults");
	table.columns = table.count;
	for (size_t i = 0; i < shown; i++)
		add_row(&table, sampling, &sampling->rows[i], sampling->rows[i].label, longest);
	if (sampling->none.self)
		add_row(&table, sampling, &sampling->none, none_label, longest);
	rc = table_print(&table, out, err);
	table_free(&table);
	return rc;
}

/* Explains the table. */
static void print_sums(const struct samples *samples, const struct sampling *sampling, size_t shown, FILE *out)
{
	char time[RENDER_DURATION_SIZE], duration[RENDER_DURATION_SIZE];
	uint64_t hidden = sampling->compiling - sampling->none.self;

	for (size_t i = 0; i < shown; i++)
		hidden -= sampling->rows[i].self;
	render_duration(time, sampling->compiling * sampling->sample_ns, 2);
	render_duration(duration, samples->duration, 2);
	if (shown < sampling->row_count)
		fprintf(out, "%zu more items have %.2f%% of the samples; --top 0 shows them.\n",
			sampling->row_count - shown, percent(hidden, sampling->compiling));
	fprintf(out,
		"Total: %" PRIu64 " samples of compilers, %" PRIu32
		" a second of each processor for %s: an estimated %s on the CPU.\n",
		sampling->compiling, samples->hz, duration, time);
	if (samples->lost)
		fprintf(out, "%" PRIu64 " samples more were lost.\n", samples->lost);
	fputs("All times are estimated from samples; ± is half the width of the 95% confidence interval.\n", out);
	if (samples->estimated)
		fputs("Queries were found by their functions in the stacks.\n", out);
}

/* Writes what of a name fits in a line. */
static void put_name(const char *name, FILE *out)
{
	size_t size = strlen(name), end = size;

	if (size > MAX_NAME) {
		end = MAX_NAME;
		while (end && ((unsigned char)name[end] & 0xC0) == 0x80)
			end--;
	}
	for (size_t i = 0; i < end; i++)
		fputc((unsigned char)name[i] < ' ' ? ' ' : name[i], out);
	if (end < size)
		fputs("…", out);
}

static void print_functions_of(const struct sampled_row *row, const char *label, size_t limit, FILE *out)
{
	fprintf(out, "\n");
	put_name(label, out);
	fprintf(out, ": %" PRIu64 " samples\n", row->self);
	for (size_t i = 0; i < row->function_count && i < limit; i++) {
		const struct sampled_function *function = &row->functions[i];

		fprintf(out, "  %5.1f%%  ", percent(function->samples, row->self));
		put_name(*function->name ? function->name : "(no function)", out);
		if (*function->object && *function->name != '[')
			fprintf(out, "  (%s)", function->object);
		fputc('\n', out);
	}
}

static void print_functions(const struct sampling *sampling, size_t shown, size_t limit, FILE *out)
{
	if (!limit || !sampling->compiling)
		return;
	fputs("\nThe functions that ran in them:\n", out);
	for (size_t i = 0; i < shown && i < ITEMS_WITH_FUNCTIONS && sampling->rows[i].self; i++)
		print_functions_of(&sampling->rows[i], sampling->rows[i].label, limit, out);
	if (sampling->none.self)
		print_functions_of(&sampling->none, none_label, limit, out);
}

static int print_others(const struct sampling *sampling, FILE *out, struct error *err)
{
	struct table table = {.columns = 7};
	double ns = (double)sampling->sample_ns;
	int rc;

	table_add(&table, "Other processes");
	table_add(&table, "Samples");
	table_add(&table, "Estimated time");
	table_add(&table, "±");
	table_add(&table, "%% of all samples");
	table_add(&table, "%% in kernel");
	table_add(&table, "%% in page faults");
	for (size_t i = 0; i < sampling->other_count; i++) {
		const struct sampled_process *other = &sampling->others[i];

		table_add(&table, "%s", other->name);
		table_add(&table, "%" PRIu64, other->samples);
		add_time(&table, (double)other->samples * ns);
		add_time(&table, half(other->low, other->high) * (double)sampling->samples * ns);
		table_add(&table, "%.2f", 100 * other->share);
		table_add(&table, "%.1f", percent(other->kernel, other->samples));
		table_add(&table, "%.1f", percent(other->faults, other->samples));
	}
	fputc('\n', out);
	rc = table_print(&table, out, err);
	table_free(&table);
	return rc;
}

int render_sampling_text(const struct samples *samples, const struct sampling *sampling,
			 const struct sampling_filter *filter, FILE *out, struct error *err)
{
	size_t shown = shown_rows(sampling, filter->limit);
	int rc = print_items(sampling, shown, out, err);

	if (rc)
		return rc;
	print_sums(samples, sampling, shown, out);
	print_functions(sampling, shown, filter->functions, out);
	return sampling->other_count ? print_others(sampling, out, err) : 0;
}
