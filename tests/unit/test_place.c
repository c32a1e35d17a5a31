/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where probes are put into functions of the shapes that rustc's try_execute_query has, and which are left alone. The
 * self-profiler's filter lies at 0x500 of the TyCtxt here, its timer mostly at 0x40 of the stack.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/place.h"
#include "tests/unit/elf_bytes.h"

enum { AT_FUNCTION = ELF_CODE + 0x400, FILTER = 0x500 };

static struct image *image;

static int close_image(void **state)
{
	(void)state;
	image_close(image);
	image = NULL;
	return 0;
}

static void follow(const uint8_t *code, const uint8_t *end, struct flow *flow, struct values *values)
{
	struct elf_piece piece = {"function", code, end, AT_FUNCTION};
	struct elf_file file = {.pieces = &piece, .piece_count = 1};
	struct code_range range = {AT_FUNCTION, (uint64_t)(end - code)};
	struct error err = {{0}};

	image_close(image);
	if (image_open(elf_put_file(&file), &image, &err) < 0 || image_read_symbols(image, &err) < 0 ||
	    flow_decode(image, &range, 1, flow, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(values_follow(flow, AT_FUNCTION, values), 0);
}

static void leave(struct flow *flow, struct values *values)
{
	values_free(values);
	flow_free(flow);
}

static void place(const uint8_t *code, const uint8_t *end, struct placement *out)
{
	struct values values;
	struct flow flow;

	follow(code, end, &flow, &values);
	place_sites(&values, FILTER, out);
	leave(&flow, &values);
}

/* Asserts on one guard and one exit, given by their labels; the vtable in a register, or at `slot` from rsp. */
static void assert_sites(const uint8_t *code, const uint8_t *end, const uint8_t *guard, const uint8_t *exit_site,
			 int tcx, int vtable, int slot)
{
	struct placement found;

	place(code, end, &found);
	if (found.refusal)
		fail_msg("refused: %s", found.refusal);
	assert_int_equal(found.guard_count, 1);
	assert_int_equal(found.exit_count, 1);
	assert_int_equal(found.guards[0].address, AT_FUNCTION + (uint64_t)(guard - code));
	assert_int_equal(found.exits[0], AT_FUNCTION + (uint64_t)(exit_site - code));
	assert_int_equal(found.guards[0].tcx_register, tcx);
	assert_int_equal(found.guards[0].vtable_on_stack, vtable == REGISTER_NONE);
	if (vtable == REGISTER_NONE)
		assert_int_equal(found.guards[0].vtable_displacement, slot);
	else
		assert_int_equal(found.guards[0].vtable_register, vtable);
}

static void assert_refused(const uint8_t *code, const uint8_t *end, const char *why)
{
	struct placement found;

	place(code, end, &found);
	if (!found.refusal)
		fail_msg("not refused");
	assert_string_equal(found.refusal, why);
}

/*
 * From rustc 1.95's try_execute_query for VecCache<CrateNum>, as recorded; between the pieces, code that does other
 * things was left out. Here the filter is where that compiler has it.
 */
static const uint8_t recorded[] = {
    0x55,						  /* push %rbp */
    0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x53, /* push %r15, %r14, %r13, %r12, %rbx */
    0x48, 0x81, 0xec, 0xb8, 0x01, 0x00, 0x00,		  /* sub $0x1b8,%rsp */
    0x48, 0x89, 0x54, 0x24, 0x38,			  /* mov %rdx,0x38(%rsp) */
    0x48, 0x89, 0xfb,					  /* mov %rdi,%rbx */
    0x89, 0x4c, 0x24, 0x10,				  /* mov %ecx,0x10(%rsp) */
    0x48, 0x89, 0x74, 0x24, 0x08,			  /* mov %rsi,0x8(%rsp) */
    0x4c, 0x8b, 0x74, 0x24, 0x08,			  /* mov 0x8(%rsp),%r14 */
    0xf0, 0x4d, 0x0f, 0xc1, 0xa6, 0xa8, 0xed, 0x01, 0x00, /* lock xadd %r12,0x1eda8(%r14) */
    0x48, 0x89, 0x9c, 0x24, 0xc0, 0x00, 0x00, 0x00,	  /* mov %rbx,0xc0(%rsp) */
    0x41, 0xf6, 0x86, 0x50, 0xef, 0x01, 0x00, 0x02,	  /* testb $0x2,0x1ef50(%r14) */
    0x0f, 0x85, 0x8a, 0x00, 0x00, 0x00,			  /* jne, far away */
    0x48, 0xc7, 0x44, 0x24, 0x78, 0x00, 0x00, 0x00, 0x00, /* movq $0x0,0x78(%rsp) */
    0x64, 0x4c, 0x8b, 0x7d, 0x00,			  /* mov %fs:0x0(%rbp),%r15 */
    0x4c, 0x8b, 0x6c, 0x24, 0x08,			  /* mov 0x8(%rsp),%r13 */
    0x64, 0x48, 0x89, 0x45, 0x00,			  /* mov %rax,%fs:0x0(%rbp) */
    0x4c, 0x89, 0xef,					  /* mov %r13,%rdi */
    0x8b, 0x74, 0x24, 0x10,				  /* mov 0x10(%rsp),%esi */
    0xff, 0x53, 0x40,					  /* call *0x40(%rbx) */
    0x41, 0x89, 0xc7,					  /* mov %eax,%r15d */
    0x64, 0x4c, 0x89, 0x75, 0x00,			  /* mov %r14,%fs:0x0(%rbp) */
    0x49, 0x8b, 0x85, 0x60, 0xf3, 0x01, 0x00,		  /* mov 0x1f360(%r13),%rax */
    0xf0, 0x44, 0x0f, 0xc1, 0x60, 0x10,			  /* lock xadd %r12d,0x10(%rax) */
    0x41, 0x81, 0xfc, 0x01, 0xff, 0xff, 0xff,		  /* cmp $0xffffff01,%r12d */
    0x48, 0x8b, 0x44, 0x24, 0x78,			  /* mov 0x78(%rsp),%rax */
    0x44, 0x89, 0xa4, 0x24, 0xd8, 0x00, 0x00, 0x00,	  /* mov %r12d,0xd8(%rsp) */
    0x48, 0x85, 0xc0,					  /* test %rax,%rax */
    0x0f, 0x85, 0x23, 0x00, 0x00, 0x00,			  /* jne, far away */
    0x48, 0x81, 0xc4, 0xb8, 0x01, 0x00, 0x00,		  /* add $0x1b8,%rsp */
    0x5b, 0x41, 0x5c, 0x41, 0x5d, 0x41, 0x5e, 0x41, 0x5f, 0x5d, 0xc3,
};

static size_t offset_of(const uint8_t *bytes, size_t size)
{
	return (size_t)((const uint8_t *)memmem(recorded, sizeof(recorded), bytes, size) - recorded);
}

static void test_recorded(void **state)
{
	static const uint8_t guard[] = {0x0f, 0x85, 0x8a}, exit_site[] = {0x0f, 0x85, 0x23},
			     call[] = {0xff, 0x53, 0x40};
	struct placement found;
	int32_t candidates[4];
	struct values values;
	struct flow flow;

	(void)state;
	follow(recorded, recorded + sizeof(recorded), &flow, &values);
	assert_int_equal(place_filter_candidates(&values, candidates, 4), 1);
	assert_int_equal(candidates[0], 0x1ef50);
	place_sites(&values, 0x1ef50, &found);
	leave(&flow, &values);
	assert_null(found.refusal);
	assert_int_equal(found.guard_count, 1);
	assert_int_equal(found.guards[0].address, AT_FUNCTION + offset_of(guard, sizeof(guard)));
	assert_int_equal(found.guards[0].tcx_register, 14);
	assert_false(found.guards[0].vtable_on_stack);
	assert_int_equal(found.guards[0].vtable_register, REG_RBX);
	assert_int_equal(found.exit_count, 1);
	assert_int_equal(found.exits[0], AT_FUNCTION + offset_of(exit_site, sizeof(exit_site)));
	assert_int_equal(found.call_count, 1);
	assert_int_equal(found.calls[0], AT_FUNCTION + offset_of(call, sizeof(call)) + sizeof(call) - 1);
}

/* ---- shapes that are probed ---- */

#define START         \
	"push %rbx\n" \
	"sub $0x60, %rsp\n"
#define FINISH              \
	"add $0x60, %rsp\n" \
	"pop %rbx\n"        \
	"ret\n"

CODE(registers, START "mov %rdi, %rbx\n"
		      "mov %rsi, %r14\n"
		      "testb $2, 0x500(%r14)\n"
		      "registers_guard: jne registers_cold\n"
		      "movq $0, 0x40(%rsp)\n"
		      "registers_back: call *0x40(%rbx)\n"
		      "mov 0x40(%rsp), %rcx\n"
		      "mov %rax, %rbx\n"
		      "test %rcx, %rcx\n"
		      "mov %rbx, 8(%rsp)\n"
		      "registers_exit: jne registers_over\n" FINISH "registers_cold: lea 0x40(%rsp), %rdi\n"
		      "call *%r12\n"
		      "jmp registers_back\n"
		      "registers_over: ud2");
LABEL(registers_guard);
LABEL(registers_exit);

/* The vtable nowhere but on the stack; the timer tested where it lies; both jumps the other way round. */
CODE(slots, START "mov %rdi, 0x18(%rsp)\n"
		  "mov %rsi, 0x20(%rsp)\n"
		  "xor %edi, %edi\n"
		  "mov 0x20(%rsp), %rax\n"
		  "testb $2, 0x500(%rax)\n"
		  "slots_guard: je slots_clear\n"
		  "lea 0x40(%rsp), %rdi\n"
		  "call *%r12\n"
		  "jmp slots_back\n"
		  "slots_clear: nop\n"
		  "movq $0, 0x40(%rsp)\n"
		  "slots_back: mov 0x18(%rsp), %rax\n"
		  "call *0x40(%rax)\n"
		  "cmpq $0, 0x40(%rsp)\n"
		  "slots_exit: je slots_over\n"
		  "call *%r12\n"
		  "slots_over:" FINISH);
LABEL(slots_guard);
LABEL(slots_exit);

/* A result in memory moves the arguments by one. */
CODE(result, START "mov %rsi, %r12\n"
		   "testb $2, 0x500(%rdx)\n"
		   "result_guard: jne result_over\n"
		   "movq $0, 0x40(%rsp)\n"
		   "call *0x40(%r12)\n"
		   "mov 0x40(%rsp), %rax\n"
		   "cmp $0, %rax\n"
		   "result_exit: jne result_over\n" FINISH "result_over: ud2");
LABEL(result_guard);
LABEL(result_exit);

/* The timer's test far from the call, behind jumps and copies from register to register. */
CODE(roundabout, START "mov %rdi, %rbx\n"
		       "testb $2, 0x500(%rsi)\n"
		       "roundabout_guard: jne roundabout_cold\n"
		       "jmp roundabout_a\n"
		       "roundabout_d: mov %r13, %rdx\n"
		       "jmp roundabout_e\n"
		       "roundabout_a: movq $0, 0x40(%rsp)\n"
		       "call *0x40(%rbx)\n"
		       "test %rax, %rax\n"
		       "je roundabout_c\n"
		       "roundabout_b: mov 0x40(%rsp), %r13\n"
		       "call *%r12\n"
		       "jmp roundabout_d\n"
		       "roundabout_c: call *%r12\n"
		       "jmp roundabout_b\n"
		       "roundabout_e: test %rdx, %rdx\n"
		       "roundabout_exit: jne roundabout_cold\n" FINISH "roundabout_cold: ud2");
LABEL(roundabout_guard);
LABEL(roundabout_exit);

static void test_probed_shapes(void **state)
{
	(void)state;
	assert_sites(registers, registers_end, registers_guard, registers_exit, 14, REG_RBX, 0);
	assert_sites(slots, slots_end, slots_guard, slots_exit, REG_RAX, REGISTER_NONE, 0x18);
	assert_sites(result, result_end, result_guard, result_exit, REG_RDX, REG_RSI, 0);
	assert_sites(roundabout, roundabout_end, roundabout_guard, roundabout_exit, REG_RSI, REG_RBX, 0);
}

/* Two ways to the provider, and one guard with two ways out. */
CODE(several, START "mov %rdi, %rbx\n"
		    "test %ecx, %ecx\n"
		    "je several_other\n"
		    "testb $2, 0x500(%rsi)\n"
		    "several_guard_1: jne several_end_\n"
		    "movq $0, 0x40(%rsp)\n"
		    "call *0x40(%rbx)\n"
		    "test %eax, %eax\n"
		    "je several_way\n"
		    "mov 0x40(%rsp), %rcx\n"
		    "test %rcx, %rcx\n"
		    "several_exit_1: jne several_end_\n" FINISH "several_way: mov 0x40(%rsp), %rcx\n"
		    "test %rcx, %rcx\n"
		    "several_exit_2: jne several_end_\n" FINISH "several_other: testb $2, 0x500(%rsi)\n"
		    "several_guard_2: jne several_end_\n"
		    "movq $0, 0x30(%rsp)\n"
		    "call *0x40(%rbx)\n"
		    "mov 0x30(%rsp), %rcx\n"
		    "test %rcx, %rcx\n"
		    "several_exit_3: jne several_end_\n" FINISH "several_end_: ud2");
LABEL(several_guard_1);
LABEL(several_guard_2);
LABEL(several_exit_1);
LABEL(several_exit_2);
LABEL(several_exit_3);

static bool is_exit(const struct placement *found, const uint8_t *label)
{
	for (size_t i = 0; i < found->exit_count; i++)
		if (found->exits[i] == AT_FUNCTION + (uint64_t)(label - several))
			return true;
	return false;
}

static void test_several_sites(void **state)
{
	struct placement found;

	(void)state;
	place(several, several_end, &found);
	assert_null(found.refusal);
	assert_int_equal(found.guard_count, 2);
	assert_int_equal(found.guards[0].address, AT_FUNCTION + (uint64_t)(several_guard_1 - several));
	assert_int_equal(found.guards[1].address, AT_FUNCTION + (uint64_t)(several_guard_2 - several));
	assert_int_equal(found.exit_count, 3);
	assert_true(is_exit(&found, several_exit_1));
	assert_true(is_exit(&found, several_exit_2));
	assert_true(is_exit(&found, several_exit_3));
}

/* ---- shapes that are refused ---- */

#define GUARDED(name, before, between, clear)                                                                       \
	CODE(name, START before "testb $2, 0x500(%rsi)\n" between "jne " #name "_cold\n" clear "call *0x40(%rbx)\n" \
				"mov 0x40(%rsp), %rcx\n"                                                            \
				"test %rcx, %rcx\n"                                                                 \
				"jne " #name "_cold\n" FINISH #name "_cold: ud2")

GUARDED(lost_vtable, "mov 0x40(%rdi), %rbx\nxor %edi, %edi\n", "", "movq $0, 0x40(%rsp)\n");
GUARDED(vtable_lost_in_a_call, "call *%r12\nmov %rax, %rsi\n", "", "movq $0, 0x40(%rsp)\n");
GUARDED(lost_tcx, "mov %rdi, %rbx\n", "mov %rbx, %rsi\n", "movq $0, 0x40(%rsp)\n");
GUARDED(flags_gone, "mov %rdi, %rbx\n", "cmp $3, %rbx\n", "movq $0, 0x40(%rsp)\n");
GUARDED(no_timer, "mov %rdi, %rbx\n", "", "nop\n");
GUARDED(other_timer, "mov %rdi, %rbx\n", "", "movq $0, 0x38(%rsp)\n");
GUARDED(timer_written_again, "mov %rdi, %rbx\n", "", "movq $0, 0x40(%rsp)\nmov %rax, 0x3c(%rsp)\n");

CODE(no_jump, START "mov %rdi, %rbx\n"
		    "testb $2, 0x500(%rsi)\n"
		    "setne %al\n" FINISH);

/* More is on the stack at the exit than at the guard: rsp would not name the frame. */
CODE(other_depth, START "mov %rdi, %rbx\n"
			"testb $2, 0x500(%rsi)\n"
			"jne other_depth_cold\n"
			"movq $0, 0x40(%rsp)\n"
			"push %rbx\n"
			"call *0x40(%rbx)\n"
			"mov 0x48(%rsp), %rcx\n"
			"test %rcx, %rcx\n"
			"jne other_depth_cold\n"
			"pop %rcx\n" FINISH "other_depth_cold: ud2");

CODE(kept_as_a_number, START "mov %rdi, %rbx\n"
			     "testb $2, 0x500(%rsi)\n"
			     "jne kept_cold\n"
			     "movq $0, 0x40(%rsp)\n"
			     "call *0x40(%rbx)\n"
			     "mov 0x40(%rsp), %rcx\n"
			     "test %rcx, %rcx\n"
			     "setne %al\n" FINISH "kept_cold: ud2");

CODE(too_many_guards, START "mov %rdi, %rbx\n"
			    ".rept 9\n"
			    "testb $2, 0x500(%rsi)\n"
			    "jne 1f\n"
			    "movq $0, 0x40(%rsp)\n"
			    "cmpq $0, 0x40(%rsp)\n"
			    "je 1f\n"
			    "1: nop\n"
			    ".endr\n" FINISH);

/* A guard whose timer is tested in so many places, at labels that begin with the name. */
#define WITH_EXITS(name, count)                  \
	"testb $2, 0x500(%rsi)\n"                \
	"jne " #name "_cold\n"                   \
	"movq $0, 0x40(%rsp)\n"                  \
	".rept " #count "\n"                     \
	"call *0x40(%rbx)\n"                     \
	"test %eax, %eax\n"                      \
	"je 1f\n"                                \
	"cmpq $0, 0x40(%rsp)\n"                  \
	"jne " #name "_cold\n" FINISH "1: nop\n" \
	".endr\n"

CODE(most_exits, START "mov %rdi, %rbx\n" WITH_EXITS(most_exits, 24) "most_exits_cold: ud2");
CODE(too_many_exits, START "mov %rdi, %rbx\n" WITH_EXITS(too_many_exits, 25) "too_many_exits_cold: ud2");
CODE(too_many_together, START
     "mov %rdi, %rbx\n"
     "test %ecx, %ecx\n"
     "je together_other\n" WITH_EXITS(together, 12) "ud2\n"
						    "together_other:" WITH_EXITS(together, 13) "together_cold: ud2");

/* The timer goes to where an argument points: it ends in the caller. */
CODE(given_away, START "mov %rdi, %rbx\n"
		       "mov %rdx, %r15\n"
		       "testb $2, 0x500(%rsi)\n"
		       "jne given_away_cold\n"
		       "movq $0, 0x40(%rsp)\n"
		       "call *0x40(%rbx)\n"
		       "mov %r15, %rdi\n"
		       "lea 0x40(%rsp), %rsi\n"
		       "mov $1, %ecx\n"
		       "rep movsq\n" FINISH "given_away_cold: ud2");

/* Tests what the timer was copied to. */
CODE(moved, START "mov %rdi, %rbx\n"
		  "testb $2, 0x500(%rsi)\n"
		  "moved_guard: jne moved_cold\n"
		  "movq $0, 0x40(%rsp)\n"
		  "call *0x40(%rbx)\n"
		  "mov 0x40(%rsp), %rcx\n"
		  "mov %rcx, 0x10(%rsp)\n"
		  "movq $1, 0x40(%rsp)\n"
		  "cmpq $0, 0x10(%rsp)\n"
		  "moved_exit: jne moved_cold\n" FINISH "moved_cold: ud2");
LABEL(moved_guard);
LABEL(moved_exit);

static void test_moved_timer(void **state)
{
	(void)state;
	assert_sites(moved, moved_end, moved_guard, moved_exit, REG_RSI, REG_RBX, 0);
}

static void test_most_exits(void **state)
{
	struct placement found;

	(void)state;
	place(most_exits, most_exits_end, &found);
	assert_null(found.refusal);
	assert_int_equal(found.exit_count, MAX_EXITS);
}

static void test_refused_shapes(void **state)
{
	static const char *const at_hand = "the query's vtable is not at hand at the profiler's guard";

	(void)state;
	assert_refused(lost_vtable, lost_vtable_end, at_hand);
	assert_refused(vtable_lost_in_a_call, vtable_lost_in_a_call_end, "the profiler's guard was not found");
	assert_refused(lost_tcx, lost_tcx_end, "the TyCtxt is not at hand at the profiler's guard");
	assert_refused(flags_gone, flags_gone_end, "the profiler's guard has no jump");
	assert_refused(no_jump, no_jump_end, "the profiler's guard has no jump");
	assert_refused(no_timer, no_timer_end, "the timer's slot was not found");
	assert_refused(other_timer, other_timer_end, "its end was not found");
	assert_refused(timer_written_again, timer_written_again_end, "its end was not found");
	assert_refused(other_depth, other_depth_end, "the stack pointer differs between its begin and its end");
	assert_refused(kept_as_a_number, kept_as_a_number_end, "its timer is tested without a jump");
	assert_refused(too_many_guards, too_many_guards_end, "the profiler's guard stands in too many places");
	assert_refused(too_many_exits, too_many_exits_end, "it ends in too many places");
	assert_refused(too_many_together, too_many_together_end, "the timer is tested in too many places");
	assert_refused(given_away, given_away_end, "its end is not in one function");
}

/* ---- the filter ---- */

CODE(tests, "testb $2, 0x100(%rsi)\n"
	    "testb $2, 0x200(%rdx)\n"
	    "testb $2, 0x300(%rdi)\n" /* the first argument is no TyCtxt */
	    "testb $4, 0x400(%rsi)\n" /* another bit */
	    "testl $2, 0x500(%rsi)\n" /* more than a byte */
	    "testb $2, 0x600(%rcx)\n"
	    "testb $2, 0x700(%rsi,%rdi)\n"
	    "jmp tests_last\n"
	    "testb $2, 0x800(%rsi)\n" /* never run */
	    "tests_last: testb $2, -0x8(%rsi)\n"
	    "ret");

static void test_filter_candidates(void **state)
{
	static const int32_t expected[] = {0x100, 0x200, -8};
	int32_t offsets[8];
	struct values values;
	struct flow flow;

	(void)state;
	follow(tests, tests_end, &flow, &values);
	assert_int_equal(place_filter_candidates(&values, offsets, 8), 3);
	assert_memory_equal(offsets, expected, sizeof(expected));
	assert_int_equal(place_filter_candidates(&values, offsets, 2), 2);
	assert_int_equal(place_filter_candidates(&values, offsets, 0), 0);
	leave(&flow, &values);
}

static void test_another_filter(void **state)
{
	struct placement found;
	struct values values;
	struct flow flow;

	(void)state;
	follow(registers, registers_end, &flow, &values);
	place_sites(&values, FILTER + 1, &found);
	assert_string_equal(found.refusal, "the profiler's guard was not found");
	leave(&flow, &values);
}

/* ---- vtables ---- */

/* What the entrances below call: 0x1000 further on. */
static bool is_runner(uint64_t address, const void *context)
{
	(void)context;
	return address == AT_FUNCTION + 0x1000;
}

CODE(entrance, "push %r15\n"
	       "mov %rdi, %r15\n"
	       "lea 0x10(%rsp), %rsi\n"
	       "lea -0x8(%r15), %rcx\n"
	       "lea entrance(%rip), %rdx\n"
	       "call entrance + 0x500\n"
	       "lea 0x17f20(%r15), %rdi\n"
	       "call entrance + 0x1000\n"
	       "pop %r15\n"
	       "ret");
CODE(tail_entrance, "lea 0x28(%rdi), %rdi\njmp tail_entrance + 0x1000");
CODE(twice_the_same, "lea 0x30(%rdi), %rbx\nlea 0x30(%rdi), %rdi\ncall twice_the_same + 0x1000\nret");
CODE(two_addresses, "lea 0x30(%rdi), %rbx\nlea 0x38(%rdi), %rdi\ncall two_addresses + 0x1000\nret");
CODE(other_callee, "lea 0x30(%rdi), %rdi\ncall other_callee + 0x1010\nret");
CODE(no_address, "mov %rsi, %rdi\ncall no_address + 0x1000\nret");

static int vtable_of(const uint8_t *code, const uint8_t *end, int32_t *offset)
{
	uint64_t callee = 0;
	struct values values;
	struct flow flow;
	int result;

	follow(code, end, &flow, &values);
	result = place_vtable(&flow, is_runner, NULL, offset, &callee);
	leave(&flow, &values);
	if (result == 0)
		assert_int_equal(callee, AT_FUNCTION + 0x1000);
	return result;
}

static void test_vtables(void **state)
{
	int32_t offset = 0;

	(void)state;
	assert_int_equal(vtable_of(entrance, entrance_end, &offset), 0);
	assert_int_equal(offset, 0x17f20);
	assert_int_equal(vtable_of(tail_entrance, tail_entrance_end, &offset), 0);
	assert_int_equal(offset, 0x28);
	assert_int_equal(vtable_of(twice_the_same, twice_the_same_end, &offset), 0);
	assert_int_equal(offset, 0x30);
	assert_int_equal(vtable_of(two_addresses, two_addresses_end, &offset), -ENOENT);
	assert_int_equal(vtable_of(other_callee, other_callee_end, &offset), -ENOENT);
	assert_int_equal(vtable_of(no_address, no_address_end, &offset), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_recorded),	      cmocka_unit_test(test_probed_shapes),
	    cmocka_unit_test(test_several_sites),     cmocka_unit_test(test_refused_shapes),
	    cmocka_unit_test(test_moved_timer),	      cmocka_unit_test(test_most_exits),
	    cmocka_unit_test(test_filter_candidates), cmocka_unit_test(test_another_filter),
	    cmocka_unit_test(test_vtables),
	};

	return cmocka_run_group_tests(all, NULL, close_image);
}
