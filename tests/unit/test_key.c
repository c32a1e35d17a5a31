/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where keys of queries are found at the guard, in functions that keep them in different ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/key.h"
#include "tests/unit/elf_bytes.h"

enum { FILTER = 0x1ef50, AT_FUNCTION = ELF_CODE };

/* The cookie of the guard at `guard`; key registers are as the machine numbers them. */
static uint64_t cookie_of(const uint8_t *code, const uint8_t *end, const uint8_t *guard, enum key_kind kind)
{
	struct elf_piece piece = {"function", code, end, AT_FUNCTION};
	struct elf_file file = {.pieces = &piece, .piece_count = 1};
	struct code_range range = {AT_FUNCTION, (uint64_t)(end - code)};
	struct error err = {{0}};
	struct image *image = NULL;
	struct flow flow;
	struct values values;
	uint64_t cookie;

	if (image_open(elf_put_file(&file), &image, &err) < 0 || image_read_symbols(image, &err) < 0 ||
	    flow_decode(image, &range, 1, &flow, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(values_follow(&flow, AT_FUNCTION, &values), 0);
	cookie = key_cookie(&values, AT_FUNCTION + (uint64_t)(guard - code), kind, FILTER);
	values_free(&values);
	flow_free(&flow);
	image_close(image);
	return cookie;
}

#define COOKIE(name, kind) cookie_of(name, name##_end, name##_guard, kind)

/* (vtable, TyCtxt, span, index, crate): the index moved to rbx, the crate still where it was passed. */
CODE(in_registers, "push %rbx\n"
		   "mov %ecx, %ebx\n"
		   "testb $2, 0x1ef50(%rsi)\n"
		   "in_registers_guard: jne 1f\n"
		   "1: pop %rbx\n"
		   "ret");
LABEL(in_registers_guard);

static void test_registers(void **state)
{
	uint64_t cookie = COOKIE(in_registers, KEY_DEF_ID);

	(void)state;
	assert_int_equal(COOKIE_KEY_KIND(cookie), KEY_DEF_ID);
	assert_in_set(COOKIE_KEY_FIRST(cookie), ((unsigned long[]){REG_RCX, REG_RBX}), 2);
	assert_int_equal(COOKIE_KEY_SECOND(cookie), 8);
	assert_int_equal(COOKIE_KEY_KIND(COOKIE(in_registers, KEY_CRATE)), KEY_CRATE);
}

/* The result in memory, so that all arguments are one further. Both halves are stored, next to each other. */
CODE(on_stack, "sub $0x28, %rsp\n"
	       "mov %r8d, 0x10(%rsp)\n"
	       "mov %r9d, 0x14(%rsp)\n"
	       "xor %r8d, %r8d\n"
	       "xor %r9d, %r9d\n"
	       "testb $2, 0x1ef50(%rdx)\n"
	       "on_stack_guard: jne 1f\n"
	       "1: add $0x28, %rsp\n"
	       "ret");
LABEL(on_stack_guard);

static void test_stack(void **state)
{
	uint64_t cookie = COOKIE(on_stack, KEY_DEF_ID);

	(void)state;
	assert_int_equal(COOKIE_KEY_KIND(cookie), KEY_DEF_ID);
	assert_int_equal(COOKIE_KEY_FIRST(cookie), WIRE_ON_STACK);
	assert_int_equal(COOKIE_KEY_SECOND(cookie), WIRE_ON_STACK);
	assert_int_equal(COOKIE_KEY_DISPLACEMENT(cookie), 0x10);
}

/* The index is overwritten before the guard; the crate was loaded again into another register. */
CODE(given_up, "sub $0x28, %rsp\n"
	       "mov %ecx, 0x10(%rsp)\n"
	       "mov %r8d, 0x1c(%rsp)\n"
	       "movl $1, 0x12(%rsp)\n"
	       "mov 0x1c(%rsp), %r10d\n"
	       "xor %ecx, %ecx\n"
	       "mov $5, %r8d\n"
	       "testb $2, 0x1ef50(%rsi)\n"
	       "given_up_guard: jne 1f\n"
	       "1: add $0x28, %rsp\n"
	       "ret");
LABEL(given_up_guard);

static void test_overwritten(void **state)
{
	(void)state;
	assert_int_equal(COOKIE(given_up, KEY_DEF_ID), 0);
	assert_int_equal(COOKIE(given_up, KEY_LOCAL), 0);
}

/* Both on the stack, but not next to each other: the cookie has room for one place. */
CODE(apart, "sub $0x28, %rsp\n"
	    "mov %ecx, 0x10(%rsp)\n"
	    "mov %r8d, 0x20(%rsp)\n"
	    "xor %ecx, %ecx\n"
	    "xor %r8d, %r8d\n"
	    "testb $2, 0x1ef50(%rsi)\n"
	    "apart_guard: jne 1f\n"
	    "1: add $0x28, %rsp\n"
	    "ret");
LABEL(apart_guard);

static void test_halves_apart(void **state)
{
	uint64_t cookie = COOKIE(apart, KEY_LOCAL);

	(void)state;
	assert_int_equal(COOKIE(apart, KEY_DEF_ID), 0);
	assert_int_equal(COOKIE_KEY_KIND(cookie), KEY_LOCAL);
	assert_int_equal(COOKIE_KEY_FIRST(cookie), WIRE_ON_STACK);
	assert_int_equal(COOKIE_KEY_DISPLACEMENT(cookie), 0x10);
}

static void test_kinds_without_a_place(void **state)
{
	(void)state;
	assert_int_equal(COOKIE(apart, KEY_UNKNOWN), 0);
	assert_int_equal(COOKIE_KEY_KIND(COOKIE(apart, KEY_UNIT)), KEY_UNIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_registers),
	    cmocka_unit_test(test_stack),
	    cmocka_unit_test(test_overwritten),
	    cmocka_unit_test(test_halves_apart),
	    cmocka_unit_test(test_kinds_without_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
