/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * seeds PROFILE.gz FIRST COUNT VERSION PAGE_SIZE OUT: cuts COUNT events from the number FIRST on out of a real profile,
 * with the strings that they need, and writes them in version 8 or 9 of the format, in pages of PAGE_SIZE bytes: what
 * the fuzzer starts from. The files in tests/fuzz/seeds/ were made by tests/fuzz/make-seeds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mmprofdata/mmprofdata.h"

enum { EVENTS, STRINGS, INDEX, STREAMS };
#define FIRST_ID (MMP_INVALID_ID + 1)

static FILE *streams[STREAMS];
static char *stream_bytes[STREAMS];
static size_t stream_sizes[STREAMS];
static size_t id_size;

/* New ids by old ones, both concrete, and the virtual ids that were mapped. */
static struct {
	uint64_t old, new;
} * known;
static size_t known_count;

static void die(const char *why)
{
	fprintf(stderr, "seeds: %s\n", why);
	exit(1);
}

static void put_number(FILE *out, uint64_t number, size_t size)
{
	while (size--) {
		putc((int)(number & 0xFF), out);
		number >>= 8;
	}
}

static void remember(uint64_t old, uint64_t new)
{
	known = realloc(known, (known_count + 1) * sizeof(*known));
	if (!known)
		die("out of memory");
	known[known_count].old = old;
	known[known_count++].new = new;
}

static uint64_t copy_string(const struct mmp_reader *reader, uint64_t id);

/* The id that a reference gets in the copy; the string is copied before, if it was not yet. */
static uint64_t new_id(const struct mmp_reader *reader, uint64_t id)
{
	uint64_t virtual_id, target, found = 0;
	size_t entry = 0;

	for (size_t i = 0; i < known_count; i++) {
		if (known[i].old == id)
			return known[i].new;
	}
	if (id >= FIRST_ID)
		return copy_string(reader, id);
	while (mmp_next_mapping(reader, &entry, &virtual_id, &target)) {
		if (virtual_id == id)
			found = target;
	}
	remember(id, id);
	if (found) {
		uint64_t copied = new_id(reader, found);

		put_number(streams[INDEX], id, id_size);
		put_number(streams[INDEX], copied - FIRST_ID, id_size);
	}
	return id;
}

static uint64_t copy_string(const struct mmp_reader *reader, uint64_t id)
{
	struct mmp_string_cursor cursor = mmp_strings(reader);
	struct mmp_component part;
	char *text = NULL;
	size_t size = 0;
	uint64_t copied;
	FILE *out = open_memstream(&text, &size);

	while (mmp_string_at(&cursor, &copied) && copied != id) {
		while (mmp_next_part(&cursor, &part, NULL) > 0)
			;
	}
	if (!out || copied != id)
		die("a string is not where it should be");
	while (mmp_next_part(&cursor, &part, NULL) > 0) {
		if (part.text) {
			fwrite(part.text, 1, part.size, out);
		} else {
			uint64_t ref = new_id(reader, part.ref);

			putc(0xFE, out);
			put_number(out, ref, id_size);
		}
	}
	putc(0xFF, out);
	fclose(out);
	fflush(streams[STRINGS]);
	copied = FIRST_ID + stream_sizes[STRINGS];
	fwrite(text, 1, size, streams[STRINGS]);
	free(text);
	remember(id, copied);
	return copied;
}

static void copy_event(const struct mmp_reader *reader, const struct mmp_event *event)
{
	uint64_t kind = new_id(reader, event->kind), id = new_id(reader, event->id);
	uint64_t first = event->type == MMP_INTEGER ? event->value : event->start;
	uint64_t second = event->type == MMP_INTERVAL  ? event->end
			  : event->type == MMP_INSTANT ? MMP_MAX_VALUE
						       : MMP_MAX_VALUE - 1;

	put_number(streams[EVENTS], kind, id_size);
	put_number(streams[EVENTS], id, id_size);
	put_number(streams[EVENTS], event->thread, 4);
	put_number(streams[EVENTS], first, 4);
	put_number(streams[EVENTS], second, 4);
	put_number(streams[EVENTS], second >> 32, 2);
	put_number(streams[EVENTS], first >> 32, 2);
}

static void write_file(const char *path, unsigned int version, size_t page_size)
{
	size_t done[STREAMS] = {0}, left = 1;
	FILE *out = fopen(path, "w");

	if (!out)
		die("cannot create the output");
	fputs("MMPD", out);
	put_number(out, version, 4);
	while (left) {
		left = 0;
		for (int tag = 0; tag < STREAMS; tag++) {
			size_t size = stream_sizes[tag] - done[tag];

			if (size > page_size)
				size = page_size;
			if (!size)
				continue;
			putc(tag, out);
			put_number(out, size, 4);
			fwrite(stream_bytes[tag] + done[tag], 1, size, out);
			done[tag] += size;
			left += stream_sizes[tag] - done[tag];
		}
	}
	if (fclose(out) != 0)
		die("cannot write the output");
}

int main(int argc, char **argv)
{
	static const char *const magic[] = {"MMES", "MMSD", "MMSI"};
	static uint8_t bytes[64 << 20];
	unsigned int version;
	struct mmp_reader *reader;
	struct mmp_cursor cursor;
	struct mmp_event event;
	struct mmp_error err;
	gzFile in;
	int size;

	if (argc != 7)
		die("usage: seeds PROFILE.gz FIRST COUNT VERSION PAGE_SIZE OUT");
	in = gzopen(argv[1], "rb");
	size = in ? gzread(in, bytes, sizeof(bytes)) : -1;
	if (size < 0)
		die("cannot read the profile");
	gzclose(in);
	if (mmp_open_memory(bytes, (size_t)size, argv[1], &reader, &err))
		die(err.text);
	version = (unsigned int)atoi(argv[4]);
	id_size = version == 8 ? 4 : 8;
	for (int i = 0; i < STREAMS; i++) {
		streams[i] = open_memstream(&stream_bytes[i], &stream_sizes[i]);
		fputs(magic[i], streams[i]);
		put_number(streams[i], version, 4);
	}
	new_id(reader, MMP_METADATA_ID);
	cursor = mmp_begin(reader);
	for (long i = 0, last = atol(argv[2]) + atol(argv[3]); i < last && mmp_next(&cursor, &event); i++) {
		if (i >= atol(argv[2]))
			copy_event(reader, &event);
	}
	for (int i = 0; i < STREAMS; i++)
		fclose(streams[i]);
	write_file(argv[6], version, (size_t)atol(argv[5]));
	mmp_close(reader);
	return 0;
}
