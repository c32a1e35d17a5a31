/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The crate that a command line compiles, which is in the profile's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/profile.h"

/* The name for a command line given with blanks between the arguments; "_" stands for an empty one. */
static const char *name_of(const char *line)
{
	static char name[128];
	size_t length = strlen(line) + 1, used = 0;
	char *args = malloc(length), *copy = strdup(line), *rest = copy, *word;

	assert_non_null(args);
	assert_non_null(copy);
	while ((word = strsep(&rest, " "))) {
		if (strcmp(word, "_") == 0)
			*word = '\0';
		memcpy(args + used, word, strlen(word) + 1);
		used += strlen(word) + 1;
	}
	crate_name(args, used, name, sizeof(name));
	free(args);
	free(copy);
	return name;
}

static void test_given_name(void **state)
{
	(void)state;
	assert_string_equal(name_of("rustc --crate-name syn --edition=2018 src/lib.rs"), "syn");
	assert_string_equal(name_of("rustc --edition=2018 src/lib.rs --crate-name syn"), "syn");
	assert_string_equal(name_of("rustc --crate-name=syn src/lib.rs"), "syn");
	assert_string_equal(name_of("/usr/bin/rustc rustc --crate-name build_script_build build.rs"),
			    "build_script_build");
	assert_string_equal(name_of("rustc --crate-name ___ --print=file-names"), "___");
}

static void test_name_from_the_input(void **state)
{
	(void)state;
	assert_string_equal(name_of("rustc hello.rs"), "hello");
	assert_string_equal(name_of("rustc src/deep/hello-world.rs"), "hello_world");
	assert_string_equal(name_of("rustc /a.b/c.d/hello.rs"), "hello");
	assert_string_equal(name_of("rustc ./hello"), "hello");
	assert_string_equal(name_of("rustc -"), "rust_out");
}

/* The values of options are not the input, in whichever form they are given. */
static void test_options_are_passed_over(void **state)
{
	(void)state;
	assert_string_equal(name_of("rustc -o out.rs -L dep.rs --emit link.rs -C opt-level=3 main.rs"), "main");
	assert_string_equal(name_of("rustc -Copt-level=3 -Ldep.rs --emit=link --test main.rs"), "main");
	assert_string_equal(name_of("rustc --extern serde=libserde.rs --cfg feature=\"x\" -Zself-profile a-b.rs"),
			    "a_b");
	assert_string_equal(name_of("rustc main.rs -o other.rs"), "main");
	assert_string_equal(name_of("rustc -o"), "unknown-crate");
}

static void test_no_name(void **state)
{
	(void)state;
	assert_string_equal(name_of("rustc"), "unknown-crate");
	assert_string_equal(name_of("rustc /"), "unknown-crate");
	assert_string_equal(name_of("rustc src/"), "unknown-crate");
	assert_string_equal(name_of("rustc -vV"), "unknown-crate");
	assert_string_equal(name_of("rustc --crate-name"), "unknown-crate");
	assert_string_equal(name_of("rustc --crate-name _"), "unknown-crate");
	assert_string_equal(name_of("rustc --crate-name="), "unknown-crate");
	assert_string_equal(name_of("rustc _ _"), "unknown-crate");
}

/* The name becomes part of a file's name: nothing may lead out of its folder. */
static void test_names_that_are_paths(void **state)
{
	static const char *const lines[] = {"rustc --crate-name ../../etc/x a.rs",
					    "rustc --crate-name=/etc/x a.rs",
					    "rustc ..",
					    "rustc a/..",
					    "rustc .rs",
					    "rustc a/.rs"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const char *name = name_of(lines[i]);

		if (strchr(name, '/') || !*name)
			fail_msg("'%s' gives '%s'", lines[i], name);
	}
}

/* A command line that was cut anywhere; a NUL lies behind it. */
static void test_cut_command_lines(void **state)
{
	static const char line[] =
	    "rustc\0--edition=2021\0-C\0opt-level=3\0--crate-name\0long_enough_a_name\0src/lib.rs";

	(void)state;
	for (size_t length = 0; length <= sizeof(line); length++) {
		char *args = calloc(1, length + 1);
		char name[32];

		assert_non_null(args);
		memcpy(args, line, length);
		crate_name(args, length, name, sizeof(name));
		assert_true(strlen(name) > 0);
		free(args);
	}
}

static void test_small_buffers(void **state)
{
	static const char given[] = "rustc\0--crate-name\0a_rather_long_name", input[] = "rustc\0a_rather_long_name.rs";

	(void)state;
	for (size_t size = 1; size < 24; size++) {
		char *name = malloc(size);

		assert_non_null(name);
		crate_name(given, sizeof(given), name, size);
		assert_true(strlen(name) < size);
		crate_name(input, sizeof(input), name, size);
		assert_true(strlen(name) < size);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_given_name),
	    cmocka_unit_test(test_name_from_the_input),
	    cmocka_unit_test(test_options_are_passed_over),
	    cmocka_unit_test(test_no_name),
	    cmocka_unit_test(test_names_that_are_paths),
	    cmocka_unit_test(test_cut_command_lines),
	    cmocka_unit_test(test_small_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
