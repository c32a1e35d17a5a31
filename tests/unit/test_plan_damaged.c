/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Damaged copies of the stand-in compiler: whatever is in a file, making its plan does no harm, and what the plan says
 * may be probed. QUERYTAP_TEST_ROUNDS sets how many copies of each kind are tried.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/standin_bytes.h"

static void plan_damaged(void)
{
	struct error err = {{0}};
	struct plan *plan;

	if (plan_make(elf_put(bytes, size), &plan, &err) == 0) {
		check_plan(plan);
		plan_free(plan);
	} else {
		assert_null(plan);
		assert_true(strlen(err.text) > 0);
	}
}

static void test_cut_files(void **state)
{
	size_t whole;

	TAKE_COPY();
	whole = size;
	for (size = 0; size < whole; size += size < 1024 ? 61 : 1499)
		plan_damaged();
	size = whole;
}

static unsigned int rounds(unsigned int usual)
{
	const char *given = getenv("QUERYTAP_TEST_ROUNDS");

	return given ? (unsigned int)strtoul(given, NULL, 10) : usual;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Overwrites something between `start` and `end` with what does harm, or with what stands elsewhere. */
static void damage(uint64_t *seed, size_t start, size_t end)
{
	static const uint64_t values[] = {0, 1, 0xff, 0x7fffffff, 0x80000000, UINT64_MAX, INT64_MAX, 0x1000};
	size_t at = start + next_random(seed) % (end - start - 8);
	uint64_t value = values[next_random(seed) % (sizeof(values) / sizeof(*values))];

	switch (next_random(seed) % 4) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << next_random(seed) % 8);
		break;
	case 1:
		bytes[at] = (uint8_t)next_random(seed);
		break;
	case 2:
		memcpy(bytes + at, &value, (size_t)1 << next_random(seed) % 4);
		break;
	default:
		memmove(bytes + at, bytes + start + next_random(seed) % (end - start - 8), 1 + next_random(seed) % 8);
		break;
	}
}

/* Damages one part of the file after another, a little or a lot, always in the same way. */
static void damage_part(size_t start, size_t end, unsigned int usual)
{
	uint64_t seed = 0x9e3779b97f4a7c15 ^ start;

	for (unsigned int round = 0; round < rounds(usual); round++) {
		unsigned int times = 1u << next_random(&seed) % 6;

		memcpy(bytes, original, size);
		while (times--)
			damage(&seed, start, end);
		plan_damaged();
	}
}

static void test_damaged_code(void **state)
{
	const Elf64_Phdr *segments;
	const Elf64_Ehdr *header;

	TAKE_COPY();
	header = (const Elf64_Ehdr *)original;
	segments = (const Elf64_Phdr *)(original + header->e_phoff);
	for (unsigned int i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X) && segments[i].p_filesz > 0x1000)
			damage_part(segments[i].p_offset, segments[i].p_offset + segments[i].p_filesz, 500);
}

static void test_damaged_tables(void **state)
{
	const Elf64_Shdr *sections;
	const Elf64_Ehdr *header;

	TAKE_COPY();
	header = (const Elf64_Ehdr *)original;
	sections = (const Elf64_Shdr *)(original + header->e_shoff);
	for (unsigned int i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_SYMTAB || sections[i].sh_type == SHT_STRTAB ||
		    sections[i].sh_type == SHT_RELA)
			damage_part(sections[i].sh_offset, sections[i].sh_offset + sections[i].sh_size, 80);
}

static void test_damaged_headers(void **state)
{
	const Elf64_Ehdr *header;

	TAKE_COPY();
	header = (const Elf64_Ehdr *)original;
	damage_part(0, header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr), 300);
	damage_part(header->e_shoff, size, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cut_files),
	    cmocka_unit_test(test_damaged_code),
	    cmocka_unit_test(test_damaged_tables),
	    cmocka_unit_test(test_damaged_headers),
	};

	return cmocka_run_group_tests(tests, read_standin, forget_standin);
}
