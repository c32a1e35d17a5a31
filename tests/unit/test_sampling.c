/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Samples as folded stacks, as a flame graph, and as a table of queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>

#include "analysis/sampling.h"
#include "render/render.h"
#include "tests/unit/stack_text.h"

/* ---- building ---- */

/* Adds `count` samples of a thread of process `pid`. */
static void add(struct samples_builder *builder, unsigned int count, const char *process, uint32_t pid,
		const char *thread, const char *stack, uint32_t flags)
{
	struct samples_sample sample = {
	    .thread = samples_build_thread(builder, pid, pid, process, thread),
	    .stack = stack_of(builder, stack),
	    .flags = flags,
	};

	/* Not one behind the other, as where there are several processors. */
	for (unsigned int i = 0; i < count; i++) {
		sample.time = i;
		samples_build_sample(builder, &sample);
	}
}

static struct samples *end(struct samples_builder *builder)
{
	struct samples *samples;

	assert_int_equal(samples_build_end(builder, &samples), 0);
	samples->hz = 1000;
	return samples;
}

/* A build: two compilers, one of which is called otherwise, and a linker. */
static struct samples *make_build(void)
{
	struct samples_builder *builder = samples_build_begin();

	add(builder, 40, "rustc", 1, "rustc", "main|run|[analysis]|check|run|[typeck]|walk|unify", 0);
	add(builder, 6, "rustc", 1, "rustc", "main|run|[analysis]|check|run|[typeck]|walk", SAMPLES_KERNEL);
	add(builder, 4, "rustc", 1, "rustc", "main|run|[analysis]|check|run|[typeck]|walk",
	    SAMPLES_KERNEL | SAMPLES_FAULT);
	/* Recursion. */
	add(builder, 5, "rustc", 1, "rustc", "main|run|[typeck]|walk|run|[typeck]|walk|run|[type_of]", 0);
	add(builder, 20, "rustc", 1, "rustc", "main|run|[analysis]|check", 0);
	add(builder, 15, "rustc", 1, "opt a", "start|{LLVM_passes}|opt", 0);
	add(builder, 4, "rustc", 1, "rustc", "main|parse", 0);
	add(builder, 1, "rustc", 1, "rustc", "", SAMPLES_INCOMPLETE | SAMPLES_KERNEL);
	add(builder, 3, "mycompiler", 2, "main", "main|run|[typeck]|walk|unify", SAMPLES_INCOMPLETE);
	add(builder, 2, "mycompiler", 2, "idle", "start|wait", 0);
	/* A process before it becomes the linker, of the same id. */
	add(builder, 1, "cc", 3, "cc", "main", 0);
	add(builder, 30, "ld", 3, "ld", "main|link", 0);
	add(builder, 13, "ld", 4, "ld", "main|link", SAMPLES_KERNEL);
	add(builder, 7, "ld", 4, "ld", "main|link", SAMPLES_KERNEL | SAMPLES_FAULT);
	add(builder, 2, "rustc", 5, "rustc", "main|version", 0);
	return end(builder);
}

/* ---- folding ---- */

static void fold(const struct samples *samples, bool whole, struct fold *out)
{
	struct error err = {""};

	samples_fold(samples, whole, out, &err);
	assert_string_equal(err.text, "");
}

static char *fold_text(const struct samples *samples, bool whole)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err = {""};
	struct fold folded;

	fold(samples, whole, &folded);
	assert_int_equal(render_fold_counts(&folded, out, &err), 0);
	fold_free(&folded);
	fclose(out);
	return text;
}

static void assert_line(const char *text, const char *line)
{
	const char *at = text;

	while (at && strncmp(at, line, strlen(line)) != 0)
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	if (!at)
		fail_msg("no '%s' in\n%s", line, text);
}

static void test_queries_on_top(void **state)
{
	struct samples *samples = make_build();
	char *text = fold_text(samples, false);

	(void)state;
	assert_line(text, "rustc-1;rustc;[analysis];[typeck];walk;unify 40\n");
	assert_line(text, "rustc-1;rustc;[analysis];[typeck];walk;[kernel] 10\n");
	assert_line(text, "rustc-1;rustc;[typeck];[typeck];[type_of] 5\n");
	assert_line(text, "rustc-1;rustc;[analysis];check 20\n");
	assert_line(text, "rustc-1;opt a;[LLVM_passes];opt 15\n");
	assert_line(text, "rustc-1;rustc;main;parse 4\n");
	assert_line(text, "rustc-1;rustc;[incomplete];[kernel] 1\n");
	assert_line(text, "mycompiler-2;main;[incomplete];[typeck];walk;unify 3\n");
	assert_line(text, "ld-3;ld;main;link 30\n");
	assert_line(text, "ld-4;ld;main;link;[kernel] 20\n");
	free(text);
	samples_free(samples);
}

static void test_whole(void **state)
{
	struct samples *samples = make_build();
	char *text = fold_text(samples, true);

	(void)state;
	assert_line(text, "rustc-1;rustc;main;run;[analysis];check;run;[typeck];walk;unify 40\n");
	assert_line(text, "rustc-1;rustc;main;run;[analysis];check;run;[typeck];walk;[kernel] 10\n");
	assert_line(text, "rustc-1;rustc;main;run;[typeck];walk;run;[typeck];walk;run;[type_of] 5\n");
	assert_line(text, "mycompiler-2;main;[incomplete];main;run;[typeck];walk;unify 3\n");
	free(text);
	samples_free(samples);
}

/* Stacks that read the same are one: of two threads of one name, and of two objects. */
static void test_merging(void **state)
{
	struct samples_builder *builder = samples_build_begin();
	struct samples *samples;
	char *text;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t frame = samples_build_frame(builder, SAMPLES_FUNCTION, "f", i ? "b.so" : "a.so");
		struct samples_sample sample = {
		    .thread = samples_build_thread(builder, 1, i, "p", "worker"),
		    .stack = samples_build_stack(builder, 0, frame),
		};

		samples_build_sample(builder, &sample);
	}
	/* What separates names and lines is in none. */
	add(builder, 1, "p;q", 1, "a\nb", "g<[u8; 4]>", 0);
	samples = end(builder);
	text = fold_text(samples, false);
	assert_string_equal(text, "p-1;worker;f 2\np,q-1;a b;g<[u8, 4]> 1\n");
	free(text);
	samples_free(samples);
}

/* A thread's stacks do not get into another one's, whatever order they come in. */
static void test_threads_apart(void **state)
{
	static const char *const stacks[] = {"a", "a|b", "a|b|[q]", "a|b|[q]|c", "a|c", "", "d|[q]|[r]|a"};
	struct samples_builder *builder = samples_build_begin();
	struct samples *samples;
	unsigned long long sum = 0;
	size_t lines = 0;
	char *text, *at, name[16];

	(void)state;
	for (unsigned int i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "t%u", i % 10);
		add(builder, 1, "p", 1, name, stacks[i / 10 % 7], i % 3 ? 0 : SAMPLES_KERNEL);
	}
	samples = end(builder);
	text = fold_text(samples, true);
	for (at = text; *at; at = strchr(at, '\n') + 1) {
		sum += strtoull(strrchr(strndupa(at, strcspn(at, "\n")), ' '), NULL, 10);
		lines++;
	}
	assert_int_equal(sum, 700);
	assert_int_equal(lines, 10 * 7 * 2);
	free(text);
	samples_free(samples);
}

static void test_empty(void **state)
{
	struct samples *samples = end(samples_build_begin());
	char *text = fold_text(samples, false);
	struct sampling sampling;
	struct error err = {""};

	(void)state;
	assert_string_equal(text, "");
	assert_int_equal(sampling_sum(samples, &sampling, &err), 0);
	assert_int_equal(sampling.samples, 0);
	assert_int_equal(sampling.row_count, 0);
	sampling_free(&sampling);
	free(text);
	samples_free(samples);
}

static void test_flamegraph(void **state)
{
	struct samples *samples = make_build();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err = {""};
	struct fold folded;

	(void)state;
	fold(samples, false, &folded);
	assert_int_equal(render_flamegraph(&folded, "a build", out, &err), 0);
	fclose(out);
	assert_non_null(strstr(text, ">all (153 samples, 100.00%; 0 samples of it its own)<"));
	assert_non_null(strstr(text, ">[typeck] (50 samples, 32.68%; 0 samples of it its own)<"));
	assert_non_null(strstr(text, "153 samples over all threads"));
	fold_free(&folded);
	free(text);
	samples_free(samples);
}

/* ---- the table ---- */

static const struct sampled_row *row_of(const struct sampling *sampling, const char *label)
{
	for (size_t i = 0; i < sampling->row_count; i++)
		if (strcmp(sampling->rows[i].label, label) == 0)
			return &sampling->rows[i];
	fail_msg("there is no row %s", label);
	return NULL;
}

static void assert_row(const struct sampled_row *row, uint64_t self, uint64_t total, uint64_t kernel)
{
	assert_int_equal(row->self, self);
	assert_int_equal(row->total, total);
	assert_int_equal(row->kernel, kernel);
}

static void test_rows(void **state)
{
	struct samples *samples = make_build();
	struct sampling sampling;
	struct error err = {""};
	const struct sampled_row *typeck;
	double sum = 0;

	(void)state;
	assert_int_equal(sampling_sum(samples, &sampling, &err), 0);
	assert_int_equal(sampling.samples, 153);
	/* All but the linker and what became one: also the compiler's other threads, and one that was in no query. */
	assert_int_equal(sampling.compiling, 102);
	assert_int_equal(sampling.sample_ns, 1000000);
	assert_int_equal(sampling.row_count, 4);
	typeck = &sampling.rows[0];
	assert_string_equal(typeck->label, "typeck");
	assert_int_equal(typeck->kind, SAMPLES_QUERY);
	assert_row(typeck, 53, 58, 10);
	assert_row(row_of(&sampling, "analysis"), 20, 70, 0);
	assert_row(row_of(&sampling, "type_of"), 5, 5, 0);
	assert_row(row_of(&sampling, "LLVM_passes"), 15, 15, 0);
	assert_int_equal(row_of(&sampling, "LLVM_passes")->kind, SAMPLES_ACTIVITY);
	assert_row(&sampling.none, 9, 9, 1);
	for (size_t i = 0; i < sampling.row_count; i++)
		sum += sampling.rows[i].share;
	assert_true(fabs(sum + sampling.none.share - 1) < 1e-9);
	/* Those with most samples first; the innermost function, of what is in the kernel too. */
	assert_int_equal(typeck->function_count, 2);
	assert_string_equal(typeck->functions[0].name, "unify");
	assert_string_equal(typeck->functions[0].object, "lib");
	assert_int_equal(typeck->functions[0].samples, 43);
	assert_string_equal(typeck->functions[1].name, "walk");
	assert_int_equal(typeck->functions[1].samples, 10);
	/* Behind a query without a function of its own: that which it began in. */
	assert_string_equal(row_of(&sampling, "type_of")->functions[0].name, "run");
	assert_int_equal(sampling.none.function_count, 4);
	assert_string_equal(sampling.none.functions[3].name, "");
	sampling_free(&sampling);
	samples_free(samples);
}

static void test_others(void **state)
{
	struct samples *samples = make_build();
	struct sampling sampling;
	struct error err = {""};

	(void)state;
	assert_int_equal(sampling_sum(samples, &sampling, &err), 0);
	assert_int_equal(sampling.other_count, 2);
	assert_string_equal(sampling.others[0].name, "ld");
	assert_int_equal(sampling.others[0].samples, 50);
	assert_int_equal(sampling.others[0].kernel, 20);
	assert_int_equal(sampling.others[0].faults, 7);
	assert_string_equal(sampling.others[1].name, "cc");
	assert_int_equal(sampling.others[1].samples, 1);
	sampling_free(&sampling);
	samples_free(samples);
}

/* As in Newcombe, "Two-sided confidence intervals for the single proportion", 1998: the score method. */
static void test_intervals(void **state)
{
	static const struct {
		unsigned int part, whole;
		double low, high;
	} known[] = {
	    {81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611},
	    {1, 29, 0.0061, 0.1718},   {29, 29, 0.8830, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct samples_builder *builder = samples_build_begin();
		struct sampling sampling;
		struct samples *samples;
		struct error err = {""};

		/* The query is there, if only around another one. */
		add(builder, known[i].part, "rustc", 1, "rustc", "[a]", 0);
		add(builder, known[i].whole - known[i].part, "rustc", 1, "rustc", "[a]|[b]", 0);
		samples = end(builder);
		assert_int_equal(sampling_sum(samples, &sampling, &err), 0);
		assert_true(fabs(row_of(&sampling, "a")->low - known[i].low) < 0.00006);
		assert_true(fabs(row_of(&sampling, "a")->high - known[i].high) < 0.00006);
		sampling_free(&sampling);
		samples_free(samples);
	}
}

/* ---- what is printed ---- */

static char *print(const struct samples *samples, bool json, size_t limit, size_t functions)
{
	struct sampling_filter filter = {limit, functions};
	struct sampling sampling;
	struct error err = {""};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(sampling_sum(samples, &sampling, &err), 0);
	(json ? render_sampling_json : render_sampling_text)(samples, &sampling, &filter, out, &err);
	assert_string_equal(err.text, "");
	fclose(out);
	sampling_free(&sampling);
	return text;
}

static void test_text(void **state)
{
	struct samples *samples = make_build();
	char *text = print(samples, false, 2, 1);

	(void)state;
	assert_line(text, "| typeck ..................  | 53      | 53.00ms             | 9.71ms | 51.96        "
			  "| 42.37 to 61.41 | 58.00ms        | 18.9        | 7.5              |\n");
	assert_line(text, "| analysis ................  | 20      | 20.00ms ");
	assert_line(text, "| (in no query or activity)  | 9       | 9.00ms ");
	assert_null(strstr(text, "LLVM_passes"));
	assert_line(text, "2 more items have 19.61% of the samples; --top 0 shows them.\n");
	assert_line(text, "Total: 102 samples of compilers, 1000 a second of each processor for 0.00ns: an estimated "
			  "102.00ms on the CPU.\n");
	assert_line(text, "typeck: 53 samples\n   81.1%  unify  (lib)\n\n");
	assert_line(text, "(in no query or activity): 9 samples\n   44.4%  parse  (lib)\n");
	assert_line(text, "| ld              | 50 ");
	free(text);
	text = print(samples, false, 0, 0);
	assert_non_null(strstr(text, "| type_of "));
	assert_null(strstr(text, "more items"));
	assert_null(strstr(text, "unify"));
	free(text);
	samples_free(samples);
}

static json_int_t integer(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static void test_json(void **state)
{
	struct samples *samples = make_build();
	char *text = print(samples, true, 1, 1);
	json_t *root = json_loads(text, 0, NULL), *item, *functions;

	(void)state;
	assert_non_null(root);
	assert_int_equal(integer(root, "samples"), 153);
	assert_int_equal(integer(root, "compiler_samples"), 102);
	assert_int_equal(integer(root, "hz"), 1000);
	assert_int_equal(json_array_size(json_object_get(root, "items")), 1);
	item = json_array_get(json_object_get(root, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "label")), "typeck");
	assert_string_equal(json_string_value(json_object_get(item, "kind")), "query");
	assert_int_equal(integer(item, "self_samples"), 53);
	assert_int_equal(integer(item, "total_samples"), 58);
	assert_int_equal(integer(item, "kernel_samples"), 10);
	assert_int_equal(integer(item, "fault_samples"), 4);
	assert_int_equal(integer(item, "estimated_self_ns"), 53000000);
	assert_int_equal(integer(item, "estimated_time_ns"), 58000000);
	functions = json_object_get(item, "functions");
	assert_int_equal(json_array_size(functions), 1);
	assert_int_equal(integer(json_array_get(functions, 0), "samples"), 43);
	assert_int_equal(integer(json_object_get(root, "in_none"), "self_samples"), 9);
	assert_int_equal(json_array_size(json_object_get(root, "other_processes")), 2);
	json_decref(root);
	free(text);
	samples_free(samples);
}

/* Names are bytes: whoever names a process or a function is not asked for UTF-8. */
static void test_odd_names(void **state)
{
	struct samples_builder *builder = samples_build_begin();
	struct samples *samples;
	char *text, longer[2000];
	json_t *root;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	add(builder, 2, "rustc", 1, "rustc", "[\xff\x01]|\xfe\n", 0);
	add(builder, 1, "rustc", 1, "rustc", longer, 0);
	add(builder, 1, "\xff", 2, "", "", 0);
	samples = end(builder);
	text = print(samples, true, 0, 9);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	json_decref(root);
	free(text);
	text = print(samples, false, 0, 9);
	assert_null(strstr(text, longer));
	assert_null(strchr(text, '\x01'));
	free(text);
	samples_free(samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_queries_on_top), cmocka_unit_test(test_whole),  cmocka_unit_test(test_merging),
	    cmocka_unit_test(test_threads_apart),  cmocka_unit_test(test_empty),  cmocka_unit_test(test_flamegraph),
	    cmocka_unit_test(test_rows),	   cmocka_unit_test(test_others), cmocka_unit_test(test_intervals),
	    cmocka_unit_test(test_text),	   cmocka_unit_test(test_json),	  cmocka_unit_test(test_odd_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
