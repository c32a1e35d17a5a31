/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Small ELF files made up for tests, out of code that the compiler of the test has assembled. */
#ifndef TESTS_ELF_BYTES_H
#define TESTS_ELF_BYTES_H

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Assembles `text` as data, from the symbol `name` to name_end. Labels in it are global: declare those whose place a
 * test asks for with LABEL.
 */
#define CODE(name, text)                                                                                              \
	__asm__(".pushsection .rodata\n.balign 16\n" #name ":\n" text "\n" #name "_end:\n.byte 0xcc\n.popsection\n"); \
	LABEL(name);                                                                                                  \
	LABEL(name##_end)
#define LABEL(name) extern const uint8_t name[] __attribute__((visibility("hidden")))

/* A function, or another piece of code or data, at an address. */
struct elf_piece {
	const char *name; /* of its symbol; NULL for none */
	const uint8_t *bytes, *end;
	uint64_t address; /* ELF_CODE or ELF_DATA and up to 64 KiB more */
};

/* A pointer that the dynamic linker would write. */
struct elf_pointer {
	uint64_t address, value;
};

enum {
	ELF_ROOM = 0x10000,  /* of each segment */
	ELF_CODE = 0x601000, /* address of the code; it lies at ELF_CODE_OFFSET in the file */
	ELF_CODE_OFFSET = 0x1000,
	ELF_DATA = 0x900000, /* likewise for read-only data */
	ELF_DATA_OFFSET = ELF_CODE_OFFSET + ELF_ROOM,
	ELF_SECTIONS_OFFSET = ELF_DATA_OFFSET + ELF_ROOM,
};

struct elf_file {
	const struct elf_piece *pieces;
	size_t piece_count;
	const struct elf_pointer *pointers;
	size_t pointer_count;
	const char *import;	 /* a function of another image; NULL for none */
	uint64_t import_pointer; /* where the dynamic linker would write its address */
	const char *comment;	 /* contents of .comment, with its NUL; NULL for none */
	size_t comment_size;
	const uint8_t *build_id; /* 20 bytes; NULL for none */
	int stripped;		 /* no .symtab */
};

/* What is put behind the segments, section after section. */
struct elf_writer {
	uint8_t *bytes;
	size_t size;
	Elf64_Shdr headers[12];
	size_t count;
	char names[128];
	size_t names_size;
};

static inline void elf_add_section(struct elf_writer *writer, const char *name, uint32_t type, uint32_t link,
				   const void *bytes, size_t size, size_t entry)
{
	size_t start = (writer->size + 7) / 8 * 8;

	writer->bytes = realloc(writer->bytes, start + size + 1);
	if (!writer->bytes)
		abort();
	memset(writer->bytes + writer->size, 0, start - writer->size);
	if (size)
		memcpy(writer->bytes + start, bytes, size);
	writer->size = start + size;
	writer->headers[writer->count++] = (Elf64_Shdr){.sh_name = (uint32_t)writer->names_size,
							.sh_type = type,
							.sh_offset = start,
							.sh_size = size,
							.sh_link = link,
							.sh_addralign = type == SHT_NOTE ? 4 : 8,
							.sh_entsize = entry};
	strcpy(writer->names + writer->names_size, name);
	writer->names_size += strlen(name) + 1;
}

static inline void elf_add_symbols(struct elf_writer *writer, const struct elf_file *file)
{
	Elf64_Sym *symbols = calloc(file->piece_count + 1, sizeof(*symbols));
	char *names = calloc(1, 1);
	size_t size = 1;

	for (size_t i = 0; i < file->piece_count; i++) {
		const struct elf_piece *piece = &file->pieces[i];
		const char *name = piece->name ? piece->name : "";

		symbols[i + 1] = (Elf64_Sym){.st_name = (uint32_t)size,
					     .st_info = ELF64_ST_INFO(STB_LOCAL, piece->name ? STT_FUNC : STT_OBJECT),
					     .st_shndx = 1,
					     .st_value = piece->address,
					     .st_size = (uint64_t)(piece->end - piece->bytes)};
		names = realloc(names, size + strlen(name) + 1);
		strcpy(names + size, name);
		size += strlen(name) + 1;
	}
	elf_add_section(writer, ".strtab", SHT_STRTAB, 0, names, size, 0);
	elf_add_section(writer, ".symtab", SHT_SYMTAB, (uint32_t)writer->count - 1, symbols,
			(file->piece_count + 1) * sizeof(*symbols), sizeof(*symbols));
	free(symbols);
	free(names);
}

static inline void elf_add_pointers(struct elf_writer *writer, const struct elf_file *file)
{
	Elf64_Rela *relocations = calloc(file->pointer_count + 1, sizeof(*relocations));

	for (size_t i = 0; i < file->pointer_count; i++)
		relocations[i] = (Elf64_Rela){.r_offset = file->pointers[i].address,
					      .r_info = ELF64_R_INFO(0, R_X86_64_RELATIVE),
					      .r_addend = (int64_t)file->pointers[i].value};
	elf_add_section(writer, ".rela.dyn", SHT_RELA, 0, relocations, file->pointer_count * sizeof(*relocations),
			sizeof(*relocations));
	free(relocations);
}

static inline void elf_add_import(struct elf_writer *writer, const char *name, uint64_t pointer)
{
	const Elf64_Sym symbols[] = {{0}, {.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)}};
	const Elf64_Rela relocation = {.r_offset = pointer, .r_info = ELF64_R_INFO(1, R_X86_64_JUMP_SLOT)};
	char names[64];

	snprintf(names, sizeof(names), "%c%s", '\0', name);
	elf_add_section(writer, ".dynstr", SHT_STRTAB, 0, names, strlen(name) + 2, 0);
	elf_add_section(writer, ".dynsym", SHT_DYNSYM, (uint32_t)writer->count - 1, symbols, sizeof(symbols),
			sizeof(*symbols));
	elf_add_section(writer, ".rela.plt", SHT_RELA, (uint32_t)writer->count - 1, &relocation, sizeof(relocation),
			sizeof(relocation));
}

static inline void elf_add_build_id(struct elf_writer *writer, const uint8_t *build_id)
{
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[20];
	} note = {{4, 20, NT_GNU_BUILD_ID}, "GNU", {0}};

	memcpy(note.id, build_id, sizeof(note.id));
	elf_add_section(writer, ".note.gnu.build-id", SHT_NOTE, 0, &note, sizeof(note), 0);
}

/* Returns the file's bytes, to be freed, and their number. */
static inline uint8_t *elf_bytes(const struct elf_file *file, size_t *size)
{
	struct elf_writer writer = {.bytes = calloc(1, ELF_SECTIONS_OFFSET), .size = ELF_SECTIONS_OFFSET};
	const Elf64_Phdr segments[] = {
	    {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = ELF_CODE_OFFSET, .p_vaddr = ELF_CODE},
	    {.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = ELF_DATA_OFFSET, .p_vaddr = ELF_DATA},
	};
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			     .e_type = ET_DYN,
			     .e_machine = EM_X86_64,
			     .e_version = EV_CURRENT,
			     .e_phoff = sizeof(header),
			     .e_ehsize = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = 2,
			     .e_shentsize = sizeof(Elf64_Shdr)};

	for (size_t i = 0; i < file->piece_count; i++) {
		const struct elf_piece *piece = &file->pieces[i];
		uint64_t offset = piece->address >= ELF_DATA ? piece->address - ELF_DATA + ELF_DATA_OFFSET
							     : piece->address - ELF_CODE + ELF_CODE_OFFSET;

		memcpy(writer.bytes + offset, piece->bytes, (size_t)(piece->end - piece->bytes));
	}
	writer.headers[writer.count++] = (Elf64_Shdr){0};
	writer.names_size = 1;
	if (!file->stripped)
		elf_add_symbols(&writer, file);
	elf_add_pointers(&writer, file);
	if (file->import)
		elf_add_import(&writer, file->import, file->import_pointer);
	if (file->comment)
		elf_add_section(&writer, ".comment", SHT_PROGBITS, 0, file->comment, file->comment_size, 0);
	if (file->build_id)
		elf_add_build_id(&writer, file->build_id);
	header.e_shstrndx = (uint16_t)writer.count;
	elf_add_section(&writer, ".shstrtab", SHT_STRTAB, 0, writer.names, sizeof(writer.names), 0);
	*size = (writer.size + 7) / 8 * 8;
	header.e_shoff = *size;
	header.e_shnum = (uint16_t)writer.count;
	writer.bytes = realloc(writer.bytes, *size + writer.count * sizeof(Elf64_Shdr));
	memset(writer.bytes + writer.size, 0, *size - writer.size);
	memcpy(writer.bytes + *size, writer.headers, writer.count * sizeof(Elf64_Shdr));
	*size += writer.count * sizeof(Elf64_Shdr);
	memcpy(writer.bytes, &header, sizeof(header));
	for (size_t i = 0; i < 2; i++) {
		Elf64_Phdr segment = segments[i];

		segment.p_filesz = segment.p_memsz = ELF_ROOM;
		memcpy(writer.bytes + sizeof(header) + i * sizeof(segment), &segment, sizeof(segment));
	}
	return writer.bytes;
}

/* A file of the test's own, made by the first call and overwritten by each; removed at its end. */
static char elf_path[] = "/tmp/querytap-elf-XXXXXX";

static inline void elf_remove(void)
{
	unlink(elf_path);
}

static inline const char *elf_put(const uint8_t *bytes, size_t size)
{
	static int made;
	int fd = made ? open(elf_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : mkstemp(elf_path);

	if (!made)
		atexit(elf_remove);
	made = 1;
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd) < 0) {
		perror(elf_path);
		abort();
	}
	return elf_path;
}

static inline const char *elf_put_file(const struct elf_file *file)
{
	size_t size;
	uint8_t *bytes = elf_bytes(file, &size);
	const char *path = elf_put(bytes, size);

	free(bytes);
	return path;
}

#endif
