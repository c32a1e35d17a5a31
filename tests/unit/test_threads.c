/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What of each thread's time lies in events, and what is left: in small profiles, and in real ones against summaries.
 */
#include "tests/unit/profile_bytes.h"

#include "analysis/analysis.h"
#include "render/render.h"

#define INSTANT UINT64_C(0xFFFFFFFFFFFF)
#define INTEGER UINT64_C(0xFFFFFFFFFFFE)

struct row {
	uint32_t thread;
	uint64_t start, end; /* or INSTANT, or INTEGER */
};

static struct mmp_reader *open_rows(const char *metadata, const struct row *rows, size_t count, struct bytes *file)
{
	struct parts parts;
	uint64_t kind;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	kind = parts_string(&parts, "Query");
	for (size_t i = 0; i < count; i++)
		parts_event(&parts, kind, kind, rows[i].thread, rows[i].start, rows[i].end);
	*file = parts_file(&parts, 1000);
	return open_bytes(file);
}

static void expect(const struct thread_times *times, uint64_t start, uint64_t end, uint64_t self, int64_t hole)
{
	assert_int_equal(times->start_ns, start);
	assert_int_equal(times->end_ns, end);
	assert_int_equal(times->self_ns, self);
	assert_true(times->hole_ns == hole);
}

/* Thread 7: two queries in one, a hole, another. Thread 3 begins before it and is full. */
static const struct row two_threads[] = {
    {7, 110, 150}, {3, 50, 90},	    {7, 160, 190}, {7, 100, 200},
    {7, 230, 240}, {9, 1, INSTANT}, {3, 90, 100},  {3, 999, INTEGER},
};
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_threads(void **state)
{
	struct bytes file;
	struct mmp_reader *reader = open_rows(METADATA, two_threads, COUNT(two_threads), &file);
	struct thread_list list;

	(void)state;
	assert_int_equal(threads_time(reader, &list, NULL), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].thread, 3);
	expect(&list.rows[0], 50, 100, 50, 0);
	assert_int_equal(list.rows[1].thread, 7);
	expect(&list.rows[1], 100, 240, 110, 30);
	expect(&list.total, 50, 240, 160, 30);
	assert_int_equal(list.total.span_ns, 190);
	thread_list_free(&list);
	mmp_close(reader);
	bytes_free(&file);
}

/* Threads that start together stand by number; intervals that overlap take up more than the span. */
static void test_overlap(void **state)
{
	static const struct row rows[] = {{8, 10, 20}, {2, 10, 50}, {2, 30, 60}};
	struct bytes file;
	struct mmp_reader *reader = open_rows(METADATA, rows, COUNT(rows), &file);
	struct thread_list list;

	(void)state;
	assert_int_equal(threads_time(reader, &list, NULL), 0);
	assert_int_equal(list.rows[0].thread, 2);
	expect(&list.rows[0], 10, 60, 70, -20);
	expect(&list.rows[1], 10, 20, 10, 0);
	expect(&list.total, 10, 60, 80, -20);
	thread_list_free(&list);
	mmp_close(reader);
	bytes_free(&file);
}

static char *render(const struct thread_list *list, bool json)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err = {""};

	assert_int_equal((json ? render_threads_json : render_threads_text)(list, out, &err), 0);
	fclose(out);
	return text;
}

static void test_text(void **state)
{
	struct bytes file;
	struct mmp_reader *reader = open_rows(METADATA, two_threads, COUNT(two_threads), &file);
	struct thread_list list;
	char *text;

	(void)state;
	assert_int_equal(threads_time(reader, &list, NULL), 0);
	text = render(&list, false);
	assert_string_equal(text, "+--------+-------------+----------+---------+---------+---------+--------+\n"
				  "| Thread | First start | Last end | Span ns | Self ns | Hole ns | Hole % |\n"
				  "+--------+-------------+----------+---------+---------+---------+--------+\n"
				  "| 3      | 50          | 100      | 50      | 50      | 0       | 0.000  |\n"
				  "| 7      | 100         | 240      | 140     | 110     | 30      | 21.429 |\n"
				  "| Total  | 50          | 240      | 190     | 160     | 30      | 15.789 |\n"
				  "+--------+-------------+----------+---------+---------+---------+--------+\n");
	free(text);
	text = render(&list, true);
	assert_string_equal(text,
			    "{\"threads\":[{\"thread\":3,\"start\":50,\"end\":100,\"span\":50,\"self_time\":50,"
			    "\"hole\":0,\"hole_percent\":0.0},{\"thread\":7,\"start\":100,\"end\":240,\"span\":140,"
			    "\"self_time\":110,\"hole\":30,\"hole_percent\":21.428571428571427}],\"total\":{"
			    "\"start\":50,\"end\":240,\"span\":190,\"self_time\":160,\"hole\":30,"
			    "\"hole_percent\":15.789473684210526}}\n");
	free(text);
	thread_list_free(&list);
	mmp_close(reader);
	bytes_free(&file);
}

static void test_counters(void **state)
{
	static const char *const counters[][2] = {
	    {"{ \"name\": \"instructions:u\", \"units\": [[\"instructions\", 1]] }", "\"unit\":\"instructions\"}"},
	    {"{ \"name\": \"cpu-time\", \"units\": [[\"ns\", 1]] }", "\"counter\":\"cpu-time\"}"},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char metadata[256], *text;
		struct thread_list list;
		struct mmp_reader *reader;
		struct bytes file;

		snprintf(metadata, sizeof(metadata),
			 "{ \"start_time\": 1, \"process_id\": 2, \"cmd\": \"x \", \"counter\": %s }", counters[i][0]);
		reader = open_rows(metadata, two_threads, COUNT(two_threads), &file);
		assert_int_equal(threads_time(reader, &list, NULL), 0);
		text = render(&list, false);
		assert_int_equal(strstr(text, "Span instructions") != NULL, i == 0);
		assert_int_equal(strstr(text, "+\nAll times are cpu-time.\n") != NULL, i == 1);
		free(text);
		text = render(&list, true);
		assert_non_null(strstr(text, counters[i][1]));
		free(text);
		thread_list_free(&list);
		mmp_close(reader);
		bytes_free(&file);
	}
}

static void test_empty(void **state)
{
	struct bytes file;
	struct mmp_reader *reader = open_rows(METADATA, two_threads, 0, &file);
	struct thread_list list;
	char *text;

	(void)state;
	assert_int_equal(threads_time(reader, &list, NULL), 0);
	assert_int_equal(list.count, 0);
	text = render(&list, false);
	assert_non_null(strstr(text, "| Total  | 0           | 0        | 0       | 0       | 0       | 0.000  |"));
	free(text);
	thread_list_free(&list);
	mmp_close(reader);
	bytes_free(&file);
}

/* The threads' sums are those of the items: the whole, and the self times one by one. */
static void test_golden(void **state)
{
	static const char *const names[] = {"tiny-195", "tiny-197-args", "tiny-197-cache-hits", "tiny-197-incremental",
					    "tiny-197-threads4"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char name[64];
		struct thread_list list;
		struct summary summary;
		struct mmp_reader *reader;
		struct bytes file;
		uint64_t self = 0;

		snprintf(name, sizeof(name), "%s.mm_profdata.gz", names[i]);
		file = read_golden(name);
		reader = open_bytes(&file);
		assert_int_equal(threads_time(reader, &list, NULL), 0);
		assert_int_equal(summarize_profile(reader, &summary, NULL), 0);
		for (size_t row = 0; row < summary.row_count; row++)
			self += summary.rows[row].self_ns;
		assert_int_equal(list.total.span_ns, summary.cpu_ns);
		assert_int_equal(list.total.self_ns, self);
		for (size_t row = 0; row < list.count; row++)
			assert_true(list.rows[row].hole_ns >= 0);
		summary_free(&summary);
		thread_list_free(&list);
		mmp_close(reader);
		bytes_free(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_threads),  cmocka_unit_test(test_overlap), cmocka_unit_test(test_text),
	    cmocka_unit_test(test_counters), cmocka_unit_test(test_empty),   cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
