/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Fuzzes the making of unwind tables (make fuzz-unwind). An input is the contents of .eh_frame, around which an object
 * is put; if its first byte is odd, a whole object follows instead.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/table.h"
#include "unwind/unwind.h"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* The section lies at the same address as where seeds were linked, with the code that they describe before it. */
enum { SECTION_AT = 0x2000, NAMES = 3, MAX_PLACES = 4096 };

struct frame_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[NAMES];
	char names[32];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(int fd, const void *bytes, size_t size, off_t at)
{
	MUST(pwrite(fd, bytes, size, at) == (ssize_t)size);
}

/* Writes an object with this .eh_frame. */
static void put_section(int fd, const uint8_t *data, size_t size)
{
	struct frame_file file = {
	    .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		       .e_type = ET_DYN,
		       .e_machine = EM_X86_64,
		       .e_version = EV_CURRENT,
		       .e_phoff = offsetof(struct frame_file, segment),
		       .e_shoff = offsetof(struct frame_file, sections),
		       .e_ehsize = sizeof(Elf64_Ehdr),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 1,
		       .e_shentsize = sizeof(Elf64_Shdr),
		       .e_shnum = NAMES,
		       .e_shstrndx = 2},
	    .segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = SECTION_AT + size},
	    .sections = {{0},
			 {.sh_name = 1,
			  .sh_type = SHT_PROGBITS,
			  .sh_addr = SECTION_AT,
			  .sh_offset = SECTION_AT,
			  .sh_size = size},
			 {.sh_name = 11,
			  .sh_type = SHT_STRTAB,
			  .sh_offset = offsetof(struct frame_file, names),
			  .sh_size = sizeof(file.names)}},
	    .names = "\0.eh_frame\0.shstrtab",
	};

	put(fd, &file, sizeof(file), 0);
	put(fd, data, size, SECTION_AT);
}

/* Looks up places all over the table, and that it is as bpf/table.h says. */
static void read_table(const struct unwind_table *table)
{
	const uint64_t *words = table->words;
	uint64_t first = words[TABLE_FIRST_PAGE] << TABLE_PAGE_BITS, size = words[TABLE_PAGES] << TABLE_PAGE_BITS;

	MUST(table->functions > 0 && words[TABLE_ROWS] > 0 && words[TABLE_RULES] <= TABLE_MAX_RULES);
	MUST(table->count ==
	     TABLE_HEADER_WORDS + words[TABLE_RULES] + words[TABLE_PAGES] / 2 + 1 + (words[TABLE_ROWS] + 1) / 2);
	MUST(unwind_table_rule(table, first + size) == 0);
	for (uint64_t i = 0; i < MAX_PLACES; i++)
		MUST(TABLE_RULE_CFA(unwind_table_rule(table, first + i * (size / MAX_PLACES + 1))) <= CFA_OTHER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct unwind_table table;
	struct error err = {{0}};
	int code;

	if (fd < 0) {
		fd = memfd_create("object", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0);
	if (size && *data & 1)
		put(fd, data + 1, size - 1, 0);
	else if (size)
		put_section(fd, data + 1, size - 1);
	code = unwind_table_make(path, &table, &err);
	MUST(code <= 0 && (code == 0 || strstr(err.text, path)));
	if (code == 0) {
		read_table(&table);
		unwind_table_free(&table);
	}
	return 0;
}
