/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What was not timed, estimated from samples: how it is divided, and what querytap summarize makes of a folder with
 * both. */
#include "tests/unit/profile_bytes.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>

#include "analysis/estimate.h"
#include "cmd/cmd.h"
#include "tests/unit/stack_text.h"

#define MS UINT64_C(1000000)

enum { PID = 42, START_MS = 500 };

/* ---- a recording in memory ---- */

/* Adds `count` samples of a thread of process `pid`, all at one time. */
static void add_flagged(struct samples_builder *builder, unsigned int count, uint32_t pid, uint64_t time_ms,
			const char *stack, uint32_t flags)
{
	struct samples_sample sample = {
	    .time = time_ms * MS,
	    .thread = samples_build_thread(builder, pid, pid, "rustc", "rustc"),
	    .stack = stack_of(builder, stack),
	    .flags = flags,
	};

	while (count-- > 0)
		samples_build_sample(builder, &sample);
}

static void add_at(struct samples_builder *builder, unsigned int count, uint32_t pid, uint64_t time_ms,
		   const char *stack)
{
	add_flagged(builder, count, pid, time_ms, stack, 0);
}

static void add_in_kernel(struct samples_builder *builder, unsigned int count, const char *stack)
{
	add_flagged(builder, count, PID, START_MS + 10, stack, SAMPLES_KERNEL);
}

static void add(struct samples_builder *builder, unsigned int count, const char *stack)
{
	add_at(builder, count, PID, START_MS + 10, stack);
}

static void add_wait(struct samples_builder *builder, uint64_t ms, enum samples_reason reason, const char *stack)
{
	struct samples_absence absence = {
	    .time = (START_MS + 10) * MS,
	    .length = ms * MS,
	    .thread = samples_build_thread(builder, PID, PID, "rustc", "rustc"),
	    .stack = stack_of(builder, stack),
	    .reason = reason,
	};

	samples_build_absence(builder, &absence);
}

/* A sample each millisecond. */
static struct samples *end(struct samples_builder *builder)
{
	struct samples *samples;

	assert_int_equal(samples_build_end(builder, &samples), 0);
	samples->hz = 1000;
	samples->duration = 1000 * MS;
	return samples;
}

/* Up to 8 labels, parted by blanks. */
struct words {
	const char *list[8];
	size_t count;
	char text[128];
};

static struct estimate_labels split(struct words *words, const char *text)
{
	char *rest = words->text, *word;

	snprintf(words->text, sizeof(words->text), "%s", text);
	while ((word = strsep(&rest, " ")))
		if (*word)
			words->list[words->count++] = word;
	return (struct estimate_labels){words->list, words->count};
}

/* A case: what was measured, and what the estimates are of it. */
struct world {
	struct summary_row rows[8];
	struct summary summary;
	struct words untimed, let_go;
	struct estimate_profile profile;
	struct samples_builder *builder;
	struct samples *samples;
	struct estimates estimates;
};

static struct world *begin(const char *untimed, const char *let_go)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->summary = (struct summary){.rows = world->rows, .cpu_ns = 1000 * MS};
	world->profile = (struct estimate_profile){
	    .summary = &world->summary,
	    .pid = PID,
	    .start_ns = START_MS * MS,
	    .end_ns = 2 * START_MS * MS,
	    .untimed = split(&world->untimed, untimed),
	    .let_go = split(&world->let_go, let_go),
	};
	world->builder = samples_build_begin();
	return world;
}

static void measure(struct world *world, const char *label, uint64_t self_ms)
{
	world->rows[world->summary.row_count++] =
	    (struct summary_row){.label = (char *)label, .self_ns = self_ms * MS, .share = (double)self_ms / 10};
}

static void estimate(struct world *world)
{
	struct error err = {""};

	world->samples = end(world->builder);
	estimate_untimed(&world->profile, world->samples, &world->estimates, &err);
	assert_string_equal(err.text, "");
}

static void finish(struct world *world)
{
	estimates_free(&world->estimates);
	samples_free(world->samples);
	free(world);
}

static void assert_near(double value, double expected)
{
	if (fabs(value - expected) > 10)
		fail_msg("%.0f is not %.0f", value, expected);
}

/* Asserts the self time of a label, to 10 ns, and returns its row. */
static const struct estimate *assert_self(const struct world *world, const char *label, double ms)
{
	const struct estimate *row = estimates_find(&world->estimates, label);

	if (!row)
		fail_msg("%s is not estimated", label);
	assert_near((double)row->self_ns, ms * 1e6);
	assert_true(row->low_ns <= row->self_ns && row->self_ns <= row->high_ns);
	return row;
}

static void assert_source(const struct estimate *row, size_t number, const char *label, double ms)
{
	assert_true(number < row->source_count);
	if (label)
		assert_string_equal(row->sources[number].label, label);
	else
		assert_null(row->sources[number].label);
	assert_near((double)row->sources[number].self_ns, ms * 1e6);
}

/* The sum of all self times, as they are with the estimates, nanoseconds. */
static uint64_t sum_of(const struct world *world)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < world->summary.row_count; i++)
		if (!estimates_find(&world->estimates, world->rows[i].label))
			sum += world->rows[i].self_ns;
	for (size_t i = 0; i < world->estimates.row_count; i++)
		sum += world->estimates.rows[i].self_ns;
	return sum;
}

/* ---- how it is divided ---- */

static void test_share(void **state)
{
	struct world *world = begin("layout_of", "");
	const struct estimate *row;

	(void)state;
	measure(world, "typeck", 200);
	measure(world, "expand", 50);
	add(world->builder, 60, "main|[typeck]|walk");
	add(world->builder, 15, "main|[typeck]");
	add(world->builder, 20, "main|[typeck]|walk|[layout_of]|compute");
	add(world->builder, 5, "main|[typeck]|[layout_of]|[layout_of]");
	add(world->builder, 40, "main|{expand}|parse");
	estimate(world);
	assert_int_equal(world->estimates.samples, 140);
	assert_int_equal(world->estimates.row_count, 2);
	/* A quarter of typeck's samples; Wilson's interval of 25 in 100 is 0.1755 to 0.3430. */
	row = assert_self(world, "layout_of", 50);
	assert_true(fabs((double)row->low_ns / 1e6 - 35.09) < 0.01 && fabs((double)row->high_ns / 1e6 - 68.61) < 0.01);
	assert_int_equal(row->samples, 25);
	assert_false(row->measured);
	assert_true(row->share == 5);
	assert_int_equal(row->source_count, 1);
	assert_source(row, 0, "typeck", 50);
	row = assert_self(world, "typeck", 150);
	assert_true(fabs((double)row->low_ns / 1e6 - 131.39) < 0.01 &&
		    fabs((double)row->high_ns / 1e6 - 164.91) < 0.01);
	assert_true(row->measured);
	assert_int_equal(row->source_count, 0);
	assert_string_equal(world->estimates.rows[0].label, "typeck");
	assert_null(estimates_find(&world->estimates, "expand"));
	finish(world);
}

/* From several, nested, and what is neither timed nor untimed is looked through. */
static void test_several(void **state)
{
	struct world *world = begin("a b", "");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 100);
	measure(world, "u", 30);
	measure(world, "within", 70);
	add(world->builder, 40, "[t]|[left_out]");
	add(world->builder, 40, "[t]|[a]");
	add(world->builder, 20, "[t]|[a]|[left_out]|[b]|f");
	add(world->builder, 20, "[u]|[a]|g");
	add(world->builder, 10, "[t]|[a]|[within]");
	estimate(world);
	row = assert_self(world, "a", 70);
	assert_source(row, 0, "t", 40);
	assert_source(row, 1, "u", 30);
	row = assert_self(world, "b", 20);
	assert_source(row, 0, "t", 20);
	assert_self(world, "t", 40);
	assert_self(world, "u", 0);
	assert_null(estimates_find(&world->estimates, "within"));
	assert_null(estimates_find(&world->estimates, "left_out"));
	assert_near((double)sum_of(world), 200e6);
	finish(world);
}

/* Where nothing around it was timed, a sample is a millisecond. */
static void test_in_nothing(void **state)
{
	struct world *world = begin("a", "");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 100);
	add(world->builder, 30, "main|[a]|f");
	add(world->builder, 10, "main|g");
	add(world->builder, 60, "[t]");
	estimate(world);
	row = assert_self(world, "a", 30);
	assert_source(row, 0, NULL, 30);
	assert_int_equal(world->estimates.row_count, 1);
	finish(world);
}

/* What was timed for the first 20 ms has 30 more by the samples. */
static void test_let_go(void **state)
{
	struct world *world = begin("", "a");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 80);
	measure(world, "a", 20);
	add(world->builder, 50, "[t]|[a]|f");
	add(world->builder, 50, "[t]|g");
	estimate(world);
	row = assert_self(world, "a", 50);
	assert_true(row->measured);
	assert_int_equal(row->samples, 50);
	assert_int_equal(row->source_count, 1);
	assert_source(row, 0, "t", 30);
	/* That of 30 in 80, wider by the root of 50 / 30. */
	assert_true(fabs((double)row->low_ns / 1e6 - 39.85) < 0.1 && fabs((double)row->high_ns / 1e6 - 61.32) < 0.1);
	assert_self(world, "t", 50);
	finish(world);

	/* Nothing is taken off what was measured. */
	world = begin("", "a");
	measure(world, "t", 80);
	measure(world, "a", 60);
	add(world->builder, 50, "[t]|[a]|f");
	add(world->builder, 50, "[t]|g");
	estimate(world);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);
}

/* What was never timed within what was let go of: first that one's measured time has it, and then that of the caller.
 */
static void test_within_let_go(void **state)
{
	struct world *world = begin("b", "a never");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 160);
	measure(world, "a", 40);
	add(world->builder, 80, "[t]|[a]");
	add(world->builder, 20, "[t]|[a]|[b]");
	add(world->builder, 90, "[t]");
	add(world->builder, 10, "[t]|[never]");
	estimate(world);
	/* Of the 100 samples in it 40 fell where it was timed. */
	row = assert_self(world, "b", 8 + 12);
	assert_source(row, 0, "t", 12);
	assert_source(row, 1, "a", 8);
	row = assert_self(world, "a", 32 + 48);
	assert_source(row, 0, "t", 48);
	assert_self(world, "never", 10);
	assert_self(world, "t", 90);
	assert_near((double)sum_of(world), 200e6);
	finish(world);
}

/* Loads are timed apart: those of a query that is not timed are its own measured time. */
static void test_loads(void **state)
{
	struct world *world = begin("a", "");
	const struct estimate *row;

	(void)state;
	measure(world, "t", 90);
	measure(world, "a", 10);
	add(world->builder, 60, "[t]");
	add(world->builder, 10, "[t]|{a (load)}|decode");
	add(world->builder, 30, "[t]|[a]");
	estimate(world);
	row = assert_self(world, "a", 10 + 30);
	assert_true(row->measured);
	assert_int_equal(row->source_count, 1);
	assert_self(world, "t", 60);
	finish(world);
}

/* Probes take time that is in no measured one: in the kernel, right where queries begin. */
static void test_probes(void **state)
{
	struct world *world = begin("a", "");

	(void)state;
	measure(world, "t", 200);
	add(world->builder, 10, "[t]|run");
	add(world->builder, 40, "[t]|walk");
	add_in_kernel(world->builder, 10, "[t]|walk");
	add(world->builder, 30, "[t]|run|[a]|f");
	add_in_kernel(world->builder, 10, "[t]|run|[a]|f");
	add_in_kernel(world->builder, 50, "[t]|run");
	add_in_kernel(world->builder, 70, "[t]|run|[a]");
	estimate(world);
	assert_int_equal(world->estimates.samples, 100);
	assert_self(world, "a", 80);
	assert_self(world, "t", 120);
	finish(world);
}

/* What waited was no sample, and stays where it was measured; what was pre-empted is like the rest. */
static void test_waits(void **state)
{
	struct world *world = begin("a", "");

	(void)state;
	measure(world, "t", 300);
	add(world->builder, 50, "[t]");
	add(world->builder, 50, "[t]|[a]");
	add_wait(world->builder, 60, SAMPLES_FUTEX, "[t]");
	add_wait(world->builder, 40, SAMPLES_FILE_IO, "[t]|[a]");
	add_wait(world->builder, 90, SAMPLES_PREEMPTED, "[t]");
	estimate(world);
	assert_self(world, "a", 100);
	assert_self(world, "t", 200);
	finish(world);
}

/* Of the process alone, in its time: its id may have been another's before or after it. */
static void test_other_processes(void **state)
{
	struct world *world = begin("a", "");

	(void)state;
	measure(world, "t", 100);
	add_at(world->builder, 10, PID, START_MS - 1, "[t]|[a]");
	add_at(world->builder, 10, PID, 2 * START_MS + 1, "[t]|[a]");
	add_at(world->builder, 10, PID + 1, START_MS + 10, "[t]|[a]");
	estimate(world);
	assert_int_equal(world->estimates.samples, 0);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);

	world = begin("a", "");
	measure(world, "t", 100);
	add_at(world->builder, 10, PID, START_MS - 1, "[t]|[a]");
	add_at(world->builder, 30, PID, START_MS, "[t]");
	add_at(world->builder, 10, PID, 2 * START_MS, "[t]|[a]");
	estimate(world);
	assert_int_equal(world->estimates.samples, 40);
	assert_self(world, "a", 25);
	finish(world);
}

static void test_nothing(void **state)
{
	struct world *world = begin("a", "b");

	(void)state;
	measure(world, "t", 100);
	estimate(world);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);

	world = begin("", "");
	add(world->builder, 10, "main|[x]");
	estimate(world);
	assert_int_equal(world->estimates.row_count, 0);
	finish(world);
}

/* ---- the command ---- */

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
	    cmocka_unit_test(test_share),
	    cmocka_unit_test(test_several),
	    cmocka_unit_test(test_in_nothing),
	    cmocka_unit_test(test_let_go),
	    cmocka_unit_test(test_within_let_go),
	    cmocka_unit_test(test_loads),
	    cmocka_unit_test(test_probes),
	    cmocka_unit_test(test_waits),
	    cmocka_unit_test(test_other_processes),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_as_measured, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_end_of_process, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
