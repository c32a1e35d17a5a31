/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The reader: profiles of real compilers, both versions of the format, pages cut anywhere, strings of every shape. */
#include "tests/unit/profile_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static void assert_text(struct mmp_text text, const char *expected)
{
	if (text.size != strlen(expected) || memcmp(text.bytes, expected, text.size) != 0)
		fail_msg("expected \"%s\", got \"%.*s\"", expected, (int)text.size, text.bytes);
}

/* The label of `id` and its arguments joined by '|'. */
static void assert_event_text(const struct mmp_reader *reader, uint64_t id, const char *label, const char *arguments)
{
	struct mmp_buffer buffer = {0};
	struct mmp_text text, rest, argument;
	struct bytes joined = {0};

	bytes_text(&joined, "");
	assert_int_equal(mmp_label_of(reader, id, &buffer, &text, NULL), 0);
	assert_text(text, label);
	assert_int_equal(mmp_event_text_of(reader, id, &buffer, &text, &rest, NULL), 0);
	assert_text(text, label);
	while (mmp_next_argument(&rest, &argument)) {
		if (joined.size)
			bytes_text(&joined, "|");
		bytes_add(&joined, argument.bytes, argument.size);
	}
	assert_text((struct mmp_text){(const char *)joined.data, joined.size}, arguments);
	bytes_free(&joined);
	mmp_buffer_free(&buffer);
}

static void check_small_profile(const struct mmp_reader *reader, uint32_t version)
{
	struct mmp_cursor cursor = mmp_begin(reader);
	struct mmp_event events[4], event;

	assert_int_equal(mmp_version(reader), version);
	assert_int_equal(mmp_event_count(reader), 4);
	assert_string_equal(mmp_metadata(reader)->cmd, "rustc a.rs ");
	assert_false(mmp_previous(&cursor, &event));
	for (int i = 0; i < 4; i++)
		assert_true(mmp_next(&cursor, &events[i]));
	assert_false(mmp_next(&cursor, &event));
	for (int i = 3; i >= 0; i--) {
		assert_true(mmp_previous(&cursor, &event));
		assert_memory_equal(&event, &events[i], sizeof(event));
	}
	assert_int_equal(events[0].type, MMP_INTERVAL);
	assert_int_equal(events[0].start, 10);
	assert_int_equal(events[0].end, 20);
	assert_event_text(reader, events[0].id, "q1", "");
	assert_event_text(reader, events[0].kind, "Query", "");
	assert_int_equal(events[1].thread, 2);
	assert_int_equal(events[1].start, 0x112233445566);
	assert_int_equal(events[1].end, 0x112233445567);
	assert_event_text(reader, events[1].id, "q1", "Query");
	assert_int_equal(events[2].type, MMP_INSTANT);
	assert_int_equal(events[2].start, 5);
	assert_int_equal(events[2].end, 5);
	assert_int_equal(events[3].type, MMP_INTEGER);
	assert_int_equal(events[3].value, 77);
	assert_event_text(reader, events[3].id, "<unknown>", "");
}

/* Pages may cut events, strings and index entries anywhere. */
static void test_versions_and_pages(void **state)
{
	(void)state;
	for (uint32_t version = 8; version <= 9; version++) {
		for (size_t page_size = 1; page_size < 300; page_size++) {
			uint64_t label, with_argument;
			struct parts parts = small_profile(version, &label, &with_argument);
			struct bytes file = parts_file(&parts, page_size);
			struct mmp_reader *reader = open_bytes(&file);

			check_small_profile(reader, version);
			mmp_close(reader);
			bytes_free(&file);
		}
	}
}

static void test_strings(void **state)
{
	struct mmp_buffer buffer = {0};
	struct mmp_text text, again;
	struct parts parts;
	struct bytes file;
	struct mmp_reader *reader;
	uint64_t label, wrapped, nested, empty, control, argument_control, empty_argument, spaces, stray, unknown;

	(void)state;
	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	label = parts_string(&parts, "label");
	empty = parts_string(&parts, "");
	wrapped = parts_composite(&parts, empty, "", label);
	nested = parts_composite(&parts, wrapped,
				 "\x1E"
				 "1\x1E",
				 parts_composite(&parts, label, "+", wrapped));
	control = parts_string(&parts, "a\x1B[2J");
	argument_control = parts_string(&parts, "foo\x1E"
						"ok\x1E"
						"a\x7F\x1E"
						"ignored");
	empty_argument = parts_string(&parts, "foo\x1E");
	spaces = parts_string(&parts, "a b\x1E"
				      "c\n\t\f\rd");
	stray = parts_string(&parts, "x\xC3");
	unknown = parts_composite(&parts, 5, "-", MMP_INVALID_ID);
	file = parts_file(&parts, SIZE_MAX);
	reader = open_bytes(&file);

	assert_event_text(reader, label, "label", "");
	assert_event_text(reader, wrapped, "label", "");
	assert_event_text(reader, nested, "label", "1|label+label");
	assert_event_text(reader, empty, "<parse error>", "");
	assert_event_text(reader, control, "<parse error>", "");
	assert_event_text(reader, argument_control, "foo", "ok");
	assert_event_text(reader, empty_argument, "foo", "");
	assert_event_text(reader, spaces, "a b", "c\n\t\f\rd");
	assert_event_text(reader, stray, "x\xEF\xBF\xBD", "");
	assert_event_text(reader, unknown, "<unknown>-<unknown>", "");
	assert_event_text(reader, 5, "<unknown>", "");

	/* One piece of text is handed out as it lies in the file. */
	assert_int_equal(mmp_label_of(reader, label, &buffer, &text, NULL), 0);
	assert_int_equal(mmp_label_of(reader, nested, &buffer, &again, NULL), 0);
	assert_ptr_equal(text.bytes, again.bytes);
	assert_true((const uint8_t *)text.bytes > file.data && (const uint8_t *)text.bytes < file.data + file.size);
	mmp_buffer_free(&buffer);
	mmp_close(reader);
	bytes_free(&file);
}

/* Ids that are dense, as rustc's, and ids far apart are kept in different ways. */
static void test_index(void **state)
{
	static const uint64_t steps[] = {1, 50000, 9999};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct parts parts;
		struct bytes file;
		struct mmp_reader *reader;
		uint64_t a, b;

		parts_begin(&parts, 9);
		a = parts_string(&parts, "a");
		b = parts_string(&parts, "b");
		for (uint64_t id = 1000; id-- > 0;) {
			parts_map(&parts, id * steps[i], a);
			if (id == 500)
				parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
		}
		parts_map(&parts, 7 * steps[i], b);
		parts_map(&parts, MMP_MAX_VIRTUAL_ID * (steps[i] != 1), b);
		file = parts_file(&parts, 4096);
		reader = open_bytes(&file);
		for (uint64_t id = 1; id < 1000; id++)
			assert_event_text(reader, id * steps[i], id == 7 ? "b" : "a", "");
		assert_event_text(reader, MMP_MAX_VIRTUAL_ID * (steps[i] != 1), "b", "");
		assert_event_text(reader, 1000 * steps[i], "<unknown>", "");
		assert_event_text(reader, MMP_INVALID_ID, "<unknown>", "");
		mmp_close(reader);
		bytes_free(&file);
	}
}

/* rustc escapes the command line by Rust's rules, which give invalid JSON for some arguments. */
static void test_metadata(void **state)
{
	static const struct {
		const char *cmd, *expected;
	} good[] = {
	    {"rustc a.rs ", "rustc a.rs "},
	    {"\\\"x\\\\y\\\" ", "\"x\\y\" "},
	    {"jos\\u{e9}\\'s \\u{1f980}\\u{7f}\\t ", "jos\xC3\xA9's \xF0\x9F\xA6\x80\x7F\t "},
	    {"\\' \\\\u{e9} ", "' \\u{e9} "},
	};
	struct mmp_reader *reader;
	struct bytes file;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text),
			 "{ \"start_time\": 1, \"process_id\": 4294967295, \"cmd\": \"%s\", \"other\": [{}], "
			 "\"querytap\": %s }",
			 good[i].cmd, i ? "7" : "{ \"a\": {} }");
		file = file_with_metadata(text);
		reader = open_bytes(&file);
		assert_string_equal(mmp_metadata(reader)->cmd, good[i].expected);
		assert_int_equal(mmp_metadata(reader)->process_id, UINT32_MAX);
		if (i)
			assert_null(mmp_metadata(reader)->querytap);
		else
			assert_string_equal(mmp_metadata(reader)->querytap, "{\"a\":{}}");
		mmp_close(reader);
		bytes_free(&file);
	}
}

/* What the values count: as the file says, whatever that is; a description that makes no sense is none. */
static void test_counter(void **state)
{
	static const struct {
		const char *json, *name, *last_unit;
		size_t units;
	} rows[] = {
	    {"{ \"name\": \"wall-time\", \"units\": [[\"ns\", 1], [\"s\", 1000000000]] }", "wall-time", "s", 2},
	    {"{ \"name\": \"instructions:u\", \"units\": [[\"instructions\", 1]] }", "instructions:u", "instructions",
	     1},
	    {"{ \"name\": \"sheep\" }", "sheep", NULL, 0},
	    {"{ \"name\": \"sheep\", \"units\": [[\"ewe\", 0]] }", "sheep", NULL, 0},
	    {"{ \"name\": \"sheep\", \"units\": [[\"ewe\", 1], [2, \"ram\"]] }", "sheep", NULL, 0},
	    {"{ \"name\": \"sheep\", \"units\": 7 }", "sheep", NULL, 0},
	    {"{ \"units\": [[\"ns\", 1]] }", NULL, NULL, 0},
	    {"[]", NULL, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mmp_counter *counter;
		struct mmp_reader *reader;
		struct bytes file;
		char text[200];

		snprintf(text, sizeof(text),
			 "{ \"start_time\": 1, \"process_id\": 2, \"cmd\": \"x \", \"counter\": %s }", rows[i].json);
		file = file_with_metadata(text);
		reader = open_bytes(&file);
		counter = &mmp_metadata(reader)->counter;
		if (rows[i].name)
			assert_string_equal(counter->name, rows[i].name);
		else
			assert_null(counter->name);
		assert_int_equal(counter->unit_count, rows[i].units);
		if (rows[i].last_unit)
			assert_string_equal(counter->units[rows[i].units - 1].name, rows[i].last_unit);
		assert_string_equal(mmp_metadata(reader)->cmd, "x ");
		mmp_close(reader);
		bytes_free(&file);
	}
}

static void test_golden(void **state)
{
	static const struct {
		const char *name;
		size_t events, instants, integers, arguments;
		uint32_t process_id;
		const char *cmd;
	} rows[] = {
	    {"tiny-195", 53451, 0, 9352, 9, 15417, "rustc tiny.rs -o tiny -Zself-profile=sp "},
	    {"tiny-197-args", 57903, 0, 9982, 36729, 15573,
	     "rustc tiny.rs -o tiny -Zself-profile-events=default,args -Zself-profile=sp "},
	    {"tiny-197-cache-hits", 129224, 75206, 9550, 6, 15555,
	     "rustc tiny.rs -o tiny -Zself-profile-events=default,query-cache-hit -Zself-profile=sp "},
	    {"tiny-197-threads4", 54021, 0, 9550, 6, 15591, "rustc tiny.rs -o tiny -Zthreads=4 -Zself-profile=sp "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[64];
		struct bytes file;
		struct mmp_reader *reader;
		struct mmp_cursor forward, backward;
		struct mmp_event *events, event;
		struct mmp_buffer buffer = {0};
		struct mmp_text label, rest, argument;
		size_t count = 0, instants = 0, integers = 0, arguments = 0;

		snprintf(name, sizeof(name), "%s.mm_profdata.gz", rows[i].name);
		file = read_golden(name);
		reader = open_bytes(&file);
		assert_int_equal(mmp_metadata(reader)->process_id, rows[i].process_id);
		assert_string_equal(mmp_metadata(reader)->cmd, rows[i].cmd);
		assert_string_equal(mmp_metadata(reader)->counter.name, MMP_COUNTER_WALL_TIME);
		assert_int_equal(mmp_metadata(reader)->counter.unit_count, 4);
		assert_int_equal(mmp_metadata(reader)->counter.units[3].factor, 1000000000);
		events = calloc(mmp_event_count(reader), sizeof(*events));
		forward = mmp_begin(reader);
		while (mmp_next(&forward, &events[count])) {
			assert_int_equal(mmp_event_text_of(reader, events[count].id, &buffer, &label, &rest, NULL), 0);
			while (mmp_next_argument(&rest, &argument))
				arguments++;
			instants += events[count].type == MMP_INSTANT;
			integers += events[count].type == MMP_INTEGER;
			if (++count == mmp_event_count(reader))
				break;
		}
		assert_false(mmp_next(&forward, &event));
		assert_int_equal(count, rows[i].events);
		assert_int_equal(instants, rows[i].instants);
		assert_int_equal(integers, rows[i].integers);
		assert_int_equal(arguments, rows[i].arguments);
		backward = mmp_end(reader);
		while (mmp_previous(&backward, &event))
			assert_memory_equal(&event, &events[--count], sizeof(event));
		assert_int_equal(count, 0);
		free(events);
		mmp_buffer_free(&buffer);
		mmp_close(reader);
		bytes_free(&file);
	}
}

/* A real profile whose pages are cut into others says the same. */
static void test_golden_other_pages(void **state)
{
	struct bytes file = read_golden("tiny-197-incremental.mm_profdata.gz"), other;
	struct mmp_reader *reader = open_bytes(&file), *again;
	struct mmp_cursor cursor = mmp_begin(reader), other_cursor;
	struct mmp_event event, other_event;
	struct parts parts;
	size_t count = 0;

	(void)state;
	split_file(&file, &parts);
	other = parts_file(&parts, 37);
	again = open_bytes(&other);
	other_cursor = mmp_begin(again);
	while (mmp_next(&cursor, &event)) {
		assert_true(mmp_next(&other_cursor, &other_event));
		assert_memory_equal(&event, &other_event, sizeof(event));
		count++;
	}
	assert_int_equal(count, mmp_event_count(again));
	mmp_close(again);
	mmp_close(reader);
	bytes_free(&other);
	bytes_free(&file);
}

/* A profile that a compiler of 2021 wrote; it is not kept in the repository. */
static void test_golden_version_8(void **state)
{
	struct bytes file = read_whole_file("../shared/golden/v8.mm_profdata.gz");
	struct mmp_reader *reader;

	(void)state;
	if (!file.size)
		skip();
	reader = open_bytes(&file);
	assert_int_equal(mmp_version(reader), 8);
	assert_int_equal(mmp_event_count(reader), 10922);
	assert_int_equal(mmp_metadata(reader)->start_time, 1631882200512821000);
	assert_string_equal(mmp_metadata(reader)->counter.name, MMP_COUNTER_WALL_TIME);
	mmp_close(reader);
	bytes_free(&file);
}

static void test_open(void **state)
{
	const char *directory = make_temporary_directory();
	char path[300], stem[300], pipe_path[300];
	struct bytes file = file_with_metadata(METADATA);
	struct mmp_reader *reader;
	struct mmp_error err;
	FILE *out;

	(void)state;
	snprintf(stem, sizeof(stem), "%s/a.b", directory);
	snprintf(path, sizeof(path), "%s/a.b.mm_profdata", directory);
	snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", directory);
	assert_int_equal(mmp_open(stem, &reader, &err), -ENOENT);
	assert_non_null(strstr(err.text, stem));
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(mmp_open(path, &reader, &err), -EINVAL);
	assert_non_null(strstr(err.text, "it is empty"));
	out = fopen(path, "w");
	assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
	assert_int_equal(fclose(out), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mmp_open(i ? path : stem, &reader, &err), 0);
		assert_string_equal(mmp_path(reader), path);
		assert_int_equal(mmp_event_count(reader), 0);
		mmp_close(reader);
	}
	assert_int_equal(mmp_open(directory, &reader, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is not a file"));
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_int_equal(mmp_open(pipe_path, &reader, &err), -EINVAL);
	mmp_close(NULL);
	unlink(pipe_path);
	unlink(path);
	assert_int_equal(rmdir(directory), 0);
	bytes_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_versions_and_pages),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_index),
	    cmocka_unit_test(test_metadata),
	    cmocka_unit_test(test_counter),
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_golden_other_pages),
	    cmocka_unit_test(test_golden_version_8),
	    cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
