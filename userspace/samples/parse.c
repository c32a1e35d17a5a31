/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Takes apart what docs/samples.md describes. Nothing in it is trusted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "samples/private.h"

/* What is still to be read; once `failed` is true nothing more is. */
struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

struct strings {
	const char **texts;
	size_t *sizes;
	size_t count;
};

static uint64_t take_number(struct cursor *cursor)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; cursor->at < cursor->end && shift < 64; shift += 7) {
		uint64_t byte = *cursor->at++;

		if (shift == 63 && byte > 1)
			break;
		number |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	cursor->failed = true;
	cursor->at = cursor->end;
	return 0;
}

static uint32_t take_number32(struct cursor *cursor)
{
	uint64_t number = take_number(cursor);

	cursor->failed |= number > UINT32_MAX;
	return (uint32_t)number;
}

/* How many things follow, each of which takes at least so many bytes; not more than there can be. */
static size_t take_count(struct cursor *cursor, size_t least)
{
	uint64_t count = take_number(cursor);

	if (count > UINT32_MAX || count > (uint64_t)(cursor->end - cursor->at) / least)
		cursor->failed = true;
	return cursor->failed ? 0 : (size_t)count;
}

/* An array of so many zeroed things, or of one where there are none. NULL if memory runs out. */
static void *new_array(size_t count, size_t size)
{
	return calloc(count ? count : 1, size);
}

/* ---- sections ---- */

static int parse_head(struct cursor *cursor, struct samples *out)
{
	uint64_t flags;

	out->began = take_number(cursor);
	out->duration = take_number(cursor);
	out->hz = take_number32(cursor);
	out->lost = take_number(cursor);
	flags = take_number(cursor);
	out->estimated = flags & HEAD_ESTIMATED;
	out->absences_known = flags & HEAD_ABSENCES_KNOWN;
	return 0;
}

static int parse_strings(struct cursor *cursor, struct strings *out)
{
	out->count = take_count(cursor, 1);
	out->texts = new_array(out->count, sizeof(*out->texts));
	out->sizes = new_array(out->count, sizeof(*out->sizes));
	if (!out->texts || !out->sizes)
		return -ENOMEM;
	for (size_t i = 0; i < out->count && !cursor->failed; i++) {
		uint64_t size = take_number(cursor);

		if (size > (uint64_t)(cursor->end - cursor->at) || memchr(cursor->at, '\0', size)) {
			cursor->failed = true;
			break;
		}
		out->texts[i] = (const char *)cursor->at;
		out->sizes[i] = size;
		cursor->at += size;
	}
	return 0;
}

/* A copy of the string whose number follows. NULL if memory runs out, or if there is none. */
static char *take_text(struct cursor *cursor, const struct strings *strings)
{
	uint64_t number = take_number(cursor);

	if (cursor->failed || number >= strings->count) {
		cursor->failed = true;
		return NULL;
	}
	return strndup(strings->texts[number], strings->sizes[number]);
}

static int parse_frames(struct cursor *cursor, const struct strings *strings, struct samples *out)
{
	size_t count = take_count(cursor, 3);

	out->frames = new_array(count, sizeof(*out->frames));
	if (!out->frames)
		return -ENOMEM;
	for (; out->frame_count < count && !cursor->failed; out->frame_count++) {
		struct samples_frame *frame = &out->frames[out->frame_count];

		frame->kind = take_number32(cursor);
		frame->name = take_text(cursor, strings);
		frame->object = take_text(cursor, strings);
		if (!cursor->failed && (!frame->name || !frame->object))
			return -ENOMEM;
	}
	return 0;
}

static int parse_stacks(struct cursor *cursor, struct samples *out)
{
	/* The first one takes no bytes. */
	uint64_t count = take_number(cursor);

	if (!count || count > UINT32_MAX || count - 1 > (uint64_t)(cursor->end - cursor->at) / 2) {
		cursor->failed = true;
		return 0;
	}
	out->stacks = new_array(count, sizeof(*out->stacks));
	if (!out->stacks)
		return -ENOMEM;
	out->stack_count = count;
	for (size_t i = 1; i < count && !cursor->failed; i++) {
		uint64_t back = take_number(cursor);

		cursor->failed |= !back || back > i;
		out->stacks[i].parent = (uint32_t)(i - back);
	}
	for (size_t i = 1; i < count && !cursor->failed; i++)
		out->stacks[i].frame = take_number32(cursor);
	return 0;
}

static int parse_threads(struct cursor *cursor, const struct strings *strings, struct samples *out)
{
	size_t count = take_count(cursor, 4);

	out->threads = new_array(count, sizeof(*out->threads));
	if (!out->threads)
		return -ENOMEM;
	for (; out->thread_count < count && !cursor->failed; out->thread_count++) {
		struct samples_thread *thread = &out->threads[out->thread_count];

		thread->pid = take_number32(cursor);
		thread->tid = take_number32(cursor);
		thread->process = take_text(cursor, strings);
		thread->name = take_text(cursor, strings);
		if (!cursor->failed && (!thread->process || !thread->name))
			return -ENOMEM;
	}
	return 0;
}

/* The time that lies so long behind another one as the next number says. */
static uint64_t take_time(struct cursor *cursor, uint64_t last)
{
	uint64_t after = take_number(cursor);

	cursor->failed |= after > UINT64_MAX - last;
	return last + after;
}

static int parse_samples(struct cursor *cursor, struct samples *out)
{
	size_t count = take_count(cursor, 4);
	struct samples_sample *all = new_array(count, sizeof(*all));

	out->samples = all;
	if (!all)
		return -ENOMEM;
	out->sample_count = count;
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].time = take_time(cursor, i ? all[i - 1].time : 0);
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].thread = take_number32(cursor);
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].stack = take_number32(cursor);
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].flags = take_number32(cursor);
	return 0;
}

static int parse_absences(struct cursor *cursor, struct samples *out)
{
	size_t count = take_count(cursor, 5);
	struct samples_absence *all = new_array(count, sizeof(*all));

	out->absences = all;
	if (!all)
		return -ENOMEM;
	out->absence_count = count;
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].time = take_time(cursor, i ? all[i - 1].time : 0);
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].length = take_number(cursor);
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].thread = take_number32(cursor);
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].stack = take_number32(cursor);
	for (size_t i = 0; i < count && !cursor->failed; i++)
		all[i].reason = take_number32(cursor);
	return 0;
}

static int parse_times(struct cursor *cursor, struct samples *out)
{
	size_t count;

	out->absences_lost = take_number(cursor);
	for (size_t i = 0; i < out->absence_count && !cursor->failed; i++)
		out->absences[i].skew = take_number(cursor);
	count = take_count(cursor, 4 + SAMPLES_REASONS);
	out->times = new_array(count, sizeof(*out->times));
	if (!out->times)
		return -ENOMEM;
	out->times_count = count;
	for (size_t i = 0; i < count && !cursor->failed; i++) {
		struct samples_times *times = &out->times[i];

		times->thread = take_number32(cursor);
		times->start = take_number(cursor);
		times->end = take_time(cursor, times->start);
		times->ran = take_number(cursor);
		for (size_t j = 0; j < SAMPLES_REASONS; j++)
			times->off[j] = take_number(cursor);
	}
	return 0;
}

static int parse_section(enum section which, struct cursor *cursor, struct strings *strings, struct samples *out)
{
	switch (which) {
	case SECTION_HEAD:
		return parse_head(cursor, out);
	case SECTION_STRINGS:
		return parse_strings(cursor, strings);
	case SECTION_FRAMES:
		return parse_frames(cursor, strings, out);
	case SECTION_STACKS:
		return parse_stacks(cursor, out);
	case SECTION_THREADS:
		return parse_threads(cursor, strings, out);
	case SECTION_SAMPLES:
		return parse_samples(cursor, out);
	case SECTION_ABSENCES:
		return parse_absences(cursor, out);
	default:
		return parse_times(cursor, out);
	}
}

/* ---- the whole ---- */

/* Reads the sections, of which those that are known follow each other in the order of their numbers, each there once.
 */
static int parse_sections(struct cursor *cursor, struct strings *strings, struct samples *out, const char **fault)
{
	uint64_t next = SECTION_HEAD;

	while (!*fault && cursor->at < cursor->end) {
		uint64_t which = take_number(cursor), size = take_number(cursor);
		struct cursor section = {cursor->at, cursor->at, false};
		int code;

		if (cursor->failed || size > (uint64_t)(cursor->end - cursor->at)) {
			*fault = "it ends within a section";
			break;
		}
		cursor->at += size;
		section.end = cursor->at;
		if (which >= SECTIONS)
			continue;
		if (which != next++) {
			*fault = "its sections are not in order";
			break;
		}
		code = parse_section((enum section)which, &section, strings, out);
		if (code < 0)
			return code;
		if (section.failed || section.at != section.end)
			*fault = "a section does not hold what it should";
	}
	if (!*fault && next <= LAST_NEEDED)
		*fault = "a section is missing";
	return 0;
}

int samples_parse(const uint8_t *bytes, size_t size, const char *path, struct samples **out, struct error *err)
{
	struct cursor cursor = {bytes, bytes + size, false};
	struct samples *samples = calloc(1, sizeof(*samples));
	struct strings strings = {0};
	const char *fault = NULL;
	int code = samples ? parse_sections(&cursor, &strings, samples, &fault) : -ENOMEM;

	*out = NULL;
	free(strings.texts);
	free(strings.sizes);
	if (code == 0 && !fault)
		fault = samples_fault(samples);
	if (code < 0)
		error_set(err, ENOMEM, "%s: out of memory", path);
	else if (fault)
		code = error_set(err, EINVAL, "%s is damaged: %s", path, fault);
	if (code < 0)
		samples_free(samples);
	else
		*out = samples;
	return code;
}
