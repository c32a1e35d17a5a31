/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Writes what docs/samples.md describes. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "samples/private.h"
#include "util/intern.h"
#include "util/path.h"

struct buffer {
	uint8_t *bytes;
	size_t size, room;
	bool failed; /* out of memory */
};

/* Makes room for so many bytes; false if memory runs out, now or before. */
static bool need(struct buffer *buffer, size_t size)
{
	size_t room = buffer->room ? buffer->room : 4096;
	uint8_t *grown;

	while (room - buffer->size < size)
		room *= 2;
	if (buffer->failed || room == buffer->room)
		return !buffer->failed;
	grown = realloc(buffer->bytes, room);
	if (!grown) {
		buffer->failed = true;
		return false;
	}
	buffer->bytes = grown;
	buffer->room = room;
	return true;
}

static void put(struct buffer *buffer, const void *bytes, size_t size)
{
	if (!size || !need(buffer, size))
		return;
	memcpy(buffer->bytes + buffer->size, bytes, size);
	buffer->size += size;
}

static void put_number(struct buffer *buffer, uint64_t number)
{
	if (!need(buffer, MAX_VARINT))
		return;
	for (; number >= 0x80; number >>= 7)
		buffer->bytes[buffer->size++] = (uint8_t)(number | 0x80);
	buffer->bytes[buffer->size++] = (uint8_t)number;
}

/* Puts a section into the contents, and empties it. */
static void put_section(struct buffer *contents, enum section which, struct buffer *section)
{
	put_number(contents, which);
	put_number(contents, section->size);
	put(contents, section->bytes, section->size);
	contents->failed |= section->failed;
	section->size = 0;
}

static void put_text(struct buffer *buffer, struct intern *strings, const char *text)
{
	uint32_t number = intern_text(strings, text);

	buffer->failed |= number == INTERN_FAILED;
	put_number(buffer, number);
}

static void put_head(struct buffer *buffer, const struct samples *samples)
{
	put_number(buffer, samples->began);
	put_number(buffer, samples->duration);
	put_number(buffer, samples->hz);
	put_number(buffer, samples->lost);
	put_number(buffer,
		   (samples->estimated ? HEAD_ESTIMATED : 0) | (samples->absences_known ? HEAD_ABSENCES_KNOWN : 0));
}

static void put_strings(struct buffer *buffer, const struct intern *strings)
{
	put_number(buffer, strings->count);
	for (uint32_t i = 0; i < strings->count; i++) {
		const char *text = intern_get(strings, i);
		size_t size = strlen(text);

		put_number(buffer, size);
		put(buffer, text, size);
	}
}

static void put_frames(struct buffer *buffer, const struct samples *samples, struct intern *strings)
{
	put_number(buffer, samples->frame_count);
	for (size_t i = 0; i < samples->frame_count; i++) {
		put_number(buffer, samples->frames[i].kind);
		put_text(buffer, strings, samples->frames[i].name);
		put_text(buffer, strings, samples->frames[i].object);
	}
}

static void put_stacks(struct buffer *buffer, const struct samples *samples)
{
	put_number(buffer, samples->stack_count);
	for (size_t i = 1; i < samples->stack_count; i++)
		put_number(buffer, i - samples->stacks[i].parent);
	for (size_t i = 1; i < samples->stack_count; i++)
		put_number(buffer, samples->stacks[i].frame);
}

static void put_threads(struct buffer *buffer, const struct samples *samples, struct intern *strings)
{
	put_number(buffer, samples->thread_count);
	for (size_t i = 0; i < samples->thread_count; i++) {
		const struct samples_thread *thread = &samples->threads[i];

		put_number(buffer, thread->pid);
		put_number(buffer, thread->tid);
		put_text(buffer, strings, thread->process);
		put_text(buffer, strings, thread->name);
	}
}

static void put_samples(struct buffer *buffer, const struct samples *samples)
{
	const struct samples_sample *all = samples->samples;

	put_number(buffer, samples->sample_count);
	for (size_t i = 0; i < samples->sample_count; i++)
		put_number(buffer, all[i].time - (i ? all[i - 1].time : 0));
	for (size_t i = 0; i < samples->sample_count; i++)
		put_number(buffer, all[i].thread);
	for (size_t i = 0; i < samples->sample_count; i++)
		put_number(buffer, all[i].stack);
	for (size_t i = 0; i < samples->sample_count; i++)
		put_number(buffer, all[i].flags);
}

static void put_absences(struct buffer *buffer, const struct samples *samples)
{
	const struct samples_absence *all = samples->absences;

	put_number(buffer, samples->absence_count);
	for (size_t i = 0; i < samples->absence_count; i++)
		put_number(buffer, all[i].time - (i ? all[i - 1].time : 0));
	for (size_t i = 0; i < samples->absence_count; i++)
		put_number(buffer, all[i].length);
	for (size_t i = 0; i < samples->absence_count; i++)
		put_number(buffer, all[i].thread);
	for (size_t i = 0; i < samples->absence_count; i++)
		put_number(buffer, all[i].stack);
	for (size_t i = 0; i < samples->absence_count; i++)
		put_number(buffer, all[i].reason);
}

static void put_times(struct buffer *buffer, const struct samples *samples)
{
	put_number(buffer, samples->absences_lost);
	for (size_t i = 0; i < samples->absence_count; i++)
		put_number(buffer, samples->absences[i].skew);
	put_number(buffer, samples->times_count);
	for (size_t i = 0; i < samples->times_count; i++) {
		const struct samples_times *times = &samples->times[i];

		put_number(buffer, times->thread);
		put_number(buffer, times->start);
		put_number(buffer, times->end - times->start);
		put_number(buffer, times->ran);
		for (size_t j = 0; j < SAMPLES_REASONS; j++)
			put_number(buffer, times->off[j]);
	}
}

/* The strings are those of the frames and threads, and have to stand before them. */
static void put_contents(struct buffer *contents, const struct samples *samples)
{
	struct buffer section = {0}, frames = {0}, threads = {0};
	struct intern strings = {0};

	put_frames(&frames, samples, &strings);
	put_threads(&threads, samples, &strings);
	put_head(&section, samples);
	put_section(contents, SECTION_HEAD, &section);
	put_strings(&section, &strings);
	put_section(contents, SECTION_STRINGS, &section);
	put_section(contents, SECTION_FRAMES, &frames);
	put_stacks(&section, samples);
	put_section(contents, SECTION_STACKS, &section);
	put_section(contents, SECTION_THREADS, &threads);
	put_samples(&section, samples);
	put_section(contents, SECTION_SAMPLES, &section);
	put_absences(&section, samples);
	put_section(contents, SECTION_ABSENCES, &section);
	if (samples->times_count || samples->absences_lost) {
		put_times(&section, samples);
		put_section(contents, SECTION_TIMES, &section);
	}
	free(section.bytes);
	free(frames.bytes);
	free(threads.bytes);
	intern_free(&strings);
}

static void store32(uint8_t *to, uint32_t number)
{
	number = htole32(number);
	memcpy(to, &number, sizeof(number));
}

/* Puts the header and the deflated contents into *file. Returns 0 or -ENOMEM. */
static int pack(const struct buffer *contents, struct buffer *file)
{
	uLongf deflated = compressBound(contents->size);
	uint64_t size = htole64(contents->size);

	if (contents->failed || !need(file, AT_CONTENTS + deflated) ||
	    compress2(file->bytes + AT_CONTENTS, &deflated, contents->bytes, contents->size, Z_DEFAULT_COMPRESSION) !=
		Z_OK)
		return -ENOMEM;
	file->size = AT_CONTENTS + deflated;
	memcpy(file->bytes + AT_MAGIC, FILE_MAGIC, strlen(FILE_MAGIC));
	store32(file->bytes + AT_VERSION, FILE_VERSION);
	memcpy(file->bytes + AT_SIZE, &size, sizeof(size));
	store32(file->bytes + AT_CHECKSUM, (uint32_t)crc32_z(0, file->bytes + AT_CHECKED, file->size - AT_CHECKED));
	return 0;
}

int samples_write(const struct samples *samples, const char *path, const struct identity *owner, struct error *err)
{
	static const struct identity nobody;
	struct buffer contents = {0}, file = {0};
	const char *fault = samples_fault(samples);
	int code;

	if (fault)
		return error_set(err, EINVAL, "%s is not written: %s", path, fault);
	put_contents(&contents, samples);
	code = pack(&contents, &file);
	free(contents.bytes);
	if (code < 0)
		error_set(err, ENOMEM, "out of memory for %s", path);
	else
		code = path_write_file(path, file.bytes, file.size, owner ? owner : &nobody, err);
	free(file.bytes);
	return code;
}
