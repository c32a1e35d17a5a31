/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Fuzzes the reader (make fuzz). Half of the mutations are made within one of the three streams, of which a file with
 * correct pages is put together again: otherwise few inputs would get past the page headers.
 */
#include <stdint.h>

#include "tests/fuzz/read_everything.h"

enum { FILE_HEADER = 8, PAGE_HEADER = 5, STREAMS = 3, MAX_INPUT = 1 << 20 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_everything(data, size);
	return 0;
}

static uint8_t streams[STREAMS][MAX_INPUT];

/* Takes the pages apart. False if they are not in order. */
static bool split(const uint8_t *data, size_t size, size_t sizes[STREAMS])
{
	size_t at = FILE_HEADER;

	while (at < size) {
		uint32_t length;
		uint8_t tag = data[at];

		if (size - at < PAGE_HEADER || tag >= STREAMS)
			return false;
		length = data[at + 1] | (uint32_t)data[at + 2] << 8 | (uint32_t)data[at + 3] << 16 |
			 (uint32_t)data[at + 4] << 24;
		at += PAGE_HEADER;
		if (length > size - at || sizes[tag] + length > MAX_INPUT)
			return false;
		memcpy(streams[tag] + sizes[tag], data + at, length);
		sizes[tag] += length;
		at += length;
	}
	return size >= FILE_HEADER;
}

/* Puts the streams back behind the file's header, in turn, in pages of `page` bytes. Returns the size. */
static size_t join(uint8_t *data, size_t max_size, const size_t sizes[STREAMS], size_t page)
{
	size_t at = FILE_HEADER, done[STREAMS] = {0}, left = 1;

	while (left) {
		left = 0;
		for (int tag = 0; tag < STREAMS; tag++) {
			size_t part = sizes[tag] - done[tag];

			if (part > page)
				part = page;
			if (!part || at + PAGE_HEADER + part > max_size)
				continue;
			data[at] = (uint8_t)tag;
			for (int i = 0; i < 4; i++)
				data[at + 1 + i] = (uint8_t)(part >> 8 * i);
			memcpy(data + at + PAGE_HEADER, streams[tag] + done[tag], part);
			at += PAGE_HEADER + part;
			done[tag] += part;
			left += sizes[tag] - done[tag];
		}
	}
	return at;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t sizes[STREAMS] = {0}, limit, page = MAX_INPUT;
	int tag = (int)(seed >> 8) % STREAMS;

	if (seed % 2 || max_size > MAX_INPUT || !split(data, size, sizes))
		return LLVMFuzzerMutate(data, size, max_size);
	/* Whole events and entries come and go, so that what remains keeps its meaning. */
	if (seed >> 16 & 1 && tag != 1 && sizes[tag] > FILE_HEADER + 32) {
		size_t item = tag == 0 ? 32 : 16, count = (sizes[tag] - FILE_HEADER) / item;
		size_t from = FILE_HEADER + (seed >> 4) % count * item;

		memmove(streams[tag] + from, streams[tag] + from + item, sizes[tag] - from - item);
		sizes[tag] -= item;
	}
	limit = sizes[tag] + (max_size > size ? max_size - size : 0);
	if (limit > MAX_INPUT)
		limit = MAX_INPUT;
	sizes[tag] = LLVMFuzzerMutate(streams[tag], sizes[tag], limit ? limit : 1);
	if (seed >> 17 & 1)
		page = 16 + (seed >> 18);
	return join(data, max_size, sizes, page);
}
