/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEGMENTS 16

struct segment {
	uint64_t address, offset, size;
	bool executable;
};

/* A pointer that the dynamic linker fills in with something of another image. */
struct import {
	uint64_t address;
	const char *name;
};

struct image {
	int fd;
	char *path;
	uint8_t *bytes;
	size_t size;
	Elf *elf;
	struct segment segments[MAX_SEGMENTS];
	size_t segment_count;
	struct image_symbol *symbols; /* by rising address */
	size_t symbol_count;
	uint8_t *marks;			/* one for each symbol */
	struct image_pointer *pointers; /* by rising address */
	size_t pointer_count;
	struct import *imports; /* by rising address */
	size_t import_count;
	bool has_symtab;
};

static Elf_Scn *find_section(const struct image *image, uint32_t type, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(image->elf, &names) < 0)
		return NULL;
	while ((section = elf_nextscn(image->elf, section))) {
		const char *section_name;

		if (!gelf_getshdr(section, header))
			continue;
		if (type != SHT_NULL && header->sh_type != type)
			continue;
		section_name = elf_strptr(image->elf, names, header->sh_name);
		if (!name || (section_name && !strcmp(section_name, name)))
			return section;
	}
	return NULL;
}

static int read_segments(struct image *image)
{
	size_t count;

	if (elf_getphdrnum(image->elf, &count) < 0)
		return -ENOEXEC;
	for (size_t i = 0; i < count && image->segment_count < MAX_SEGMENTS; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(image->elf, (int)i, &header) || header.p_type != PT_LOAD)
			continue;
		if (header.p_offset > image->size || header.p_filesz > image->size - header.p_offset)
			return -ENOEXEC;
		image->segments[image->segment_count++] =
		    (struct segment){header.p_vaddr, header.p_offset, header.p_filesz, header.p_flags & PF_X};
	}
	return 0;
}

static int symbols_by_address(const void *a, const void *b)
{
	const struct image_symbol *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

static int pointers_by_address(const void *a, const void *b)
{
	const struct image_pointer *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

static size_t count_imports(Elf_Data *data, size_t count)
{
	size_t imports = 0;

	for (size_t i = 0; i < count; i++) {
		GElf_Rela rela;

		imports += gelf_getrela(data, (int)i, &rela) && (GELF_R_TYPE(rela.r_info) == R_X86_64_GLOB_DAT ||
								 GELF_R_TYPE(rela.r_info) == R_X86_64_JUMP_SLOT);
	}
	return imports;
}

static int imports_by_address(const void *a, const void *b)
{
	const struct import *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

static void add_import(struct image *image, uint64_t address, const char *name)
{
	if (name)
		image->imports[image->import_count++] = (struct import){address, name};
}

/* Reads the relocations of one section that make pointers into this image or name functions of others. */
static int read_relocations(struct image *image, const char *name)
{
	GElf_Shdr header, symbols;
	Elf_Scn *section = find_section(image, SHT_RELA, name, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	Elf_Scn *linked = section ? elf_getscn(image->elf, header.sh_link) : NULL;
	Elf_Data *symbol_data = linked && gelf_getshdr(linked, &symbols) ? elf_getdata(linked, NULL) : NULL;
	size_t count = data && header.sh_entsize ? data->d_size / header.sh_entsize : 0;
	struct image_pointer *grown = realloc(image->pointers, (image->pointer_count + count + 1) * sizeof(*grown));
	struct import *more;

	if (!grown)
		return -ENOMEM;
	image->pointers = grown;
	more = realloc(image->imports, (image->import_count + count_imports(data, count) + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	image->imports = more;
	for (size_t i = 0; i < count; i++) {
		GElf_Rela rela;
		GElf_Sym symbol;
		uint64_t value = 0;

		if (!gelf_getrela(data, (int)i, &rela))
			continue;
		if (GELF_R_TYPE(rela.r_info) == R_X86_64_RELATIVE)
			value = (uint64_t)rela.r_addend;
		else if ((GELF_R_TYPE(rela.r_info) == R_X86_64_GLOB_DAT ||
			  GELF_R_TYPE(rela.r_info) == R_X86_64_JUMP_SLOT) &&
			 symbol_data && gelf_getsym(symbol_data, (int)GELF_R_SYM(rela.r_info), &symbol))
			value = symbol.st_value;
		else
			continue;
		if (value)
			image->pointers[image->pointer_count++] = (struct image_pointer){rela.r_offset, value};
		else if (GELF_R_TYPE(rela.r_info) != R_X86_64_RELATIVE)
			add_import(image, rela.r_offset, elf_strptr(image->elf, symbols.sh_link, symbol.st_name));
	}
	return 0;
}

static int read_pointers(struct image *image)
{
	if (read_relocations(image, ".rela.dyn") < 0 || read_relocations(image, ".rela.plt") < 0)
		return -ENOMEM;
	qsort(image->pointers, image->pointer_count, sizeof(*image->pointers), pointers_by_address);
	qsort(image->imports, image->import_count, sizeof(*image->imports), imports_by_address);
	return 0;
}

static int read_symbols(struct image *image)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(image, SHT_SYMTAB, NULL, &header);
	Elf_Data *data;
	size_t count;

	image->has_symtab = section != NULL;
	if (!section)
		section = find_section(image, SHT_DYNSYM, NULL, &header);
	if (!section || !header.sh_entsize)
		return 0;
	data = elf_getdata(section, NULL);
	if (!data)
		return -ENOEXEC;
	count = data->d_size / header.sh_entsize;
	image->symbols = calloc(count ? count : 1, sizeof(*image->symbols));
	image->marks = calloc(count ? count : 1, sizeof(*image->marks));
	if (!image->symbols || !image->marks)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol) || GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
		    symbol.st_shndx == SHN_UNDEF || !symbol.st_size)
			continue;
		name = elf_strptr(image->elf, header.sh_link, symbol.st_name);
		if (name && *name)
			image->symbols[image->symbol_count++] =
			    (struct image_symbol){name, symbol.st_value, symbol.st_size};
	}
	qsort(image->symbols, image->symbol_count, sizeof(*image->symbols), symbols_by_address);
	return 0;
}

static int map_image(struct image *image, const char *path, struct error *err)
{
	struct stat status;
	GElf_Ehdr header;

	if (image->fd < 0)
		image->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->fd < 0 || fstat(image->fd, &status) < 0)
		return error_set(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_size < (off_t)sizeof(Elf64_Ehdr))
		return error_set(err, ENOEXEC, "%s is not an ELF file", path);
	image->size = (size_t)status.st_size;
	/*
	 * Shared, because the kernel puts breakpoints into every private mapping of a file that has uprobes: with
	 * another querytap recording, that one's sites would read as int3 here.
	 */
	image->bytes = mmap(NULL, image->size, PROT_READ, MAP_SHARED, image->fd, 0);
	if (image->bytes == MAP_FAILED) {
		image->bytes = NULL;
		return error_set(err, errno, "cannot map %s: %s", path, strerror(errno));
	}
	elf_version(EV_CURRENT);
	image->elf = elf_memory((char *)image->bytes, image->size);
	if (!image->elf || !gelf_getehdr(image->elf, &header))
		return error_set(err, ENOEXEC, "%s is not an ELF file", path);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
		return error_set(err, ENOEXEC, "%s is not an x86-64 ELF file; querytap knows no other machine yet",
				 path);
	return 0;
}

int image_read_symbols(struct image *image, struct error *err)
{
	if (read_symbols(image) < 0)
		return error_set(err, ENOEXEC, "%s: its symbol table cannot be read: %s", image->path, elf_errmsg(-1));
	if (read_pointers(image) < 0)
		return error_set(err, ENOMEM, "out of memory reading %s", image->path);
	return 0;
}

int image_open(const char *path, struct image **out, struct error *err)
{
	return image_open_fd(-1, path, out, err);
}

int image_open_fd(int fd, const char *path, struct image **out, struct error *err)
{
	int code = image_open_debug_file(fd, path, out, err);

	if (code == 0 && read_segments(*out) < 0) {
		image_close(*out);
		*out = NULL;
		code = error_set(err, ENOEXEC, "%s: its program headers point outside the file", path);
	}
	return code;
}

int image_open_debug_file(int fd, const char *path, struct image **out, struct error *err)
{
	struct image *image = calloc(1, sizeof(*image));
	int code;

	*out = NULL;
	if (!image)
		return error_set(err, ENOMEM, "out of memory reading %s", path);
	image->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && image->fd < 0) {
		free(image);
		return error_set(err, errno, "cannot open %s: %s", path, strerror(errno));
	}
	image->path = strdup(path);
	code = image->path ? map_image(image, path, err) : error_set(err, ENOMEM, "out of memory reading %s", path);
	if (code < 0) {
		image_close(image);
		return code;
	}
	*out = image;
	return 0;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	if (image->elf)
		elf_end(image->elf);
	if (image->bytes)
		munmap(image->bytes, image->size);
	if (image->fd >= 0)
		close(image->fd);
	free(image->symbols);
	free(image->marks);
	free(image->imports);
	free(image->pointers);
	free(image->path);
	free(image);
}

uint64_t image_size(const struct image *image)
{
	return image->size;
}

const struct image_symbol *image_symbols(const struct image *image, size_t *count)
{
	*count = image->symbol_count;
	return image->symbols;
}

int image_has_symtab(const struct image *image)
{
	return image->has_symtab;
}

static const struct image_symbol *symbol_at(const struct image *image, uint64_t address)
{
	struct image_symbol key = {.address = address};

	return image->symbol_count ? bsearch(&key, image->symbols, image->symbol_count, sizeof(key), symbols_by_address)
				   : NULL;
}

uint64_t image_function_size(const struct image *image, uint64_t address)
{
	const struct image_symbol *found = symbol_at(image, address);

	return found ? found->size : 0;
}

/* The last function that begins at `address` or before it. */
static const struct image_symbol *symbol_before(const struct image *image, uint64_t address)
{
	size_t low = 0, high = image->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &image->symbols[low - 1] : NULL;
}

bool image_code_address(const struct image *image, uint64_t offset, uint64_t *address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];

		if (!segment->executable || offset < segment->offset || offset - segment->offset >= segment->size)
			continue;
		*address = offset - segment->offset + segment->address;
		return true;
	}
	return false;
}

const struct image_symbol *image_function_at(const struct image *image, uint64_t offset)
{
	const struct image_symbol *symbol;
	uint64_t address;

	if (!image_code_address(image, offset, &address))
		return NULL;
	symbol = symbol_before(image, address);
	return symbol && address - symbol->address < symbol->size ? symbol : NULL;
}

uint8_t *image_mark(const struct image *image, uint64_t address)
{
	const struct image_symbol *found = symbol_at(image, address);

	return found ? &image->marks[found - image->symbols] : NULL;
}

const char *image_import(const struct image *image, uint64_t address)
{
	struct import key = {.address = address};
	const struct import *found =
	    image->import_count ? bsearch(&key, image->imports, image->import_count, sizeof(key), imports_by_address)
				: NULL;

	return found ? found->name : NULL;
}

const struct image_pointer *image_pointers(const struct image *image, size_t *count)
{
	*count = image->pointer_count;
	return image->pointers;
}

uint64_t image_pointer(const struct image *image, uint64_t address)
{
	struct image_pointer key = {.address = address};
	const struct image_pointer *found = image->pointer_count ? bsearch(&key, image->pointers, image->pointer_count,
									   sizeof(key), pointers_by_address)
								 : NULL;

	return found ? found->value : 0;
}

static const struct segment *segment_of(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];

		if (address >= segment->address && address - segment->address < segment->size)
			return segment;
	}
	return NULL;
}

const uint8_t *image_bytes(const struct image *image, uint64_t address, size_t *available)
{
	const struct segment *segment = segment_of(image, address);

	if (!segment)
		return NULL;
	*available = segment->size - (address - segment->address);
	return image->bytes + segment->offset + (address - segment->address);
}

const uint8_t *image_file_code(const struct image *image, uint64_t offset, size_t *available)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];

		if (!segment->executable || offset < segment->offset || offset - segment->offset >= segment->size)
			continue;
		*available = segment->size - (offset - segment->offset);
		return image->bytes + offset;
	}
	return NULL;
}

bool image_header(const struct image *image, uint32_t type, uint64_t *address, uint64_t *size)
{
	GElf_Phdr header;
	size_t count;

	if (elf_getphdrnum(image->elf, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(image->elf, (int)i, &header) || header.p_type != type)
			continue;
		*address = header.p_vaddr;
		*size = header.p_filesz;
		return true;
	}
	return false;
}

bool image_section(const struct image *image, const char *name, uint64_t *address, uint64_t *size)
{
	GElf_Shdr header;

	if (!find_section(image, SHT_NULL, name, &header))
		return false;
	*address = header.sh_addr;
	*size = header.sh_size;
	return true;
}

bool image_symbol_table(const struct image *image, struct image_part *symbols, struct image_part *strings)
{
	GElf_Shdr header, linked;
	Elf_Scn *section = find_section(image, SHT_SYMTAB, NULL, &header), *names;

	if (!section)
		section = find_section(image, SHT_DYNSYM, NULL, &header);
	names = section ? elf_getscn(image->elf, header.sh_link) : NULL;
	if (!names || !gelf_getshdr(names, &linked) || header.sh_entsize != sizeof(Elf64_Sym) ||
	    linked.sh_type != SHT_STRTAB)
		return false;
	*symbols = (struct image_part){header.sh_offset, header.sh_size};
	*strings = (struct image_part){linked.sh_offset, linked.sh_size};
	return true;
}

size_t image_read(const struct image *image, uint64_t offset, void *to, size_t size)
{
	size_t done = 0;
	ssize_t got;

	do {
		got = pread(image->fd, (char *)to + done, size - done, (off_t)(offset + done));
		done += got > 0 ? (size_t)got : 0;
	} while (done < size && (got > 0 || (got < 0 && errno == EINTR)));
	return done;
}

void image_drop(const struct image *image)
{
	madvise(image->bytes, image->size, MADV_DONTNEED);
}

uint64_t image_entry(const struct image *image)
{
	GElf_Ehdr header;

	return gelf_getehdr(image->elf, &header) ? header.e_entry : 0;
}

uint64_t image_file_offset(const struct image *image, uint64_t address)
{
	const struct segment *segment = segment_of(image, address);

	return segment && segment->executable ? segment->offset + (address - segment->address) : UINT64_MAX;
}

/* FNV-1a: identifies, does not authenticate. http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t fnv1a(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3;
	return hash;
}

static bool gnu_build_id(const struct image *image, char id[65])
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(image, SHT_NOTE, ".note.gnu.build-id", &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Nhdr note;
	size_t name, description;

	if (!data || !gelf_getnote(data, 0, &note, &name, &description) || note.n_type != NT_GNU_BUILD_ID ||
	    note.n_descsz < 16 || note.n_descsz > 32)
		return false;
	for (size_t i = 0; i < note.n_descsz; i++)
		sprintf(id + 2 * i, "%02x", ((const uint8_t *)data->d_buf)[description + i]);
	return true;
}

void image_build_id(const struct image *image, char id[65])
{
	static const char *const named[] = {".rustc", ".comment", ".note.bolt_info", ".dynsym"};
	uint64_t low = 0xcbf29ce484222325, high = 0x84222325cbf29ce4;

	if (gnu_build_id(image, id))
		return;
	low = fnv1a(low, image->bytes, sizeof(Elf64_Ehdr));
	high = fnv1a(high, &image->size, sizeof(image->size));
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		GElf_Shdr header;
		Elf_Scn *section = find_section(image, SHT_NULL, named[i], &header);
		Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;

		if (!data || !data->d_buf)
			continue;
		low = fnv1a(low, data->d_buf, data->d_size);
		high = fnv1a(high ^ low, data->d_buf, data->d_size);
	}
	for (size_t i = 0; i < image->segment_count; i++) {
		high = fnv1a(high, &image->segments[i].address, sizeof(image->segments[i].address));
		high = fnv1a(high, &image->segments[i].size, sizeof(image->segments[i].size));
	}
	snprintf(id, 65, "%016llx%016llx", (unsigned long long)high, (unsigned long long)low);
}

void image_version(const struct image *image, char *version, size_t size)
{
	static const char prefix[] = "rustc version ";
	GElf_Shdr header;
	Elf_Scn *section = find_section(image, SHT_NULL, ".comment", &header);
	Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	const char *at = data ? data->d_buf : NULL;
	const char *end = at ? at + data->d_size : NULL;

	snprintf(version, size, "unknown");
	while (at && at < end) {
		size_t length = strnlen(at, (size_t)(end - at));

		if (length > sizeof(prefix) - 1 && !memcmp(at, prefix, sizeof(prefix) - 1)) {
			snprintf(version, size, "%.*s", (int)(length - (sizeof(prefix) - 1)), at + sizeof(prefix) - 1);
			return;
		}
		at += length + 1;
	}
}
