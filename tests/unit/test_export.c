/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * querytap export: what it makes of samples, read back with the library's parsers, and what it says where there is
 * nothing to export. tests/export/ has what other programs make of it.
 */
#include "tests/unit/profile_bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "profile.pb-c.h"
#include "samples/build.h"

typedef Perftools__Profiles__Profile pprof_profile;

static char top[256], output[512], samples_path[512], profile_path[512];

static int set_up(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "%s", make_temporary_directory());
	snprintf(output, sizeof(output), "%s/out", top);
	snprintf(samples_path, sizeof(samples_path), "%s/%s", top, SAMPLES_FILE);
	snprintf(profile_path, sizeof(profile_path), "%s/tiny-42%s", top, MMP_EXTENSION);
	return 0;
}

static int tear_down(void **state)
{
	DIR *folder = opendir(top);
	const struct dirent *entry;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(top);
	return 0;
}

static size_t files_in_folder(void)
{
	DIR *folder = opendir(top);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* Runs export with the words up to NULL; *said is what it printed on standard error, to be freed. */
static int run_export(const char *const *words, char **said)
{
	const struct command *command = &command_export;
	struct bytes settings = {0}, caught;
	char *argv[16] = {(char *)command->name}, path[512];
	int argc = 1, rest, old = dup(STDERR_FILENO), file, status;
	bool help = false;

	bytes_add(&settings, command->settings_default, command->settings_size);
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	assert_int_equal(options_parse(command->options, command->order, argc, argv, settings.data, &rest, &help, NULL),
			 0);
	snprintf(path, sizeof(path), "%s/stderr", top);
	file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	fflush(stderr);
	dup2(file, STDERR_FILENO);
	status = command->run(settings.data, argc - rest, argv + rest);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	close(file);
	caught = read_whole_file(path);
	unlink(path);
	bytes_add(&caught, "", 1);
	*said = (char *)caught.data;
	bytes_free(&settings);
	return status;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Exports `samples_path`, which has to succeed without a word, but for a warning with `warning` in it. */
static void export_to_output(const char *format, const char *warning)
{
	char *said;

	assert_int_equal(
	    run_export(WORDS("--format", format, "--minimum-duration", "0", "-o", output, samples_path), &said), 0);
	if (warning && !strstr(said, warning))
		fail_msg("'%s' does not say '%s'", said, warning);
	if (!warning)
		assert_string_equal(said, "");
	free(said);
}

/* What can be exported: it began at 0, so that profiles do too. */
static void write_samples(bool estimated, struct samples_builder *builder)
{
	struct samples *samples;
	struct error err;

	assert_int_equal(samples_build_end(builder, &samples), 0);
	samples->began = 1000;
	samples->duration = 1000000000;
	samples->hz = 100;
	samples->estimated = estimated;
	if (samples_write(samples, samples_path, NULL, &err))
		fail_msg("%s", err.text);
	samples_free(samples);
}

/* A thread of a compiler that is in typeck, in the kernel, and in the same stack again. */
static void write_three_samples(bool estimated)
{
	struct samples_builder *builder = samples_build_begin();
	uint32_t thread, stack;

	assert_non_null(builder);
	thread = samples_build_thread(builder, 42, 42, "rustc", "rustc");
	stack = samples_build_stack(builder, 0, samples_build_frame(builder, SAMPLES_FUNCTION, "main", "rustc"));
	stack = samples_build_stack(builder, stack, samples_build_frame(builder, SAMPLES_QUERY, "typeck", ""));
	samples_build_sample(builder, &(struct samples_sample){1000000, thread, stack, 0});
	samples_build_sample(builder, &(struct samples_sample){2000000, thread, stack, SAMPLES_KERNEL});
	samples_build_sample(builder, &(struct samples_sample){3000000, thread, stack, 0});
	write_samples(estimated, builder);
}

/* A profile of that compiler, with a query of 10 ns. */
static void write_profile(const char *metadata)
{
	struct parts parts;
	struct bytes file;
	FILE *out = fopen(profile_path, "w");

	assert_non_null(out);
	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	parts_event(&parts, parts_string(&parts, "Query"), parts_string(&parts, "typeck"), 42, 100, 110);
	file = parts_file(&parts, 1000);
	assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
	assert_int_equal(fclose(out), 0);
	bytes_free(&file);
}

static struct bytes read_compressed(const char *path)
{
	struct bytes bytes = {0};
	gzFile file = gzopen(path, "rb");
	char piece[4096];
	int size;

	assert_non_null(file);
	assert_false(gzdirect(file));
	while ((size = gzread(file, piece, sizeof(piece))) > 0)
		bytes_add(&bytes, piece, (size_t)size);
	assert_int_equal(size, 0);
	assert_int_equal(gzclose(file), Z_OK);
	return bytes;
}

static pprof_profile *export_pprof(void)
{
	struct bytes bytes;
	pprof_profile *profile;

	export_to_output("pprof", NULL);
	bytes = read_compressed(output);
	profile = perftools__profiles__profile__unpack(NULL, bytes.size, bytes.data);
	assert_non_null(profile);
	bytes_free(&bytes);
	unlink(output);
	return profile;
}

static json_t *export_firefox(const char *warning)
{
	json_error_t error;
	json_t *profile;

	export_to_output("firefox", warning);
	profile = json_load_file(output, 0, &error);
	if (!profile)
		fail_msg("line %d: %s", error.line, error.text);
	unlink(output);
	return profile;
}

static void equal_samples_are_one(void **state)
{
	pprof_profile *profile;

	(void)state;
	write_three_samples(false);
	profile = export_pprof();
	assert_int_equal(profile->n_sample, 2);
	/* By their flags: first the two that are not in the kernel. */
	assert_int_equal(profile->sample[0]->value[0], 2);
	assert_int_equal(profile->sample[0]->value[1], 20000000);
	assert_int_equal(profile->sample[0]->n_location_id, 2);
	assert_int_equal(profile->sample[1]->value[0], 1);
	assert_int_equal(profile->sample[1]->n_location_id, 3);
	/* The innermost comes first: the kernel, then what called it. */
	assert_int_equal(profile->sample[1]->location_id[1], profile->sample[0]->location_id[0]);
	perftools__profiles__profile__free_unpacked(profile, NULL);
}

static bool has_comment(const pprof_profile *profile, const char *part)
{
	for (size_t i = 0; i < profile->n_comment; i++) {
		if (strstr(profile->string_table[profile->comment[i]], part))
			return true;
	}
	return false;
}

static void how_queries_were_found(void **state)
{
	pprof_profile *profile;
	json_t *firefox;
	const char *text;

	(void)state;
	write_three_samples(true);
	profile = export_pprof();
	assert_true(has_comment(profile, "by their functions"));
	perftools__profiles__profile__free_unpacked(profile, NULL);
	firefox = export_firefox(NULL);
	text = json_string_value(json_object_get(
	    json_array_get(
		json_object_get(json_array_get(json_object_get(json_object_get(firefox, "meta"), "extra"), 0),
				"entries"),
		1),
	    "value"));
	assert_non_null(text);
	assert_non_null(strstr(text, "by their functions"));
	json_decref(firefox);
	write_three_samples(false);
	profile = export_pprof();
	assert_false(has_comment(profile, "by their functions"));
	perftools__profiles__profile__free_unpacked(profile, NULL);
}

static size_t count_markers(const json_t *profile)
{
	const json_t *threads = json_object_get(profile, "threads"), *thread;
	size_t i, count = 0;

	json_array_foreach(threads, i, thread)
	{
		count += (size_t)json_integer_value(json_object_get(json_object_get(thread, "markers"), "length"));
	}
	return count;
}

/* Where queries were found by their functions nothing is known of when they ran, whatever profile lies there. */
static void estimated_queries_are_no_markers(void **state)
{
	json_t *profile;

	(void)state;
	write_profile(METADATA);
	write_three_samples(false);
	profile = export_firefox(NULL);
	assert_int_equal(count_markers(profile), 1);
	json_decref(profile);
	write_three_samples(true);
	profile = export_firefox(NULL);
	assert_int_equal(count_markers(profile), 0);
	json_decref(profile);
	unlink(profile_path);
}

static void what_is_no_time_makes_no_markers(void **state)
{
	json_t *profile;

	(void)state;
	write_three_samples(false);
	write_profile("{ \"start_time\": 1000, \"process_id\": 42, \"cmd\": \"rustc \", \"counter\": {\"name\": "
		      "\"instructions:u\", \"description\": \"\", \"units\": \"[[\\\"i\\\", 1]]\"} }");
	profile = export_firefox("counts instructions:u");
	assert_int_equal(count_markers(profile), 0);
	json_decref(profile);
	unlink(profile_path);
}

/* A recording in which nothing was sampled. */
static void no_samples(void **state)
{
	pprof_profile *profile;
	json_t *firefox;

	(void)state;
	write_samples(false, samples_build_begin());
	profile = export_pprof();
	assert_int_equal(profile->n_sample, 0);
	assert_int_equal(profile->n_sample_type, 2);
	assert_string_equal(profile->string_table[0], "");
	perftools__profiles__profile__free_unpacked(profile, NULL);
	firefox = export_firefox(NULL);
	assert_int_equal(json_array_size(json_object_get(firefox, "threads")), 0);
	json_decref(firefox);
}

/* In no function at all, and in the kernel from there; the walk ended at once, or did not begin. */
static void empty_stacks(void **state)
{
	static const size_t depths[] = {0, 1, 1, 2};
	struct samples_builder *builder = samples_build_begin();
	uint32_t thread;
	pprof_profile *profile;
	json_t *firefox, *table;

	(void)state;
	assert_non_null(builder);
	thread = samples_build_thread(builder, 1, 1, "init", "init");
	for (uint32_t flags = 0; flags <= (SAMPLES_KERNEL | SAMPLES_INCOMPLETE); flags++)
		samples_build_sample(builder, &(struct samples_sample){flags, thread, 0, flags});
	write_samples(false, builder);
	profile = export_pprof();
	assert_int_equal(profile->n_sample, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(profile->sample[i]->n_location_id, depths[i]);
	perftools__profiles__profile__free_unpacked(profile, NULL);
	firefox = export_firefox(NULL);
	table = json_object_get(json_object_get(firefox, "shared"), "stackTable");
	assert_int_equal(json_integer_value(json_object_get(table, "length")), 3);
	table = json_object_get(json_object_get(json_array_get(json_object_get(firefox, "threads"), 0), "samples"),
				"stack");
	assert_int_equal(json_array_size(table), 4);
	assert_true(json_is_null(json_array_get(table, 0)));
	for (size_t i = 1; i < 4; i++)
		assert_true(json_is_integer(json_array_get(table, i)));
	json_decref(firefox);
}

/* Exit 2 with one sentence that has `part` in it, and no file that was not there. */
static void expect_refusal(const char *const *words, const char *part)
{
	size_t before = files_in_folder();
	char *said;

	assert_int_equal(run_export(words, &said), EXIT_USAGE);
	if (strncmp(said, "querytap: ", 10) != 0 || !strstr(said, part))
		fail_msg("'%s' does not say '%s'", said, part);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_int_equal(files_in_folder(), before);
	free(said);
}

static void refusals(void **state)
{
	char missing[512];

	(void)state;
	snprintf(missing, sizeof(missing), "%s/missing", top);
	write_three_samples(false);
	expect_refusal(WORDS(top), "--format");
	expect_refusal(WORDS("--format", "perf", top), "'perf'");
	expect_refusal(WORDS("--format", "pprof"), "the folder of a recording");
	expect_refusal(WORDS("--format", "pprof", top, top), "the folder of a recording");
	expect_refusal(WORDS("--format", "pprof", "-o", output, missing), missing);
	expect_refusal(WORDS("--format", "firefox", "-o", "/nowhere/out", top), "/nowhere/out");
	unlink(samples_path);
	expect_refusal(WORDS("--format", "pprof", "-o", output, top), SAMPLES_FILE);
}

/* One profile that cannot be read fails all, rather than being left out. */
static void damaged_profiles(void **state)
{
	FILE *out = fopen(profile_path, "w");

	(void)state;
	assert_non_null(out);
	fputs("this is no profile", out);
	assert_int_equal(fclose(out), 0);
	write_three_samples(false);
	expect_refusal(WORDS("--format", "firefox", "-o", output, top), profile_path);
	unlink(profile_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_samples_are_one),
	    cmocka_unit_test(how_queries_were_found),
	    cmocka_unit_test(estimated_queries_are_no_markers),
	    cmocka_unit_test(what_is_no_time_makes_no_markers),
	    cmocka_unit_test(no_samples),
	    cmocka_unit_test(empty_stacks),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(damaged_profiles),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
