/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sentences, growing buffers and UTF-8. */
#include "mmprofdata/format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mmp_fail(struct mmp_error *err, int code, const char *format, ...)
{
	if (err) {
		va_list args;

		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return -code;
}

int mmp_buffer_append(struct mmp_buffer *buffer, const void *bytes, size_t size, struct mmp_error *err)
{
	if (size > buffer->capacity - buffer->size) {
		size_t capacity = buffer->capacity ? buffer->capacity : 256;
		char *grown;

		while (capacity - buffer->size < size)
			capacity *= 2;
		grown = realloc(buffer->bytes, capacity);
		if (!grown)
			return mmp_fail(err, ENOMEM, "out of memory for a string of %zu bytes", capacity);
		buffer->bytes = grown;
		buffer->capacity = capacity;
	}
	if (size)
		memcpy(buffer->bytes + buffer->size, bytes, size);
	buffer->size += size;
	return 0;
}

void mmp_buffer_free(struct mmp_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct mmp_buffer){0};
}

/*
 * Length of the UTF-8 sequence at the front of `bytes` (size > 0) or, if it is invalid, of the part of it that one
 * U+FFFD replaces: the longest beginning of a valid sequence, at least one byte (Unicode standard, table 3-7).
 */
static size_t utf8_sequence(const uint8_t *bytes, size_t size, bool *valid)
{
	uint8_t first = bytes[0], low = 0x80, high = 0xBF;
	size_t length;

	*valid = false;
	if (first < 0x80)
		length = 1;
	else if (first < 0xC2 || first > 0xF4)
		return 1;
	else
		length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (first == 0xE0)
		low = 0xA0;
	else if (first == 0xED)
		high = 0x9F;
	else if (first == 0xF0)
		low = 0x90;
	else if (first == 0xF4)
		high = 0x8F;
	for (size_t i = 1; i < length; i++) {
		if (i == size || bytes[i] < low || bytes[i] > high)
			return i;
		low = 0x80;
		high = 0xBF;
	}
	*valid = true;
	return length;
}

size_t mmp_utf8_prefix(const char *text, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t at = 0;

	while (at < size) {
		uint64_t word;
		size_t length;
		bool valid;

		if (size - at >= sizeof(word)) {
			memcpy(&word, bytes + at, sizeof(word));
			if (!(word & UINT64_C(0x8080808080808080))) {
				at += sizeof(word);
				continue;
			}
		}
		length = utf8_sequence(bytes + at, size - at, &valid);
		if (!valid)
			break;
		at += length;
	}
	return at;
}

int mmp_buffer_append_lossy(struct mmp_buffer *buffer, const char *text, size_t size, struct mmp_error *err)
{
	for (;;) {
		size_t good = mmp_utf8_prefix(text, size);
		int rc = mmp_buffer_append(buffer, text, good, err);
		bool valid;

		text += good;
		size -= good;
		if (rc || !size)
			return rc;
		good = utf8_sequence((const uint8_t *)text, size, &valid);
		text += good;
		size -= good;
		rc = mmp_buffer_append(buffer, "\xEF\xBF\xBD", 3, err);
		if (rc)
			return rc;
	}
}
