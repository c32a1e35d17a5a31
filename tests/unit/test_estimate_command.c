/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What querytap summarize makes of a folder with a profile that lacks something, and samples. */
#include "tests/unit/sampled_compiler.h"

#include <fcntl.h>
#include <jansson.h>

#include "cmd/cmd.h"

static char top[256], profile_path[512], samples_path[512], build_path[512], output[512];

static int set_up(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "%s", make_temporary_directory());
	snprintf(profile_path, sizeof(profile_path), "%s/tiny-42%s", top, MMP_EXTENSION);
	snprintf(samples_path, sizeof(samples_path), "%s/%s", top, SAMPLES_FILE);
	snprintf(build_path, sizeof(build_path), "%s/build.json", top);
	snprintf(output, sizeof(output), "%s/out", top);
	return 0;
}

static int tear_down(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/stderr", top);
	unlink(path);
	unlink(profile_path);
	unlink(samples_path);
	unlink(build_path);
	unlink(output);
	assert_int_equal(rmdir(top), 0);
	return 0;
}

/* Of process 42, begun 1000 ns after 1970: 100 ms, of which typeck has 60 by itself. */
static void write_profile(const char *overhead)
{
	struct parts parts;
	struct bytes file;
	char metadata[512];
	uint64_t query, typeck;
	FILE *out = fopen(profile_path, "wb");

	assert_non_null(out);
	snprintf(
	    metadata, sizeof(metadata),
	    "{ \"start_time\": 1000, \"process_id\": 42, \"cmd\": \"rustc a.rs \", \"querytap\": {\"overhead\": %s} }",
	    overhead);
	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	query = parts_string(&parts, "Query");
	typeck = parts_string(&parts, "typeck");
	parts_event(&parts, query, parts_string(&parts, "mir_built"), 1, 0, 40 * MS);
	parts_event(&parts, query, typeck, 1, 40 * MS, 100 * MS);
	file = parts_file(&parts, SIZE_MAX);
	assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
	assert_int_equal(fclose(out), 0);
	bytes_free(&file);
}

static const char half[] = "{\"mode\":\"auto\",\"untimed\":[\"layout_of\"],\"let_go\":[],\"untimed_events\":0.5,"
			   "\"untimed_self_time\":0.25}";

/* A third of what process `pid` does in typeck is layout_of. */
static void write_samples(uint32_t pid, uint64_t began)
{
	struct samples_builder *builder = samples_build_begin();
	struct samples *samples;
	struct error err = {""};

	add_at(builder, 40, pid, 10, "main|[mir_built]|f");
	add_at(builder, 40, pid, 50, "main|[typeck]|f");
	add_at(builder, 20, pid, 60, "main|[typeck]|[layout_of]|g");
	samples = end(builder);
	samples->began = began;
	samples_write(samples, samples_path, NULL, &err);
	assert_string_equal(err.text, "");
	samples_free(samples);
}

/* Runs summarize with a word before the profile, or NULL; *said is what it wrote on standard error. Free both. */
static char *summarize(const char *word, char **said)
{
	const struct command *command = &command_summarize;
	char *argv[] = {(char *)"summarize", (char *)"-o", output, profile_path, (char *)word, NULL}, path[512];
	void *settings = calloc(1, command->settings_size);
	int rest, argc = word ? 5 : 4, old = dup(STDERR_FILENO), file;
	struct bytes text, caught;
	bool help = false;

	assert_int_equal(options_parse(command->options, command->order, argc, argv, settings, &rest, &help, NULL), 0);
	snprintf(path, sizeof(path), "%s/stderr", top);
	file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	fflush(stderr);
	dup2(file, STDERR_FILENO);
	assert_int_equal(command->run(settings, argc - rest, argv + rest), EXIT_OK);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	close(file);
	free(settings);
	caught = read_whole_file(path);
	bytes_add(&caught, "", 1);
	*said = (char *)caught.data;
	text = read_whole_file(output);
	bytes_add(&text, "", 1);
	return (char *)text.data;
}

static char *summarize_silently(const char *word)
{
	char *said, *text = summarize(word, &said);

	assert_string_equal(said, "");
	free(said);
	return text;
}

static void assert_says(const char *text, const char *part)
{
	assert_non_null(text);
	if (!strstr(text, part))
		fail_msg("no '%s' in\n%s", part, text);
}

static void test_text(void **state)
{
	char *text;

	(void)state;
	write_profile(half);
	write_samples(PID, 1000);
	text = summarize_silently(NULL);
	assert_says(text, "| Item       | Self time | \xC2\xB1      | % of total time | Time    | Item count |\n");
	assert_says(text, "| mir_built  | 40.00ms   |        | 40.000          | 40.00ms | 1          |\n"
			  "| typeck ..  | ~40.00ms  | 7.57ms | 40.000          | 60.00ms | 1          |\n"
			  "| layout_of  | ~20.00ms  | 7.57ms | 20.000          |         |            |\n");
	assert_says(text, "~: estimated from 100 samples");
	assert_says(text, "Total cpu time: 100ms\n");
	assert_says(text, "--measured");
	free(text);
	text = summarize_silently("--limit=2");
	assert_says(text, "Filtered results account for 80.000% of total time.\n");
	free(text);
}

/* Without samples, or with another process's or another time's, the output is what it is with --measured. */
static void test_as_measured(void **state)
{
	static const char *const words[] = {"--sort=self", "--json", "--hits"};
	char *measured, *text, *said;

	(void)state;
	write_profile(half);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		measured = summarize_silently(words[i]);
		write_samples(PID + 1, 1000);
		text = summarize_silently(words[i]);
		assert_string_equal(text, measured);
		free(text);
		write_samples(PID, 5000 * MS);
		text = summarize_silently(words[i]);
		assert_string_equal(text, measured);
		free(text);
		unlink(samples_path);
		free(measured);
	}
	measured = summarize_silently(NULL);
	assert_says(measured, "which is in what called them");
	write_samples(PID, 1000);
	text = summarize_silently("--measured");
	assert_string_equal(text, measured);
	free(text);
	/* What cannot be read is said, and no reason not to show the profile. */
	assert_int_equal(truncate(samples_path, 50), 0);
	text = summarize(NULL, &said);
	assert_string_equal(text, measured);
	assert_says(said, samples_path);
	free(said);
	free(text);
	free(measured);
	/* A profile of which all was timed has nothing to be estimated. */
	write_profile("{\"mode\":\"exact\"}");
	measured = summarize_silently("--measured");
	write_samples(PID, 1000);
	text = summarize_silently(NULL);
	assert_string_equal(text, measured);
	free(text);
	free(measured);
}

/* Times of events are less what probes cost, so a process goes on behind its last event: the list of processes knows.
 */
static void test_end_of_process(void **state)
{
	struct samples_builder *builder = samples_build_begin();
	struct samples *samples;
	struct error err = {""};
	FILE *build;
	char *text;

	(void)state;
	write_profile(half);
	add_at(builder, 60, PID, 50, "[typeck]|f");
	add_at(builder, 20, PID, 110, "[typeck]|[layout_of]|g");
	add_at(builder, 20, PID, 131, "[typeck]|[layout_of]|g");
	samples = end(builder);
	samples->began = 1000;
	samples_write(samples, samples_path, NULL, &err);
	assert_string_equal(err.text, "");
	samples_free(samples);
	text = summarize_silently(NULL);
	assert_null(strstr(text, "layout_of"));
	free(text);
	build = fopen(build_path, "w");
	assert_non_null(build);
	fputs("{\"format\": 1, \"start_realtime_ns\": \"1000\", \"stopped_ns\": 200000000, \"complete\": true, "
	      "\"lost\": 0, \"processes\": [{\"pid\": 42, \"parent\": null, \"joined\": false, \"complete\": true, "
	      "\"start_ns\": 0, \"end_ns\": 130000000, \"exit_code\": 0, \"signal\": null, \"user_ns\": null, "
	      "\"system_ns\": null, \"peak_bytes\": null, \"comm\": \"rustc\", \"programs\": [{\"command\": "
	      "[\"rustc\"], \"profile\": \"tiny-42.mm_profdata\"}]}]}",
	      build);
	assert_int_equal(fclose(build), 0);
	text = summarize_silently(NULL);
	assert_says(text, "| layout_of  | ~15.00ms ");
	assert_says(text, "~: estimated from 80 samples");
	free(text);
}

static void test_json(void **state)
{
	char *text, *measured;
	json_t *root, *plain, *row, *source;

	(void)state;
	write_profile(half);
	write_samples(PID, 1000);
	text = summarize_silently("--json");
	unlink(samples_path);
	measured = summarize_silently("--json");
	root = json_loads(text, 0, NULL);
	plain = json_loads(measured, 0, NULL);
	assert_true(root && plain);
	assert_null(json_object_get(plain, "estimated"));
	assert_int_equal(json_array_size(json_object_get(root, "estimated")), 2);
	row = json_array_get(json_object_get(root, "estimated"), 1);
	assert_string_equal(json_string_value(json_object_get(row, "label")), "layout_of");
	assert_near((double)json_integer_value(json_object_get(row, "estimated_self_ns")), 20e6);
	assert_true(json_integer_value(json_object_get(row, "low_ns")) < 14e6);
	assert_true(json_integer_value(json_object_get(row, "high_ns")) > 27e6);
	assert_int_equal(json_integer_value(json_object_get(row, "samples")), 20);
	source = json_array_get(json_object_get(row, "from"), 0);
	assert_string_equal(json_string_value(json_object_get(source, "label")), "typeck");
	assert_near((double)json_integer_value(json_object_get(source, "self_ns")), 20e6);
	/* All else is as measured. */
	json_object_del(root, "estimated");
	assert_true(json_equal(root, plain));
	json_decref(root);
	json_decref(plain);
	free(text);
	free(measured);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_as_measured, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_end_of_process, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
