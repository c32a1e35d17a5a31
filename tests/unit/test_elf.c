/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Reading ELF files: whole ones, and damaged ones, which must be refused or read without harm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "compiler/elf.h"
#include "tests/unit/elf_bytes.h"

CODE(first, "push %rbx\npop %rbx\nret");
CODE(second, "nop\nret");
CODE(table, ".quad 0\n.quad 0");

static const struct elf_piece pieces[] = {
    {"second_function", second, second_end, ELF_CODE + 0x200},
    {"first_function", first, first_end, ELF_CODE + 0x100},
    {NULL, table, table_end, ELF_DATA + 0x40},
};
static const struct elf_pointer pointers[] = {
    {ELF_DATA + 0x48, ELF_CODE + 0x200},
    {ELF_DATA + 0x40, ELF_CODE + 0x100},
};
static const char comment[] = "GCC: (GNU) 13\0rustc version 9.9.9 (0123abcd 2030-01-01)\0Linker: LLD";
static const uint8_t build_id[20] = {0xde, 0xad, 0xbe, 0xef, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

static const struct elf_file whole = {.pieces = pieces,
				      .piece_count = 3,
				      .pointers = pointers,
				      .pointer_count = 2,
				      .comment = comment,
				      .comment_size = sizeof(comment),
				      .build_id = build_id};

/* Opens a file that has to be readable. */
static struct image *open_image(const struct elf_file *file)
{
	struct error err = {{0}};
	struct image *image;

	if (image_open(elf_put_file(file), &image, &err) < 0 || image_read_symbols(image, &err) < 0)
		fail_msg("%s", err.text);
	return image;
}

static void test_symbols(void **state)
{
	struct image *image = open_image(&whole);
	size_t count;
	const struct image_symbol *symbols = image_symbols(image, &count);

	(void)state;
	assert_true(image_has_symtab(image));
	assert_int_equal(count, 2);
	assert_string_equal(symbols[0].name, "first_function");
	assert_int_equal(symbols[0].address, ELF_CODE + 0x100);
	assert_int_equal(symbols[0].size, first_end - first);
	assert_string_equal(symbols[1].name, "second_function");
	assert_int_equal(image_function_size(image, ELF_CODE + 0x200), second_end - second);
	assert_int_equal(image_function_size(image, ELF_CODE + 0x201), 0);
	image_close(image);
}

#define LONG_NAME(size) long_names[(size)-254]

/* Functions named without all symbols in memory: in any order, at their bounds, one of two at a place, of any length.
 */
static void test_names(void **state)
{
	char long_names[4][260];
	const struct elf_piece functions[] = {
	    {"longest", first, first_end, ELF_CODE + 0x400},	  {"one_of_two", first, first_end, ELF_CODE + 0x200},
	    {"two_of_two", second, second_end, ELF_CODE + 0x200}, {LONG_NAME(254), first, first_end, ELF_CODE + 0x300},
	    {LONG_NAME(255), first, first_end, ELF_CODE + 0x310}, {LONG_NAME(256), first, first_end, ELF_CODE + 0x320},
	    {LONG_NAME(257), first, first_end, ELF_CODE + 0x330}, {NULL, table, table_end, ELF_DATA + 0x40},
	    {"in_data", table, table_end, ELF_DATA + 0x60},
	};
	const struct {
		uint64_t offset;
		const char *name;
	} expected[] = {
	    {0x332, LONG_NAME(257)}, {0x320, LONG_NAME(256)}, {0x310, LONG_NAME(255)},
	    {0x300, LONG_NAME(254)}, {0x200, "two_of_two"},   {0x201, "two_of_two"},
	    {0x202, NULL},	     {0x1ff, NULL},	      {0, NULL},
	    {0x402, "longest"},	     {0x400, "longest"},      {0x403, NULL},
	    {0x401, "longest"},	     {0xffff, NULL},	      {0x200, "two_of_two"},
	    {ELF_ROOM + 0x60, NULL}, {UINT64_MAX / 2, NULL},
	};
	enum { COUNT = sizeof(expected) / sizeof(*expected) };
	struct elf_file file = {.pieces = functions, .piece_count = sizeof(functions) / sizeof(*functions)};
	uint64_t offsets[COUNT];
	struct image *image;
	char *names[COUNT];

	(void)state;
	for (size_t size = 254; size <= 257; size++) {
		memset(LONG_NAME(size), 'a' + (int)(size - 254), size);
		LONG_NAME(size)[size] = '\0';
	}
	assert_int_equal(image_open(elf_put_file(&file), &image, NULL), 0);
	for (size_t i = 0; i < COUNT; i++)
		offsets[i] = ELF_CODE_OFFSET + expected[i].offset;
	assert_int_equal(image_name_functions(image, image, offsets, COUNT, names), 0);
	for (size_t i = 0; i < COUNT; i++) {
		if (expected[i].name)
			assert_string_equal(names[i], expected[i].name);
		else
			assert_null(names[i]);
		free(names[i]);
	}
	assert_int_equal(image_name_functions(image, image, NULL, 0, NULL), 0);
	image_close(image);
	file.stripped = 1;
	assert_int_equal(image_open(elf_put_file(&file), &image, NULL), 0);
	assert_int_equal(image_name_functions(image, image, offsets, 1, names), 0);
	assert_null(names[0]);
	image_close(image);
}

static bool begins_at(const struct image *image, const char *name, uint64_t address)
{
	size_t count;
	const struct image_symbol *symbols = image_symbols(image, &count);

	for (size_t i = 0; i < count; i++)
		if (symbols[i].address == address && !strcmp(symbols[i].name, name))
			return true;
	return false;
}

/* All functions of a real object are named as by the symbols in memory, at both ends and between them. */
static void test_names_of_all(void **state)
{
	struct image *image;
	size_t count, places = 0;
	const struct image_symbol *symbols;
	uint64_t *offsets;
	char **names;

	(void)state;
	assert_int_equal(image_open("/proc/self/exe", &image, NULL), 0);
	assert_int_equal(image_read_symbols(image, NULL), 0);
	symbols = image_symbols(image, &count);
	assert_true(count > 100);
	offsets = calloc(4 * count, sizeof(*offsets));
	names = calloc(4 * count, sizeof(*names));
	assert_true(offsets && names);
	for (size_t i = 0; i < count; i++) {
		uint64_t begin = image_file_offset(image, symbols[i].address), size = symbols[i].size;

		offsets[places++] = begin + size;
		offsets[places++] = begin;
		offsets[places++] = begin + size - 1;
		offsets[places++] = begin + size / 2;
	}
	assert_int_equal(image_name_functions(image, image, offsets, places, names), 0);
	for (size_t i = 0; i < places; i++) {
		const struct image_symbol *function = image_function_at(image, offsets[i]);

		if (function)
			assert_true(names[i] && begins_at(image, names[i], function->address));
		else
			assert_null(names[i]);
		free(names[i]);
	}
	free(names);
	free(offsets);
	image_close(image);
}

static void test_stripped(void **state)
{
	struct elf_file file = whole;
	struct image *image;
	size_t count;

	(void)state;
	file.stripped = 1;
	image = open_image(&file);
	image_symbols(image, &count);
	assert_int_equal(count, 0);
	assert_false(image_has_symtab(image));
	assert_int_equal(image_function_size(image, ELF_CODE + 0x100), 0);
	image_close(image);
}

/* The address of a byte and its place in the file are two things. */
static void test_places(void **state)
{
	struct image *image = open_image(&whole);
	size_t available;
	const uint8_t *bytes = image_bytes(image, ELF_CODE + 0x100, &available);

	(void)state;
	assert_int_equal(available, ELF_ROOM - 0x100);
	assert_memory_equal(bytes, first, (size_t)(first_end - first));
	assert_int_equal(image_file_offset(image, ELF_CODE + 0x100), ELF_CODE_OFFSET + 0x100);
	assert_ptr_equal(image_file_code(image, ELF_CODE_OFFSET + 0x100, &available), bytes);
	assert_int_equal(available, ELF_ROOM - 0x100);
	assert_non_null(image_bytes(image, ELF_CODE + ELF_ROOM - 1, &available));
	assert_int_equal(available, 1);
	assert_null(image_bytes(image, ELF_CODE + ELF_ROOM, &available));
	assert_null(image_bytes(image, 0, &available));
	assert_null(image_bytes(image, UINT64_MAX, &available));
	image_close(image);
}

/* Probes go into code only. */
static void test_data_is_no_code(void **state)
{
	struct image *image = open_image(&whole);
	size_t available;

	(void)state;
	assert_non_null(image_bytes(image, ELF_DATA + 0x40, &available));
	assert_true(image_file_offset(image, ELF_DATA + 0x40) == UINT64_MAX);
	assert_null(image_file_code(image, ELF_DATA_OFFSET + 0x40, &available));
	assert_null(image_file_code(image, UINT64_MAX, &available));
	assert_true(image_file_offset(image, 0) == UINT64_MAX);
	image_close(image);
}

static void test_pointers(void **state)
{
	struct image *image = open_image(&whole);

	(void)state;
	assert_int_equal(image_pointer(image, ELF_DATA + 0x40), ELF_CODE + 0x100);
	assert_int_equal(image_pointer(image, ELF_DATA + 0x48), ELF_CODE + 0x200);
	assert_int_equal(image_pointer(image, ELF_DATA + 0x44), 0);
	assert_int_equal(image_pointer(image, 0), 0);
	image_close(image);
}

static void test_version(void **state)
{
	struct elf_file file = whole;
	struct image *image = open_image(&file);
	char version[64], small[6];

	(void)state;
	image_version(image, version, sizeof(version));
	assert_string_equal(version, "9.9.9 (0123abcd 2030-01-01)");
	image_version(image, small, sizeof(small));
	assert_string_equal(small, "9.9.9");
	image_close(image);
	file.comment = "rustc version 9.9";
	file.comment_size = strlen(file.comment); /* without its NUL */
	image = open_image(&file);
	image_version(image, version, sizeof(version));
	assert_string_equal(version, "9.9");
	image_close(image);
	file.comment = NULL;
	image = open_image(&file);
	image_version(image, version, sizeof(version));
	assert_string_equal(version, "unknown");
	image_close(image);
}

static void id_of(const struct elf_file *file, char id[65])
{
	struct image *image = open_image(file);

	image_build_id(image, id);
	image_close(image);
}

static void test_build_id(void **state)
{
	struct elf_file file = whole;
	char id[65], other[65];

	(void)state;
	id_of(&file, id);
	assert_string_equal(id, "deadbeef05060708090a0b0c0d0e0f1011121314");
	file.build_id = NULL;
	id_of(&file, id);
	id_of(&file, other);
	assert_true(strlen(id) >= 32);
	assert_int_equal(strspn(id, "0123456789abcdef"), strlen(id));
	assert_string_equal(id, other);
	file.comment = "rustc version 9.9.8";
	file.comment_size = sizeof("rustc version 9.9.8");
	id_of(&file, other);
	assert_string_not_equal(id, other);
}

static void assert_refused(const char *path, int code, const char *sentence)
{
	struct error err = {{0}};
	struct image *image = (struct image *)&err;

	assert_int_equal(image_open(path, &image, &err), code);
	assert_null(image);
	if (!strstr(err.text, sentence) || !strstr(err.text, path))
		fail_msg("'%s' lacks '%s' or the path", err.text, sentence);
}

static void test_what_is_no_elf_file(void **state)
{
	size_t size;
	uint8_t *bytes = elf_bytes(&whole, &size);

	(void)state;
	assert_refused("/nonexistent/librustc_driver.so", -ENOENT, "No such file");
	assert_refused("/tmp", -ENOEXEC, "not an ELF file");
	assert_refused("/dev/null", -ENOEXEC, "not an ELF file");
	assert_refused(elf_put(bytes, 0), -ENOEXEC, "not an ELF file");
	assert_refused(elf_put((const uint8_t *)"#!/bin/sh\nexec rustc \"$@\"\n", 27), -ENOEXEC, "not an ELF file");
	bytes[EI_CLASS] = ELFCLASS32;
	assert_refused(elf_put(bytes, size), -ENOEXEC, "x86-64");
	bytes[EI_CLASS] = ELFCLASS64;
	((Elf64_Ehdr *)bytes)->e_machine = EM_AARCH64;
	assert_refused(elf_put(bytes, size), -ENOEXEC, "x86-64");
	free(bytes);
}

static void test_segments_outside_the_file(void **state)
{
	size_t size;
	uint8_t *bytes = elf_bytes(&whole, &size);
	Elf64_Phdr *segment = (Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr));

	(void)state;
	segment->p_filesz = size;
	assert_refused(elf_put(bytes, size), -ENOEXEC, "outside the file");
	segment->p_filesz = 1;
	segment->p_offset = UINT64_MAX;
	assert_refused(elf_put(bytes, size), -ENOEXEC, "outside the file");
	free(bytes);
}

/* A stripped program's functions are named by the file of its debugging information. */
static void test_names_of_debug_file(void **state)
{
	char folder[] = "/tmp/querytap-elf-XXXXXX", command[512], path[64], *names[2], *own[2];
	uint64_t offsets[2];
	struct image *image, *stripped, *debug;
	const struct image_symbol *symbols;
	char id[65], debug_id[65];
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(
	    command, sizeof(command),
	    "cd %s && exe=/proc/%d/exe && objcopy --strip-all $exe stripped && objcopy --only-keep-debug $exe debug",
	    folder, (int)getpid());
	assert_int_equal(system(command), 0);
	assert_int_equal(image_open("/proc/self/exe", &image, NULL), 0);
	assert_int_equal(image_read_symbols(image, NULL), 0);
	symbols = image_symbols(image, &count);
	assert_true(count > 100);
	offsets[0] = image_file_offset(image, symbols[count / 3].address);
	offsets[1] = image_file_offset(image, symbols[count / 2].address);
	assert_int_equal(image_name_functions(image, image, offsets, 2, own), 0);
	snprintf(path, sizeof(path), "%s/stripped", folder);
	assert_int_equal(image_open(path, &stripped, NULL), 0);
	assert_int_equal(image_name_functions(stripped, stripped, offsets, 2, names), 0);
	assert_null(names[0]);
	assert_null(names[1]);
	snprintf(path, sizeof(path), "%s/debug", folder);
	assert_int_equal(image_open_debug_file(-1, path, &debug, NULL), 0);
	assert_int_equal(image_name_functions(stripped, debug, offsets, 2, names), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(names[i], own[i]);
		free(names[i]);
		free(own[i]);
	}
	image_build_id(stripped, id);
	image_build_id(debug, debug_id);
	assert_string_equal(id, debug_id);
	image_close(image);
	image_close(stripped);
	image_close(debug);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

/* Asks for everything that a file has to tell. */
static void read_all(const char *path)
{
	struct error err = {{0}};
	struct image *image;
	const struct image_symbol *symbols;
	size_t count, available;
	const uint64_t code[] = {ELF_CODE_OFFSET + 0x100, ELF_CODE_OFFSET + 0x200, UINT64_MAX};
	char id[65], version[128], *names[3];

	if (image_open(path, &image, &err) < 0) {
		assert_true(strlen(err.text) > 0);
		return;
	}
	if (image_read_symbols(image, &err) == 0) {
		symbols = image_symbols(image, &count);
		for (size_t i = 0; i < count; i++) {
			const uint8_t *bytes = image_bytes(image, symbols[i].address, &available);
			volatile uint8_t last = bytes ? bytes[available - 1] : 0;

			(void)last;
			(void)strlen(symbols[i].name);
			image_function_size(image, symbols[i].address);
			image_pointer(image, symbols[i].address);
			image_file_offset(image, symbols[i].address);
		}
		image_pointer(image, ELF_DATA + 0x40);
	} else {
		assert_true(strlen(err.text) > 0);
	}
	assert_int_equal(image_name_functions(image, image, code, 3, names), 0);
	for (size_t i = 0; i < 3; i++)
		free(names[i]);
	image_build_id(image, id);
	assert_true(strlen(id) >= 32);
	image_version(image, version, sizeof(version));
	image_close(image);
}

static void test_cut_files(void **state)
{
	size_t size;
	uint8_t *bytes = elf_bytes(&whole, &size);

	(void)state;
	for (size_t cut = 0; cut < size;
	     cut += cut < 0x120 || cut > ELF_SECTIONS_OFFSET - 16 ? 1 : 0x1000 - cut % 0x1000)
		read_all(elf_put(bytes, cut));
	free(bytes);
}

/* Each byte of the headers, sections and section headers, set to what does most harm. */
static void test_nonsense_in_every_byte(void **state)
{
	static const uint8_t values[] = {0x00, 0xff, 0x80, 0x7f, 0x01};
	size_t size;
	uint8_t *bytes = elf_bytes(&whole, &size);

	(void)state;
	for (size_t at = 0; at < size; at = at == 0x120 ? ELF_SECTIONS_OFFSET : at + 1) {
		for (size_t i = 0; i < sizeof(values); i++) {
			uint8_t kept = bytes[at];

			bytes[at] = values[i];
			read_all(elf_put(bytes, size));
			bytes[at] = kept;
		}
	}
	free(bytes);
}

/* Eight bytes at a time, so that whole addresses, offsets and sizes become huge. */
static void test_huge_numbers(void **state)
{
	static const uint64_t values[] = {UINT64_MAX, INT64_MAX, UINT64_MAX - 4096, 1, 0, ELF_SECTIONS_OFFSET};
	size_t size;
	uint8_t *bytes = elf_bytes(&whole, &size);

	(void)state;
	for (size_t at = 16; at + 8 <= size; at = at == 0x120 ? ELF_SECTIONS_OFFSET : at + 8) {
		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
			uint8_t kept[8];

			memcpy(kept, bytes + at, 8);
			memcpy(bytes + at, &values[i], 8);
			read_all(elf_put(bytes, size));
			memcpy(bytes + at, kept, 8);
		}
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_symbols),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_names_of_all),
	    cmocka_unit_test(test_names_of_debug_file),
	    cmocka_unit_test(test_stripped),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_data_is_no_code),
	    cmocka_unit_test(test_pointers),
	    cmocka_unit_test(test_version),
	    cmocka_unit_test(test_build_id),
	    cmocka_unit_test(test_what_is_no_elf_file),
	    cmocka_unit_test(test_segments_outside_the_file),
	    cmocka_unit_test(test_cut_files),
	    cmocka_unit_test(test_nonsense_in_every_byte),
	    cmocka_unit_test(test_huge_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
