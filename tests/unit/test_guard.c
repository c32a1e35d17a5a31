/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where guards of the self-profiler begin and end, in functions of the shapes that rustc's have, and which are left
 * alone.
 */
#include "tests/unit/guard_code.h"

static void assert_found(const uint8_t *code, const uint8_t *end, const uint8_t *entry, const uint8_t *exit_site)
{
	struct guard guard;

	find(code, end, &guard);
	if (guard.refusal)
		fail_msg("refused: %s", guard.refusal);
	assert_string_equal(guard.label, "type_checking");
	assert_int_equal(guard.entry, AT(code, entry));
	assert_int_equal(guard.exit_count, 1);
	assert_int_equal(guard.exits[0], AT(code, exit_site));
}

#define FOUND(name) assert_found(name, name##_end, name##_entry, name##_exit)

static void assert_refused(const uint8_t *code, const uint8_t *end, const char *why)
{
	struct guard guard;

	find(code, end, &guard);
	if (!guard.refusal)
		fail_msg("not refused");
	assert_string_equal(guard.refusal, why);
}

#define REFUSED(name, why) assert_refused(name, name##_end, why)

/* ---- that are probed ---- */

CODE(tested, START PUT_LABEL(tested) "call *%r12\n"
				     "mov 0x28(%rsp), %rbx\n"
				     "test %rbx, %rbx\n"
				     "tested_exit: jne tested_drop\n" FINISH "tested_drop: lea 0x28(%rsp), %rdi\n"
				     "call tested + 0x840\n" FINISH COLD(tested, 0x800));
SITES(tested);

CODE(compared, START PUT_LABEL(compared) "call *%r12\n"
					 "cmpq $0, 0x28(%rsp)\n"
					 "compared_exit: je compared_over\n"
					 "call *%r12\n"
					 "compared_over: " FINISH COLD(compared, 0x800));
SITES(compared);

CODE(dropped, START PUT_LABEL(dropped) "call *%r12\n" DROP(dropped) FINISH COLD(dropped, 0x800));
SITES(dropped);

/* The label stored through another register, the filter tested in a copy, the cold part falling through. */
CODE(turned, START "lea 0x50(%rsp), %rcx\n" LABEL_TO(turned, rax) "mov %rax, (%rcx)\n"
								  "movq $13, 8(%rcx)\n"
								  "mov 0x500(%rdi), %al\n"
								  "xor %esi, %esi\n"
								  "test $1, %al\n"
								  "turned_entry: je turned_clear\n"
								  "lea 0x28(%rsp), %rdi\n"
								  "mov %rcx, %rdx\n"
								  "call turned + 0x800\n"
								  "jmp turned_back\n"
								  "turned_clear: jmp turned_far\n"
								  "ud2\n"
								  "turned_far: mov %rsi, 0x28(%rsp)\n"
								  "turned_back: call *%r12\n" DROP(turned) FINISH);
SITES(turned);

/* A frame that is aligned; the closure at its very end; a bit test; the label where the recorder is given it. */
CODE(aligned, "push %rbp\n"
	      "mov %rsp, %rbp\n"
	      "push %rbx\n"
	      "and $-0x40, %rsp\n"
	      "sub $0x200, %rsp\n" LABEL_TO(aligned, rax) "mov %rax, (%rsp)\n"
							  "movq $13, 8(%rsp)\n"
							  "bt $9, %esi\n"
							  "aligned_entry: jb aligned_cold\n"
							  "movq $0, 0x28(%rsp)\n"
							  "aligned_back: call *%r12\n" DROP(
							      aligned) "lea -8(%rbp), %rsp\n"
								       "pop %rbx\n"
								       "pop %rbp\n"
								       "ret\n"
								       "aligned_cold: lea 0x28(%rsp), %rdi\n"
								       "mov %rsp, %rdx\n"
								       "call aligned + 0x820\n"
								       "jmp aligned_back\n");
SITES(aligned);

/* Behind a call that does not return stand landing pads, which drop the timer too, on a way that is none. */
CODE(landing, START PUT_LABEL(landing) "call *%r12\n"
				       "test %eax, %eax\n"
				       "je landing_fine\n"
				       "call landing + 0x900\n"
				       "lea 0x28(%rsp), %rdi\n"
				       "call landing + 0x840\n"
				       "ud2\n"
				       "landing_fine: " DROP(landing) FINISH COLD(landing, 0x800));
SITES(landing);

/* Its place is used again by other timers, which end elsewhere. */
CODE(reused, START PUT_LABEL(reused) "test %eax, %eax\n"
				     "je reused_other\n" DROP(reused) FINISH
     "reused_other: lea 0x28(%rsp), %rdi\n"
     "call reused + 0x870\n"
     "lea 0x28(%rsp), %rdi\n"
     "call reused + 0x840\n" FINISH COLD(reused, 0x800));
SITES(reused);

/* Moved to another place by an xmm register, then to a register that calls keep, then around in a loop. */
CODE(moved, START PUT_LABEL(moved) "call *%r12\n"
				   "movups 0x20(%rsp), %xmm3\n"
				   "movaps %xmm3, 0x80(%rsp)\n"
				   "movq $0, 0x28(%rsp)\n"
				   "mov 0x88(%rsp), %r13\n"
				   "movq $0, 0x88(%rsp)\n"
				   "moved_again: call *%r12\n"
				   "test %eax, %eax\n"
				   "jne moved_again\n"
				   "test %r13, %r13\n"
				   "moved_exit: je moved_over\n"
				   "call *%r12\n"
				   "moved_over: " FINISH COLD(moved, 0x800));
SITES(moved);

CODE(verbose, START "lea 0x20(%rsp), %rdi\n" LABEL_TO(verbose, rdx) "mov $13, %ecx\n"
								    "verbose_entry: call verbose + 0x830\n"
								    "call *%r12\n"
								    "lea 0x20(%rsp), %rdi\n"
								    "verbose_exit: call verbose + 0x850\n" FINISH);
SITES(verbose);

/* Made in one place, moved to another, whole. */
CODE(verbose_moved, START
     "lea 0x20(%rsp), %rdi\n" LABEL_TO(verbose_moved, rdx) "mov $13, %ecx\n"
							   "verbose_moved_entry: call verbose_moved + 0x830\n"
							   "lea 0x100(%rsp), %rdi\n"
							   "lea 0x20(%rsp), %rsi\n"
							   "mov $13, %ecx\n"
							   "rep movsq\n"
							   "movq $0, 0x60(%rsp)\n"
							   "call *%r12\n"
							   "lea 0x100(%rsp), %rdi\n"
							   "verbose_moved_exit: call verbose_moved + 0x850\n" FINISH);
SITES(verbose_moved);

/* A call through a pointer may not be probed; the push from which a straight line leads to it may. */
CODE(by_pointer,
     START "lea 0x20(%rsp), %rdi\n" LABEL_TO(by_pointer, rdx) "mov $13, %ecx\n"
							      "call *by_pointer + 0x2fed00(%rip)\n"
							      "call *%r12\n"
							      "lea 0x20(%rsp), %rdi\n"
							      "by_pointer_exit: call by_pointer + 0x850\n" FINISH);
LABEL(by_pointer_exit);

static void test_calls_through_pointers(void **state)
{
	struct guard guard;

	(void)state;
	assert_found(by_pointer, by_pointer_end, by_pointer, by_pointer_exit);
	find(by_pointer, by_pointer_end, &guard);
	assert_int_equal(guard.stack, 0);
	assert_int_equal(guard.frame, -0x208);
	find(verbose, verbose_end, &guard);
	assert_int_equal(guard.frame, 0);
}

static void test_found(void **state)
{
	(void)state;
	FOUND(tested);
	FOUND(compared);
	FOUND(dropped);
	FOUND(turned);
	FOUND(aligned);
	FOUND(landing);
	FOUND(reused);
	FOUND(moved);
	FOUND(verbose);
	FOUND(verbose_moved);
}

CODE(two_exits, START PUT_LABEL(two_exits) "call *%r12\n"
					   "test %eax, %eax\n"
					   "je two_exits_other\n" DROP(two_exits) FINISH
     "two_exits_other: lea 0x28(%rsp), %rdi\n"
     "two_exits_exit_2: call two_exits + 0x840\n" FINISH COLD(two_exits, 0x800));
SITES(two_exits);
LABEL(two_exits_exit_2);

static void test_two_exits(void **state)
{
	struct guard guard;
	uint64_t low, high;

	(void)state;
	find(two_exits, two_exits_end, &guard);
	assert_null(guard.refusal);
	assert_int_equal(guard.exit_count, 2);
	low = guard.exits[0] < guard.exits[1] ? guard.exits[0] : guard.exits[1];
	high = guard.exits[0] < guard.exits[1] ? guard.exits[1] : guard.exits[0];
	assert_int_equal(low, AT(two_exits, two_exits_exit));
	assert_int_equal(high, AT(two_exits, two_exits_exit_2));
}

/* The closure: a pointer to the label, and a string. `before` and `cold` may spoil them. */
#define ARGUMENT(name, before, cold)                                                                         \
	CODE(name, START LABEL_TO(name, rax) "mov %rax, 0x50(%rsp)\n"                                        \
					     "movq $13, 0x58(%rsp)\n"                                        \
					     "lea 0x50(%rsp), %rax\n"                                        \
					     "mov %rax, 0x90(%rsp)\n"                                        \
					     "mov %rsi, 0x98(%rsp)\n"                                        \
					     "mov %rcx, 0xa0(%rsp)\n" before "testb $1, 0x500(%rdi)\n" #name \
					     "_entry: jne " #name "_cold\n"                                  \
					     "movq $0, 0x28(%rsp)\n" #name "_back: call *%r12\n" DROP(name)  \
						 FINISH #name "_cold: " cold "lea 0x28(%rsp), %rdi\n"        \
							      "lea 0x90(%rsp), %rdx\n"                       \
							      "call " #name " + 0x810\n"                     \
							      "jmp " #name "_back\n");                       \
	SITES(name)

ARGUMENT(argument, "", "mov %rsi, 0x10(%rsp)\n");
ARGUMENT(argument_stored_late, "", "mov %r8, 0xa0(%rsp)\n");
ARGUMENT(argument_label_changed, "mov %rsi, 0x50(%rsp)\n", "");

static void test_arguments(void **state)
{
	struct guard guard;

	(void)state;
	FOUND(argument);
	find(argument, argument_end, &guard);
	assert_true(guard.has_argument);
	assert_int_equal(guard.argument, 0x98);
	FOUND(argument_stored_late);
	find(argument_stored_late, argument_stored_late_end, &guard);
	assert_false(guard.has_argument);
	find(argument_label_changed, argument_label_changed_end, &guard);
	assert_null(guard.refusal);
	assert_string_equal(guard.label, "");
}

/* A label that is none: too long for what is there, with a blank in it, or not the same on all ways. */
#define LABELLED(name, length, more)                                                                    \
	CODE(name,                                                                                      \
	     START LABEL_TO(name, rax) "mov %rax, 0x50(%rsp)\n"                                         \
				       "movq $" #length ", 0x58(%rsp)\n" more "testb $1, 0x500(%rdi)\n" \
				       "jne " #name "_cold\n"                                           \
				       "movq $0, 0x28(%rsp)\n" #name "_back: " DROP(name) FINISH COLD(name, 0x800))

LABELLED(label_blank, 14, "");
LABELLED(label_empty, 0, "");
LABELLED(label_long, 0x7fffffff, "");
LABELLED(label_either, 13, "test %eax, %eax\nje 1f\nmov %rsi, 0x50(%rsp)\n1:");

static void test_labels(void **state)
{
	struct guard guard;

	(void)state;
	find(label_blank, label_blank_end, &guard);
	assert_string_equal(guard.label, "");
	find(label_empty, label_empty_end, &guard);
	assert_string_equal(guard.label, "");
	find(label_long, label_long_end, &guard);
	assert_string_equal(guard.label, "");
	find(label_either, label_either_end, &guard);
	assert_string_equal(guard.label, "");
}

/* Around it, on all ways from its begin to its ends, and nowhere else. */
CODE(detours, START
     "movq $0, 0x28(%rsp)\n"
     "test %esi, %esi\n"
     "je detours_common\n" PUT_LABEL(detours) "call *%r12\n"
					      "detours_loop: call *%r12\n"
					      "test %eax, %eax\n"
					      "je detours_loop\n"
					      "cmp $1, %eax\n"
					      "je detours_detour\n"
					      "detours_return: jmp detours_common\n"
					      "detours_detour: call *%r12\n"
					      "jmp detours_return\n"
					      "detours_common: call *%r12\n" DROP(
						  detours) "detours_behind: call *%r12\n" FINISH COLD(detours, 0x800));
SITES(detours);
LABEL(detours_back);
LABEL(detours_loop);
LABEL(detours_detour);
LABEL(detours_return);
LABEL(detours_common);
LABEL(detours_behind);
LABEL(landing_back);
LABEL(tested_back);
LABEL(landing_fine);
LABEL(dropped_back);
LABEL(two_exits_other);

static bool is_live(const struct guard *guard, uint64_t address)
{
	size_t count = 0;

	for (size_t i = 0; i < guard->live_count; i++)
		count += address >= guard->live[i].address && address < guard->live[i].address + guard->live[i].size;
	assert_in_range(count, 0, 1);
	return count;
}

#define LIVE(code, label) assert_true(is_live(&guard, AT(code, label)))
#define NOT_LIVE(code, label) assert_false(is_live(&guard, AT(code, label)))
#define LIVE_BEFORE(code, label) assert_true(is_live(&guard, AT(code, label) - 1))
#define NOT_LIVE_BEFORE(code, label) assert_false(is_live(&guard, AT(code, label) - 1))

static void test_live_code(void **state)
{
	struct guard guard;

	(void)state;
	find(dropped, dropped_end, &guard);
	NOT_LIVE(dropped, dropped);
	NOT_LIVE(dropped, dropped_entry);
	NOT_LIVE_BEFORE(dropped, dropped_back);
	LIVE(dropped, dropped_back);
	LIVE_BEFORE(dropped, dropped_exit);
	NOT_LIVE(dropped, dropped_exit);
	assert_false(is_live(&guard, AT(dropped, dropped_exit) + 5)); /* behind the call */
	find(tested, tested_end, &guard);
	LIVE(tested, tested_back);
	NOT_LIVE_BEFORE(tested, tested_exit);
	NOT_LIVE(tested, tested_exit);
	find(two_exits, two_exits_end, &guard);
	LIVE_BEFORE(two_exits, two_exits_exit);
	NOT_LIVE(two_exits, two_exits_exit);
	NOT_LIVE_BEFORE(two_exits, two_exits_other);
	LIVE(two_exits, two_exits_other);
	LIVE_BEFORE(two_exits, two_exits_exit_2);
	NOT_LIVE(two_exits, two_exits_exit_2);
	find(landing, landing_end, &guard);
	LIVE(landing, landing_back);
	NOT_LIVE_BEFORE(landing, landing_fine);
	LIVE(landing, landing_fine);
}

/* What is run without its begin as well is not told to be its own. */
static void test_code_that_is_shared(void **state)
{
	struct guard guard;

	(void)state;
	FOUND(detours);
	find(detours, detours_end, &guard);
	NOT_LIVE(detours, detours);
	LIVE(detours, detours_back);
	LIVE(detours, detours_loop);
	LIVE(detours, detours_detour);
	LIVE(detours, detours_return);
	NOT_LIVE(detours, detours_common);
	NOT_LIVE_BEFORE(detours, detours_exit);
	NOT_LIVE(detours, detours_behind);
}

/* ---- that are left alone ---- */

CODE(other_depth, START PUT_LABEL(other_depth) "call *%r12\n"
					       "push %rax\n"
					       "lea 0x30(%rsp), %rdi\n"
					       "call other_depth + 0x840\n"
					       "pop %rax\n" FINISH COLD(other_depth, 0x800));
CODE(never_ends, START PUT_LABEL(never_ends) "call *%r12\n" FINISH COLD(never_ends, 0x800));
CODE(overwritten,
     START PUT_LABEL(overwritten) "call *%r12\n"
				  "mov %rax, 0x2c(%rsp)\n" DROP(overwritten) FINISH COLD(overwritten, 0x800));
CODE(kept_as_a_number, START PUT_LABEL(kept_as_a_number) "cmpq $0, 0x28(%rsp)\n"
							 "setne %al\n" FINISH COLD(kept_as_a_number, 0x800));
CODE(dropped_elsewhere,
     START PUT_LABEL(dropped_elsewhere) "lea 0x28(%rsp), %rdi\n"
					"call *dropped_elsewhere + 0x2fed08(%rip)\n" FINISH COLD(dropped_elsewhere,
												 0x800));
CODE(no_test, START "cmp $1, %rdi\n"
		    "jne no_test_cold\n"
		    "movq $0, 0x28(%rsp)\n"
		    "no_test_back: " DROP(no_test) FINISH COLD(no_test, 0x800));
CODE(two_tests, START PUT_LABEL(two_tests) "testb $1, 0x500(%rdi)\n"
					   "jne two_tests_cold\n" DROP(two_tests) FINISH COLD(two_tests, 0x800));
CODE(not_cleared, START "testb $1, 0x500(%rdi)\n"
			"jne not_cleared_cold\n"
			"not_cleared_back: call *%r12\n" DROP(not_cleared) FINISH COLD(not_cleared, 0x800));
CODE(unknown_place, START "testb $1, 0x500(%rdi)\n"
			  "jne unknown_place_cold\n"
			  "movq $0, 0x28(%rsp)\n"
			  "unknown_place_back: " DROP(unknown_place) FINISH "unknown_place_cold: mov %rsi, %rdi\n"
									    "call unknown_place + 0x800\n"
									    "jmp unknown_place_back\n");
CODE(never_reached, START FINISH "lea 0x28(%rsp), %rdi\n"
				 "call never_reached + 0x830\n"
				 "ud2\n");
CODE(by_pointer_again, START "again: lea 0x20(%rsp), %rdi\n"
			     "call *by_pointer_again + 0x2fed00(%rip)\n"
			     "lea 0x20(%rsp), %rdi\n"
			     "call by_pointer_again + 0x850\n"
			     "test %eax, %eax\n"
			     "jne again\n" FINISH);
CODE(verbose_elsewhere, START "mov %rsi, %rdi\n"
			      "call verbose_elsewhere + 0x830\n" FINISH);
CODE(many_exits, START PUT_LABEL(many_exits) ".rept 25\n"
					     "call *%r12\n"
					     "test %eax, %eax\n"
					     "je 1f\n"
					     "cmpq $0, 0x28(%rsp)\n"
					     "jne many_exits_cold\n" FINISH "1: nop\n"
					     ".endr\n" FINISH COLD(many_exits, 0x800));
CODE(many_places, START PUT_LABEL(many_places) "mov 0x28(%rsp), %rax\n"
					       "mov %rax, 0x100(%rsp)\n"
					       "mov %rax, 0x108(%rsp)\n"
					       "mov %rax, 0x110(%rsp)\n"
					       "mov %rax, 0x118(%rsp)\n"
					       "mov %rax, 0x120(%rsp)\n"
					       "mov %rax, 0x128(%rsp)\n"
					       "mov %rax, 0x130(%rsp)\n"
					       "mov %rax, 0x138(%rsp)\n" FINISH COLD(many_places, 0x800));

static void test_refused(void **state)
{
	(void)state;
	REFUSED(other_depth, "the stack pointer differs between its begin and its end");
	REFUSED(never_ends, "its end was not found");
	REFUSED(overwritten, "its end was not found");
	REFUSED(kept_as_a_number, "its timer is tested without a jump");
	REFUSED(dropped_elsewhere, "its end is no direct call");
	REFUSED(no_test, "its test of the profiler's filter was not found");
	REFUSED(two_tests, "it shares the code that starts its timer");
	REFUSED(not_cleared, "the clearing of its timer was not found");
	REFUSED(unknown_place, "its timer's place is not known");
	REFUSED(never_reached, "its begin is not reached");
	REFUSED(by_pointer_again, "its begin is no direct call");
	REFUSED(verbose_elsewhere, "its timer's place is not known");
	REFUSED(many_exits, "it ends in too many places");
	REFUSED(many_places, "its timer is in too many places");
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_found),     cmocka_unit_test(test_calls_through_pointers),
	    cmocka_unit_test(test_two_exits), cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_labels),    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_live_code), cmocka_unit_test(test_code_that_is_shared),
	};

	return cmocka_run_group_tests(all, NULL, close_image);
}
