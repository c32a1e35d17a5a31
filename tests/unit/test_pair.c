/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The pairing of the entries and exits of queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/bpf_world.h"

static void nested_queries_end_inside_out(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	enter(2, STACK_TOP - 0x200);
	leave(STACK_TOP - 0x200);
	enter(3, STACK_TOP - 0x200);
	leave(STACK_TOP - 0x200);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 3);
	expect_interval(0, 2, 1020, 10, 0);
	expect_interval(1, 3, 1040, 10, 0);
	expect_interval(2, 1, 1010, 50, 0);
	assert_int_equal(world.process.counts.missed, 0);
}

static void a_vtable_on_the_stack_is_read_there(void **state)
{
	struct pt_regs regs = {.sp = STACK_TOP - 0x100, .bx = 0x7000};

	(void)state;
	world.slot_value = 0x7000 + 8 * 5;
	world.cookie = COOKIE_MAKE(3, 0, 1, 0x48);
	query_enter(&regs);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 5, 1000, 10, 0);
}

/* Enters a query whose key the cookie describes, and returns what the interval has of it. */
static __u64 key_of(__u64 place, const struct pt_regs *registers)
{
	struct pt_regs regs = *registers;

	regs.sp = STACK_TOP - 0x100;
	regs.di = 0x7000;
	regs.si = 0x7000 + 8;
	world.count = 0;
	world.cookie = COOKIE_MAKE(7, 6, 0, 0) | place;
	query_enter(&regs);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.intervals[0].start_and_number >> 48, 1);
	return world.intervals[0].length_and_flags & INTERVAL_ARGUMENT ? world.intervals[1].start_and_number : 0;
}

static void keys_are_read_where_the_cookie_says(void **state)
{
	const struct pt_regs regs = {.cx = 0xffffffff00000005, .r8 = 7, .bx = 9};

	(void)state;
	world.slot_value = 33;
	assert_int_equal(key_of(0, &regs), 0);
	assert_int_equal(key_of(COOKIE_WITH_KEY(KEY_UNIT, 0, 0, 0), &regs), KEY_MAKE(KEY_UNIT, 0, 0));
	assert_int_equal(key_of(COOKIE_WITH_KEY(KEY_DEF_ID, 1, 8, 0), &regs), KEY_MAKE(KEY_DEF_ID, 7, 5));
	assert_int_equal(key_of(COOKIE_WITH_KEY(KEY_LOCAL, 3, 0, 0), &regs), KEY_MAKE(KEY_LOCAL, 0, 9));
	assert_int_equal(key_of(COOKIE_WITH_KEY(KEY_DEF_ID, 1, WIRE_ON_STACK, 0x40), &regs),
			 KEY_MAKE(KEY_DEF_ID, 33, 5));
	assert_int_equal(key_of(COOKIE_WITH_KEY(KEY_CRATE, WIRE_ON_STACK, 0, 0x40), &regs), KEY_MAKE(KEY_CRATE, 0, 33));
}

static void an_unknown_vtable_keeps_its_place(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	enter(50000, STACK_TOP - 0x200);
	leave(STACK_TOP - 0x200);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 2);
	expect_interval(0, WIRE_QUERY_NONE, 1020, 10, 0);
	expect_interval(1, 1, 1010, 30, 0);
}

static void unwound_frames_are_closed_by_the_callers_exit(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	enter(2, STACK_TOP - 0x200);
	enter(3, STACK_TOP - 0x300);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 3);
	expect_interval(0, 3, 1030, 10, INTERVAL_UNWOUND);
	expect_interval(1, 2, 1020, 20, INTERVAL_UNWOUND);
	expect_interval(2, 1, 1010, 30, 0);
	assert_int_equal(world.process.counts.unwound, 2);
}

static void unwound_frames_are_closed_by_the_next_entry(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	enter(2, STACK_TOP - 0x200);
	enter(3, STACK_TOP - 0x300);
	enter(4, STACK_TOP - 0x180);
	leave(STACK_TOP - 0x180);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 4);
	expect_interval(0, 3, 1030, 10, INTERVAL_UNWOUND);
	expect_interval(1, 2, 1020, 20, INTERVAL_UNWOUND);
	expect_interval(2, 4, 1041, 9, 0);
	expect_interval(3, 1, 1010, 50, 0);
}

static void a_frame_is_gone_when_its_own_place_is_entered_again(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	enter(2, STACK_TOP - 0x100);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 2);
	expect_interval(0, 1, 1010, 10, INTERVAL_UNWOUND);
	expect_interval(1, 2, 1021, 9, 0);
}

/* The kernel's memory map cannot be asked while another thread changes it. */
static void frames_close_by_need_no_memory_map(void **state)
{
	(void)state;
	world.no_areas = true;
	unwound_frames_are_closed_by_the_next_entry(state);
}

static void segments_above_and_below_nest(void **state)
{
	(void)state;
	enter(1, 0x400000 + 0x9000);
	enter(2, 0x900000 + SEGMENT_SIZE - 0x100);
	enter(3, 0x900000 + 0x9000);
	enter(4, 0x100000 + SEGMENT_SIZE - 0x100);
	leave(0x100000 + SEGMENT_SIZE - 0x100);
	leave(0x900000 + 0x9000);
	leave(0x900000 + SEGMENT_SIZE - 0x100);
	leave(0x400000 + 0x9000);
	flush(&world.thread);
	assert_int_equal(world.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(world.intervals[i].start_and_number >> 48, 4 - i);
	assert_int_equal(world.process.counts.unwound, 0);
	assert_int_equal(world.process.counts.missed, 0);
}

static void unwinding_out_of_segments_closes_what_was_in_them(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	enter(2, 0x400000 + 0x9000);
	enter(3, 0x900000 + SEGMENT_SIZE - 0x100);
	enter(4, 0x100000 + SEGMENT_SIZE - 0x100);
	enter(5, STACK_TOP - 0x200);
	leave(STACK_TOP - 0x200);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 5);
	expect_interval(0, 4, 1040, 10, INTERVAL_UNWOUND);
	expect_interval(1, 3, 1030, 20, INTERVAL_UNWOUND);
	expect_interval(2, 2, 1020, 30, INTERVAL_UNWOUND);
	expect_interval(3, 5, 1051, 9, 0);
	expect_interval(4, 1, 1010, 60, 0);
}

static void nesting_beyond_the_stack_is_counted_and_not_corrupted(void **state)
{
	const unsigned int deeper = 7;

	(void)state;
	for (unsigned int i = 0; i < WIRE_MAX_DEPTH + deeper; i++)
		enter(1, STACK_TOP - 0x10 * (i + 1));
	for (unsigned int i = WIRE_MAX_DEPTH + deeper; i-- > 0;)
		leave(STACK_TOP - 0x10 * (i + 1));
	flush(&world.thread);
	assert_int_equal(world.count, WIRE_MAX_DEPTH);
	assert_int_equal(world.process.counts.too_deep, deeper);
	assert_int_equal(world.process.counts.missed, 0);
	assert_int_equal(world.process.counts.unwound, 0);
	assert_int_equal(world.thread.depth, 0);
}

static void exits_without_entries_are_missed(void **state)
{
	(void)state;
	leave(STACK_TOP - 0x100);
	enter(1, STACK_TOP - 0x200);
	leave(STACK_TOP - 0x200);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.process.counts.missed, 2);
}

static void processes_that_are_not_followed_leave_nothing(void **state)
{
	(void)state;
	world.followed = false;
	enter(1, STACK_TOP - 0x100);
	leave(STACK_TOP - 0x100);
	assert_false(world.has_thread);
}

static void what_the_ring_does_not_take_is_lost_and_counted(void **state)
{
	(void)state;
	world.ring_full = true;
	for (int i = 0; i < 2 * WIRE_BATCH + 1; i++) {
		enter(1, STACK_TOP - 0x100);
		leave(STACK_TOP - 0x100);
	}
	world.ring_full = false;
	flush(&world.thread);
	assert_int_equal(world.process.counts.lost, 2 * WIRE_BATCH);
	assert_int_equal(world.count, 1);
}

static void without_memory_for_a_thread_its_queries_are_lost(void **state)
{
	(void)state;
	world.no_memory = true;
	enter(1, STACK_TOP - 0x100);
	assert_int_equal(world.process.counts.lost, 1);
}

/* What is left of `ran` nanoseconds between two probes that cost `cost`. */
static __u64 left_of(__u64 ran, __u64 cost)
{
	return ran - cost - refill_time(ran - cost);
}

static void the_cost_of_probes_is_taken_out_of_the_clock(void **state)
{
	__u64 outer, inner, inner_end;

	(void)state;
	query_cost = 128;
	enter(1, STACK_TOP - 0x100);
	world.now += 990;
	enter(2, STACK_TOP - 0x200);
	world.now += 1990;
	leave(STACK_TOP - 0x200);
	world.now += 2990;
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	outer = left_of(1010, cost_part(1, 0));
	inner = outer + left_of(1000, cost_part(0, 0));
	inner_end = inner + left_of(2000, cost_part(0, 1));
	expect_interval(0, 2, inner, inner_end - inner, 0);
	expect_interval(1, 1, outer, inner_end + left_of(3000, cost_part(1, 1)) - outer, 0);
}

static void the_parts_of_the_cost_are_that_of_two_queries(void **state)
{
	(void)state;
	assert_int_equal(cost_part(0, 0) + cost_part(0, 1) + cost_part(1, 0) + cost_part(1, 1), 2 * 128);
}

static void what_caches_lose_is_taken_out_too(void **state)
{
	(void)state;
	assert_int_equal(refill_time(0), 0);
	assert_int_equal(refill_time(512), 64 + 16 + 8);
	assert_int_equal(refill_time(4096), 128 + 128 + 64);
	assert_int_equal(refill_time(1000000), 128 + 256 + 512);
	enter(1, STACK_TOP - 0x100);
	world.now += 990;
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 1, 1010, 1000, 0); /* nothing where the cost is not known */
}

/* What an interval of 5,000 ns comes out as after many others of `others` ns, if the exit's program takes `taken` ns at
 * each. */
static __u64 length_at_pace(__u64 taken, __u64 others)
{
	world.reading = taken;
	query_cost = 1000;
	usual_pace = 256 * 100;
	for (int i = 0; i < 20000; i++) {
		world.now += 2000;
		enter(1, STACK_TOP - 0x100);
		world.now += others;
		leave(STACK_TOP - 0x100);
		world.count = 0;
	}
	flush(&world.thread);
	world.count = 0;
	world.now += 1000000000; /* the clock may have stood */
	enter(2, STACK_TOP - 0x100);
	world.now += 5000 - taken - 10;
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	return world.intervals[0].length_and_flags & WIRE_TIME_MASK;
}

static void assert_cost_at_pace(__u64 taken, __u64 cost)
{
	__u64 length = left_of(5000, cost * cost_part(0, 1) / 128);

	assert_in_range(length_at_pace(taken, 400), length - 5, length + 5);
}

static void the_cost_goes_up_with_the_machines_load(void **state)
{
	(void)state;
	assert_cost_at_pace(106, 1000);
	set_up(state);
	assert_cost_at_pace(120, 1000 + 3 * 138);
	set_up(state);
	assert_cost_at_pace(80, 1000); /* what it is at its best is known */
	set_up(state);
	assert_cost_at_pace(190, 2000); /* the double is the most */
}

static void the_pace_is_not_that_of_cold_caches(void **state)
{
	(void)state;
	assert_int_equal(length_at_pace(150, 4000), left_of(5000, 1000 * cost_part(0, 1) / 128));
}

static void the_clock_always_goes_on(void **state)
{
	(void)state;
	query_cost = 100;
	for (unsigned int i = 1; i <= 5; i++)
		enter(i, STACK_TOP - 0x100 * i);
	for (unsigned int i = 5; i >= 1; i--)
		leave(STACK_TOP - 0x100 * i);
	flush(&world.thread);
	for (size_t i = 1; i < world.count; i++) {
		__u64 start = world.intervals[i].start_and_number & WIRE_TIME_MASK;
		__u64 inner = world.intervals[i - 1].start_and_number & WIRE_TIME_MASK;

		assert_true(start < inner);
		assert_true(start + (world.intervals[i].length_and_flags & WIRE_TIME_MASK) >
			    inner + (world.intervals[i - 1].length_and_flags & WIRE_TIME_MASK));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nested_queries_end_inside_out),
	    TEST(a_vtable_on_the_stack_is_read_there),
	    TEST(keys_are_read_where_the_cookie_says),
	    TEST(an_unknown_vtable_keeps_its_place),
	    TEST(unwound_frames_are_closed_by_the_callers_exit),
	    TEST(unwound_frames_are_closed_by_the_next_entry),
	    TEST(a_frame_is_gone_when_its_own_place_is_entered_again),
	    TEST(frames_close_by_need_no_memory_map),
	    TEST(segments_above_and_below_nest),
	    TEST(unwinding_out_of_segments_closes_what_was_in_them),
	    TEST(nesting_beyond_the_stack_is_counted_and_not_corrupted),
	    TEST(exits_without_entries_are_missed),
	    TEST(processes_that_are_not_followed_leave_nothing),
	    TEST(what_the_ring_does_not_take_is_lost_and_counted),
	    TEST(without_memory_for_a_thread_its_queries_are_lost),
	    TEST(the_cost_of_probes_is_taken_out_of_the_clock),
	    TEST(what_caches_lose_is_taken_out_too),
	    TEST(the_parts_of_the_cost_are_that_of_two_queries),
	    TEST(the_cost_goes_up_with_the_machines_load),
	    TEST(the_pace_is_not_that_of_cold_caches),
	    TEST(the_clock_always_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
