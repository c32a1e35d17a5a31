/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Names of a few functions among many: a compiler has 25 MiB of symbols, so they are read in pieces, in one pass over
 * the table, and only of those that are asked for the names as well.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/elf.h"

/* What is longer is no name. */
enum { SYMBOLS_AT_ONCE = 2048, NAME_PIECE = 256, MAX_NAME = 1024 * 1024 };

/* An address, and the last function that begins there or before. */
struct wanted {
	uint64_t address;
	Elf64_Sym symbol; /* st_size 0: none so far */
	size_t number;	  /* among the offsets */
};

static int by_address(const void *a, const void *b)
{
	const struct wanted *left = a, *right = b;

	return (left->address > right->address) - (left->address < right->address);
}

/* Fills in where the offsets are loaded to, by rising address. Returns how many are code. */
static size_t list_wanted(const struct image *image, const uint64_t *offsets, size_t count, struct wanted *wanted)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		wanted[found] = (struct wanted){.number = i};
		if (image_code_address(image, offsets[i], &wanted[found].address))
			found++;
	}
	qsort(wanted, found, sizeof(*wanted), by_address);
	return found;
}

/* Notes the symbol at the first address that is not before it; of those at one place the last one holds. */
static void meet_symbol(struct wanted *wanted, size_t count, const Elf64_Sym *symbol, uint64_t names)
{
	size_t low = 0, high = count;

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF || !symbol->st_size ||
	    !symbol->st_name || symbol->st_name >= names)
		return;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wanted[middle].address < symbol->st_value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < count && (!wanted[low].symbol.st_size || symbol->st_value >= wanted[low].symbol.st_value))
		wanted[low].symbol = *symbol;
}

/* Reads all symbols. Returns false if memory runs out. */
static bool meet_symbols(const struct image *image, const struct image_part *symbols, uint64_t names,
			 struct wanted *wanted, size_t count)
{
	Elf64_Sym *piece = malloc(SYMBOLS_AT_ONCE * sizeof(*piece));
	uint64_t left = symbols->size / sizeof(*piece), offset = symbols->offset;
	size_t got = SYMBOLS_AT_ONCE;

	for (; piece && left && got == SYMBOLS_AT_ONCE; left -= got, offset += got * sizeof(*piece)) {
		size_t most = left < SYMBOLS_AT_ONCE ? (size_t)left : SYMBOLS_AT_ONCE;

		got = image_read(image, offset, piece, most * sizeof(*piece)) / sizeof(*piece);
		for (size_t i = 0; i < got; i++)
			meet_symbol(wanted, count, &piece[i], names);
	}
	free(piece);
	/* What begins before an address begins before the next one, too. */
	for (size_t i = 1; piece && i < count; i++)
		if (!wanted[i].symbol.st_size)
			wanted[i].symbol = wanted[i - 1].symbol;
	return piece;
}

/* Sets *name to the text at `at` of the strings; NULL if it is empty or has no end. Returns false if memory runs out.
 */
static bool read_name(const struct image *image, const struct image_part *strings, uint64_t at, char **name)
{
	char *text = NULL;
	size_t size = 0, got, length;

	do {
		uint64_t left = strings->size - at - size;
		char *grown = realloc(text, size + NAME_PIECE);

		if (!grown) {
			free(text);
			return false;
		}
		text = grown;
		got = image_read(image, strings->offset + at + size, text + size,
				 left < NAME_PIECE ? (size_t)left : NAME_PIECE);
		length = strnlen(text + size, got);
		size += length;
	} while (length == NAME_PIECE && size < MAX_NAME);
	*name = length < got && size ? text : NULL;
	if (!*name)
		free(text);
	return true;
}

/* Reads the name of the function at a place, which is often that at the place before. Returns false likewise. */
static bool name_one(const struct image *image, const struct image_part *strings, const struct wanted *at,
		     const struct wanted *before, char **names)
{
	char **name = &names[at->number];

	if (!at->symbol.st_size || at->address - at->symbol.st_value >= at->symbol.st_size)
		return true;
	if (!before || before->symbol.st_name != at->symbol.st_name || !names[before->number])
		return read_name(image, strings, at->symbol.st_name, name);
	*name = strdup(names[before->number]);
	return *name;
}

int image_name_functions(const struct image *image, const struct image *symbols, const uint64_t *offsets, size_t count,
			 char **names)
{
	struct wanted *wanted = calloc(count + 1, sizeof(*wanted));
	struct image_part table, strings;
	size_t found = wanted ? list_wanted(image, offsets, count, wanted) : 0;
	bool done = wanted;

	for (size_t i = 0; i < count; i++)
		names[i] = NULL;
	if (found && image_symbol_table(symbols, &table, &strings))
		done = meet_symbols(symbols, &table, strings.size, wanted, found);
	else
		found = 0;
	for (size_t i = 0; i < found && done; i++)
		done = name_one(symbols, &strings, &wanted[i], i ? &wanted[i - 1] : NULL, names);
	for (size_t i = 0; i < count && !done; i++) {
		free(names[i]);
		names[i] = NULL;
	}
	free(wanted);
	return done ? 0 : -ENOMEM;
}
