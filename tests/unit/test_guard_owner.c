/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Whose the guards of the self-profiler are: which query's, of which function that was made part of its caller, and
 * whether their timer is the caller's. */
#include "tests/unit/guard_code.h"

/* A function that runs queries: the vtable, then the TyCtxt. */
#define WAITS(name, before)                                                                                        \
	CODE(name,                                                                                                 \
	     START "testb $2, 0x500(%rsi)\n" before "testb $8, 0x500(%rsi)\n" #name "_entry: jne " #name "_cold\n" \
		   "movq $0, 0x28(%rsp)\n" #name "_back: call *%r12\n" DROP(name) FINISH COLD(name, 0x860));       \
	SITES(name)

WAITS(in_register, "mov %rdi, %r15\nxor %edi, %edi\n");
WAITS(on_stack, "mov %rdi, 0x70(%rsp)\nxor %edi, %edi\n");
WAITS(nowhere, "lea 8(%rdi), %rdi\n");

static void find_wait(const uint8_t *code, const uint8_t *end, struct guard *out)
{
	struct flow flow;
	struct values values;
	int vtable;

	follow(code, end, &flow, &values);
	vtable = guard_vtable_argument(&values, 0x500);
	assert_int_equal(guard_vtable_argument(&values, 0x508), -1);
	values_free(&values);
	flow_free(&flow);
	assert_int_equal(vtable, 0);
	find_one(code, end, 0, vtable, out);
	assert_null(out->refusal);
}

static void test_vtables(void **state)
{
	struct guard guard;

	(void)state;
	find_wait(in_register, in_register_end, &guard);
	assert_true(guard.vtable.known);
	assert_false(guard.vtable.on_stack);
	assert_int_equal(guard.vtable.reg, 15);
	find_wait(on_stack, on_stack_end, &guard);
	assert_true(guard.vtable.known);
	assert_true(guard.vtable.on_stack);
	assert_int_equal(guard.vtable.displacement, 0x70);
	find_wait(nowhere, nowhere_end, &guard);
	assert_false(guard.vtable.known);
}

/* Code that was made part of its caller where a pointer was the expected one. */
CODE(guessed, START "lea guessed + 0x700(%rip), %rcx\n"
		    "cmp %rcx, %rax\n"
		    "jne guessed_other\n"
		    "cmp $3, %edx\n"
		    "jne guessed_other\n"
		    "testb $1, 0x500(%rdi)\n"
		    "jne guessed_cold\n"
		    "movq $0, 0x28(%rsp)\n"
		    "guessed_back: nop\n" FINISH "guessed_other: " FINISH COLD(guessed, 0x800));
CODE(guessed_anyway,
     START "lea guessed_anyway + 0x700(%rip), %rcx\n"
	   "cmp %rcx, %rax\n"
	   "jne anyway_other\n"
	   "anyway_again: testb $1, 0x500(%rdi)\n"
	   "jne guessed_anyway_cold\n"
	   "movq $0, 0x28(%rsp)\n"
	   "guessed_anyway_back: nop\n" FINISH "anyway_other: jmp anyway_again\n" COLD(guessed_anyway, 0x800));

static void test_compared_functions(void **state)
{
	struct guard guard;

	(void)state;
	find(guessed_anyway, guessed_anyway_end, &guard);
	assert_int_equal(guard.compared, 0);
	find(guessed, guessed_end, &guard);
	assert_int_equal(guard.compared, AT_FUNCTION + 0x700);
}

/* A timer that is moved into memory of the caller's, which a stack argument points to. */
CODE(lent, START "mov 0x218(%rsp), %r12\n"
		 "lea 0x20(%rsp), %rdi\n" LABEL_TO(lent, rdx) "mov $13, %ecx\n"
							      "lent_entry: call lent + 0x830\n"
							      "lea 0x20(%rsp), %rsi\n"
							      "mov $13, %ecx\n"
							      "lea 8(%r12), %rdi\n"
							      "rep movsq\n" FINISH);
LABEL(lent_entry);
CODE(lent_at_times, START "mov 0x218(%rsp), %r12\n"
			  "test %esi, %esi\n"
			  "je lent_at_times_over\n"
			  "lea 0x20(%rsp), %rdi\n" LABEL_TO(lent_at_times, rdx) "mov $13, %ecx\n"
										"call lent_at_times + 0x830\n"
										"lea 0x20(%rsp), %rsi\n"
										"mov $13, %ecx\n"
										"lea 8(%r12), %rdi\n"
										"rep movsq\n"
										"lent_at_times_over: " FINISH);
CODE(lent_and_ended, START "lea 0x20(%rsp), %rdi\n"
			   "call lent_and_ended + 0x830\n"
			   "lea 0x20(%rsp), %rsi\n"
			   "mov $13, %ecx\n"
			   "mov %r15, %rdi\n"
			   "rep movsq\n"
			   "lea 0x20(%rsp), %rdi\n"
			   "call lent_and_ended + 0x850\n" FINISH);

static void test_lent_timers(void **state)
{
	struct guard guard;

	(void)state;
	find(lent, lent_end, &guard);
	assert_null(guard.refusal);
	assert_int_equal(guard.entry, AT(lent, lent_entry));
	assert_int_equal(guard.exit_count, 0);
	assert_true(guard.lent);
	assert_int_equal(guard.lent_argument, 7);
	assert_int_equal(guard.lent_offset, 0x48);
	assert_int_equal(guard.stack, -0x208);
	assert_false(guard.may_not_begin);
	find(lent_at_times, lent_at_times_end, &guard);
	assert_null(guard.refusal);
	assert_true(guard.lent);
	assert_true(guard.may_not_begin);
	find(lent_and_ended, lent_and_ended_end, &guard);
	assert_null(guard.refusal);
	assert_false(guard.lent);
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_vtables),
	    cmocka_unit_test(test_compared_functions),
	    cmocka_unit_test(test_lent_timers),
	};

	return cmocka_run_group_tests(all, NULL, close_image);
}
