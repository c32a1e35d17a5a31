/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The names that --counter takes, and why it refuses others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "cmd/counter.h"

static void names_that_are_taken(void **state)
{
	struct error err = {""};
	bool cpu_time = true;

	(void)state;
	assert_int_equal(counter_parse(NULL, &cpu_time, &err), 0);
	assert_false(cpu_time);
	assert_int_equal(counter_parse("cpu-time", &cpu_time, &err), 0);
	assert_true(cpu_time);
	assert_int_equal(counter_parse("wall-time", &cpu_time, &err), 0);
	assert_false(cpu_time);
	assert_string_equal(err.text, "");
}

static void names_that_are_not_known(void **state)
{
	static const char *const names[] = {"", "cpu-tim", "cpu-time ", "CPU-time", "instructions", "cycles:u"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct error err = {""};
		bool cpu_time;

		assert_int_equal(counter_parse(names[i], &cpu_time, &err), -EINVAL);
		assert_non_null(strstr(err.text, names[i]));
		assert_non_null(strstr(err.text, "it takes wall-time or cpu-time"));
	}
}

static void counters_of_the_processor_are_refused(void **state)
{
	static const char *const names[] = {"instructions:u", "instructions-minus-irqs:u",
					    "instructions-minus-r0420:u"};
	struct error err = {""};
	bool cpu_time;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(counter_parse(names[i], &cpu_time, &err), -ENOTSUP);
		assert_non_null(strstr(err.text, names[i]));
	}
	assert_int_equal(counter_refuse("instructions:u", -ENOENT, &err), -ENOTSUP);
	assert_string_equal(err.text, "--counter instructions:u: the processor has no such counter here "
				      "(perf_event_open: No such file or directory), and querytap could not record it "
				      "if it had; it records wall-time and cpu-time");
	assert_int_equal(counter_refuse("instructions:u", 0, &err), -ENOTSUP);
	assert_string_equal(err.text, "--counter instructions:u: the processor has it, but querytap does not support "
				      "recording it; it records wall-time and cpu-time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_that_are_taken),
	    cmocka_unit_test(names_that_are_not_known),
	    cmocka_unit_test(counters_of_the_processor_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
