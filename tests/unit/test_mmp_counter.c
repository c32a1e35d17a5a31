/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The writer's counters: the clock, the processor's where it has them, and one of the caller's own. */
#include "tests/unit/profile_bytes.h"

#include <errno.h>
#include <time.h>

struct fixture {
	char directory[256];
	char path[300];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	snprintf(fixture->directory, sizeof(fixture->directory), "%s", make_temporary_directory());
	snprintf(fixture->path, sizeof(fixture->path), "%s/a.mm_profdata", fixture->directory);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

/* Records an interval by the guard and an instant, with the calling process's metadata, and opens the file. */
static struct mmp_reader *write_and_open(struct fixture *fixture, struct mmp_writer *writer)
{
	struct mmp_error err = {""};
	struct mmp_reader *reader;
	struct mmp_timing timing;
	uint64_t kind;

	assert_int_equal(mmp_alloc_string(writer, "K", 1, &kind, &err), 0);
	timing = mmp_start(writer, kind, kind, 1);
	assert_int_equal(mmp_finish(writer, &timing, &err), 0);
	assert_int_equal(mmp_record_instant(writer, kind, kind, 1, mmp_now(writer), &err), 0);
	assert_int_equal(mmp_writer_finish(writer, NULL, &err), 0);
	mmp_open(fixture->path, &reader, &err);
	assert_string_equal(err.text, "");
	return reader;
}

static uint64_t real_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Without options: nanoseconds since the writer was created, and the metadata of this process. */
static void test_defaults(void **state)
{
	uint64_t before = real_now(), after;
	const struct mmp_metadata *metadata;
	struct fixture *fixture = *state;
	struct mmp_event interval, instant;
	struct mmp_cursor cursor;
	struct mmp_reader *reader;
	struct mmp_writer *writer;

	assert_int_equal(mmp_writer_create(fixture->path, NULL, &writer, NULL), 0);
	assert_string_equal(mmp_writer_counter(writer)->name, MMP_COUNTER_WALL_TIME);
	reader = write_and_open(fixture, writer);
	after = real_now();
	metadata = mmp_metadata(reader);
	assert_int_equal(metadata->process_id, getpid());
	/* Two clocks are read one after the other. */
	assert_in_range(metadata->start_time, before - 1000000000, after + 1000000000);
	assert_non_null(strstr(metadata->cmd, "test_mmp_counter "));
	assert_string_equal(metadata->counter.name, MMP_COUNTER_WALL_TIME);
	assert_int_equal(metadata->counter.unit_count, 4);
	assert_string_equal(metadata->counter.units[1].name, "\xCE\xBCs");
	cursor = mmp_begin(reader);
	assert_true(mmp_next(&cursor, &interval));
	assert_true(mmp_next(&cursor, &instant));
	assert_int_equal(instant.type, MMP_INSTANT);
	assert_true(interval.start <= interval.end && interval.end <= instant.start);
	assert_true(instant.start <= after - before + 1000000000);
	mmp_close(reader);
}

static uint64_t count_sheep(void *data)
{
	return *(uint64_t *)data += 10;
}

static void test_own_counter(void **state)
{
	static const struct mmp_unit units[] = {{"sheep", 1}, {"fl\"ock\xC3\xA9", 100}};
	uint64_t sheep = 0;
	struct mmp_writer_options options = {
	    .counter = {"sh\"eep", units, 2}, .read_counter = count_sheep, .counter_data = &sheep};
	struct fixture *fixture = *state;
	const struct mmp_counter *counter;
	struct mmp_cursor cursor;
	struct mmp_reader *reader;
	struct mmp_writer *writer;
	struct mmp_event event;

	assert_int_equal(mmp_writer_create(fixture->path, &options, &writer, NULL), 0);
	reader = write_and_open(fixture, writer);
	counter = &mmp_metadata(reader)->counter;
	assert_string_equal(counter->name, "sh\"eep");
	assert_int_equal(counter->unit_count, 2);
	assert_string_equal(counter->units[1].name, "fl\"ock\xC3\xA9");
	assert_int_equal(counter->units[1].factor, 100);
	cursor = mmp_begin(reader);
	assert_true(mmp_next(&cursor, &event));
	assert_int_equal(event.start, 10);
	assert_int_equal(event.end, 20);
	assert_true(mmp_next(&cursor, &event));
	assert_int_equal(event.start, 30);
	mmp_close(reader);
}

/* The metadata that measureme's Profiler writes for the counter, byte for byte. */
static void test_metadata_text(void **state)
{
	static const struct mmp_unit units[] = {{"instructions", 1}};
	struct mmp_metadata fields = {
	    .start_time = 1, .process_id = 2, .cmd = "x ", .counter = {MMP_COUNTER_INSTRUCTIONS, units, 1}};
	struct mmp_error err;
	char *text;

	(void)state;
	assert_int_equal(mmp_metadata_text(&fields, NULL, 0, &text, &err), 0);
	assert_string_equal(text, "{ \"start_time\": 1, \"process_id\": 2, \"cmd\": \"x \", \"counter\": { \"name\": "
				  "\"instructions:u\", \"units\": [[\"instructions\", 1]] } }");
	free(text);
	fields.counter.name = "\xFF";
	assert_int_equal(mmp_metadata_text(&fields, NULL, 0, &text, &err), -EINVAL);
	assert_null(text);
}

static void test_refusals(void **state)
{
	struct mmp_writer_options options = {.counter.name = "sheep"};
	struct fixture *fixture = *state;
	struct mmp_writer *writer;
	struct mmp_error err;

	assert_int_equal(mmp_writer_create(fixture->path, &options, &writer, &err), -EINVAL);
	assert_null(writer);
	assert_non_null(strstr(err.text, "there is no counter sheep; there are wall-time"));
	options = (struct mmp_writer_options){.read_counter = count_sheep};
	assert_int_equal(mmp_writer_create(fixture->path, &options, &writer, &err), -EINVAL);
	assert_non_null(strstr(err.text, "needs a name"));
}

/* Counts instructions, or fails with a sentence and leaves nothing behind. */
static void check_instructions(struct fixture *fixture, const char *name)
{
	struct mmp_writer_options options = {.counter.name = name};
	struct mmp_cursor cursor;
	struct mmp_reader *reader;
	struct mmp_writer *writer;
	struct mmp_event event;
	struct mmp_error err = {""};

	if (mmp_writer_create(fixture->path, &options, &writer, &err)) {
		assert_null(writer);
		assert_non_null(strstr(err.text, fixture->path));
		assert_non_null(strstr(err.text, name));
		skip();
	}
	reader = write_and_open(fixture, writer);
	assert_string_equal(mmp_metadata(reader)->counter.name, name);
	assert_string_equal(mmp_metadata(reader)->counter.units[0].name, "instructions");
	cursor = mmp_begin(reader);
	assert_true(mmp_next(&cursor, &event));
	assert_true(event.start < event.end);
	mmp_close(reader);
}

static void test_instructions(void **state)
{
	check_instructions(*state, MMP_COUNTER_INSTRUCTIONS);
}

static void test_instructions_minus_irqs(void **state)
{
	check_instructions(*state, MMP_COUNTER_INSTRUCTIONS_MINUS_IRQS);
}

static void test_instructions_minus_r0420(void **state)
{
	check_instructions(*state, MMP_COUNTER_INSTRUCTIONS_MINUS_R0420);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_defaults),
	    TEST(test_own_counter),
	    TEST(test_metadata_text),
	    TEST(test_refusals),
	    TEST(test_instructions),
	    TEST(test_instructions_minus_irqs),
	    TEST(test_instructions_minus_r0420),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
