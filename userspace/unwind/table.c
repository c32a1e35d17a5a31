/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From an object's call frame information to its table. */
#include "unwind/unwind.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/table.h"
#include "compiler/elf.h"
#include "unwind/cfi.h"
#include "unwind/private.h"

/* A stretch of code, and the address of its FDE, or its rule if it has none. */
struct function {
	uint64_t place, size; /* file offset */
	uint64_t entry, rule;
};

/* The rules met so far, and by which number a rule is known: open addressing, half of it stays free. */
struct rules {
	uint64_t *list;
	size_t count;
	uint32_t *slots; /* numbers, counted from 1 */
};

enum { RULE_SLOTS = 2 * TABLE_MAX_RULES, ENTRY_SIZE = 64 };

struct row {
	uint64_t place;
	uint32_t rule;
};

struct maker {
	struct image *image;
	struct function *functions;
	size_t function_count, function_room;
	struct rules rules;
	struct row *rows;
	size_t row_count, row_room;
	uint64_t from, end;  /* of the function at hand, file offsets */
	uint64_t difference; /* its file offset less its address */
	size_t left_out;
	bool failed; /* out of memory */
};

static struct cfi_bytes bytes_at(const void *object, uint64_t address)
{
	size_t available = 0;
	const uint8_t *bytes = image_bytes(object, address, &available);

	return (struct cfi_bytes){bytes, bytes ? bytes + available : NULL, address, !bytes};
}

/* Makes room for one more of what `*list` has. */
static bool grow(void **list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 1024;
	void *grown;

	if (count < *room)
		return true;
	grown = realloc(*list, more * size);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

/* ---- functions ---- */

/* Notes a stretch of code, as far as it is in the file: linkers leave FDEs of code that they dropped. */
static bool note(struct maker *maker, struct function function)
{
	size_t available;

	if (!image_file_code(maker->image, function.place, &available) || !function.size)
		return true;
	if (function.size > available)
		function.size = available;
	if (!grow((void **)&maker->functions, maker->function_count, &maker->function_room,
		  sizeof(*maker->functions))) {
		maker->failed = true;
		return false;
	}
	maker->functions[maker->function_count++] = function;
	return true;
}

/* Takes one entry off the front of `bytes` and notes it. Returns false at the end of the section. */
static bool add_function(struct maker *maker, struct cfi_bytes *bytes)
{
	uint64_t entry = bytes->address;
	struct cfi_function function;
	enum cfi_entry kind = cfi_read(bytes, bytes_at, maker->image, &function);

	if (kind != CFI_FUNCTION) {
		maker->left_out += kind == CFI_BAD;
		return kind != CFI_LAST && !bytes->bad;
	}
	return note(maker, (struct function){image_file_offset(maker->image, function.start), function.size, entry, 0});
}

/*
 * Notes what the binary search table of .eh_frame_hdr lists, which is what exceptions are unwound by. Returns false if
 * there is no such table.
 */
static bool list_by_index(struct maker *maker)
{
	uint64_t address, size, count;
	struct cfi_bytes index;
	uint8_t encodings[4];

	if (!image_header(maker->image, PT_GNU_EH_FRAME, &address, &size))
		return false;
	index = bytes_at(maker->image, address);
	if (!index.at || (size_t)(index.end - index.at) < sizeof(encodings))
		return false;
	memcpy(encodings, index.at, sizeof(encodings));
	index.at += sizeof(encodings);
	index.address += sizeof(encodings);
	if (encodings[0] != 1 || encodings[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
		return false;
	cfi_pointer(&index, encodings[1], address);
	count = cfi_pointer(&index, encodings[2], address);
	for (uint64_t i = 0; i < count && !maker->failed; i++) {
		struct cfi_bytes entry;

		cfi_pointer(&index, encodings[3], address);
		entry = bytes_at(maker->image, cfi_pointer(&index, encodings[3], address));
		if (index.bad) {
			maker->left_out += (size_t)(count - i);
			break;
		}
		if (entry.at)
			add_function(maker, &entry);
		else
			maker->left_out++;
	}
	return count > 0;
}

/* Notes all entries of the section. Returns false if there is none. */
static bool list_by_section(struct maker *maker)
{
	uint64_t address, size;
	struct cfi_bytes bytes;

	if (!image_section(maker->image, ".eh_frame", &address, &size))
		return false;
	bytes = bytes_at(maker->image, address);
	if (!bytes.at)
		return false;
	if (size < (uint64_t)(bytes.end - bytes.at))
		bytes.end = bytes.at + size;
	while (bytes.at < bytes.end && add_function(maker, &bytes))
		;
	return true;
}

/*
 * Notes what linkers and libcs leave undescribed: the entry of the dynamic linker, where threads begin, and stubs that
 * jump on to functions of other objects, with a word more on the stack before their second jump.
 */
static void list_undescribed(struct maker *maker)
{
	static const char *const stubs[] = {".plt", ".plt.sec", ".plt.got"};
	uint64_t address = image_entry(maker->image), size;

	if (address)
		note(maker, (struct function){image_file_offset(maker->image, address), ENTRY_SIZE, 0,
					      TABLE_RULE(CFA_END, 0, RBP_SAME, 0)});
	for (size_t i = 0; i < sizeof(stubs) / sizeof(*stubs); i++)
		if (image_section(maker->image, stubs[i], &address, &size))
			note(maker, (struct function){image_file_offset(maker->image, address), size, 0,
						      TABLE_RULE(i ? CFA_RSP : CFA_PLT, 8, RBP_SAME, i ? 0 : 11)});
}

/* By rising place; of those at one place what is described comes last, and holds. */
static int functions_by_place(const void *a, const void *b)
{
	const struct function *left = a, *right = b;

	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	return left->entry < right->entry ? -1 : left->entry > right->entry;
}

/* ---- rows ---- */

/* The rule's number. Where there are too many, nothing is known of those that come last. */
static uint32_t rule_number(struct rules *rules, uint64_t rule)
{
	uint64_t slot = rule * 0x9e3779b97f4a7c15 >> 47;

	for (; rules->slots[slot % RULE_SLOTS]; slot++)
		if (rules->list[rules->slots[slot % RULE_SLOTS] - 1] == rule)
			return rules->slots[slot % RULE_SLOTS] - 1;
	if (rules->count == TABLE_MAX_RULES)
		return 0;
	rules->list[rules->count++] = rule;
	rules->slots[slot % RULE_SLOTS] = (uint32_t)rules->count;
	return (uint32_t)rules->count - 1;
}

/* From `place` on the rule holds, which replaces what was said of that place. */
static void set_rule(struct maker *maker, uint64_t place, uint32_t rule)
{
	if (maker->row_count && maker->rows[maker->row_count - 1].place == place)
		maker->row_count--;
	if (maker->row_count && maker->rows[maker->row_count - 1].rule == rule)
		return;
	if (!grow((void **)&maker->rows, maker->row_count, &maker->row_room, sizeof(*maker->rows))) {
		maker->failed = true;
		return;
	}
	maker->rows[maker->row_count++] = (struct row){place, rule};
}

static void add_row(void *context, uint64_t address, uint64_t rule)
{
	struct maker *maker = context;
	uint64_t place = address + maker->difference;

	if (place < maker->from || place >= maker->end)
		return;
	maker->from = place;
	set_rule(maker, place, rule_number(&maker->rules, rule));
}

/* Adds the rows of a function, up to the beginning of the next one. */
static void add_rows(struct maker *maker, const struct function *at, uint64_t next)
{
	struct cfi_bytes entry = bytes_at(maker->image, at->entry);
	size_t rows = maker->row_count;
	struct cfi_function function;

	maker->from = at->place;
	maker->end = at->size < next - at->place ? at->place + at->size : next;
	if (!at->entry)
		set_rule(maker, at->place, rule_number(&maker->rules, at->rule));
	else if (cfi_read(&entry, bytes_at, maker->image, &function) == CFI_FUNCTION) {
		maker->difference = at->place - function.start;
		if (!cfi_run(&function, add_row, maker)) {
			maker->row_count = maker->row_count < rows ? maker->row_count : rows;
			maker->left_out++;
			set_rule(maker, at->place, 0);
		}
	}
	set_rule(maker, maker->end, 0);
}

static void make_rows(struct maker *maker)
{
	rule_number(&maker->rules, TABLE_RULE(CFA_NOTHING, 0, RBP_SAME, 0));
	list_undescribed(maker);
	qsort(maker->functions, maker->function_count, sizeof(*maker->functions), functions_by_place);
	for (size_t i = 0; i < maker->function_count && !maker->failed; i++) {
		uint64_t next = i + 1 < maker->function_count ? maker->functions[i + 1].place : UINT64_MAX;

		if (next > maker->functions[i].place)
			add_rows(maker, &maker->functions[i], next);
	}
}

/* ---- the table ---- */

static void put_half(uint64_t *words, size_t at, uint32_t half)
{
	words[at / 2] |= (uint64_t)half << (at & 1 ? 32 : 0);
}

/* Writes the table down. Returns false if memory runs out, or places are too far apart. */
static bool write_table(const struct maker *maker, struct unwind_table *out)
{
	uint64_t first = maker->rows[0].place >> TABLE_PAGE_BITS;
	uint64_t pages = (maker->rows[maker->row_count - 1].place >> TABLE_PAGE_BITS) - first + 1;
	size_t index = TABLE_HEADER_WORDS + maker->rules.count, rows = index + pages / 2 + 1;
	size_t count = rows + (maker->row_count + 1) / 2, next = 0;
	uint64_t *words = calloc(count, sizeof(*words));

	if (!words)
		return false;
	words[TABLE_FIRST_PAGE] = first;
	words[TABLE_PAGES] = pages;
	words[TABLE_RULES] = maker->rules.count;
	words[TABLE_ROWS] = maker->row_count;
	memcpy(words + TABLE_HEADER_WORDS, maker->rules.list, maker->rules.count * sizeof(*words));
	for (uint64_t page = 0; page <= pages; page++) {
		while (next < maker->row_count && maker->rows[next].place >> TABLE_PAGE_BITS < first + page)
			next++;
		put_half(words + index, page, (uint32_t)next);
	}
	for (size_t i = 0; i < maker->row_count; i++)
		put_half(words + rows, i, TABLE_ROW(maker->rows[i].place & (TABLE_PAGE - 1), maker->rows[i].rule));
	*out = (struct unwind_table){
	    .words = words,
	    .count = count,
	    .functions = maker->function_count,
	    .left_out = maker->left_out,
	};
	return true;
}

int unwind_table_of(struct image *image, const char *path, struct unwind_table *out, struct error *err)
{
	struct maker maker = {.image = image};
	int code = 0;

	maker.rules.list = malloc(TABLE_MAX_RULES * sizeof(*maker.rules.list));
	maker.rules.slots = calloc(RULE_SLOTS, sizeof(*maker.rules.slots));
	maker.failed = !maker.rules.list || !maker.rules.slots;
	if (!maker.failed && !list_by_index(&maker) && !list_by_section(&maker))
		code = error_set(err, ENODATA,
				 "%s has no call frame information (.eh_frame), so stacks cannot be unwound through it",
				 path);
	if (!code && !maker.failed && !maker.function_count)
		code =
		    error_set(err, EBADMSG, "%s: nothing of its call frame information (.eh_frame) can be read", path);
	if (!code && !maker.failed)
		make_rows(&maker);
	if (!code && (maker.failed || !write_table(&maker, out)))
		code = error_set(err, ENOMEM, "out of memory reading %s", path);
	free(maker.functions);
	free(maker.rows);
	free(maker.rules.list);
	free(maker.rules.slots);
	return code;
}

int unwind_table_make(const char *path, struct unwind_table *out, struct error *err)
{
	struct image *image;
	int code = image_open(path, &image, err);

	if (code == 0)
		code = unwind_table_of(image, path, out, err);
	image_close(image);
	return code;
}

void unwind_table_free(struct unwind_table *table)
{
	free(table->words);
	*table = (struct unwind_table){0};
}

static uint32_t half(const uint64_t *words, size_t at)
{
	return (uint32_t)(words[at / 2] >> (at & 1 ? 32 : 0));
}

uint64_t unwind_table_rule(const struct unwind_table *table, uint64_t offset)
{
	uint64_t page = (offset >> TABLE_PAGE_BITS) - table->words[TABLE_FIRST_PAGE];
	const uint64_t *rules = table->words + TABLE_HEADER_WORDS, *index = rules + table->words[TABLE_RULES];
	const uint64_t *rows = index + table->words[TABLE_PAGES] / 2 + 1;
	uint32_t low;

	if (page >= table->words[TABLE_PAGES])
		return 0;
	for (low = half(index, page); low < half(index, page + 1) && low < table->words[TABLE_ROWS]; low++)
		if (TABLE_ROW_PLACE(half(rows, low)) > (offset & (TABLE_PAGE - 1)))
			break;
	if (!low || low > table->words[TABLE_ROWS] || TABLE_ROW_RULE(half(rows, low - 1)) >= table->words[TABLE_RULES])
		return 0;
	return rules[TABLE_ROW_RULE(half(rows, low - 1))];
}
