/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * For tests of profiles: bytes put together by hand, whole files read, temporary directories. Everything fails the
 * test that calls it if it can't be done. Tests run in the repository's root.
 */
#ifndef QUERYTAP_TESTS_PROFILE_BYTES_H
#define QUERYTAP_TESTS_PROFILE_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "mmprofdata/mmprofdata.h"

/* The format's tags and ids, stated here once more so that the tests do not take them from what they test. */
enum { PAGE_EVENTS = 0, PAGE_STRING_DATA = 1, PAGE_STRING_INDEX = 2 };
#define METADATA_ID UINT64_C(100000001)
#define FIRST_ID UINT64_C(100000003)
#define METADATA "{ \"start_time\": 1000, \"process_id\": 42, \"cmd\": \"rustc a.rs \" }"

/* A growing run of bytes; zero it first, free with bytes_free. */
struct bytes {
	uint8_t *data;
	size_t size, capacity;
};

static inline void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
	if (bytes->size + size >= bytes->capacity) {
		bytes->capacity = 2 * (bytes->size + size) + 1;
		bytes->data = realloc(bytes->data, bytes->capacity);
		assert_non_null(bytes->data);
	}
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static inline void bytes_text(struct bytes *bytes, const char *text)
{
	bytes_add(bytes, text, strlen(text));
}

/* Adds a little-endian number of `size` bytes. */
static inline void bytes_number(struct bytes *bytes, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(number >> 8 * i);

		bytes_add(bytes, &byte, 1);
	}
}

static inline void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

/* The three streams of a profile in the making. `id_size` is 8, or 4 for version 8. */
struct parts {
	uint32_t version;
	size_t id_size;
	struct bytes streams[3];
};

static inline void parts_begin(struct parts *parts, uint32_t version)
{
	static const char *const magic[] = {"MMES", "MMSD", "MMSI"};

	*parts = (struct parts){.version = version, .id_size = version == 8 ? 4 : 8};
	for (int i = 0; i < 3; i++) {
		bytes_text(&parts->streams[i], magic[i]);
		bytes_number(&parts->streams[i], version, 4);
	}
}

/* Adds a string that is one piece of text; returns its id. */
static inline uint64_t parts_string(struct parts *parts, const char *text)
{
	uint64_t id = FIRST_ID + parts->streams[PAGE_STRING_DATA].size;

	bytes_text(&parts->streams[PAGE_STRING_DATA], text);
	bytes_number(&parts->streams[PAGE_STRING_DATA], 0xFF, 1);
	return id;
}

/* Adds a string of two references with text between them; returns its id. */
static inline uint64_t parts_composite(struct parts *parts, uint64_t first, const char *text, uint64_t second)
{
	struct bytes *data = &parts->streams[PAGE_STRING_DATA];
	uint64_t id = FIRST_ID + data->size;

	bytes_number(data, 0xFE, 1);
	bytes_number(data, first, parts->id_size);
	bytes_text(data, text);
	bytes_number(data, 0xFE, 1);
	bytes_number(data, second, parts->id_size);
	bytes_number(data, 0xFF, 1);
	return id;
}

static inline void parts_map(struct parts *parts, uint64_t virtual_id, uint64_t id)
{
	bytes_number(&parts->streams[PAGE_STRING_INDEX], virtual_id, parts->id_size);
	bytes_number(&parts->streams[PAGE_STRING_INDEX], id - FIRST_ID, parts->id_size);
}

/* Adds an event; `second` is the end, 0xFFFFFFFFFFFF for an instant, 0xFFFFFFFFFFFE for an integer. */
static inline void parts_event(struct parts *parts, uint64_t kind, uint64_t id, uint32_t thread, uint64_t first,
			       uint64_t second)
{
	struct bytes *events = &parts->streams[PAGE_EVENTS];

	bytes_number(events, kind, parts->id_size);
	bytes_number(events, id, parts->id_size);
	bytes_number(events, thread, 4);
	bytes_number(events, first, 4);
	bytes_number(events, second, 4);
	bytes_number(events, second >> 32, 2);
	bytes_number(events, first >> 32, 2);
}

static inline void add_page(struct bytes *file, int tag, const void *data, size_t size)
{
	bytes_number(file, (uint64_t)tag, 1);
	bytes_number(file, size, 4);
	bytes_add(file, data, size);
}

/* Puts the streams into a file of pages of at most `page_size` bytes, the streams in turn. Frees the parts. */
static inline struct bytes parts_file(struct parts *parts, size_t page_size)
{
	struct bytes file = {0};
	size_t done[3] = {0}, left = 1;

	bytes_text(&file, "MMPD");
	bytes_number(&file, parts->version, 4);
	while (left) {
		left = 0;
		for (int i = 0; i < 3; i++) {
			size_t size = parts->streams[i].size - done[i];

			if (size > page_size)
				size = page_size;
			if (size)
				add_page(&file, i, parts->streams[i].data + done[i], size);
			done[i] += size;
			left += parts->streams[i].size - done[i];
		}
	}
	for (int i = 0; i < 3; i++)
		bytes_free(&parts->streams[i]);
	return file;
}

/* Opens a profile that must be a good one. */
static inline struct mmp_reader *open_bytes(const struct bytes *file)
{
	struct mmp_reader *reader;
	struct mmp_error err = {""};

	mmp_open_memory(file->data, file->size, "memory", &reader, &err);
	assert_string_equal(err.text, "");
	return reader;
}

/* A small profile of a given version; *label is the id of "q1", *with_argument that of "q1" with the argument "Query".
 */
static inline struct parts small_profile(uint32_t version, uint64_t *label, uint64_t *with_argument)
{
	struct parts parts;
	uint64_t kind;

	parts_begin(&parts, version);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	kind = parts_string(&parts, "Query");
	*label = parts_string(&parts, "q1");
	*with_argument = parts_composite(&parts, *label, "\x1E", kind);
	parts_map(&parts, 3, *with_argument);
	parts_event(&parts, kind, *label, 1, 10, 20);
	parts_event(&parts, kind, 3, 2, 0x112233445566, 0x112233445567);
	parts_event(&parts, kind, *with_argument, 1, 5, 0xFFFFFFFFFFFF);
	parts_event(&parts, kind, 99, 1, 77, 0xFFFFFFFFFFFE);
	return parts;
}

/* A profile without events. */
static inline struct bytes file_with_metadata(const char *metadata)
{
	struct parts parts;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	return parts_file(&parts, SIZE_MAX);
}

/* Takes a file's pages apart into the three streams. */
static inline void split_file(const struct bytes *file, struct parts *parts)
{
	*parts = (struct parts){.version = file->data[4], .id_size = file->data[4] == 8 ? 4 : 8};
	for (size_t at = 8; at < file->size;) {
		uint32_t size = file->data[at + 1] | (uint32_t)file->data[at + 2] << 8 |
				(uint32_t)file->data[at + 3] << 16 | (uint32_t)file->data[at + 4] << 24;

		bytes_add(&parts->streams[file->data[at]], file->data + at + 5, size);
		at += 5 + size;
	}
}

/* Reads a whole file, unpacked if it is packed by gzip. A missing one gives no bytes. */
static inline struct bytes read_whole_file(const char *path)
{
	struct bytes bytes = {0};
	gzFile file = gzopen(path, "rb");
	uint8_t chunk[65536];
	int size;

	if (!file)
		return bytes;
	while ((size = gzread(file, chunk, sizeof(chunk))) > 0)
		bytes_add(&bytes, chunk, (size_t)size);
	assert_int_equal(size, 0);
	gzclose(file);
	return bytes;
}

/* Reads tests/golden/NAME, which must be there; ends it with a NUL that is not counted. */
static inline struct bytes read_golden(const char *name)
{
	char path[256];
	struct bytes bytes;

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	bytes = read_whole_file(path);
	if (!bytes.size)
		fail_msg("%s is missing; tests run in the repository's root", path);
	bytes_add(&bytes, "", 1);
	bytes.size--;
	return bytes;
}

/* A new directory for the test's files; its name stays good until the next call. */
static inline const char *make_temporary_directory(void)
{
	static char path[256];
	const char *base = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/mmprofdata-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(path));
	return path;
}

#endif
