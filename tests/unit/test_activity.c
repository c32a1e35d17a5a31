/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What becomes of the guards in a compiler: rows of its plan. The compilers are made up, of functions named as those of
 * rustc 1.95 are. What guards call lies at the code's start, each function 4 KiB behind the one before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/wire.h"
#include "compiler/activity.h"
#include "tests/unit/elf_bytes.h"

#define PROFILER "_RINvNvMNtCs3MG2ofusW15_21rustc_data_structures9profilingNtB5_15SelfProfilerRef4exec9cold_call"
#define ACTIVITY PROFILER "NCNvB4_16generic_activity0EB7_"
#define LOAD PROFILER "NCNvB4_18incr_cache_loading0ECsfhTr2ijyTAe_16rustc_query_impl"
#define VERBOSE "_RNvMNtCs3MG2ofusW15_21rustc_data_structures9profilingNtB2_15SelfProfilerRef24verbose_generic_activity"
#define GUARD_TYPE(name)                                                                                        \
	"_RINvNtCsgEmfK2I1SDS_4core3ptr13drop_in_placeNtNtCs3MG2ofusW15_21rustc_data_structures9profiling" name \
	"ECs1JQOruJCR77_18rustc_hir_analysis"
#define DROP GUARD_TYPE("11TimingGuard")
#define DROP_VERBOSE GUARD_TYPE("18VerboseTimingGuard")
#define LENDER                                                                                                    \
	"_RINvNtNtCslKGqiwnqz1t_17rustc_codegen_ssa4back5write10spawn_workNtCs59TyybOfEHA_18rustc_codegen_llvm18" \
	"LlvmCodegenBackendEB12_"
#define SHARED "_RINvNtCsfhTr2ijyTAe_16rustc_query_impl8plumbing18try_load_from_diskbEB4_"
#define CLOSURE(query)                                                                                              \
	"_RNvYNCNvNtNtCsfhTr2ijyTAe_16rustc_query_impl10query_impl" query                                           \
	"17make_query_vtables1_0INtNtNtCsgEmfK2I1SDS_4core3ops8function6FnOnceTNtNtNtCsdadwybgsbvk_12rustc_middle2" \
	"ty7context6TyCtxtEE9call_onceBa_"

CODE(stub, "push %rbx\npop %rbx\nret");
/* The timer lies 0x40 bytes behind the start of a verbose guard. */
CODE(verbose_stub, "add $0x40, %rdi\njmp verbose_stub - 0x10");
static const uint8_t labels[] = "type_checking"
				"query_key_hash_verify_for";

#define STUB(name, index)                                     \
	{                                                     \
		name, stub, stub_end, ELF_CODE + 0x10 * index \
	}
enum { AT_ACTIVITY, AT_VERBOSE, AT_DROP, AT_DROP_VERBOSE, AT_LOAD, STUBS };
#define FUNCTION(name, code, index)                               \
	{                                                         \
		name, code, code##_end, ELF_CODE + 0x1000 * index \
	}

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
	free(plan.sites);
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

/* Opens a compiler with these functions; `damage` is called with its bytes, unless it is NULL. */
static void open_compiler(const struct elf_piece *functions, size_t count, void (*damage)(uint8_t *code))
{
	struct elf_piece pieces[16] = {
	    STUB(ACTIVITY, AT_ACTIVITY),
	    STUB(VERBOSE, AT_VERBOSE),
	    STUB(DROP, AT_DROP),
	    {DROP_VERBOSE, verbose_stub, verbose_stub_end, ELF_CODE + 0x10 * AT_DROP_VERBOSE},
	    STUB(LOAD, AT_LOAD)};
	struct elf_pointer pointer = {ELF_DATA + 0x100, ELF_CODE};
	struct elf_file file = {
	    .pieces = pieces, .piece_count = STUBS + count + 1, .pointers = &pointer, .pointer_count = 1};
	struct error err = {{0}};
	const char *path;
	uint8_t *bytes;
	size_t size;

	memcpy(pieces + STUBS, functions, count * sizeof(*functions));
	pieces[STUBS + count] = (struct elf_piece){NULL, labels, labels + sizeof(labels), ELF_DATA};
	image_close(image);
	bytes = elf_bytes(&file, &size);
	if (damage)
		damage(bytes + ELF_CODE_OFFSET);
	path = elf_put(bytes, size);
	free(bytes);
	if (image_open(path, &image, &err) < 0 || image_read_symbols(image, &err) < 0)
		fail_msg("%s", err.text);
}

/* The rows of the plan for the image, whose queries are given. */
static void survey_image(struct plan_query *queries, size_t query_count)
{
	struct guard_callees callees = {0};
	static const struct shared none;
	struct guard_survey guards = {.shared = &none, .image = image, .callees = &callees, .plan = &plan};
	const struct image_symbol *symbols;
	size_t symbol_count;
	int code;

	forget_plan();
	symbols = image_symbols(image, &symbol_count);
	for (size_t i = 0; i < symbol_count; i++) {
		struct recognised what;

		recognise(symbols[i].name, &what);
		if (what.role == ROLE_GUARD)
			assert_int_equal(activity_note_callee(&callees, &symbols[i], &what), 0);
	}
	plan.queries = queries;
	plan.query_count = query_count;
	code = activity_survey(&guards, &plan);
	free(callees.items);
	plan.queries = NULL;
	plan.query_count = 0;
	assert_int_equal(code, 0);
}

static void survey(const struct elf_piece *functions, size_t count, struct plan_query *queries, size_t query_count)
{
	open_compiler(functions, count, NULL);
	survey_image(queries, query_count);
}

#define SURVEY(functions) survey(functions, sizeof(functions) / sizeof(*functions), NULL, 0)

static const struct site *site_at(size_t function, const uint8_t *code, const uint8_t *label)
{
	uint64_t offset = ELF_CODE_OFFSET + 0x1000 * function + (uint64_t)(label - code);

	for (size_t i = 0; i < plan.site_count; i++)
		if (plan.sites[i].offset == offset)
			return &plan.sites[i];
	fail_msg("no site at %#llx", (unsigned long long)offset);
	return NULL;
}

/* A function, the number `index`, with a guard; `length` of the label at `label` of the labels. */
#define GUARDED(name, index, label, length, call)                                                      \
	CODE(name, "push %rbx\n"                                                                       \
		   "sub $0x60, %rsp\n"                                                                 \
		   "lea " #name " + 0x2ff000 - 0x1000*" #index " + " #label "(%rip), %rax\n"           \
		   "mov %rax, 0x50(%rsp)\n"                                                            \
		   "movq $" #length ", 0x58(%rsp)\n"                                                   \
		   "testb $1, 0x500(%rdi)\n" #name "_begin: jne " #name "_cold\n"                      \
		   "movq $0, 0x28(%rsp)\n" #name "_back: call *%r12\n"                                 \
		   "lea 0x28(%rsp), %rdi\n" #name "_end_: call " #name " - 0x1000*" #index " + 0x20\n" \
		   "add $0x60, %rsp\n"                                                                 \
		   "pop %rbx\n"                                                                        \
		   "ret\n" #name "_cold: lea 0x28(%rsp), %rdi\n"                                       \
		   "lea 0x50(%rsp), %rdx\n" call "jmp " #name "_back\n");                              \
	LABEL(name##_begin);                                                                           \
	LABEL(name##_end_)

GUARDED(first, 1, 0, 13, "call first - 0x1000\n");
GUARDED(second, 2, 0, 13, "call *second + 0x2ff100 - 0x2000(%rip)\n");
GUARDED(verification, 3, 13, 25, "call verification - 0x3000\n");
GUARDED(unlabelled, 4, 0, 0, "call unlabelled - 0x4000\n");

static void test_activities(void **state)
{
	const struct elf_piece functions[] = {FUNCTION("first", first, 1), FUNCTION("second", second, 2),
					      FUNCTION("verification", verification, 3)};
	uint64_t begins[2];

	(void)state;
	SURVEY(functions);
	assert_int_equal(plan.omission_count, 0);
	assert_int_equal(plan.activity_count, 1);
	assert_string_equal(plan.activities[0].label, "type_checking");
	assert_int_equal(plan.site_count, 4);
	begins[0] = site_at(1, first, first_begin)->cookie;
	begins[1] = site_at(2, second, second_begin)->cookie;
	assert_int_not_equal(GUARD_ID(begins[0]), GUARD_ID(begins[1]));
	for (int i = 0; i < 2; i++)
		assert_int_equal(begins[i], GUARD_MAKE(GUARD_FIXED, GUARD_ID(begins[i]), 0, 0) |
						GUARD_WITH_NUMBER(WIRE_ACTIVITIES, 0));
	assert_int_equal(site_at(1, first, first_end_)->cookie, GUARD_MAKE(0, GUARD_ID(begins[0]), 0, 0));
	assert_int_equal(site_at(2, second, second_end_)->cookie, GUARD_MAKE(0, GUARD_ID(begins[1]), 0, 0));
	for (size_t i = 0; i < plan.site_count; i++) {
		assert_int_equal(plan.sites[i].event, EVENT_ACTIVITY);
		assert_true(GUARD_ID(plan.sites[i].cookie) >= 1 && GUARD_ID(plan.sites[i].cookie) <= 2);
	}
}

/* What has no symbol is a dead copy; what cannot be timed is named by its function. */
static void test_what_is_left_out(void **state)
{
	static const char name[] = "_RNvNtCs3MG2ofusW15_21rustc_data_structures9profiling4mine";
	const struct elf_piece functions[] = {FUNCTION(NULL, first, 1), FUNCTION(name, unlabelled, 4)};

	(void)state;
	SURVEY(functions);
	assert_int_equal(plan.activity_count, 0);
	assert_int_equal(plan.site_count, 0);
	assert_int_equal(plan.omission_count, 1);
	assert_string_equal(plan.omissions[0].label, "rustc_data_structures::profiling::mine");
	assert_string_equal(plan.omissions[0].refusal, "its label is not a constant");
}

/* The cold part, with the call in it, is another symbol's; its function is found by the name. */
CODE(split, "push %rbx\n"
	    "sub $0x60, %rsp\n"
	    "lea split + 0x2ff000 - 0x1000(%rip), %rax\n"
	    "mov %rax, 0x50(%rsp)\n"
	    "movq $13, 0x58(%rsp)\n"
	    "testb $1, 0x500(%rdi)\n"
	    "split_begin: jne split + 0x1000\n"
	    "movq $0, 0x28(%rsp)\n"
	    "split_back: call *%r12\n"
	    "lea 0x28(%rsp), %rdi\n"
	    "split_end_: call split - 0x1000 + 0x20\n"
	    "add $0x60, %rsp\n"
	    "pop %rbx\n"
	    "ret\n");
LABEL(split_begin);
LABEL(split_end_);
CODE(split_cold, "lea 0x28(%rsp), %rdi\n"
		 "lea 0x50(%rsp), %rdx\n"
		 "call split_cold - 0x2000\n"
		 "jmp split_cold - 0x1000 + (split_back - split)\n");

static void test_fragments(void **state)
{
	const struct elf_piece whole[] = {FUNCTION("split.llvm.17", split, 1),
					  FUNCTION("split.llvm.17.cold.2", split_cold, 2)};
	const struct elf_piece part[] = {FUNCTION("split.llvm.17.cold.2", split_cold, 2)};

	(void)state;
	SURVEY(whole);
	assert_int_equal(plan.omission_count, 0);
	assert_int_equal(plan.site_count, 2);
	site_at(1, split, split_begin);
	site_at(1, split, split_end_);
	SURVEY(part);
	assert_int_equal(plan.site_count, 0);
	assert_int_equal(plan.omission_count, 1);
	assert_string_equal(plan.omissions[0].refusal, "the entry of the function that it is in has no symbol");
}

/* Two guards of which nobody knows which one is dropped. */
CODE(merged, "push %rbx\n"
	     "sub $0x60, %rsp\n"
	     "lea merged + 0x2ff000 - 0x1000(%rip), %rdx\n"
	     "lea 8(%rsp), %rdi\n"
	     "mov $13, %ecx\n"
	     "test %esi, %esi\n"
	     "je merged_other\n"
	     "call merged - 0x1000 + 0x10\n"
	     "jmp merged_end_\n"
	     "merged_other: call merged - 0x1000 + 0x10\n"
	     "merged_end_: lea 8(%rsp), %rdi\n"
	     "call merged - 0x1000 + 0x30\n"
	     "add $0x60, %rsp\n"
	     "pop %rbx\n"
	     "ret\n");

static void test_shared_ends(void **state)
{
	const struct elf_piece functions[] = {FUNCTION("merged", merged, 1)};

	(void)state;
	SURVEY(functions);
	assert_int_equal(plan.site_count, 0);
	assert_int_equal(plan.omission_count, 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(plan.omissions[i].label, "type_checking");
		assert_string_equal(plan.omissions[i].refusal, "something else begins or ends in the same place");
	}
}

/* A function that starts a timer in its caller's frame, which has 16 bytes more on the stack at the call. */
CODE(lender, "push %rbx\n"
	     "sub $0x80, %rsp\n"
	     "mov %rsi, %r12\n"
	     "lea lender + 0x2ff000 - 0x1000(%rip), %rdx\n"
	     "lea 8(%rsp), %rdi\n"
	     "mov $13, %ecx\n"
	     "lender_begin: call lender - 0x1000 + 0x10\n"
	     "lea 8(%rsp), %rsi\n"
	     "mov $13, %ecx\n"
	     "mov %r12, %rdi\n"
	     "rep movsq\n"
	     "add $0x80, %rsp\n"
	     "pop %rbx\n"
	     "ret\n");
LABEL(lender_begin);
CODE(borrower, "sub $0x108, %rsp\n"
	       "movq $0, 0x40(%rsp)\n"
	       "borrower_again: lea 0x40(%rsp), %rsi\n"
	       "push %rax\n"
	       "push %rax\n"
	       "call borrower - 0x1000\n"
	       "add $16, %rsp\n"
	       "test %eax, %eax\n"
	       "jne borrower_again\n"
	       "cmpb $0, 0x38(%rsp)\n"
	       "je borrower_over\n"
	       "lea 0x40(%rsp), %rdi\n"
	       "borrower_end_: call borrower - 0x2000 + 0x30\n"
	       "borrower_over: add $0x108, %rsp\n"
	       "ret\n");
LABEL(borrower_end_);
CODE(stranger, "mov %rdx, %rsi\n"
	       "call stranger - 0x2000\n"
	       "ret\n");

static void test_lent_timers(void **state)
{
	const struct elf_piece functions[] = {FUNCTION(LENDER, lender, 1), FUNCTION("borrower", borrower, 2)};
	const struct elf_piece too_many[] = {FUNCTION(LENDER, lender, 1), FUNCTION("borrower", borrower, 2),
					     FUNCTION("stranger", stranger, 3)};

	(void)state;
	SURVEY(functions);
	assert_int_equal(plan.omission_count, 0);
	assert_int_equal(plan.site_count, 2);
	/* The lender's frame, the return address, and what was pushed. */
	assert_int_equal(site_at(1, lender, lender_begin)->cookie,
			 GUARD_MAKE(GUARD_FIXED, 1, 0, 0) | GUARD_WITH_NUMBER(WIRE_ACTIVITIES, 0x80 + 8 + 8 + 16));
	assert_int_equal(site_at(2, borrower, borrower_end_)->cookie, GUARD_MAKE(0, 1, 0, 0));
	SURVEY(too_many);
	assert_int_equal(plan.site_count, 0);
	assert_int_equal(plan.omission_count, 1);
	assert_string_equal(plan.omissions[0].refusal, "its end is not in one function");
}

/* A load in a function that several queries' own functions call: it begins where those do. */
CODE(shared, "push %rbx\n"
	     "sub $0x60, %rsp\n"
	     "testb $0x10, 0x500(%rdi)\n"
	     "shared_begin: jne shared_cold\n"
	     "movq $0, 0x28(%rsp)\n"
	     "shared_back: call *%r12\n"
	     "lea 0x28(%rsp), %rdi\n"
	     "shared_end_: call shared - 0x1000 + 0x20\n"
	     "add $0x60, %rsp\n"
	     "pop %rbx\n"
	     "ret\n"
	     "shared_cold: lea 0x28(%rsp), %rdi\n"
	     "call shared - 0x1000 + 0x40\n"
	     "jmp shared_back\n");
LABEL(shared_end_);
CODE(closure_1, "push %rbx\nclosure_1_begin: call closure_1 - 0x1000\npop %rbx\nret");
CODE(closure_2, "push %rbx\nclosure_2_begin: call closure_2 - 0x2000\npop %rbx\nret");
LABEL(closure_1_begin);
LABEL(closure_2_begin);

static void test_shared_loads(void **state)
{
	struct plan_query queries[] = {{.name = "type_of", .vtable_offset = 8},
				       {.name = "typeck", .vtable_offset = 16},
				       {.name = "used_crates", .vtable_offset = 24}};
	struct elf_piece functions[] = {FUNCTION(SHARED, shared, 1), FUNCTION(CLOSURE("6typeck"), closure_1, 2),
					FUNCTION(CLOSURE("7type_of"), closure_2, 3)};
	const int frame = -8 - 8 - 0x60;

	(void)state;
	survey(functions, 3, queries, 3);
	assert_int_equal(plan.omission_count, 0);
	assert_int_equal(plan.activity_count, 0);
	assert_int_equal(plan.site_count, 3);
	assert_int_equal(site_at(2, closure_1, closure_1_begin)->cookie,
			 GUARD_MAKE(GUARD_FIXED, 1, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, 2), frame));
	assert_int_equal(site_at(3, closure_2, closure_2_begin)->cookie,
			 GUARD_MAKE(GUARD_FIXED, 1, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, 1), frame));
	assert_int_equal(GUARD_DISPLACEMENT(site_at(3, closure_2, closure_2_begin)->cookie), frame);
	assert_int_equal(site_at(1, shared, shared_end_)->cookie, GUARD_MAKE(0, 1, 0, 0));
	for (size_t i = 0; i < plan.site_count; i++)
		assert_int_equal(plan.sites[i].event, EVENT_INCREMENTAL_LOAD);
	functions[2].name = "_RNvNtCs3MG2ofusW15_21rustc_data_structures9profiling4mine";
	survey(functions, 3, queries, 3);
	assert_int_equal(plan.site_count, 3);
	assert_int_equal(GUARD_NUMBER(site_at(2, closure_1, closure_1_begin)->cookie), WIRE_NUMBER(WIRE_CLASS_LOAD, 2));
	assert_int_equal(GUARD_NUMBER(site_at(3, closure_2, closure_2_begin)->cookie), WIRE_NUMBER(WIRE_CLASS_LOAD, 0));
}

/* A query's own function, which names it, unless the linker has made it another query's too. */
static void test_own_loads(void **state)
{
	struct plan_query queries[] = {{.name = "type_of", .vtable_offset = 8},
				       {.name = "typeck", .vtable_offset = 16}};
	struct elf_piece functions[] = {FUNCTION(CLOSURE("6typeck"), shared, 1),
					FUNCTION(CLOSURE("7type_of"), shared, 1)};

	(void)state;
	survey(functions, 1, queries, 2);
	assert_int_equal(plan.omission_count, 0);
	assert_int_equal(plan.site_count, 2);
	assert_int_equal(GUARD_NUMBER(plan.sites[0].cookie), WIRE_NUMBER(WIRE_CLASS_LOAD, 2));
	survey(functions, 2, queries, 2);
	assert_int_equal(plan.omission_count, 0);
	assert_int_equal(plan.site_count, 2);
	assert_int_equal(GUARD_NUMBER(plan.sites[0].cookie), WIRE_NUMBER(WIRE_CLASS_LOAD, 0));
}

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Changes a few bytes of the functions. */
static void damage_code(uint8_t *code)
{
	for (unsigned int times = 1u << next_random() % 5; times; times--) {
		uint8_t *at = code + (next_random() % 6) * 0x1000 + next_random() % 0x80;

		if (next_random() % 2)
			*at ^= (uint8_t)(1u << next_random() % 8);
		else
			memmove(at, code + (next_random() % 6) * 0x1000 + next_random() % 0x80, 1 + next_random() % 8);
	}
}

/* Whatever the code is, no site is a place that may not be probed, and all numbers name something. */
static void test_damaged_code(void **state)
{
	const struct elf_piece functions[] = {FUNCTION(LENDER, lender, 1), FUNCTION("borrower", borrower, 2),
					      FUNCTION("first", first, 3), FUNCTION(SHARED, shared, 4),
					      FUNCTION(CLOSURE("6typeck"), closure_1, 5)};
	struct plan_query queries[] = {{.name = "typeck", .vtable_offset = 8}};
	const char *given = getenv("QUERYTAP_TEST_ROUNDS");

	(void)state;
	for (unsigned long round = given ? strtoul(given, NULL, 10) : 300; round; round--) {
		open_compiler(functions, 5, damage_code);
		survey_image(queries, 1);
		for (size_t i = 0; i < plan.site_count; i++) {
			const struct site *site = &plan.sites[i];
			size_t available;
			const uint8_t *bytes = image_file_code(image, site->offset, &available);

			assert_true(bytes && kernel_emulates(bytes, available));
			assert_true(GUARD_ID(site->cookie) > 0);
			if (site->kind == SITE_BEGIN && site->event == EVENT_ACTIVITY)
				assert_in_range(GUARD_NUMBER(site->cookie), WIRE_ACTIVITIES,
						WIRE_ACTIVITIES + plan.activity_count - 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_activities),	cmocka_unit_test(test_what_is_left_out),
	    cmocka_unit_test(test_fragments),	cmocka_unit_test(test_shared_ends),
	    cmocka_unit_test(test_lent_timers), cmocka_unit_test(test_shared_loads),
	    cmocka_unit_test(test_own_loads),	cmocka_unit_test(test_damaged_code),
	};

	return cmocka_run_group_tests(all, NULL, close_image);
}
