/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the fuzzer starts from, and what it found once (make fuzz), read to the end in good time. */
#include "tests/unit/profile_bytes.h"

#include <dirent.h>

#include "tests/fuzz/read_everything.h"

/* Reads each file of a folder, with a limit of time that only a hang needs; returns how many there were. */
static size_t read_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		struct bytes file;
		char path[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		print_message("# %s\n", path);
		file = read_whole_file(path);
		/* A copy of just that size, so that a sanitizer sees reading beyond it. */
		file.data = realloc(file.data, file.size ? file.size : 1);
		alarm(60);
		read_everything(file.data, file.size);
		alarm(0);
		bytes_free(&file);
		count++;
	}
	closedir(directory);
	return count;
}

static void test_findings(void **state)
{
	(void)state;
	assert_true(read_folder("tests/fuzz/regressions") > 0);
}

/* The seeds are good profiles: a fuzzer that started from refused ones would not get far. */
static void test_seeds(void **state)
{
	DIR *directory = opendir("tests/fuzz/seeds");
	struct dirent *entry;
	size_t count = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		struct mmp_reader *reader;
		struct mmp_error err = {""};
		char path[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "tests/fuzz/seeds/%s", entry->d_name);
		mmp_open(path, &reader, &err);
		assert_string_equal(err.text, "");
		mmp_close(reader);
		count++;
	}
	closedir(directory);
	assert_int_equal(read_folder("tests/fuzz/seeds"), count);
	assert_true(count > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_findings),
	    cmocka_unit_test(test_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
