/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The writer: the exact bytes of a small file, pages of large ones, everything read back, temporary files, refusals,
 * many threads, a full disk.
 */
#include "tests/unit/profile_bytes.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

struct fixture {
	char directory[256];
	char path[300];
	struct mmp_writer *writer;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct mmp_error err;

	snprintf(fixture->directory, sizeof(fixture->directory), "%s", make_temporary_directory());
	snprintf(fixture->path, sizeof(fixture->path), "%s/a.mm_profdata", fixture->directory);
	assert_int_equal(mmp_writer_create(fixture->path, NULL, &fixture->writer, &err), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	mmp_writer_abort(fixture->writer);
	unlink(fixture->path);
	/* Fails if a temporary file was left behind. */
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

static uint64_t add_string(struct fixture *fixture, const char *text)
{
	struct mmp_error err;
	uint64_t id;

	assert_int_equal(mmp_alloc_string(fixture->writer, text, strlen(text), &id, &err), 0);
	return id;
}

static void finish(struct fixture *fixture)
{
	struct mmp_error err = {""};
	int rc = mmp_writer_finish(fixture->writer, METADATA, &err);

	fixture->writer = NULL;
	assert_string_equal(err.text, "");
	assert_int_equal(rc, 0);
}

static struct mmp_reader *finish_and_open(struct fixture *fixture)
{
	struct mmp_reader *reader;
	struct mmp_error err = {""};

	finish(fixture);
	mmp_open(fixture->path, &reader, &err);
	assert_string_equal(err.text, "");
	return reader;
}

static void assert_text(const struct mmp_reader *reader, uint64_t id, const char *expected)
{
	struct mmp_buffer buffer = {0};
	struct mmp_text text;
	struct mmp_error err;

	assert_int_equal(mmp_text_of(reader, id, &buffer, &text, &err), 0);
	assert_int_equal(text.size, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.size);
	mmp_buffer_free(&buffer);
}

static void test_bytes(void **state)
{
	static const uint8_t events[] =
	    /* kind 8, id 14, thread 7, 0x123456789A to 0xABCDEF012345 */
	    "\x0B\xE1\xF5\x05\0\0\0\0\x11\xE1\xF5\x05\0\0\0\0\x07\0\0\0\x9A\x78\x56\x34\x45\x23\x01\xEF\xCD\xAB\x12\0"
	    /* kind 8, virtual id 5, thread 0xFFFFFFFF, instant 3 */
	    "\x0B\xE1\xF5\x05\0\0\0\0\x05\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\x03\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\0\0"
	    /* kind 8, id 17, thread 0, integer 0xFFFFFFFFFFFF */
	    "\x0B\xE1\xF5\x05\0\0\0\0\x14\xE1\xF5\x05\0\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
	static const uint8_t strings[] =
	    "Query\xFF"
	    "q1\xFF"
	    "\xFE\x11\xE1\xF5\x05\0\0\0\0\x1E\xFE\x0B\xE1\xF5\x05\0\0\0\0\xFF" METADATA "\xFF";
	static const uint8_t index[] = "\x05\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0"
				       "\x01\xE1\xF5\x05\0\0\0\0\x25\0\0\0\0\0\0\0";
	struct fixture *fixture = *state;
	struct bytes expected = {0}, page = {0}, actual;
	uint64_t query = add_string(fixture, "Query"), label = add_string(fixture, "q1"), id, virtual_id = 5;

	assert_int_equal(query, FIRST_ID + 8);
	assert_int_equal(label, FIRST_ID + 14);
	assert_int_equal(mmp_alloc_event_id(fixture->writer, label, &query, 1, &id, NULL), 0);
	assert_int_equal(id, FIRST_ID + 17);
	assert_int_equal(mmp_map_virtual(fixture->writer, &virtual_id, 1, id, NULL), 0);
	assert_int_equal(mmp_record_interval(fixture->writer, query, label, 7, 0x123456789A, 0xABCDEF012345, NULL), 0);
	assert_int_equal(mmp_record_instant(fixture->writer, query, 5, UINT32_MAX, 3, NULL), 0);
	assert_int_equal(mmp_record_integer(fixture->writer, query, id, 0, MMP_MAX_VALUE, NULL), 0);
	finish(fixture);

	bytes_add(&expected, "MMPD\x09\0\0\0", 8);
	bytes_add(&page, "MMES\x09\0\0\0", 8);
	bytes_add(&page, events, sizeof(events) - 1);
	add_page(&expected, PAGE_EVENTS, page.data, page.size);
	page.size = 0;
	bytes_add(&page, "MMSD\x09\0\0\0", 8);
	bytes_add(&page, strings, sizeof(strings) - 1);
	add_page(&expected, PAGE_STRING_DATA, page.data, page.size);
	page.size = 0;
	bytes_add(&page, "MMSI\x09\0\0\0", 8);
	bytes_add(&page, index, sizeof(index) - 1);
	add_page(&expected, PAGE_STRING_INDEX, page.data, page.size);
	actual = read_whole_file(fixture->path);
	assert_int_equal(actual.size, expected.size);
	assert_memory_equal(actual.data, expected.data, expected.size);
	bytes_free(&actual);
	bytes_free(&expected);
	bytes_free(&page);
}

static void test_read_back(void **state)
{
	struct fixture *fixture = *state;
	uint64_t kind = add_string(fixture, MMP_KIND_QUERY), label = add_string(fixture, "typeck");
	uint64_t arguments[] = {add_string(fixture, "main"), add_string(fixture, "b\nc"), add_string(fixture, "d"),
				add_string(fixture, "e"), add_string(fixture, "f")};
	struct mmp_text text, rest, argument;
	struct mmp_buffer buffer = {0};
	struct mmp_reader *reader;
	struct mmp_cursor cursor;
	struct mmp_event event;
	uint64_t id;

	assert_int_equal(mmp_alloc_event_id(fixture->writer, label, arguments, 5, &id, NULL), 0);
	assert_int_equal(mmp_record_interval(fixture->writer, kind, id, 3, 0, MMP_MAX_END, NULL), 0);
	assert_int_equal(mmp_record_instant(fixture->writer, kind, label, 4, MMP_MAX_VALUE, NULL), 0);
	assert_int_equal(mmp_record_integer(fixture->writer, kind, MMP_INVALID_ID, 5, 123456789012, NULL), 0);
	reader = finish_and_open(fixture);
	assert_int_equal(mmp_version(reader), 9);
	assert_int_equal(mmp_event_count(reader), 3);
	assert_int_equal(mmp_metadata(reader)->start_time, 1000);
	assert_int_equal(mmp_metadata(reader)->process_id, 42);
	assert_string_equal(mmp_metadata(reader)->cmd, "rustc a.rs ");
	assert_null(mmp_metadata(reader)->querytap);

	cursor = mmp_begin(reader);
	assert_true(mmp_next(&cursor, &event));
	assert_int_equal(event.type, MMP_INTERVAL);
	assert_int_equal(event.thread, 3);
	assert_int_equal(event.start, 0);
	assert_int_equal(event.end, MMP_MAX_END);
	assert_text(reader, event.kind, "Query");
	assert_int_equal(mmp_event_text_of(reader, event.id, &buffer, &text, &rest, NULL), 0);
	assert_memory_equal(text.bytes, "typeck", text.size);
	for (const char *const *expected = (const char *const[]){"main", "b\nc", "d", "e", "f", NULL}; *expected;
	     expected++) {
		assert_true(mmp_next_argument(&rest, &argument));
		assert_int_equal(argument.size, strlen(*expected));
		assert_memory_equal(argument.bytes, *expected, argument.size);
	}
	assert_false(mmp_next_argument(&rest, &argument));
	assert_true(mmp_next(&cursor, &event));
	assert_int_equal(event.type, MMP_INSTANT);
	assert_int_equal(event.start, MMP_MAX_VALUE);
	assert_true(mmp_next(&cursor, &event));
	assert_int_equal(event.type, MMP_INTEGER);
	assert_int_equal(event.value, 123456789012);
	assert_text(reader, event.id, "<unknown>");
	assert_false(mmp_next(&cursor, &event));
	mmp_buffer_free(&buffer);
	mmp_close(reader);
}

/* Pages are full but for what an event or an index entry would overhang, and nothing is kept in memory. */
static void test_pages_and_memory(void **state)
{
	struct fixture *fixture = *state;
	uint64_t kind = add_string(fixture, MMP_KIND_QUERY), label = add_string(fixture, "q");
	size_t count = 200000, before = mallinfo2().uordblks, sizes[64], pages = 0, total = 0;
	struct mmp_reader *reader;
	struct mmp_cursor cursor;
	struct mmp_event event;
	struct bytes file;

	for (size_t i = 0; i < count; i++) {
		uint64_t virtual_id = i;

		assert_int_equal(mmp_record_interval(fixture->writer, kind, i, 1, i, 2 * i, NULL), 0);
		if (i % 10 == 0)
			assert_int_equal(mmp_map_virtual(fixture->writer, &virtual_id, 1, label, NULL), 0);
	}
	assert_true(mallinfo2().uordblks <= before + 4096);
	reader = finish_and_open(fixture);
	cursor = mmp_end(reader);
	for (size_t i = count; i-- > 0;) {
		assert_true(mmp_previous(&cursor, &event));
		assert_int_equal(event.start, i);
		assert_int_equal(event.end, 2 * i);
	}
	assert_text(reader, 199990, "q");
	assert_text(reader, 199991, "<unknown>");
	mmp_close(reader);

	file = read_whole_file(fixture->path);
	for (size_t at = 8; at < file.size;) {
		size_t size = file.data[at + 1] | (size_t)file.data[at + 2] << 8 | (size_t)file.data[at + 3] << 16;

		if (file.data[at] == PAGE_EVENTS) {
			sizes[pages++] = size;
			total += size;
		}
		at += 5 + size;
	}
	bytes_free(&file);
	assert_int_equal(total, 8 + 32 * count);
	for (size_t i = 0; i + 1 < pages; i++)
		assert_int_equal(sizes[i], i ? 262144 : 262144 - 24);
}

static void test_long_strings(void **state)
{
	static const size_t sizes[] = {0, 1, 262142, 262143, 262144, 262145, 1000000};
	struct fixture *fixture = *state;
	uint64_t ids[sizeof(sizes) / sizeof(sizes[0])];
	struct mmp_reader *reader;
	char *text = malloc(1000001);

	for (size_t i = 0; i < 1000000; i++)
		text[i] = (char)('a' + i % 23);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(mmp_alloc_string(fixture->writer, text, sizes[i], &ids[i], NULL), 0);
	reader = finish_and_open(fixture);
	for (size_t i = sizeof(sizes) / sizeof(sizes[0]); i-- > 0;) {
		text[sizes[i]] = '\0';
		assert_text(reader, ids[i], text);
	}
	free(text);
	mmp_close(reader);
}

/* As String::from_utf8_lossy: one U+FFFD for each longest beginning of a sequence. */
static void test_stray_bytes(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
	    {"a\xFF\xFE z", "a\xEF\xBF\xBD\xEF\xBF\xBD z"},
	    {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\xA6\x80", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\xA6\x80"},
	    {"\xE2\x82", "\xEF\xBF\xBD"},
	    {"\xE2\x82x\xF0\x9F\xA6", "\xEF\xBF\xBDx\xEF\xBF\xBD"},
	    {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
	    {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
	    {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
	};
	struct fixture *fixture = *state;
	uint64_t ids[sizeof(rows) / sizeof(rows[0])], composite;
	struct mmp_reader *reader;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ids[i] = add_string(fixture, rows[i].text);
	assert_int_equal(
	    mmp_alloc_composite(
		fixture->writer,
		(struct mmp_component[]){{.text = "<\xFF", .size = 2}, {.ref = ids[0]}, {.text = "\xC3>", .size = 2}},
		3, &composite, NULL),
	    0);
	reader = finish_and_open(fixture);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_text(reader, ids[i], rows[i].expected);
	assert_text(reader, composite,
		    "<\xEF\xBF\xBD"
		    "a\xEF\xBF\xBD\xEF\xBF\xBD z"
		    "\xEF\xBF\xBD>");
	mmp_close(reader);
}

static void test_refusals(void **state)
{
	struct fixture *fixture = *state;
	struct mmp_writer *writer = fixture->writer;
	uint64_t kind = add_string(fixture, "K"), id, virtual_id = MMP_MAX_VIRTUAL_ID, too_large = virtual_id + 1;
	struct mmp_error err = {""};

	assert_int_equal(mmp_record_interval(writer, kind, kind, 0, 2, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, fixture->path));
	assert_non_null(strstr(err.text, "starts (2 ns) after its end (1 ns)"));
	assert_int_equal(mmp_record_interval(writer, kind, kind, 0, 0, MMP_MAX_END + 1, &err), -ERANGE);
	assert_int_equal(mmp_record_instant(writer, kind, kind, 0, MMP_MAX_VALUE + 1, &err), -ERANGE);
	assert_int_equal(mmp_record_integer(writer, kind, kind, 0, MMP_MAX_VALUE + 1, &err), -ERANGE);
	assert_int_equal(mmp_record_interval(writer, kind + 2, kind, 0, 1, 1, &err), -EINVAL);
	assert_int_equal(mmp_record_interval(writer, kind, FIRST_ID, 0, 1, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no string with the id 100000003"));
	assert_int_equal(mmp_alloc_event_id(writer, kind, &kind, 1, &id, &err), 0);
	assert_int_equal(mmp_alloc_event_id(writer, UINT64_MAX, &kind, 1, &id, &err), -EINVAL);
	assert_int_equal(mmp_map_virtual(writer, &too_large, 1, kind, &err), -EINVAL);
	assert_int_equal(mmp_map_virtual(writer, &virtual_id, 1, 7, &err), -EINVAL);
	assert_int_equal(mmp_map_virtual(writer, &virtual_id, 1, UINT64_MAX, &err), -EINVAL);
	assert_int_equal(mmp_map_virtual(writer, &virtual_id, 1, kind, &err), 0);
	/* None of it did any harm. */
	finish(fixture);
}

/* Metadata that readers could not read is refused, and the file goes with it. */
static void test_bad_metadata(void **state)
{
	static const char *const bad[] = {
	    "",
	    "[]",
	    "{}",
	    "{\"start_time\": -1, \"process_id\": 1, \"cmd\": \"\"}",
	    "{\"start_time\": 1, \"process_id\": 4294967296, \"cmd\": \"\"}",
	    "{\"start_time\": 1, \"process_id\": 1, \"cmd\": 1}",
	    "{\"start_time\": 1, \"process_id\": 1, \"cmd\": \"it\\'s\"}",
	};
	struct fixture *fixture = *state;
	struct mmp_error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (i)
			assert_int_equal(mmp_writer_create(fixture->path, NULL, &fixture->writer, &err), 0);
		assert_int_equal(mmp_writer_finish(fixture->writer, bad[i], &err), -EINVAL);
		assert_int_equal(access(fixture->path, F_OK), -1);
	}
	fixture->writer = NULL;
}

static size_t count_files(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

static void test_temporary_file(void **state)
{
	struct fixture *fixture = *state;
	struct mmp_writer_options options = {.set_owner = true, .uid = getuid(), .gid = getgid(), .mode = 0640};
	struct mmp_writer *second;
	struct stat status;

	/* Nothing under the name until it is finished; an aborted one leaves nothing. */
	assert_int_equal(access(fixture->path, F_OK), -1);
	assert_int_equal(count_files(fixture->directory), 1);
	mmp_writer_abort(fixture->writer);
	assert_int_equal(count_files(fixture->directory), 0);

	/* Two writers of one path: the last to finish wins, whole. */
	assert_int_equal(mmp_writer_create(fixture->path, NULL, &fixture->writer, NULL), 0);
	assert_int_equal(mmp_writer_create(fixture->path, &options, &second, NULL), 0);
	finish(fixture);
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(mmp_writer_finish(second, METADATA, NULL), 0);
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(status.st_uid, getuid());
	assert_int_equal(count_files(fixture->directory), 1);
}

static void test_owner(void **state)
{
	struct fixture *fixture = *state;
	struct mmp_writer_options options = {.set_owner = true, .uid = 12345, .gid = 23456};
	struct mmp_writer *writer;
	struct stat status;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mmp_writer_create(fixture->path, &options, &writer, NULL), 0);
	assert_int_equal(mmp_writer_finish(writer, METADATA, NULL), 0);
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_uid, 12345);
	assert_int_equal(status.st_gid, 23456);
}

static void test_no_directory(void **state)
{
	struct fixture *fixture = *state;
	struct mmp_writer *writer;
	struct mmp_error err;
	char path[400];

	snprintf(path, sizeof(path), "%s/missing/a.mm_profdata", fixture->directory);
	assert_int_equal(mmp_writer_create(path, NULL, &writer, &err), -ENOENT);
	assert_null(writer);
	assert_non_null(strstr(err.text, path));
}

/* The file size limit stands in for a full disk. */
static void test_write_failure(void **state)
{
	struct fixture *fixture = *state;
	uint64_t kind = add_string(fixture, "K");
	struct rlimit old, limit;
	struct mmp_error err = {""};
	int rc = 0;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 300000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 20000 && !rc; i++)
		rc = mmp_record_instant(fixture->writer, kind, kind, 0, 1, &err);
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(err.text, fixture->path));
	err.text[0] = '\0';
	assert_int_equal(mmp_alloc_string(fixture->writer, "a", 1, &kind, &err), -EFBIG);
	assert_non_null(strstr(err.text, "File too large"));
	assert_int_equal(mmp_writer_finish(fixture->writer, METADATA, &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(count_files(fixture->directory), 0);
	fixture->writer = NULL;
}

static void test_timing(void **state)
{
	struct fixture *fixture = *state;
	struct mmp_writer_options options = {0};
	struct mmp_timing timing;
	struct mmp_reader *reader;
	struct mmp_cursor cursor;
	struct mmp_event event;
	struct timespec now;
	uint64_t kind;

	mmp_writer_abort(fixture->writer);
	clock_gettime(CLOCK_MONOTONIC, &now);
	options.clock_origin = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	assert_int_equal(mmp_writer_create(fixture->path, &options, &fixture->writer, NULL), 0);
	kind = add_string(fixture, "K");
	timing = mmp_start(fixture->writer, kind, MMP_INVALID_ID, 9);
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	timing.id = kind;
	assert_int_equal(mmp_finish(fixture->writer, &timing, NULL), 0);
	reader = finish_and_open(fixture);
	cursor = mmp_begin(reader);
	assert_true(mmp_next(&cursor, &event));
	assert_int_equal(event.id, kind);
	assert_int_equal(event.thread, 9);
	assert_true(event.end - event.start >= 2000000);
	assert_true(event.end < UINT64_C(3600000000000));
	mmp_close(reader);
}

enum { THREADS = 8, EVENTS_EACH = 125000 };

static void *record_many(void *argument)
{
	struct fixture *fixture = argument;
	uint64_t kind = add_string(fixture, "K"), id;
	uint32_t thread = (uint32_t)(uintptr_t)pthread_self();

	for (uint64_t i = 0; i < EVENTS_EACH; i++) {
		char text[32];
		int rc;

		snprintf(text, sizeof(text), "%u/%llu", thread, (unsigned long long)i);
		if (mmp_alloc_string(fixture->writer, text, strlen(text), &id, NULL))
			return argument;
		if (i % 3 == 0)
			rc = mmp_record_interval(fixture->writer, kind, id, thread, i, i, NULL);
		else if (i % 3 == 1)
			rc = mmp_record_instant(fixture->writer, kind, id, thread, i, NULL);
		else
			rc = mmp_record_integer(fixture->writer, kind, id, thread, i, NULL);
		if (rc)
			return argument;
	}
	return NULL;
}

/* A million events: each thread's come out in its order, each with the string that was stored for it. */
static void test_threads(void **state)
{
	static const enum mmp_event_type types[] = {MMP_INTERVAL, MMP_INSTANT, MMP_INTEGER};
	struct fixture *fixture = *state;
	pthread_t threads[THREADS];
	struct mmp_reader *reader;
	struct mmp_cursor cursor;
	struct mmp_event event;
	struct {
		uint32_t thread;
		uint64_t count;
	} seen[THREADS] = {0};

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, record_many, fixture), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	reader = finish_and_open(fixture);
	assert_int_equal(mmp_event_count(reader), THREADS * EVENTS_EACH);
	cursor = mmp_begin(reader);
	while (mmp_next(&cursor, &event)) {
		char text[32];
		int at = 0;

		while (at < THREADS && seen[at].count && seen[at].thread != event.thread)
			at++;
		assert_true(at < THREADS);
		seen[at].thread = event.thread;
		assert_int_equal(event.type, types[seen[at].count % 3]);
		assert_int_equal(event.type == MMP_INTEGER ? event.value : event.start, seen[at].count);
		snprintf(text, sizeof(text), "%u/%llu", event.thread, (unsigned long long)seen[at].count++);
		assert_text(reader, event.id, text);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(seen[i].count, EVENTS_EACH);
	mmp_close(reader);
}

static void test_metadata_text(void **state)
{
	static const char *const argv[] = {"rustc", "a b.rs", "--cfg",	     "feature=\"x\\y\"",
					   "",	    "it's",   "caf\xC3\xA9", "\xFF\n"};
	struct mmp_metadata fields = {.start_time = 1795227779873121358, .process_id = 15417};
	struct mmp_extra extras[] = {{"mode", "\"exact\""}, {"a \"key\"", "[1, 2]"}};
	struct fixture *fixture = *state;
	struct mmp_reader *reader;
	struct mmp_error err;
	char *cmd, *text;

	assert_int_equal(mmp_quote_command(sizeof(argv) / sizeof(argv[0]), argv, &cmd, &err), 0);
	assert_string_equal(cmd, "rustc a b.rs --cfg feature=\"x\\y\"  it's caf\xC3\xA9 \xEF\xBF\xBD\n ");
	fields.cmd = cmd;
	fields.querytap = "{\"lost\": 3}";
	assert_int_equal(mmp_metadata_text(&fields, extras, 2, &text, &err), 0);
	assert_string_equal(text,
			    "{ \"start_time\": 1795227779873121358, \"process_id\": 15417, \"cmd\": \"rustc a b.rs "
			    "--cfg feature=\\\"x\\\\y\\\"  it's caf\xC3\xA9 \xEF\xBF\xBD\\n \", \"counter\": { "
			    "\"name\": \"wall-time\", \"units\": [[\"ns\", 1], [\"\xCE\xBCs\", 1000], [\"ms\", "
			    "1000000], [\"s\", 1000000000]] }, \"mode\": \"exact\", \"a \\\"key\\\"\": [1, 2], "
			    "\"querytap\": {\"lost\": 3} }");
	assert_int_equal(mmp_writer_finish(fixture->writer, text, &err), 0);
	fixture->writer = NULL;
	free(text);
	assert_int_equal(mmp_open(fixture->path, &reader, &err), 0);
	assert_int_equal(mmp_metadata(reader)->start_time, 1795227779873121358);
	assert_string_equal(mmp_metadata(reader)->cmd, cmd);
	assert_string_equal(mmp_metadata(reader)->querytap, "{\"lost\":3}");
	mmp_close(reader);

	extras[0].key = "cmd";
	assert_int_equal(mmp_metadata_text(&fields, extras, 2, &text, &err), -EINVAL);
	assert_null(text);
	extras[0] = (struct mmp_extra){"mode", "exact"};
	assert_int_equal(mmp_metadata_text(&fields, extras, 2, &text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "\"mode\""));
	fields.cmd = "\xFF";
	assert_int_equal(mmp_metadata_text(&fields, NULL, 0, &text, &err), -EINVAL);
	free(cmd);
	assert_int_equal(mmp_quote_command(0, NULL, &cmd, &err), 0);
	assert_string_equal(cmd, "");
	free(cmd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_bytes),	    TEST(test_read_back),     TEST(test_pages_and_memory), TEST(test_long_strings),
	    TEST(test_stray_bytes), TEST(test_refusals),      TEST(test_bad_metadata),	   TEST(test_temporary_file),
	    TEST(test_owner),	    TEST(test_no_directory),  TEST(test_write_failure),	   TEST(test_timing),
	    TEST(test_threads),	    TEST(test_metadata_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
