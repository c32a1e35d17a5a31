/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Queries, activities and MIR passes told from sampled stacks by a plan's calls, spans and bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collect/telling.h"

enum { DRIVER = 3, OTHER = 4, LINKING = WIRE_ACTIVITIES + 5, EXPANSION = WIRE_ACTIVITIES + 6 };
enum { RUNS = 100, RUNS_TOO = 104, TYPECK_ASKS = 200, FN_SIG_ASKS = 500 };
enum { LINKS = 300, LINKS_ON = 310, EXPANDS_AND_LINKS = 330, LINKS_AGAIN = 340, EXPANDS = 900, SPAN_SIZE = 10 };
enum { PASSES_RUN = 600, GVN_CODE = 1000, INLINE_CODE = 1100, INLINE_REST = 2000, CODE_SIZE = 100 };
enum { TYPECK = 7, FN_SIG = 8, GVN = WIRE_ACTIVITIES, INLINE = WIRE_ACTIVITIES + 1 };

static struct plan_call calls[] = {
    {RUNS, WIRE_QUERY_NONE}, {RUNS_TOO, WIRE_QUERY_NONE},     {TYPECK_ASKS, TYPECK},
    {FN_SIG_ASKS, FN_SIG},   {PASSES_RUN, PLAN_CALL_OF_PASS}, {EXPANDS, WIRE_QUERY_NONE},
};
static struct plan_span spans[] = {
    {LINKS, SPAN_SIZE, LINKING},
    {LINKS_ON, SPAN_SIZE, LINKING},
    {EXPANDS_AND_LINKS, SPAN_SIZE, LINKING},
    {EXPANDS_AND_LINKS, SPAN_SIZE, EXPANSION},
    {LINKS_AGAIN, SPAN_SIZE, LINKING},
    {EXPANDS, 1, EXPANSION},
};
static struct plan_body bodies[] = {
    {GVN_CODE, CODE_SIZE, GVN}, {INLINE_CODE, CODE_SIZE, INLINE}, {INLINE_REST, CODE_SIZE, INLINE}};
static struct plan plan = {.calls = calls,
			   .call_count = sizeof(calls) / sizeof(*calls),
			   .spans = spans,
			   .span_count = sizeof(spans) / sizeof(*spans),
			   .bodies = bodies,
			   .body_count = sizeof(bodies) / sizeof(*bodies)};
static const struct told_compiler compiler = {&plan, 2};
static const struct told_compiler *compilers[WIRE_MAX_OBJECTS] = {[DRIVER] = &compiler};
static struct wire_sample sample, told;

#define AT(offset) WORD_MAKE(DRIVER, offset)
#define FRAME(number) WORD_MAKE(WORD_FRAME, number)
#define WORDS(...) (const unsigned long long[]){__VA_ARGS__}, sizeof((const unsigned long long[]){__VA_ARGS__}) / 8

static void tell(const unsigned long long *words, size_t count)
{
	sample = (struct wire_sample){.header = {WIRE_SAMPLE, 7, 8, (unsigned int)count}, .time = 99, .in_kernel = 1};
	if (count)
		memcpy(sample.words, words, count * sizeof(*words));
	tell_queries(compilers, &sample, &told);
}

static void assert_told(const unsigned long long *words, size_t count)
{
	assert_int_equal(told.header.count, count);
	assert_memory_equal(told.words, words, count * sizeof(*words));
}

/* A query runs where its own function has called what runs queries, and that the provider. */
static void test_query(void **state)
{
	(void)state;
	tell(WORDS(AT(1), AT(RUNS), AT(TYPECK_ASKS), AT(2), AT(RUNS_TOO), AT(FN_SIG_ASKS), AT(3)));
	assert_told(WORDS(AT(1), FRAME(TYPECK), AT(RUNS), AT(TYPECK_ASKS), AT(2), FRAME(FN_SIG), AT(RUNS_TOO),
			  AT(FN_SIG_ASKS), AT(3)));
	assert_int_equal(told.compiler, 2);
	assert_int_equal(told.time, 99);
	assert_int_equal(told.in_kernel, 1);
}

static void test_no_query(void **state)
{
	(void)state;
	/* What runs queries waits, or the call that it stands in is not the provider's. */
	tell(WORDS(AT(1), AT(TYPECK_ASKS), AT(2)));
	assert_told(WORDS(AT(1), AT(TYPECK_ASKS), AT(2)));
	/* It was not called by a query's own function; and nothing is known of who called it. */
	tell(WORDS(AT(RUNS), AT(2), AT(TYPECK_ASKS)));
	assert_told(WORDS(AT(RUNS), AT(2), AT(TYPECK_ASKS)));
	tell(WORDS(AT(1), AT(RUNS)));
	assert_told(WORDS(AT(1), AT(RUNS)));
	tell(WORDS(AT(RUNS), WORD_MAKE(OTHER, TYPECK_ASKS)));
	assert_told(WORDS(AT(RUNS), WORD_MAKE(OTHER, TYPECK_ASKS)));
	/* The same offsets in another file. */
	tell(WORDS(WORD_MAKE(OTHER, RUNS), WORD_MAKE(OTHER, TYPECK_ASKS), WORD_MAKE(WORD_NO_OBJECT, RUNS)));
	assert_told(WORDS(WORD_MAKE(OTHER, RUNS), WORD_MAKE(OTHER, TYPECK_ASKS), WORD_MAKE(WORD_NO_OBJECT, RUNS)));
	tell(NULL, 0);
	assert_int_equal(told.header.count, 0);
}

static void test_activities(void **state)
{
	(void)state;
	tell(WORDS(AT(1), AT(LINKS), AT(EXPANDS_AND_LINKS)));
	assert_told(WORDS(AT(1), FRAME(LINKING), AT(LINKS), FRAME(EXPANSION), FRAME(LINKING), AT(EXPANDS_AND_LINKS)));
	assert_int_equal(told.compiler, 2);
	/* Any place of a span will do, the one where a thread was found as well. */
	tell(WORDS(AT(LINKS_ON + SPAN_SIZE - 1), AT(1)));
	assert_told(WORDS(FRAME(LINKING), AT(LINKS_ON + SPAN_SIZE - 1), AT(1)));
	tell(WORDS(AT(EXPANDS_AND_LINKS + SPAN_SIZE - 1)));
	assert_told(WORDS(FRAME(EXPANSION), FRAME(LINKING), AT(EXPANDS_AND_LINKS + SPAN_SIZE - 1)));
	tell(WORDS(AT(LINKS_AGAIN)));
	assert_told(WORDS(FRAME(LINKING), AT(LINKS_AGAIN)));
}

static void test_no_activity(void **state)
{
	static const unsigned int elsewhere[] = {
	    LINKS - 1, LINKS_ON + SPAN_SIZE, EXPANDS_AND_LINKS - 1, LINKS_AGAIN + SPAN_SIZE, EXPANDS - 1, EXPANDS + 1};

	(void)state;
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		tell(WORDS(AT(elsewhere[i]), AT(1)));
		assert_told(WORDS(AT(elsewhere[i]), AT(1)));
	}
	tell(WORDS(WORD_MAKE(OTHER, LINKS), WORD_MAKE(WORD_NO_OBJECT, LINKS)));
	assert_told(WORDS(WORD_MAKE(OTHER, LINKS), WORD_MAKE(WORD_NO_OBJECT, LINKS)));
}

/* What a call has begun is within the activities around the call. */
static void test_query_in_activity(void **state)
{
	(void)state;
	tell(WORDS(AT(1), AT(EXPANDS), AT(TYPECK_ASKS)));
	assert_told(WORDS(AT(1), FRAME(TYPECK), FRAME(EXPANSION), AT(EXPANDS), AT(TYPECK_ASKS)));
}

/* A pass runs where the call of passes has gone to its body, whatever that calls and wherever it is in it. */
static void test_passes(void **state)
{
	static const struct {
		unsigned int place, number;
	} rows[] = {{GVN_CODE, GVN},
		    {GVN_CODE + CODE_SIZE - 1, GVN},
		    {INLINE_CODE, INLINE},
		    {INLINE_REST, INLINE},
		    {INLINE_REST + CODE_SIZE - 1, INLINE}};
	static const unsigned int elsewhere[] = {GVN_CODE - 1, INLINE_CODE + CODE_SIZE, INLINE_REST - 1,
						 INLINE_REST + CODE_SIZE};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		tell(WORDS(AT(1), AT(rows[i].place), AT(PASSES_RUN), AT(2)));
		assert_told(WORDS(AT(1), AT(rows[i].place), FRAME(rows[i].number), AT(PASSES_RUN), AT(2)));
		tell(WORDS(AT(rows[i].place), AT(PASSES_RUN)));
		assert_told(WORDS(AT(rows[i].place), FRAME(rows[i].number), AT(PASSES_RUN)));
	}
	assert_int_equal(told.compiler, 2);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		tell(WORDS(AT(elsewhere[i]), AT(PASSES_RUN)));
		assert_told(WORDS(AT(elsewhere[i]), AT(PASSES_RUN)));
	}
}

/* Passes within passes, and the query in one; a body that something else has called is no pass of its own. */
static void test_nested_passes(void **state)
{
	(void)state;
	tell(WORDS(AT(GVN_CODE), AT(PASSES_RUN), AT(RUNS), AT(TYPECK_ASKS), AT(INLINE_CODE), AT(PASSES_RUN)));
	assert_told(WORDS(AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN), FRAME(TYPECK), AT(RUNS), AT(TYPECK_ASKS),
			  AT(INLINE_CODE), FRAME(INLINE), AT(PASSES_RUN)));
	tell(WORDS(AT(GVN_CODE), AT(PASSES_RUN), AT(GVN_CODE), AT(PASSES_RUN)));
	assert_told(WORDS(AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN), AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN)));
	tell(WORDS(AT(INLINE_CODE), AT(GVN_CODE), AT(PASSES_RUN)));
	assert_told(WORDS(AT(INLINE_CODE), AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN)));
	tell(WORDS(AT(1), AT(GVN_CODE), AT(2)));
	assert_told(WORDS(AT(1), AT(GVN_CODE), AT(2)));
}

static void test_no_pass(void **state)
{
	(void)state;
	tell(WORDS(AT(PASSES_RUN), AT(GVN_CODE)));
	assert_told(WORDS(AT(PASSES_RUN), AT(GVN_CODE)));
	tell(WORDS(FRAME(TYPECK), AT(PASSES_RUN)));
	assert_told(WORDS(FRAME(TYPECK), AT(PASSES_RUN)));
	tell(WORDS(WORD_MAKE(OTHER, GVN_CODE), AT(PASSES_RUN)));
	assert_told(WORDS(WORD_MAKE(OTHER, GVN_CODE), AT(PASSES_RUN)));
	tell(WORDS(WORD_MAKE(WORD_NO_OBJECT, GVN_CODE), AT(PASSES_RUN)));
	assert_told(WORDS(WORD_MAKE(WORD_NO_OBJECT, GVN_CODE), AT(PASSES_RUN)));
}

/* What the shadow stack has told is not told twice, wherever the walk has put it. */
static void test_known(void **state)
{
	(void)state;
	tell(WORDS(AT(1), FRAME(TYPECK), AT(RUNS), AT(TYPECK_ASKS), FRAME(LINKING), AT(EXPANDS_AND_LINKS)));
	assert_told(WORDS(AT(1), FRAME(TYPECK), AT(RUNS), AT(TYPECK_ASKS), FRAME(LINKING), FRAME(EXPANSION),
			  AT(EXPANDS_AND_LINKS)));
	tell(WORDS(AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN), AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN)));
	assert_told(WORDS(AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN), AT(GVN_CODE), FRAME(GVN), AT(PASSES_RUN)));
	tell(WORDS(AT(1), AT(RUNS), FRAME(FN_SIG), AT(TYPECK_ASKS)));
	assert_told(WORDS(AT(1), FRAME(TYPECK), AT(RUNS), FRAME(FN_SIG), AT(TYPECK_ASKS)));
}

static void test_full(void **state)
{
	(void)state;
	sample = (struct wire_sample){.header = {WIRE_SAMPLE, 7, 8, WIRE_MAX_WORDS}};
	for (size_t i = 0; i < WIRE_MAX_WORDS; i++)
		sample.words[i] = AT(LINKS);
	tell_queries(compilers, &sample, &told);
	assert_int_equal(told.header.count, WIRE_MAX_WORDS);
	for (size_t i = 0; i < WIRE_MAX_WORDS; i++)
		assert_int_equal(told.words[i], i % 2 ? AT(LINKS) : FRAME(LINKING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_query),	  cmocka_unit_test(test_no_query),
	    cmocka_unit_test(test_activities),	  cmocka_unit_test(test_passes),
	    cmocka_unit_test(test_nested_passes), cmocka_unit_test(test_no_pass),
	    cmocka_unit_test(test_known),	  cmocka_unit_test(test_full),
	    cmocka_unit_test(test_no_activity),	  cmocka_unit_test(test_query_in_activity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
