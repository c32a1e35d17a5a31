/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Traces, folded stacks and printed events: small profiles whose results are known, and real ones that give what
 * measureme's crox, stack_collapse and mmview make of them.
 */
#include "tests/unit/profile_bytes.h"

#include <errno.h>
#include <jansson.h>

#include "analysis/analysis.h"
#include "render/render.h"

static const char *const goldens[] = {
    "tiny-195", "tiny-197-args", "tiny-197-cache-hits", "tiny-197-incremental", "tiny-197-run1", "tiny-197-threads4"};

enum { GOLDEN_COUNT = sizeof(goldens) / sizeof(goldens[0]) };

#define INSTANT UINT64_C(0xFFFFFFFFFFFF)
#define INTEGER UINT64_C(0xFFFFFFFFFFFE)

/* An event of a small profile; a NULL kind ends the list. */
struct row {
	const char *kind, *id;
	uint32_t thread;
	uint64_t start, end;
};

static struct bytes file_of(const struct row *rows, const char *metadata)
{
	struct parts parts;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	for (; rows->kind; rows++) {
		uint64_t kind = parts_string(&parts, rows->kind), id = parts_string(&parts, rows->id);

		parts_event(&parts, kind, id, rows->thread, rows->start, rows->end);
	}
	return parts_file(&parts, 1000);
}

/* What a renderer writes, to be freed. */
struct text {
	char *bytes;
	size_t size;
	FILE *out;
};

static void text_open(struct text *text)
{
	*text = (struct text){0};
	text->out = open_memstream(&text->bytes, &text->size);
	assert_non_null(text->out);
}

static void text_close(struct text *text)
{
	assert_int_equal(fclose(text->out), 0);
}

/* The trace of the profile, `times` times over. */
static struct text trace_of(const struct bytes *file, const struct trace_options *options, int times)
{
	struct mmp_reader *reader = open_bytes(file);
	struct trace_writer *writer;
	struct text text;

	text_open(&text);
	assert_int_equal(trace_open(text.out, &writer, NULL), 0);
	while (times-- > 0)
		assert_int_equal(trace_add(writer, reader, options, NULL), 0);
	trace_close(writer);
	text_close(&text);
	mmp_close(reader);
	return text;
}

static struct text fold_of(const struct bytes *file)
{
	struct mmp_reader *reader = open_bytes(file);
	struct fold fold;
	struct text text;

	text_open(&text);
	assert_int_equal(fold_profile(reader, &fold, NULL), 0);
	assert_int_equal(render_fold(&fold, text.out, NULL), 0);
	fold_free(&fold);
	text_close(&text);
	mmp_close(reader);
	return text;
}

static struct text view_of(const struct bytes *file, const uint32_t *thread)
{
	struct mmp_reader *reader = open_bytes(file);
	struct text text;
	bool shown;

	text_open(&text);
	assert_int_equal(render_view(reader, thread, &shown, text.out, NULL), 0);
	text_close(&text);
	assert_true(shown || text.size == 0);
	mmp_close(reader);
	return text;
}

static struct text flamegraph_of(const struct bytes *file, const char *title)
{
	struct mmp_reader *reader = open_bytes(file);
	struct fold fold;
	struct text text;

	text_open(&text);
	assert_int_equal(fold_profile(reader, &fold, NULL), 0);
	assert_int_equal(render_flamegraph(&fold, title, text.out, NULL), 0);
	fold_free(&fold);
	text_close(&text);
	mmp_close(reader);
	return text;
}

static struct bytes golden(size_t index, const char *what)
{
	char name[96];

	snprintf(name, sizeof(name), "%s.%s.gz", goldens[index], what);
	return read_golden(name);
}

static void expect_json(const char *text, const char *expected)
{
	json_error_t error;
	json_t *ours = json_loads(text, JSON_REJECT_DUPLICATES, &error), *theirs;

	if (!ours)
		fail_msg("line %d: %s", error.line, error.text);
	theirs = json_loads(expected, 0, &error);
	assert_non_null(theirs);
	assert_int_equal(json_array_size(ours), json_array_size(theirs));
	assert_true(json_equal(ours, theirs));
	json_decref(ours);
	json_decref(theirs);
}

static void golden_traces(void **state)
{
	static const struct trace_options all = {0}, fewer = {.collapse_threads = true, .minimum_us = 100};

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		struct bytes file = golden(i, "mm_profdata"), expected = golden(i, "crox.json");
		struct text text = trace_of(&file, &all, 1);

		expect_json(text.bytes, (char *)expected.data);
		free(text.bytes);
		bytes_free(&expected);
		expected = golden(i, "crox-collapse-min100.json");
		text = trace_of(&file, &fewer, 1);
		expect_json(text.bytes, (char *)expected.data);
		free(text.bytes);
		bytes_free(&expected);
		bytes_free(&file);
	}
}

static void expect_bytes(const struct text *text, struct bytes *expected)
{
	assert_int_equal(text->size, expected->size);
	assert_memory_equal(text->bytes, expected->data, expected->size);
	free(text->bytes);
	bytes_free(expected);
}

static void golden_folded_stacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		struct bytes file = golden(i, "mm_profdata"), expected = golden(i, "folded");
		struct text text = fold_of(&file);

		expect_bytes(&text, &expected);
		bytes_free(&file);
	}
}

static void golden_views(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		struct bytes file = golden(i, "mm_profdata"), expected = golden(i, "mmview.txt");
		struct text text = view_of(&file, NULL);

		expect_bytes(&text, &expected);
		bytes_free(&file);
	}
}

static void trace_of_a_small_profile(void **state)
{
	static const struct row rows[] = {{"Query",
					   "q\x1E"
					   "a \"b\" \\\x1E"
					   "x\ty",
					   7, 1500, 4999},
					  {"QueryCacheHit", "q", 7, 1, INSTANT},
					  {"ArtifactSize", "a", 7, 1, INTEGER},
					  {"GenericActivity", "caf\xC3\xA9", 8, 0, 3000000000},
					  {"GenericActivity", "bad\x01", 8, 1, 999},
					  {0}};
	struct bytes file = file_of(rows, "{ \"start_time\": 1999, \"process_id\": 42, "
					  "\"cmd\": \"rustc a.rs --crate-name tiny --edition 2021 \" }");
	static const struct trace_options all = {0}, longer = {.minimum_us = 3};
	struct text text = trace_of(&file, &all, 1);

	(void)state;
	/* 1999 ns and 1500 ns are 3 us and some; the rest of a division is not lost in between. */
	expect_json(
	    text.bytes,
	    "[{\"name\":\"q\",\"cat\":\"Query\",\"ph\":\"X\",\"ts\":3,\"dur\":3,\"pid\":42,\"tid\":7,"
	    "\"args\":{\"arg0\":\"a \\\"b\\\" \\\\\",\"arg1\":\"x\\ty\"}},"
	    "{\"name\":\"café\",\"cat\":\"GenericActivity\",\"ph\":\"X\",\"ts\":1,\"dur\":3000000,\"pid\":42,"
	    "\"tid\":8,\"args\":null},"
	    "{\"name\":\"<parse error>\",\"cat\":\"GenericActivity\",\"ph\":\"X\",\"ts\":2,\"dur\":0,\"pid\":42,"
	    "\"tid\":8,\"args\":null},"
	    "{\"name\":\"process_name\",\"ph\":\"M\",\"ts\":0,\"tid\":0,\"cat\":\"\",\"pid\":42,"
	    "\"args\":{\"name\":\"tiny\"}},"
	    "{\"name\":\"process_sort_index\",\"ph\":\"M\",\"ts\":0,\"tid\":0,\"cat\":\"\",\"pid\":42,"
	    "\"args\":{\"sort_index\":1}}]");
	free(text.bytes);
	text = trace_of(&file, &longer, 1);
	assert_null(strstr(text.bytes, "parse error"));
	assert_non_null(strstr(text.bytes, "\"dur\":3,"));
	free(text.bytes);
	bytes_free(&file);
}

static size_t json_count(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	size_t count = json_array_size(json);

	assert_non_null(json);
	json_decref(json);
	return count;
}

static void trace_of_no_events_and_of_several_profiles(void **state)
{
	static const struct trace_options all = {0};
	struct bytes empty = file_of((const struct row[]){{0}}, METADATA);
	struct bytes one = file_of((const struct row[]){{"Query", "q", 1, 0, 5}, {0}}, METADATA);

	(void)state;
	for (int times = 0; times < 3; times++) {
		struct text text = trace_of(&empty, &all, times);

		assert_int_equal(json_count(text.bytes), times);
		free(text.bytes);
		text = trace_of(&one, &all, times);
		assert_int_equal(json_count(text.bytes), 2 * times);
		free(text.bytes);
	}
	bytes_free(&empty);
	bytes_free(&one);
}

/* A label longer than any buffer that a renderer may have. */
static void long_labels(void **state)
{
	static const struct trace_options all = {0};
	size_t size = 60000;
	char *label = calloc(1, size + 1);
	struct bytes file;
	struct text text;

	(void)state;
	for (size_t i = 0; i < size; i++)
		label[i] = i % 3 ? 'x' : '"';
	file = file_of((const struct row[]){{"Query", label, 1, 0, 5}, {"Query", label, 1, 6, 7}, {0}}, METADATA);
	text = trace_of(&file, &all, 30);
	assert_int_equal(json_count(text.bytes), 90);
	free(text.bytes);
	text = fold_of(&file);
	assert_int_equal(text.size, size + strlen("rustc 1\n"
						  "rustc; 6\n"));
	free(text.bytes);
	bytes_free(&file);
	free(label);
}

static void threads_share_numbers(void **state)
{
	struct bytes file = file_of((const struct row[]){{"Query", "a", 30, 0, 100},
							 {"Query", "b", 20, 10, 20},
							 {"QueryCacheHit", "b", 20, 25, INSTANT},
							 {"Query", "c", 10, 25, 40},
							 {"Query", "d", 40, 26, 50},
							 {"Query", "e", 50, 41, 60},
							 {0}},
				    METADATA);
	struct mmp_reader *reader = open_bytes(&file);
	struct thread_map map;

	(void)state;
	assert_int_equal(thread_map_collapse(reader, &map, NULL), 0);
	assert_int_equal(map.count, 5);
	assert_int_equal(thread_map_find(&map, 30), 0);
	assert_int_equal(thread_map_find(&map, 20), 1);
	/* It starts when 20 ends, not later. */
	assert_int_equal(thread_map_find(&map, 10), 2);
	assert_int_equal(thread_map_find(&map, 40), 1);
	assert_int_equal(thread_map_find(&map, 50), 2);
	assert_int_equal(thread_map_find(&map, 60), 60);
	thread_map_free(&map);
	assert_int_equal(thread_map_find(&map, 30), 30);
	mmp_close(reader);
	bytes_free(&file);
}

static void expect_fold(const struct row *rows, const char *expected)
{
	struct bytes file = file_of(rows, METADATA);
	struct text text = fold_of(&file);

	assert_string_equal(text.bytes, expected);
	free(text.bytes);
	bytes_free(&file);
}

static void folded_stacks(void **state)
{
	(void)state;
	/* The examples of stack_collapse.rs. */
	expect_fold((const struct row[]){{"Query", "e1", 0, 1, 2},
					 {"Query", "e3", 0, 5, 7},
					 {"ArtifactSize", "e4", 0, 100, INTEGER},
					 {"Query", "e1", 0, 4, 8},
					 {"Query", "e2", 0, 3, 9},
					 {0}},
		    "rustc 1\nrustc;e1 1\nrustc;e2 2\nrustc;e2;e1 2\nrustc;e2;e1;e3 2\n");
	expect_fold((const struct row[]){{"Query", "e1", 1, 1, 2},
					 {"Query", "e1", 1, 3, 4},
					 {"Instant", "e4", 2, 100, INSTANT},
					 {"Query", "e1", 2, 1, 2},
					 {"Query", "e3", 2, 3, 4},
					 {"Query", "e2", 2, 2, 5},
					 {0}},
		    "rustc 1\nrustc;e1 3\nrustc;e2 2\nrustc;e2;e3 1\n");
	expect_fold((const struct row[]){{0}}, "rustc 0\n");
	/* Bytewise, with the number that stands behind: a blank and a colon come before a semicolon. */
	expect_fold((const struct row[]){{"Query", "b", 0, 1, 2},
					 {"Query", "a", 0, 0, 10},
					 {"Query", "a:b", 0, 20, 21},
					 {"Query", "a 9", 0, 21, 23},
					 {0}},
		    "rustc 10\nrustc;a 9\nrustc;a 9 2\nrustc;a:b 1\nrustc;a;b 1\n");
	/* Stacks that read the same are one. */
	expect_fold(
	    (const struct row[]){{"Query", "b", 0, 1, 2}, {"Query", "a", 0, 0, 10}, {"Query", "a;b", 0, 10, 30}, {0}},
	    "rustc 0\nrustc;a 9\nrustc;a;b 21\n");
	/* Within an event, but overlapping each other: both are taken off it. */
	expect_fold(
	    (const struct row[]){{"Query", "b", 0, 0, 8}, {"Query", "c", 0, 2, 10}, {"Query", "a", 0, 0, 10}, {0}},
	    "rustc 0\nrustc;a 18446744073709551610\nrustc;a;b 8\nrustc;a;c 8\n");
}

static void printed_events(void **state)
{
	static const struct row rows[] = {{"Query",
					   "q\x1E"
					   "a\x1E"
					   "b c",
					   7, 2500, 4999},
					  {"ArtifactSize", "crate_metadata", 7, 123456789, INTEGER},
					  {"QueryCacheHit", "q", 8, 1000, INSTANT},
					  {0}};
	struct bytes file = file_of(rows, METADATA);
	struct bytes without = file_of(&rows[1], METADATA), timeless = {0};
	uint32_t thread = 8;
	struct text text = view_of(&file, NULL);

	(void)state;
	assert_string_equal(text.bytes,
			    "{\n    kind: Query,\n    label: q,\n    additional_data: [a,b c],\n"
			    "    payload: 1 μs - 3 μs,\n    thread_id: 7,\n}\n"
			    "{\n    kind: ArtifactSize,\n    label: crate_metadata,\n    additional_data: [],\n"
			    "    payload: 123456789,\n    thread_id: 7,\n}\n"
			    "{\n    kind: QueryCacheHit,\n    label: q,\n    additional_data: [],\n"
			    "    payload: 0 μs,\n    thread_id: 8,\n}\n");
	free(text.bytes);
	text = view_of(&file, &thread);
	assert_int_equal(strncmp(text.bytes, "{\n    kind: QueryCacheHit", 20), 0);
	free(text.bytes);
	text = view_of(&without, &thread);
	assert_non_null(strstr(text.bytes, "payload: 0 μs"));
	free(text.bytes);
	timeless = file_of((const struct row[]){{"ArtifactSize", "a", 1, 5, INTEGER}, {0}}, METADATA);
	text = view_of(&timeless, NULL);
	assert_int_equal(text.size, 0);
	free(text.bytes);
	bytes_free(&file);
	bytes_free(&without);
	bytes_free(&timeless);
}

/* The number in a frame's attribute, from `frame` on. */
static unsigned long long attribute(const char *frame, const char *name)
{
	const char *found = strstr(frame, name);

	assert_non_null(found);
	return strtoull(found + strlen(name), NULL, 10);
}

/* What is in a frame adds up to no more than the frame, and what lies beside each other does not overlap. */
static void check_frames(const char *svg, uint64_t expected_total)
{
	enum { MOST = 5000 };
	unsigned long long *total = calloc(MOST, sizeof(*total)), *start = calloc(MOST, sizeof(*start));
	unsigned long long *inside = calloc(MOST, sizeof(*inside));
	size_t count = 0;

	for (const char *at = svg; (at = strstr(at, "<g class=")); at++, count++) {
		unsigned long long parent = attribute(at, "data-p=\"");

		assert_true(count < MOST);
		total[count] = attribute(at, "data-t=\"");
		start[count] = attribute(at, "data-x=\"");
		if (!count)
			continue;
		assert_true(parent < count);
		assert_true(start[count] >= start[parent]);
		assert_true(start[count] + total[count] <= start[parent] + total[parent]);
		inside[parent] += total[count];
		assert_true(inside[parent] <= total[parent]);
	}
	assert_true(count > 0);
	assert_int_equal(total[0], expected_total);
	free(total);
	free(start);
	free(inside);
}

static void flamegraphs(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		struct bytes file = golden(i, "mm_profdata");
		struct text svg = flamegraph_of(&file, goldens[i]), folded = fold_of(&file);
		uint64_t total = 0;

		for (char *line = strtok(folded.bytes, "\n"); line; line = strtok(NULL, "\n"))
			total += strtoull(strrchr(line, ' '), NULL, 10);
		check_frames(svg.bytes, total);
		assert_true(svg.size < 1 << 20);
		free(svg.bytes);
		free(folded.bytes);
		bytes_free(&file);
	}
}

static void flamegraph_of_strange_labels(void **state)
{
	struct bytes file = file_of((const struct row[]){{"Query", "<a href=\"x\">&amp;]]>", 0, 0, 10},
							 {"Query", "form\ffeed \xEF\xBF\xBF", 0, 10, 20},
							 {"Query", "narrow", 0, 20, 20},
							 {0}},
				    METADATA);
	struct bytes empty = file_of((const struct row[]){{0}}, METADATA);
	struct text svg = flamegraph_of(&file, "a < b & c \xFF\x01");

	(void)state;
	assert_non_null(strstr(svg.bytes, "<title>&lt;a href=&quot;x&quot;&gt;&amp;amp;]]&gt; ("));
	assert_non_null(strstr(svg.bytes, "<title>form\xEF\xBF\xBD"
					  "feed \xEF\xBF\xBD ("));
	assert_non_null(strstr(svg.bytes, "<title>a &lt; b &amp; c \xEF\xBF\xBD\xEF\xBF\xBD</title>"));
	assert_null(strstr(svg.bytes, "<title>narrow"));
	assert_non_null(strstr(svg.bytes, "1 frame narrower than 0.1 pixels"));
	check_frames(svg.bytes, 20);
	free(svg.bytes);
	svg = flamegraph_of(&empty, "nothing");
	check_frames(svg.bytes, 0);
	free(svg.bytes);
	bytes_free(&file);
	bytes_free(&empty);
}

/* A string that contains itself. */
static void damaged_strings(void **state)
{
	struct trace_writer *writer;
	struct mmp_reader *reader;
	struct fold fold;
	struct text text;
	struct parts parts;
	struct bytes file;
	struct error err;
	uint64_t kind, id;
	bool shown;

	(void)state;
	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	kind = parts_string(&parts, "Query");
	id = FIRST_ID + parts.streams[1].size;
	assert_int_equal(parts_composite(&parts, id, "x", id), id);
	parts_event(&parts, kind, id, 1, 0, 5);
	file = parts_file(&parts, 1000);
	reader = open_bytes(&file);
	text_open(&text);
	assert_int_equal(trace_open(text.out, &writer, NULL), 0);
	assert_int_equal(trace_add(writer, reader, &(struct trace_options){0}, &err), -EINVAL);
	assert_non_null(strstr(err.text, "damaged profile"));
	trace_close(writer);
	err.text[0] = '\0';
	assert_int_equal(render_view(reader, NULL, &shown, text.out, &err), -EINVAL);
	assert_non_null(strstr(err.text, "damaged profile"));
	err.text[0] = '\0';
	assert_int_equal(fold_profile(reader, &fold, &err), -EINVAL);
	assert_non_null(strstr(err.text, "damaged profile"));
	text_close(&text);
	free(text.bytes);
	mmp_close(reader);
	bytes_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(golden_traces),
	    cmocka_unit_test(golden_folded_stacks),
	    cmocka_unit_test(golden_views),
	    cmocka_unit_test(trace_of_a_small_profile),
	    cmocka_unit_test(trace_of_no_events_and_of_several_profiles),
	    cmocka_unit_test(long_labels),
	    cmocka_unit_test(threads_share_numbers),
	    cmocka_unit_test(folded_stacks),
	    cmocka_unit_test(printed_events),
	    cmocka_unit_test(flamegraphs),
	    cmocka_unit_test(flamegraph_of_strange_labels),
	    cmocka_unit_test(damaged_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
