/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Taking samples, and what is built of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/sampling.h"
#include "collect/sampled.h"
#include "render/render.h"

static struct wire_sample sample;

/* A sample of the thread "worker" of process 7, "rustc", with these words, innermost first. */
static void begin(const unsigned long long *words, unsigned int count)
{
	sample = (struct wire_sample){.header = {WIRE_SAMPLE, 7, 8, count}, .process = "rustc", .thread = "worker"};
	memcpy(sample.words, words, count * sizeof(*words));
}

#define BEGIN(...) \
	begin((const unsigned long long[]){__VA_ARGS__}, sizeof((const unsigned long long[]){__VA_ARGS__}) / 8)
#define PLACE(object, offset) WORD_MAKE(object, offset)
#define FRAME(number) WORD_MAKE(WORD_FRAME, number)

/* Places of object 1 are in a function of 256 bytes each; those of object 2 have a name that would break the format. */
static int name_places(void *context, struct place *list, size_t count)
{
	assert_ptr_equal(context, &sample);
	for (size_t i = 0; i < count; i++) {
		list[i].file = list[i].object == 2 ? "two" : "one";
		if (list[i].object == 2)
			list[i].function = strdup("<[u8; 4]>::f\n");
		else if (asprintf(&list[i].function, "f%u", (unsigned int)(list[i].offset >> 8)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void name_frame(void *context, unsigned int compiler, unsigned int number, struct samples_frame *frame)
{
	assert_ptr_equal(context, &sample);
	frame->kind = SAMPLES_QUERY;
	frame->object = strdup("");
	if (asprintf(&frame->name, "%u of %u", number, compiler) < 0)
		frame->name = NULL;
}

static struct samples *build(const struct sampled *sampled)
{
	const struct sampled_names names = {name_places, name_frame, &sample};
	struct samples_builder *builder = samples_build_begin();
	struct samples *samples;

	assert_int_equal(sampled_build(sampled, &names, builder), 0);
	assert_int_equal(samples_build_end(builder, &samples), 0);
	assert_int_equal(sampled_left_out(sampled), 0);
	return samples;
}

/* The samples' whole stacks, folded; to be freed. */
static char *fold_whole(const struct samples *samples)
{
	struct error err = {""};
	struct fold fold;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(samples_fold(samples, true, &fold, &err), 0);
	assert_int_equal(render_fold_counts(&fold, out, &err), 0);
	fclose(out);
	fold_free(&fold);
	return text;
}

static void assert_written(const struct sampled *sampled, const char *expected)
{
	struct samples *samples = build(sampled);
	char *text = fold_whole(samples);

	assert_string_equal(text, expected);
	free(text);
	samples_free(samples);
}

static void test_nothing(void **state)
{
	struct sampled *sampled = sampled_new(1000);

	(void)state;
	assert_written(sampled, "");
	sampled_free(sampled);
	sampled_free(NULL);
}

/* Stacks are told apart by the names of their functions, not by the places in them. */
static void test_counts(void **state)
{
	struct sampled *sampled = sampled_new(1000);

	(void)state;
	BEGIN(PLACE(1, 0x210), PLACE(1, 0x110));
	sampled_add(sampled, &sample);
	BEGIN(PLACE(1, 0x2ff), PLACE(1, 0x110));
	sampled_add(sampled, &sample);
	BEGIN(PLACE(1, 0x210), PLACE(1, 0x1aa));
	sampled_add(sampled, &sample);
	/* Ends where the others go on. */
	BEGIN(PLACE(1, 0x1bb));
	sampled_add(sampled, &sample);
	assert_written(sampled, "rustc-7;worker;f1 1\nrustc-7;worker;f1;f2 3\n");
	sampled_free(sampled);
}

static void test_whose(void **state)
{
	struct sampled *sampled = sampled_new(1000);

	(void)state;
	BEGIN(PLACE(1, 0x100));
	sampled_add(sampled, &sample);
	sample.header.tgid = 9;
	sampled_add(sampled, &sample);
	/* Names of as many bytes as there is room for have no NUL behind them. */
	memset(sample.process, 'p', sizeof(sample.process));
	memset(sample.thread, 't', sizeof(sample.thread));
	sampled_add(sampled, &sample);
	assert_written(sampled, "rustc-7;worker;f1 1\nrustc-9;worker;f1 1\npppppppppppppppp-9;tttttttttttttttt;f1 1\n");
	sampled_free(sampled);
}

static void test_marks(void **state)
{
	struct sampled *sampled = sampled_new(1000);

	(void)state;
	BEGIN(PLACE(1, 0x300), FRAME(77), PLACE(1, 0x200), PLACE(1, 0x100));
	sample.compiler = 3;
	sampled_add(sampled, &sample);
	sample.in_kernel = 1;
	sampled_add(sampled, &sample);
	sample.end = SAMPLE_NO_MEMORY;
	sampled_add(sampled, &sample);
	BEGIN(PLACE(2, 5), WORD_MAKE(WORD_NO_OBJECT, 0x7fff00000000));
	sample.end = SAMPLE_NO_FILE;
	sampled_add(sampled, &sample);
	assert_written(sampled, "rustc-7;worker;f1;f2;[77 of 3];f3 1\n"
				"rustc-7;worker;f1;f2;[77 of 3];f3;[kernel] 1\n"
				"rustc-7;worker;[incomplete];f1;f2;[77 of 3];f3;[kernel] 1\n"
				"rustc-7;worker;[incomplete];[no file];<[u8, 4]>::f  1\n");
	sampled_free(sampled);
}

/* The deepest stack there can be, and many different ones. */
static void test_sizes(void **state)
{
	struct sampled *sampled = sampled_new(1000);
	struct samples *samples;
	char *text, *at;
	size_t lines = 0, functions = 0;

	(void)state;
	BEGIN(PLACE(1, 0));
	sample.header.count = WIRE_MAX_WORDS;
	sample.in_kernel = 1;
	sample.end = SAMPLE_CUT;
	for (unsigned int i = 0; i < WIRE_MAX_WORDS; i++)
		sample.words[i] = PLACE(1, i << 8);
	sampled_add(sampled, &sample);
	sample.header.count = 2;
	for (unsigned int i = 0; i < 5000; i++) {
		sample.words[1] = PLACE(1, i << 8);
		sampled_add(sampled, &sample);
	}
	samples = build(sampled);
	text = fold_whole(samples);
	for (at = text; (at = strchr(at, '\n')); at++)
		lines++;
	*strchr(text, '\n') = '\0';
	for (at = text; (at = strstr(at, ";f")); at++)
		functions++;
	assert_int_equal(functions, WIRE_MAX_WORDS);
	assert_int_equal(lines, 5001);
	free(text);
	samples_free(samples);
	sampled_free(sampled);
}

/* Times count from the beginning, and order the samples, which come from several processors. */
static void test_times(void **state)
{
	static const uint64_t times[] = {3000, 1500, 999, 2500};
	struct sampled *sampled = sampled_new(1000);
	struct samples *samples;

	(void)state;
	BEGIN(PLACE(1, 0x100), FRAME(5), PLACE(2, 1));
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		sample.time = times[i];
		sample.in_kernel = i == 0;
		sample.end = i == 1 ? SAMPLE_NO_TABLE : SAMPLE_WHOLE;
		sampled_add(sampled, &sample);
	}
	samples = build(sampled);
	assert_int_equal(samples->sample_count, 4);
	assert_int_equal(samples->samples[0].time, 0);
	assert_int_equal(samples->samples[1].time, 500);
	assert_int_equal(samples->samples[1].flags, SAMPLES_INCOMPLETE);
	assert_int_equal(samples->samples[2].time, 1500);
	assert_int_equal(samples->samples[2].flags, 0);
	assert_int_equal(samples->samples[3].time, 2000);
	assert_int_equal(samples->samples[3].flags, SAMPLES_KERNEL);
	/* All of them are of one thread, in one stack of three frames. */
	assert_int_equal(samples->thread_count, 1);
	assert_int_equal(samples->threads[0].pid, 7);
	assert_int_equal(samples->threads[0].tid, 8);
	assert_int_equal(samples->stack_count, 4);
	assert_string_equal(samples->frames[0].object, "two");
	assert_int_equal(samples->frames[1].kind, SAMPLES_QUERY);
	assert_string_equal(samples->frames[1].name, "5 of 0");
	assert_string_equal(samples->frames[2].object, "one");
	samples_free(samples);
	sampled_free(sampled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing), cmocka_unit_test(test_counts), cmocka_unit_test(test_whose),
	    cmocka_unit_test(test_marks),   cmocka_unit_test(test_sizes),  cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
