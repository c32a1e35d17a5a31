/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The model behind querytap top: what is summed up, sorted, filtered, and when it is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/live.h"

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* Labels as the collector gives them: the same address for the same event. */
static const char typeck[] = "typeck", type_of[] = "type_of", linking[] = "run_linker", borrowck[] = "mir_borrowck";
/* The same of another compiler. */
static const char other_typeck[] = "typeck";

static void begin(struct live *live, pid_t pid, const char *crate, uint64_t start)
{
	struct live_beginning beginning = {.pid = pid, .crate = crate, .version = "1.95.0", .start = start};

	live_begin(live, &beginning);
}

static void query(struct live *live, pid_t pid, const char *label, size_t times, uint64_t self)
{
	for (size_t i = 0; i < times; i++)
		live_event(live, pid, EVENT_QUERY, label, self);
}

static void look(struct live *live, uint64_t now)
{
	live_look_begin(live, now);
	live_look_end(live, 0);
}

static struct live *live_at(uint64_t now)
{
	struct live *live = live_new(now);

	assert_non_null(live);
	look(live, now);
	return live;
}

/* The labels of the rows in this order, with commas between. Free with free(). */
static char *labels(const struct live *live, pid_t pid, enum live_order order, const char *filter)
{
	struct live_row *rows;
	size_t count = live_rows(live, pid, order, filter, &rows), size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? "," : "", rows[i].label);
	fclose(out);
	free(rows);
	return text;
}

static void expect_labels(const struct live *live, pid_t pid, enum live_order order, const char *filter,
			  const char *expected)
{
	char *text = labels(live, pid, order, filter);

	assert_string_equal(text, expected);
	free(text);
}

static struct live_row row_of(const struct live *live, pid_t pid, const char *label)
{
	struct live_row *rows, row = {0};
	size_t count = live_rows(live, pid, LIVE_BY_SELF, label, &rows);

	assert_int_equal(count, 1);
	row = rows[0];
	free(rows);
	return row;
}

static void expect_crates(const struct live *live, enum live_compiler_order order, const char *filter,
			  const char *expected)
{
	const struct live_compiler **compilers;
	size_t count = live_compilers(live, order, filter, &compilers);
	char text[256] = "";

	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? "," : "", compilers[i]->crate);
	free(compilers);
	assert_string_equal(text, expected);
}

static void test_sums_and_rates(void **state)
{
	struct live *live = live_at(0);
	struct live_summary summary;
	struct live_row row;

	(void)state;
	begin(live, 1, "one", 0);
	begin(live, 2, "two", 0);
	query(live, 1, typeck, 10, 3 * MS);
	query(live, 2, other_typeck, 5, 2 * MS);
	look(live, 2 * SECOND);
	row = row_of(live, 0, "typeck");
	assert_int_equal(row.count, 15);
	assert_int_equal(row.self, 40 * MS);
	assert_int_equal(row.mean, 40 * MS / 15);
	assert_true(row.rate == 7.5);
	assert_true(row.share == 0.02);
	assert_int_equal(row_of(live, 1, "typeck").count, 10);
	assert_int_equal(row_of(live, 2, "typeck").count, 5);
	/* Rates are those since the look before. */
	query(live, 1, typeck, 1, MS);
	look(live, 3 * SECOND);
	row = row_of(live, 0, "typeck");
	assert_int_equal(row.count, 16);
	assert_true(row.rate == 1);
	live_summarize(live, &summary);
	assert_int_equal(summary.events, 16);
	assert_int_equal(summary.self, 41 * MS);
	assert_int_equal(summary.elapsed, 3 * SECOND);
	assert_true(summary.rate == 1);
	assert_int_equal(live_compiler_of(live, 1)->events, 11);
	assert_int_equal(live_compiler_of(live, 1)->age, 3 * SECOND);
	live_free(live);
}

/* A query and an activity of one name are two rows; without time between two looks there is no rate. */
static void test_kinds_are_apart(void **state)
{
	struct live *live = live_at(SECOND);
	struct live_row *rows;

	(void)state;
	begin(live, 1, "one", 0);
	live_event(live, 1, EVENT_QUERY, typeck, MS);
	live_event(live, 1, EVENT_ACTIVITY, other_typeck, 2 * MS);
	look(live, SECOND);
	assert_int_equal(live_rows(live, 0, LIVE_BY_SELF, NULL, &rows), 2);
	assert_int_equal(rows[0].event, EVENT_ACTIVITY);
	assert_int_equal(rows[1].event, EVENT_QUERY);
	assert_true(rows[0].rate == 0);
	free(rows);
	live_free(live);
}

static void test_orders(void **state)
{
	static const struct {
		enum live_order order;
		const char *expected;
	} orders[] = {
	    {LIVE_BY_SELF, "run_linker,typeck,type_of"}, {LIVE_BY_COUNT, "type_of,typeck,run_linker"},
	    {LIVE_BY_RATE, "type_of,run_linker,typeck"}, {LIVE_BY_SHARE, "run_linker,type_of,typeck"},
	    {LIVE_BY_MEAN, "run_linker,typeck,type_of"}, {LIVE_BY_LABEL, "run_linker,type_of,typeck"},
	};
	struct live *live = live_at(0);

	(void)state;
	begin(live, 1, "one", 0);
	query(live, 1, typeck, 100, MS);
	look(live, SECOND);
	query(live, 1, type_of, 1000, 1000);
	live_event(live, 1, EVENT_ACTIVITY, linking, 500 * MS);
	look(live, 2 * SECOND);
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		expect_labels(live, 0, orders[i].order, NULL, orders[i].expected);
	live_free(live);
}

static void test_filters(void **state)
{
	struct live *live = live_at(0);

	(void)state;
	begin(live, 1, "Serde", 0);
	begin(live, 2, "syn", 0);
	query(live, 1, typeck, 1, 3);
	query(live, 1, type_of, 1, 2);
	query(live, 2, borrowck, 1, 1);
	look(live, SECOND);
	expect_labels(live, 0, LIVE_BY_SELF, "", "typeck,type_of,mir_borrowck");
	expect_labels(live, 0, LIVE_BY_SELF, "CK", "typeck,mir_borrowck");
	expect_labels(live, 0, LIVE_BY_SELF, "nothing", "");
	expect_labels(live, 1, LIVE_BY_SELF, "ck", "typeck");
	expect_labels(live, 3, LIVE_BY_SELF, NULL, "");
	expect_crates(live, LIVE_COMPILER_BY_CRATE, NULL, "Serde,syn");
	expect_crates(live, LIVE_COMPILER_BY_CRATE, "ser", "Serde");
	live_free(live);
}

/* A thread that has run for `run_time`, in as many frames. */
static void see(struct live *live, pid_t pid, pid_t tid, uint64_t run_time, size_t depth,
		const struct live_frame *frames)
{
	struct live_seen_thread seen = {
	    .pid = pid, .tid = tid, .name = "rustc", .run_time = run_time, .frames = frames, .depth = depth};

	live_look_thread(live, &seen);
}

static void test_compiler_orders(void **state)
{
	struct live *live = live_at(0);

	(void)state;
	begin(live, 30, "b_old", 1);
	begin(live, 10, "c_young", SECOND / 2);
	begin(live, 20, "a_middle", SECOND / 4);
	query(live, 20, typeck, 3, 1);
	query(live, 10, typeck, 2, 1);
	live_look_begin(live, SECOND);
	see(live, 30, 31, MS, 0, NULL);
	see(live, 10, 10, 3 * MS, 0, NULL);
	see(live, 20, 20, 2 * MS, 0, NULL);
	live_look_end(live, 0);
	expect_crates(live, LIVE_COMPILER_BY_AGE, NULL, "b_old,a_middle,c_young");
	expect_crates(live, LIVE_COMPILER_BY_CPU, NULL, "c_young,a_middle,b_old");
	expect_crates(live, LIVE_COMPILER_BY_RATE, NULL, "a_middle,c_young,b_old");
	expect_crates(live, LIVE_COMPILER_BY_PID, NULL, "c_young,a_middle,b_old");
	expect_crates(live, LIVE_COMPILER_BY_CRATE, NULL, "a_middle,b_old,c_young");
	live_free(live);
}

static void test_open_queries_count_as_they_run(void **state)
{
	struct live_frame frames[] = {{EVENT_QUERY, typeck, 500 * MS, 100 * MS},
				      {EVENT_QUERY, type_of, 400 * MS, 400 * MS}};
	struct live *live = live_at(0);
	const struct live_compiler *compiler;

	(void)state;
	begin(live, 1, "one", 0);
	live_look_begin(live, SECOND);
	see(live, 1, 1, 0, 0, NULL);
	see(live, 1, 2, 600 * MS, 2, frames);
	live_look_end(live, 0);
	compiler = live_compiler_of(live, 1);
	assert_int_equal(compiler->thread_count, 2);
	/* Those in something come first. */
	assert_int_equal(compiler->threads[0].tid, 2);
	assert_int_equal(compiler->threads[0].depth, 2);
	assert_string_equal(compiler->threads[0].frames[1].label, "type_of");
	assert_int_equal(row_of(live, 0, "type_of").self, 400 * MS);
	assert_int_equal(row_of(live, 1, "type_of").count, 0);
	assert_int_equal(row_of(live, 1, "type_of").mean, 0);
	/* Once it has ended it counts once. */
	query(live, 1, type_of, 1, 450 * MS);
	live_look_begin(live, 2 * SECOND);
	see(live, 1, 2, 700 * MS, 1, frames);
	live_look_end(live, 0);
	assert_int_equal(row_of(live, 0, "type_of").self, 450 * MS);
	assert_int_equal(row_of(live, 0, "type_of").mean, 450 * MS);
	assert_true(row_of(live, 0, "type_of").share == 0.05);
	live_free(live);
}

/* What has ended but did not come yet counts at once, and only once. */
static void test_pending_events(void **state)
{
	static const struct live_seen_event pending[] = {{EVENT_QUERY, type_of, 3 * MS}, {EVENT_QUERY, type_of, MS}};
	struct live_seen_thread seen = {.pid = 1, .tid = 1, .name = "", .pending = pending, .pending_count = 2};
	struct live *live = live_at(0);

	(void)state;
	begin(live, 1, "one", 0);
	query(live, 1, type_of, 1, 2 * MS);
	for (int i = 1; i <= 2; i++) {
		live_look_begin(live, (uint64_t)i * SECOND);
		live_look_thread(live, &seen);
		live_look_end(live, 0);
		assert_int_equal(row_of(live, 0, "type_of").count, 3);
		assert_int_equal(row_of(live, 1, "type_of").self, 6 * MS);
		assert_int_equal(row_of(live, 1, "type_of").mean, 2 * MS);
		assert_int_equal(live_compiler_of(live, 1)->events, 3);
	}
	query(live, 1, type_of, 1, 3 * MS);
	query(live, 1, type_of, 1, MS);
	look(live, 3 * SECOND);
	assert_int_equal(row_of(live, 0, "type_of").count, 3);
	assert_int_equal(row_of(live, 0, "type_of").self, 6 * MS);
	assert_true(row_of(live, 0, "type_of").rate == 0);
	live_free(live);
}

static void test_use_of_the_cpu(void **state)
{
	struct live_seen_thread gone = {.pid = 1, .tid = 1, .name = "rustc", .run_time = 0, .run_time_gone = 900 * MS};
	struct live_beginning joined = {.pid = 2, .crate = "joined", .version = "", .joined = true};
	struct live_summary summary;
	struct live *live = live_at(0);

	(void)state;
	begin(live, 1, "one", SECOND / 2);
	live_begin(live, &joined);
	live_look_begin(live, SECOND);
	see(live, 1, 1, 100 * MS, 0, NULL);
	see(live, 1, 2, 300 * MS, 0, NULL);
	see(live, 2, 5, 100 * SECOND, 0, NULL);
	live_look_end(live, 0);
	assert_true(live_compiler_of(live, 1)->cpu == 0.4);
	/* When that ran is not known. */
	assert_true(live_compiler_of(live, 2)->cpu == 0);
	/* A thread that is gone has run too. */
	live_look_begin(live, 2 * SECOND);
	live_look_thread(live, &gone);
	see(live, 2, 5, 101 * SECOND, 0, NULL);
	live_look_end(live, 0);
	assert_true(live_compiler_of(live, 1)->cpu == 0.5);
	assert_true(live_compiler_of(live, 2)->cpu == 1);
	assert_true(live_compiler_of(live, 2)->threads[0].cpu == 1);
	live_summarize(live, &summary);
	assert_true(summary.cpu == 1.5);
	live_free(live);
}

static void test_what_ends_is_gone(void **state)
{
	struct live_summary summary;
	struct live *live = live_at(0);

	(void)state;
	begin(live, 1, "good", 0);
	begin(live, 2, "bad", 0);
	begin(live, 3, "asked_for_names", 0);
	query(live, 1, typeck, 1, 5);
	query(live, 2, typeck, 1, 5);
	look(live, SECOND);
	live_end(live, 1, true);
	live_end(live, 2, false);
	live_end(live, 3, true);
	live_end(live, 3, true);
	live_end(live, 4, true);
	/* The picture stands still until the next look. */
	expect_crates(live, LIVE_COMPILER_BY_PID, NULL, "good,bad,asked_for_names");
	live_look_begin(live, 2 * SECOND);
	live_look_end(live, 2);
	expect_crates(live, LIVE_COMPILER_BY_PID, NULL, "");
	assert_null(live_compiler_of(live, 1));
	/* The one that is kept can still be looked at. */
	assert_true(live_compiler_of(live, 2)->ended && !live_compiler_of(live, 2)->succeeded);
	assert_int_equal(live_compiler_of(live, 2)->age, 2 * SECOND);
	expect_labels(live, 2, LIVE_BY_SELF, NULL, "typeck");
	look(live, 3 * SECOND);
	assert_null(live_compiler_of(live, 2));
	live_summarize(live, &summary);
	assert_int_equal(summary.ended, 2);
	assert_int_equal(summary.failed, 1);
	/* What it did stays. */
	assert_int_equal(row_of(live, 0, "typeck").count, 2);
	live_free(live);
}

/* Nothing that can be read changes between looks. */
static void test_stands_still(void **state)
{
	struct live_summary summary;
	struct live *live = live_at(0);

	(void)state;
	begin(live, 1, "one", 0);
	query(live, 1, typeck, 1, 5);
	look(live, SECOND);
	begin(live, 2, "two", SECOND);
	query(live, 1, typeck, 7, 5);
	query(live, 2, type_of, 7, 5);
	expect_crates(live, LIVE_COMPILER_BY_PID, NULL, "one");
	expect_labels(live, 0, LIVE_BY_SELF, NULL, "typeck");
	assert_int_equal(row_of(live, 0, "typeck").count, 1);
	assert_int_equal(live_compiler_of(live, 1)->events, 1);
	assert_null(live_compiler_of(live, 2));
	live_summarize(live, &summary);
	assert_int_equal(summary.events, 1);
	look(live, 2 * SECOND);
	assert_int_equal(row_of(live, 0, "typeck").count, 8);
	expect_crates(live, LIVE_COMPILER_BY_PID, NULL, "one,two");
	live_free(live);
}

/* A process id that comes again is another compiler. */
static void test_reused_process_id(void **state)
{
	struct live *live = live_at(0);

	(void)state;
	begin(live, 1, "first", 0);
	query(live, 1, typeck, 1, 5);
	look(live, SECOND);
	begin(live, 1, "second", SECOND);
	query(live, 1, type_of, 1, 5);
	look(live, 2 * SECOND);
	expect_crates(live, LIVE_COMPILER_BY_PID, NULL, "second");
	expect_labels(live, 1, LIVE_BY_SELF, NULL, "type_of");
	assert_int_equal(live_compiler_of(live, 1)->events, 1);
	live_free(live);
}

/* Events of a process that nobody announced are in the sums alone. */
static void test_unknown_process(void **state)
{
	struct live *live = live_at(0);

	(void)state;
	query(live, 99, typeck, 2, 5);
	live_look_begin(live, SECOND);
	see(live, 99, 99, 1, 0, NULL);
	live_look_end(live, 0);
	assert_int_equal(row_of(live, 0, "typeck").count, 2);
	expect_crates(live, LIVE_COMPILER_BY_PID, NULL, "");
	live_free(live);
	live_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sums_and_rates),
	    cmocka_unit_test(test_kinds_are_apart),
	    cmocka_unit_test(test_orders),
	    cmocka_unit_test(test_filters),
	    cmocka_unit_test(test_compiler_orders),
	    cmocka_unit_test(test_open_queries_count_as_they_run),
	    cmocka_unit_test(test_pending_events),
	    cmocka_unit_test(test_use_of_the_cpu),
	    cmocka_unit_test(test_what_ends_is_gone),
	    cmocka_unit_test(test_stands_still),
	    cmocka_unit_test(test_reused_process_id),
	    cmocka_unit_test(test_unknown_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
