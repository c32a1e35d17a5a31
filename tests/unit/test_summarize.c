/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * querytap summarize: the self-time algorithm on small profiles, durations as Rust prints them, and on real profiles
 * the very text and JSON of measureme's summarize.
 */
#include "tests/unit/profile_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>

#include "analysis/analysis.h"
#include "cmd/cmd.h"
#include "render/render.h"

/* An event of a small profile; a NULL kind ends the list. */
struct row {
	const char *kind, *label;
	uint32_t thread;
	uint64_t start, end;
};

#define INSTANT UINT64_C(0xFFFFFFFFFFFF)
#define INTEGER UINT64_C(0xFFFFFFFFFFFE)

static struct summary summarize_rows(const struct row *rows)
{
	struct mmp_reader *reader;
	struct mmp_error reason = {""};
	struct summary summary;
	struct error err = {""};
	struct parts parts;
	struct bytes file;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	for (; rows->kind; rows++) {
		uint64_t kind = parts_string(&parts, rows->kind), label = parts_string(&parts, rows->label);

		parts_event(&parts, kind, label, rows->thread, rows->start, rows->end);
	}
	file = parts_file(&parts, 1000);
	mmp_open_memory(file.data, file.size, "memory", &reader, &reason);
	assert_string_equal(reason.text, "");
	summarize_profile(reader, &summary, &err);
	assert_string_equal(err.text, "");
	mmp_close(reader);
	bytes_free(&file);
	return summary;
}

static const struct summary_row *find_row(const struct summary *summary, const char *label)
{
	for (size_t i = 0; i < summary->row_count; i++) {
		if (strcmp(summary->rows[i].label, label) == 0)
			return &summary->rows[i];
	}
	fail_msg("there is no row %s", label);
	return NULL;
}

static void test_nesting(void **state)
{
	struct summary summary = summarize_rows((const struct row[]){
	    {"Query", "q3", 0, 120, 180}, {"Query", "q2", 0, 110, 190}, {"Query", "q1", 0, 100, 200}, {0}});

	(void)state;
	assert_int_equal(summary.cpu_ns, 100);
	assert_int_equal(summary.row_count, 3);
	assert_int_equal(find_row(&summary, "q1")->self_ns, 20);
	assert_int_equal(find_row(&summary, "q1")->total_ns, 100);
	assert_int_equal(find_row(&summary, "q2")->self_ns, 20);
	assert_int_equal(find_row(&summary, "q3")->self_ns, 60);
	assert_int_equal(find_row(&summary, "q3")->invocations, 1);
	assert_true(find_row(&summary, "q3")->share == 60);
	/* By falling self time, then by label. */
	assert_string_equal(summary.rows[0].label, "q3");
	assert_string_equal(summary.rows[1].label, "q1");
	assert_string_equal(summary.rows[2].label, "q2");
	summary_free(&summary);
}

/* Events that begin or end together, siblings, and several that leave the stack at once. */
static void test_stack(void **state)
{
	struct summary summary = summarize_rows((const struct row[]){{"Query", "e1", 0, 100, 200},
								     {"Query", "e4", 0, 200, 220},
								     {"Query", "e3", 0, 200, 250},
								     {"Query", "e2", 0, 200, 300},
								     {"Query", "e6", 0, 340, 360},
								     {"Query", "e7", 0, 350, 360},
								     {"Query", "e5", 0, 320, 360},
								     {0}});

	(void)state;
	assert_int_equal(summary.cpu_ns, 260);
	assert_int_equal(find_row(&summary, "e1")->self_ns, 100);
	assert_int_equal(find_row(&summary, "e2")->self_ns, 50);
	assert_int_equal(find_row(&summary, "e3")->self_ns, 30);
	assert_int_equal(find_row(&summary, "e4")->self_ns, 20);
	assert_int_equal(find_row(&summary, "e5")->self_ns, 10);
	assert_int_equal(find_row(&summary, "e6")->self_ns, 20);
	assert_int_equal(find_row(&summary, "e7")->self_ns, 10);
	summary_free(&summary);
}

static void test_recursion_and_threads(void **state)
{
	struct summary summary = summarize_rows((const struct row[]){{"Query", "q", 1, 20, 30},
								     {"Query", "q", 2, 5, 35},
								     {"Query", "q", 1, 10, 40},
								     {"Query", "r", 2, 0, 50},
								     {"Query", "q", 1, 0, 50},
								     {0}});

	(void)state;
	assert_int_equal(summary.cpu_ns, 100);
	assert_int_equal(find_row(&summary, "q")->self_ns, 80);
	assert_int_equal(find_row(&summary, "q")->total_ns, 120);
	assert_int_equal(find_row(&summary, "q")->invocations, 4);
	assert_int_equal(find_row(&summary, "r")->self_ns, 20);
	summary_free(&summary);
}

static void test_kinds(void **state)
{
	struct summary summary = summarize_rows((const struct row[]){{"IncrementalResultHashing", "q", 0, 80, 90},
								     {"GenericActivity", "inside", 0, 72, 74},
								     {"IncrementalResultHashing", "q", 0, 70, 80},
								     {"Query", "q", 0, 0, 100},
								     {"GenericActivity", "inside", 0, 110, 111},
								     {"IncrementalLoadResult", "q", 0, 100, 120},
								     {"QueryBlocked", "q", 0, 120, 150},
								     {"SomethingElse", "other", 0, 150, 155},
								     {"QueryCacheHit", "q", 0, 155, INSTANT},
								     {"QueryCacheHit", "never run", 0, 156, INSTANT},
								     {"SomethingElse", "no row", 0, 157, INSTANT},
								     {"QueryCacheHit", "counted", 0, 158, INSTANT},
								     {"QueryCacheHitCount", "counted", 0, 7, INTEGER},
								     {"QueryCacheHitCount", "counted", 0, 8, INTEGER},
								     {"ArtifactSize", "object_file", 0, 1000, INTEGER},
								     {"ArtifactSize", "crate_metadata", 0, 5, INTEGER},
								     {"ArtifactSize", "object_file", 0, 24, INTEGER},
								     {"SomethingElse", "no row either", 0, 1, INTEGER},
								     {0}});
	const struct summary_row *q = find_row(&summary, "q");

	(void)state;
	assert_int_equal(summary.cpu_ns, 155);
	assert_int_equal(summary.row_count, 5);
	assert_int_equal(q->invocations, 1);
	assert_int_equal(q->cache_misses, 1);
	assert_int_equal(q->cache_hits, 1);
	assert_int_equal(q->total_ns, 150);
	assert_int_equal(q->self_ns, 147);
	assert_int_equal(q->hashing_ns, 18);
	assert_int_equal(q->load_ns, 19);
	assert_int_equal(q->blocked_ns, 30);
	assert_int_equal(find_row(&summary, "other")->invocations, 1);
	assert_int_equal(find_row(&summary, "other")->cache_misses, 0);
	assert_int_equal(find_row(&summary, "never run")->cache_hits, 1);
	assert_int_equal(find_row(&summary, "counted")->cache_hits, 15);
	assert_int_equal(summary.artifact_count, 2);
	assert_string_equal(summary.artifacts[0].label, "crate_metadata");
	assert_string_equal(summary.artifacts[1].label, "object_file");
	assert_int_equal(summary.artifacts[1].bytes, 1024);
	summary_free(&summary);
}

/* What no profiler writes: children that overlap take more from the parent than it has. */
static void test_overlap(void **state)
{
	struct summary summary = summarize_rows((const struct row[]){
	    {"Query", "a", 0, 10, 80}, {"Query", "b", 0, 20, 90}, {"Query", "parent", 0, 0, 100}, {0}});

	(void)state;
	assert_int_equal(find_row(&summary, "parent")->self_ns, 0);
	assert_int_equal(find_row(&summary, "parent")->total_ns, 100);
	summary_free(&summary);
}

static void test_no_events(void **state)
{
	struct summary summary = summarize_rows((const struct row[]){{"QueryCacheHit", "q", 0, 1, INSTANT}, {0}});

	(void)state;
	assert_int_equal(summary.cpu_ns, 0);
	assert_int_equal(summary.row_count, 1);
	assert_true(summary.rows[0].share == 0);
	summary_free(&summary);
	summary = summarize_rows((const struct row[]){{0}});
	assert_int_equal(summary.row_count, 0);
	summary_free(&summary);
}

/* Far more labels and kinds than the look-ups keep at hand. */
static void test_many_labels(void **state)
{
	static struct row rows[6001];
	static char names[6000][16];
	struct summary summary;

	(void)state;
	for (size_t i = 0; i < 6000; i++) {
		snprintf(names[i], sizeof(names[i]), "l%zu", i % 3000);
		rows[i] = (struct row){i % 2 ? "Query" : names[i], names[i], (uint32_t)i, i, 2 * i + 1};
	}
	summary = summarize_rows(rows);
	assert_int_equal(summary.row_count, 3000);
	for (size_t i = 0; i < 3000; i++) {
		const struct summary_row *row = find_row(&summary, names[i]);

		assert_int_equal(row->invocations, 2);
		assert_int_equal(row->self_ns, 2 * i + 3002);
		assert_int_equal(row->cache_misses, i % 2 ? 2 : 0);
	}
	summary_free(&summary);
}

/* The expected texts are what Rust prints for {:.2?} and {:?}. */
static void test_durations(void **state)
{
	static const struct {
		uint64_t ns;
		const char *rounded, *exact;
	} rows[] = {
	    {0, "0.00ns", "0ns"},
	    {999, "999.00ns", "999ns"},
	    {1000, "1.00\xC2\xB5s", "1\xC2\xB5s"},
	    {1005, "1.00\xC2\xB5s", "1.005\xC2\xB5s"},
	    {1006, "1.01\xC2\xB5s", "1.006\xC2\xB5s"},
	    {1015, "1.02\xC2\xB5s", "1.015\xC2\xB5s"},
	    {9995, "10.00\xC2\xB5s", "9.995\xC2\xB5s"},
	    {999994, "999.99\xC2\xB5s", "999.994\xC2\xB5s"},
	    {999995, "1000.00\xC2\xB5s", "999.995\xC2\xB5s"},
	    {1000500, "1.00ms", "1.0005ms"},
	    {1005000, "1.00ms", "1.005ms"},
	    {1005001, "1.01ms", "1.005001ms"},
	    {205794933, "205.79ms", "205.794933ms"},
	    {944105200, "944.11ms", "944.1052ms"},
	    {999999999, "1000.00ms", "999.999999ms"},
	    {1000000000, "1.00s", "1s"},
	    {1995000000, "2.00s", "1.995s"},
	    {UINT64_C(123456789012345), "123456.79s", "123456.789012345s"},
	    {UINT64_MAX, "18446744073.71s", "18446744073.709551615s"},
	};
	char text[RENDER_DURATION_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		render_duration(text, rows[i].ns, 2);
		assert_string_equal(text, rows[i].rounded);
		render_duration(text, rows[i].ns, -1);
		assert_string_equal(text, rows[i].exact);
	}
	render_duration(text, 2500000000, 0);
	assert_string_equal(text, "2s");
	render_duration(text, 3500000000, 0);
	assert_string_equal(text, "4s");
}

static char *render(const struct summary *summary, const struct summary_filter *filter, bool json)
{
	struct error err = {""};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal((json ? render_summary_json : render_summary_text)(summary, filter, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_text(void **state)
{
	struct summary summary = summarize_rows((const struct row[]){{"Query", "caf\xC3\xA9", 0, 10, 20},
								     {"Query", "a\nb", 0, 20, 30},
								     {"Query", "longer label", 0, 0, 2500},
								     {"QueryBlocked", "longer label", 0, 2500, 10000},
								     {0}});
	struct summary_filter all = {0}, two = {.limit = 2}, percent = {.percent_above = 50};
	char *text = render(&summary, &all, false);

	(void)state;
	assert_string_equal(
	    text, "+---------------+-----------+-----------------+---------+------------+--------------+\n"
		  "| Item          | Self time | % of total time | Time    | Item count | Blocked time |\n"
		  "+---------------+-----------+-----------------+---------+------------+--------------+\n"
		  "| longer label  | 9.98\xC2\xB5s    | 99.800          | 10.00\xC2\xB5s | 1          | 7.50\xC2\xB5s "
		  "      |\n"
		  "| a b ........  | 10.00ns   | 0.100           | 10.00ns | 1          | 0.00ns       |\n"
		  "| caf\xC3\xA9 ......   | 10.00ns   | 0.100           | 10.00ns | 1          | 0.00ns       |\n"
		  "+---------------+-----------+-----------------+---------+------------+--------------+\n"
		  "Total cpu time: 10\xC2\xB5s\n"
		  "+------+---------------+\n"
		  "| Item | Artifact Size |\n"
		  "+------+---------------+\n"
		  "+------+---------------+\n");
	free(text);
	text = render(&summary, &two, false);
	assert_non_null(strstr(text, "| a b "));
	assert_null(strstr(text, "caf"));
	assert_non_null(strstr(text, "Filtered results account for 99.900% of total time.\n"));
	free(text);
	text = render(&summary, &percent, false);
	assert_non_null(strstr(text, "| longer label "));
	assert_null(strstr(text, "| a b "));
	assert_non_null(strstr(text, "Filtered results account for 99.800% of total time.\n"));
	free(text);
	text = render(&summary, &two, true);
	assert_string_equal(text, "{\"query_data\":[{\"label\":\"longer label\",\"time\":{\"secs\":0,\"nanos\":10000},"
				  "\"self_time\":{\"secs\":0,\"nanos\":9980},\"number_of_cache_misses\":1,"
				  "\"number_of_cache_hits\":0,\"invocation_count\":1,\"blocked_time\":{\"secs\":0,"
				  "\"nanos\":7500},\"incremental_load_time\":{\"secs\":0,\"nanos\":0},"
				  "\"incremental_hashing_time\":{\"secs\":0,\"nanos\":0}},{\"label\":\"a\\nb\","
				  "\"time\":{\"secs\":0,\"nanos\":10},\"self_time\":{\"secs\":0,\"nanos\":10},"
				  "\"number_of_cache_misses\":1,\"number_of_cache_hits\":0,\"invocation_count\":1,"
				  "\"blocked_time\":{\"secs\":0,\"nanos\":0},\"incremental_load_time\":{\"secs\":0,"
				  "\"nanos\":0},\"incremental_hashing_time\":{\"secs\":0,\"nanos\":0}}],"
				  "\"artifact_sizes\":[],\"total_time\":{\"secs\":0,\"nanos\":10000}}\n");
	free(text);
	summary_free(&summary);
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Sorts the lines of a text in place, so that rows of equal self time may come in any order. */
static void sort_lines(char *text)
{
	char *copy = strdup(text), *lines[2048], *save = NULL;
	size_t count = 0;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(count < sizeof(lines) / sizeof(lines[0]));
		lines[count++] = line;
	}
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	*text = '\0';
	for (size_t i = 0; i < count; i++) {
		text = stpcpy(text, lines[i]);
		text = stpcpy(text, "\n");
	}
	free(copy);
}

static int compare_labels(const void *left, const void *right)
{
	json_t *const *a = left, *const *b = right;

	return strcmp(json_string_value(json_object_get(*a, "label")), json_string_value(json_object_get(*b, "label")));
}

/* The JSON with its rows sorted by label, as one string with the keys in their order. */
static char *normal_json(const char *text)
{
	json_t *root = json_loads(text, 0, NULL), *rows = json_object_get(root, "query_data"), *sorted = json_array();
	size_t count = json_array_size(rows);
	json_t **list = calloc(count, sizeof(*list));
	char *normal;

	assert_non_null(root);
	for (size_t i = 0; i < count; i++)
		list[i] = json_array_get(rows, i);
	qsort(list, count, sizeof(*list), compare_labels);
	for (size_t i = 0; i < count; i++)
		json_array_append(sorted, list[i]);
	json_object_set_new(root, "query_data", sorted);
	normal = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	free(list);
	return normal;
}

static struct summary summarize_golden(const char *name)
{
	struct bytes file = read_golden(name);
	struct mmp_reader *reader;
	struct summary summary;

	assert_int_equal(mmp_open_memory(file.data, file.size, name, &reader, NULL), 0);
	assert_int_equal(summarize_profile(reader, &summary, NULL), 0);
	mmp_close(reader);
	bytes_free(&file);
	return summary;
}

static void test_golden(void **state)
{
	static const char *const names[] = {"tiny-195", "tiny-197-args", "tiny-197-cache-hits", "tiny-197-incremental",
					    "tiny-197-threads4"};
	struct summary_filter all = {0}, percent = {.percent_above = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64], *text, *normal, *expected_normal;
		struct summary summary;
		struct bytes expected;

		snprintf(name, sizeof(name), "%s.mm_profdata.gz", names[i]);
		summary = summarize_golden(name);

		snprintf(name, sizeof(name), "%s.summarize.txt.gz", names[i]);
		expected = read_golden(name);
		text = render(&summary, &all, false);
		assert_int_equal(strlen(text), expected.size);
		sort_lines(text);
		sort_lines((char *)expected.data);
		assert_string_equal(text, (char *)expected.data);
		free(text);
		bytes_free(&expected);

		snprintf(name, sizeof(name), "%s.summarize-p1.txt", names[i]);
		expected = read_golden(name);
		text = render(&summary, &percent, false);
		assert_string_equal(text, (char *)expected.data);
		free(text);
		bytes_free(&expected);

		snprintf(name, sizeof(name), "%s.summarize.json.gz", names[i]);
		expected = read_golden(name);
		text = render(&summary, &all, true);
		normal = normal_json(text);
		expected_normal = normal_json((char *)expected.data);
		assert_string_equal(normal, expected_normal);
		free(normal);
		free(expected_normal);
		free(text);
		bytes_free(&expected);
		summary_free(&summary);
	}
}

static void test_golden_version_8(void **state)
{
	struct bytes file = read_whole_file("../shared/golden/v8.mm_profdata.gz");
	struct bytes expected = read_whole_file("../shared/golden/v8.summarize.txt");
	struct summary_filter all = {0};
	struct mmp_reader *reader;
	struct summary summary;
	char *text;

	(void)state;
	if (!file.size || !expected.size) {
		bytes_free(&file);
		bytes_free(&expected);
		skip();
	}
	bytes_add(&expected, "", 1);
	assert_int_equal(mmp_open_memory(file.data, file.size, "v8", &reader, NULL), 0);
	assert_int_equal(summarize_profile(reader, &summary, NULL), 0);
	text = render(&summary, &all, false);
	sort_lines(text);
	sort_lines((char *)expected.data);
	assert_string_equal(text, (char *)expected.data);
	free(text);
	summary_free(&summary);
	mmp_close(reader);
	bytes_free(&file);
	bytes_free(&expected);
}

/* Runs the command with the words up to NULL; *stderr_text is what it printed there, to be freed. */
static int run_command(const char *const *words, char **stderr_text)
{
	const struct command *command = &command_summarize;
	void *settings = calloc(1, command->settings_size);
	const char *directory = make_temporary_directory();
	int argc = 0, rest, old = dup(STDERR_FILENO), fd, status;
	char path[300], *argv[16];
	struct bytes text;
	bool help = false;

	for (; words[argc]; argc++)
		argv[argc] = (char *)words[argc];
	argv[argc] = NULL;
	assert_int_equal(options_parse(command->options, command->order, argc, argv, settings, &rest, &help, NULL), 0);
	snprintf(path, sizeof(path), "%s/stderr", directory);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0 && old >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	status = command->run(settings, argc - rest, argv + rest);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(fd);
	close(old);
	text = read_whole_file(path);
	bytes_add(&text, "", 1);
	*stderr_text = (char *)text.data;
	unlink(path);
	rmdir(directory);
	options_free(command->options, settings);
	free(settings);
	return status;
}

static void test_command(void **state)
{
	char directory[256], profile[300], stem[300], output[300], missing[300], *text;
	struct bytes golden = read_golden("tiny-195.mm_profdata.gz"), printed;
	struct bytes expected = read_golden("tiny-195.summarize-p1.txt");
	json_t *json;
	FILE *out;

	(void)state;
	snprintf(directory, sizeof(directory), "%s", make_temporary_directory());
	snprintf(profile, sizeof(profile), "%s/tiny-195.mm_profdata", directory);
	snprintf(stem, sizeof(stem), "%s/tiny-195", directory);
	snprintf(output, sizeof(output), "%s/out", directory);
	snprintf(missing, sizeof(missing), "%s/missing/out", directory);
	out = fopen(profile, "w");
	assert_int_equal(fwrite(golden.data, 1, golden.size, out), golden.size);
	assert_int_equal(fclose(out), 0);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    run_command((const char *const[]){"summarize", i ? profile : stem, "-p", "1", "-o", output, NULL},
				&text),
		    0);
		assert_string_equal(text, "");
		free(text);
		printed = read_whole_file(output);
		assert_int_equal(printed.size, expected.size);
		assert_memory_equal(printed.data, expected.data, expected.size);
		bytes_free(&printed);
	}
	assert_int_equal(
	    run_command((const char *const[]){"summarize", "--json", "--limit=3", "-o", output, stem, NULL}, &text), 0);
	free(text);
	printed = read_whole_file(output);
	bytes_add(&printed, "", 1);
	json = json_loads((char *)printed.data, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "query_data")), 3);
	json_decref(json);
	bytes_free(&printed);

	assert_int_equal(run_command((const char *const[]){"summarize", output, NULL}, &text), 2);
	assert_int_equal(strncmp(text, "querytap: ", 10), 0);
	assert_non_null(strstr(text, output));
	assert_non_null(strstr(text, "not a profile"));
	free(text);
	assert_int_equal(run_command((const char *const[]){"summarize", NULL}, &text), 2);
	assert_int_equal(strncmp(text, "querytap: ", 10), 0);
	free(text);
	assert_int_equal(run_command((const char *const[]){"summarize", stem, stem, NULL}, &text), 2);
	free(text);
	assert_int_equal(run_command((const char *const[]){"summarize", "-p", "100.5", stem, NULL}, &text), 2);
	assert_non_null(strstr(text, "--percent-above"));
	free(text);
	assert_int_equal(run_command((const char *const[]){"summarize", "-o", missing, stem, NULL}, &text), 2);
	assert_non_null(strstr(text, missing));
	free(text);
	assert_int_equal(run_command((const char *const[]){"summarize", "-o", "/dev/full", stem, NULL}, &text), 2);
	assert_non_null(strstr(text, "No space left on device"));
	free(text);

	unlink(output);
	unlink(profile);
	assert_int_equal(rmdir(directory), 0);
	bytes_free(&golden);
	bytes_free(&expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nesting),
	    cmocka_unit_test(test_stack),
	    cmocka_unit_test(test_recursion_and_threads),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_overlap),
	    cmocka_unit_test(test_no_events),
	    cmocka_unit_test(test_many_labels),
	    cmocka_unit_test(test_durations),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_golden_version_8),
	    cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
