/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The clock that stands still while a thread is off the CPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WITH_CPU_TIME 1
#include "tests/unit/bpf_world.h"

/* The thread, and one without a shadow stack. */
static struct task_struct self = {.bpf_storage = (void *)8}, nobody;

/* Time goes by in which the thread is on the CPU by the scheduler's account. */
static void run(__u64 ns)
{
	world.now += ns;
	self.se.sum_exec_runtime += ns;
}

static void leave_cpu(void)
{
	on_switch(false, &self, &nobody, 1);
}

static void come_back(void)
{
	on_switch(false, &nobody, &self, 1);
}

static void time_off_the_cpu_is_left_out(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	leave_cpu();
	world.now += 5000;
	come_back();
	world.now += 7;
	leave_cpu();
	world.now += 300;
	come_back();
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	assert_int_equal(world.count, 1);
	expect_interval(0, 1, 1010, 17, 0);
}

static void the_clock_goes_on_where_it_stood(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	leave_cpu();
	world.now += 5000;
	come_back();
	enter(2, STACK_TOP - 0x200);
	leave(STACK_TOP - 0x200);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 2, 1020, 10, 0);
	expect_interval(1, 1, 1010, 30, 0);
}

static void an_unseen_coming_back_is_made_up_for(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	run(20);
	leave_cpu();
	world.now += 5000;
	run(30);
	leave_cpu();
	world.now += 700;
	come_back();
	run(40);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 1, 1010, 100, 0);
	assert_int_equal(world.process.counts.unseen, 1);
}

static void an_unseen_leaving_is_made_up_for(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	leave_cpu();
	world.now += 300;
	come_back();
	run(20);
	world.now += 5000;
	come_back();
	run(30);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 1, 1010, 60, 0);
	assert_int_equal(world.process.counts.unseen, 1);
}

/* The thread was first seen after its last switch, so nothing is known to set its clock right by. */
static void an_unseen_first_leaving_is_only_counted(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	run(20);
	world.now += 300;
	come_back();
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 1, 1010, 330, 0);
	assert_int_equal(world.process.counts.unseen, 1);
}

/* What the scheduler says is not what this clock does where a hypervisor takes time. */
static void the_schedulers_account_is_not_asked_without_need(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	leave_cpu();
	world.now += 300;
	come_back();
	world.now += 20;
	leave_cpu();
	world.now += 300;
	come_back();
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 1, 1010, 30, 0);
	assert_int_equal(world.process.counts.unseen, 0);
}

static void tasks_without_a_shadow_stack_are_passed_over(void **state)
{
	(void)state;
	leave_cpu();
	world.now += 5000;
	come_back();
	assert_false(world.has_thread);
	enter(1, STACK_TOP - 0x100);
	on_switch(false, &nobody, &nobody, 1);
	world.now += 90;
	on_switch(false, &nobody, &nobody, 1);
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 1, 6010, 100, 0);
}

/* The thread is away between a program's reading of the clock and the use of that, for the second time. */
static void an_absence_after_the_clock_was_read_is_not_taken_off(void **state)
{
	__u64 now;

	(void)state;
	enter(1, STACK_TOP - 0x100);
	leave_cpu();
	world.now += 5000;
	come_back();
	world.now += 100;
	now = world.now;
	world.now += 1;
	leave_cpu();
	world.now += 900;
	come_back();
	assert_int_equal(thread_time(&world.thread, now), 1110);
	assert_int_equal(thread_time(&world.thread, world.now), 1111);
	world.now += 50;
	assert_int_equal(thread_time(&world.thread, world.now), 1161);
}

static void what_is_closed_while_away_ends_when_it_left(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	world.now += 40;
	leave_cpu();
	world.now += 5000;
	close_down_to(&world.thread, 0, time_of_thread(&world.thread), INTERVAL_TRUNCATED);
	flush(&world.thread);
	expect_interval(0, 1, 1010, 40, INTERVAL_TRUNCATED);
}

static void the_cost_of_probes_is_taken_off_besides(void **state)
{
	__u64 start = 1010 - cost_part(1, 0), length = 1000 - cost_part(0, 1);

	(void)state;
	query_cost = 128;
	enter(1, STACK_TOP - 0x100);
	world.now += 990;
	leave_cpu();
	world.now += 5000;
	come_back();
	leave(STACK_TOP - 0x100);
	flush(&world.thread);
	expect_interval(0, 1, start - refill_time(start), length - refill_time(length), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(time_off_the_cpu_is_left_out),
	    TEST(the_clock_goes_on_where_it_stood),
	    TEST(an_unseen_coming_back_is_made_up_for),
	    TEST(an_unseen_leaving_is_made_up_for),
	    TEST(an_unseen_first_leaving_is_only_counted),
	    TEST(the_schedulers_account_is_not_asked_without_need),
	    TEST(tasks_without_a_shadow_stack_are_passed_over),
	    TEST(an_absence_after_the_clock_was_read_is_not_taken_off),
	    TEST(what_is_closed_while_away_ends_when_it_left),
	    TEST(the_cost_of_probes_is_taken_off_besides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
