/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Profiles cut short, many events at once, and label keys. */
#include "tests/unit/profile_bytes.h"

static struct bytes truncate_bytes(const struct bytes *file, size_t events)
{
	struct mmp_reader *reader = open_bytes(file);
	struct bytes result = {0};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	mmp_write_truncated(reader, events, out);
	fclose(out);
	bytes_add(&result, text, size);
	free(text);
	mmp_close(reader);
	return result;
}

/* Pages of all sizes, so that events lie across them. */
static void test_truncate(void **state)
{
	static const size_t page_sizes[] = {1, 7, 8, 31, 33, 40, 41, 100, 100000};

	(void)state;
	for (uint32_t version = 8; version <= 9; version++) {
		for (size_t i = 0; i < sizeof(page_sizes) / sizeof(page_sizes[0]); i++) {
			uint64_t label, with_argument;
			struct parts parts = small_profile(version, &label, &with_argument);
			struct bytes file = parts_file(&parts, page_sizes[i]);

			for (size_t events = 0; events <= 5; events++) {
				struct bytes cut = truncate_bytes(&file, events);
				struct mmp_reader *whole = open_bytes(&file), *reader = open_bytes(&cut);
				struct mmp_cursor left = mmp_begin(whole), right = mmp_begin(reader);
				struct mmp_event a, b;

				assert_int_equal(mmp_event_count(reader), events < 4 ? events : 4);
				assert_string_equal(mmp_metadata(reader)->cmd, mmp_metadata(whole)->cmd);
				while (mmp_next(&right, &b)) {
					assert_true(mmp_next(&left, &a));
					assert_memory_equal(&a, &b, sizeof(a));
				}
				if (events >= 4) {
					assert_int_equal(cut.size, file.size);
					assert_memory_equal(cut.data, file.data, file.size);
				}
				mmp_close(whole);
				mmp_close(reader);
				bytes_free(&cut);
			}
			bytes_free(&file);
		}
	}
}

static void test_first_page(void **state)
{
	static const struct {
		size_t page_size, events;
	} rows[] = {{1, 1}, {8, 1}, {39, 2}, {40, 1}, {71, 1}, {72, 2}, {100000, 4}};
	struct bytes empty = file_with_metadata(METADATA);
	struct mmp_reader *reader = open_bytes(&empty);

	(void)state;
	assert_int_equal(mmp_first_page_events(reader), 0);
	mmp_close(reader);
	bytes_free(&empty);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t label, with_argument;
		struct parts parts = small_profile(9, &label, &with_argument);
		struct bytes file = parts_file(&parts, rows[i].page_size);

		reader = open_bytes(&file);
		assert_int_equal(mmp_first_page_events(reader), rows[i].events);
		mmp_close(reader);
		bytes_free(&file);
	}
}

/* Event ids with the same key have the same label, and the key is an event id with that label. */
static void test_label_key(void **state)
{
	struct parts parts;
	struct bytes file;
	struct mmp_reader *reader;
	uint64_t label, argument, plain, with_argument, alias, partial, joined, circle;

	(void)state;
	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	label = parts_string(&parts, "label");
	argument = parts_string(&parts, "argument");
	plain = parts_string(&parts, "label\x1E"
				     "argument");
	with_argument = parts_composite(&parts, label, "\x1E", argument);
	alias = parts_composite(&parts, with_argument, "\x1E", argument);
	/* The label is what both parts make together. */
	partial = parts_composite(&parts, label, "s", argument);
	joined = parts_composite(&parts, label, "", argument);
	circle = FIRST_ID + parts.streams[PAGE_STRING_DATA].size;
	circle = parts_composite(&parts, circle, "\x1E", argument);
	parts_map(&parts, 5, with_argument);
	file = parts_file(&parts, 100000);
	reader = open_bytes(&file);
	assert_int_equal(mmp_label_key(reader, label), label);
	assert_int_equal(mmp_label_key(reader, with_argument), label);
	assert_int_equal(mmp_label_key(reader, 5), label);
	assert_int_equal(mmp_label_key(reader, alias), label);
	assert_int_equal(mmp_label_key(reader, plain), plain);
	assert_int_equal(mmp_label_key(reader, partial), partial);
	assert_int_equal(mmp_label_key(reader, joined), joined);
	assert_int_equal(mmp_label_key(reader, circle), circle);
	assert_int_equal(mmp_label_key(reader, 6), MMP_INVALID_ID);
	assert_int_equal(mmp_label_key(reader, MMP_INVALID_ID), MMP_INVALID_ID);
	assert_int_equal(mmp_stored_id(reader, 5), with_argument);
	assert_int_equal(mmp_stored_id(reader, with_argument), with_argument);
	assert_int_equal(mmp_stored_id(reader, 6), MMP_INVALID_ID);
	assert_int_equal(mmp_stored_id(reader, MMP_INVALID_ID), MMP_INVALID_ID);
	mmp_close(reader);
	bytes_free(&file);
}

/* Batches of all sizes give what single steps give, wherever they begin. */
static void test_previous_many(void **state)
{
	static const size_t page_sizes[] = {1, 33, 72, 100000};

	(void)state;
	for (size_t i = 0; i < sizeof(page_sizes) / sizeof(page_sizes[0]); i++) {
		uint64_t label, with_argument;
		struct parts parts = small_profile(i % 2 ? 9 : 8, &label, &with_argument);
		struct bytes file = parts_file(&parts, page_sizes[i]);
		struct mmp_reader *reader = open_bytes(&file);

		for (size_t limit = 1; limit <= 6; limit++) {
			struct mmp_cursor one = mmp_end(reader), many = mmp_end(reader);
			struct mmp_event event, events[6];
			size_t count, total = 0;

			while ((count = mmp_previous_many(&many, events, limit))) {
				assert_true(count <= limit);
				for (size_t j = 0; j < count; j++) {
					mmp_prefetch(reader, events[j].id);
					assert_true(mmp_previous(&one, &event));
					assert_memory_equal(&event, &events[j], sizeof(event));
				}
				total += count;
			}
			assert_int_equal(total, 4);
			assert_false(mmp_previous(&one, &event));
		}
		mmp_prefetch(reader, MMP_INVALID_ID);
		mmp_prefetch(reader, UINT64_MAX);
		mmp_close(reader);
		bytes_free(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_truncate),
	    cmocka_unit_test(test_first_page),
	    cmocka_unit_test(test_label_key),
	    cmocka_unit_test(test_previous_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
