/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Tables on disk, one file an object, BUILD-ID.unwind: a header and the table's words as they are in memory. Not every
 * linker leaves a build id, and what stands in for one need not change with the code, so the header has a checksum of
 * the call frame information too.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "bpf/table.h"
#include "unwind/private.h"
#include "util/path.h"

/* The format's version is in the magic number; files are read on the machine that wrote them. */
#define MAGIC "qtunwnd1"

enum { MIN_CACHED = 128 * 1024, MAX_CACHED = 64 * 1024 * 1024 }; /* words */

struct header {
	char magic[8];
	uint64_t size;			     /* of the object, bytes */
	uint32_t described, sum;	     /* CRC-32 of .eh_frame with its index, and of all that follows */
	uint64_t count, functions, left_out; /* as in struct unwind_table */
};

/* What of a table is checked besides its sum: that its parts fill it. */
static bool parts_fit(const uint64_t *words, uint64_t count)
{
	if (count < TABLE_HEADER_WORDS || words[TABLE_RULES] > TABLE_MAX_RULES || words[TABLE_PAGES] > UINT32_MAX ||
	    words[TABLE_ROWS] > UINT32_MAX)
		return false;
	return count ==
	       TABLE_HEADER_WORDS + words[TABLE_RULES] + words[TABLE_PAGES] / 2 + 1 + (words[TABLE_ROWS] + 1) / 2;
}

/* As much of a section as is looked at before its pages are given back. */
enum { SUM_AT_ONCE = 1024 * 1024 };

static uint32_t sum_section(const struct image *image, const char *name, uint32_t sum)
{
	uint64_t address, size;
	size_t available;
	const uint8_t *bytes =
	    image_section(image, name, &address, &size) ? image_bytes(image, address, &available) : NULL;

	if (!bytes || size > available)
		return sum;
	for (uint64_t at = 0; at < size; at += SUM_AT_ONCE) {
		sum = (uint32_t)crc32_z(sum, bytes + at, size - at < SUM_AT_ONCE ? size - at : SUM_AT_ONCE);
		image_drop(image);
	}
	return sum;
}

/* What is the same for the object as it is now and the one that a cached table was made of. */
static struct header header_of(const struct image *image)
{
	struct header header = {.magic = MAGIC, .size = image_size(image)};

	header.described = sum_section(image, ".eh_frame", sum_section(image, ".eh_frame_hdr", 0));
	return header;
}

static uint32_t sum_of(const struct header *header, const uint64_t *words)
{
	const size_t from = offsetof(struct header, count);
	unsigned long sum = crc32_z(0, (const uint8_t *)header + from, sizeof(*header) - from);

	return (uint32_t)crc32_z(sum, (const uint8_t *)words, header->count * sizeof(*words));
}

static char *cache_file(const struct image *image, const char *cache)
{
	char build_id[65], *file = NULL;

	image_build_id(image, build_id);
	return asprintf(&file, "%s/%s.unwind", cache, build_id) < 0 ? NULL : file;
}

static bool read_all(int fd, void *to, size_t size)
{
	ssize_t got = 1;

	for (; size && got > 0; size -= (size_t)got, to = (char *)to + got)
		got = read(fd, to, size);
	return got > 0;
}

/* Reads the words that the header tells of, and checks them. */
static bool read_words(int fd, const struct header *header, struct unwind_table *out)
{
	size_t size = header->count * sizeof(*out->words);
	uint64_t *words = malloc(size);

	if (words && read_all(fd, words, size) && sum_of(header, words) == header->sum &&
	    parts_fit(words, header->count)) {
		*out = (struct unwind_table){
		    .words = words,
		    .count = header->count,
		    .functions = header->functions,
		    .left_out = header->left_out,
		    .from_cache = true,
		};
		return true;
	}
	free(words);
	return false;
}

static bool cache_load(const struct image *image, const char *file, struct unwind_table *out)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct header header, now;
	struct stat status;
	bool good;

	if (fd < 0)
		return false;
	good = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && read_all(fd, &header, sizeof(header)) &&
	       header.count <= MAX_CACHED &&
	       (uint64_t)status.st_size == sizeof(header) + header.count * sizeof(*out->words);
	if (good) {
		now = header_of(image);
		good = !memcmp(now.magic, header.magic, sizeof(now.magic)) && now.size == header.size &&
		       now.described == header.described && read_words(fd, &header, out);
	}
	close(fd);
	return good;
}

static void cache_store(const struct image *image, const char *file, const char *cache, const struct identity *owner,
			const struct unwind_table *table)
{
	size_t size = table->count * sizeof(*table->words);
	struct header header = header_of(image);
	char *bytes = malloc(sizeof(header) + size);

	if (!bytes)
		return;
	header.count = table->count;
	header.functions = table->functions;
	header.left_out = table->left_out;
	header.sum = sum_of(&header, table->words);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), table->words, size);
	if (path_make_directory(cache, owner, NULL) == 0)
		path_write_file(file, bytes, sizeof(header) + size, owner, NULL);
	free(bytes);
}

int unwind_table_get(const char *path, const char *cache, const struct identity *owner, struct unwind_table *out,
		     struct error *err)
{
	struct image *image;
	char *file;
	int code = image_open(path, &image, err);

	if (code < 0)
		return code;
	file = cache ? cache_file(image, cache) : NULL;
	if (!file || !cache_load(image, file, out)) {
		code = unwind_table_of(image, path, out, err);
		if (code == 0 && file && out->count >= MIN_CACHED && out->count <= MAX_CACHED)
			cache_store(image, file, cache, owner, out);
		/* Making a large one takes 30 MiB, which the C library would keep for later. */
		if (code == 0 && out->count >= MIN_CACHED)
			malloc_trim(0);
	}
	free(file);
	image_close(image);
	return code;
}
