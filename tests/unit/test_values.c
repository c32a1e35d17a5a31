/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is known of registers and stack slots at the end of small functions: at the label NAME_at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/values.h"
#include "tests/unit/elf_bytes.h"

enum { AT_FUNCTION = ELF_CODE + 0x400 };

static struct image *image;
static struct values_state known;

static int close_image(void **state)
{
	(void)state;
	image_close(image);
	image = NULL;
	return 0;
}

/* Fills `known` with what holds at `at`; returns false if that is nothing. */
static bool follow(const uint8_t *code, const uint8_t *end, const uint8_t *at)
{
	struct elf_piece piece = {"function", code, end, AT_FUNCTION};
	struct elf_file file = {
	    .pieces = &piece, .piece_count = 1, .import = "memcpy", .import_pointer = ELF_DATA + 0x100};
	struct code_range range = {AT_FUNCTION, (uint64_t)(end - code)};
	struct error err = {{0}};
	struct values values;
	struct flow flow;
	bool found;

	image_close(image);
	if (image_open(elf_put_file(&file), &image, &err) < 0 || image_read_symbols(image, &err) < 0 ||
	    flow_decode(image, &range, 1, &flow, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(values_follow(&flow, AT_FUNCTION, &values), 0);
	found = values_at(&values, flow_find(&flow, AT_FUNCTION + (uint64_t)(at - code)), &known);
	values_free(&values);
	flow_free(&flow);
	return found;
}

#define VALUES(name, text)                   \
	CODE(name, text #name "_at: ret\n"); \
	LABEL(name##_at)
#define FOLLOW(name) assert_true(follow(name, name##_end, name##_at))

static void assert_value(struct value value, enum value_kind kind, int64_t number)
{
	assert_int_equal(value.kind, kind);
	assert_int_equal(value.number, number);
}

#define ASSERT_REGISTER(reg, kind, number) assert_value(known.registers[reg], kind, number)
#define ASSERT_SLOT(offset, kind, number) assert_value(values_slot(&known, offset), kind, number)

VALUES(constants, "mov $-7, %rax\n"
		  "mov $13, %ecx\n"
		  "mov %ecx, %edx\n"
		  "xor %ebx, %ebx\n"
		  "lea constants + 0x100(%rip), %rsi\n"
		  "mov $5, %r8d\n"
		  "add $-2, %r8\n"
		  "mov $1, %r9d\n"
		  "mov $2, %r9b\n");

static void test_constants(void **state)
{
	(void)state;
	FOLLOW(constants);
	ASSERT_REGISTER(REG_RAX, VALUE_NUMBER, -7);
	ASSERT_REGISTER(REG_RCX, VALUE_NUMBER, 13);
	ASSERT_REGISTER(REG_RDX, VALUE_NUMBER, 13);
	ASSERT_REGISTER(REG_RBX, VALUE_NUMBER, 0);
	ASSERT_REGISTER(REG_RSI, VALUE_NUMBER, AT_FUNCTION + 0x100);
	ASSERT_REGISTER(8, VALUE_NUMBER, 3);
	assert_int_equal(known.registers[9].kind, VALUE_NOTHING);
}

VALUES(slots, "push %rbx\n"
	      "sub $0x40, %rsp\n"
	      "lea 0x10(%rsp), %rcx\n"
	      "mov %rdi, (%rcx)\n"
	      "movq $13, 8(%rcx)\n"
	      "movq $0, 0x20(%rsp)\n"
	      "mov %rsp, %r12\n"
	      "mov 0x10(%r12), %r13\n"
	      "movl $1, 0x24(%rsp)\n"
	      "movq $3, -8(%rsp)\n"
	      "call *%rax\n");

static void test_slots(void **state)
{
	(void)state;
	FOLLOW(slots);
	assert_int_equal(known.stack, -0x48);
	ASSERT_SLOT(-0x38, VALUE_ARGUMENT, 0);
	ASSERT_SLOT(-0x30, VALUE_NUMBER, 13);
	/* Half of it was written again; and what is called uses the stack below. */
	assert_int_equal(values_slot(&known, -0x28).kind, VALUE_NOTHING);
	assert_int_equal(values_slot(&known, -0x50).kind, VALUE_NOTHING);
	ASSERT_REGISTER(12, VALUE_STACK, -0x48);
	ASSERT_REGISTER(13, VALUE_ARGUMENT, 0);
	assert_int_equal(known.registers[REG_RCX].kind, VALUE_NOTHING);
}

VALUES(arguments, "mov %r9, %rbx\n"
		  "mov 8(%rsp), %r12\n"
		  "mov 0x10(%rsp), %r13\n"
		  "lea 0x18(%rdx), %r14\n"
		  "push %rbx\n"
		  "push $3\n"
		  "push %r14\n");

static void test_arguments(void **state)
{
	(void)state;
	FOLLOW(arguments);
	assert_int_equal(known.registers[REG_RBX].argument, 5);
	assert_int_equal(known.registers[12].argument, 6);
	assert_int_equal(known.registers[13].argument, 7);
	assert_int_equal(known.registers[14].argument, 2);
	ASSERT_REGISTER(14, VALUE_ARGUMENT, 0x18);
	assert_int_equal(values_passed(&known, VALUES_ON_STACK).argument, 2);
	assert_int_equal(values_passed(&known, VALUES_ON_STACK + 1).kind, VALUE_NOTHING);
	assert_int_equal(values_passed(&known, VALUES_ON_STACK + 2).argument, 5);
	assert_int_equal(values_passed(&known, 1).argument, 1);
}

#define COPIED(name, how)                     \
	VALUES(name, "sub $0x100, %rsp\n"     \
		     "movq $11, 0x10(%rsp)\n" \
		     "movq $12, 0x18(%rsp)\n" \
		     "movq $13, 0x20(%rsp)\n" \
		     "movq $14, 0x88(%rsp)\n" \
		     "lea 0x80(%rsp), %rdi\n" \
		     "lea 0x10(%rsp), %rsi\n" how)

COPIED(moved, "mov $2, %ecx\nrep movsq\n");
COPIED(copied, "mov $0x10, %edx\ncall *copied + 0x2fed00(%rip)\n");
COPIED(copied_unknown, "mov %r8, %rdx\ncall *copied_unknown + 0x2fed00(%rip)\n");

static void test_copies(void **state)
{
	(void)state;
	FOLLOW(moved);
	ASSERT_SLOT(-0x80, VALUE_NUMBER, 11);
	ASSERT_SLOT(-0x78, VALUE_NUMBER, 12);
	assert_int_equal(values_slot(&known, -0x70).kind, VALUE_NOTHING);
	FOLLOW(copied);
	ASSERT_SLOT(-0x80, VALUE_NUMBER, 11);
	ASSERT_SLOT(-0x78, VALUE_NUMBER, 12);
	assert_int_equal(values_slot(&known, -0x70).kind, VALUE_NOTHING);
	/* A copy of unknown size may overwrite all that lies behind its start. */
	FOLLOW(copied_unknown);
	assert_int_equal(values_slot(&known, -0x78).kind, VALUE_NOTHING);
	ASSERT_SLOT(-0xe0, VALUE_NUMBER, 13);
}

/* Where ways meet only what they agree on is known. */
VALUES(ways, "sub $0x40, %rsp\n"
	     "mov $1, %ecx\n"
	     "mov $2, %edx\n"
	     "movq $3, (%rsp)\n"
	     "movq $4, 8(%rsp)\n"
	     "ways_again: test %edi, %edi\n"
	     "je ways_other\n"
	     "mov $5, %ecx\n"
	     "movq $6, 8(%rsp)\n"
	     "jmp ways_over\n"
	     "ways_other: nop\n"
	     "ways_over: dec %edi\n"
	     "jne ways_again\n");
VALUES(depths, "test %edi, %edi\n"
	       "je depths_over\n"
	       "push %rax\n"
	       "depths_over: nop\n");

static void test_ways(void **state)
{
	(void)state;
	FOLLOW(ways);
	assert_int_equal(known.registers[REG_RCX].kind, VALUE_NOTHING);
	ASSERT_REGISTER(REG_RDX, VALUE_NUMBER, 2);
	ASSERT_SLOT(-0x40, VALUE_NUMBER, 3);
	assert_int_equal(values_slot(&known, -0x38).kind, VALUE_NOTHING);
	assert_false(follow(depths, depths_end, depths_at));
}

VALUES(aligned, "push %rbp\n"
		"mov %rsp, %rbp\n"
		"and $-0x40, %rsp\n"
		"sub $0x80, %rsp\n"
		"movq $9, 0x10(%rsp)\n"
		"lea 0x10(%rsp), %rax\n"
		"mov (%rax), %rcx\n");
VALUES(unknown_depth, "sub %rax, %rsp\n");
VALUES(never, "jmp never\n");

static void test_depths(void **state)
{
	(void)state;
	FOLLOW(aligned);
	ASSERT_REGISTER(REG_RBP, VALUE_STACK, -8);
	ASSERT_REGISTER(REG_RCX, VALUE_NUMBER, 9);
	assert_false(follow(unknown_depth, unknown_depth_end, unknown_depth_at));
	assert_false(follow(never, never_end, never_at));
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_constants), cmocka_unit_test(test_slots), cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_copies),    cmocka_unit_test(test_ways),  cmocka_unit_test(test_depths),
	};

	return cmocka_run_group_tests(all, NULL, close_image);
}
