/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Following a function's arguments through its machine code. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/flow.h"
#include "tests/unit/elf_bytes.h"

/* Where a test puts its function, a cold part of it, other functions, a jump table, and pointers. */
enum {
	AT_FUNCTION = ELF_CODE + 0x400,
	AT_COLD = ELF_CODE + 0x8000,
	AT_CALLEE = ELF_CODE + 0x200,
	AT_TABLE = ELF_DATA + 0x100,
	AT_GOT = ELF_DATA + 0x800,
};

static struct image *image;

static void open_pieces(const struct elf_piece *pieces, size_t count, const struct elf_pointer *pointers,
			size_t pointer_count)
{
	struct elf_file file = {
	    .pieces = pieces, .piece_count = count, .pointers = pointers, .pointer_count = pointer_count};
	struct error err = {{0}};

	image_close(image);
	if (image_open(elf_put_file(&file), &image, &err) < 0 || image_read_symbols(image, &err) < 0)
		fail_msg("%s", err.text);
}

/* Decodes and follows the function in `code`, alone in its file. */
static void follow(const uint8_t *code, const uint8_t *end, struct flow *flow)
{
	struct elf_piece piece = {"function", code, end, AT_FUNCTION};
	struct code_range range = {AT_FUNCTION, (uint64_t)(end - code)};
	struct error err = {{0}};

	open_pieces(&piece, 1, NULL, 0);
	if (flow_decode(image, &range, 1, flow, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(flow_follow(flow), 0);
}

/* What holds at a label of the code that starts at `code`. */
static const struct flow_state *state_at(const struct flow *flow, const uint8_t *code, const uint8_t *label)
{
	size_t index = flow_find(flow, AT_FUNCTION + (uint64_t)(label - code));

	assert_true(index != SIZE_MAX);
	return &flow->states[index];
}

static int close_image(void **state)
{
	(void)state;
	image_close(image);
	image = NULL;
	return 0;
}

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
	const struct flow_state *at;
	struct flow flow;

	(void)state;
	follow(straight, straight_end, &flow);
	at = state_at(&flow, straight, straight_1);
	assert_true(at->reached && at->sound);
	assert_int_equal(at->stack, -0x110);
	assert_int_equal(at->registers[REG_RBX], VALUE_ARG0);
	assert_int_equal(at->registers[REG_RBP], VALUE_ARG2);
	assert_int_equal(at->registers[REG_RDI], VALUE_UNKNOWN);
	assert_int_equal(flow_slot(at, at->stack + 8), VALUE_ARG1);
	at = state_at(&flow, straight, straight_2);
	assert_int_equal(at->registers[14], VALUE_ARG1); /* kept by the callee */
	assert_int_equal(at->registers[REG_RBX], VALUE_ARG0);
	assert_int_equal(at->registers[REG_RSI], VALUE_UNKNOWN); /* not kept */
	assert_int_equal(at->registers[REG_RDX], VALUE_UNKNOWN);
	assert_int_equal(flow_slot(at, at->stack + 8), VALUE_ARG1);
	at = state_at(&flow, straight, straight_3);
	assert_int_equal(flow_slot(at, at->stack + 8), VALUE_UNKNOWN); /* a byte of it was written */
	at = state_at(&flow, straight, straight_4);
	assert_int_equal(at->registers[REG_RBX], VALUE_UNKNOWN); /* half of it was */
	at = state_at(&flow, straight, straight_5);
	assert_int_equal(at->stack, -8);
	flow_free(&flow);
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
	const struct flow_state *at;
	struct flow flow;

	(void)state;
	follow(stores, stores_end, &flow);
	at = state_at(&flow, stores, stores_1);
	assert_int_equal(flow_slot(at, at->stack + 8), VALUE_ARG0);
	assert_int_equal(flow_slot(at, at->stack + 0x20), VALUE_ARG1);
	at = state_at(&flow, stores, stores_2);
	assert_int_equal(flow_slot(at, at->stack + 8), VALUE_ARG0);
	assert_int_equal(flow_slot(at, at->stack + 0x20), VALUE_UNKNOWN);
	at = state_at(&flow, stores, stores_3);
	assert_int_equal(flow_slot(at, at->stack + 0x30), VALUE_ARG2); /* only what lies before it was written */
	at = state_at(&flow, stores, stores_4);
	assert_int_equal(flow_slot(at, at->stack + 0x30), VALUE_UNKNOWN);
	at = state_at(&flow, stores, stores_5);
	assert_int_equal(flow_slot(at, -0x10), VALUE_ARG0);
	at = state_at(&flow, stores, stores_6);
	assert_int_equal(flow_slot(at, -0x10), VALUE_ARG0);
	at = state_at(&flow, stores, stores_7);
	assert_int_equal(flow_slot(at, -0x10), VALUE_UNKNOWN); /* by the second push */
	at = state_at(&flow, stores, stores_8);
	assert_int_equal(flow_slot(at, at->stack - 0x20), VALUE_UNKNOWN); /* by what was called */
	assert_int_equal(flow_slot(at, at->stack + 0x20), VALUE_ARG1);
	flow_free(&flow);
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
	const struct flow_state *at;
	struct flow flow;

	(void)state;
	follow(branches, branches_end, &flow);
	at = state_at(&flow, branches, branches_b);
	assert_int_equal(at->registers[REG_RBX], VALUE_ARG0);
	assert_int_equal(at->registers[REG_RBP], VALUE_UNKNOWN);
	at = state_at(&flow, branches, branches_c);
	assert_int_equal(at->registers[12], VALUE_UNKNOWN); /* only the first time round */
	assert_true(state_at(&flow, branches, branches_d)->reached);
	flow_free(&flow);
}

CODE(crooked, "test %rcx, %rcx\n"
	      "je crooked_a\n"
	      "push %rax\n"
	      "crooked_a: nop\n"
	      "crooked_b: mov %rdi, %rbx\n"
	      "ret");
LABEL(crooked_b);
CODE(aligned, "mov %rdi, 0x8(%rsp)\n"
	      "and $-64, %rsp\n"
	      "aligned_a: nop\n"
	      "ret");
LABEL(aligned_a);

static void test_unknown_stack_is_said_to_be(void **state)
{
	struct flow flow;

	(void)state;
	follow(crooked, crooked_end, &flow);
	assert_true(state_at(&flow, crooked, crooked_b)->reached);
	assert_false(state_at(&flow, crooked, crooked_b)->sound);
	flow_free(&flow);
	follow(aligned, aligned_end, &flow);
	assert_true(state_at(&flow, aligned, aligned_a)->reached);
	assert_false(state_at(&flow, aligned, aligned_a)->sound);
	flow_free(&flow);
}

/* More values on the stack than are kept track of: some are forgotten, none is wrong. */
CODE(crowded, ".set at, 0\n"
	      ".rept 40\n"
	      "mov %rdi, at(%rsp)\n"
	      ".set at, at + 8\n"
	      ".endr\n"
	      "crowded_a: ret");
LABEL(crowded_a);

static void test_more_slots_than_are_kept(void **state)
{
	const struct flow_state *at;
	struct flow flow;
	int known = 0;

	(void)state;
	follow(crowded, crowded_end, &flow);
	at = state_at(&flow, crowded, crowded_a);
	for (int i = 0; i < 40; i++) {
		enum flow_value value = flow_slot(at, 8 * i);

		assert_true(value == VALUE_ARG0 || value == VALUE_UNKNOWN);
		known += value == VALUE_ARG0;
	}
	assert_int_equal(known, FLOW_SLOTS);
	flow_free(&flow);
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
	struct flow flow;

	(void)state;
	follow(endless, endless_end, &flow);
	assert_true(state_at(&flow, endless, endless_b)->sound);
	assert_true(state_at(&flow, endless, endless_b)->stack == 3 * ((int64_t)1 << 31) - 5 * (int64_t)INT32_MAX);
	flow_free(&flow);
}

/* A function in two parts far from each other, and code that no path leads to. */
CODE(hot, "push %rbx\n"
	  "mov %rdi, %rbx\n"
	  "test %rsi, %rsi\n"
	  "jne hot + 0x7c00\n"
	  "hot_a: pop %rbx\n"
	  "ret\n"
	  "hot_b: nop\n"
	  "ret");
CODE(cold, "call *0x18(%rbx)\n"
	   "cold_a: jmp cold - 0x7bf3");
LABEL(hot_a);
LABEL(hot_b);
LABEL(cold_a);

static void test_fragments(void **state)
{
	struct elf_piece pieces[] = {{"function", hot, hot_end, AT_FUNCTION},
				     {"function.cold", cold, cold_end, AT_COLD}};
	struct code_range ranges[] = {{AT_FUNCTION, (uint64_t)(hot_end - hot)}, {AT_COLD, (uint64_t)(cold_end - cold)}};
	struct error err = {{0}};
	struct flow flow;
	size_t index;

	(void)state;
	assert_int_equal(hot_a - hot, 0xd);
	open_pieces(pieces, 2, NULL, 0);
	assert_int_equal(flow_decode(image, ranges, 2, &flow, &err), 0);
	assert_int_equal(flow_follow(&flow), 0);
	index = flow_find(&flow, AT_COLD + (uint64_t)(cold_a - cold));
	assert_true(index != SIZE_MAX && flow.states[index].reached);
	assert_int_equal(flow.states[index].registers[REG_RBX], VALUE_ARG0);
	assert_int_equal(flow.states[index].stack, -8);
	assert_true(state_at(&flow, hot, hot_a)->reached);
	assert_false(state_at(&flow, hot, hot_b)->reached);
	flow_free(&flow);
	/* Given in the other order, the first range still holds the entry. */
	assert_int_equal(flow_decode(image, &ranges[1], 1, &flow, &err), 0);
	assert_int_equal(flow_follow(&flow), 0);
	assert_true(flow.states[0].reached);
	flow_free(&flow);
}

/* ---- calls without a way back ---- */

CODE(calls, "push %rbx\n"
	    "mov %rdi, %rbx\n"
	    "call calls - 0x200\n"
	    "calls_a: xor %ebx, %ebx\n"
	    "ret");
CODE(calls_by_pointer, "push %rbx\n"
		       "mov %rdi, %rbx\n"
		       "call *calls_by_pointer + 0x2ff400(%rip)\n"
		       "calls_by_pointer_a: xor %ebx, %ebx\n"
		       "ret");
LABEL(calls_a);
LABEL(calls_by_pointer_a);
CODE(panics, "push %rax\n"
	     "panics_a: call *%rdi\n"
	     "jmp panics_a\n"
	     "ud2");
CODE(returns, "push %rax\ncall *%rdi\npop %rax\nret");
CODE(tail_calls, "push %rax\ncall *%rdi\npop %rax\njmp *%rsi");
CODE(jumps_away, "call *%rdi\njmp jumps_away + 0x5000");
CODE(big_without_return, ".fill 600, 1, 0x90\nud2");

static void check_call(const uint8_t *callee, const uint8_t *callee_end, bool comes_back)
{
	struct elf_piece pieces[] = {{"callee", callee, callee_end, AT_CALLEE},
				     {"function", calls, calls_end, AT_FUNCTION}};
	struct elf_pointer pointer = {AT_GOT, AT_CALLEE};
	struct code_range range = {AT_FUNCTION, (uint64_t)(calls_end - calls)};
	struct error err = {{0}};
	struct flow flow;

	open_pieces(pieces, 2, &pointer, 1);
	assert_int_equal(flow_decode(image, &range, 1, &flow, &err), 0);
	assert_int_equal(flow_follow(&flow), 0);
	assert_int_equal(state_at(&flow, calls, calls_a)->reached, comes_back);
	flow_free(&flow);
	pieces[1] = (struct elf_piece){"function", calls_by_pointer, calls_by_pointer_end, AT_FUNCTION};
	range.size = (uint64_t)(calls_by_pointer_end - calls_by_pointer);
	open_pieces(pieces, 2, &pointer, 1);
	assert_int_equal(flow_decode(image, &range, 1, &flow, &err), 0);
	assert_int_equal(flow_follow(&flow), 0);
	assert_int_equal(state_at(&flow, calls_by_pointer, calls_by_pointer_a)->reached, comes_back);
	flow_free(&flow);
}

static void test_calls_that_never_return(void **state)
{
	(void)state;
	check_call(panics, panics_end, false);
	check_call(returns, returns_end, true);
	check_call(tail_calls, tail_calls_end, true);
	check_call(jumps_away, jumps_away_end, true);
	check_call(big_without_return, big_without_return_end, true); /* not looked at */
}

/* ---- jump tables ---- */

CODE(switches, "mov %rdi, %rbx\n"
	       "and $3, %ecx\n"
	       "lea switches + 0x2fed00(%rip), %rax\n"
	       "movslq (%rax,%rcx,4), %rcx\n"
	       "add %rax, %rcx\n"
	       "jmp *%rcx\n"
	       "switches_a: mov %rsi, %rbp\n"
	       "ret\n"
	       "switches_b: xor %ebx, %ebx\n"
	       "ret\n"
	       "switches_c: nop\n"
	       "ret");
LABEL(switches_a);
LABEL(switches_b);
LABEL(switches_c);
CODE(table, ".long switches_a - switches - 0x2fed00, switches_b - switches - 0x2fed00\n"
	    ".long 0x12345678, switches_c - switches - 0x2fed00");

static void test_jump_table(void **state)
{
	struct elf_piece pieces[] = {{"function", switches, switches_end, AT_FUNCTION},
				     {NULL, table, table_end, AT_TABLE}};
	struct code_range range = {AT_FUNCTION, (uint64_t)(switches_end - switches)};
	struct error err = {{0}};
	struct flow flow;

	(void)state;
	open_pieces(pieces, 2, NULL, 0);
	assert_int_equal(flow_decode(image, &range, 1, &flow, &err), 0);
	assert_int_equal(flow_follow(&flow), 0);
	assert_true(state_at(&flow, switches, switches_a)->reached);
	assert_int_equal(state_at(&flow, switches, switches_b)->registers[REG_RBX], VALUE_ARG0);
	assert_false(state_at(&flow, switches, switches_c)->reached); /* behind the table's end */
	flow_free(&flow);
}

/* Two tables one behind the other: the first ends where the second starts. */
CODE(two, "lea two + 0x2fed00(%rip), %rax\n"
	  "movslq (%rax,%rcx,4), %rcx\n"
	  "add %rax, %rcx\n"
	  "jmp *%rcx\n"
	  "two_a: lea two + 0x2fed04(%rip), %r8\n"
	  "movslq (%r8,%rdx,4), %rdx\n"
	  "add %r8, %rdx\n"
	  "jmp *%rdx\n"
	  "two_b: nop\n"
	  "ret");
LABEL(two_a);
LABEL(two_b);
CODE(two_tables, ".long two_a - two - 0x2fed00, two_b - two - 0x2fed04, 0x7fffffff");

static bool note_successor(size_t next, void *context)
{
	*(uint64_t *)context |= (uint64_t)1 << next;
	return true;
}

static void test_tables_side_by_side(void **state)
{
	struct elf_piece pieces[] = {{"function", two, two_end, AT_FUNCTION},
				     {NULL, two_tables, two_tables_end, AT_TABLE}};
	struct code_range range = {AT_FUNCTION, (uint64_t)(two_end - two)};
	struct error err = {{0}};
	struct flow flow;
	uint64_t successors = 0;
	size_t a, b;

	(void)state;
	open_pieces(pieces, 2, NULL, 0);
	assert_int_equal(flow_decode(image, &range, 1, &flow, &err), 0);
	a = flow_find(&flow, AT_FUNCTION + (uint64_t)(two_a - two));
	b = flow_find(&flow, AT_FUNCTION + (uint64_t)(two_b - two));
	assert_true(flow_successors(&flow, a - 1, note_successor, &successors));
	assert_true(successors == (uint64_t)1 << a);
	successors = 0;
	assert_true(flow_successors(&flow, b - 1, note_successor, &successors));
	assert_true(successors == (uint64_t)1 << b);
	flow_free(&flow);
}

/* The table's address was computed before a branch, out of sight from the jump. */
CODE(distant, "lea distant + 0x2fed00(%rip), %r15\n"
	      "test %rsi, %rsi\n"
	      "jne distant_a\n"
	      "ret\n"
	      "distant_a: movslq (%r15,%rcx,4), %rcx\n"
	      "add %r15, %rcx\n"
	      "jmp *%rcx\n"
	      "distant_b: ret\n"
	      "distant_c: nop\n"
	      "ret");
LABEL(distant_b);
LABEL(distant_c);
CODE(distant_table, ".long distant_b - distant - 0x2fed00, distant_c - distant - 0x2fed00, 0x70000000");

static void test_table_whose_address_is_far_away(void **state)
{
	struct elf_piece pieces[] = {{"function", distant, distant_end, AT_FUNCTION},
				     {NULL, distant_table, distant_table_end, AT_TABLE}};
	struct code_range range = {AT_FUNCTION, (uint64_t)(distant_end - distant)};
	struct error err = {{0}};
	struct flow flow;

	(void)state;
	open_pieces(pieces, 2, NULL, 0);
	assert_int_equal(flow_decode(image, &range, 1, &flow, &err), 0);
	assert_int_equal(flow_follow(&flow), 0);
	assert_true(state_at(&flow, distant, distant_b)->reached);
	assert_true(state_at(&flow, distant, distant_c)->reached);
	flow_free(&flow);
}

/* ---- what is no code ---- */

CODE(nonsense, "nop\n.byte 0x06, 0x06\nret");

static void test_code_that_cannot_be_read(void **state)
{
	struct elf_piece piece = {"function", nonsense, nonsense_end, AT_FUNCTION};
	struct code_range ranges[] = {
	    {AT_FUNCTION, (uint64_t)(nonsense_end - nonsense)},
	    {ELF_CODE + ELF_ROOM - 4, 8}, /* leaves the segment */
	    {0x10, 8},			  /* lies in none */
	    {AT_FUNCTION, UINT64_MAX},
	};
	struct code_range cut = {ELF_CODE + 0x100, 1}, empty = {AT_FUNCTION, 0};
	struct error err;
	struct flow flow;

	(void)state;
	open_pieces(&piece, 1, NULL, 0);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(flow_decode(image, &ranges[i], 1, &flow, &err), -EILSEQ);
		assert_non_null(strstr(err.text, "cannot decode"));
		assert_null(flow.insns);
	}
	assert_int_equal(flow_decode(image, &cut, 1, &flow, &err), -EILSEQ); /* half of an add */
	assert_int_equal(flow_decode(image, &empty, 1, &flow, &err), 0);
	assert_int_equal(flow_follow(&flow), 0);
	flow_free(&flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_straight_line),
	    cmocka_unit_test(test_slots_are_lost_when_overwritten),
	    cmocka_unit_test(test_paths_that_meet_keep_what_is_common),
	    cmocka_unit_test(test_unknown_stack_is_said_to_be),
	    cmocka_unit_test(test_more_slots_than_are_kept),
	    cmocka_unit_test(test_stack_beyond_all_bounds),
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_calls_that_never_return),
	    cmocka_unit_test(test_jump_table),
	    cmocka_unit_test(test_tables_side_by_side),
	    cmocka_unit_test(test_table_whose_address_is_far_away),
	    cmocka_unit_test(test_code_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, close_image);
}
