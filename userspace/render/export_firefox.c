/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Samples and markers as the Firefox Profiler wants them: stacks, threads, and what happened in these. */
#include "render/export_firefox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* uthash exits when out of memory unless told otherwise; an element that could not be added has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct firefox_thread_key {
	uint64_t ids; /* of the process above, of the thread below */
	size_t thread;
	UT_hash_handle hh;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for a profile");
}

/* ---- frames and stacks ---- */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static enum firefox_category category_of(const struct samples_frame *frame)
{
	if (frame->kind == SAMPLES_QUERY)
		return FIREFOX_QUERY;
	if (frame->kind == SAMPLES_ACTIVITY)
		return FIREFOX_ACTIVITY;
	/* Compilers that were built otherwise than rustup's may have LLVM in a file with their own code. */
	if (begins(frame->object, "libLLVM") || begins(frame->name, "llvm::") || begins(frame->name, "LLVM"))
		return FIREFOX_LLVM;
	return begins(frame->object, "librustc_driver") ? FIREFOX_RUST : FIREFOX_OTHER;
}

static int name_objects(struct firefox *firefox, struct error *err)
{
	firefox->object_names = calloc(firefox->objects.count + 1, sizeof(*firefox->object_names));
	if (!firefox->object_names)
		return out_of_memory(err);
	for (size_t i = 0; i < firefox->objects.count; i++) {
		firefox->object_names[i] = intern_text(&firefox->strings, intern_get(&firefox->objects, (uint32_t)i));
		if (firefox->object_names[i] == INTERN_FAILED)
			return out_of_memory(err);
	}
	return 0;
}

static int make_frames(struct firefox *firefox, struct error *err)
{
	const struct samples *samples = firefox->samples;
	size_t count = samples->frame_count;
	struct firefox_frame *frames = calloc(count + 2, sizeof(*frames));

	firefox->frames = frames;
	firefox->frame_count = count + 2;
	if (!frames)
		return out_of_memory(err);
	for (size_t i = 0; i < count; i++) {
		const struct samples_frame *frame = &samples->frames[i];
		char *name = sampled_frame_name(frame);

		frames[i].name = name ? intern_text(&firefox->strings, name) : INTERN_FAILED;
		frames[i].resource = *frame->object ? intern_text(&firefox->objects, frame->object) : FIREFOX_NONE;
		frames[i].category = category_of(frame);
		free(name);
		if (frames[i].name == INTERN_FAILED || (*frame->object && frames[i].resource == INTERN_FAILED))
			return out_of_memory(err);
	}
	frames[count] =
	    (struct firefox_frame){intern_text(&firefox->strings, SAMPLED_KERNEL), FIREFOX_NONE, FIREFOX_KERNEL};
	frames[count + 1] =
	    (struct firefox_frame){intern_text(&firefox->strings, SAMPLED_INCOMPLETE), FIREFOX_NONE, FIREFOX_OTHER};
	if (frames[count].name == INTERN_FAILED || frames[count + 1].name == INTERN_FAILED)
		return out_of_memory(err);
	return name_objects(firefox, err);
}

/* Marks the stacks that samples have, and those that these lie in, by 1. Returns how many there are. */
static size_t mark_stacks(struct firefox *firefox)
{
	const struct samples *samples = firefox->samples;
	uint32_t **marks = firefox->numbers;
	size_t count = 0;

	for (size_t i = 0; i < samples->sample_count; i++)
		marks[samples->samples[i].flags & FIREFOX_FLAGS][samples->samples[i].stack] = 1;
	for (size_t i = samples->stack_count; i-- > 0;) {
		for (unsigned int incomplete = 0; incomplete <= SAMPLES_INCOMPLETE; incomplete += SAMPLES_INCOMPLETE) {
			uint32_t *there = marks[incomplete];

			there[i] |= marks[incomplete | SAMPLES_KERNEL][i];
			if (there[i] && i)
				there[samples->stacks[i].parent] = 1;
			count += there[i] + marks[incomplete | SAMPLES_KERNEL][i];
		}
	}
	return count;
}

static uint32_t add_stack(struct firefox *firefox, uint32_t parent, size_t frame)
{
	firefox->stacks[firefox->stack_count] = (struct firefox_stack){parent, (uint32_t)frame};
	return (uint32_t)firefox->stack_count++;
}

/* Gives the marked stacks their numbers: from the outermost to the innermost, as the marks' numbers rise. */
static void number_stacks(struct firefox *firefox)
{
	const struct samples *samples = firefox->samples;
	size_t kernel = samples->frame_count, incomplete = kernel + 1;
	uint32_t **numbers = firefox->numbers;

	for (size_t i = 0; i < samples->stack_count; i++) {
		for (unsigned int flags = 0; flags <= SAMPLES_INCOMPLETE; flags += SAMPLES_INCOMPLETE) {
			uint32_t *there = &numbers[flags][i], *inside = &numbers[flags | SAMPLES_KERNEL][i];

			if (!*there)
				continue;
			if (i)
				*there = add_stack(firefox, numbers[flags][samples->stacks[i].parent],
						   samples->stacks[i].frame);
			else
				*there = flags ? add_stack(firefox, FIREFOX_NONE, incomplete) : FIREFOX_NONE;
			if (*inside)
				*inside = add_stack(firefox, *there, kernel);
		}
	}
}

static int make_stacks(struct firefox *firefox, struct error *err)
{
	size_t count;

	for (size_t i = 0; i < sizeof(firefox->numbers) / sizeof(*firefox->numbers); i++) {
		firefox->numbers[i] = calloc(firefox->samples->stack_count + 1, sizeof(**firefox->numbers));
		if (!firefox->numbers[i])
			return out_of_memory(err);
	}
	count = mark_stacks(firefox);
	firefox->stacks = count < FIREFOX_NONE ? calloc(count + 1, sizeof(*firefox->stacks)) : NULL;
	if (!firefox->stacks)
		return out_of_memory(err);
	number_stacks(firefox);
	return 0;
}

/* ---- threads ---- */

/* The thread with these ids, made if there is none; NULL if memory runs out. */
static struct firefox_thread *thread_of(struct firefox *firefox, uint32_t pid, uint32_t tid)
{
	uint64_t ids = (uint64_t)pid << 32 | tid;
	struct firefox_thread_key *key;

	HASH_FIND(hh, firefox->table, &ids, sizeof(ids), key);
	if (key)
		return &firefox->threads[key->thread];
	if (firefox->thread_count == firefox->thread_room) {
		size_t room = firefox->thread_room ? 2 * firefox->thread_room : 64;
		struct firefox_thread *grown = reallocarray(firefox->threads, room, sizeof(*grown));

		if (!grown)
			return NULL;
		firefox->threads = grown;
		firefox->thread_room = room;
	}
	key = calloc(1, sizeof(*key));
	if (!key)
		return NULL;
	key->ids = ids;
	key->thread = firefox->thread_count;
	HASH_ADD(hh, firefox->table, ids, sizeof(key->ids), key);
	if (!key->hh.tbl) {
		free(key);
		return NULL;
	}
	firefox->threads[key->thread] =
	    (struct firefox_thread){.pid = pid, .tid = tid, .crate = INTERN_FAILED, .process = INTERN_FAILED};
	return &firefox->threads[firefox->thread_count++];
}

/* Those that samples are of. One that is there several times is called what it was called last. */
static int make_threads(struct firefox *firefox, struct error *err)
{
	const struct samples *samples = firefox->samples;

	firefox->of_thread = calloc(samples->thread_count + 1, sizeof(*firefox->of_thread));
	if (!firefox->of_thread)
		return out_of_memory(err);
	for (size_t i = 0; i < samples->thread_count; i++) {
		const struct samples_thread *sampled = &samples->threads[i];
		struct firefox_thread *thread = thread_of(firefox, sampled->pid, sampled->tid);

		if (!thread)
			return out_of_memory(err);
		firefox->of_thread[i] = (uint32_t)(thread - firefox->threads);
		thread->process = intern_text(&firefox->strings, sampled->process);
		thread->name = intern_text(&firefox->strings, sampled->name);
		if (thread->process == INTERN_FAILED || thread->name == INTERN_FAILED)
			return out_of_memory(err);
	}
	return 0;
}

/* Puts samples into the order of threads, and within each leaves them in that of time. */
static int order_samples(struct firefox *firefox, struct error *err)
{
	const struct samples *samples = firefox->samples;
	size_t first = 0;

	firefox->order = calloc(samples->sample_count + 1, sizeof(*firefox->order));
	if (!firefox->order)
		return out_of_memory(err);
	for (size_t i = 0; i < samples->sample_count; i++)
		firefox->threads[firefox->of_thread[samples->samples[i].thread]].sample_count++;
	for (size_t i = 0; i < firefox->thread_count; i++) {
		firefox->threads[i].first_sample = first;
		first += firefox->threads[i].sample_count;
		firefox->threads[i].sample_count = 0;
	}
	for (size_t i = 0; i < samples->sample_count; i++) {
		struct firefox_thread *thread = &firefox->threads[firefox->of_thread[samples->samples[i].thread]];

		firefox->order[thread->first_sample + thread->sample_count++] = i;
	}
	return 0;
}

int firefox_open(const struct samples *samples, struct firefox **out, struct error *err)
{
	struct firefox *firefox = calloc(1, sizeof(*firefox));
	int rc;

	*out = NULL;
	if (!firefox)
		return out_of_memory(err);
	firefox->samples = samples;
	rc = make_frames(firefox, err);
	if (!rc)
		rc = make_stacks(firefox, err);
	if (!rc)
		rc = make_threads(firefox, err);
	if (!rc)
		rc = order_samples(firefox, err);
	if (rc)
		firefox_free(firefox);
	else
		*out = firefox;
	return rc;
}

/* ---- markers ---- */

/* The arguments in one text. INTERN_FAILED if there are none, or if memory runs out, which *rc says. */
static uint32_t join_arguments(struct firefox *firefox, struct mmp_text arguments, int *rc)
{
	char *joined = NULL;
	size_t size = 0;
	FILE *stream;
	struct mmp_text argument;
	uint32_t number = INTERN_FAILED;

	if (!arguments.size)
		return INTERN_FAILED;
	stream = open_memstream(&joined, &size);
	while (stream && mmp_next_argument(&arguments, &argument))
		fprintf(stream, "%s%.*s", ftell(stream) ? ", " : "", (int)argument.size, argument.bytes);
	if (stream && fclose(stream) == 0)
		number = intern_bytes(&firefox->strings, joined, size);
	free(joined);
	if (number == INTERN_FAILED)
		*rc = -ENOMEM;
	return number;
}

static struct firefox_marker *add_marker(struct firefox *firefox)
{
	if (firefox->marker_count == firefox->marker_room) {
		size_t room = firefox->marker_room ? 2 * firefox->marker_room : 4096;
		struct firefox_marker *grown = reallocarray(firefox->markers, room, sizeof(*grown));

		if (!grown)
			return NULL;
		firefox->markers = grown;
		firefox->marker_room = room;
	}
	return &firefox->markers[firefox->marker_count++];
}

/* What texts are read with. */
struct reading {
	const struct mmp_reader *profile;
	struct mmp_buffer texts, kinds;
	/* The profile's 0 in nanoseconds since the recording began, modulo 2^64: it may lie before that. */
	uint64_t origin;
};

static int add_event(struct firefox *firefox, struct reading *reading, const struct mmp_event *event, struct error *err)
{
	const struct mmp_metadata *metadata = mmp_metadata(reading->profile);
	struct firefox_thread *thread = thread_of(firefox, metadata->process_id, event->thread);
	struct firefox_marker *marker = thread ? add_marker(firefox) : NULL;
	struct mmp_text label, arguments, kind;
	struct mmp_error reason;
	int rc;

	if (!marker)
		return out_of_memory(err);
	rc = mmp_text_of(reading->profile, event->kind, &reading->kinds, &kind, &reason);
	if (!rc)
		rc = mmp_event_text_of(reading->profile, event->id, &reading->texts, &label, &arguments, &reason);
	if (rc)
		return error_set(err, rc, "%s", reason.text);
	*marker = (struct firefox_marker){
	    .thread = (uint32_t)(thread - firefox->threads),
	    .name = intern_bytes(&firefox->strings, label.bytes, label.size),
	    .kind = intern_bytes(&firefox->strings, kind.bytes, kind.size),
	    .schema = kind.size == strlen(MMP_KIND_QUERY) && memcmp(kind.bytes, MMP_KIND_QUERY, kind.size) == 0
			  ? FIREFOX_MARK_QUERY
			  : FIREFOX_MARK_ACTIVITY,
	    .start = (int64_t)(reading->origin + event->start),
	    .end = (int64_t)(reading->origin + event->end),
	};
	if (marker->name == INTERN_FAILED || marker->kind == INTERN_FAILED)
		return out_of_memory(err);
	marker->arguments = join_arguments(firefox, arguments, &rc);
	return rc ? out_of_memory(err) : 0;
}

/* Says of all threads of a process which crate it compiles. Threads without samples are called as their process is. */
static int name_process(struct firefox *firefox, uint32_t pid, const char *crate, struct error *err)
{
	uint32_t number = intern_text(&firefox->strings, crate), process = INTERN_FAILED;

	for (size_t i = 0; i < firefox->thread_count; i++) {
		if (firefox->threads[i].pid == pid && firefox->threads[i].process != INTERN_FAILED)
			process = firefox->threads[i].process;
	}
	if (process == INTERN_FAILED)
		process = intern_text(&firefox->strings, "rustc");
	if (number == INTERN_FAILED || process == INTERN_FAILED)
		return out_of_memory(err);
	for (size_t i = 0; i < firefox->thread_count; i++) {
		struct firefox_thread *thread = &firefox->threads[i];

		if (thread->pid != pid)
			continue;
		thread->crate = number;
		if (thread->process == INTERN_FAILED)
			thread->process = thread->name = process;
	}
	return 0;
}

int firefox_add(struct firefox *firefox, const struct mmp_reader *profile, const char *crate, uint64_t minimum_us,
		struct error *err)
{
	const struct mmp_metadata *metadata = mmp_metadata(profile);
	struct reading reading = {.profile = profile, .origin = metadata->start_time - firefox->samples->began};
	struct mmp_cursor cursor = mmp_begin(profile);
	struct mmp_event event;
	int rc = 0;

	while (!rc && mmp_next(&cursor, &event)) {
		if (event.type == MMP_INTERVAL && (event.end - event.start) / 1000 >= minimum_us)
			rc = add_event(firefox, &reading, &event, err);
	}
	mmp_buffer_free(&reading.texts);
	mmp_buffer_free(&reading.kinds);
	return rc ? rc : name_process(firefox, metadata->process_id, crate, err);
}

static int by_thread(const void *left, const void *right)
{
	const struct firefox_marker *a = left, *b = right;

	if (a->thread != b->thread)
		return a->thread < b->thread ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->end < b->end) - (a->end > b->end);
}

void firefox_order_markers(struct firefox *firefox)
{
	size_t next = 0;

	if (firefox->marker_count)
		qsort(firefox->markers, firefox->marker_count, sizeof(*firefox->markers), by_thread);
	for (size_t i = 0; i < firefox->thread_count; i++) {
		struct firefox_thread *thread = &firefox->threads[i];

		thread->first_marker = next;
		while (next < firefox->marker_count && firefox->markers[next].thread == i)
			next++;
		thread->marker_count = next - thread->first_marker;
	}
}

void firefox_free(struct firefox *firefox)
{
	struct firefox_thread_key *key, *next;

	if (!firefox)
		return;
	HASH_ITER(hh, firefox->table, key, next)
	{
		HASH_DEL(firefox->table, key);
		free(key);
	}
	for (size_t i = 0; i < sizeof(firefox->numbers) / sizeof(*firefox->numbers); i++)
		free(firefox->numbers[i]);
	intern_free(&firefox->strings);
	intern_free(&firefox->objects);
	free(firefox->object_names);
	free(firefox->frames);
	free(firefox->stacks);
	free(firefox->threads);
	free(firefox->of_thread);
	free(firefox->order);
	free(firefox->markers);
	free(firefox);
}
