/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which instructions the kernel emulates when a probe sits on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/flow.h"

static void test_kernel_emulates(void **state)
{
	static const struct {
		bool emulated;
		size_t length;
		uint8_t bytes[8];
	} cases[] = {
	    {true, 1, {0x50}},			       /* push %rax */
	    {true, 1, {0x57}},			       /* push %rdi */
	    {true, 2, {0x41, 0x57}},		       /* push %r15 */
	    {true, 1, {0x90}},			       /* nop */
	    {true, 5, {0x0f, 0x1f, 0x44, 0x00, 0x00}}, /* nopl 0(%rax,%rax) */
	    {true, 2, {0xeb, 0x10}},		       /* jmp, short */
	    {true, 5, {0xe9, 0, 0, 0, 0}},	       /* jmp */
	    {true, 5, {0xe8, 0, 0, 0, 0}},	       /* call */
	    {true, 2, {0x70, 0}},		       /* jo, short */
	    {true, 2, {0x74, 0}},		       /* je, short */
	    {true, 2, {0x7f, 0}},		       /* jg, short */
	    {true, 6, {0x0f, 0x80, 0, 0, 0, 0}},       /* jo */
	    {true, 6, {0x0f, 0x85, 0, 0, 0, 0}},       /* jne */
	    {true, 6, {0x0f, 0x8f, 0, 0, 0, 0}},       /* jg */
	    {false, 1, {0x58}},			       /* pop %rax */
	    {false, 2, {0x41, 0x5f}},		       /* pop %r15 */
	    {false, 2, {0x66, 0x50}},		       /* push %ax */
	    {false, 2, {0x66, 0x90}},		       /* xchg %ax, %ax */
	    {false, 5, {0x66, 0xe8, 0, 0, 0}},	       /* a call with an operand-size prefix: refused altogether */
	    {false, 2, {0x6a, 0}},		       /* push of a constant */
	    {false, 2, {0xff, 0x33}},		       /* push (%rbx) */
	    {false, 2, {0xff, 0xd0}},		       /* call *%rax */
	    {false, 2, {0xff, 0xe0}},		       /* jmp *%rax */
	    {false, 2, {0xe3, 0}},		       /* jrcxz */
	    {false, 2, {0xe2, 0}},		       /* loop */
	    {false, 1, {0xc3}},			       /* ret */
	    {false, 1, {0xcc}},			       /* int3 */
	    {false, 3, {0x48, 0x89, 0xe5}},	       /* mov %rsp, %rbp */
	    {false, 4, {0x48, 0x83, 0xec, 0x08}},      /* sub $8, %rsp */
	    {false, 4, {0x0f, 0x1f, 0x40, 0x00}},      /* nopl 0(%rax), emulated by new kernels only */
	    {false, 4, {0x0f, 0x1f, 0x44, 0x00}},      /* cut short */
	    {false, 2, {0x0f, 0x0b}},		       /* ud2 */
	    {false, 3, {0x0f, 0xb6, 0xc0}},	       /* movzx */
	    {false, 4, {0xf3, 0x0f, 0x1e, 0xfa}},      /* endbr64 */
	    {false, 0, {0}},
	    {false, 1, {0x0f}},
	    {false, 1, {0x41}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t *bytes = malloc(cases[i].length + 1);

		assert_non_null(bytes);
		memcpy(bytes, cases[i].bytes, cases[i].length);
		if (kernel_emulates(bytes, cases[i].length) != cases[i].emulated)
			fail_msg("case %zu, %02x %02x", i, cases[i].bytes[0], cases[i].bytes[1]);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kernel_emulates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
