/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From what the kernel tells of absences to what items and threads were off the CPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/off_cpu.h"
#include "collect/absences.h"
#include "render/render.h"

enum { OUTER = 1, INNER = 2, LOADING = WIRE_NUMBER(WIRE_CLASS_LOAD, INNER) };
enum { BEGAN = 1000 };

/* ---- what the kernel tells ---- */

/* The thread `tid` of process 7 was away at a time, in `count` frames, the innermost first. */
static void tell(struct absences *absences, unsigned int tid, uint64_t time, uint64_t length,
		 enum absence_reason reason, const unsigned short *frames, unsigned int count)
{
	struct wire_absence record = {.header = {WIRE_ABSENCE, 7, tid, count},
				      .time = time,
				      .length = length,
				      .reason = (unsigned short)reason,
				      .depth = (unsigned short)count};

	memcpy(record.frames, frames, count * sizeof(*frames));
	absences_take(absences, &record);
}

static void tell_end(struct absences *absences, unsigned int tid, uint64_t start, uint64_t end, uint64_t futex)
{
	struct wire_times record = {.header = {WIRE_TIMES, 7, tid, 0},
				    .start = start,
				    .end = end,
				    .off = {[ABSENCE_FUTEX] = futex},
				    .ran = end - start - futex,
				    .process = "rustc",
				    .thread = "worker"};

	absences_take(absences, &record);
}

static void name_frame(void *context, unsigned int compiler, unsigned int number, struct samples_frame *frame)
{
	(void)context, (void)compiler;
	frame->kind = number == LOADING ? SAMPLES_ACTIVITY : SAMPLES_QUERY;
	frame->name = strdup(number == LOADING ? "inner (load)" : number == INNER ? "inner" : "outer");
	frame->object = strdup("");
}

static struct samples *build(struct absences *absences)
{
	struct sampled_names names = {.frame = name_frame};
	struct samples_builder *builder = samples_build_begin();
	struct samples *samples;

	assert_non_null(builder);
	assert_int_equal(absences_build(absences, BEGAN, &names, builder), 0);
	assert_int_equal(samples_build_end(builder, &samples), 0);
	samples->began = 50000;
	samples->absences_known = true;
	absences_free(absences);
	return samples;
}

static void what_is_told_becomes_samples(void **state)
{
	static const unsigned short frames[] = {INNER, OUTER};
	struct absences *absences = absences_new();
	struct collect_absences totals;
	struct samples *samples;

	(void)state;
	tell(absences, 8, 1100, 40, ABSENCE_FUTEX, frames, 2);
	tell(absences, 9, 1050, 10, ABSENCE_PIPE, frames + 1, 1);
	tell_end(absences, 8, 1010, 1200, 40);
	/* The id is another thread's now. */
	tell(absences, 8, 1300, 5, ABSENCE_FUTEX, frames, 0);
	tell_end(absences, 8, 1290, 1400, 5);
	absences_totals(absences, 2, &totals);
	assert_int_equal(totals.absences, 3);
	assert_int_equal(totals.threads, 3);
	assert_int_equal(totals.lost, 2);
	assert_int_equal(totals.cut, 0);
	samples = build(absences);
	assert_int_equal(samples->absence_count, 3);
	assert_int_equal(samples->absences[0].time, 50);
	assert_int_equal(samples->absences[0].reason, SAMPLES_PIPE);
	assert_int_equal(samples->absences[1].time, 100);
	assert_int_equal(samples->absences[1].length, 40);
	assert_int_equal(samples->absences[2].stack, 0);
	assert_int_equal(samples->stacks[samples->absences[1].stack].parent, samples->absences[0].stack);
	assert_int_equal(samples->times_count, 2);
	assert_int_equal(samples->times[0].start, 10);
	assert_int_equal(samples->times[0].end, 200);
	assert_int_equal(samples->times[0].ran, 150);
	assert_int_equal(samples->times[0].off[SAMPLES_FUTEX], 40);
	assert_string_equal(samples->threads[samples->times[0].thread].name, "worker");
	samples_free(samples);
}

static void outer_frames_that_were_not_sent_are_counted(void **state)
{
	static const unsigned short frames[] = {INNER};
	struct wire_absence record = {.header = {WIRE_ABSENCE, 7, 8, 1}, .length = 5, .depth = 3};
	struct absences *absences = absences_new();
	struct collect_absences totals;

	(void)state;
	memcpy(record.frames, frames, sizeof(frames));
	absences_take(absences, &record);
	absences_totals(absences, 0, &totals);
	assert_int_equal(totals.cut, 1);
	absences_free(absences);
}

/* ---- sums ---- */

static struct summary_row rows[] = {
    {.label = "inner", .self_ns = 100, .total_ns = 100, .invocations = 4},
    {.label = "outer", .self_ns = 300, .total_ns = 400, .invocations = 1},
};
static const struct summary profile = {.rows = rows, .row_count = 2};

static const struct off_cpu_row *row_of(const struct off_cpu *sums, const char *label)
{
	for (size_t i = 0; i < sums->row_count; i++)
		if (!strcmp(sums->rows[i].label, label))
			return &sums->rows[i];
	fail_msg("there is no row %s", label);
	return NULL;
}

static struct samples *some_samples(void)
{
	static const unsigned short frames[] = {INNER, OUTER}, recursive[] = {OUTER, INNER, OUTER},
				    load[] = {LOADING, OUTER};
	struct absences *absences = absences_new();

	tell(absences, 8, 1100, 40, ABSENCE_FUTEX, frames, 2);
	tell(absences, 8, 1150, 10, ABSENCE_ASLEEP, frames + 1, 1);
	tell(absences, 8, 1170, 3, ABSENCE_PREEMPTED, recursive, 3);
	tell(absences, 8, 1180, 2, ABSENCE_PAGE_IN, load, 2);
	tell(absences, 8, 1190, 7, ABSENCE_PIPE, frames, 0);
	tell_end(absences, 8, 1010, 1200, 40);
	return build(absences);
}

static void absences_are_the_innermost_querys_own_and_part_of_all(void **state)
{
	struct samples *samples = some_samples();
	struct off_cpu_scope scope = {7, 0, UINT64_MAX};
	struct off_cpu sums = {0};
	const struct off_cpu_row *inner, *outer;
	struct error err;

	(void)state;
	assert_int_equal(off_cpu_add_profile(&sums, &profile, &err), 0);
	assert_int_equal(off_cpu_add_absences(&sums, samples, &scope, &err), 0);
	off_cpu_sort(&sums);
	assert_int_equal(sums.row_count, 2);
	assert_string_equal(sums.rows[0].label, "outer");
	inner = row_of(&sums, "inner");
	outer = row_of(&sums, "outer");
	assert_int_equal(inner->self_off[SAMPLES_FUTEX], 40);
	assert_int_equal(inner->self_off[SAMPLES_PAGE_IN], 2);
	assert_int_equal(off_cpu_all(inner->self_off), 42);
	assert_int_equal(off_cpu_all(inner->total_off), 45);
	assert_int_equal(off_cpu_rest(inner->self_ns, inner->self_off), 58);
	assert_int_equal(off_cpu_asleep(outer->self_off), 10);
	assert_int_equal(off_cpu_preempted(outer->self_off), 3);
	assert_int_equal(off_cpu_blocked(outer->self_off), 0);
	/* It is in the third one twice, but that is one absence. */
	assert_int_equal(off_cpu_all(outer->total_off), 55);
	assert_int_equal(off_cpu_blocked(outer->total_off), 42);
	assert_int_equal(off_cpu_all(sums.outside), 7);
	assert_int_equal(sums.thread_count, 1);
	off_cpu_free(&sums);
	samples_free(samples);
}

static void other_processes_and_times_are_left_out(void **state)
{
	static const struct {
		struct off_cpu_scope scope;
		uint64_t off;
		size_t threads;
	} cases[] = {
	    {{8, 0, UINT64_MAX}, 0, 0},
	    {{7, 50000 + 150, UINT64_MAX}, 22, 0},
	    {{7, 0, 50000 + 150}, 40, 1},
	};
	struct samples *samples = some_samples();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct off_cpu sums = {0};
		uint64_t off = 0;
		struct error err;

		assert_int_equal(off_cpu_add_absences(&sums, samples, &cases[i].scope, &err), 0);
		for (size_t j = 0; j < sums.row_count; j++)
			off += off_cpu_all(sums.rows[j].self_off);
		assert_int_equal(off + off_cpu_all(sums.outside), cases[i].off);
		assert_int_equal(sums.thread_count, cases[i].threads);
		off_cpu_free(&sums);
	}
	samples_free(samples);
}

static void a_table_says_what_was_lost(void **state)
{
	struct samples *samples = some_samples();
	struct off_cpu_scope scope = {7, 0, UINT64_MAX};
	struct off_cpu sums = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct error err;

	(void)state;
	samples->absences_lost = 9;
	assert_int_equal(off_cpu_add_profile(&sums, &profile, &err), 0);
	assert_int_equal(off_cpu_add_absences(&sums, samples, &scope, &err), 0);
	off_cpu_sort(&sums);
	assert_int_equal(render_off_cpu_text(&sums, 1, out, &err), 0);
	fclose(out);
	assert_non_null(
	    strstr(text, "| outer  | 300.00ns  | 287.00ns | 10.00ns | 0.00ns  | 3.00ns     | 1          |"));
	assert_null(strstr(text, "| inner"));
	assert_non_null(strstr(text, "9 absences were lost"));
	assert_non_null(strstr(text, "outside of all items: 7.00ns"));
	free(text);
	off_cpu_free(&sums);
	samples_free(samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_told_becomes_samples),
	    cmocka_unit_test(outer_frames_that_were_not_sent_are_counted),
	    cmocka_unit_test(absences_are_the_innermost_querys_own_and_part_of_all),
	    cmocka_unit_test(other_processes_and_times_are_left_out),
	    cmocka_unit_test(a_table_says_what_was_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
