/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the library: an opened profile, as reader.c builds it and strings.c reads it. */
#ifndef MMPROFDATA_READER_H
#define MMPROFDATA_READER_H

#include "mmprofdata/format.h"

/* A page's contents: where they lie in the file and where in their stream. */
struct mmp_page {
	uint64_t file_offset;
	uint64_t address;
	uint32_t size;
};

struct mmp_stream {
	struct mmp_page *pages;
	size_t page_count;
	uint64_t size;
};

struct mmp_mapping {
	uint64_t id;
	uint64_t address;
	size_t order; /* place in the index: of two mappings of one id the later counts */
};

struct mmp_reader {
	char *path;
	const uint8_t *bytes;
	size_t size;
	bool mapped; /* bytes is our mapping */
	uint32_t version;
	struct mmp_stream streams[MMP_TAG_COUNT];
	size_t event_count;

	/* The string data in one piece: the file's own bytes if they are one page, otherwise string_copy. */
	const uint8_t *strings;
	size_t strings_size;
	uint8_t *string_copy;

	/*
	 * The string index: addresses by virtual id, 0 for none, if the ids are dense as in rustc's profiles; otherwise
	 * sorted by id.
	 */
	uint64_t *dense;
	size_t dense_count;
	struct mmp_mapping *sparse;
	size_t sparse_count;
	uint64_t metadata_address; /* 0 for none */

	struct mmp_metadata metadata;
	void *metadata_memory;
};

/* Fails with a sentence about a byte of the file. */
#define DAMAGED(reader, offset, err, format, ...)                                                                      \
	mmp_fail(err, EINVAL, "%s: byte %llu: damaged profile: " format, (reader)->path, (unsigned long long)(offset), \
		 ##__VA_ARGS__)

/* The page that holds the byte `address` of a stream; page_count if the stream is shorter. */
size_t mmp_find_page(const struct mmp_stream *stream, uint64_t address);

/* mmp_stream_bytes where they lie in more than one page, or in another page than *page. */
const uint8_t *mmp_search_bytes(const struct mmp_reader *reader, enum mmp_tag tag, uint64_t address, size_t size,
				size_t *page, uint8_t *memory);

/*
 * The `size` bytes at `address` of a stream, which must reach that far: in place if they lie in one page, otherwise
 * put together in `memory`. *page is where to look first, and becomes where they were found.
 */
static inline const uint8_t *mmp_stream_bytes(const struct mmp_reader *reader, enum mmp_tag tag, uint64_t address,
					      size_t size, size_t *page, uint8_t *memory)
{
	const struct mmp_stream *stream = &reader->streams[tag];

	if (*page < stream->page_count) {
		const struct mmp_page *at = &stream->pages[*page];
		/* Before the page's start it is larger than any size. */
		uint64_t offset = address - at->address;

		if (offset < at->size && size <= at->size - offset)
			return reader->bytes + at->file_offset + offset;
	}
	return mmp_search_bytes(reader, tag, address, size, page, memory);
}

/* Counts the events and checks that their ids and times are good. */
int mmp_check_events(struct mmp_reader *reader, struct mmp_error *err);

/* Where the byte `address` of a stream lies in the file; the file's end if the stream is shorter. */
uint64_t mmp_file_offset(const struct mmp_reader *reader, enum mmp_tag tag, uint64_t address);

/* The address of a virtual id's string by the sorted mappings; 0 if it has none. */
uint64_t mmp_search_mapping(const struct mmp_reader *reader, uint64_t id);

/*
 * The address in the string data of a string id. False for an id that stands for "<unknown>". The address of a concrete
 * id is not checked.
 */
static inline bool mmp_address_of(const struct mmp_reader *reader, uint64_t id, uint64_t *address)
{
	if (id >= MMP_FIRST_CONCRETE_ID) {
		*address = id - MMP_FIRST_CONCRETE_ID;
		return true;
	}
	if (id < reader->dense_count)
		*address = reader->dense[id];
	else
		*address = id == MMP_METADATA_ID ? reader->metadata_address : mmp_search_mapping(reader, id);
	return *address != 0;
}

#endif
