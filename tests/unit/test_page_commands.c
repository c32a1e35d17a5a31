/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * querytap compare and querytap report: their JSON holds what summarize finds, their pages hold nothing that a profile
 * could make the browser run, and what can't be read gets a sentence and leaves no file.
 */
#include "tests/unit/profile_bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "analysis/analysis.h"
#include "cmd/cmd.h"

enum { PATH_SIZE = 512 };

/* Runs a command with the words up to NULL; *stderr_text is what it printed there, to be freed. */
static int run_command(const struct command *command, const char *const *words, char **stderr_text)
{
	void *settings = calloc(1, command->settings_size);
	FILE *caught = tmpfile();
	int argc = 1, rest, old = dup(STDERR_FILENO), status;
	char *argv[16] = {(char *)command->name};
	size_t size;
	bool help = false;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	assert_int_equal(options_parse(command->options, command->order, argc, argv, settings, &rest, &help, NULL), 0);
	assert_non_null(caught);
	fflush(stderr);
	dup2(fileno(caught), STDERR_FILENO);
	status = command->run(settings, argc - rest, argv + rest);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	*stderr_text = calloc(1, 4096);
	rewind(caught);
	size = fread(*stderr_text, 1, 4095, caught);
	(*stderr_text)[size] = '\0';
	fclose(caught);
	options_free(command->options, settings);
	free(settings);
	return status;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_success(const struct command *command, const char *const *words)
{
	char *text;

	assert_int_equal(run_command(command, words, &text), 0);
	assert_string_equal(text, "");
	free(text);
}

/* Exit 2 with one sentence that has `part` in it. */
static void expect_refusal(const struct command *command, const char *const *words, const char *part)
{
	char *text;

	assert_int_equal(run_command(command, words, &text), 2);
	assert_int_equal(strncmp(text, "querytap: ", 10), 0);
	if (!strstr(text, part))
		fail_msg("'%s' does not say '%s'", text, part);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
}

/* Folders that are filled before the tests, and removed behind them. */
static char top[256], base[PATH_SIZE], change[PATH_SIZE], empty[PATH_SIZE], broken[PATH_SIZE], hostile[PATH_SIZE],
    output[PATH_SIZE];

static void write_bytes(const char *folder, const char *name, const struct bytes *bytes)
{
	char path[2 * PATH_SIZE];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes->data, 1, bytes->size, out), bytes->size);
	assert_int_equal(fclose(out), 0);
}

static void put_golden(const char *folder, const char *name, const char *golden)
{
	struct bytes bytes = read_golden(golden);

	write_bytes(folder, name, &bytes);
	bytes_free(&bytes);
}

#define HOSTILE_LABEL "</script><img src=x onerror=alert(1)><!--<script>"

/* A profile whose label and command line would like to be HTML. */
static void put_hostile(void)
{
	struct parts parts;
	struct bytes file;

	parts_begin(&parts, 9);
	parts_map(
	    &parts, METADATA_ID,
	    parts_string(&parts, "{ \"start_time\": 1000, \"process_id\": 42, \"cmd\": \"rustc </script><b> \" }"));
	parts_event(&parts, parts_string(&parts, "Query"), parts_string(&parts, HOSTILE_LABEL), 0, 10, 2000000);
	file = parts_file(&parts, 1000);
	write_bytes(hostile, "<i>\xFF-12.mm_profdata", &file);
	bytes_free(&file);
}

static void make_folder(char *path, const char *name)
{
	snprintf(path, PATH_SIZE, "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	struct bytes nonsense = {0};

	(void)state;
	snprintf(top, sizeof(top), "%s", make_temporary_directory());
	make_folder(base, "base");
	make_folder(change, "change");
	make_folder(empty, "empty");
	make_folder(broken, "broken");
	make_folder(hostile, "hostile");
	snprintf(output, sizeof(output), "%s/out", top);
	put_golden(base, "tiny-0000012.mm_profdata", "tiny-195.mm_profdata.gz");
	put_golden(base, "args-0000013.mm_profdata", "tiny-197-args.mm_profdata.gz");
	put_golden(change, "tiny-0000112.mm_profdata", "tiny-197-args.mm_profdata.gz");
	put_golden(change, "args-0000113.mm_profdata", "tiny-197-args.mm_profdata.gz");
	put_golden(broken, "good-1.mm_profdata", "tiny-195.mm_profdata.gz");
	bytes_text(&nonsense, "this is no profile");
	write_bytes(broken, "bad-2.mm_profdata", &nonsense);
	/* What is no profile by its name is passed by. */
	write_bytes(base, "notes.txt", &nonsense);
	write_bytes(base, ".hidden.mm_profdata", &nonsense);
	write_bytes(empty, "notes.txt", &nonsense);
	bytes_free(&nonsense);
	put_hostile();
	return 0;
}

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	assert_non_null(folder);
	while ((entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(path);
}

static int tear_down(void **state)
{
	const char *const folders[] = {base, change, empty, broken, hostile, top};

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		remove_folder(folders[i]);
	return 0;
}

/* What the last command wrote to `output`, which is removed; to be freed. */
static char *take_output(void)
{
	struct bytes bytes = read_whole_file(output);

	bytes_add(&bytes, "", 1);
	unlink(output);
	return (char *)bytes.data;
}

static json_t *take_json(void)
{
	char *text = take_output();
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	free(text);
	return json;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static struct summary summarize_golden(const char *name)
{
	struct bytes file = read_golden(name);
	struct mmp_reader *reader = open_bytes(&file);
	struct summary summary;

	assert_int_equal(summarize_profile(reader, &summary, NULL), 0);
	mmp_close(reader);
	bytes_free(&file);
	return summary;
}

/* The number in the column of that name of a row that is an array. */
static json_int_t number_in(const json_t *columns, const json_t *row, const char *name)
{
	for (size_t i = 0; i < json_array_size(columns); i++) {
		if (strcmp(json_string_value(json_array_get(columns, i)), name) == 0)
			return json_integer_value(json_array_get(row, i));
	}
	fail_msg("there is no column %s", name);
	return 0;
}

static const json_t *crate_in(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *crate = json_string_value(json_object_get(json_array_get(list, i), "crate"));

		if (strcmp(crate, name) == 0)
			return json_array_get(list, i);
	}
	fail_msg("there is no crate %s", name);
	return NULL;
}

static const json_t *row_in(const json_t *rows, const char *label)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (strcmp(json_string_value(json_array_get(row, 0)), label) == 0)
			return row;
	}
	fail_msg("there is no row %s", label);
	return NULL;
}

static void compare_holds_what_summarize_finds(void **state)
{
	struct summary old = summarize_golden("tiny-195.mm_profdata.gz");
	struct summary new = summarize_golden("tiny-197-args.mm_profdata.gz");
	const json_t *tiny, *columns, *rows;
	json_t *json;

	(void)state;
	expect_success(&command_compare, WORDS(base, change, "--json", "-o", output));
	json = take_json();
	columns = json_object_get(json, "columns");
	assert_int_equal(json_array_size(json_object_get(json, "crates")), 2);
	assert_true(json_is_true(json_object_get(json, "folders")));
	tiny = crate_in(json_object_get(json, "crates"), "tiny");
	rows = json_object_get(tiny, "rows");
	for (size_t i = 0; i < old.row_count; i++) {
		const json_t *row = row_in(rows, old.rows[i].label);

		assert_int_equal(number_in(columns, row, "base_self_ns"), old.rows[i].self_ns);
		assert_int_equal(number_in(columns, row, "base_count"), old.rows[i].invocations);
	}
	for (size_t i = 0; i < new.row_count; i++) {
		const json_t *row = row_in(rows, new.rows[i].label);

		assert_int_equal(number_in(columns, row, "change_self_ns"), new.rows[i].self_ns);
		assert_int_equal(number_in(columns, row, "change_count"), new.rows[i].invocations);
	}
	/* The other crate is the same on both sides. */
	rows = json_object_get(crate_in(json_object_get(json, "crates"), "args"), "rows");
	assert_int_equal(json_array_size(rows), new.row_count);
	assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 8)), "same");
	json_decref(json);
	summary_free(&old);
	summary_free(&new);
}

static void compare_takes_profiles_and_several_runs(void **state)
{
	char one[2 * PATH_SIZE], other[2 * PATH_SIZE];
	json_t *json;

	(void)state;
	snprintf(one, sizeof(one), "%s/tiny-0000012", base);
	snprintf(other, sizeof(other), "%s/args-0000113.mm_profdata", change);
	expect_success(&command_compare, WORDS("-j", one, other, "-o", output));
	json = take_json();
	assert_true(json_is_false(json_object_get(json, "folders")));
	assert_int_equal(json_array_size(json_object_get(json, "crates")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "common_crates")), 1);
	json_decref(json);

	expect_success(&command_compare, WORDS("-j", "--base", base, "--change", change, "-b", base, "-c", change, "-c",
					       change, "-o", output));
	json = take_json();
	assert_int_equal(json_array_size(json_object_get(json, "base")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "change")), 3);
	assert_float_equal(json_number_value(json_object_get(json, "chance_percent")), 20, 0.01);
	json_decref(json);
	expect_success(&command_compare, WORDS("-j", base, change, "-b", base, "-o", output));
	json = take_json();
	assert_int_equal(json_array_size(json_object_get(json, "base")), 2);
	json_decref(json);
}

static void report_holds_what_summarize_finds(void **state)
{
	struct summary first = summarize_golden("tiny-195.mm_profdata.gz");
	struct summary second = summarize_golden("tiny-197-args.mm_profdata.gz");
	const json_t *processes, *tiny;
	json_t *json;
	uint64_t all = 0;
	json_int_t shown = 0;

	(void)state;
	expect_success(&command_report, WORDS(base, "--json", "-o", output));
	json = take_json();
	processes = json_object_get(json, "processes");
	assert_int_equal(json_array_size(processes), 2);
	tiny = crate_in(processes, "tiny");
	for (size_t i = 0; i < json_array_size(json_object_get(tiny, "top")); i++) {
		const json_t *row = json_array_get(json_object_get(tiny, "top"), i);

		assert_string_equal(json_string_value(json_array_get(row, 0)), first.rows[i].label);
		assert_int_equal(json_integer_value(json_array_get(row, 1)), first.rows[i].self_ns);
		assert_int_equal(json_integer_value(json_array_get(row, 3)), first.rows[i].invocations);
	}
	assert_int_equal(json_integer_value(json_object_get(tiny, "labels")), first.row_count);
	for (size_t i = 0; i < first.row_count; i++)
		all += first.rows[i].self_ns;
	for (size_t i = 0; i < second.row_count; i++)
		all += second.rows[i].self_ns;
	for (size_t i = 0; i < json_array_size(json_object_get(json, "totals")); i++)
		shown += json_integer_value(json_array_get(json_array_get(json_object_get(json, "totals"), i), 1));
	assert_int_equal(shown, all);
	assert_true(json_array_size(json_object_get(json_object_get(tiny, "stacks"), "nodes")) > 10);
	json_decref(json);
	summary_free(&first);
	summary_free(&second);
}

static size_t occurrences(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

/* Nothing of a profile's texts may end a <script> or begin an element, in the page or in what JSON is put into one. */
static void expect_harmless(const struct command *command, const char *const *words)
{
	char *page;

	expect_success(command, words);
	page = take_output();
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "<b>"));
	assert_null(strstr(page, "<i>"));
	assert_int_equal(occurrences(page, "<script"), occurrences(page, "</script>"));
	assert_non_null(strstr(page, "\\u003c/script\\u003e\\u003cimg"));
	free(page);
}

static void hostile_texts_stay_texts(void **state)
{
	json_t *json;
	const char *name;

	(void)state;
	expect_harmless(&command_compare, WORDS(hostile, hostile, "-o", output));
	expect_harmless(&command_report, WORDS(hostile, "-o", output));
	expect_success(&command_report, WORDS(hostile, "-j", "-o", output));
	json = take_json();
	name = json_string_value(json_object_get(json_array_get(json_object_get(json, "processes"), 0), "crate"));
	assert_string_equal(name, "<i>?");
	assert_non_null(row_in(json_object_get(json, "totals"), HOSTILE_LABEL));
	json_decref(json);
}

static void pages_have_a_strict_policy(void **state)
{
	const struct {
		const struct command *command;
		size_t parts;
	} rows[] = {{&command_compare, 4}, {&command_report, 7}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *page;

		expect_success(rows[i].command, i ? WORDS(base, "-o", output) : WORDS(base, change, "-o", output));
		page = take_output();
		assert_non_null(strstr(page, "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"));
		assert_null(strstr(page, "unsafe-inline"));
		assert_int_equal(occurrences(page, "'sha256-"), rows[i].parts);
		for (const char *hash = page; (hash = strstr(hash, "'sha256-"));) {
			hash += strlen("'sha256-");
			assert_int_equal(strcspn(hash, "'"), 44);
		}
		/* No file, font or address from elsewhere. */
		assert_null(strstr(page, " src="));
		assert_null(strstr(page, " href="));
		assert_null(strstr(page, "url("));
		free(page);
	}
}

static void bad_input_gets_a_sentence(void **state)
{
	char profile[2 * PATH_SIZE], nowhere[2 * PATH_SIZE];

	(void)state;
	snprintf(profile, sizeof(profile), "%s/tiny-0000012.mm_profdata", base);
	snprintf(nowhere, sizeof(nowhere), "%s/missing/out", top);

	expect_refusal(&command_report, WORDS(empty, "-o", output), "there are no profiles");
	expect_refusal(&command_report, WORDS(broken, "-o", output), "bad-2.mm_profdata");
	expect_refusal(&command_report, WORDS(profile, "-o", output), "is no folder");
	expect_refusal(&command_report, WORDS(nowhere, "-o", output), nowhere);
	expect_refusal(&command_report, WORDS("-o", output), "querytap report --help");
	expect_refusal(&command_report, WORDS(base, base, "-o", output), "querytap report --help");
	expect_refusal(&command_report, WORDS(base, "-o", nowhere), nowhere);
	expect_refusal(&command_report, WORDS(base, "-o", "/dev/full"), "No space left on device");

	expect_refusal(&command_compare, WORDS(base, empty, "-o", output), "there are no profiles");
	expect_refusal(&command_compare, WORDS(broken, change, "-o", output), "bad-2.mm_profdata");
	expect_refusal(&command_compare, WORDS(base, change, "-c", broken, "-o", output), "bad-2.mm_profdata");
	expect_refusal(&command_compare, WORDS(profile, change, "-o", output), "folders with folders");
	expect_refusal(&command_compare, WORDS(base, "-o", output), "querytap compare --help");
	expect_refusal(&command_compare, WORDS(base, change, base, "-o", output), "querytap compare --help");
	expect_refusal(&command_compare, WORDS("-b", base, "-o", output), "querytap compare --help");
	expect_refusal(&command_compare, WORDS(base, nowhere, "-o", output), nowhere);
	expect_refusal(&command_compare, WORDS(base, change, "-o", nowhere), nowhere);
	expect_refusal(&command_compare, WORDS(base, change, "-o", "/dev/full"), "No space left on device");
	assert_false(exists(output));
}

static void a_failure_leaves_what_was_there(void **state)
{
	struct bytes before = {0};
	char *after;

	(void)state;
	bytes_text(&before, "an earlier report");
	write_bytes(top, "out", &before);
	bytes_free(&before);
	expect_refusal(&command_report, WORDS(broken, "-o", output), "bad-2.mm_profdata");
	after = take_output();
	assert_string_equal(after, "an earlier report");
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compare_holds_what_summarize_finds),
	    cmocka_unit_test(compare_takes_profiles_and_several_runs),
	    cmocka_unit_test(report_holds_what_summarize_finds),
	    cmocka_unit_test(hostile_texts_stay_texts),
	    cmocka_unit_test(pages_have_a_strict_policy),
	    cmocka_unit_test(bad_input_gets_a_sentence),
	    cmocka_unit_test(a_failure_leaves_what_was_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
