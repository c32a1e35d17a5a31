/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A build's processes in time: lanes, the longest chain, how many ran at once, and the sums over all. */
#include "tests/unit/profile_bytes.h"

#include <errno.h>

#include "analysis/analysis.h"

static const struct summary nothing;

static struct build lay_out(const struct build_input *inputs, size_t count)
{
	struct build build;
	struct error err = {""};

	assert_int_equal(build_lay_out(inputs, count, &build, &err), 0);
	assert_string_equal(err.text, "");
	return build;
}

/* Lays out processes given by their starts and ends. */
#define BUILD(...)                                         \
	lay_out((const struct build_input[]){__VA_ARGS__}, \
		sizeof((const struct build_input[]){__VA_ARGS__}) / sizeof(struct build_input))
#define PROCESS(start, end)              \
	{                                \
		(start), (end), &nothing \
	}

static void lanes_are_packed(void **state)
{
	/* Out of order, as the files' names may have it. */
	struct build build = BUILD(PROCESS(1040, 1090), PROCESS(1000, 1100), PROCESS(1010, 1030), PROCESS(1020, 1200),
				   PROCESS(1100, 1150));
	static const size_t lanes[] = {1, 0, 1, 2, 0};

	(void)state;
	assert_int_equal(build.start_ns, 1000);
	assert_int_equal(build.wall_ns, 200);
	assert_int_equal(build.busy_ns, 50 + 100 + 20 + 180 + 50);
	assert_int_equal(build.lane_count, 3);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(build.processes[i].lane, lanes[i]);
	assert_int_equal(build.processes[0].start_ns, 40);
	assert_int_equal(build.processes[0].end_ns, 90);
	build_free(&build);
}

static void running_processes_are_counted(void **state)
{
	struct build build = BUILD(PROCESS(0, 10), PROCESS(5, 20), PROCESS(10, 30), PROCESS(40, 50));
	static const struct build_step steps[] = {{0, 1}, {5, 2}, {10, 2}, {20, 1}, {30, 0}, {40, 1}, {50, 0}};

	(void)state;
	assert_int_equal(build.step_count, sizeof(steps) / sizeof(steps[0]));
	for (size_t i = 0; i < build.step_count; i++) {
		assert_int_equal(build.steps[i].time_ns, steps[i].time_ns);
		assert_int_equal(build.steps[i].running, steps[i].running);
	}
	build_free(&build);
}

static void the_longest_chain(void **state)
{
	/* 0 then 2 then 3 cover 60 + 20 + 15; 1 alone covers 90, and 1 then 3 would overlap. */
	struct build build = BUILD(PROCESS(0, 60), PROCESS(0, 90), PROCESS(60, 80), PROCESS(85, 100), PROCESS(61, 70));

	(void)state;
	assert_int_equal(build.chain_count, 3);
	assert_int_equal(build.chain[0], 0);
	assert_int_equal(build.chain[1], 2);
	assert_int_equal(build.chain[2], 3);
	assert_int_equal(build.chain_ns, 95);
	assert_true(build.processes[2].in_chain);
	assert_false(build.processes[1].in_chain);
	assert_false(build.processes[4].in_chain);
	build_free(&build);

	/* One that covers more than any sequence. */
	build = BUILD(PROCESS(0, 10), PROCESS(0, 100), PROCESS(20, 50));
	assert_int_equal(build.chain_count, 1);
	assert_int_equal(build.chain[0], 1);
	build_free(&build);
}

static void a_process_without_events_has_a_place(void **state)
{
	struct build build = BUILD(PROCESS(7, 7), PROCESS(7, 7));

	(void)state;
	assert_int_equal(build.wall_ns, 1);
	assert_int_equal(build.lane_count, 2);
	assert_int_equal(build.chain_count, 1);
	build_free(&build);
}

static void a_build_of_nothing(void **state)
{
	struct build build = lay_out(NULL, 0);

	(void)state;
	assert_int_equal(build.process_count, 0);
	assert_int_equal(build.lane_count, 0);
	assert_int_equal(build.chain_count, 0);
	assert_int_equal(build.total_count, 0);
	build_free(&build);
	build_free(&build);
}

static void an_end_before_its_start_is_refused(void **state)
{
	const struct build_input input = PROCESS(10, 9);
	struct build build;
	struct error err = {""};

	(void)state;
	assert_int_equal(build_lay_out(&input, 1, &build, &err), -EINVAL);
	assert_string_not_equal(err.text, "");
}

static void labels_are_added_up(void **state)
{
	struct summary_row first[] = {
	    {.label = "typeck", .self_ns = 50, .total_ns = 70, .invocations = 3, .cache_hits = 1},
	    {.label = "mir_built", .self_ns = 10, .total_ns = 10, .invocations = 2}};
	struct summary_row second[] = {{.label = "mir_built", .self_ns = 90, .total_ns = 95, .invocations = 4},
				       {.label = "typeck", .self_ns = 20, .total_ns = 20, .invocations = 1}};
	struct summary summaries[] = {{.rows = first, .row_count = 2, .cpu_ns = 100},
				      {.rows = second, .row_count = 2, .cpu_ns = 300}};
	struct build build = BUILD({0, 100, &summaries[0]}, {0, 200, &summaries[1]});

	(void)state;
	assert_int_equal(build.cpu_ns, 400);
	assert_int_equal(build.total_count, 2);
	assert_string_equal(build.totals[0].label, "mir_built");
	assert_int_equal(build.totals[0].self_ns, 100);
	assert_int_equal(build.totals[0].total_ns, 105);
	assert_int_equal(build.totals[0].invocations, 6);
	assert_int_equal(build.totals[0].processes, 2);
	assert_float_equal(build.totals[0].share, 25, 1e-9);
	assert_string_equal(build.totals[1].label, "typeck");
	assert_int_equal(build.totals[1].self_ns, 70);
	assert_int_equal(build.totals[1].cache_hits, 1);
	build_free(&build);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lanes_are_packed),	   cmocka_unit_test(running_processes_are_counted),
	    cmocka_unit_test(the_longest_chain),   cmocka_unit_test(a_process_without_events_has_a_place),
	    cmocka_unit_test(a_build_of_nothing),  cmocka_unit_test(an_end_before_its_start_is_refused),
	    cmocka_unit_test(labels_are_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
