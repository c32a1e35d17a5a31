/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two sides of runs against each other: all figures in one list, sorted so that what belongs together stands together.
 */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One label's figures in one profile. Runs are numbered over both sides, the base's first. */
struct entry {
	const char *crate, *label;
	size_t run;
	uint64_t self_ns, count;
};

/* Two figures for each run. */
struct sums {
	uint64_t *self_ns, *count;
};

struct state {
	size_t base_count, run_count;
	struct entry *entries; /* by crate, label and run */
	size_t entry_count;
	const char **names; /* the crates' */
	size_t name_count;
	size_t *profiles;  /* for each run: how many it has of the crate at hand */
	struct sums row;   /* of the label at hand */
	struct sums whole; /* of the crate at hand */
	uint64_t *scratch; /* room for a side's values */
	struct error *err;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory while comparing");
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The median of sorted values; between two in the middle their mean. */
static uint64_t median_of(const uint64_t *values, size_t count)
{
	uint64_t low = values[(count - 1) / 2], high = values[count / 2];

	return low + (high - low) / 2;
}

struct side {
	uint64_t median, low, high, deviation;
	size_t count;
};

/* A side's median, range and median absolute deviation, over the runs that have the crate; all 0 if none has. */
static struct side describe(struct state *state, const uint64_t *values, size_t first, size_t end)
{
	struct side side = {0};
	uint64_t *sorted = state->scratch;

	for (size_t run = first; run < end; run++) {
		if (state->profiles[run])
			sorted[side.count++] = values[run];
	}
	if (!side.count)
		return side;
	qsort(sorted, side.count, sizeof(*sorted), by_value);
	side.low = sorted[0];
	side.high = sorted[side.count - 1];
	side.median = median_of(sorted, side.count);
	for (size_t i = 0; i < side.count; i++)
		sorted[i] = distance(sorted[i], side.median);
	qsort(sorted, side.count, sizeof(*sorted), by_value);
	side.deviation = median_of(sorted, side.count);
	return side;
}

/* Compares one figure. Between single runs a difference is large from `large` on. */
static struct compared judge(struct state *state, const uint64_t *values, uint64_t large)
{
	struct side base = describe(state, values, 0, state->base_count);
	struct side change = describe(state, values, state->base_count, state->run_count);
	uint64_t difference = distance(base.median, change.median);
	struct compared figure = {
	    .base = base.median,
	    .base_low = base.low,
	    .base_high = base.high,
	    .change = change.median,
	    .change_low = change.low,
	    .change_high = change.high,
	    .noise = COMPARE_DEVIATIONS * (base.deviation + change.deviation),
	};

	if (!difference)
		figure.verdict = VERDICT_SAME;
	else if (base.count < 2 || change.count < 2)
		figure.verdict = difference >= large ? VERDICT_LARGE : VERDICT_SMALL;
	else if ((base.high < change.low || change.high < base.low) && difference > figure.noise)
		figure.verdict = VERDICT_REAL;
	else
		figure.verdict = VERDICT_NOISE;
	return figure;
}

static uint64_t change_of(const struct compared *figure)
{
	return distance(figure->base, figure->change);
}

static int by_row_change(const void *left, const void *right)
{
	const struct comparison_row *a = left, *b = right;
	uint64_t x = change_of(&a->self_ns), y = change_of(&b->self_ns);

	if (x != y)
		return x > y ? -1 : 1;
	return strcmp(a->label, b->label);
}

static bool is_matched(const struct comparison_crate *crate)
{
	return crate->base_runs && crate->change_runs;
}

static int by_crate_change(const void *left, const void *right)
{
	const struct comparison_crate *a = left, *b = right;
	uint64_t x = change_of(&a->self_ns), y = change_of(&b->self_ns);

	if (is_matched(a) != is_matched(b))
		return is_matched(a) ? -1 : 1;
	if (x != y)
		return x > y ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int by_crate_and_label(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcmp(a->crate, b->crate);

	if (!order)
		order = strcmp(a->label, b->label);
	return order ? order : (a->run > b->run) - (a->run < b->run);
}

static int by_label(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcmp(a->label, b->label);

	return order ? order : (a->run > b->run) - (a->run < b->run);
}

static void clear(const struct state *state, struct sums *sums)
{
	memset(sums->self_ns, 0, state->run_count * sizeof(*sums->self_ns));
	memset(sums->count, 0, state->run_count * sizeof(*sums->count));
}

static void add(struct sums *sums, const struct entry *entry)
{
	sums->self_ns[entry->run] += entry->self_ns;
	sums->count[entry->run] += entry->count;
}

/* Compares a crate's entries, sorted by label, into *crate. state->profiles says which runs take part. */
static int fill_crate(struct state *state, const struct entry *entries, size_t count, struct comparison_crate *crate)
{
	size_t labels = 0;
	uint64_t large;

	clear(state, &state->whole);
	for (size_t i = 0; i < count; i++) {
		labels += i == 0 || strcmp(entries[i - 1].label, entries[i].label) != 0;
		add(&state->whole, &entries[i]);
	}
	crate->rows = calloc(labels + 1, sizeof(*crate->rows));
	if (!crate->rows)
		return out_of_memory(state->err);
	crate->count = judge(state, state->whole.count, 1);
	large = (uint64_t)((double)describe(state, state->whole.self_ns, 0, state->base_count).median * COMPARE_LARGE);
	large = large ? large : 1;
	crate->self_ns = judge(state, state->whole.self_ns, large);
	for (size_t i = 0; i < count;) {
		struct comparison_row *row = &crate->rows[crate->row_count];
		const char *label = entries[i].label;

		row->label = strdup(label);
		if (!row->label)
			return out_of_memory(state->err);
		crate->row_count++;
		clear(state, &state->row);
		for (; i < count && strcmp(entries[i].label, label) == 0; i++)
			add(&state->row, &entries[i]);
		row->self_ns = judge(state, state->row.self_ns, large);
		row->count = judge(state, state->row.count, 1);
	}
	qsort(crate->rows, crate->row_count, sizeof(*crate->rows), by_row_change);
	return 0;
}

/* Counts the profiles of a crate in each run. */
static void count_profiles(struct state *state, const struct run *base, const struct run *change,
			   struct comparison_crate *crate)
{
	for (size_t i = 0; i < state->run_count; i++) {
		bool is_base = i < state->base_count;
		const struct run *run = is_base ? &base[i] : &change[i - state->base_count];
		size_t *runs = is_base ? &crate->base_runs : &crate->change_runs;
		size_t *most = is_base ? &crate->base_profiles : &crate->change_profiles;

		state->profiles[i] = 0;
		for (size_t j = 0; j < run->count; j++)
			state->profiles[i] += strcmp(run->profiles[j].crate, crate->name) == 0;
		*runs += state->profiles[i] != 0;
		if (state->profiles[i] > *most)
			*most = state->profiles[i];
	}
}

static void take_run(struct state *state, const struct run *run, size_t number)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct summary *summary = run->profiles[i].summary;

		state->names[state->name_count++] = run->profiles[i].crate;
		for (size_t j = 0; j < summary->row_count; j++) {
			const struct summary_row *row = &summary->rows[j];

			state->entries[state->entry_count++] =
			    (struct entry){run->profiles[i].crate, row->label, number, row->self_ns, row->invocations};
		}
	}
}

/* The entries that a run will have, one at least for each of its profiles. */
static size_t entries_of(const struct run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += run->profiles[i].summary->row_count + 1;
	return count;
}

static int prepare(struct state *state, const struct run *base, size_t base_count, const struct run *change,
		   size_t change_count)
{
	size_t count = 1;

	state->base_count = base_count;
	state->run_count = base_count + change_count;
	for (size_t i = 0; i < base_count; i++)
		count += entries_of(&base[i]);
	for (size_t i = 0; i < change_count; i++)
		count += entries_of(&change[i]);
	state->entries = calloc(count, sizeof(*state->entries));
	state->names = calloc(count, sizeof(*state->names));
	state->profiles = calloc(state->run_count, sizeof(*state->profiles));
	state->scratch = calloc(state->run_count, sizeof(*state->scratch));
	state->row.self_ns = calloc(state->run_count, sizeof(uint64_t));
	state->row.count = calloc(state->run_count, sizeof(uint64_t));
	state->whole.self_ns = calloc(state->run_count, sizeof(uint64_t));
	state->whole.count = calloc(state->run_count, sizeof(uint64_t));
	if (!state->entries || !state->names || !state->profiles || !state->scratch || !state->row.self_ns ||
	    !state->row.count || !state->whole.self_ns || !state->whole.count)
		return out_of_memory(state->err);
	for (size_t i = 0; i < base_count; i++)
		take_run(state, &base[i], i);
	for (size_t i = 0; i < change_count; i++)
		take_run(state, &change[i], base_count + i);
	return 0;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void sort_names(struct state *state)
{
	size_t distinct = 0;

	qsort(state->names, state->name_count, sizeof(*state->names), by_name);
	for (size_t i = 0; i < state->name_count; i++) {
		if (!distinct || strcmp(state->names[distinct - 1], state->names[i]) != 0)
			state->names[distinct++] = state->names[i];
	}
	state->name_count = distinct;
}

/* Puts the entries of those crates first that every run has, and sorts them by label. Returns how many they are. */
static size_t keep_common(struct state *state, const struct comparison *comparison)
{
	size_t kept = 0, at = 0;

	/* Crates are still in the order of their names, as the entries are. */
	for (size_t i = 0; i < comparison->crate_count; i++) {
		const struct comparison_crate *crate = &comparison->crates[i];
		bool common = crate->base_runs + crate->change_runs == state->run_count;

		for (; at < state->entry_count && strcmp(state->entries[at].crate, crate->name) == 0; at++) {
			if (common)
				state->entries[kept++] = state->entries[at];
		}
	}
	qsort(state->entries, kept, sizeof(*state->entries), by_label);
	return kept;
}

static int fill_all(struct state *state, const struct run *base, const struct run *change,
		    struct comparison *comparison)
{
	struct comparison_crate *all = &comparison->all;
	size_t at = 0;

	comparison->crates = calloc(state->name_count + 1, sizeof(*comparison->crates));
	if (!comparison->crates)
		return out_of_memory(state->err);
	for (size_t i = 0; i < state->name_count; i++) {
		struct comparison_crate *crate = &comparison->crates[comparison->crate_count];
		size_t first = at;
		int rc;

		crate->name = strdup(state->names[i]);
		if (!crate->name)
			return out_of_memory(state->err);
		comparison->crate_count++;
		while (at < state->entry_count && strcmp(state->entries[at].crate, crate->name) == 0)
			at++;
		count_profiles(state, base, change, crate);
		rc = fill_crate(state, state->entries + first, at - first, crate);
		if (rc)
			return rc;
		if (crate->base_runs + crate->change_runs == state->run_count) {
			comparison->all_count++;
			all->base_profiles += crate->base_profiles;
			all->change_profiles += crate->change_profiles;
		}
	}
	all->base_runs = comparison->base_runs;
	all->change_runs = comparison->change_runs;
	for (size_t i = 0; i < state->run_count; i++)
		state->profiles[i] = 1;
	return fill_crate(state, state->entries, keep_common(state, comparison), all);
}

int compare_runs(const struct run *base, size_t base_count, const struct run *change, size_t change_count,
		 struct comparison *comparison, struct error *err)
{
	struct state state = {.err = err};
	int rc = prepare(&state, base, base_count, change, change_count);

	*comparison = (struct comparison){.base_runs = base_count, .change_runs = change_count};
	if (!rc) {
		qsort(state.entries, state.entry_count, sizeof(*state.entries), by_crate_and_label);
		sort_names(&state);
		rc = fill_all(&state, base, change, comparison);
	}
	if (!rc)
		qsort(comparison->crates, comparison->crate_count, sizeof(*comparison->crates), by_crate_change);
	free(state.entries);
	free(state.names);
	free(state.profiles);
	free(state.scratch);
	free(state.row.self_ns);
	free(state.row.count);
	free(state.whole.self_ns);
	free(state.whole.count);
	if (rc)
		comparison_free(comparison);
	return rc;
}

double compare_chance(size_t base_count, size_t change_count)
{
	double orders = 1; /* ways to choose the base's places among all */

	for (size_t i = 1; i <= base_count; i++)
		orders = orders * (double)(change_count + i) / (double)i;
	return 200 / orders;
}

static void free_crate(struct comparison_crate *crate)
{
	for (size_t i = 0; i < crate->row_count; i++)
		free(crate->rows[i].label);
	free(crate->rows);
	free(crate->name);
}

void comparison_free(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->crate_count; i++)
		free_crate(&comparison->crates[i]);
	free(comparison->crates);
	free_crate(&comparison->all);
	*comparison = (struct comparison){0};
}
