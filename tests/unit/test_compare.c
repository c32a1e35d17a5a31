/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two sides of runs: what is matched with what, medians and ranges, and when a difference is called real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/analysis.h"

enum { LABELS_MAX = 4, PROFILES_MAX = 4, RUNS_MAX = 8 };

/* A profile written down: labels with self time and count; a NULL label ends it. */
struct sheet {
	const char *crate;
	struct {
		const char *label;
		uint64_t self_ns, count;
	} rows[LABELS_MAX];
};

/* What compare_runs borrows. */
struct made {
	struct run runs[RUNS_MAX];
	struct run_profile profiles[RUNS_MAX][PROFILES_MAX];
	struct summary summaries[RUNS_MAX][PROFILES_MAX];
	struct summary_row rows[RUNS_MAX][PROFILES_MAX][LABELS_MAX];
	size_t count;
};

/* Adds a run of the profiles up to one without a crate. */
static void add_run(struct made *made, const struct sheet *sheets)
{
	size_t run = made->count++;

	for (size_t i = 0; sheets[i].crate; i++) {
		struct summary *summary = &made->summaries[run][i];

		summary->rows = made->rows[run][i];
		for (size_t j = 0; j < LABELS_MAX && sheets[i].rows[j].label; j++) {
			summary->rows[summary->row_count++] = (struct summary_row){
			    .label = (char *)sheets[i].rows[j].label,
			    .self_ns = sheets[i].rows[j].self_ns,
			    .invocations = sheets[i].rows[j].count,
			};
		}
		made->profiles[run][i] = (struct run_profile){sheets[i].crate, summary};
		made->runs[run].count++;
	}
	made->runs[run].profiles = made->profiles[run];
}

static struct comparison compare(const struct made *base, const struct made *change)
{
	struct comparison comparison;
	struct error err = {""};

	assert_int_equal(compare_runs(base->runs, base->count, change->runs, change->count, &comparison, &err), 0);
	assert_string_equal(err.text, "");
	return comparison;
}

static const struct comparison_crate *find_crate(const struct comparison *comparison, const char *name)
{
	for (size_t i = 0; i < comparison->crate_count; i++) {
		if (strcmp(comparison->crates[i].name, name) == 0)
			return &comparison->crates[i];
	}
	fail_msg("there is no crate %s", name);
	return NULL;
}

static const struct comparison_row *find_row(const struct comparison_crate *crate, const char *label)
{
	for (size_t i = 0; i < crate->row_count; i++) {
		if (strcmp(crate->rows[i].label, label) == 0)
			return &crate->rows[i];
	}
	fail_msg("there is no row %s", label);
	return NULL;
}

/* One label's self time in several runs of a crate. */
static void add_times(struct made *made, const uint64_t *times, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_run(made, (const struct sheet[]){{"a", {{"q", times[i], 1}}}, {0}});
}

static struct compared compare_times(const uint64_t *base, size_t base_count, const uint64_t *change,
				     size_t change_count)
{
	struct made left = {0}, right = {0};
	struct comparison comparison;
	struct compared figure;

	add_times(&left, base, base_count);
	add_times(&right, change, change_count);
	comparison = compare(&left, &right);
	figure = find_row(find_crate(&comparison, "a"), "q")->self_ns;
	comparison_free(&comparison);
	return figure;
}

#define TIMES(...) (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

static void labels_and_crates_are_matched(void **state)
{
	struct made base = {0}, change = {0};
	struct comparison comparison;
	const struct comparison_crate *crate;

	(void)state;
	add_run(&base, (const struct sheet[]){{"a", {{"q", 1000, 10}, {"old", 50, 1}}},
					      {"b", {{"q", 100, 5}}},
					      {"b", {{"q", 11, 2}, {"r", 3, 1}}},
					      {0}});
	add_run(&change,
		(const struct sheet[]){
		    {"c", {{"q", 9000, 1}}}, {"b", {{"q", 100, 7}}}, {"a", {{"new", 7, 2}, {"q", 900, 10}}}, {0}});
	comparison = compare(&base, &change);
	assert_int_equal(comparison.crate_count, 3);
	/* By falling difference; what only one side has comes last. */
	assert_string_equal(comparison.crates[0].name, "a");
	assert_string_equal(comparison.crates[1].name, "b");
	assert_string_equal(comparison.crates[2].name, "c");

	crate = &comparison.crates[0];
	assert_int_equal(crate->row_count, 3);
	assert_string_equal(crate->rows[0].label, "q");
	assert_int_equal(crate->rows[0].self_ns.base, 1000);
	assert_int_equal(crate->rows[0].self_ns.change, 900);
	assert_int_equal(crate->rows[0].count.base, 10);
	assert_int_equal(crate->rows[0].count.verdict, VERDICT_SAME);
	assert_int_equal(find_row(crate, "old")->self_ns.change, 0);
	assert_int_equal(find_row(crate, "new")->self_ns.base, 0);
	assert_int_equal(find_row(crate, "new")->count.change, 2);
	assert_int_equal(crate->self_ns.base, 1050);
	assert_int_equal(crate->self_ns.change, 907);

	/* Two profiles of a crate in one run are added up. */
	crate = &comparison.crates[1];
	assert_int_equal(crate->base_profiles, 2);
	assert_int_equal(crate->change_profiles, 1);
	assert_int_equal(find_row(crate, "q")->self_ns.base, 111);
	assert_int_equal(find_row(crate, "q")->count.base, 7);

	crate = &comparison.crates[2];
	assert_int_equal(crate->base_runs, 0);
	assert_int_equal(crate->change_runs, 1);

	/* All together: without the crate that one side lacks. */
	assert_int_equal(comparison.all_count, 2);
	assert_int_equal(find_row(&comparison.all, "q")->self_ns.base, 1111);
	assert_int_equal(find_row(&comparison.all, "q")->self_ns.change, 1000);
	assert_int_equal(comparison.all.self_ns.base, 1164);
	assert_int_equal(comparison.all.count.base, 19);
	comparison_free(&comparison);
}

/* Noise can't be told, so a difference is only large or small. */
static void single_runs(void **state)
{
	struct made base = {0}, change = {0};
	struct comparison comparison;
	const struct comparison_crate *crate;

	(void)state;
	add_run(&base, (const struct sheet[]){{"a", {{"big", 99000, 1}, {"p", 500, 1}, {"q", 500, 1}}}, {0}});
	add_run(&change, (const struct sheet[]){{"a", {{"big", 99000, 2}, {"p", 1000, 1}, {"q", 999, 1}}}, {0}});
	comparison = compare(&base, &change);
	crate = find_crate(&comparison, "a");
	/* Half a percent of 100,000. */
	assert_int_equal(find_row(crate, "p")->self_ns.verdict, VERDICT_LARGE);
	assert_int_equal(find_row(crate, "q")->self_ns.verdict, VERDICT_SMALL);
	assert_int_equal(find_row(crate, "big")->self_ns.verdict, VERDICT_SAME);
	assert_int_equal(find_row(crate, "big")->count.verdict, VERDICT_LARGE);
	comparison_free(&comparison);
}

static void noise_and_change_are_told_apart(void **state)
{
	struct compared figure = compare_times(TIMES(100, 104, 102), TIMES(150, 155, 152));

	(void)state;
	assert_int_equal(figure.base, 102);
	assert_int_equal(figure.base_low, 100);
	assert_int_equal(figure.base_high, 104);
	assert_int_equal(figure.change, 152);
	assert_int_equal(figure.noise, 3 * (2 + 2));
	assert_int_equal(figure.verdict, VERDICT_REAL);
	/* The same downwards. */
	assert_int_equal(compare_times(TIMES(150, 155, 152), TIMES(100, 104, 102)).verdict, VERDICT_REAL);
	/* The ranges overlap, though the medians are far apart. */
	assert_int_equal(compare_times(TIMES(100, 101, 500), TIMES(400, 401, 402)).verdict, VERDICT_NOISE);
	/* The ranges do not overlap, but the medians are within the noise: 3 * (5 + 5). */
	assert_int_equal(compare_times(TIMES(100, 105, 110), TIMES(120, 125, 130)).verdict, VERDICT_NOISE);
	/* Touching ranges overlap. */
	assert_int_equal(compare_times(TIMES(100, 100, 200), TIMES(200, 300, 300)).verdict, VERDICT_NOISE);
	assert_int_equal(compare_times(TIMES(7, 9, 8), TIMES(8, 8, 8)).verdict, VERDICT_SAME);
	/* An even number of runs: the middle of the middle two. */
	figure = compare_times(TIMES(10, 20, 40, 30), TIMES(1000, 1001));
	assert_int_equal(figure.base, 25);
	assert_int_equal(figure.change, 1000);
	assert_int_equal(figure.verdict, VERDICT_REAL);
	/* A single run on one side tells nothing of noise. */
	assert_int_equal(compare_times(TIMES(10, 11), TIMES(1000)).verdict, VERDICT_LARGE);
}

static void a_crate_missing_from_a_run_does_not_count_as_0(void **state)
{
	struct made base = {0}, change = {0};
	struct comparison comparison;

	(void)state;
	add_run(&base, (const struct sheet[]){{"a", {{"q", 100, 1}}}, {"b", {{"q", 1, 1}}}, {0}});
	add_run(&base, (const struct sheet[]){{"b", {{"q", 1, 1}}}, {0}});
	add_run(&change, (const struct sheet[]){{"a", {{"q", 100, 1}}}, {"b", {{"q", 1, 1}}}, {0}});
	add_run(&change, (const struct sheet[]){{"a", {{"q", 102, 1}, {"r", 8, 1}}}, {"b", {{"q", 1, 1}}}, {0}});
	comparison = compare(&base, &change);
	assert_int_equal(find_crate(&comparison, "a")->base_runs, 1);
	assert_int_equal(find_row(find_crate(&comparison, "a"), "q")->self_ns.base, 100);
	assert_int_equal(find_row(find_crate(&comparison, "a"), "q")->self_ns.change, 101);
	/* A label does count as 0 in a run that has the crate. */
	assert_int_equal(find_row(find_crate(&comparison, "a"), "r")->self_ns.change_low, 0);
	assert_int_equal(find_row(find_crate(&comparison, "a"), "r")->self_ns.change, 4);
	assert_int_equal(comparison.all_count, 1);
	assert_int_equal(comparison.all.self_ns.base, 1);
	comparison_free(&comparison);
}

static void profiles_without_rows(void **state)
{
	struct made base = {0}, change = {0};
	struct comparison comparison;

	(void)state;
	add_run(&base, (const struct sheet[]){{"a", {{0}}}, {0}});
	add_run(&change, (const struct sheet[]){{"a", {{0}}}, {0}});
	comparison = compare(&base, &change);
	assert_int_equal(comparison.crate_count, 1);
	assert_int_equal(comparison.crates[0].row_count, 0);
	assert_int_equal(comparison.all.row_count, 0);
	comparison_free(&comparison);
	comparison_free(&comparison);
}

/* Of the C(n + m, n) orders of the runs, two have the sides apart. */
static void chance(void **state)
{
	(void)state;
	assert_float_equal(compare_chance(1, 1), 100, 1e-9);
	assert_float_equal(compare_chance(2, 2), 200.0 / 6, 1e-9);
	assert_float_equal(compare_chance(3, 3), 10, 1e-9);
	assert_float_equal(compare_chance(5, 5), 200.0 / 252, 1e-9);
	assert_float_equal(compare_chance(2, 4), 200.0 / 15, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(labels_and_crates_are_matched),
	    cmocka_unit_test(single_runs),
	    cmocka_unit_test(noise_and_change_are_told_apart),
	    cmocka_unit_test(a_crate_missing_from_a_run_does_not_count_as_0),
	    cmocka_unit_test(profiles_without_rows),
	    cmocka_unit_test(chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
