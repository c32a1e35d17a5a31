/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the kernel's types say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/features.h"

static void test_types(void **state)
{
	(void)state;
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		skip();
	assert_true(kernel_has_type("task_struct"));
	assert_true(kernel_has_type("__x64_sys_bpf"));
	assert_false(kernel_has_type("ask_struct"));
	assert_false(kernel_has_type("task_struc"));
	assert_false(kernel_has_type("querytap"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
