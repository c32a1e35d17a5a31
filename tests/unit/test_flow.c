/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Decoding functions, and the ways through them: what is reached from the entry, and what never is. */
#include <errno.h>
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

/* Decodes the function in `ranges`, of what is open, and follows it. */
static void follow(const struct code_range *ranges, size_t range_count, struct flow *flow, struct values *values)
{
	struct error err = {{0}};

	if (flow_decode(image, ranges, range_count, flow, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(values_follow(flow, ranges[0].address, values), 0);
}

static void leave(struct flow *flow, struct values *values)
{
	values_free(values);
	flow_free(flow);
}

/* Whether a label of the code that starts at `code` is ever reached; then *state is what holds there. */
static bool reaches(const struct values *values, const uint8_t *code, const uint8_t *label, struct values_state *state)
{
	size_t index = flow_find(values->flow, AT_FUNCTION + (uint64_t)(label - code));

	assert_true(index != SIZE_MAX);
	return values_at(values, index, state);
}

static int close_image(void **state)
{
	(void)state;
	image_close(image);
	image = NULL;
	return 0;
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
	struct values_state at;
	struct values values;
	struct flow flow;
	size_t index;

	(void)state;
	assert_int_equal(hot_a - hot, 0xd);
	open_pieces(pieces, 2, NULL, 0);
	follow(ranges, 2, &flow, &values);
	index = flow_find(&flow, AT_COLD + (uint64_t)(cold_a - cold));
	assert_true(index != SIZE_MAX && values_at(&values, index, &at));
	assert_int_equal(at.registers[REG_RBX].kind, VALUE_ARGUMENT);
	assert_int_equal(at.registers[REG_RBX].argument, 0);
	assert_int_equal(at.stack, -8);
	assert_true(reaches(&values, hot, hot_a, &at));
	assert_false(reaches(&values, hot, hot_b, &at));
	leave(&flow, &values);
	/* Given in the other order, the first range still holds the entry. */
	follow((struct code_range[]){ranges[1], ranges[0]}, 2, &flow, &values);
	assert_true(flow.insns[0].address == AT_FUNCTION);
	assert_true(values_at(&values, flow_find(&flow, AT_COLD), &at));
	assert_int_equal(at.stack, 0);
	leave(&flow, &values);
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
	struct values_state at;
	struct values values;
	struct flow flow;

	open_pieces(pieces, 2, &pointer, 1);
	follow(&range, 1, &flow, &values);
	assert_int_equal(reaches(&values, calls, calls_a, &at), comes_back);
	leave(&flow, &values);
	pieces[1] = (struct elf_piece){"function", calls_by_pointer, calls_by_pointer_end, AT_FUNCTION};
	range.size = (uint64_t)(calls_by_pointer_end - calls_by_pointer);
	open_pieces(pieces, 2, &pointer, 1);
	follow(&range, 1, &flow, &values);
	assert_int_equal(reaches(&values, calls_by_pointer, calls_by_pointer_a, &at), comes_back);
	leave(&flow, &values);
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
	struct values_state at;
	struct values values;
	struct flow flow;

	(void)state;
	open_pieces(pieces, 2, NULL, 0);
	follow(&range, 1, &flow, &values);
	assert_true(reaches(&values, switches, switches_a, &at));
	assert_true(reaches(&values, switches, switches_b, &at));
	assert_int_equal(at.registers[REG_RBX].kind, VALUE_ARGUMENT);
	assert_int_equal(at.registers[REG_RBX].argument, 0);
	assert_false(reaches(&values, switches, switches_c, &at)); /* behind the table's end */
	leave(&flow, &values);
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
	struct values_state at;
	struct values values;
	struct flow flow;

	(void)state;
	open_pieces(pieces, 2, NULL, 0);
	follow(&range, 1, &flow, &values);
	assert_true(reaches(&values, distant, distant_b, &at));
	assert_true(reaches(&values, distant, distant_c, &at));
	leave(&flow, &values);
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
	struct values values;
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
	follow(&empty, 1, &flow, &values);
	leave(&flow, &values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_calls_that_never_return),
	    cmocka_unit_test(test_jump_table),
	    cmocka_unit_test(test_tables_side_by_side),
	    cmocka_unit_test(test_table_whose_address_is_far_away),
	    cmocka_unit_test(test_code_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, close_image);
}
