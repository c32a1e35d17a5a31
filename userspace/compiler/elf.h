/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* An ELF object that holds compiler code: its bytes, its symbols, and where an address lies in the file. */
#ifndef QUERYTAP_COMPILER_ELF_H
#define QUERYTAP_COMPILER_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct image;

/* A function symbol. `name` is the mangled name, borrowed from the image. */
struct image_symbol {
	const char *name;
	uint64_t address;
	uint64_t size;
};

/* A pointer that the dynamic linker fills in with an address in the image. */
struct image_pointer {
	uint64_t address, value;
};

/* Maps `path` for reading. On success *out is owned by the caller (image_close). -ENOEXEC if it is no x86-64 ELF. */
int image_open(const char *path, struct image **out, struct error *err);
/* The same for what is open as `fd`, which stays the caller's; the path is for sentences only. A negative one is none.
 */
int image_open_fd(int fd, const char *path, struct image **out, struct error *err);
/*
 * The same for a file with the debugging information of another: it has that one's program headers, but not what they
 * point to, so only its symbols and its build id can be asked for.
 */
int image_open_debug_file(int fd, const char *path, struct image **out, struct error *err);
void image_close(struct image *image);

/* The file's size in bytes. */
uint64_t image_size(const struct image *image);

/* Reads symbols and relocations; before it there are none. */
int image_read_symbols(struct image *image, struct error *err);

/* The sized function symbols of .symtab, or of .dynsym where there is no .symtab; borrowed. */
const struct image_symbol *image_symbols(const struct image *image, size_t *count);

/* Whether the image still has its .symtab. */
int image_has_symtab(const struct image *image);

/* The size of the function that starts at `address`, or 0 if no symbol does. */
uint64_t image_function_size(const struct image *image, uint64_t address);

/* The function that the code at a file offset is in; NULL where no symbol says. */
const struct image_symbol *image_function_at(const struct image *image, uint64_t offset);

/* The address of the code at a file offset; false where no code is. */
bool image_code_address(const struct image *image, uint64_t offset, uint64_t *address);

/*
 * Names the functions that the code at file offsets is in, as image_function_at does, but without image_read_symbols:
 * the symbols, which are those of `symbols`, the same file or that of its debugging information, are read once, piece
 * by piece, and none are kept. names[i] is set to a mangled name, which the caller frees, or to NULL where no symbol
 * says. Returns 0, or -ENOMEM with all names NULL.
 */
int image_name_functions(const struct image *image, const struct image *symbols, const uint64_t *offsets, size_t count,
			 char **names);

/* Borrowed bytes at `address` in a segment of the file, with *available bytes behind it; NULL where nothing is. */
const uint8_t *image_bytes(const struct image *image, uint64_t address, size_t *available);

/* Borrowed bytes at a file offset in an executable segment, likewise. */
const uint8_t *image_file_code(const struct image *image, uint64_t offset, size_t *available);

/* All pointers into the image that the dynamic linker fills in, by rising address; borrowed. */
const struct image_pointer *image_pointers(const struct image *image, size_t *count);

/* What the dynamic linker writes into the pointer at `address` (a GOT slot), if it points into this image; else 0. */
uint64_t image_pointer(const struct image *image, uint64_t address);

/* The name of the function of another image whose address the dynamic linker writes to `address`, or NULL. */
const char *image_import(const struct image *image, uint64_t address);

/*
 * A byte for each function, 0 at first, in which whoever decodes functions may keep what it found out. NULL if no
 * symbol starts at `address`.
 */
uint8_t *image_mark(const struct image *image, uint64_t address);

/* The address of the first program header of `type` (PT_*), or of the section `name`, and its size; false if it has
 * none. */
bool image_header(const struct image *image, uint32_t type, uint64_t *address, uint64_t *size);
bool image_section(const struct image *image, const char *name, uint64_t *address, uint64_t *size);

/* A stretch of the file, bytes. */
struct image_part {
	uint64_t offset, size;
};

/*
 * Where the file has its table of symbols (Elf64_Sym) and their names: .symtab, or .dynsym where there is none. False
 * if it has neither. The file may end before they do.
 */
bool image_symbol_table(const struct image *image, struct image_part *symbols, struct image_part *strings);

/* Reads up to `size` bytes of the file without mapping them. Returns how many; fewer at its end, or if that fails. */
size_t image_read(const struct image *image, uint64_t offset, void *to, size_t size);

/* Gives back the memory of the pages that were looked at so far; those looked at again are mapped again. */
void image_drop(const struct image *image);

/* The address where the program begins; 0 for a library. */
uint64_t image_entry(const struct image *image);

/* The file offset of `address`, or UINT64_MAX. Segments need not lie at the offset of their address. */
uint64_t image_file_offset(const struct image *image, uint64_t address);

/*
 * Writes an identity of at least 32 hex digits into `id`: the GNU build id where the linker left one, else a hash over
 * the headers, the notes and rustc's own metadata section, which holds the hash of everything it was made from.
 * rustup's compilers come without a build id.
 */
void image_build_id(const struct image *image, char id[65]);

/* Copies the "rustc version ..." line of .comment without its prefix, or "unknown". */
void image_version(const struct image *image, char *version, size_t size);

#endif
