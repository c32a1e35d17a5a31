/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "samples/build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/intern.h"
#include "util/trie.h"

struct samples_builder {
	struct samples *samples;
	size_t frame_room, thread_room, sample_room, absence_room, times_room;
	struct intern frames, threads; /* what tells them apart, by their index */
	struct trie stacks;	       /* of frames */
	bool failed;		       /* out of memory */
};

struct samples_builder *samples_build_begin(void)
{
	struct samples_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return NULL;
	builder->samples = calloc(1, sizeof(*builder->samples));
	if (builder->samples)
		return builder;
	free(builder);
	return NULL;
}

/* Makes room for one more thing in an array of `count`. Returns the array, which stays as it is if memory runs out. */
static void *grow(struct samples_builder *builder, void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 256;
	void *grown;

	if (count < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*room = more;
	else
		builder->failed = true;
	return grown ? grown : array;
}

/* The number of what is described by the format; sets *is_new. 0 if memory runs out. */
static uint32_t number_of(struct samples_builder *builder, struct intern *among, bool *is_new, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static uint32_t number_of(struct samples_builder *builder, struct intern *among, bool *is_new, const char *format, ...)
{
	size_t before = among->count;
	uint32_t number = INTERN_FAILED;
	va_list args;
	char *key;
	int size;

	va_start(args, format);
	size = vasprintf(&key, format, args);
	va_end(args);
	if (size >= 0) {
		number = intern_bytes(among, key, (size_t)size);
		free(key);
	}
	*is_new = among->count > before;
	builder->failed |= number == INTERN_FAILED;
	return number == INTERN_FAILED ? 0 : number;
}

uint32_t samples_build_frame(struct samples_builder *builder, enum samples_frame_kind kind, const char *name,
			     const char *object)
{
	struct samples *samples = builder->samples;
	struct samples_frame frame;
	uint32_t number;
	bool is_new;

	if (builder->failed)
		return 0;
	/* An object's name, as all names of files, has no slash. */
	number = number_of(builder, &builder->frames, &is_new, "%d/%s/%s", kind, object, name);
	if (!is_new)
		return number;
	samples->frames =
	    grow(builder, samples->frames, samples->frame_count, &builder->frame_room, sizeof(*samples->frames));
	frame = (struct samples_frame){kind, strdup(name), strdup(object)};
	builder->failed |= !frame.name || !frame.object;
	if (builder->failed) {
		free(frame.name);
		free(frame.object);
		return 0;
	}
	samples->frames[samples->frame_count++] = frame;
	return number;
}

uint32_t samples_build_stack(struct samples_builder *builder, uint32_t parent, uint32_t frame)
{
	uint32_t number = builder->failed ? 0 : trie_child(&builder->stacks, parent, frame);

	builder->failed |= !number;
	return number;
}

uint32_t samples_build_thread(struct samples_builder *builder, uint32_t pid, uint32_t tid, const char *process,
			      const char *name)
{
	struct samples *samples = builder->samples;
	struct samples_thread thread;
	uint32_t number;
	bool is_new;

	if (builder->failed)
		return 0;
	number =
	    number_of(builder, &builder->threads, &is_new, "%u %u %zu %s%s", pid, tid, strlen(process), process, name);
	if (!is_new)
		return number;
	samples->threads =
	    grow(builder, samples->threads, samples->thread_count, &builder->thread_room, sizeof(*samples->threads));
	thread = (struct samples_thread){pid, tid, strdup(process), strdup(name)};
	builder->failed |= !thread.process || !thread.name;
	if (builder->failed) {
		free(thread.process);
		free(thread.name);
		return 0;
	}
	samples->threads[samples->thread_count++] = thread;
	return number;
}

void samples_build_sample(struct samples_builder *builder, const struct samples_sample *sample)
{
	struct samples *samples = builder->samples;

	if (builder->failed)
		return;
	samples->samples =
	    grow(builder, samples->samples, samples->sample_count, &builder->sample_room, sizeof(*samples->samples));
	if (!builder->failed)
		samples->samples[samples->sample_count++] = *sample;
}

void samples_build_absence(struct samples_builder *builder, const struct samples_absence *absence)
{
	struct samples *samples = builder->samples;

	if (builder->failed)
		return;
	samples->absences = grow(builder, samples->absences, samples->absence_count, &builder->absence_room,
				 sizeof(*samples->absences));
	if (!builder->failed)
		samples->absences[samples->absence_count++] = *absence;
}

void samples_build_times(struct samples_builder *builder, const struct samples_times *times)
{
	struct samples *samples = builder->samples;

	if (builder->failed)
		return;
	samples->times =
	    grow(builder, samples->times, samples->times_count, &builder->times_room, sizeof(*samples->times));
	if (!builder->failed)
		samples->times[samples->times_count++] = *times;
}

static bool end_stacks(struct samples_builder *builder)
{
	struct samples *samples = builder->samples;
	const struct trie *trie = &builder->stacks;

	samples->stack_count = trie->count ? trie->count : 1;
	samples->stacks = calloc(samples->stack_count, sizeof(*samples->stacks));
	for (size_t i = 1; samples->stacks && i < samples->stack_count; i++)
		samples->stacks[i] = (struct samples_stack){trie->nodes[i].parent, (uint32_t)trie->nodes[i].word};
	return samples->stacks;
}

static int by_time(const void *left, const void *right)
{
	const struct samples_sample *a = left, *b = right;

	return (a->time > b->time) - (a->time < b->time);
}

static int absence_by_time(const void *left, const void *right)
{
	const struct samples_absence *a = left, *b = right;

	return (a->time > b->time) - (a->time < b->time);
}

int samples_build_end(struct samples_builder *builder, struct samples **out)
{
	struct samples *samples = builder->samples;
	bool failed = builder->failed || !end_stacks(builder);

	if (!failed && samples->sample_count)
		qsort(samples->samples, samples->sample_count, sizeof(*samples->samples), by_time);
	if (!failed && samples->absence_count)
		qsort(samples->absences, samples->absence_count, sizeof(*samples->absences), absence_by_time);
	intern_free(&builder->frames);
	intern_free(&builder->threads);
	trie_free(&builder->stacks);
	free(builder);
	if (failed)
		samples_free(samples);
	*out = failed ? NULL : samples;
	return failed ? -ENOMEM : 0;
}
