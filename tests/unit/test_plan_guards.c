/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The stand-in compiler's guards that are not those of queries (tests/fixtures/standin/guards.S), in its plan: which
 * labels there are, where they begin and end and how they are named, and what a compiler with other symbols lacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/elf.h"
#include "tests/fixtures/standin/guards.h"
#include "tests/unit/standin_bytes.h"

static struct plan *plan_of_bytes(void)
{
	struct error err = {{0}};
	struct plan *plan;

	if (plan_make(elf_put(bytes, size), &plan, &err) < 0)
		fail_msg("%s", err.text);
	check_plan(plan);
	return plan;
}

/* The activity's index in the plan. */
static size_t activity(const struct plan *plan, const char *label)
{
	for (size_t i = 0; i < plan->activity_count; i++)
		if (!strcmp(plan->activities[i].label, label))
			return i;
	fail_msg("no activity %s", label);
	return 0;
}

/* The one site at which the activity begins. */
static const struct site *begin_of(const struct plan *plan, const char *label)
{
	unsigned int number = WIRE_ACTIVITIES + (unsigned int)activity(plan, label);
	const struct site *found = NULL;

	for (size_t i = 0; i < plan->site_count; i++) {
		const struct site *site = &plan->sites[i];

		if (site->kind != SITE_BEGIN || site->event != EVENT_ACTIVITY ||
		    GUARD_NAMING(site->cookie) == GUARD_PASS || GUARD_NUMBER(site->cookie) != number)
			continue;
		if (found)
			fail_msg("%s begins in several places", label);
		found = site;
	}
	if (!found)
		fail_msg("%s begins nowhere", label);
	return found;
}

static size_t ends_of(const struct plan *plan, const struct site *begin)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->site_count; i++)
		count += plan->sites[i].kind == SITE_END && plan->sites[i].event == begin->event &&
			 GUARD_ID(plan->sites[i].cookie) == GUARD_ID(begin->cookie);
	return count;
}

/* How many sites of the event begin, named in this way. */
static size_t begins(const struct plan *plan, enum event_class event, enum guard_naming naming)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->site_count; i++)
		count += plan->sites[i].kind == SITE_BEGIN && plan->sites[i].event == event &&
			 GUARD_NAMING(plan->sites[i].cookie) == naming;
	return count;
}

static void expect_omission(const struct plan *plan, const char *label, const char *refusal)
{
	for (size_t i = 0; i < plan->omission_count; i++)
		if (!strcmp(plan->omissions[i].label, label) && !strcmp(plan->omissions[i].refusal, refusal))
			return;
	for (size_t i = 0; i < plan->omission_count; i++)
		print_message("# %s: %s\n", plan->omissions[i].label, plan->omissions[i].refusal);
	fail_msg("'%s: %s' is not said", label, refusal);
}

/* ---- as it is ---- */

static void test_labels(void **state)
{
	static const struct {
		const char *label;
		enum guard_naming naming;
		size_t ends;
	} rows[] = {
	    {"expand_crate", GUARD_FIXED, 1},
	    {"codegen_module", GUARD_FIXED, 1},
	    {"link_crate", GUARD_FIXED, 1},
	    {"codegen_module_optimize", GUARD_ARGUMENT, 1},
	    {"LLVM_lto_optimize", GUARD_ARGUMENT, 1},
	    {OUTER_ACTIVITY, GUARD_ARGUMENT, 1},
	    {"LLVM_module_codegen_emit_obj", GUARD_ARGUMENT, 1},
	    {"codegen_crate", GUARD_FIXED, 1},
	    {"LLVM_passes", GUARD_FIXED, 1},
	    {"finish_ongoing_codegen", GUARD_FIXED, 2},
	};
	enum { ROWS = sizeof(rows) / sizeof(*rows), PASS_LABELS = 4 };
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	assert_int_equal(plan->activity_count, ROWS + PASS_LABELS);
	for (size_t i = 0; i < ROWS; i++) {
		const struct site *begin = begin_of(plan, rows[i].label);

		assert_int_equal(GUARD_NAMING(begin->cookie), rows[i].naming);
		assert_int_equal(ends_of(plan, begin), rows[i].ends);
	}
	assert_int_equal(plan_guards(plan, EVENT_ACTIVITY), ROWS + 1);
	assert_int_equal(plan->omission_count, 1);
	expect_omission(plan, "rustc_interface::passes::untimed_activity", "its label is not a constant");
	plan_free(plan);
}

/* Whether the place is in a span of the activity. */
static bool is_in_span(const struct plan *plan, uint64_t offset, unsigned int number)
{
	for (size_t i = 0; i < plan->span_count; i++)
		if (plan->spans[i].number == number && offset >= plan->spans[i].offset &&
		    offset - plan->spans[i].offset < plan->spans[i].size)
			return true;
	return false;
}

/* Each activity has code of its own, but those by which passes are told. Neither its begin nor its ends are in it. */
static void test_spans(void **state)
{
	size_t begun = 0;
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	for (size_t i = 0; i < plan->site_count; i++) {
		const struct site *begin = &plan->sites[i];
		unsigned int number = GUARD_NUMBER(begin->cookie);
		size_t spans = 0;

		if (begin->kind != SITE_BEGIN || begin->event != EVENT_ACTIVITY ||
		    GUARD_NAMING(begin->cookie) == GUARD_PASS)
			continue;
		begun++;
		for (size_t j = 0; j < plan->span_count; j++)
			spans += plan->spans[j].number == number;
		assert_in_range(spans, 1, 40);
		assert_false(is_in_span(plan, begin->offset, number));
		for (size_t j = 0; j < plan->site_count; j++)
			if (plan->sites[j].kind == SITE_END && plan->sites[j].event == EVENT_ACTIVITY &&
			    GUARD_ID(plan->sites[j].cookie) == GUARD_ID(begin->cookie))
				assert_false(is_in_span(plan, plan->sites[j].offset, number));
	}
	assert_in_range(begun, 10, 20);
	for (size_t i = 0; i < plan->span_count; i++)
		assert_true(strncmp(plan->activities[plan->spans[i].number - WIRE_ACTIVITIES].label, "mir_pass_", 9) !=
			    0);
	plan_free(plan);
}

/* Where pointer and length of the argument are: in the second and third word of the closure. */
static void test_arguments(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	assert_int_equal(GUARD_DISPLACEMENT(begin_of(plan, "codegen_module_optimize")->cookie), 0x68);
	assert_int_equal(GUARD_DISPLACEMENT(begin_of(plan, OUTER_ACTIVITY)->cookie), 0x38);
	assert_int_equal(GUARD_DISPLACEMENT(begin_of(plan, "LLVM_module_codegen_emit_obj")->cookie), 0x98);
	/* One that ends in its caller says how far that's stack pointer is: the frame, six registers, return address.
	 */
	assert_int_equal(GUARD_DISPLACEMENT(begin_of(plan, "LLVM_passes")->cookie), 0xa8 + 6 * 8 + 8);
	assert_int_equal(GUARD_DISPLACEMENT(begin_of(plan, "codegen_crate")->cookie), 0);
	plan_free(plan);
}

/* Two types of passes, one of which a byte tells apart; they are run in one place. */
static void test_passes(void **state)
{
#define ROW(label, vtable, self) #label,
	static const char *const labels[] = {STANDIN_PASSES(ROW)};
	const struct plan_pass *several, *one;
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	assert_int_equal(plan->pass_count, 2);
	several = &plan->passes[plan->passes[0].count == 1];
	one = &plan->passes[plan->passes[0].count != 1];
	assert_int_equal(one->count, 1);
	assert_int_equal(one->first, activity(plan, labels[0]));
	assert_int_equal(several->count, 3);
	assert_int_equal(several->selector, 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_string_equal(plan->activities[several->first + i].label, labels[1 + i]);
	assert_int_equal(begins(plan, EVENT_ACTIVITY, GUARD_PASS), 1);
	for (size_t i = 0; i < plan->site_count; i++) {
		const struct site *site = &plan->sites[i];

		if (site->kind != SITE_BEGIN || GUARD_NAMING(site->cookie) != GUARD_PASS)
			continue;
		assert_int_equal(GUARD_REGISTER(site->cookie), 15);
		assert_int_equal(GUARD_SELF_REGISTER(site->cookie), 13);
		assert_int_equal(ends_of(plan, site), 1);
	}
	plan_free(plan);
}

/* The one with a label of its own is told by its run_pass(); the others' is that of three. */
static void test_bodies(void **state)
{
#define QUOTE(text) #text
#define SYMBOL(name) QUOTE(name)
	static const char gvn[] = SYMBOL(NAME_GVN_RUN);
	const struct image_symbol *symbols;
	struct error err = {{0}};
	struct image *image;
	struct plan *plan;
	size_t count, found = 0;

	TAKE_COPY();
	plan = plan_of_bytes();
	assert_int_equal(image_open(driver, &image, &err), 0);
	assert_int_equal(image_read_symbols(image, &err), 0);
	symbols = image_symbols(image, &count);
	assert_int_equal(plan->body_count, 1);
	assert_int_equal(plan->bodies[0].number, WIRE_ACTIVITIES + activity(plan, "mir_pass_g_v_n"));
	for (size_t i = 0; i < count; i++) {
		if (strcmp(symbols[i].name, gvn) != 0)
			continue;
		found++;
		assert_int_equal(plan->bodies[0].offset, image_file_offset(image, symbols[i].address));
		assert_int_equal(plan->bodies[0].size, symbols[i].size);
	}
	assert_int_equal(found, 1);
	image_close(image);
	plan_free(plan);
}

static void test_events_of_queries(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	/* By the queries' own functions, or the vtable in try_execute_query: there, or by who called it. */
	assert_int_equal(begins(plan, EVENT_INCREMENTAL_LOAD, GUARD_FIXED), 2);
	assert_int_equal(begins(plan, EVENT_INCREMENTAL_LOAD, GUARD_QUERY_CALLER), 1);
	assert_int_equal(begins(plan, EVENT_INCREMENTAL_LOAD, GUARD_QUERY_REGISTER), 3);
	assert_int_equal(plan->caller_count, 1);
	assert_int_equal(plan_guards(plan, EVENT_INCREMENTAL_LOAD), 6);
	assert_int_equal(begins(plan, EVENT_RESULT_HASHING, GUARD_QUERY_REGISTER), 2);
	assert_int_equal(begins(plan, EVENT_RESULT_HASHING, GUARD_QUERY_RUNNING), 1);
	assert_int_equal(plan_guards(plan, EVENT_RESULT_HASHING), 3);
	assert_int_equal(begins(plan, EVENT_QUERY_BLOCKED, GUARD_QUERY_REGISTER), 1);
	assert_int_equal(begins(plan, EVENT_QUERY_BLOCKED, GUARD_QUERY_STACK), 2);
	assert_int_equal(plan_guards(plan, EVENT_QUERY_BLOCKED), 3);
	assert_int_equal(plan_sites(plan, SITE_END), 12 + 3 + 3 + 3);
	plan_free(plan);
}

/* ---- with other symbols ---- */

/* Replaces a text of the file everywhere by one of the same length. */
static void replace(const char *from, const char *to)
{
	size_t length = strlen(from), count = 0;
	uint8_t *at = bytes;

	assert_int_equal(length, strlen(to));
	while ((at = memmem(at, size - (size_t)(at - bytes), from, length))) {
		memcpy(at, to, length);
		count++;
	}
	assert_true(count > 0);
}

static void test_a_kind_that_is_not_known(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	replace("25generic_activity_with_arg", "25generic_activity_with_txt");
	plan = plan_of_bytes();
	expect_omission(plan, "rustc_codegen_llvm::back::write::run_optimize", "its kind is not known");
	expect_omission(plan, "rustc_codegen_llvm::back::write::codegen", "its kind is not known");
	expect_omission(plan, "rustc_mir_transform::pass_manager::run_passes_inner", "its kind is not known");
	expect_omission(plan, "MIR passes", "where they are run was not found");
	assert_int_equal(plan->activity_count, 6);
	assert_int_equal(plan->pass_count, 0);
	assert_int_equal(plan->body_count, 0);
	assert_int_equal(plan->omission_count, 7);
	assert_string_equal(plan_refusal(plan, EVENT_ACTIVITY, "mir_pass_g_v_n"),
			    "no activity of this name was found in the compiler");
	assert_int_equal(plan_timed(plan), 14);
	plan_free(plan);
}

static void test_nothing_that_starts_timers(void **state)
{
	static const char *const kinds[] = {"GenericActivity", "IncrementalLoadResult", "IncrementalResultHashing",
					    "QueryBlocked"};
	struct plan *plan;

	TAKE_COPY();
	replace("9cold_call", "9rare_call");
	replace("24verbose_generic_activity", "24verbose_special_activity");
	plan = plan_of_bytes();
	for (size_t i = 0; i < 4; i++)
		expect_omission(plan, kinds[i], "what starts its timers was not found");
	assert_int_equal(plan->activity_count, 0);
	assert_int_equal(plan->omission_count, 5);
	assert_int_equal(plan_sites(plan, SITE_BEGIN), 0);
	assert_int_equal(plan_sites(plan, SITE_END), 0);
	assert_int_equal(plan_timed(plan), 14);
	plan_free(plan);
}

static void test_nothing_that_ends_timers(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	replace("9profiling11TimingGuard", "9profiling11TimerStruct");
	plan = plan_of_bytes();
	expect_omission(plan, "expand_crate", "its end was not found");
	assert_int_equal(ends_of(plan, begin_of(plan, "link_crate")), 1);
	assert_int_equal(begins(plan, EVENT_ACTIVITY, GUARD_PASS), 1);
	assert_int_equal(begins(plan, EVENT_QUERY_BLOCKED, GUARD_QUERY_REGISTER), 1);
	assert_int_equal(plan_guards(plan, EVENT_ACTIVITY), 2);
	assert_int_equal(plan_guards(plan, EVENT_QUERY_BLOCKED), 1);
	plan_free(plan);
}

static void test_passes_of_another_name(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	replace("7MirPass", "7MirStep");
	plan = plan_of_bytes();
	expect_omission(plan, "rustc_mir_transform::pass_manager::run_passes_inner",
			"the names of MIR passes are not known");
	assert_int_equal(plan->pass_count, 0);
	assert_int_equal(plan->body_count, 0);
	assert_int_equal(begins(plan, EVENT_ACTIVITY, GUARD_PASS), 0);
	assert_int_equal(plan->activity_count, 10);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_spans),
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_passes),
	    cmocka_unit_test(test_bodies),
	    cmocka_unit_test(test_events_of_queries),
	    cmocka_unit_test(test_a_kind_that_is_not_known),
	    cmocka_unit_test(test_nothing_that_starts_timers),
	    cmocka_unit_test(test_nothing_that_ends_timers),
	    cmocka_unit_test(test_passes_of_another_name),
	};

	return cmocka_run_group_tests(tests, read_standin, forget_standin);
}
