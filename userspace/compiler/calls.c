/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/plan_rows.h"

enum { BLOOM = 1 << 16, CALL_SIZE = 6 };

struct search {
	const struct image *image;
	const struct guard_callees *callees;
	uint8_t bloom[BLOOM / 8]; /* one bit for each value of the low half of a callee's address */
	struct guard_calls *out;
};

/* Whether calls of such a function matter wherever they are. Ends of guards are looked for behind their begins. */
static bool is_wanted(enum guard_callee callee)
{
	return callee != CALLEE_NONE && callee != CALLEE_OTHER && callee != CALLEE_DROP &&
	       callee != CALLEE_DROP_VERBOSE;
}

/* Whether a function may also be called by a jump at a caller's end. */
static bool is_function(enum guard_callee callee)
{
	return callee == CALLEE_HASH_RESULT || callee == CALLEE_SHARED_LOAD || callee == CALLEE_LENDER;
}

/* ---- finding the calls ---- */

static bool in_bloom(const struct search *search, uint64_t address)
{
	uint16_t low = (uint16_t)address;

	return search->bloom[low / 8] & (1u << low % 8);
}

static uint64_t hash_of(const char *name, size_t length)
{
	uint64_t hash = length, word = 0;
	size_t at = 0;

	for (; at + sizeof(word) <= length; at += sizeof(word)) {
		memcpy(&word, name + at, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, name + at, length - at);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	hash ^= hash >> 32;
	return hash;
}

static int holder_of(struct search *search, const struct image_symbol *symbol, size_t *out)
{
	bool fragment;
	size_t length = symbol_base_length(symbol->name, &fragment);
	struct holder *holder;

	for (*out = 0; *out < search->out->holder_count; (*out)++)
		if (search->out->holders[*out].base_length == length &&
		    !memcmp(search->out->holders[*out].symbol, symbol->name, length))
			return 0;
	if (rows_grow((void **)&search->out->holders, search->out->holder_count, sizeof(*search->out->holders)) < 0) {
		search->out->holder_count = 0;
		return -ENOMEM;
	}
	*out = search->out->holder_count++;
	holder = &search->out->holders[*out];
	memset(holder, 0, sizeof(*holder));
	holder->symbol = symbol->name;
	holder->base_length = length;
	holder->hash = hash_of(symbol->name, length);
	return 0;
}

static int add_call(struct search *search, const struct image_symbol *symbol, uint64_t address, uint64_t target)
{
	struct guard_call *call;

	if (rows_grow((void **)&search->out->calls, search->out->call_count, sizeof(*search->out->calls)) < 0) {
		search->out->call_count = 0;
		return -ENOMEM;
	}
	call = &search->out->calls[search->out->call_count++];
	call->address = address;
	call->target = target;
	call->callee = guard_callee_at(search->callees, target);
	return holder_of(search, symbol, &call->holder);
}

/* The wanted function that the bytes at `address` would call, if they are a call, direct or through a pointer; or 0. */
static uint64_t called(const struct search *search, const uint8_t *bytes, uint64_t address)
{
	bool direct = bytes[0] != 0xff, jumps = direct ? bytes[0] == 0xe9 : bytes[1] == 0x25;
	enum guard_callee callee;
	int32_t distance;

	if (!direct && bytes[1] != 0x15 && bytes[1] != 0x25)
		return 0;
	memcpy(&distance, bytes + (direct ? 1 : 2), sizeof(distance));
	address += (direct ? 5 : 6) + (uint64_t)(int64_t)distance;
	if (!direct)
		address = image_pointer(search->image, address);
	if (!in_bloom(search, address))
		return 0;
	callee = guard_callee_at(search->callees, address);
	return is_wanted(callee) && (!jumps || is_function(callee)) ? address : 0;
}

static int scan_function(struct search *search, const struct image_symbol *symbol, uint64_t from)
{
	size_t available, size = symbol->address + symbol->size - from;
	const uint8_t *bytes = image_bytes(search->image, from, &available);
	int code = 0;

	if (!bytes || available < CALL_SIZE)
		return 0;
	if (size > available - CALL_SIZE)
		size = available - CALL_SIZE;
	for (size_t i = 0; i < size && code == 0; i++) {
		uint64_t target;

		if ((bytes[i] & 0xfe) != 0xe8 && bytes[i] != 0xff)
			continue;
		target = called(search, bytes + i, from + i);
		if (target)
			code = add_call(search, symbol, from + i, target);
	}
	return code;
}

/* As many functions as are scanned before their pages are given back. */
enum { FUNCTIONS_AT_ONCE = 16384 };

/* Only what a symbol covers is scanned: BOLT leaves dead copies of the functions that it moved, without symbols. */
static int scan_functions(struct search *search)
{
	size_t count;
	const struct image_symbol *symbols = image_symbols(search->image, &count);
	uint64_t done = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t end = symbols[i].address + symbols[i].size;
		uint64_t from = symbols[i].address > done ? symbols[i].address : done;
		int code = end > from && image_file_offset(search->image, from) != UINT64_MAX
			       ? scan_function(search, &symbols[i], from)
			       : 0;

		if (code < 0)
			return code;
		if (end > done)
			done = end;
		if (i % FUNCTIONS_AT_ONCE == FUNCTIONS_AT_ONCE - 1)
			image_drop(search->image);
	}
	return 0;
}

/* ---- the functions around them ---- */

static void add_range(struct holder *holder, const struct image_symbol *symbol, bool fragment)
{
	struct code_range range = {symbol->address, symbol->size};

	for (size_t i = 0; i < holder->range_count; i++)
		if (holder->ranges[i].address == range.address)
			return;
	if (holder->range_count == HOLDER_RANGES)
		return;
	holder->ranges[holder->range_count++] = range;
	if (!fragment) {
		holder->ranges[holder->range_count - 1] = holder->ranges[0];
		holder->ranges[0] = range;
		holder->has_entry = true;
	}
}

/* Collects the fragments of all holders, in one pass over the symbols. */
static int find_ranges(struct search *search)
{
	size_t count, buckets = 1;
	const struct image_symbol *symbols = image_symbols(search->image, &count);
	size_t *table, *next;

	while (buckets < 2 * search->out->holder_count + 2)
		buckets *= 2;
	table = calloc(buckets, sizeof(*table));
	next = calloc(search->out->holder_count + 1, sizeof(*next));
	if (!table || !next) {
		free(table);
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < search->out->holder_count; i++) {
		next[i] = table[search->out->holders[i].hash % buckets];
		table[search->out->holders[i].hash % buckets] = i + 1;
	}
	for (size_t i = 0; i < count; i++) {
		bool fragment;
		size_t length = symbol_base_length(symbols[i].name, &fragment);
		uint64_t hash = hash_of(symbols[i].name, length);

		for (size_t at = table[hash % buckets]; at; at = next[at - 1]) {
			struct holder *holder = &search->out->holders[at - 1];

			if (holder->hash == hash && holder->base_length == length &&
			    !memcmp(holder->symbol, symbols[i].name, length))
				add_range(holder, &symbols[i], fragment);
		}
	}
	free(table);
	free(next);
	return 0;
}

static int calls_by_holder(const void *a, const void *b)
{
	const struct guard_call *left = a, *right = b;

	if (left->holder != right->holder)
		return left->holder < right->holder ? -1 : 1;
	return left->address < right->address ? -1 : left->address > right->address;
}

int calls_find(const struct image *image, const struct guard_callees *callees, struct guard_calls *out)
{
	struct search search = {.image = image, .callees = callees, .out = out};
	int code;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < callees->count; i++) {
		uint16_t low = (uint16_t)callees->items[i].address;

		if (is_wanted(callees->items[i].callee))
			search.bloom[low / 8] |= (uint8_t)(1u << low % 8);
	}
	code = scan_functions(&search);
	if (code == 0)
		code = find_ranges(&search);
	if (out->call_count)
		qsort(out->calls, out->call_count, sizeof(*out->calls), calls_by_holder);
	return code;
}

void calls_free(struct guard_calls *calls)
{
	free(calls->holders);
	free(calls->calls);
	memset(calls, 0, sizeof(*calls));
}
