/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is told of a thread that leaves the CPU: when, for how long, why, and what it was in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WITH_OFF_CPU 1
#include "tests/unit/bpf_world.h"

enum { RUNNING = 0, INTERRUPTIBLE = 1, STOPPED = 4 };
enum { POLL = 7, MMAP = 9, NANOSLEEP = 35, FSYNC = 74, WAIT4 = 61, FUTEX = 202, EPOLL_WAIT = 232, PPOLL = 271 };

static struct task_struct self = {.bpf_storage = (void *)8}, nobody;

static int set_up_task(void **state)
{
	self = (struct task_struct){.bpf_storage = (void *)8};
	return set_up(state);
}

/* Time goes by in which the thread is on the CPU by the scheduler's account. */
static void run(__u64 ns)
{
	world.now += ns;
	self.se.sum_exec_runtime += ns;
}

/* Leaves the CPU in a system call, or with -1 outside of any. */
static void leave_in(long call, unsigned int state)
{
	world.regs.orig_ax = (unsigned long)call;
	on_switch(false, &self, &nobody, state);
}

static void come_back(void)
{
	on_switch(false, &nobody, &self, INTERRUPTIBLE);
}

static const struct wire_absence *only_absence(void)
{
	assert_int_equal(world.absence_count, 1);
	return &world.absences[0];
}

/* The reason that is told of leaving so and coming back. */
static enum absence_reason reason_in(long call, unsigned int state)
{
	world.absence_count = 0;
	leave_in(call, state);
	world.now += 5;
	come_back();
	return only_absence()->reason;
}

static void an_absence_is_told_with_its_queries(void **state)
{
	const struct wire_absence *absence;

	(void)state;
	enter(7, STACK_TOP - 0x100);
	enter(9, STACK_TOP - 0x200);
	run(20);
	leave_in(NANOSLEEP, INTERRUPTIBLE);
	world.now += 5000;
	come_back();
	absence = only_absence();
	assert_int_equal(absence->header.kind, WIRE_ABSENCE);
	assert_int_equal(absence->header.tgid, PID);
	assert_int_equal(absence->time, 1040);
	assert_int_equal(absence->length, 5000);
	assert_int_equal(absence->reason, ABSENCE_ASLEEP);
	assert_int_equal(absence->depth, 2);
	assert_int_equal(absence->header.count, 2);
	assert_int_equal(absence->frames[0], 9);
	assert_int_equal(absence->frames[1], 7);
	assert_int_equal(world.thread.off[ABSENCE_ASLEEP], 5000);
}

static void outside_of_queries_it_is_in_none(void **state)
{
	(void)state;
	enter(7, STACK_TOP - 0x100);
	leave_in(FUTEX, INTERRUPTIBLE);
	world.now += 500;
	come_back();
	leave(STACK_TOP - 0x100);
	leave_in(FUTEX, INTERRUPTIBLE);
	world.now += 5;
	come_back();
	assert_int_equal(world.absence_count, 2);
	assert_int_equal(world.absences[1].header.count, 0);
	assert_int_equal(world.absences[1].depth, 0);
	/* The query's own time is the wall's. */
	flush(&world.thread);
	expect_interval(0, 7, 1010, 510, 0);
}

static void of_many_queries_the_innermost_are_told(void **state)
{
	const struct wire_absence *absence;

	(void)state;
	for (unsigned int i = 1; i <= WIRE_ABSENCE_FRAMES + 10; i++)
		enter(i, STACK_TOP - 0x100 * i);
	leave_in(FUTEX, INTERRUPTIBLE);
	world.now += 5;
	come_back();
	absence = only_absence();
	assert_int_equal(absence->header.count, WIRE_ABSENCE_FRAMES);
	assert_int_equal(absence->depth, WIRE_ABSENCE_FRAMES + 10);
	assert_int_equal(absence->frames[0], WIRE_ABSENCE_FRAMES + 10);
	assert_int_equal(absence->frames[WIRE_ABSENCE_FRAMES - 1], 11);
}

static void reasons_are_told_apart(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	assert_int_equal(reason_in(FUTEX, RUNNING), ABSENCE_PREEMPTED);
	assert_int_equal(reason_in(FUTEX, INTERRUPTIBLE), ABSENCE_FUTEX);
	assert_int_equal(reason_in(FUTEX, STOPPED), ABSENCE_OTHER);
	assert_int_equal(reason_in(WAIT4, INTERRUPTIBLE), ABSENCE_CHILD);
	assert_int_equal(reason_in(NANOSLEEP, INTERRUPTIBLE), ABSENCE_ASLEEP);
	assert_int_equal(reason_in(FSYNC, INTERRUPTIBLE), ABSENCE_FILE_IO);
	assert_int_equal(reason_in(MMAP, INTERRUPTIBLE), ABSENCE_OTHER);
	assert_int_equal(reason_in(5000, INTERRUPTIBLE), ABSENCE_OTHER);
	assert_int_equal(reason_in(-1, INTERRUPTIBLE), ABSENCE_OTHER);
	self.in_iowait = 1;
	assert_int_equal(reason_in(-1, INTERRUPTIBLE), ABSENCE_PAGE_IN);
	assert_int_equal(reason_in(MMAP, INTERRUPTIBLE), ABSENCE_FILE_IO);
	assert_int_equal(reason_in(FUTEX, INTERRUPTIBLE), ABSENCE_PAGE_IN);
}

static void waiting_no_longer_than_so_long_is_sleeping(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	world.regs.dx = 100;
	assert_int_equal(reason_in(POLL, INTERRUPTIBLE), ABSENCE_ASLEEP);
	assert_int_equal(reason_in(PPOLL, INTERRUPTIBLE), ABSENCE_ASLEEP);
	world.regs.dx = (unsigned int)-1;
	assert_int_equal(reason_in(POLL, INTERRUPTIBLE), ABSENCE_OTHER);
	world.regs.dx = 0;
	assert_int_equal(reason_in(PPOLL, INTERRUPTIBLE), ABSENCE_OTHER);
	world.regs.r10 = 100;
	assert_int_equal(reason_in(EPOLL_WAIT, INTERRUPTIBLE), ABSENCE_ASLEEP);
	world.regs.r10 = (unsigned int)-1;
	assert_int_equal(reason_in(EPOLL_WAIT, INTERRUPTIBLE), ABSENCE_OTHER);
}

static void an_unseen_coming_back_ends_the_absence_early(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	run(20);
	leave_in(FUTEX, INTERRUPTIBLE);
	world.now += 5000;
	run(30);
	leave_in(NANOSLEEP, INTERRUPTIBLE);
	assert_int_equal(only_absence()->time, 1030);
	assert_int_equal(only_absence()->length, 5000);
	assert_int_equal(only_absence()->reason, ABSENCE_FUTEX);
	world.now += 700;
	come_back();
	assert_int_equal(world.absence_count, 2);
	assert_int_equal(world.absences[1].length, 700);
	assert_int_equal(world.absences[1].reason, ABSENCE_ASLEEP);
}

/* Why it left was not seen either. */
static void an_unseen_leaving_is_an_absence_for_no_known_reason(void **state)
{
	(void)state;
	enter(1, STACK_TOP - 0x100);
	leave_in(FUTEX, INTERRUPTIBLE);
	world.now += 300;
	come_back();
	run(20);
	world.now += 5000;
	come_back();
	assert_int_equal(world.absence_count, 2);
	assert_int_equal(world.absences[1].length, 5000);
	assert_int_equal(world.absences[1].time, world.now - 5000);
	assert_int_equal(world.absences[1].reason, ABSENCE_OTHER);
}

static void what_has_no_room_is_counted_and_stays_in_the_sum(void **state)
{
	(void)state;
	lost_absences = 0;
	enter(1, STACK_TOP - 0x100);
	world.ring_full = true;
	leave_in(FUTEX, INTERRUPTIBLE);
	world.now += 300;
	come_back();
	assert_int_equal(world.absence_count, 0);
	assert_int_equal(lost_absences, 1);
	assert_int_equal(world.thread.off[ABSENCE_FUTEX], 300);
}

static void the_account_of_a_thread_is_of_all_its_time(void **state)
{
	const struct wire_times *times = (const struct wire_times *)world.reserved;
	__u64 off = 0;

	(void)state;
	enter(1, STACK_TOP - 0x100);
	run(100);
	leave_in(FUTEX, INTERRUPTIBLE);
	world.now += 300;
	come_back();
	run(50);
	leave_in(NANOSLEEP, INTERRUPTIBLE);
	world.now += 40;
	end_watch(&self, &world.thread);
	assert_int_equal(times->header.kind, WIRE_TIMES);
	assert_int_equal(times->start, 1010);
	assert_int_equal(times->end, 1500);
	assert_int_equal(times->off[ABSENCE_FUTEX], 300);
	assert_int_equal(times->off[ABSENCE_ASLEEP], 40);
	for (size_t i = 0; i < ABSENCE_REASONS; i++)
		off += times->off[i];
	assert_int_equal(times->ran + off, times->end - times->start);
	/* It is asleep still, which is told once. */
	assert_int_equal(world.absence_count, 2);
	world.now += 70;
	come_back();
	end_watch(&self, &world.thread);
	assert_int_equal(world.absence_count, 2);
	assert_int_equal(times->end, 1500);
}

#define TASK_TEST(name) cmocka_unit_test_setup(name, set_up_task)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TASK_TEST(an_absence_is_told_with_its_queries),
	    TASK_TEST(outside_of_queries_it_is_in_none),
	    TASK_TEST(of_many_queries_the_innermost_are_told),
	    TASK_TEST(reasons_are_told_apart),
	    TASK_TEST(waiting_no_longer_than_so_long_is_sleeping),
	    TASK_TEST(an_unseen_coming_back_ends_the_absence_early),
	    TASK_TEST(an_unseen_leaving_is_an_absence_for_no_known_reason),
	    TASK_TEST(what_has_no_room_is_counted_and_stays_in_the_sum),
	    TASK_TEST(the_account_of_a_thread_is_of_all_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
