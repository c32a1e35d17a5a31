/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Opening a profile: the pages are sorted into streams, and everything that can be checked without expanding strings is
 * checked here, so that handing out events cannot fail.
 */
#include "mmprofdata/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const stream_names[MMP_TAG_COUNT] = {"events", "string data", "the string index"};

static int out_of_memory(const struct mmp_reader *reader, struct mmp_error *err)
{
	return mmp_fail(err, ENOMEM, "%s: out of memory while opening it (%zu bytes)", reader->path, reader->size);
}

size_t mmp_find_page(const struct mmp_stream *stream, uint64_t address)
{
	size_t low = 0, high = stream->page_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mmp_page *page = &stream->pages[middle];

		if (page->address + page->size <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t mmp_file_offset(const struct mmp_reader *reader, enum mmp_tag tag, uint64_t address)
{
	const struct mmp_stream *stream = &reader->streams[tag];
	size_t at = mmp_find_page(stream, address);

	if (at == stream->page_count)
		return reader->size;
	return stream->pages[at].file_offset + (address - stream->pages[at].address);
}

const uint8_t *mmp_search_bytes(const struct mmp_reader *reader, enum mmp_tag tag, uint64_t address, size_t size,
				size_t *page, uint8_t *memory)
{
	const struct mmp_stream *stream = &reader->streams[tag];
	const struct mmp_page *at;
	size_t done = 0;

	if (*page >= stream->page_count || address < stream->pages[*page].address ||
	    address - stream->pages[*page].address >= stream->pages[*page].size)
		*page = mmp_find_page(stream, address);
	at = &stream->pages[*page];
	if (size <= at->size - (address - at->address))
		return reader->bytes + at->file_offset + (address - at->address);
	while (done < size) {
		size_t skip = done ? 0 : (size_t)(address - at->address);
		size_t part = at->size - skip;

		if (part > size - done)
			part = size - done;
		memcpy(memory + done, reader->bytes + at->file_offset + skip, part);
		done += part;
		at++;
	}
	return memory;
}

static int read_file_header(struct mmp_reader *reader, struct mmp_error *err)
{
	if (reader->size < MMP_HEADER_SIZE || memcmp(reader->bytes, MMP_MAGIC_FILE, 4) != 0)
		return mmp_fail(err, EINVAL, "%s: byte 0: not a profile: it does not begin with \"%s\" and a version",
				reader->path, MMP_MAGIC_FILE);
	reader->version = mmp_get_u32(reader->bytes + 4);
	if (reader->version > MMP_VERSION)
		return mmp_fail(err, EINVAL,
				"%s: byte 4: version %u of the format is newer than the latest known here (%d); "
				"a newer release may read it",
				reader->path, reader->version, MMP_VERSION);
	if (reader->version < MMP_VERSION_OLDEST)
		return mmp_fail(err, EINVAL,
				"%s: byte 4: version %u of the format is older than the oldest known here (%d); "
				"take the profile again with a newer compiler",
				reader->path, reader->version, MMP_VERSION_OLDEST);
	return 0;
}

/* Goes over the page headers: counts the pages of each stream or, once there is room for them, fills them in. */
static int walk_pages(struct mmp_reader *reader, bool fill, struct mmp_error *err)
{
	size_t offset = MMP_HEADER_SIZE;

	for (int tag = 0; tag < MMP_TAG_COUNT; tag++)
		reader->streams[tag].page_count = reader->streams[tag].size = 0;
	while (offset < reader->size) {
		struct mmp_stream *stream;
		uint32_t size;

		if (reader->size - offset < MMP_PAGE_HEADER_SIZE)
			return DAMAGED(reader, offset, err, "the file ends within a page's header");
		if (reader->bytes[offset] >= MMP_TAG_COUNT)
			return DAMAGED(reader, offset, err, "there is no kind of page with the number %u",
				       reader->bytes[offset]);
		stream = &reader->streams[reader->bytes[offset]];
		size = mmp_get_u32(reader->bytes + offset + 1);
		if (!size)
			return DAMAGED(reader, offset, err, "a page is empty");
		if (size > reader->size - offset - MMP_PAGE_HEADER_SIZE)
			return DAMAGED(reader, offset, err,
				       "a page claims %u bytes, but the file has only %zu more; it may be cut off",
				       size, reader->size - offset - MMP_PAGE_HEADER_SIZE);
		if (fill)
			stream->pages[stream->page_count] =
			    (struct mmp_page){offset + MMP_PAGE_HEADER_SIZE, stream->size, size};
		stream->page_count++;
		stream->size += size;
		offset += MMP_PAGE_HEADER_SIZE + size;
	}
	return 0;
}

static int read_streams(struct mmp_reader *reader, struct mmp_error *err)
{
	int rc = walk_pages(reader, false, err);

	if (rc)
		return rc;
	for (int tag = 0; tag < MMP_TAG_COUNT; tag++) {
		struct mmp_stream *stream = &reader->streams[tag];

		if (stream->size < MMP_HEADER_SIZE)
			return DAMAGED(
			    reader, reader->size, err,
			    "the stream of %s is missing; the compiler may have been killed before it was written",
			    stream_names[tag]);
		stream->pages = calloc(stream->page_count, sizeof(*stream->pages));
		if (!stream->pages)
			return out_of_memory(reader, err);
	}
	rc = walk_pages(reader, true, err);
	for (int tag = 0; tag < MMP_TAG_COUNT && !rc; tag++) {
		uint8_t memory[MMP_HEADER_SIZE];
		size_t page = 0;
		const uint8_t *header = mmp_stream_bytes(reader, tag, 0, MMP_HEADER_SIZE, &page, memory);

		if (memcmp(header, mmp_stream_magic[tag], 4) != 0 || mmp_get_u32(header + 4) != reader->version)
			rc = DAMAGED(reader, mmp_file_offset(reader, tag, 0), err,
				     "the stream of %s does not begin with \"%s\" and version %u", stream_names[tag],
				     mmp_stream_magic[tag], reader->version);
	}
	return rc;
}

/*
 * Memory for a large table, to be freed with free(). Huge pages, where the kernel gives them, take fewer faults, and
 * fewer misses where the table is read here and there.
 */
static void *allocate_table(size_t size)
{
	enum { HUGE_PAGE = 2 << 20, LARGE = 32 << 20 };
	void *memory;

	if (size < LARGE)
		return malloc(size);
	if (posix_memalign(&memory, HUGE_PAGE, size))
		return NULL;
	madvise(memory, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return memory;
}

/* Lets go of the memory of a stream's part of the mapping, which was copied; read again, it comes from the file. */
static void release_stream(const struct mmp_reader *reader, enum mmp_tag tag)
{
	const struct mmp_stream *stream = &reader->streams[tag];
	uintptr_t unit = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < stream->page_count && reader->mapped; i++) {
		uintptr_t start = (uintptr_t)(reader->bytes + stream->pages[i].file_offset);
		uintptr_t end = (start + stream->pages[i].size) / unit * unit;

		start = (start + unit - 1) / unit * unit;
		if (start < end)
			madvise((void *)start, end - start, MADV_DONTNEED);
	}
}

static int read_strings(struct mmp_reader *reader, struct mmp_error *err)
{
	const struct mmp_stream *stream = &reader->streams[MMP_TAG_STRING_DATA];
	size_t page = 0;

	reader->strings_size = stream->size;
	if (stream->page_count > 1) {
		reader->string_copy = allocate_table(stream->size);
		if (!reader->string_copy)
			return out_of_memory(reader, err);
	}
	reader->strings =
	    mmp_stream_bytes(reader, MMP_TAG_STRING_DATA, 0, reader->strings_size, &page, reader->string_copy);
	if (reader->string_copy)
		release_stream(reader, MMP_TAG_STRING_DATA);
	return 0;
}

static struct mmp_mapping index_entry(const struct mmp_reader *reader, size_t entry, size_t *page)
{
	size_t id_size = mmp_id_size(reader->version);
	uint8_t memory[16];
	const uint8_t *bytes = mmp_stream_bytes(reader, MMP_TAG_STRING_INDEX, MMP_HEADER_SIZE + entry * 2 * id_size,
						2 * id_size, page, memory);

	return (struct mmp_mapping){mmp_get_id(bytes, reader->version), mmp_get_id(bytes + id_size, reader->version),
				    entry};
}

static int compare_mappings(const void *left, const void *right)
{
	const struct mmp_mapping *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Entries of the index that lie one behind the other. */
struct index_run {
	size_t first, count;
	const uint8_t *bytes;
	uint8_t memory[16]; /* of a single one that lies in two pages */
};

/* Moves to the run that begins with the entry behind this one's last. False behind the last of `count` entries. */
static bool next_run(const struct mmp_reader *reader, size_t count, size_t *page, struct index_run *run)
{
	size_t size = 2 * mmp_id_size(reader->version);
	uint64_t address;

	run->first += run->count;
	if (run->first == count)
		return false;
	address = MMP_HEADER_SIZE + run->first * size;
	run->bytes = mmp_stream_bytes(reader, MMP_TAG_STRING_INDEX, address, size, page, run->memory);
	run->count = 1;
	if (run->bytes != run->memory) {
		const struct mmp_page *at = &reader->streams[MMP_TAG_STRING_INDEX].pages[*page];

		run->count = (at->size - (address - at->address)) / size;
	}
	return true;
}

static inline __attribute__((always_inline)) struct mmp_mapping run_entry(const struct index_run *run, size_t i,
									  uint32_t version)
{
	const uint8_t *bytes = run->bytes + i * 2 * mmp_id_size(version);

	return (struct mmp_mapping){mmp_get_id(bytes, version), mmp_get_id(bytes + mmp_id_size(version), version),
				    run->first + i};
}

/*
 * Finds the metadata and the largest id of a run. Returns the place in it of the first entry that is damaged, or its
 * count. Inlined, like store_run, with a version known beforehand.
 */
static inline __attribute__((always_inline)) size_t check_run(struct mmp_reader *reader, const struct index_run *run,
							      uint32_t version, uint64_t *largest)
{
	for (size_t i = 0; i < run->count; i++) {
		struct mmp_mapping mapping = run_entry(run, i, version);

		if (mapping.address < MMP_HEADER_SIZE || mapping.address >= reader->strings_size ||
		    mapping.id > MMP_METADATA_ID)
			return i;
		if (mapping.id == MMP_METADATA_ID)
			reader->metadata_address = mapping.address;
		else if (mapping.id > *largest)
			*largest = mapping.id;
	}
	return run->count;
}

static inline __attribute__((always_inline)) void store_run(struct mmp_reader *reader, const struct index_run *run,
							    uint32_t version)
{
	for (size_t i = 0; i < run->count; i++) {
		struct mmp_mapping mapping = run_entry(run, i, version);

		if (mapping.id == MMP_METADATA_ID)
			continue;
		if (reader->dense)
			reader->dense[mapping.id] = mapping.address;
		else
			reader->sparse[reader->sparse_count++] = mapping;
	}
}

static int check_index(struct mmp_reader *reader, size_t count, uint64_t *largest, struct mmp_error *err)
{
	struct index_run run = {0};
	size_t page = 0;

	while (next_run(reader, count, &page, &run)) {
		size_t bad = reader->version == 8 ? check_run(reader, &run, 8, largest)
						  : check_run(reader, &run, MMP_VERSION, largest);
		struct mmp_mapping mapping;

		if (bad == run.count)
			continue;
		mapping = run_entry(&run, bad, reader->version);
		return DAMAGED(reader,
			       mmp_file_offset(reader, MMP_TAG_STRING_INDEX,
					       MMP_HEADER_SIZE + mapping.order * 2 * mmp_id_size(reader->version)),
			       err, "the string index maps %s outside of the string data",
			       mapping.id > MMP_METADATA_ID ? "an id that is not virtual" : "an id");
	}
	return 0;
}

static int read_index(struct mmp_reader *reader, struct mmp_error *err)
{
	size_t entry_size = 2 * mmp_id_size(reader->version);
	uint64_t size = reader->streams[MMP_TAG_STRING_INDEX].size - MMP_HEADER_SIZE;
	size_t count = size / entry_size, page = 0;
	struct index_run run = {0};
	uint64_t largest = 0;
	int rc;

	if (size % entry_size)
		return DAMAGED(reader, reader->size, err, "the string index ends within an entry");
	rc = check_index(reader, count, &largest, err);
	if (rc)
		return rc;
	if (largest < 4 * (uint64_t)count + 1024) {
		reader->dense_count = largest + 1;
		reader->dense = allocate_table(reader->dense_count * sizeof(*reader->dense));
		if (!reader->dense)
			return out_of_memory(reader, err);
		memset(reader->dense, 0, reader->dense_count * sizeof(*reader->dense));
	} else {
		reader->sparse = calloc(count, sizeof(*reader->sparse));
		if (!reader->sparse)
			return out_of_memory(reader, err);
	}
	while (next_run(reader, count, &page, &run)) {
		if (reader->version == 8)
			store_run(reader, &run, 8);
		else
			store_run(reader, &run, MMP_VERSION);
	}
	if (reader->sparse)
		qsort(reader->sparse, reader->sparse_count, sizeof(*reader->sparse), compare_mappings);
	return 0;
}

uint64_t mmp_search_mapping(const struct mmp_reader *reader, uint64_t id)
{
	size_t low = 0, high = reader->sparse_count;

	/* The last entry of the id, thus the one before the first with a larger id. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reader->sparse[middle].id <= id)
			low = middle + 1;
		else
			high = middle;
	}
	return low && reader->sparse[low - 1].id == id ? reader->sparse[low - 1].address : 0;
}

bool mmp_next_mapping(const struct mmp_reader *reader, size_t *entry, uint64_t *virtual_id, uint64_t *id)
{
	uint64_t entry_size = 2 * mmp_id_size(reader->version);
	size_t page = 0;
	struct mmp_mapping mapping;

	if (*entry >= (reader->streams[MMP_TAG_STRING_INDEX].size - MMP_HEADER_SIZE) / entry_size)
		return false;
	mapping = index_entry(reader, (*entry)++, &page);
	*virtual_id = mapping.id;
	*id = MMP_FIRST_CONCRETE_ID + mapping.address;
	return true;
}

static int read_metadata(struct mmp_reader *reader, struct mmp_error *err)
{
	struct mmp_buffer buffer = {0};
	struct mmp_error reason;
	struct mmp_text text;
	int rc;

	if (!reader->metadata_address)
		return DAMAGED(reader, reader->size, err, "the string index has no metadata");
	rc = mmp_text_of(reader, MMP_METADATA_ID, &buffer, &text, err);
	if (!rc) {
		rc = mmp_metadata_parse(text.bytes, text.size, true, &reader->metadata, &reader->metadata_memory,
					&reason);
		if (rc)
			rc = DAMAGED(reader, mmp_file_offset(reader, MMP_TAG_STRING_DATA, reader->metadata_address),
				     err, "%s", reason.text);
	}
	mmp_buffer_free(&buffer);
	return rc;
}

/* Builds the reader over reader->bytes; closes it on failure. */
static int open_bytes(struct mmp_reader *reader, struct mmp_reader **out, struct mmp_error *err)
{
	int rc = read_file_header(reader, err);

	if (!rc)
		rc = read_streams(reader, err);
	if (!rc)
		rc = read_strings(reader, err);
	if (!rc)
		rc = read_index(reader, err);
	if (!rc)
		rc = read_metadata(reader, err);
	if (!rc)
		rc = mmp_check_events(reader, err);
	if (rc)
		mmp_close(reader);
	else
		*out = reader;
	return rc;
}

int mmp_open_memory(const void *bytes, size_t size, const char *name, struct mmp_reader **reader, struct mmp_error *err)
{
	struct mmp_reader *opened = calloc(1, sizeof(*opened));

	*reader = NULL;
	if (opened)
		opened->path = strdup(name);
	if (!opened || !opened->path) {
		free(opened);
		return mmp_fail(err, ENOMEM, "%s: out of memory while opening it", name);
	}
	opened->bytes = bytes;
	opened->size = size;
	return open_bytes(opened, reader, err);
}

/* The path with the extension, if such a file is there, otherwise the path as it is. NULL if out of memory. */
static char *complete_path(const char *path)
{
	struct stat status;
	char *longer;

	if (asprintf(&longer, "%s%s", path, MMP_EXTENSION) < 0)
		return NULL;
	if (stat(longer, &status) != 0)
		longer[strlen(path)] = '\0';
	return longer;
}

/* Maps the file reader->path. */
static int map_file(struct mmp_reader *reader, struct mmp_error *err)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	void *bytes;
	int rc = 0;

	if (fd < 0)
		return mmp_fail(err, errno, "cannot open the profile %s: %s", reader->path, strerror(errno));
	if (fstat(fd, &status) != 0) {
		rc = mmp_fail(err, errno, "cannot stat the profile %s: %s", reader->path, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		rc = mmp_fail(err, EINVAL, "%s is not a file; give the path of a %s file", reader->path, MMP_EXTENSION);
	} else if (status.st_size == 0) {
		rc = mmp_fail(err, EINVAL, "%s: byte 0: not a profile: it is empty", reader->path);
	} else {
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes == MAP_FAILED) {
			rc = mmp_fail(err, errno, "cannot mmap the profile %s: %s", reader->path, strerror(errno));
		} else {
			reader->bytes = bytes;
			reader->size = (size_t)status.st_size;
			reader->mapped = true;
		}
	}
	close(fd);
	return rc;
}

int mmp_open(const char *path, struct mmp_reader **reader, struct mmp_error *err)
{
	struct mmp_reader *opened = calloc(1, sizeof(*opened));
	int rc;

	*reader = NULL;
	if (opened)
		opened->path = complete_path(path);
	if (!opened || !opened->path) {
		free(opened);
		return mmp_fail(err, ENOMEM, "%s: out of memory while opening it", path);
	}
	rc = map_file(opened, err);
	if (rc) {
		mmp_close(opened);
		return rc;
	}
	return open_bytes(opened, reader, err);
}

void mmp_close(struct mmp_reader *reader)
{
	if (!reader)
		return;
	if (reader->mapped)
		munmap((void *)reader->bytes, reader->size);
	for (int tag = 0; tag < MMP_TAG_COUNT; tag++)
		free(reader->streams[tag].pages);
	free(reader->string_copy);
	free(reader->dense);
	free(reader->sparse);
	free(reader->metadata_memory);
	free(reader->path);
	free(reader);
}

const char *mmp_path(const struct mmp_reader *reader)
{
	return reader->path;
}

uint32_t mmp_version(const struct mmp_reader *reader)
{
	return reader->version;
}

const struct mmp_metadata *mmp_metadata(const struct mmp_reader *reader)
{
	return &reader->metadata;
}
