/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The pairing of the self-profiler's other guards, between themselves and among queries, and how they are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/bpf_world.h"

enum { FIRST = WIRE_ACTIVITIES, TCX = 0x7000 };

static void begin_at(__u64 cookie, struct pt_regs *regs)
{
	world.now += 10;
	world.cookie = cookie;
	guard_begin(regs);
}

/* Begins the activity of a guard, whose number is the guard's id from FIRST on. */
static void begin(unsigned int guard, __u64 sp)
{
	struct pt_regs regs = {.sp = sp};

	begin_at(GUARD_MAKE(GUARD_FIXED, guard, 0, 0) | GUARD_WITH_NUMBER(FIRST + guard, 0), &regs);
}

static void end(unsigned int guard, __u64 sp)
{
	struct pt_regs regs = {.sp = sp};

	world.now += 10;
	world.cookie = GUARD_MAKE(0, guard, 0, 0);
	guard_end(&regs);
}

static void activities_and_queries_nest(void **state)
{
	(void)state;
	begin(1, STACK_TOP - 0x100);
	enter(1, STACK_TOP - 0x200);
	begin(2, STACK_TOP - 0x300);
	end(2, STACK_TOP - 0x300);
	leave(STACK_TOP - 0x200);
	end(1, STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 3);
	expect_interval(0, FIRST + 2, 1030, 10, 0);
	expect_interval(1, 1, 1020, 30, 0);
	expect_interval(2, FIRST + 1, 1010, 50, 0);
	assert_int_equal(world.process.counts.unwound, 0);
}

static void guards_of_one_function_nest(void **state)
{
	(void)state;
	begin(1, STACK_TOP - 0x100);
	begin(2, STACK_TOP - 0x100);
	enter(1, STACK_TOP - 0x100);
	begin(3, STACK_TOP - 0x100);
	end(3, STACK_TOP - 0x100);
	leave(STACK_TOP - 0x100);
	end(2, STACK_TOP - 0x100);
	begin(2, STACK_TOP - 0x100);
	end(2, STACK_TOP - 0x100);
	end(1, STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 5);
	expect_interval(0, FIRST + 3, 1040, 10, 0);
	expect_interval(1, 1, 1030, 30, 0);
	expect_interval(2, FIRST + 2, 1020, 50, 0);
	expect_interval(3, FIRST + 2, 1080, 10, 0);
	expect_interval(4, FIRST + 1, 1010, 90, 0);
	assert_int_equal(world.process.counts.unwound, 0);
}

static void a_guard_entered_again_at_its_place_was_unwound(void **state)
{
	(void)state;
	begin(1, STACK_TOP - 0x100);
	begin(2, STACK_TOP - 0x100);
	enter(1, STACK_TOP - 0x200);
	begin(1, STACK_TOP - 0x100);
	end(1, STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 4);
	expect_interval(0, 1, 1030, 10, INTERVAL_UNWOUND);
	expect_interval(1, FIRST + 2, 1020, 20, INTERVAL_UNWOUND);
	expect_interval(2, FIRST + 1, 1010, 30, INTERVAL_UNWOUND);
	assert_int_equal(world.intervals[3].start_and_number >> 48, FIRST + 1);
	assert_int_equal(world.process.counts.unwound, 3);
}

static void the_end_of_a_guard_that_did_not_begin_is_nothing(void **state)
{
	(void)state;
	end(1, STACK_TOP - 0x100);
	begin(2, STACK_TOP - 0x100);
	end(1, STACK_TOP - 0x100);
	end(2, STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 1);
	expect_interval(0, FIRST + 2, 1020, 20, 0);
	assert_int_equal(world.process.counts.missed, 0);
}

static void results_are_named_by_their_querys_vtable(void **state)
{
	struct pt_regs regs = {.sp = STACK_TOP - 0x200, .bx = TCX + 8 * 5};

	(void)state;
	enter(1, STACK_TOP - 0x100);
	begin_at(GUARD_MAKE(GUARD_QUERY_REGISTER, 1, 3, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, 0), 0),
		 &regs);
	end(1, STACK_TOP - 0x200);
	world.slot_value = TCX + 8 * 6;
	begin_at(GUARD_MAKE(GUARD_QUERY_STACK, 1, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_BLOCKED, 0), 0x40),
		 &regs);
	end(1, STACK_TOP - 0x200);
	flush(&world.thread);
	assert_int_equal(world.intervals[0].start_and_number >> 48, WIRE_NUMBER(WIRE_CLASS_LOAD, 5));
	assert_int_equal(world.intervals[1].start_and_number >> 48, WIRE_NUMBER(WIRE_CLASS_BLOCKED, 6));
}

/* The query that a result was loaded for, in an image that is loaded at 0x40000000. */
static unsigned int query_of_load(unsigned int table, struct wire_caller caller)
{
	const __u64 frame[] = {0, TCX + 8 * 6, 0x40005678};
	struct pt_regs regs = {.sp = (unsigned long)frame, .ip = 0x40001234, .bx = TCX + 8 * 5};

	world.has_memory = true;
	world.process.tcx = TCX;
	world.caller_key = (struct wire_caller_key){0, 3, 0x5678 - 0x1234};
	world.caller = caller;
	begin_at(GUARD_MAKE(GUARD_QUERY_CALLER, 1, 2, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, table), 0x40),
		 &regs);
	end(1, regs.sp + 0x40);
	flush(&world.thread);
	return (unsigned int)(world.intervals[--world.count].start_and_number >> 48);
}

static void loads_are_named_by_the_vtable_of_whoever_called(void **state)
{
	(void)state;
	assert_int_equal(query_of_load(3, (struct wire_caller){3, 0}), WIRE_NUMBER(WIRE_CLASS_LOAD, 5));
	assert_int_equal(query_of_load(3, (struct wire_caller){WIRE_ON_STACK, 8}), WIRE_NUMBER(WIRE_CLASS_LOAD, 6));
	assert_int_equal(query_of_load(2, (struct wire_caller){3, 0}), WIRE_NUMBER(WIRE_CLASS_LOAD, 0));
	assert_int_equal(world.process.counts.unwound, 0);
}

/* A thread of -Zthreads may wait for a query before it has run any. */
static void a_thread_without_a_query_knows_the_tyctxt_of_its_process(void **state)
{
	struct pt_regs regs = {.sp = STACK_TOP - 0x200, .bx = TCX + 8 * 5};

	(void)state;
	world.process.tcx = TCX;
	begin_at(GUARD_MAKE(GUARD_QUERY_REGISTER, 1, 3, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_BLOCKED, 0), 0),
		 &regs);
	end(1, STACK_TOP - 0x200);
	enter(1, STACK_TOP - 0x300);
	assert_int_equal(world.process.tcx, TCX);
	flush(&world.thread);
	assert_int_equal(world.intervals[0].start_and_number >> 48, WIRE_NUMBER(WIRE_CLASS_BLOCKED, 5));
}

static void hashing_is_named_by_the_query_around_it(void **state)
{
	struct pt_regs regs = {.sp = STACK_TOP - 0x200};
	const __u64 cookie =
	    GUARD_MAKE(GUARD_QUERY_RUNNING, 1, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_HASHING, 0), 0);

	(void)state;
	enter(7, STACK_TOP - 0x100);
	begin_at(cookie, &regs);
	end(1, STACK_TOP - 0x200);
	leave(STACK_TOP - 0x100);
	begin(2, STACK_TOP - 0x100);
	begin_at(cookie, &regs);
	end(1, STACK_TOP - 0x200);
	flush(&world.thread);
	assert_int_equal(world.intervals[0].start_and_number >> 48, WIRE_NUMBER(WIRE_CLASS_HASHING, 7));
	assert_int_equal(world.intervals[2].start_and_number >> 48, WIRE_NUMBER(WIRE_CLASS_HASHING, 0));
}

/* A guard in memory that its function's caller has given it ends in the caller, whose frame is the higher one. */
static void a_guard_may_end_in_its_functions_caller(void **state)
{
	struct pt_regs regs = {.sp = STACK_TOP - 0x900};

	(void)state;
	begin(2, STACK_TOP - 0x60);
	begin_at(GUARD_MAKE(GUARD_FIXED, 1, 0, 0) | GUARD_WITH_NUMBER(FIRST + 1, 0x800), &regs);
	begin(3, STACK_TOP - 0x200);
	end(3, STACK_TOP - 0x200);
	end(1, STACK_TOP - 0x100);
	end(2, STACK_TOP - 0x60);
	flush(&world.thread);
	assert_int_equal(world.count, 3);
	expect_interval(0, FIRST + 3, 1030, 10, 0);
	expect_interval(1, FIRST + 1, 1020, 30, 0);
	expect_interval(2, FIRST + 2, 1010, 50, 0);
	assert_int_equal(world.process.counts.unwound, 0);
}

/* A pass in an image that is loaded at 0x40000000. */
static unsigned int number_of_pass(unsigned char which, unsigned short count)
{
	const unsigned char pass[8] = {[4] = which};
	struct pt_regs regs = {
	    .sp = STACK_TOP - 0x100, .ip = 0x40001234, .r12 = 0x40777000, .r13 = (unsigned long)pass};

	world.has_memory = true;
	world.pass_key = (struct wire_pass_key){0, 0x777000};
	world.pass = (struct wire_pass){.selector = 4, .number = FIRST + 20, .count = count};
	begin_at(GUARD_MAKE(GUARD_PASS, 1, 12, 13) | 0x1234ULL << 32, &regs);
	end(1, STACK_TOP - 0x100);
	flush(&world.thread);
	return (unsigned int)(world.intervals[--world.count].start_and_number >> 48);
}

static void passes_are_named_by_vtable_and_byte(void **state)
{
	(void)state;
	assert_int_equal(number_of_pass(0, 3), FIRST + 20);
	assert_int_equal(number_of_pass(2, 3), FIRST + 22);
	assert_int_equal(number_of_pass(3, 3), WIRE_QUERY_NONE);
	assert_int_equal(number_of_pass(2, 1), FIRST + 20);
}

static void the_text_of_an_argument_is_sent_ahead(void **state)
{
	static const char name[] = "module.0";
	struct {
		__u64 other, at, size;
	} frame = {0, (__u64)(unsigned long)name, 8};
	struct pt_regs regs = {.sp = (unsigned long)&frame};
	const struct wire_text *text = (const struct wire_text *)world.reserved;

	(void)state;
	world.has_memory = true;
	begin_at(GUARD_MAKE(GUARD_ARGUMENT, 1, 0, 0) | GUARD_WITH_NUMBER(FIRST, 8), &regs);
	assert_int_equal(text->header.kind, WIRE_TEXT);
	assert_int_equal(text->header.count, 8);
	assert_memory_equal(text->bytes, name, 8);
	end(1, (__u64)(unsigned long)&frame);
	flush(&world.thread);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.intervals[0].length_and_flags & ~WIRE_TIME_MASK, INTERVAL_ARGUMENT);
	assert_int_equal(world.intervals[1].start_and_number, text->argument);
}

/* An interval and its argument are in one record, also where there is room for one of them only. */
static void arguments_stay_with_their_intervals(void **state)
{
	struct {
		__u64 at, size;
	} frame = {0, 0};
	struct pt_regs regs = {.sp = (unsigned long)&frame};

	(void)state;
	world.has_memory = true;
	for (int i = 0; i < WIRE_BATCH - 1; i++) {
		begin(2, STACK_TOP - 0x100);
		end(2, STACK_TOP - 0x100);
	}
	begin_at(GUARD_MAKE(GUARD_ARGUMENT, 1, 0, 0) | GUARD_WITH_NUMBER(FIRST, 0), &regs);
	end(1, (__u64)(unsigned long)&frame);
	assert_int_equal(world.count, WIRE_BATCH - 1);
	world.ring_full = true;
	flush(&world.thread);
	assert_int_equal(world.process.counts.lost, 1);
}

static void guards_nested_too_deep_are_counted(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < WIRE_MAX_DEPTH + 3; i++)
		begin(1 + i % 2, STACK_TOP - 0x10 * (i + 1));
	for (unsigned int i = WIRE_MAX_DEPTH + 3; i-- > 0;)
		end(1 + i % 2, STACK_TOP - 0x10 * (i + 1));
	flush(&world.thread);
	assert_int_equal(world.count, WIRE_MAX_DEPTH);
	assert_int_equal(world.process.counts.too_deep, 3);
	assert_int_equal(world.thread.depth, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(activities_and_queries_nest),
	    TEST(guards_of_one_function_nest),
	    TEST(a_guard_entered_again_at_its_place_was_unwound),
	    TEST(the_end_of_a_guard_that_did_not_begin_is_nothing),
	    TEST(results_are_named_by_their_querys_vtable),
	    TEST(loads_are_named_by_the_vtable_of_whoever_called),
	    TEST(a_thread_without_a_query_knows_the_tyctxt_of_its_process),
	    TEST(hashing_is_named_by_the_query_around_it),
	    TEST(a_guard_may_end_in_its_functions_caller),
	    TEST(passes_are_named_by_vtable_and_byte),
	    TEST(the_text_of_an_argument_is_sent_ahead),
	    TEST(arguments_stay_with_their_intervals),
	    TEST(guards_nested_too_deep_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
