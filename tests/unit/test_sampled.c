/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Counting sampled stacks, and what they are written as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/sampled.h"

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
static char *place_name(void *context, unsigned int object, uint64_t offset)
{
	char *name = NULL;

	assert_ptr_equal(context, &sample);
	if (object == 2)
		return strdup("<[u8; 4]>::f\n");
	return asprintf(&name, "f%u", (unsigned int)(offset >> 8)) < 0 ? NULL : name;
}

static char *frame_name(void *context, unsigned int compiler, unsigned int number)
{
	char *name = NULL;

	assert_ptr_equal(context, &sample);
	return asprintf(&name, "[%u of %u]", number, compiler) < 0 ? NULL : name;
}

static void assert_written(const struct sampled *sampled, const char *expected)
{
	const struct sampled_names names = {place_name, frame_name, &sample};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(sampled_write(sampled, &names, out), 0);
	fclose(out);
	assert_string_equal(text, expected);
	assert_int_equal(sampled_left_out(sampled), 0);
	free(text);
}

static void test_nothing(void **state)
{
	struct sampled *sampled = sampled_new();

	(void)state;
	assert_written(sampled, "");
	sampled_free(sampled);
	sampled_free(NULL);
}

/* Stacks are told apart by the names of their functions, not by the places in them. */
static void test_counts(void **state)
{
	struct sampled *sampled = sampled_new();

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
	struct sampled *sampled = sampled_new();

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
	struct sampled *sampled = sampled_new();

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
	struct sampled *sampled = sampled_new();
	const struct sampled_names names = {place_name, frame_name, &sample};
	char *text = NULL, *at;
	size_t size, lines = 0, functions = 0;
	FILE *out = open_memstream(&text, &size);

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
	assert_int_equal(sampled_write(sampled, &names, out), 0);
	fclose(out);
	for (at = text; (at = strchr(at, '\n')); at++)
		lines++;
	*strchr(text, '\n') = '\0';
	for (at = text; (at = strstr(at, ";f")); at++)
		functions++;
	assert_int_equal(functions, WIRE_MAX_WORDS);
	assert_int_equal(lines, 5001);
	assert_int_equal(sampled_left_out(sampled), 0);
	free(text);
	sampled_free(sampled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing), cmocka_unit_test(test_counts), cmocka_unit_test(test_whose),
	    cmocka_unit_test(test_marks),   cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
