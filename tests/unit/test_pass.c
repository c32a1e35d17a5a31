/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* MIR passes: their names, by running the functions that say them, and the two jumps between which they run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/wire.h"
#include "compiler/pass.h"
#include "compiler/pass_body.h"
#include "compiler/pass_name.h"
#include "tests/unit/elf_bytes.h"

enum {
	AT_FUNCTION = ELF_CODE + 0x400,
	TEXT = ELF_DATA,
	LENGTHS = ELF_DATA + 0x100, /* of three names, then of two */
	TEXTS = ELF_DATA + 0x200,
	PASSES = ELF_DATA + 0x300,
	VTABLES = ELF_DATA + 0x400,
};

/* 0 "CopyProp", 8 "SimplifyCfg-initial", 27 "GVN" and 30 what is no name. */
static const uint8_t text[] = "CopyPropSimplifyCfg-initialGVN no name";
static const uint64_t lengths[] = {8, 19, 3, 3, 8};

static struct image *image;
static struct plan plan;

static void forget_plan(void)
{
	for (size_t i = 0; i < plan.activity_count; i++)
		free(plan.activities[i].label);
	for (size_t i = 0; i < plan.omission_count; i++) {
		free(plan.omissions[i].label);
		free(plan.omissions[i].refusal);
	}
	free(plan.activities);
	free(plan.omissions);
	free(plan.passes);
	free(plan.bodies);
	memset(&plan, 0, sizeof(plan));
}

static int close_image(void **state)
{
	(void)state;
	forget_plan();
	image_close(image);
	image = NULL;
	return 0;
}

static void open_image(const struct elf_piece *functions, size_t count, const struct elf_pointer *vtables,
		       size_t vtable_count)
{
	struct elf_piece pieces[16];
	struct elf_pointer pointers[40] = {{TEXTS, TEXT},	    {TEXTS + 8, TEXT + 8}, {TEXTS + 16, TEXT + 27},
					   {TEXTS + 24, TEXT + 27}, {TEXTS + 32, TEXT},	   {PASSES, TEXT + 27}};
	struct elf_file file = {
	    .pieces = pieces, .piece_count = count + 2, .pointers = pointers, .pointer_count = 6 + vtable_count};
	struct error err = {{0}};

	memcpy(pieces, functions, count * sizeof(*functions));
	pieces[count] = (struct elf_piece){NULL, text, text + sizeof(text), TEXT};
	pieces[count + 1] = (struct elf_piece){NULL, (const uint8_t *)lengths, (const uint8_t *)(lengths + 5), LENGTHS};
	if (vtable_count)
		memcpy(pointers + 6, vtables, vtable_count * sizeof(*vtables));
	image_close(image);
	if (image_open(elf_put_file(&file), &image, &err) < 0 || image_read_symbols(image, &err) < 0)
		fail_msg("%s", err.text);
}

/* ---- names ---- */

/* `at` is where the function is put, from the code's start on. */
#define TO_FROM(name, at, place) #name " + 0x2ff000 - " #at " + " #place "(%rip)"
#define TO(name, place) TO_FROM(name, 0x400, place)
#define CONSTANT(name, at) CODE(name, "lea " TO_FROM(name, at, 0) ", %rax\nmov $8, %edx\nret")
#define TABLE(name, at, selector, lengths_at, texts_at)                                                              \
	CODE(name, "movzbl " #selector "(%rdi), %eax\n"                                                              \
		   "shl $3, %eax\n"                                                                                  \
		   "lea " TO_FROM(name, at, lengths_at) ", %rcx\n"                                                   \
							"mov (%rax,%rcx), %rdx\n"                                    \
							"lea " TO_FROM(name, at, texts_at) ", %rcx\n"                \
											   "mov (%rax,%rcx), %rax\n" \
											   "ret")

CONSTANT(constant, 0x400);
TABLE(table, 0x400, 4, 0x100, 0x200);
CODE(either, "movzbl (%rdi), %ecx\n"
	     "mov %ecx, %eax\n"
	     "xor $1, %eax\n"
	     "lea 3(%rax,%rax,4), %rdx\n"
	     "lea " TO(either, 27) ", %rsi\n"
				   "lea " TO(either, 0) ", %rax\n"
							"test %ecx, %ecx\n"
							"cmovne %rsi, %rax\n"
							"ret");
CODE(own, "mov (%rdi), %rax\n"
	  "mov $3, %edx\n"
	  "ret");
CODE(tail, "jmp tail + 0x10\n");
CODE(calls, "call calls + 0x10\nret");
CODE(loops, "loops_again: jmp loops_again");
CODE(no_name, "lea " TO(no_name, 27) ", %rax\nmov $8, %edx\nret");
CODE(far_name, "lea -0x1000(%rip), %rax\nmov $0x7fffffff, %edx\nret");
CODE(no_length, "lea " TO(no_length, 0) ", %rax\nret");
CODE(two_bytes, "movzbl (%rdi), %eax\nmovzbl 1(%rdi), %edx\nret");
CODE(divides, "mov $8, %eax\ndiv %rdx\nret");

static bool run(const uint8_t *code, const uint8_t *end, uint8_t byte, uint64_t self, struct pass_name *out)
{
	/* What `constant` computes is 16 bytes off where it is the tail of another function. */
	struct elf_piece pieces[] = {{"constant", constant, constant_end, AT_FUNCTION + 0x10},
				     {"function", code, end, AT_FUNCTION}};

	open_image(pieces, 2, NULL, 0);
	return pass_name_run(image, AT_FUNCTION, byte, self, out);
}

#define RUN(name, byte, self, out) run(name, name##_end, byte, self, out)

static void test_names(void **state)
{
	struct pass_name name;

	(void)state;
	assert_true(RUN(constant, 0, 0, &name));
	assert_string_equal(name.text, "CopyProp");
	assert_false(name.selects);
	assert_int_equal(name.table_count, 0);
	assert_true(RUN(table, 1, 0, &name));
	assert_string_equal(name.text, "SimplifyCfg-initial");
	assert_true(name.selects);
	assert_int_equal(name.selector, 4);
	assert_int_equal(name.table_count, 2);
	assert_int_equal(name.tables[0], LENGTHS);
	assert_int_equal(name.tables[1], TEXTS);
	assert_true(RUN(either, 0, 0, &name));
	assert_string_equal(name.text, "CopyProp");
	assert_true(RUN(either, 1, 0, &name));
	assert_string_equal(name.text, "GVN");
	assert_true(RUN(tail, 0, 0, &name));
	assert_string_equal(name.text, "Cfg-init");
	assert_false(RUN(own, 0, 0, &name));
	assert_true(RUN(own, 0, PASSES, &name));
	assert_string_equal(name.text, "GVN");
}

static void test_other_functions(void **state)
{
	struct pass_name name;

	(void)state;
	assert_false(RUN(calls, 0, 0, &name));
	assert_false(RUN(loops, 0, 0, &name));
	assert_false(RUN(no_name, 0, 0, &name));
	assert_false(RUN(far_name, 0, 0, &name));
	assert_false(RUN(no_length, 0, 0, &name));
	assert_false(RUN(two_bytes, 0, 0, &name));
	assert_false(RUN(divides, 0, 0, &name));
	assert_false(RUN(table, 200, 0, &name));
	assert_false(pass_name_run(image, 0x10, 0, 0, &name));
}

/* ---- all passes ---- */

#define PASS(module, type) \
	"_RNvXNtCs3LGw5nGcjh2_19rustc_mir_transform" module "NtB2_" type "NtNtB4_12pass_manager7MirPass"

CONSTANT(copy_prop, 0);
TABLE(simplify_cfg, 0x100, 4, 0x100, 0x200);
TABLE(simplify_locals, 0x200, 0, 0x118, 0x218);

static const char *label_of(uint64_t vtable, uint32_t byte)
{
	for (size_t i = 0; i < plan.pass_count; i++)
		if (plan.passes[i].vtable == vtable && byte < plan.passes[i].count)
			return plan.activities[plan.passes[i].first + byte].label;
	return "none";
}

/* Fills the plan with the passes of the image. */
static void survey_passes(void)
{
	struct pass_functions passes = {0};
	const struct image_symbol *symbols;
	size_t count;

	forget_plan();
	symbols = image_symbols(image, &count);
	for (size_t i = 0; i < count; i++) {
		struct recognised what;

		recognise(symbols[i].name, &what);
		if (what.role == ROLE_PASS_NAME || what.role == ROLE_PASS_RUN)
			assert_int_equal(pass_note_function(&passes, &symbols[i], &what), 0);
	}
	assert_int_equal(pass_survey(image, &passes, &plan), 0);
	pass_free(&passes);
}

/* Passes that differ in a name of their own: which is which cannot be seen. */
static void test_passes_without_a_name(void **state)
{
	const struct elf_piece functions[] = {
	    {PASS("8dump_mir", "6Marker") "4name", own, own_end, ELF_CODE},
	    {PASS("8dump_mir", "6Marker") "8run_pass", own, own_end, ELF_CODE + 0x800},
	};
	const struct elf_pointer vtables[] = {{VTABLES + 0x18, ELF_CODE}, {VTABLES + 0x38, ELF_CODE + 0x800},
					      {VTABLES + 0x300, PASSES},  {VTABLES + 0x308, VTABLES},
					      {VTABLES + 0x310, TEXTS},	  {VTABLES + 0x318, VTABLES}};

	(void)state;
	open_image(functions, 2, vtables, 6);
	survey_passes();
	assert_int_equal(plan.pass_count, 0);
	assert_int_equal(plan.omission_count, 1);
	assert_string_equal(plan.omissions[0].label, "<rustc_mir_transform::dump_mir::Marker as "
						     "rustc_mir_transform::pass_manager::MirPass>::name");
	assert_string_equal(plan.omissions[0].refusal, "the pass's name is not in its vtable");
	open_image(functions, 2, vtables, 4);
	survey_passes();
	assert_int_equal(plan.omission_count, 0);
	assert_string_equal(label_of(VTABLES, 0), "mir_pass_g_v_n");
}

/* A pass that is put next to its vtable by code; in the other function it is not known which one that is. */
CODE(builds, "sub $0x40, %rsp\n"
	     "lea " TO(builds, 0x300) ", %rbx\n"
				      "mov %rbx, 0x10(%rsp)\n"
				      "xor %eax, %eax\n"
				      "lea " TO(builds, 0x400) ", %r14\n"
							       "mov %r14, 0x18(%rsp)\n"
							       "add $0x40, %rsp\n"
							       "ret");
CODE(builds_another, "sub $0x40, %rsp\n"
		     "mov %rdi, 0x10(%rsp)\n"
		     "lea " TO(builds_another, 0x400) ", %r14\n"
						      "mov %r14, 0x18(%rsp)\n"
						      "add $0x40, %rsp\n"
						      "ret");

static void survey_code(const uint8_t *code, const uint8_t *end)
{
	const struct elf_piece functions[] = {
	    {PASS("8dump_mir", "6Marker") "4name", own, own_end, ELF_CODE},
	    {PASS("8dump_mir", "6Marker") "8run_pass", own, own_end, ELF_CODE + 0x800},
	    {"_RNvCs3LGw5nGcjh2_19rustc_mir_transform23run_optimization_passes", code, end, AT_FUNCTION},
	};
	const struct elf_pointer vtables[] = {{VTABLES + 0x18, ELF_CODE}, {VTABLES + 0x38, ELF_CODE + 0x800}};

	open_image(functions, 3, vtables, 2);
	survey_passes();
}

static void test_passes_in_code(void **state)
{
	(void)state;
	survey_code(builds, builds_end);
	assert_int_equal(plan.omission_count, 0);
	assert_string_equal(label_of(VTABLES, 0), "mir_pass_g_v_n");
	survey_code(builds_another, builds_another_end);
	assert_int_equal(plan.omission_count, 1);
	assert_int_equal(plan.pass_count, 0);
}

static void test_all_passes(void **state)
{
	static const uint64_t names[] = {ELF_CODE, ELF_CODE + 0x100, ELF_CODE + 0x200, ELF_CODE + 0x300};
	const struct elf_piece functions[] = {
	    {PASS("9copy_prop", "8CopyProp") "4name", copy_prop, copy_prop_end, names[0]},
	    {PASS("8simplify", "11SimplifyCfg") "4name", simplify_cfg, simplify_cfg_end, names[1]},
	    {PASS("8simplify", "14SimplifyLocals") "4name", simplify_locals, simplify_locals_end, names[2]},
	    {PASS("8dump_mir", "6Marker") "4name", own, own_end, names[3]},
	    {PASS("9copy_prop", "8CopyProp") "8run_pass", own, own_end, ELF_CODE + 0x800},
	};
	struct elf_pointer vtables[12];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		vtables[count++] = (struct elf_pointer){VTABLES + 0x40 * i + 0x18, names[i]};
		vtables[count++] = (struct elf_pointer){VTABLES + 0x40 * i + 0x38, ELF_CODE + 0x800};
	}
	/* A name in a vtable of something else, and the one pass of the type that has its name in it. */
	vtables[count++] = (struct elf_pointer){VTABLES + 0x200, names[0]};
	vtables[count++] = (struct elf_pointer){VTABLES + 0x300, PASSES};
	vtables[count++] = (struct elf_pointer){VTABLES + 0x308, VTABLES + 0xc0};
	open_image(functions, 5, vtables, count);
	survey_passes();
	assert_int_equal(plan.pass_count, 4);
	assert_int_equal(plan.omission_count, 0);
	for (size_t i = 0; i < plan.pass_count; i++)
		assert_true(plan.passes[i].first + plan.passes[i].count <= plan.activity_count);
	assert_string_equal(label_of(VTABLES, 0), "mir_pass_copy_prop");
	assert_string_equal(label_of(VTABLES, 1), "none");
	assert_string_equal(label_of(VTABLES + 0x40, 0), "mir_pass_copy_prop");
	assert_string_equal(label_of(VTABLES + 0x40, 1), "mir_pass_simplify_cfg_initial");
	assert_string_equal(label_of(VTABLES + 0x40, 2), "mir_pass_g_v_n");
	/* There the next type's table begins. */
	assert_string_equal(label_of(VTABLES + 0x40, 3), "none");
	assert_string_equal(label_of(VTABLES + 0x80, 0), "mir_pass_g_v_n");
	assert_string_equal(label_of(VTABLES + 0x80, 1), "mir_pass_copy_prop");
	assert_string_equal(label_of(VTABLES + 0x80, 2), "none");
	assert_string_equal(label_of(VTABLES + 0xc0, 0), "mir_pass_g_v_n");
}

/* ---- where they run ---- */

#define RUNS(name, to_self, before_call, behind)                                                                   \
	CODE(name, "push %rbx\n"                                                                                   \
		   "sub $0x200, %rsp\n"                                                                            \
		   "mov 8(%rsi), %r15\n"                                                                           \
		   "mov (%rsi), %r13\n"                                                                            \
		   "cmp %rax, 0x20(%rsp)\n" #name "_begin: jne " #name "_timed\n" to_self "mov 0x10(%rsp), %rsi\n" \
		   "mov %r14, %rdx\n" before_call "call *0x38(%r15)\n" behind #name "_end_: jne " #name "_over\n"  \
		   "jmp " #name "_over\n" #name "_timed: mov %r13, %rdi\n"                                         \
		   "call *0x20(%r15)\n"                                                                            \
		   "mov %rax, 0x50(%rsp)\n"                                                                        \
		   "lea 0x50(%rsp), %rax\n"                                                                        \
		   "mov %rax, 0x90(%rsp)\n"                                                                        \
		   "testb $1, 0x500(%rbx)\n"                                                                       \
		   "jne " #name "_cold\n"                                                                          \
		   "movq $0, 0x28(%rsp)\n" #name "_back: mov %r13, %rdi\n"                                         \
		   "call *0x38(%r15)\n"                                                                            \
		   "lea 0x28(%rsp), %rdi\n"                                                                        \
		   "call " #name " + 0x840\n" #name "_over: add $0x200, %rsp\n"                                    \
		   "pop %rbx\n"                                                                                    \
		   "ret\n" #name "_cold: lea 0x28(%rsp), %rdi\n"                                                   \
		   "lea 0x90(%rsp), %rdx\n"                                                                        \
		   "call " #name " + 0x810\n"                                                                      \
		   "jmp " #name "_back\n");                                                                        \
	LABEL(name##_begin);                                                                                       \
	LABEL(name##_end_)

RUNS(runs, "mov %r13, %rdi\n", "", "cmpb $2, 0xb0(%rsp)\n");
RUNS(self_in_memory, "mov 0x30(%rsp), %rdi\n", "", "cmpb $2, 0xb0(%rsp)\n");
RUNS(vtable_moved, "mov %r13, %rdi\n", "mov %rdx, %r15\n", "cmpb $2, 0xb0(%rsp)\n");
RUNS(other_depth, "mov %r13, %rdi\n", "", "push %rax\n");

static bool find_pass(const uint8_t *code, const uint8_t *end, struct guard *out)
{
	struct guard_function functions[] = {{AT_FUNCTION + 0x810, CALLEE_ACTIVITY_ARGUMENT},
					     {AT_FUNCTION + 0x840, CALLEE_DROP}};
	const struct guard_callees callees = {functions, 2, 2, 0x40};
	const struct elf_piece piece = {"function", code, end, AT_FUNCTION};
	struct code_range range = {AT_FUNCTION, (uint64_t)(end - code)};
	struct flow flow;
	struct values values;
	struct guarded function = {NULL, &values, &callees, -1};
	bool found = false;

	open_image(&piece, 1, NULL, 0);
	assert_int_equal(flow_decode(image, &range, 1, &flow, NULL), 0);
	assert_int_equal(values_follow(&flow, AT_FUNCTION, &values), 0);
	function.image = image;
	for (size_t i = 0; i < flow.count; i++) {
		if (flow.insns[i].callee != AT_FUNCTION + 0x810)
			continue;
		guard_find(&function, i, out);
		assert_string_equal(out->label, "");
		found = pass_find_guard(&function, i, out);
		guard_free(out);
	}
	values_free(&values);
	flow_free(&flow);
	return found;
}

static void test_where_passes_run(void **state)
{
	struct guard guard;

	(void)state;
	assert_true(find_pass(runs, runs_end, &guard));
	assert_true(guard.is_pass);
	assert_null(guard.refusal);
	assert_int_equal(guard.entry, AT_FUNCTION + (uint64_t)(runs_begin - runs));
	assert_int_equal(guard.exit_count, 1);
	assert_int_equal(guard.exits[0], AT_FUNCTION + (uint64_t)(runs_end_ - runs));
	assert_int_equal(guard.pass_vtable, 15);
	assert_int_equal(guard.pass_self, 13);
	assert_memory_equal(runs + (guard.pass_call - AT_FUNCTION) - 3, "\x41\xff\x57\x38", 4);
	assert_false(find_pass(self_in_memory, self_in_memory_end, &guard));
	assert_false(find_pass(vtable_moved, vtable_moved_end, &guard));
	assert_false(find_pass(other_depth, other_depth_end, &guard));
}

/* ---- their code ---- */

CODE(stays, "push %rax\ncall stays + 0x900\npop %rcx\nret");
CODE(jumps, "mov %rsi, %rdi\njmp jumps + 0x80");
CODE(jumps_on_condition, "test %rsi, %rsi\nje jumps_on_condition + 0x80\nret");
CODE(jumps_by_pointer, "jmp *" TO_FROM(jumps_by_pointer, 0x180, 0x380));
CODE(jumps_back, "jmp jumps_back - 0x80");

/* A plan with as many passes, whose vtables are one behind the other; each has `counts` labels from `firsts` on.
 * `other` is where one runs that has none; 0 for none. */
static void take_passes(size_t count, const uint32_t *counts, const uint32_t *firsts, uint64_t other)
{
	forget_plan();
	plan.passes = calloc(count, sizeof(*plan.passes));
	assert_non_null(plan.passes);
	plan.pass_count = count;
	for (size_t i = 0; i < count; i++)
		plan.passes[i] = (struct plan_pass){VTABLES + 0x40 * i, 0, counts[i], firsts[i]};
	assert_int_equal(pass_add_bodies(image, &other, other != 0, &plan), 0);
}

/* The label's index of the pass whose body is at the address; -1 if it is none's. */
static int told_at(uint64_t address)
{
	uint64_t offset = address - ELF_CODE + ELF_CODE_OFFSET;

	for (size_t i = 0; i < plan.body_count; i++)
		if (offset - plan.bodies[i].offset < plan.bodies[i].size)
			return plan.bodies[i].number - WIRE_ACTIVITIES;
	return -1;
}

/* Passes whose run_pass() are at the addresses. */
static void put_passes(const struct elf_piece *functions, size_t count, const uint64_t *runs_at, size_t pass_count)
{
	struct elf_pointer pointers[16];

	for (size_t i = 0; i < pass_count; i++)
		pointers[i] = (struct elf_pointer){VTABLES + 0x40 * i + PASS_RUN_SLOT, runs_at[i]};
	pointers[pass_count] = (struct elf_pointer){ELF_DATA + 0x380, ELF_CODE + 0x200};
	open_image(functions, count, pointers, pass_count + 1);
}

/* Its parts, wherever the linker has put them, and what it jumps to and has for a caller what the pass has. */
static void test_bodies(void **state)
{
	const struct elf_piece functions[] = {
	    {"run", stays, stays_end, ELF_CODE},
	    {"run.cold.0", stays, stays_end, ELF_CODE + 0x800},
	    {"run.llvm.12.warm", stays, stays_end, ELF_CODE + 0x840},
	    {"runs", stays, stays_end, ELF_CODE + 0x880},
	    {"jumping", jumps, jumps_end, ELF_CODE + 0x80},
	    {"jumped_to", jumps_on_condition, jumps_on_condition_end, ELF_CODE + 0x100},
	    {"jumped_to.cold", stays, stays_end, ELF_CODE + 0x700},
	    {"then", jumps_by_pointer, jumps_by_pointer_end, ELF_CODE + 0x180},
	    {"at_last", jumps_back, jumps_back_end, ELF_CODE + 0x200},
	    {"called", stays, stays_end, ELF_CODE + 0x900},
	};
	static const uint64_t runs_at[] = {ELF_CODE, ELF_CODE + 0x80};

	(void)state;
	put_passes(functions, 10, runs_at, 2);
	take_passes(2, (const uint32_t[]){1, 1}, (const uint32_t[]){5, 6}, 0);
	assert_int_equal(told_at(ELF_CODE), 5);
	assert_int_equal(told_at(ELF_CODE + (uint64_t)(stays_end - stays) - 1), 5);
	assert_int_equal(told_at(ELF_CODE + (uint64_t)(stays_end - stays)), -1);
	assert_int_equal(told_at(ELF_CODE + 0x800), 5);
	assert_int_equal(told_at(ELF_CODE + 0x840), 5);
	assert_int_equal(told_at(ELF_CODE + 0x880), -1);
	assert_int_equal(told_at(ELF_CODE + 0x80), 6);
	assert_int_equal(told_at(ELF_CODE + 0x100), 6);
	assert_int_equal(told_at(ELF_CODE + 0x700), 6);
	assert_int_equal(told_at(ELF_CODE + 0x180), 6);
	assert_int_equal(told_at(ELF_CODE + 0x200), 6);
	assert_int_equal(plan.body_count, 8);
	/* What it calls has another place on the stack. */
	assert_int_equal(told_at(ELF_CODE + 0x900), -1);
}

/* Code that is not one label's alone tells nothing, however many jumps away it is. */
static void test_common_bodies(void **state)
{
	const struct elf_piece functions[] = {
	    {"one", jumps, jumps_end, ELF_CODE + 0x80},
	    {"common", jumps_on_condition, jumps_on_condition_end, ELF_CODE + 0x100},
	    {"common_too", jumps_by_pointer, jumps_by_pointer_end, ELF_CODE + 0x180},
	    {"other", jumps_back, jumps_back_end, ELF_CODE + 0x200},
	    {"several", jumps, jumps_end, ELF_CODE + 0x400},
	    {"of_several", stays, stays_end, ELF_CODE + 0x480},
	    {"folded", stays, stays_end, ELF_CODE + 0x500},
	    {"folded_equally", stays, stays_end, ELF_CODE + 0x580},
	    {"to_a_part", jumps, jumps_end, ELF_CODE + 0x600},
	    {"in_parts.cold", stays, stays_end, ELF_CODE + 0x680},
	    {"to_the_entry", jumps, jumps_end, ELF_CODE + 0x700},
	    {"in_parts", stays, stays_end, ELF_CODE + 0x780},
	    {"of_another", stays, stays_end, ELF_CODE + 0x800},
	    {"of_no_label", jumps_back, jumps_back_end, ELF_CODE + 0x880},
	};
	static const uint64_t runs_at[] = {ELF_CODE + 0x80,  ELF_CODE + 0x180, ELF_CODE + 0x400, ELF_CODE + 0x500,
					   ELF_CODE + 0x500, ELF_CODE + 0x580, ELF_CODE + 0x580, ELF_CODE + 0x600,
					   ELF_CODE + 0x700, ELF_CODE + 0x800};

	(void)state;
	put_passes(functions, 14, runs_at, 10);
	take_passes(10, (const uint32_t[]){1, 1, 2, 1, 1, 1, 1, 1, 1, 1},
		    (const uint32_t[]){5, 6, 7, 9, 10, 11, 11, 12, 13, 14}, ELF_CODE + 0x880);
	assert_int_equal(told_at(ELF_CODE + 0x80), 5);
	assert_int_equal(told_at(ELF_CODE + 0x100), 5);
	assert_int_equal(told_at(ELF_CODE + 0x180), -1);
	assert_int_equal(told_at(ELF_CODE + 0x200), -1);
	assert_int_equal(told_at(ELF_CODE + 0x400), -1);
	assert_int_equal(told_at(ELF_CODE + 0x480), -1);
	assert_int_equal(told_at(ELF_CODE + 0x500), -1);
	assert_int_equal(told_at(ELF_CODE + 0x580), 11);
	assert_int_equal(told_at(ELF_CODE + 0x600), 12);
	assert_int_equal(told_at(ELF_CODE + 0x680), -1);
	assert_int_equal(told_at(ELF_CODE + 0x700), 13);
	assert_int_equal(told_at(ELF_CODE + 0x780), -1);
	assert_int_equal(told_at(ELF_CODE + 0x800), -1);
	assert_int_equal(told_at(ELF_CODE + 0x880), -1);
	assert_int_equal(plan.body_count, 5);
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_names),	   cmocka_unit_test(test_other_functions),
	    cmocka_unit_test(test_all_passes),	   cmocka_unit_test(test_passes_without_a_name),
	    cmocka_unit_test(test_passes_in_code), cmocka_unit_test(test_where_passes_run),
	    cmocka_unit_test(test_bodies),	   cmocka_unit_test(test_common_bodies),
	};

	return cmocka_run_group_tests(all, NULL, close_image);
}
