/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The live code of guards, cut into a plan's spans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/wire.h"
#include "compiler/spans.h"

enum { CODEGEN = WIRE_ACTIVITIES, EXPANSION, LINKING };

static void assert_spans(const struct span_found *found, size_t found_count, const struct plan_span *expected,
			 size_t count)
{
	struct plan plan = {0};
	struct spans spans = {malloc(found_count * sizeof(*found) + 1), found_count};

	if (found_count)
		memcpy(spans.items, found, found_count * sizeof(*found));
	assert_int_equal(spans_to_plan(&spans, &plan), 0);
	free(spans.items);
	for (size_t i = 0; i < plan.span_count; i++) {
		const struct plan_span *span = &plan.spans[i];

		if (i >= count || span->offset != expected[i].offset || span->size != expected[i].size ||
		    span->number != expected[i].number)
			fail_msg("row %zu: %llu to %llu is %#x", i, (unsigned long long)span->offset,
				 (unsigned long long)(span->offset + span->size), span->number);
	}
	assert_int_equal(plan.span_count, count);
	free(plan.spans);
}

#define FOUND(...)                                \
	(const struct span_found[]){__VA_ARGS__}, \
	    sizeof((const struct span_found[]){__VA_ARGS__}) / sizeof(struct span_found)
#define ROWS(...)                                \
	(const struct plan_span[]){__VA_ARGS__}, \
	    sizeof((const struct plan_span[]){__VA_ARGS__}) / sizeof(struct plan_span)

static void test_apart(void **state)
{
	(void)state;
	assert_spans(NULL, 0, NULL, 0);
	assert_spans(FOUND({30, 40, 10, LINKING}, {10, 20, 10, CODEGEN}), ROWS({10, 10, CODEGEN}, {30, 10, LINKING}));
	assert_spans(FOUND({20, 40, 20, LINKING}, {10, 20, 10, CODEGEN}), ROWS({10, 10, CODEGEN}, {20, 20, LINKING}));
}

static void test_joined(void **state)
{
	(void)state;
	assert_spans(FOUND({10, 20, 20, LINKING}, {20, 30, 20, LINKING}), ROWS({10, 20, LINKING}));
	assert_spans(FOUND({10, 20, 40, CODEGEN}, {10, 20, 20, LINKING}, {20, 30, 20, LINKING}, {20, 50, 40, CODEGEN}),
		     ROWS({10, 20, CODEGEN}, {10, 20, LINKING}, {30, 20, CODEGEN}));
}

/* The one with the most code in all is around the others, wherever that is. */
static void test_nested(void **state)
{
	(void)state;
	assert_spans(FOUND({10, 50, 40, CODEGEN}, {20, 30, 10, LINKING}),
		     ROWS({10, 10, CODEGEN}, {20, 10, CODEGEN}, {20, 10, LINKING}, {30, 20, CODEGEN}));
	assert_spans(FOUND({10, 20, 90, LINKING}, {10, 20, 80, EXPANSION}, {10, 20, 100, CODEGEN}),
		     ROWS({10, 10, CODEGEN}, {10, 10, LINKING}, {10, 10, EXPANSION}));
	assert_spans(FOUND({10, 30, 99, CODEGEN}, {20, 40, 20, LINKING}, {25, 27, 2, EXPANSION}),
		     ROWS({10, 10, CODEGEN}, {20, 5, CODEGEN}, {20, 5, LINKING}, {25, 2, CODEGEN}, {25, 2, LINKING},
			  {25, 2, EXPANSION}, {27, 3, CODEGEN}, {27, 3, LINKING}, {30, 10, LINKING}));
}

/* More than there can be around one place: nothing overflows, and what follows is right. */
static void test_too_deep(void **state)
{
	struct span_found found[40];
	struct spans spans = {found, 40};
	struct plan plan = {0};

	(void)state;
	for (size_t i = 0; i < 40; i++)
		found[i] = (struct span_found){10, 20, 100 - i, (uint16_t)(CODEGEN + i)};
	found[39] = (struct span_found){30, 40, 10, LINKING};
	assert_int_equal(spans_to_plan(&spans, &plan), 0);
	assert_in_range(plan.span_count, 2, 40);
	for (size_t i = 0; i + 1 < plan.span_count; i++) {
		assert_int_equal(plan.spans[i].offset, 10);
		assert_int_equal(plan.spans[i].number, CODEGEN + i);
	}
	assert_int_equal(plan.spans[plan.span_count - 1].offset, 30);
	free(plan.spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_apart),
	    cmocka_unit_test(test_joined),
	    cmocka_unit_test(test_nested),
	    cmocka_unit_test(test_too_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
