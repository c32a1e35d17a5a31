/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What sampled places are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "bpf/wire.h"
#include "collect/places.h"
#include "tests/unit/elf_bytes.h"

CODE(code, "push %rbx\npop %rbx\nret");

static const struct elf_piece in_rust[] = {
    {"_ZN4core3fmt5write17h0123456789abcdefE", code, code_end, ELF_CODE + 0x100},
    {"_RNvC5krate4main", code, code_end, ELF_CODE + 0x200},
};
static const struct elf_piece in_c[] = {{"main", code, code_end, ELF_CODE + 0x100}};

/* Writes an object to a file that stays, and notes it under its number. The path is to be freed. */
static char *note(struct places *places, unsigned int object, const char *name, const struct elf_piece *pieces,
		  size_t count)
{
	struct elf_file file = {.pieces = pieces, .piece_count = count};
	char *path = strdup("/tmp/querytap-places.XXXXXX");
	struct stat status;
	size_t size;
	uint8_t *bytes = elf_bytes(&file, &size);
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fstat(fd, &status), 0);
	close(fd);
	free(bytes);
	places_note(places, object, path, name, &status);
	return path;
}

static void forget(char *path)
{
	unlink(path);
	free(path);
}

static void assert_named(const struct places *places, unsigned int object, uint64_t offset, const char *function,
			 const char *file)
{
	struct place place = {.object = object, .offset = offset};

	assert_int_equal(places_name(places, &place, 1), 0);
	assert_string_equal(place.function, function);
	assert_string_equal(place.file, file);
	free(place.function);
}

/* Places of several objects, in any order, some of them twice. */
static void test_names(void **state)
{
	static const struct {
		unsigned int object;
		uint64_t offset;
		const char *function, *file;
	} expected[] = {
	    {7, 0x1101, "main", "c"},
	    {3, 0x1201, "krate::main", "rust.so"},
	    {5, 0x1101, "[unknown file]", ""},
	    {3, 0x1100, "core::fmt::write", "rust.so"},
	    {7, 0x1103, "[c]", "c"},
	    {3, 0x1201, "krate::main", "rust.so"},
	    {3, 0x1102, "core::fmt::write", "rust.so"},
	    {7, 0x10ff, "[c]", "c"},
	    {3, UINT64_MAX, "[rust.so]", "rust.so"},
	    {WIRE_MAX_OBJECTS - 1, 0, "[unknown file]", ""},
	};
	enum { COUNT = sizeof(expected) / sizeof(*expected) };
	struct places *places = places_new();
	char *rust = note(places, 3, "rust.so", in_rust, 2), *c = note(places, 7, "c", in_c, 1);
	struct place list[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		list[i] = (struct place){.object = expected[i].object, .offset = expected[i].offset};
	assert_int_equal(places_name(places, list, COUNT), 0);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(list[i].object, expected[i].object);
		assert_int_equal(list[i].offset, expected[i].offset);
		assert_string_equal(list[i].function, expected[i].function);
		assert_string_equal(list[i].file, expected[i].file);
		free(list[i].function);
	}
	assert_int_equal(places_name(places, NULL, 0), 0);
	places_free(places);
	places_free(NULL);
	forget(rust);
	forget(c);
}

/* The symbols of another file, or of none, are not those of what ran. */
static void test_changed(void **state)
{
	struct places *places = places_new();
	char *path = note(places, 1, "made", in_c, 1);
	FILE *file;

	(void)state;
	assert_named(places, 1, 0x1101, "main", "made");
	file = fopen(path, "a");
	assert_non_null(file);
	fputc(0, file);
	fclose(file);
	assert_named(places, 1, 0x1101, "[made]", "made");
	forget(path);
	assert_named(places, 1, 0x1101, "[made]", "made");
	places_free(places);
}

/* What is no object at all, and an object number that was given anew. */
static void test_anew(void **state)
{
	struct places *places = places_new();
	char *old = note(places, 1, "old", in_c, 1), *new = note(places, 1, "new", in_rust, 2);
	struct stat status;

	(void)state;
	assert_named(places, 1, 0x1101, "core::fmt::write", "new");
	assert_int_equal(truncate(new, 10), 0);
	assert_int_equal(stat(new, &status), 0);
	places_note(places, 1, new, "cut", &status);
	assert_named(places, 1, 0x1101, "[cut]", "cut");
	places_free(places);
	forget(old);
	forget(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
