/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Frames that are read while their thread goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "collect/look.h"

#define FRAME(start, number)                                           \
	{                                                              \
		.start_and_number = (start) | (uint64_t)(number) << 48 \
	}

static size_t whole(uint64_t last, uint32_t depth, const struct wire_frame *frames)
{
	struct wire_thread thread = {.time = 1000, .last = last, .depth = depth};

	return look_whole_frames(&thread, frames);
}

static void test_a_thread_at_rest(void **state)
{
	static const struct wire_frame frames[] = {FRAME(10, 1), FRAME(10, 2), FRAME(30, 3), FRAME(20, 4)};

	(void)state;
	assert_int_equal(whole(30, 3, frames), 3);
	/* The last it did was to leave one. */
	assert_int_equal(whole(90, 3, frames), 3);
	assert_int_equal(whole(90, 0, frames), 0);
	/* Beyond the depth there may be anything, and nothing of it is taken. */
	assert_int_equal(whole(90, 2, frames), 2);
}

/* It left the second and third, and entered another, between the look at its depth and the reading of frames. */
static void test_a_frame_was_replaced(void **state)
{
	static const struct wire_frame frames[] = {FRAME(10, 1), FRAME(50, 9), FRAME(30, 3)};

	(void)state;
	assert_int_equal(whole(40, 3, frames), 1);
	/* As its clock was read after that: the third is not in the second, since it began before. */
	assert_int_equal(whole(60, 3, frames), 2);
}

/* It entered one in the second after that had been read: that one is in something else. */
static void test_an_inner_frame_was_replaced(void **state)
{
	static const struct wire_frame frames[] = {FRAME(10, 1), FRAME(20, 2), FRAME(70, 9)};

	(void)state;
	assert_int_equal(whole(40, 3, frames), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_thread_at_rest),
	    cmocka_unit_test(test_a_frame_was_replaced),
	    cmocka_unit_test(test_an_inner_frame_was_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
