/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What was not timed, estimated from samples: how it is divided. */
#include "tests/unit/sampled_compiler.h"

#include "analysis/estimate.h"

static void add_in_kernel(struct samples_builder *builder, unsigned int count, const char *stack)
{
	add_flagged(builder, count, PID, START_MS + 10, stack, SAMPLES_KERNEL);
}

static void add_incomplete(struct samples_builder *builder, unsigned int count, const char *stack)
{
	add_flagged(builder, count, PID, START_MS + 10, stack, SAMPLES_INCOMPLETE);
}

static void add(struct samples_builder *builder, unsigned int count, const char *stack)
{
	add_at(builder, count, PID, START_MS + 10, stack);
}

static void add_wait(struct samples_builder *builder, uint64_t ms, enum samples_reason reason, const char *stack)
{
	struct samples_absence absence = {
	    .time = (START_MS + 10) * MS,
	    .length = ms * MS,
	    .thread = samples_build_thread(builder, PID, PID, "rustc", "rustc"),
	    .stack = stack_of(builder, stack),
	    .reason = reason,
	};

	samples_build_absence(builder, &absence);
}

/* Up to 8 labels, parted by blanks. */
struct words {
	const char *list[8];
	size_t count;
	char text[128];
};

static struct estimate_labels split(struct words *words, const char *text)
{
	char *rest = words->text, *word;

	snprintf(words->text, sizeof(words->text), "%s", text);
	while ((word = strsep(&rest, " ")))
		if (*word)
			words->list[words->count++] = word;
	return (struct estimate_labels){words->list, words->count};
}

/* A case: what was measured, and what the estimates are of it. */
struct world {
	struct summary_row rows[8];
	struct summary summary;
	struct words untimed, let_go;
	struct estimate_profile profile;
	struct samples_builder *builder;
	struct samples *samples;
	struct estimates estimates;
};

static struct world *begin(const char *untimed, const char *let_go)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->summary = (struct summary){.rows = world->rows, .cpu_ns = 1000 * MS};
	world->profile = (struct estimate_profile){
	    .summary = &world->summary,
	    .pid = PID,
	    .start_ns = START_MS * MS,
	    .end_ns = 2 * START_MS * MS,
	    .untimed = split(&world->untimed, untimed),
	    .let_go = split(&world->let_go, let_go),
	};
	world->builder = samples_build_begin();
	return world;
}

static void measure(struct world *world, const char *label, uint64_t self_ms)
{
	world->rows[world->summary.row_count++] =
	    (struct summary_row){.label = (char *)label, .self_ns = self_ms * MS, .share = (double)self_ms / 10};
}

static void estimate(struct world *world)
{
	struct error err = {""};

	world->samples = end(world->builder);
	estimate_untimed(&world->profile, world->samples, &world->estimates, &err);
	assert_string_equal(err.text, "");
}

static void finish(struct world *world)
{
	estimates_free(&world->estimates);
	samples_free(world->samples);
	free(world);
}

/* Asserts the self time of a label, to 10 ns, and returns its row. */
static const struct estimate *assert_self(const struct world *world, const char *label, double ms)
{
	const struct estimate *row = estimates_find(&world->estimates, label);

	if (!row)
		fail_msg("%s is not estimated", label);
	assert_near((double)row->self_ns, ms * 1e6);
	assert_true(row->low_ns <= row->self_ns && row->self_ns <= row->high_ns);
	return row;
}

static void assert_source(const struct estimate *row, size_t number, const char *label, double ms)
{
	assert_true(number < row->source_count);
	if (label)
		assert_string_equal(row->sources[number].label, label);
	else
		assert_null(row->sources[number].label);
	assert_near((double)row->sources[number].self_ns, ms * 1e6);
}

/* The sum of all self times, as they are with the estimates, nanoseconds. */
static uint64_t sum_of(const struct world *world)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < world->summary.row_count; i++)
		if (!estimates_find(&world->estimates, world->rows[i].label))
			sum += world->rows[i].self_ns;
	for (size_t i = 0; i < world->estimates.row_count; i++)
		sum += world->estimates.rows[i].self_ns;
	return sum;
}

/* ---- how it is divided ---- */

static void test_share(void **state)
{
	struct world *world = begin("layout_of", "");
	const struct estimate *row;

	(void)state;
	measure(world, "typeck", 200);
	measure(world, "expand", 50);
	add(world->builder, 60, "main|[typeck]|walk");
	add(world->builder, 15, "main|[typeck]");
	add(world->builder, 20, "main|[typeck]|walk|[layout_of]|compute");
	add(world->builder, 5, "main|[typeck]|[layout_of]|[layout_of]");
	add(world->builder, 40, "main|{expand}|parse");
	estimate(world);
	assert_int_equal(world->estimates.samples, 140);
	assert_int_equal(world->estimates.row_count, 2);
	/* A quarter of typeck's samples; Wilson's interval of 25 in 100 is 0.1755 to 0.3430. */
	row = assert_self(world, "layout_of", 50);
	assert_true(fabs((double)row->low_ns / 1e6 - 35.09) < 0.01 && fabs((double)row->high_ns / 1e6 - 68.61) < 0.01);
	assert_int_equal(row->samples, 25);
	assert_false(row->measured);
	assert_true(row->share == 5);
	assert_int_equal(row->source_count, 1);
	assert_source(row, 0, "typeck", 50);
	row = assert_self(world, "typeck", 150);
	assert_true(fabs((double)row->low_ns / 1e6 - 131.39) < 0.01 &&
		    fabs((double)row->high_ns / 1e6 - 164.91) < 0.01);
	assert_true(row->measured);
	assert_int_equal(row->source_count, 0);
	assert_string_equal(world->estimates.rows[0].label, "typeck");
	assert_null(estimates_find(&world->estimates, "expand"));
	finish(world);
}

/* Where a walk ended before it came to what was timed, what ran in that is not known. */
static void test_incomplete(void **state)
{
	struct world *world = begin("layout_of", "");

	(void)state;
	measure(world, "typeck", 100);
	measure(world, "analysis", 40);
	add(world->builder, 6, "main|[analysis]|[typeck]|walk");
	add(world->builder, 2, "main|[analysis]|[typeck]|walk|[layout_of]|compute");
	add_incomplete(world->builder, 90, "[analysis]|[typeck]|clock");
	/* These came further than to the innermost query, or were in nothing. */
	add_incomplete(world->builder, 1, "[analysis]|[typeck]|walk|[layout_of]|compute");
	add_incomplete(world->builder, 1, "begin|[typeck]|walk|[layout_of]|compute");
	add_incomplete(world->builder, 4, "clock");
	estimate(world);
	assert_int_equal(world->estimates.samples, 104);
	assert_self(world, "layout_of", 40);
	assert_self(world, "typeck", 60);
	finish(world);
}

/* From several, nested, and what is neither timed nor untimed is looked through. */
static void test_several(void **state)
{
	struct world *world = begin("a b", "");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 100);
	measure(world, "u", 30);
	measure(world, "within", 70);
	add(world->builder, 40, "[t]|[left_out]");
	add(world->builder, 40, "[t]|[a]");
	add(world->builder, 20, "[t]|[a]|[left_out]|[b]|f");
	add(world->builder, 20, "[u]|[a]|g");
	add(world->builder, 10, "[t]|[a]|[within]");
	estimate(world);
	row = assert_self(world, "a", 70);
	assert_source(row, 0, "t", 40);
	assert_source(row, 1, "u", 30);
	row = assert_self(world, "b", 20);
	assert_source(row, 0, "t", 20);
	assert_self(world, "t", 40);
	assert_self(world, "u", 0);
	assert_null(estimates_find(&world->estimates, "within"));
	assert_null(estimates_find(&world->estimates, "left_out"));
	assert_near((double)sum_of(world), 200e6);
	finish(world);
}

/* Where nothing around it was timed, a sample is a millisecond. */
static void test_in_nothing(void **state)
{
	struct world *world = begin("a", "");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 100);
	add(world->builder, 30, "main|[a]|f");
	add(world->builder, 10, "main|g");
	add(world->builder, 60, "[t]");
	estimate(world);
	row = assert_self(world, "a", 30);
	assert_source(row, 0, NULL, 30);
	assert_int_equal(world->estimates.row_count, 1);
	finish(world);
}

/* What was timed for the first 20 ms has 30 more by the samples. */
static void test_let_go(void **state)
{
	struct world *world = begin("", "a");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 80);
	measure(world, "a", 20);
	add(world->builder, 50, "[t]|[a]|f");
	add(world->builder, 50, "[t]|g");
	estimate(world);
	row = assert_self(world, "a", 50);
	assert_true(row->measured);
	assert_int_equal(row->samples, 50);
	assert_int_equal(row->source_count, 1);
	assert_source(row, 0, "t", 30);
	/* That of 30 in 80, wider by the root of 50 / 30. */
	assert_true(fabs((double)row->low_ns / 1e6 - 39.85) < 0.1 && fabs((double)row->high_ns / 1e6 - 61.32) < 0.1);
	assert_self(world, "t", 50);
	finish(world);

	/* Nothing is taken off what was measured. */
	world = begin("", "a");
	measure(world, "t", 80);
	measure(world, "a", 60);
	add(world->builder, 50, "[t]|[a]|f");
	add(world->builder, 50, "[t]|g");
	estimate(world);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);
}

/* What was never timed within what was let go of: first that one's measured time has it, and then that of the caller.
 */
static void test_within_let_go(void **state)
{
	struct world *world = begin("b", "a never");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 160);
	measure(world, "a", 40);
	add(world->builder, 80, "[t]|[a]");
	add(world->builder, 20, "[t]|[a]|[b]");
	add(world->builder, 90, "[t]");
	add(world->builder, 10, "[t]|[never]");
	estimate(world);
	/* Of the 100 samples in it 40 fell where it was timed. */
	row = assert_self(world, "b", 8 + 12);
	assert_source(row, 0, "t", 12);
	assert_source(row, 1, "a", 8);
	row = assert_self(world, "a", 32 + 48);
	assert_source(row, 0, "t", 48);
	assert_self(world, "never", 10);
	assert_self(world, "t", 90);
	assert_near((double)sum_of(world), 200e6);
	finish(world);
}

/* Loads are timed apart: those of a query that is not timed are its own measured time. */
static void test_loads(void **state)
{
	struct world *world = begin("a", "");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 90);
	measure(world, "a", 10);
	add(world->builder, 60, "[t]");
	add(world->builder, 10, "[t]|{a (load)}|decode");
	add(world->builder, 30, "[t]|[a]");
	estimate(world);
	row = assert_self(world, "a", 10 + 30);
	assert_true(row->measured);
	assert_int_equal(row->source_count, 1);
	assert_self(world, "t", 60);
	finish(world);
}

/* Probes take time that is in no measured one: in the kernel, right where queries begin. */
static void test_probes(void **state)
{
	struct world *world = begin("a", "");

	(void)state;
	measure(world, "t", 200);
	add(world->builder, 10, "[t]|run");
	add(world->builder, 40, "[t]|walk");
	add_in_kernel(world->builder, 10, "[t]|walk");
	add(world->builder, 30, "[t]|run|[a]|f");
	add_in_kernel(world->builder, 10, "[t]|run|[a]|f");
	add_in_kernel(world->builder, 50, "[t]|run");
	add_in_kernel(world->builder, 70, "[t]|run|[a]");
	estimate(world);
	assert_int_equal(world->estimates.samples, 100);
	assert_self(world, "a", 80);
	assert_self(world, "t", 120);
	finish(world);
}

/* What waited was no sample, and stays where it was measured; what was pre-empted is like the rest. */
static void test_waits(void **state)
{
	struct world *world = begin("a", "");

	(void)state;
	measure(world, "t", 300);
	add(world->builder, 50, "[t]");
	add(world->builder, 50, "[t]|[a]");
	add_wait(world->builder, 60, SAMPLES_FUTEX, "[t]");
	add_wait(world->builder, 40, SAMPLES_FILE_IO, "[t]|[a]");
	add_wait(world->builder, 90, SAMPLES_PREEMPTED, "[t]");
	estimate(world);
	assert_self(world, "a", 100);
	assert_self(world, "t", 200);
	finish(world);
}

/* Of the process alone, in its time: its id may have been another's before or after it. */
static void test_other_processes(void **state)
{
	struct world *world = begin("a", "");

	(void)state;
	measure(world, "t", 100);
	add_at(world->builder, 10, PID, START_MS - 1, "[t]|[a]");
	add_at(world->builder, 10, PID, 2 * START_MS + 1, "[t]|[a]");
	add_at(world->builder, 10, PID + 1, START_MS + 10, "[t]|[a]");
	estimate(world);
	assert_int_equal(world->estimates.samples, 0);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);

	world = begin("a", "");
	measure(world, "t", 100);
	add_at(world->builder, 10, PID, START_MS - 1, "[t]|[a]");
	add_at(world->builder, 30, PID, START_MS, "[t]");
	add_at(world->builder, 10, PID, 2 * START_MS, "[t]|[a]");
	estimate(world);
	assert_int_equal(world->estimates.samples, 40);
	assert_self(world, "a", 25);
	finish(world);
}

static void test_nothing(void **state)
{
	struct world *world = begin("a", "b");

	(void)state;
	measure(world, "t", 100);
	estimate(world);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);

	world = begin("", "");
	add(world->builder, 10, "main|[x]");
	estimate(world);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_share),      cmocka_unit_test(test_several),
	    cmocka_unit_test(test_incomplete), cmocka_unit_test(test_in_nothing),
	    cmocka_unit_test(test_let_go),     cmocka_unit_test(test_within_let_go),
	    cmocka_unit_test(test_loads),      cmocka_unit_test(test_probes),
	    cmocka_unit_test(test_waits),      cmocka_unit_test(test_other_processes),
	    cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
