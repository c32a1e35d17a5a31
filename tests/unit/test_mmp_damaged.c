/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Damaged profiles: refused with a sentence that says where and what, and never a crash, a hang or memory eaten. */
#include "tests/unit/profile_bytes.h"

#include <errno.h>

#include "analysis/analysis.h"

/* Opens bytes that must be refused with a sentence that has `what` in it. */
static void assert_refused(const struct bytes *file, const char *what)
{
	struct mmp_reader *reader;
	struct mmp_error err = {""};

	assert_int_equal(mmp_open_memory(file->data, file->size, "broken", &reader, &err), -EINVAL);
	assert_null(reader);
	assert_int_equal(strncmp(err.text, "broken: byte ", 13), 0);
	if (!strstr(err.text, what))
		fail_msg("expected \"%s\" in: %s", what, err.text);
}

/* Opens, walks and expands all there is to a profile, and sums it up. Returns the first failure. */
static int read_all(const struct bytes *file, struct mmp_error *err)
{
	struct mmp_reader *reader;
	struct mmp_cursor cursor;
	struct mmp_event event;
	struct mmp_buffer buffer = {0};
	struct mmp_text label, rest, argument;
	struct summary summary;
	struct error summary_error = {""};
	int rc = mmp_open_memory(file->data, file->size, "broken", &reader, err);

	if (rc)
		return rc;
	cursor = mmp_end(reader);
	while (!rc && mmp_previous(&cursor, &event)) {
		rc = mmp_event_text_of(reader, event.id, &buffer, &label, &rest, err);
		while (!rc && mmp_next_argument(&rest, &argument))
			assert_true(argument.size > 0);
		if (!rc)
			rc = mmp_text_of(reader, event.kind, &buffer, &label, err);
	}
	if (summarize_profile(reader, &summary, &summary_error))
		assert_string_not_equal(summary_error.text, "");
	summary_free(&summary);
	mmp_buffer_free(&buffer);
	mmp_close(reader);
	return rc;
}

/* What is left when a file is cut off is never taken for a whole one. */
static void test_truncated(void **state)
{
	(void)state;
	for (uint32_t version = 8; version <= 9; version++) {
		for (size_t page_size = 5; page_size < 1000; page_size *= 10) {
			uint64_t label, with_argument;
			struct parts parts = small_profile(version, &label, &with_argument);
			struct bytes file = parts_file(&parts, page_size);

			for (size_t size = 0; size < file.size; size++) {
				/* A copy of just that size, so that a sanitizer sees reading beyond it. */
				struct bytes cut = {0};
				struct mmp_error err = {""};

				bytes_add(&cut, file.data, size);
				cut.data = realloc(cut.data, size ? size : 1);
				assert_int_equal(read_all(&cut, &err), -EINVAL);
				assert_int_equal(strncmp(err.text, "broken: byte ", 13), 0);
				bytes_free(&cut);
			}
			bytes_free(&file);
		}
	}
}

/* Any byte with any value: refused with a sentence, or read to the end. */
static void test_flipped(void **state)
{
	(void)state;
	for (uint32_t version = 8; version <= 9; version++) {
		uint64_t label, with_argument;
		struct parts parts = small_profile(version, &label, &with_argument);
		struct bytes file = parts_file(&parts, 100);

		for (size_t at = 0; at < file.size; at++) {
			uint8_t old = file.data[at];

			for (int value = 0; value < 256; value++) {
				struct mmp_error err = {""};
				int rc;

				file.data[at] = (uint8_t)value;
				rc = read_all(&file, &err);
				assert_true(rc == 0 || rc == -EINVAL);
				assert_int_equal(rc == 0, err.text[0] == '\0');
			}
			file.data[at] = old;
		}
		bytes_free(&file);
	}
}

/* The same on a real profile, with runs of bytes in places picked by a fixed sequence. */
static void test_golden_damaged(void **state)
{
	struct bytes file = read_golden("tiny-197-incremental.mm_profdata.gz");
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 150; round++) {
		uint8_t old[16];
		size_t at, size;
		struct mmp_error err = {""};
		int rc;

		random = random * 1664525 + 1013904223;
		at = (size_t)((uint64_t)random * (file.size - sizeof(old)) >> 32);
		size = 1 + random % sizeof(old);
		memcpy(old, file.data + at, size);
		for (size_t i = 0; i < size; i++)
			file.data[at + i] ^= (uint8_t)(random >> (i + 8));
		rc = read_all(&file, &err);
		assert_true(rc == 0 || rc == -EINVAL);
		memcpy(file.data + at, old, size);
	}
	for (size_t size = 0; size < file.size; size += file.size / 60) {
		struct bytes cut = {file.data, size, size};
		struct mmp_error err = {""};

		assert_int_equal(read_all(&cut, &err), -EINVAL);
	}
	bytes_free(&file);
}

static void test_refusals(void **state)
{
	uint64_t label, with_argument;
	struct parts parts;
	struct bytes file;

	(void)state;
	file = (struct bytes){0};
	bytes_text(&file, "MMPD");
	assert_refused(&file, "not a profile");
	bytes_number(&file, 9, 4);
	assert_refused(&file, "the stream of events is missing");
	add_page(&file, 3, "x", 1);
	assert_refused(&file, "byte 8: damaged profile: there is no kind of page with the number 3");
	file.size = 8;
	add_page(&file, 0, "", 0);
	assert_refused(&file, "byte 8: damaged profile: a page is empty");
	file.size = 8;
	bytes_number(&file, 0, 1);
	assert_refused(&file, "byte 8: damaged profile: the file ends within a page's header");
	bytes_number(&file, UINT32_MAX, 4);
	assert_refused(&file, "byte 8: damaged profile: a page claims 4294967295 bytes, but the file has only 0 more");
	file.data[4] = 10;
	assert_refused(&file, "byte 4: version 10 of the format is newer");
	file.data[4] = 7;
	assert_refused(&file, "byte 4: version 7 of the format is older");
	file.data[0] = 'X';
	assert_refused(&file, "byte 0: not a profile");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	parts.streams[PAGE_STRING_INDEX].data[0] = 'X';
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "the stream of the string index does not begin");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	parts.streams[PAGE_EVENTS].data[4] = 8;
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file,
		       "byte 13: damaged profile: the stream of events does not begin with \"MMES\" and version 9");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	bytes_number(&parts.streams[PAGE_EVENTS], 0, 1);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "the events end within an event");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	bytes_number(&parts.streams[PAGE_STRING_INDEX], 0, 8);
	bytes_number(&parts.streams[PAGE_STRING_INDEX], 0, 7);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "the string index ends within an entry");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	parts_event(&parts, label, label, 0, 6, 5);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "byte 149: damaged profile: event 4 starts after its end");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	parts_event(&parts, label, label + 1000, 0, 5, 5);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "event 4 has a string id outside of the string data");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	parts_event(&parts, FIRST_ID + 7, label, 0, 5, 5);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "event 4 has a string id outside of the string data");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	parts_map(&parts, METADATA_ID + 1, label);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "maps an id that is not virtual");
	bytes_free(&file);

	parts = small_profile(9, &label, &with_argument);
	parts_map(&parts, 6, label + 1000);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "maps an id outside of the string data");
	bytes_free(&file);

	parts_begin(&parts, 9);
	parts_string(&parts, METADATA);
	file = parts_file(&parts, SIZE_MAX);
	assert_refused(&file, "has no metadata");
	bytes_free(&file);
}

static void assert_string_refused(const struct mmp_reader *reader, uint64_t id, const char *what)
{
	struct mmp_buffer buffer = {0};
	struct mmp_text text, rest;
	struct mmp_error err;

	assert_int_equal(mmp_text_of(reader, id, &buffer, &text, &err), -EINVAL);
	assert_int_equal(strncmp(err.text, "memory: byte ", 13), 0);
	if (!strstr(err.text, what))
		fail_msg("expected \"%s\" in: %s", what, err.text);
	assert_int_equal(mmp_event_text_of(reader, id, &buffer, &text, &rest, &err), -EINVAL);
	assert_int_equal(mmp_label_of(reader, id, &buffer, &text, &err), -EINVAL);
	mmp_buffer_free(&buffer);
}

/* Strings that refer to themselves, never end, or grow without end: all found when they are asked for. */
static void test_damaged_strings(void **state)
{
	uint64_t itself, virtual_itself, outside, header, parts_only, large, last;
	char *text = calloc(1, 70001);

	(void)state;
	for (int cut_reference = 0; cut_reference < 2; cut_reference++) {
		struct mmp_reader *reader;
		struct parts parts;
		struct bytes file;

		parts_begin(&parts, 9);
		parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
		itself = FIRST_ID + parts.streams[PAGE_STRING_DATA].size;
		parts_composite(&parts, itself, "x", itself);
		virtual_itself = parts_composite(&parts, 77, "", 77);
		parts_map(&parts, 77, virtual_itself);
		outside = parts_composite(&parts, UINT64_MAX, "", itself);
		header = parts_composite(&parts, FIRST_ID, "", itself);
		parts_only = parts_string(&parts, "");
		for (int i = 0; i < 60; i++)
			parts_only = parts_composite(&parts, parts_only, "", parts_only);
		memset(text, 'k', 70000);
		large = parts_string(&parts, text);
		for (int i = 0; i < 60; i++)
			large = parts_composite(&parts, large, "", large);
		last = FIRST_ID + parts.streams[PAGE_STRING_DATA].size;
		bytes_text(&parts.streams[PAGE_STRING_DATA], cut_reference ? "\xFE"
									     "1234567"
									   : "abc");
		file = parts_file(&parts, SIZE_MAX);
		reader = open_bytes(&file);

		assert_string_refused(reader, itself, "a string refers to itself");
		assert_string_refused(reader, virtual_itself, "a string refers to itself");
		assert_string_refused(reader, outside, "outside of the string data");
		assert_string_refused(reader, header, "outside of the string data");
		assert_string_refused(reader, parts_only, "too many parts");
		assert_string_refused(reader, large, "longer than is credible");
		assert_string_refused(reader, last, cut_reference ? "is cut off" : "has no end");
		mmp_close(reader);
		bytes_free(&file);
	}
	free(text);
}

static void test_bad_metadata(void **state)
{
	static const struct {
		const char *metadata, *what;
	} bad[] = {
	    {"", "the metadata is not JSON"},
	    {"{ \"start_time\": 1, \"process_id\": 2, \"cmd\": \"\\q\" }", "the metadata is not JSON"},
	    {"{ \"start_time\": 1, \"process_id\": 2, \"cmd\": \"\\u{d800}\" }", "the metadata is not JSON"},
	    {"{ \"start_time\": 1, \"process_id\": 2, \"cmd\": \"\\u{", "the metadata is not JSON"},
	    {"{ \"process_id\": 2, \"cmd\": \"\" }", "no \"start_time\""},
	    {"{ \"start_time\": 1.5, \"process_id\": 2, \"cmd\": \"\" }", "no \"start_time\""},
	    {"{ \"start_time\": 1, \"cmd\": \"\" }", "no \"process_id\""},
	    {"{ \"start_time\": 1, \"process_id\": 2 }", "no \"cmd\""},
	    {"7", "the metadata is not JSON"},
	};
	struct bytes file;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file = file_with_metadata(bad[i].metadata);
		assert_refused(&file, bad[i].what);
		bytes_free(&file);
	}
}

/* A profile that a compiler of 2021 wrote; it is not kept in the repository. */
static void test_golden_version_8(void **state)
{
	struct bytes file = read_whole_file("../shared/golden/v8.mm_profdata.gz");
	struct mmp_error err = {""};

	(void)state;
	if (!file.size)
		skip();
	assert_int_equal(read_all(&file, &err), 0);
	for (size_t size = 0; size < file.size; size += file.size / 60) {
		struct bytes cut = {file.data, size, size};

		assert_int_equal(read_all(&cut, &err), -EINVAL);
	}
	bytes_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_truncated),	     cmocka_unit_test(test_flipped),
	    cmocka_unit_test(test_golden_damaged),   cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_damaged_strings),  cmocka_unit_test(test_bad_metadata),
	    cmocka_unit_test(test_golden_version_8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
