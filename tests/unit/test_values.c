/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is known of registers and stack slots in small functions, mostly at their end: at the label NAME_at. */
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

VALUES(callers_registers, "push %rbx\n"
			  "push %r12\n"
			  "mov %rdi, %rbx\n"
			  "mov %r13, %rax\n"
			  "call *%rdx\n"
			  "mov (%rsp), %r14\n"
			  "xor %r15d, %r15d\n");

/* Those that a function leaves as they were are the caller's until it changes them, and are where it saved them. */
static void test_callers_registers(void **state)
{
	(void)state;
	FOLLOW(callers_registers);
	ASSERT_SLOT(-8, VALUE_SAVED, 0);
	assert_int_equal(values_slot(&known, -8).argument, REG_RBX);
	ASSERT_REGISTER(14, VALUE_SAVED, 0);
	assert_int_equal(known.registers[14].argument, 12);
	ASSERT_REGISTER(13, VALUE_SAVED, 0);
	assert_int_equal(known.registers[13].argument, 13);
	ASSERT_REGISTER(REG_RBX, VALUE_ARGUMENT, 0);
	ASSERT_REGISTER(15, VALUE_NUMBER, 0);
	assert_int_equal(known.registers[REG_RAX].kind, VALUE_NOTHING);
}

VALUES(fields, "lea 8(%rsi), %rbx\n"
	       "mov 0x10(%rbx), %rax\n"
	       "mov %rax, -8(%rsp)\n"
	       "mov %rax, %rcx\n"
	       "add $8, %rcx\n"
	       "mov (%rax), %rdx\n"
	       "mov 0x10(%rbp), %r8\n"
	       "mov 8(%rbx,%r9), %r10\n");

/* What was behind an argument; what is behind that, or moved from it, is not known. */
static void test_fields(void **state)
{
	(void)state;
	FOLLOW(fields);
	ASSERT_REGISTER(REG_RAX, VALUE_FIELD, 0x18);
	assert_int_equal(known.registers[REG_RAX].argument, 1);
	ASSERT_SLOT(-8, VALUE_FIELD, 0x18);
	assert_int_equal(known.registers[REG_RCX].kind, VALUE_NOTHING);
	assert_int_equal(known.registers[REG_RDX].kind, VALUE_NOTHING);
	assert_int_equal(known.registers[8].kind, VALUE_NOTHING);
	assert_int_equal(known.registers[10].kind, VALUE_NOTHING);
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

/* ---- the same at several places of a function ---- */

static void assert_argument(struct value value, int argument)
{
	assert_value(value, VALUE_ARGUMENT, 0);
	assert_int_equal(value.argument, argument);
}

#define FOLLOW_TO(name, label) assert_true(follow(name, name##_end, label))
#define ASSERT_ARGUMENT(reg, argument) assert_argument(known.registers[reg], argument)
#define ASSERT_UNKNOWN(reg) assert_int_equal(known.registers[reg].kind, VALUE_NOTHING)
/* Slots by their place from rsp. */
#define ASSERT_SLOT_ARGUMENT(place, argument) assert_argument(values_slot(&known, known.stack + (place)), argument)
#define ASSERT_SLOT_UNKNOWN(place) assert_int_equal(values_slot(&known, known.stack + (place)).kind, VALUE_NOTHING)

CODE(straight, "push %rbp\n"
	       "push %rbx\n"
	       "sub $0x100, %rsp\n"
	       "mov %rdi, %rbx\n"
	       "mov %rsi, 0x8(%rsp)\n"
	       "mov %rdx, %rbp\n"
	       "xor %edi, %edi\n"
	       "straight_1: mov 0x8(%rsp), %r14\n"
	       "call *%rax\n"
	       "straight_2: movb $0, 0xb(%rsp)\n"
	       "straight_3: mov %ebx, %ebx\n"
	       "straight_4: add $0x100, %rsp\n"
	       "pop %rbx\n"
	       "straight_5: ret");
LABEL(straight_1);
LABEL(straight_2);
LABEL(straight_3);
LABEL(straight_4);
LABEL(straight_5);

static void test_straight_line(void **state)
{
	(void)state;
	FOLLOW_TO(straight, straight_1);
	assert_int_equal(known.stack, -0x110);
	ASSERT_ARGUMENT(REG_RBX, 0);
	ASSERT_ARGUMENT(REG_RBP, 2);
	ASSERT_REGISTER(REG_RDI, VALUE_NUMBER, 0);
	ASSERT_SLOT_ARGUMENT(8, 1);
	FOLLOW_TO(straight, straight_2);
	ASSERT_ARGUMENT(14, 1); /* kept by the callee */
	ASSERT_ARGUMENT(REG_RBX, 0);
	ASSERT_UNKNOWN(REG_RSI); /* not kept */
	ASSERT_UNKNOWN(REG_RDX);
	ASSERT_SLOT_ARGUMENT(8, 1);
	FOLLOW_TO(straight, straight_3);
	ASSERT_SLOT_UNKNOWN(8); /* a byte of it was written */
	FOLLOW_TO(straight, straight_4);
	ASSERT_REGISTER(REG_RBX, VALUE_ARGUMENT_LOW, 0); /* half of it was */
	FOLLOW_TO(straight, straight_5);
	assert_int_equal(known.stack, -8);
}

CODE(stores, "sub $0x48, %rsp\n"
	     "mov %rdi, 0x8(%rsp)\n"
	     "mov %rsi, 0x20(%rsp)\n"
	     "mov %rdx, 0x30(%rsp)\n"
	     "movups %xmm0, 0x10(%rsp)\n"
	     "stores_1: movups %xmm0, 0x14(%rsp)\n"
	     "stores_2: mov %eax, 0x2c(%rsp)\n"
	     "stores_3: movq $0, 0x30(%rsp)\n"
	     "stores_4: add $0x48, %rsp\n"
	     "mov %rdi, -0x10(%rsp)\n"
	     "stores_5: push %rax\n"
	     "stores_6: push %rax\n"
	     "stores_7: pop %rax\n"
	     "mov %rdi, -0x20(%rsp)\n"
	     "mov %rsi, 0x20(%rsp)\n"
	     "call *%rcx\n"
	     "stores_8: ret");
LABEL(stores_1);
LABEL(stores_2);
LABEL(stores_3);
LABEL(stores_4);
LABEL(stores_5);
LABEL(stores_6);
LABEL(stores_7);
LABEL(stores_8);

static void test_slots_are_lost_when_overwritten(void **state)
{
	(void)state;
	FOLLOW_TO(stores, stores_1);
	ASSERT_SLOT_ARGUMENT(8, 0);
	ASSERT_SLOT_ARGUMENT(0x20, 1);
	FOLLOW_TO(stores, stores_2);
	ASSERT_SLOT_ARGUMENT(8, 0);
	ASSERT_SLOT_UNKNOWN(0x20);
	FOLLOW_TO(stores, stores_3);
	ASSERT_SLOT_ARGUMENT(0x30, 2); /* only what lies before it was written */
	FOLLOW_TO(stores, stores_4);
	assert_value(values_slot(&known, known.stack + 0x30), VALUE_NUMBER, 0);
	FOLLOW_TO(stores, stores_5);
	assert_argument(values_slot(&known, -0x10), 0);
	FOLLOW_TO(stores, stores_6);
	assert_argument(values_slot(&known, -0x10), 0);
	FOLLOW_TO(stores, stores_7);
	assert_int_equal(values_slot(&known, -0x10).kind, VALUE_NOTHING); /* by the second push */
	FOLLOW_TO(stores, stores_8);
	ASSERT_SLOT_UNKNOWN(-0x20); /* by what was called */
	ASSERT_SLOT_ARGUMENT(0x20, 1);
}

CODE(branches, "test %rcx, %rcx\n"
	       "je branches_a\n"
	       "mov %rdi, %rbx\n"
	       "mov %rsi, %rbp\n"
	       "jmp branches_b\n"
	       "branches_a: mov %rdi, %rbx\n"
	       "mov %rdx, %rbp\n"
	       "branches_b: nop\n"
	       "branches_loop: mov %rbx, %r12\n"
	       "branches_c: call *%rax\n"
	       "xor %ebx, %ebx\n"
	       "jne branches_loop\n"
	       "branches_d: ret");
LABEL(branches_b);
LABEL(branches_c);
LABEL(branches_d);

static void test_paths_that_meet_keep_what_is_common(void **state)
{
	(void)state;
	FOLLOW_TO(branches, branches_b);
	ASSERT_ARGUMENT(REG_RBX, 0);
	ASSERT_UNKNOWN(REG_RBP);
	FOLLOW_TO(branches, branches_c);
	ASSERT_UNKNOWN(12); /* only the first time round */
	FOLLOW_TO(branches, branches_d);
}

CODE(crooked, "test %rcx, %rcx\n"
	      "je crooked_a\n"
	      "push %rax\n"
	      "crooked_a: nop\n"
	      "crooked_b: mov %rdi, %rbx\n"
	      "ret");
LABEL(crooked_b);

static void test_unknown_stack_is_said_to_be(void **state)
{
	(void)state;
	assert_false(follow(crooked, crooked_end, crooked_b));
}

/* More values on the stack than are kept track of: some are forgotten, none is wrong. */
CODE(crowded, ".set at, 0\n"
	      ".rept 100\n"
	      "mov %rdi, at(%rsp)\n"
	      ".set at, at + 8\n"
	      ".endr\n"
	      "crowded_a: ret");
LABEL(crowded_a);

static void test_more_slots_than_are_kept(void **state)
{
	int count = 0;

	(void)state;
	FOLLOW_TO(crowded, crowded_a);
	for (int i = 0; i < 100; i++) {
		struct value value = values_slot(&known, 8 * i);

		if (value.kind == VALUE_NOTHING)
			continue;
		assert_argument(value, 0);
		count++;
	}
	assert_int_equal(count, VALUES_SLOTS);
}

/* Far more stack than there is, as only a damaged file has it. */
CODE(endless, ".rept 5\n"
	      "sub $0x7fffffff, %rsp\n"
	      ".endr\n"
	      "mov %rdi, 0x7fffffff(%rsp)\n"
	      "endless_a: add $-0x80000000, %rsp\n"
	      ".rept 4\n"
	      "sub $-0x80000000, %rsp\n"
	      ".endr\n"
	      "endless_b: ret");
LABEL(endless_b);

static void test_stack_beyond_all_bounds(void **state)
{
	(void)state;
	FOLLOW_TO(endless, endless_b);
	assert_true(known.stack == 3 * ((int64_t)1 << 31) - 5 * (int64_t)INT32_MAX);
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_constants),
	    cmocka_unit_test(test_slots),
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_callers_registers),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_copies),
	    cmocka_unit_test(test_ways),
	    cmocka_unit_test(test_depths),
	    cmocka_unit_test(test_straight_line),
	    cmocka_unit_test(test_slots_are_lost_when_overwritten),
	    cmocka_unit_test(test_paths_that_meet_keep_what_is_common),
	    cmocka_unit_test(test_unknown_stack_is_said_to_be),
	    cmocka_unit_test(test_more_slots_than_are_kept),
	    cmocka_unit_test(test_stack_beyond_all_bounds),
	};

	return cmocka_run_group_tests(all, NULL, close_image);
}
