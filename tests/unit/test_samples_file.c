/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file of samples: what is written is read again, and what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "samples/build.h"
#include "samples/private.h"

/* A folder with a file of samples in it. */
struct place {
	char folder[64], file[96];
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->folder, "/tmp/querytap-samples.XXXXXX");
	*state = place;
	if (!mkdtemp(place->folder))
		return -1;
	snprintf(place->file, sizeof(place->file), "%s/%s", place->folder, SAMPLES_FILE);
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->file);
	rmdir(place->folder);
	free(place);
	return 0;
}

/* Many of everything, with times that are not in order and texts of all kinds. */
static struct samples *make_samples(void)
{
	struct samples_builder *builder = samples_build_begin();
	uint32_t frames[64], stacks[512] = {0}, threads[8];
	struct samples *samples;
	char name[64];

	for (unsigned int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "f%u::<\xc3\xa9;\n%.*s>", i, (int)(i % 7), "xxxxxxx");
		frames[i] = samples_build_frame(builder, i % SAMPLES_FRAME_KINDS, name, i % 3 ? "" : "lib.so");
	}
	for (unsigned int i = 1; i < 512; i++)
		stacks[i] = samples_build_stack(builder, stacks[i * 7919 % i], frames[i % 64]);
	for (unsigned int i = 0; i < 8; i++)
		threads[i] = samples_build_thread(builder, 4000000 + i / 2, 4000000 + i, "rustc", i % 2 ? "opt" : "");
	for (uint64_t i = 0; i < 2000; i++)
		samples_build_sample(builder,
				     &(struct samples_sample){.time = i * 7919 % 2000 << 30,
							      .thread = threads[i % 8],
							      .stack = stacks[i % 512],
							      .flags = i % 4 | (i % 2 && i % 3 ? SAMPLES_FAULT : 0)});
	for (uint64_t i = 0; i < 300; i++)
		samples_build_absence(builder, &(struct samples_absence){.time = i * 7919 % 300 << 30,
									 .length = UINT64_MAX >> 16 >> i % 40,
									 .thread = threads[i % 8],
									 .stack = stacks[i],
									 .reason = i % SAMPLES_REASONS,
									 .skew = i << i % 40});
	for (uint64_t i = 0; i < 8; i++)
		samples_build_times(builder, &(struct samples_times){.thread = threads[i],
								     .start = i << 40,
								     .end = i << 42,
								     .off = {7 * i, i << 35},
								     .ran = i << 41});
	assert_int_equal(samples_build_end(builder, &samples), 0);
	samples->absences_lost = 3;
	samples->began = UINT64_MAX;
	samples->duration = 1;
	samples->hz = 997;
	samples->lost = 12345678901;
	samples->estimated = true;
	samples->absences_known = true;
	return samples;
}

static void assert_same(const struct samples *a, const struct samples *b)
{
	assert_true(a->began == b->began && a->duration == b->duration && a->hz == b->hz && a->lost == b->lost);
	assert_int_equal(a->estimated, b->estimated);
	assert_int_equal(a->absences_known, b->absences_known);
	assert_int_equal(a->frame_count, b->frame_count);
	for (size_t i = 0; i < a->frame_count; i++) {
		assert_int_equal(a->frames[i].kind, b->frames[i].kind);
		assert_string_equal(a->frames[i].name, b->frames[i].name);
		assert_string_equal(a->frames[i].object, b->frames[i].object);
	}
	assert_int_equal(a->stack_count, b->stack_count);
	for (size_t i = 1; i < a->stack_count; i++) {
		assert_int_equal(a->stacks[i].parent, b->stacks[i].parent);
		assert_int_equal(a->stacks[i].frame, b->stacks[i].frame);
	}
	assert_int_equal(a->thread_count, b->thread_count);
	for (size_t i = 0; i < a->thread_count; i++) {
		assert_int_equal(a->threads[i].pid, b->threads[i].pid);
		assert_int_equal(a->threads[i].tid, b->threads[i].tid);
		assert_string_equal(a->threads[i].process, b->threads[i].process);
		assert_string_equal(a->threads[i].name, b->threads[i].name);
	}
	assert_int_equal(a->sample_count, b->sample_count);
	for (size_t i = 0; i < a->sample_count; i++) {
		assert_true(a->samples[i].time == b->samples[i].time);
		assert_int_equal(a->samples[i].thread, b->samples[i].thread);
		assert_int_equal(a->samples[i].stack, b->samples[i].stack);
		assert_int_equal(a->samples[i].flags, b->samples[i].flags);
	}
	assert_int_equal(a->absence_count, b->absence_count);
	for (size_t i = 0; i < a->absence_count; i++) {
		assert_true(a->absences[i].time == b->absences[i].time);
		assert_true(a->absences[i].length == b->absences[i].length);
		assert_int_equal(a->absences[i].thread, b->absences[i].thread);
		assert_int_equal(a->absences[i].stack, b->absences[i].stack);
		assert_int_equal(a->absences[i].reason, b->absences[i].reason);
		assert_true(a->absences[i].skew == b->absences[i].skew);
	}
	assert_true(a->absences_lost == b->absences_lost);
	assert_int_equal(a->times_count, b->times_count);
	for (size_t i = 0; i < a->times_count; i++) {
		assert_int_equal(a->times[i].thread, b->times[i].thread);
		assert_true(a->times[i].start == b->times[i].start && a->times[i].end == b->times[i].end);
		assert_true(a->times[i].ran == b->times[i].ran);
		for (size_t j = 0; j < SAMPLES_REASONS; j++)
			assert_true(a->times[i].off[j] == b->times[i].off[j]);
	}
}

static void write_samples(const struct samples *samples, const char *path)
{
	struct error err = {""};

	samples_write(samples, path, NULL, &err);
	assert_string_equal(err.text, "");
}

/* Checks that the file is refused as `code` says, with a sentence that names it and has `part` in it. */
static void assert_refused(const char *path, int code, const char *part)
{
	struct samples *samples;
	struct error err = {""};

	assert_int_equal(samples_read(path, &samples, &err), code);
	assert_null(samples);
	if (!strstr(err.text, path) || !strstr(err.text, part))
		fail_msg("'%s' is not about %s and '%s'", err.text, path, part);
}

static void put_file(const char *path, const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

/* The whole file; to be freed. */
static uint8_t *get_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat status;
	uint8_t *bytes;

	assert_true(fd >= 0 && fstat(fd, &status) == 0);
	*size = (size_t)status.st_size;
	bytes = malloc(*size);
	assert_true(read(fd, bytes, *size) == status.st_size);
	close(fd);
	return bytes;
}

/* ---- what is whole ---- */

static void test_round_trip(void **state)
{
	const struct place *place = *state;
	struct samples *samples = make_samples(), *by_file, *by_folder;
	struct error err = {""};
	struct stat status;

	/* The builder has sorted them, and told no two frames apart that are the same. */
	assert_int_equal(samples->frame_count, 64);
	assert_int_equal(samples->thread_count, 8);
	assert_true(samples->samples[1].time == 1 << 30);
	write_samples(samples, place->file);
	assert_int_equal(stat(place->file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	assert_int_equal(samples_read(place->file, &by_file, &err), 0);
	assert_int_equal(samples_read(place->folder, &by_folder, &err), 0);
	assert_same(samples, by_file);
	assert_same(samples, by_folder);
	samples_free(samples);
	samples_free(by_file);
	samples_free(by_folder);
	samples_free(NULL);
}

static void test_empty(void **state)
{
	const struct place *place = *state;
	struct samples *samples, *read;
	struct error err = {""};

	assert_int_equal(samples_build_end(samples_build_begin(), &samples), 0);
	assert_int_equal(samples->stack_count, 1);
	write_samples(samples, place->file);
	assert_int_equal(samples_read(place->file, &read, &err), 0);
	assert_same(samples, read);
	samples_free(samples);
	samples_free(read);
}

/* A file that is there stays as it is if it cannot be written anew. */
static void test_unsound(void **state)
{
	const struct place *place = *state;
	struct samples *samples = make_samples(), *read;
	struct error err = {""};

	write_samples(samples, place->file);
	samples->samples[1000].stack = (uint32_t)samples->stack_count;
	assert_int_equal(samples_write(samples, place->file, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "a sample has a stack that is not there"));
	assert_int_equal(samples_read(place->file, &read, &err), 0);
	samples_free(samples);
	samples_free(read);
}

static void test_reasons(void **state)
{
	(void)state;
	for (int i = 0; i < SAMPLES_REASONS; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(samples_reason_name(i), samples_reason_name(k));
	assert_string_equal(samples_reason_name(SAMPLES_FUTEX), "futex");
	assert_string_equal(samples_reason_name(SAMPLES_REASONS), "unknown");
}

/* ---- what is not ---- */

static void test_not_there(void **state)
{
	const struct place *place = *state;

	assert_refused(place->file, -ENOENT, "--sample");
	assert_refused(place->folder, -ENOENT, SAMPLES_FILE);
	assert_refused("/dev/null", -EINVAL, "no ordinary file");
	put_file(place->file, (const uint8_t *)"rustc;main 12\n", 14);
	assert_refused(place->file, -EINVAL, "no file of samples");
}

static void test_damaged(void **state)
{
	const struct place *place = *state;
	struct samples *samples = make_samples();
	uint8_t *bytes;
	size_t size;

	samples->sample_count = 20;
	samples->absence_count = 5;
	write_samples(samples, place->file);
	bytes = get_file(place->file, &size);
	for (size_t i = 0; i < size; i++) {
		put_file(place->file, bytes, i);
		assert_refused(place->file, -EINVAL, "");
	}
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 1 << i % 8;
		put_file(place->file, bytes, size);
		assert_refused(place->file, -EINVAL, "");
		bytes[i] ^= 1 << i % 8;
	}
	bytes = realloc(bytes, size + 1);
	bytes[size] = 0;
	put_file(place->file, bytes, size + 1);
	assert_refused(place->file, -EINVAL, "damaged");
	free(bytes);
	samples_free(samples);
}

static void put_checksum(uint8_t *bytes, size_t size)
{
	uint32_t sum = htole32((uint32_t)crc32(0, bytes + AT_CHECKED, (unsigned int)(size - AT_CHECKED)));

	memcpy(bytes + AT_CHECKSUM, &sum, sizeof(sum));
}

/* Headers whose checksum is right. */
static void test_hostile_header(void **state)
{
	const struct place *place = *state;
	static const uint64_t sizes[] = {0, 1, 100, 1 << 20, UINT64_C(1) << 40, UINT64_MAX};
	struct samples *samples = make_samples();
	uint8_t *bytes;
	size_t size;

	write_samples(samples, place->file);
	bytes = get_file(place->file, &size);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint64_t stored = htole64(sizes[i]);

		memcpy(bytes + AT_SIZE, &stored, sizeof(stored));
		put_checksum(bytes, size);
		put_file(place->file, bytes, size);
		assert_refused(place->file, -EINVAL, "damaged");
	}
	bytes[AT_VERSION]++;
	put_file(place->file, bytes, size);
	assert_refused(place->file, -EINVAL, "version 2");
	free(bytes);
	samples_free(samples);
}

/* ---- contents ---- */

/* One of everything, as docs/samples.md has it. */
static const uint8_t contents[] = {
    1, 7, 5, 0x80, 2,	0xe5, 7, 3,   2,   /* 0, the head: began at 5, for 256 ns, 997 Hz, 3 lost, absences are known */
    2, 7, 3, 1,	   'f', 0,    2, 'a', 'b', /* 9, strings */
    3, 4, 1, 1,	   0,	1,		   /* 18, a frame: a query */
    4, 3, 2, 1,	   0,			   /* 24, stacks */
    5, 5, 1, 7,	   8,	2,    2,	   /* 29, a thread */
    6, 5, 1, 9,	   0,	1,    3,	   /* 36, a sample */
    7, 6, 1, 9,	   4,	0,    1, 2,	   /* 43, an absence */
};

static int parse(const uint8_t *bytes, size_t size, struct samples **out, struct error *err)
{
	/* A copy of just that size, so that a sanitizer sees reading beyond it. */
	uint8_t *copy = malloc(size ? size : 1);
	int code;

	memcpy(copy, bytes, size);
	code = samples_parse(copy, size, "the file", out, err);
	free(copy);
	return code;
}

static void test_contents(void **state)
{
	const struct place *place = *state;
	struct samples *samples;
	struct error err = {""};
	uint8_t *bytes, inflated[256];
	uLongf length = sizeof(inflated);
	size_t size;

	assert_int_equal(parse(contents, sizeof(contents), &samples, &err), 0);
	assert_true(samples->began == 5 && samples->duration == 256 && samples->lost == 3);
	assert_int_equal(samples->hz, 997);
	assert_true(samples->absences_known && !samples->estimated);
	assert_int_equal(samples->frames[0].kind, SAMPLES_QUERY);
	assert_string_equal(samples->frames[0].name, "f");
	assert_string_equal(samples->frames[0].object, "");
	assert_int_equal(samples->stacks[1].parent, 0);
	assert_string_equal(samples->threads[0].process, "ab");
	assert_int_equal(samples->threads[0].tid, 8);
	assert_int_equal(samples->samples[0].flags, SAMPLES_KERNEL | SAMPLES_INCOMPLETE);
	assert_true(samples->absences[0].time == 9 && samples->absences[0].length == 4);
	assert_int_equal(samples->absences[0].reason, SAMPLES_PAGE_IN);
	write_samples(samples, place->file);
	bytes = get_file(place->file, &size);
	assert_int_equal(uncompress(inflated, &length, bytes + AT_CONTENTS, size - AT_CONTENTS), Z_OK);
	assert_int_equal(length, sizeof(contents));
	assert_memory_equal(inflated, contents, sizeof(contents));
	free(bytes);
	samples_free(samples);
}

/* The section that need not be there: a thread that was there from 9 to 30, of which it waited 4 for a page. */
static void test_times(void **state)
{
	static const uint8_t section[] = {8, 15, 6, 2, 1, 0, 9, 21, 17, 0, 0, 4, 0, 0, 0, 0, 0};
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} wrong[] = {
	    {4, 2, "should"},			     /* too many */
	    {5, 1, "thread that is"},		     /* not there */
	    {11, 22, "for longer than it is there"}, /* off the CPU */
	    {16, 18, "for longer than it is there"}, /* together */
	};
	uint8_t bytes[sizeof(contents) + sizeof(section)];
	struct samples *samples;
	struct error err = {""};

	(void)state;
	memcpy(bytes, contents, sizeof(contents));
	memcpy(bytes + sizeof(contents), section, sizeof(section));
	assert_int_equal(parse(bytes, sizeof(bytes), &samples, &err), 0);
	assert_true(samples->absences_lost == 6 && samples->absences[0].skew == 2);
	assert_int_equal(samples->times_count, 1);
	assert_true(samples->times[0].start == 9 && samples->times[0].end == 30 && samples->times[0].ran == 17);
	assert_true(samples->times[0].off[SAMPLES_PAGE_IN] == 4);
	samples_free(samples);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		uint8_t changed[sizeof(bytes)];

		memcpy(changed, bytes, sizeof(bytes));
		changed[sizeof(contents) + wrong[i].at] = wrong[i].value;
		if (parse(changed, sizeof(changed), &samples, &err) != -EINVAL || !strstr(err.text, wrong[i].what))
			fail_msg("%zu set to %d: '%s'", wrong[i].at, wrong[i].value, err.text);
	}
}

static void test_wrong_contents(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} wrong[] = {
	    {0, 2, "not in order"},
	    {11, 200, "should"},	 /* more strings than bytes */
	    {11, 4, "should"},		 /* one more than there is */
	    {12, 5, "should"},		 /* a longer one than there is */
	    {13, 0, "should"},		 /* a NUL */
	    {20, 100, "should"},	 /* too many frames */
	    {21, 3, "kind"},		 /* of a frame */
	    {22, 3, "should"},		 /* its name */
	    {26, 0, "should"},		 /* no stack, not even an empty one */
	    {26, 100, "should"},	 /* too many */
	    {27, 0, "should"},		 /* its own parent */
	    {27, 2, "should"},		 /* a parent before the first */
	    {28, 1, "frame that is"},	 /* not there */
	    {31, 3, "should"},		 /* too many threads */
	    {34, 3, "should"},		 /* a string that is not there */
	    {38, 3, "should"},		 /* too many samples */
	    {40, 1, "thread that is"},	 /* not there */
	    {41, 2, "stack that is"},	 /* not there */
	    {42, 4, "flag"},		 /* not known */
	    {45, 2, "should"},		 /* too many absences */
	    {48, 1, "thread that is"},	 /* not there */
	    {49, 2, "stack that is"},	 /* not there */
	    {50, 8, "reason"},		 /* not known */
	    {44, 5, "should"},		 /* a section that ends too early */
	    {44, 7, "within a section"}, /* or too late */
	    {43, 6, "not in order"},	 /* the same section twice */
	    {43, 9, "missing"},		 /* an unknown section is skipped */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		uint8_t bytes[sizeof(contents)];
		struct samples *samples;
		struct error err = {""};

		memcpy(bytes, contents, sizeof(bytes));
		bytes[wrong[i].at] = wrong[i].value;
		if (parse(bytes, sizeof(bytes), &samples, &err) != -EINVAL || !strstr(err.text, wrong[i].what))
			fail_msg("%zu set to %d: '%s'", wrong[i].at, wrong[i].value, err.text);
	}
	for (size_t i = 0; i < sizeof(contents); i++) {
		struct samples *samples;
		struct error err = {""};

		assert_int_equal(parse(contents, i, &samples, &err), -EINVAL);
		assert_non_null(strstr(err.text, "the file is damaged"));
	}
}

/* What is unknown behind the known sections is for later versions of this one. */
static void test_unknown_section(void **state)
{
	uint8_t bytes[sizeof(contents) + 4];
	struct samples *samples;
	struct error err = {""};

	(void)state;
	memcpy(bytes, contents, sizeof(contents));
	memcpy(bytes + sizeof(contents), "\x09\x02??", 4);
	assert_int_equal(parse(bytes, sizeof(bytes), &samples, &err), 0);
	samples_free(samples);
}

/* Whatever a byte is, the contents are either refused or sound. */
static void test_any_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(contents); i++) {
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t bytes[sizeof(contents)];
			struct samples *samples;
			struct error err = {""};
			int code;

			memcpy(bytes, contents, sizeof(bytes));
			bytes[i] = (uint8_t)value;
			code = parse(bytes, sizeof(bytes), &samples, &err);
			assert_true(code == 0 || code == -EINVAL);
			if (code == 0)
				assert_null(samples_fault(samples));
			samples_free(samples);
		}
	}
}

/* Numbers that are too large for what they are of. */
static void test_large_numbers(void **state)
{
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
	static const size_t places[] = {11, 12, 20, 26, 31, 32, 38, 45};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint8_t bytes[sizeof(contents) + sizeof(huge) - 1];
		size_t at = places[i], section = 0;
		struct samples *samples;
		struct error err = {""};

		memcpy(bytes, contents, at);
		memcpy(bytes + at, huge, sizeof(huge));
		memcpy(bytes + at + sizeof(huge), contents + at + 1, sizeof(contents) - at - 1);
		/* Its section is longer by that. */
		while (section + 2 + contents[section + 1] <= at)
			section += 2 + contents[section + 1];
		bytes[section + 1] += sizeof(huge) - 1;
		if (parse(bytes, sizeof(bytes), &samples, &err) != -EINVAL)
			fail_msg("a huge number at %zu is taken", at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_round_trip, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(test_empty, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(test_unsound, make_place, remove_place),
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test_setup_teardown(test_not_there, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(test_damaged, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(test_hostile_header, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(test_contents, make_place, remove_place),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_wrong_contents),
	    cmocka_unit_test(test_unknown_section),
	    cmocka_unit_test(test_any_byte),
	    cmocka_unit_test(test_large_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
