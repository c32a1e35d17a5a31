/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is timed and what is left alone, and self times as intervals come. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/experience.h"
#include "collect/items.h"
#include "collect/selftime.h"
#include "collect/timing.h"

enum { RUNNER_A = GROUP_FIRST + 2, RUNNER_B, RUNNER_EMPTY, GROUPS };

static struct plan_query queries[] = {
    {.name = "cheap", .group = RUNNER_A},
    {.name = "cheap_neighbour", .group = RUNNER_A},
    {.name = "dear", .group = RUNNER_B},
    {.name = "left_out", .group = GROUP_NONE, .refusal = "it is"},
};
static struct plan_activity activities[] = {{.label = "linking", .group = GROUP_FIRST},
					    {.label = "mir_pass_x", .group = GROUP_PASSES}};
static const struct plan plan = {.version = "1.0",
				 .build_id = "0123abcd",
				 .queries = queries,
				 .query_count = 4,
				 .activities = activities,
				 .activity_count = 2,
				 .group_count = GROUPS};

enum { CHEAP = ITEM_FIRST, NEIGHBOUR, DEAR, LEFT_OUT, LINKING, PASS };

static const struct timing_options usual = {
    .overhead = {.mode = OVERHEAD_AUTO, .budget = 0.05}, .events = ~0u, .cost = 1e-6};

/* A second of compiling in which a cheap query came 100,000 times, which costs a tenth of that. */
static struct item_sum *known(void)
{
	struct item_sum *sums = calloc(item_count(&plan), sizeof(*sums));

	for (size_t i = 0; i < item_count(&plan); i++)
		sums[i].seconds = 1;
	sums[CHEAP] = (struct item_sum){1, 100000, 0.01};
	sums[NEIGHBOUR] = (struct item_sum){1, 10, 0.02};
	sums[DEAR] = (struct item_sum){1, 20000, 0.5};
	sums[LINKING] = (struct item_sum){1, 5, 0.1};
	sums[PASS] = (struct item_sum){1, 2000, 0.001};
	return sums;
}

static struct timing *timing_with(const struct timing_options *options)
{
	struct timing *timing;
	struct error err;

	assert_int_equal(timing_new(options, &plan, known(), &timing, &err), 0);
	return timing;
}

static struct wire_interval interval(unsigned int number, uint64_t length)
{
	return (struct wire_interval){(uint64_t)number << 48, length};
}

static void note(struct timing *timing, unsigned int number, size_t times, uint64_t self)
{
	struct wire_interval one = interval(number, self);

	for (size_t i = 0; i < times; i++)
		timing_note(timing, &one, self);
}

static void test_exact_times_all(void **state)
{
	struct timing_options options = usual;
	struct timing *timing;

	(void)state;
	options.overhead.mode = OVERHEAD_EXACT;
	timing = timing_with(&options);
	for (uint32_t group = GROUP_NONE; group < GROUPS; group++) {
		/* Two have nothing: the second activity is a pass, and a function may run no query. */
		assert_int_equal(timing_probes(timing, group), group != GROUP_FIRST + 1 && group != RUNNER_EMPTY);
		assert_false(timing_may_let_go(timing, group));
	}
	timing_free(timing);
}

static void test_budget_leaves_out_the_cheap(void **state)
{
	struct timing *timing = timing_with(&usual);

	(void)state;
	assert_int_equal(timing_state(timing, CHEAP), TIMING_UNTIMED);
	assert_int_equal(timing_state(timing, NEIGHBOUR), TIMING_UNTIMED);
	assert_int_equal(timing_state(timing, DEAR), TIMING_TIMED);
	assert_int_equal(timing_state(timing, LINKING), TIMING_TIMED);
	assert_int_equal(timing_state(timing, PASS), TIMING_TIMED);
	/* The names of hashed results depend on the queries around them. */
	assert_int_equal(timing_state(timing, ITEM_HASHING), TIMING_UNTIMED);
	assert_int_equal(timing_state(timing, ITEM_LOADS), TIMING_TIMED);
	assert_true(timing_may_let_go(timing, RUNNER_B));
	/* What never came is not known to be rare. */
	assert_true(timing_may_let_go(timing, GROUP_LOADS));
	assert_false(timing_may_let_go(timing, GROUP_FIRST));
	timing_free(timing);
}

static void test_share_left_untimed(void **state)
{
	struct timing *timing = timing_with(&usual);
	struct untimed_share share = timing_untimed_share(timing);

	(void)state;
	assert_true(share.events == 0 && share.self == 0);
	timing_advance(timing, 2);
	note(timing, 3, 40000, 25000);
	share = timing_untimed_share(timing);
	/* 200,020 events and 0.06 s are missing, of 240,020 and of one second, in which they are. */
	assert_true(share.events > 0.833 && share.events < 0.834);
	assert_true(share.self > 0.0599 && share.self < 0.0601);
	timing_free(timing);
}

static void test_generous_budget_times_all(void **state)
{
	struct timing_options options = usual;
	struct timing *timing;

	(void)state;
	options.overhead.budget = 0.25;
	timing = timing_with(&options);
	assert_int_equal(timing_state(timing, CHEAP), TIMING_TIMED);
	assert_int_equal(timing_state(timing, ITEM_HASHING), TIMING_TIMED);
	timing_free(timing);
}

static void test_letting_go(void **state)
{
	struct timing_options options = usual;
	struct timing *timing;
	uint32_t groups[GROUPS];
	struct wire_interval open = interval(1, 5), closed = interval(1, 5);

	(void)state;
	options.overhead.budget = 0.25;
	timing = timing_with(&options);
	note(timing, 1, 150000, 100);
	note(timing, 3, 20000, 25000);
	/* 0.17 s of 1 s: within a budget of 0.25 and half a second's grace. */
	timing_advance(timing, 1);
	assert_int_equal(timing_review(timing, groups, GROUPS), 0);
	note(timing, 1, 300000, 100);
	timing_advance(timing, 1.4);
	assert_int_equal(timing_review(timing, groups, GROUPS), 2);
	assert_int_equal(groups[0], RUNNER_A);
	assert_int_equal(groups[1], GROUP_HASHING);
	assert_int_equal(timing_state(timing, CHEAP), TIMING_LET_GO);
	assert_int_equal(timing_state(timing, DEAR), TIMING_TIMED);
	/* What was open when its probes went has no true end. */
	open.length_and_flags |= INTERVAL_UNWOUND;
	assert_false(timing_keeps(timing, &open));
	assert_true(timing_keeps(timing, &closed));
	/* Nothing more to gain until more is spent. */
	timing_advance(timing, 100);
	assert_int_equal(timing_review(timing, groups, GROUPS), 0);
	timing_free(timing);
}

/* A microsecond was expected for each event, and it was half of one. */
static void test_letting_go_of_what_costs_less_than_expected(void **state)
{
	struct timing_options options = usual;
	struct timing *timing;
	uint32_t groups[GROUPS];

	(void)state;
	options.overhead.budget = 0.25;
	timing = timing_with(&options);
	note(timing, 1, 1500000, 100);
	timing_advance(timing, 1.2);
	assert_int_equal(timing_review(timing, groups, GROUPS), 2);
	assert_int_equal(groups[0], RUNNER_A);
	timing_free(timing);
}

static void test_patterns(void **state)
{
	struct timing_options options = usual;
	struct wire_interval cheap = interval(1, 5), neighbour = interval(2, 5);
	struct wire_interval load_of_cheap = interval(WIRE_NUMBER(WIRE_CLASS_LOAD, 1), 5);
	struct wire_interval load_of_neighbour = interval(WIRE_NUMBER(WIRE_CLASS_LOAD, 2), 5);
	struct timing *timing;
	struct error err;

	(void)state;
	options.overhead = (struct overhead){.mode = OVERHEAD_EXACT, .queries = "none,cheap_n*"};
	timing = timing_with(&options);
	assert_true(timing_probes(timing, RUNNER_A));
	assert_false(timing_probes(timing, RUNNER_B));
	assert_false(timing_probes(timing, GROUP_FIRST));
	assert_false(timing_keeps(timing, &cheap));
	assert_true(timing_keeps(timing, &neighbour));
	assert_false(timing_keeps(timing, &load_of_cheap));
	assert_true(timing_keeps(timing, &load_of_neighbour));
	assert_int_equal(timing_state(timing, DEAR), TIMING_NOT_ASKED);
	/* Parents without their children would teach the wrong thing. */
	timing_advance(timing, 1);
	assert_null(timing_seen(timing));
	timing_free(timing);
	options.overhead.queries = "no_such_query";
	assert_int_equal(timing_new(&options, &plan, known(), &timing, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no_such_query"));
}

static void test_experience_is_kept(void **state)
{
	char cache[] = "/tmp/querytap-timing-XXXXXX", path[128];
	struct identity owner = {.uid = getuid(), .gid = getgid()};
	struct timing *timing = timing_with(&usual);
	struct item_sum *before, *after, *seen;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(cache));
	note(timing, 3, 1000, 2000);
	timing_advance(timing, 2);
	seen = timing_seen(timing);
	assert_non_null(seen);
	before = experience_load(&plan, cache);
	experience_store(&plan, cache, &owner, seen);
	after = experience_load(&plan, cache);
	/* Two seconds less the millisecond that the probes took. */
	assert_true(after[DEAR].seconds - before[DEAR].seconds > 1.9989);
	assert_true(after[DEAR].seconds - before[DEAR].seconds < 1.9991);
	assert_true(after[DEAR].events - before[DEAR].events == 1000);
	/* Nothing was learned of what was not timed. */
	assert_true(after[CHEAP].seconds == before[CHEAP].seconds);
	free(after);
	snprintf(path, sizeof(path), "%s/0123abcd.experience", cache);
	file = fopen(path, "a");
	assert_non_null(file);
	fputs("and more\n", file);
	fclose(file);
	after = experience_load(&plan, cache);
	assert_true(after[DEAR].events - before[DEAR].events == 1000);
	free(after);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("querytap-experience 1\n0 1 nan 1 dear\nend\n", file);
	fclose(file);
	after = experience_load(&plan, cache);
	assert_memory_equal(after, before, item_count(&plan) * sizeof(*after));
	free(after);
	free(before);
	free(seen);
	unlink(path);
	rmdir(cache);
	timing_free(timing);
}

static void test_self_times(void **state)
{
	struct selftime *selftime = selftime_new();

	(void)state;
	assert_int_equal(selftime_add(selftime, 1, 1, 10, 5), 5);
	assert_int_equal(selftime_add(selftime, 1, 2, 10, 7), 7); /* another thread */
	assert_int_equal(selftime_add(selftime, 1, 1, 20, 10), 10);
	/* Of what began from a time on, and before another. */
	assert_int_equal(selftime_inside(selftime, 1, 1, 10, UINT64_MAX), 15);
	assert_int_equal(selftime_inside(selftime, 1, 1, 11, UINT64_MAX), 10);
	assert_int_equal(selftime_inside(selftime, 1, 1, 0, 20), 5);
	assert_int_equal(selftime_inside(selftime, 1, 3, 0, UINT64_MAX), 0);
	assert_int_equal(selftime_add(selftime, 1, 1, 18, 20), 10);
	assert_int_equal(selftime_add(selftime, 1, 1, 0, 100), 75);
	selftime_forget(selftime, 1);
	assert_int_equal(selftime_add(selftime, 1, 1, 0, 1000), 1000);
	selftime_free(selftime);
}

static void test_self_time_of_many(void **state)
{
	enum { MANY = 1000000 };
	struct selftime *selftime = selftime_new();

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		selftime_add(selftime, 1, 1, 1 + 10 * i, 4);
	assert_int_equal(selftime_add(selftime, 1, 1, 0, 10 * MANY), 6 * MANY);
	selftime_free(selftime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exact_times_all),
	    cmocka_unit_test(test_budget_leaves_out_the_cheap),
	    cmocka_unit_test(test_share_left_untimed),
	    cmocka_unit_test(test_generous_budget_times_all),
	    cmocka_unit_test(test_letting_go_of_what_costs_less_than_expected),
	    cmocka_unit_test(test_letting_go),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_experience_is_kept),
	    cmocka_unit_test(test_self_times),
	    cmocka_unit_test(test_self_time_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
