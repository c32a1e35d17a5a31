/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/trace_chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum column {
	COLUMN_BLOCKS,
	COLUMN_LABELS,
	COLUMN_KINDS,
	COLUMN_GAPS,
	COLUMN_DURATIONS,
	COLUMN_EXTENTS,
	COLUMN_DEPTHS,
	COLUMN_SELVES,
	COLUMN_ARGUMENTS,
	COLUMNS,
};

struct bytes {
	unsigned char *data;
	size_t size, capacity;
};

struct chunk {
	const struct trace *trace;
	const struct mmp_reader *profile;
	struct bytes columns[COLUMNS];
	struct mmp_buffer buffer;
	uint64_t blocks;
	bool has_arguments;
	bool failed; /* out of memory */
};

static void put_bytes(struct chunk *chunk, struct bytes *bytes, const void *data, size_t size)
{
	if (chunk->failed)
		return;
	if (bytes->capacity - bytes->size < size) {
		size_t capacity = 2 * bytes->capacity + size + 4096;
		unsigned char *grown = realloc(bytes->data, capacity);

		if (!grown) {
			chunk->failed = true;
			return;
		}
		bytes->data = grown;
		bytes->capacity = capacity;
	}
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void put_number(struct chunk *chunk, struct bytes *bytes, uint64_t number)
{
	unsigned char coded[10];
	size_t size = 0;

	for (; number >= 0x80; number >>= 7)
		coded[size++] = (unsigned char)(number | 0x80);
	coded[size++] = (unsigned char)number;
	put_bytes(chunk, bytes, coded, size);
}

/* Adds `left` less `right`. */
static void put_difference(struct chunk *chunk, struct bytes *bytes, uint64_t left, uint64_t right)
{
	put_number(chunk, bytes, left >= right ? 2 * (left - right) : 2 * (right - left) - 1);
}

/* How many nodes the block has that begins with node `first`. */
static uint32_t block_size(const struct trace *trace, uint32_t first)
{
	if (trace->nodes[first].parent != TRACE_NONE)
		return trace->nodes[trace->nodes[first].parent].extent;
	for (uint32_t i = 0; i < trace->thread_count; i++) {
		if (trace->threads[i].first == first && trace->threads[i].roots)
			return trace->threads[i].roots;
	}
	return 1;
}

uint32_t chunk_end(const struct trace *trace, uint32_t first)
{
	uint32_t end = first;

	while (end < trace->node_count && end - first < CHUNK_NODES)
		end += block_size(trace, end);
	return end;
}

static void put_blocks(struct chunk *chunk, uint32_t first, uint32_t end)
{
	struct bytes *bytes = &chunk->columns[COLUMN_BLOCKS];
	struct trace_node before = {.parent = TRACE_NONE};

	while (first < end) {
		const struct trace_node *node = &chunk->trace->nodes[first];
		uint32_t size = block_size(chunk->trace, first);

		put_number(chunk, bytes, size);
		/* TRACE_NONE + 1 is 0. */
		put_difference(chunk, bytes, (uint32_t)(node->parent + 1), (uint32_t)(before.parent + 1));
		put_difference(chunk, bytes, node->start, before.start);
		put_difference(chunk, bytes, node->depth, before.depth);
		for (uint32_t i = first + 1; i < first + size; i++) {
			put_difference(chunk, &chunk->columns[COLUMN_GAPS], chunk->trace->nodes[i].start,
				       chunk->trace->nodes[i - 1].start + chunk->trace->nodes[i - 1].duration);
		}
		chunk->blocks++;
		before = *node;
		first += size;
	}
}

static void put_node(struct chunk *chunk, const struct trace_node *node)
{
	unsigned char kind = (unsigned char)node->kind;
	uint64_t inner = 0;

	put_number(chunk, &chunk->columns[COLUMN_LABELS], node->label);
	put_bytes(chunk, &chunk->columns[COLUMN_KINDS], &kind, 1);
	if (node->kind != TRACE_HIT)
		put_number(chunk, &chunk->columns[COLUMN_DURATIONS], node->duration);
	put_number(chunk, &chunk->columns[COLUMN_EXTENTS], node->extent);
	if (!node->extent)
		return;
	for (uint32_t i = 0; i < node->extent; i++)
		inner += chunk->trace->nodes[node->first + i].duration;
	put_number(chunk, &chunk->columns[COLUMN_DEPTHS], node->below - node->extent);
	put_difference(chunk, &chunk->columns[COLUMN_SELVES], node->duration, inner);
}

static int put_arguments(struct chunk *chunk, const struct trace_node *node, struct error *err)
{
	struct bytes *column = &chunk->columns[COLUMN_ARGUMENTS];
	struct mmp_text label, arguments, argument;
	struct mmp_error reason;
	struct bytes text = {0};
	int rc = mmp_event_text_of(chunk->profile, node->id, &chunk->buffer, &label, &arguments, &reason);

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	while (mmp_next_argument(&arguments, &argument)) {
		if (text.size)
			put_bytes(chunk, &text, ", ", 2);
		put_bytes(chunk, &text, argument.bytes, argument.size);
	}
	chunk->has_arguments |= text.size > 0;
	put_number(chunk, column, text.size);
	put_bytes(chunk, column, text.data, text.size);
	free(text.data);
	return 0;
}

static void write_base64(const unsigned char *data, size_t size, FILE *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)data[i] << 16;

		group |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
		group |= i + 2 < size ? (uint32_t)data[i + 2] : 0;
		fputc(digits[group >> 18], out);
		fputc(digits[group >> 12 & 63], out);
		fputc(i + 1 < size ? digits[group >> 6 & 63] : '=', out);
		fputc(i + 2 < size ? digits[group & 63] : '=', out);
	}
}

static int write_packed(struct chunk *chunk, const struct bytes *row, FILE *out)
{
	uLongf size = compressBound(row->size);
	unsigned char *packed = malloc(size);

	if (!packed || compress2(packed, &size, row->data, row->size, Z_DEFAULT_COMPRESSION) != Z_OK)
		chunk->failed = true;
	else
		write_base64(packed, size, out);
	free(packed);
	return chunk->failed ? -ENOMEM : 0;
}

int chunk_write(const struct trace *trace, const struct mmp_reader *profile, uint32_t first, uint32_t end, FILE *out,
		struct error *err)
{
	struct chunk chunk = {.trace = trace, .profile = profile};
	struct bytes row = {0};
	int rc = 0;

	put_blocks(&chunk, first, end);
	for (uint32_t i = first; i < end && !rc; i++) {
		put_node(&chunk, &trace->nodes[i]);
		rc = put_arguments(&chunk, &trace->nodes[i], err);
	}
	if (!chunk.has_arguments)
		chunk.columns[COLUMN_ARGUMENTS].size = 0;
	put_number(&chunk, &row, end - first);
	put_number(&chunk, &row, chunk.blocks);
	for (int i = 0; i < COLUMNS; i++)
		put_number(&chunk, &row, chunk.columns[i].size);
	for (int i = 0; i < COLUMNS; i++)
		put_bytes(&chunk, &row, chunk.columns[i].data, chunk.columns[i].size);
	if (!rc && (chunk.failed || write_packed(&chunk, &row, out)))
		rc = error_set(err, ENOMEM, "%s: out of memory for the page", mmp_path(profile));
	for (int i = 0; i < COLUMNS; i++)
		free(chunk.columns[i].data);
	free(row.data);
	mmp_buffer_free(&chunk.buffer);
	return rc;
}
