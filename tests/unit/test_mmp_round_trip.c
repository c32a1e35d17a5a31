/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the writer wrote, read through the library's interface and written again, is the same bytes. */
#include "tests/unit/profile_bytes.h"

struct fixture {
	char directory[256];
	char first[300], second[300];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	snprintf(fixture->directory, sizeof(fixture->directory), "%s", make_temporary_directory());
	snprintf(fixture->first, sizeof(fixture->first), "%s/a.mm_profdata", fixture->directory);
	snprintf(fixture->second, sizeof(fixture->second), "%s/b.mm_profdata", fixture->directory);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->first);
	unlink(fixture->second);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

/* The ids that stored strings have in the copy, by rising id. */
struct ids {
	struct {
		uint64_t old, new;
	} * rows;
	size_t count;
};

static uint64_t new_id(const struct ids *ids, uint64_t old)
{
	size_t low = 0, high = ids->count;

	if (old < FIRST_ID)
		return old;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ids->rows[middle].old < old)
			low = middle + 1;
		else
			high = middle;
	}
	assert_true(low < ids->count);
	assert_int_equal(ids->rows[low].old, old);
	return ids->rows[low].new;
}

/* Copies all strings but the metadata, which mmp_writer_finish stores at the end. */
static void copy_strings(const struct mmp_reader *reader, struct mmp_writer *writer, struct ids *ids)
{
	struct mmp_string_cursor cursor = mmp_strings(reader);
	struct mmp_component *parts = NULL;
	uint64_t id, virtual_id, metadata = 0;
	size_t capacity = 0, entry = 0;

	while (mmp_next_mapping(reader, &entry, &virtual_id, &id)) {
		if (virtual_id == MMP_METADATA_ID)
			metadata = id;
	}
	while (mmp_string_at(&cursor, &id)) {
		struct mmp_error err = {""};
		size_t count = 0;

		for (;;) {
			if (count == capacity) {
				capacity = 2 * capacity + 16;
				parts = realloc(parts, capacity * sizeof(*parts));
				assert_non_null(parts);
			}
			if (mmp_next_part(&cursor, &parts[count], &err) <= 0)
				break;
			if (!parts[count].text)
				parts[count].ref = new_id(ids, parts[count].ref);
			count++;
		}
		assert_string_equal(err.text, "");
		if (id == metadata)
			continue;
		if (ids->count % 4096 == 0)
			ids->rows = realloc(ids->rows, (ids->count + 4096) * sizeof(*ids->rows));
		ids->rows[ids->count].old = id;
		assert_int_equal(mmp_alloc_composite(writer, parts, count, &ids->rows[ids->count++].new, &err), 0);
	}
	free(parts);
}

static void copy_events(const struct mmp_reader *reader, struct mmp_writer *writer, const struct ids *ids)
{
	struct mmp_cursor cursor = mmp_begin(reader);
	struct mmp_event event;

	while (mmp_next(&cursor, &event)) {
		uint64_t kind = new_id(ids, event.kind), id = new_id(ids, event.id);
		int rc;

		if (event.type == MMP_INTERVAL)
			rc = mmp_record_interval(writer, kind, id, event.thread, event.start, event.end, NULL);
		else if (event.type == MMP_INSTANT)
			rc = mmp_record_instant(writer, kind, id, event.thread, event.start, NULL);
		else
			rc = mmp_record_integer(writer, kind, id, event.thread, event.value, NULL);
		assert_int_equal(rc, 0);
	}
}

/* Writes to `path` all that the reader has: the strings, the index, the events. */
static void copy(const struct mmp_reader *reader, const char *path)
{
	struct mmp_writer *writer;
	struct mmp_buffer buffer = {0};
	struct mmp_error err = {""};
	struct mmp_text text;
	struct ids ids = {0};
	uint64_t id, virtual_id;
	size_t entry = 0;
	char *metadata;

	assert_int_equal(mmp_writer_create(path, NULL, &writer, &err), 0);
	copy_strings(reader, writer, &ids);
	while (mmp_next_mapping(reader, &entry, &virtual_id, &id)) {
		if (virtual_id != MMP_METADATA_ID)
			assert_int_equal(mmp_map_virtual(writer, &virtual_id, 1, new_id(&ids, id), &err), 0);
	}
	copy_events(reader, writer, &ids);
	assert_int_equal(mmp_text_of(reader, MMP_METADATA_ID, &buffer, &text, &err), 0);
	metadata = strndup(text.bytes, text.size);
	assert_int_equal(mmp_writer_finish(writer, metadata, &err), 0);
	free(metadata);
	free(ids.rows);
	mmp_buffer_free(&buffer);
}

static struct mmp_reader *open_file(const char *path)
{
	struct mmp_reader *reader;
	struct mmp_error err = {""};

	mmp_open(path, &reader, &err);
	assert_string_equal(err.text, "");
	return reader;
}

static void copy_file(const char *from, const char *to)
{
	struct mmp_reader *reader = open_file(from);

	copy(reader, to);
	mmp_close(reader);
}

static void assert_same_bytes(const char *one, const char *other)
{
	struct bytes a = read_whole_file(one), b = read_whole_file(other);

	assert_int_equal(a.size, b.size);
	assert_int_equal(memcmp(a.data, b.data, a.size), 0);
	bytes_free(&a);
	bytes_free(&b);
}

/* Text and arguments of the same string in two profiles. */
static void assert_same_text(const struct mmp_reader *one, uint64_t one_id, const struct mmp_reader *other,
			     uint64_t other_id, struct mmp_buffer buffers[2])
{
	struct mmp_text a, b;

	assert_int_equal(mmp_text_of(one, one_id, &buffers[0], &a, NULL), 0);
	assert_int_equal(mmp_text_of(other, other_id, &buffers[1], &b, NULL), 0);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.bytes, b.bytes, a.size);
}

static void assert_same_profile(const struct mmp_reader *one, const struct mmp_reader *other)
{
	struct mmp_cursor at = mmp_begin(one), other_at = mmp_begin(other);
	struct mmp_buffer buffers[2] = {{0}, {0}};
	struct mmp_event event, other_event;

	assert_same_text(one, MMP_METADATA_ID, other, MMP_METADATA_ID, buffers);
	assert_int_equal(mmp_event_count(one), mmp_event_count(other));
	while (mmp_next(&at, &event)) {
		assert_true(mmp_next(&other_at, &other_event));
		assert_int_equal(event.type, other_event.type);
		assert_int_equal(event.thread, other_event.thread);
		assert_true(event.start == other_event.start && event.end == other_event.end &&
			    event.value == other_event.value);
		assert_same_text(one, event.kind, other, other_event.kind, buffers);
		assert_same_text(one, event.id, other, other_event.id, buffers);
	}
	mmp_buffer_free(&buffers[0]);
	mmp_buffer_free(&buffers[1]);
}

/* A compiler's profile is converted once, which loses nothing; from then on the bytes stay the same. */
static void check_golden(struct fixture *fixture, const struct bytes *file)
{
	struct mmp_reader *reader = open_bytes(file), *converted;

	copy(reader, fixture->first);
	converted = open_file(fixture->first);
	assert_same_profile(reader, converted);
	mmp_close(converted);
	mmp_close(reader);
	copy_file(fixture->first, fixture->second);
	assert_same_bytes(fixture->first, fixture->second);
}

static void test_golden(void **state)
{
	static const char *const names[] = {"tiny-195", "tiny-197-args", "tiny-197-cache-hits", "tiny-197-incremental",
					    "tiny-197-threads4"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64];
		struct bytes file;

		snprintf(name, sizeof(name), "%s.mm_profdata.gz", names[i]);
		file = read_golden(name);
		check_golden(*state, &file);
		bytes_free(&file);
	}
}

/* A profile that a compiler of 2021 wrote; it is not kept in the repository. */
static void test_golden_version_8(void **state)
{
	struct bytes file = read_whole_file("../shared/golden/v8.mm_profdata.gz");

	if (!file.size)
		skip();
	check_golden(*state, &file);
	bytes_free(&file);
}

/* Writes a profile of several pages of each kind, in which strings, mappings and events alternate. */
static void write_mixed(const char *path)
{
	static const struct mmp_unit units[] = {{"sheep", 1}};
	struct mmp_metadata fields = {
	    .start_time = 7, .process_id = 8, .cmd = "caf\xC3\xA9 \"x\" ", .counter = {"sheep", units, 1}};
	struct mmp_writer *writer;
	struct mmp_error err = {""};
	uint64_t label, text, id;
	char *metadata;

	assert_int_equal(mmp_writer_create(path, NULL, &writer, &err), 0);
	assert_int_equal(mmp_alloc_string(writer, "q", 1, &label, &err), 0);
	for (uint64_t i = 0; i < 60000; i++) {
		struct mmp_component parts[] = {{.ref = i}, {.text = "\xC3\xA9", .size = 2}, {.ref = label}};
		char number[32];
		int size = snprintf(number, sizeof(number), "%llu", (unsigned long long)i);
		uint64_t virtual_ids[] = {i, i + 1, 100000000 - i};

		assert_int_equal(mmp_alloc_string(writer, number, (size_t)size, &text, &err), 0);
		assert_int_equal(mmp_alloc_event_id(writer, label, (uint64_t[]){text, i}, 2, &id, &err), 0);
		assert_int_equal(mmp_map_virtual(writer, virtual_ids, 3, text, &err), 0);
		assert_int_equal(mmp_record_interval(writer, label, id, (uint32_t)i, i, i + i % 5, &err), 0);
		assert_int_equal(mmp_alloc_composite(writer, parts, 3, &id, &err), 0);
		if (i % 2)
			assert_int_equal(mmp_record_instant(writer, label, id, 3, MMP_MAX_VALUE - i, &err), 0);
		else
			assert_int_equal(mmp_record_integer(writer, i, MMP_INVALID_ID, 3, MMP_MAX_VALUE - i, &err), 0);
	}
	assert_int_equal(mmp_metadata_text(&fields, NULL, 0, &metadata, &err), 0);
	assert_int_equal(mmp_writer_finish(writer, metadata, &err), 0);
	free(metadata);
}

/*
 * The streams are the same bytes whatever the order of the calls; where pages of different streams follow each other
 * is the order of the calls, which a copy chooses for itself.
 */
static void test_mixed(void **state)
{
	struct fixture *fixture = *state;
	struct bytes one, other;
	struct parts parts, other_parts;

	write_mixed(fixture->first);
	copy_file(fixture->first, fixture->second);
	one = read_whole_file(fixture->first);
	other = read_whole_file(fixture->second);
	assert_int_equal(one.size, other.size);
	split_file(&one, &parts);
	split_file(&other, &other_parts);
	for (int i = 0; i < 3; i++) {
		assert_true(parts.streams[i].size > 2 * 262144);
		assert_int_equal(parts.streams[i].size, other_parts.streams[i].size);
		assert_int_equal(
		    memcmp(parts.streams[i].data, other_parts.streams[i].data, other_parts.streams[i].size), 0);
		bytes_free(&parts.streams[i]);
		bytes_free(&other_parts.streams[i]);
	}
	bytes_free(&one);
	bytes_free(&other);

	/* The same calls in the same order: the same bytes from end to end. */
	copy_file(fixture->second, fixture->first);
	assert_same_bytes(fixture->first, fixture->second);
	write_mixed(fixture->first);
	write_mixed(fixture->second);
	assert_same_bytes(fixture->first, fixture->second);
}

/* Hardly anything in it. */
static void test_empty(void **state)
{
	struct fixture *fixture = *state;
	struct bytes file = file_with_metadata(METADATA);

	check_golden(fixture, &file);
	bytes_free(&file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_golden),
	    TEST(test_golden_version_8),
	    TEST(test_mixed),
	    TEST(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
