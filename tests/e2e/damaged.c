/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * damaged DIR: writes profiles to DIR that are damaged in one way each, and prints for each its name, a tab, and the
 * words that the sentence about it must have.
 */
#include "tests/unit/profile_bytes.h"

static const char *directory;

/* Writes the file and its line. */
static void emit_file(const char *name, const char *words, struct bytes *file)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s.mm_profdata", directory, name);
	out = fopen(path, "w");
	if (!out || fwrite(file->data, 1, file->size, out) != file->size || fclose(out) != 0) {
		perror(path);
		exit(1);
	}
	printf("%s\t%s\n", name, words);
	bytes_free(file);
}

static void emit(const char *name, const char *words, struct parts *parts)
{
	struct bytes file = parts_file(parts, 100);

	emit_file(name, words, &file);
}

static struct parts begin(uint64_t *label)
{
	uint64_t with_argument;

	return small_profile(9, label, &with_argument);
}

static struct bytes whole(size_t page_size)
{
	uint64_t label;
	struct parts parts = begin(&label);

	return parts_file(&parts, page_size);
}

/* What is wrong with the file as a whole. */
static void emit_files(void)
{
	struct bytes file = whole(SIZE_MAX);

	file.data[0] = 'X';
	emit_file("magic", "byte 0: not a profile", &file);
	file = (struct bytes){0};
	emit_file("empty", "byte 0: not a profile: it is empty", &file);
	file = whole(SIZE_MAX);
	file.data[4] = 10;
	emit_file("newer", "byte 4: version 10 of the format is newer", &file);
	file = whole(SIZE_MAX);
	file.data[4] = 7;
	emit_file("older", "byte 4: version 7 of the format is older", &file);
	file = whole(SIZE_MAX);
	file.data[8] = 3;
	emit_file("page-kind", "byte 8: damaged profile: there is no kind of page with the number 3", &file);
	file = whole(SIZE_MAX);
	file.data[12] = 0xFF;
	emit_file("page-too-long", "byte 8: damaged profile: a page claims", &file);
	file = whole(SIZE_MAX);
	memset(file.data + 9, 0, 4);
	emit_file("page-empty", "byte 8: damaged profile: a page is empty", &file);
	file = whole(SIZE_MAX);
	file.data[9]--;
	emit_file("page-too-short", "damaged profile", &file);
	file = whole(SIZE_MAX);
	file.data[13] = 'X';
	emit_file("stream-magic", "byte 13: damaged profile: the stream of events does not begin with", &file);
	file = whole(SIZE_MAX);
	file.size -= 3;
	emit_file("cut-off", "it may be cut off", &file);
	file = whole(100);
	file.size = 13 + 100;
	emit_file("streams-missing", "the stream of string data is missing", &file);
}

/* What is wrong with events, the index and the metadata. */
static void emit_numbers(void)
{
	uint64_t label;
	struct parts parts = begin(&label);

	parts_event(&parts, label, label, 0, 6, 5);
	emit("start-after-end", "event 4 starts after its end", &parts);
	parts = begin(&label);
	parts_event(&parts, label, label + 100000, 0, 5, 6);
	emit("id-out-of-range", "event 4 has a string id outside of the string data", &parts);
	parts = begin(&label);
	parts_event(&parts, FIRST_ID, label, 0, 5, 6);
	emit("kind-out-of-range", "event 4 has a string id outside of the string data", &parts);
	parts = begin(&label);
	bytes_number(&parts.streams[PAGE_EVENTS], 1, 8);
	emit("half-an-event", "the events end within an event", &parts);
	parts = begin(&label);
	bytes_number(&parts.streams[PAGE_STRING_INDEX], 1, 8);
	emit("half-an-entry", "the string index ends within an entry", &parts);
	parts = begin(&label);
	parts_map(&parts, 6, label + 100000);
	emit("address-out-of-range", "the string index maps an id outside of the string data", &parts);
	parts = begin(&label);
	parts_map(&parts, METADATA_ID + 1, label);
	emit("index-of-no-virtual-id", "the string index maps an id that is not virtual", &parts);
	parts = begin(&label);
	parts_map(&parts, METADATA_ID, label);
	emit("metadata", "the metadata is not JSON", &parts);
	parts_begin(&parts, 9);
	parts_string(&parts, METADATA);
	emit("no-metadata", "the string index has no metadata", &parts);
}

/* What is wrong with the string of an event's label. */
static void emit_strings(void)
{
	uint64_t label, id;
	struct parts parts = begin(&label);

	id = FIRST_ID + parts.streams[PAGE_STRING_DATA].size;
	parts_event(&parts, label, parts_composite(&parts, id, "x", label), 0, 5, 6);
	emit("string-of-itself", "a string refers to itself", &parts);
	parts = begin(&label);
	parts_event(&parts, label, 77, 0, 5, 6);
	parts_map(&parts, 77, parts_composite(&parts, 78, "", label));
	parts_map(&parts, 78, parts_composite(&parts, 77, "", label));
	emit("strings-of-each-other", "a string refers to itself", &parts);
	parts = begin(&label);
	parts_event(&parts, label, parts_composite(&parts, UINT64_MAX, "x", label), 0, 5, 6);
	emit("reference-out-of-range", "a string refers to an id outside of the string data", &parts);
	parts = begin(&label);
	parts_event(&parts, label, FIRST_ID + parts.streams[PAGE_STRING_DATA].size, 0, 5, 6);
	bytes_text(&parts.streams[PAGE_STRING_DATA], "endless");
	emit("string-without-end", "a string has no end", &parts);
	parts = begin(&label);
	parts_event(&parts, label, FIRST_ID + parts.streams[PAGE_STRING_DATA].size, 0, 5, 6);
	bytes_text(&parts.streams[PAGE_STRING_DATA], "\xFE"
						     "123");
	emit("reference-cut-off", "a reference to a string is cut off", &parts);
	parts = begin(&label);
	id = parts_string(&parts, "abcdefgh");
	for (int i = 0; i < 60; i++)
		id = parts_composite(&parts, id, "", id);
	parts_event(&parts, label, id, 0, 5, 6);
	emit("too-many-parts", "a string has too many parts", &parts);
}

int main(int argc, char **argv)
{
	struct bytes file;

	if (argc != 2)
		return 2;
	directory = argv[1];
	emit_files();
	emit_numbers();
	emit_strings();
	file = whole(30);
	emit_file("good", "", &file);
	return 0;
}
