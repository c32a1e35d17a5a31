/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The algorithm is that of measureme's crox/src/main.rs (generate_thread_to_collapsed_thread_mapping). */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>

/* uthash exits when out of memory unless told otherwise; an element that could not be added has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A thread, and when its first event starts and its last one ends. */
struct thread {
	uint32_t id, shown;
	uint64_t start, end;
	UT_hash_handle hh;
};

static struct thread *add_thread(struct thread **threads, const struct mmp_event *event)
{
	struct thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	*thread = (struct thread){.id = event->thread, .start = event->start, .end = event->end};
	HASH_ADD(hh, *threads, id, sizeof(thread->id), thread);
	if (thread->hh.tbl)
		return thread;
	free(thread);
	return NULL;
}

/* Finds all threads that have an event with a time. */
static int find_threads(const struct mmp_reader *profile, struct thread **threads, struct error *err)
{
	struct mmp_cursor cursor = mmp_begin(profile);
	struct thread *thread = NULL;
	struct mmp_event event;

	while (mmp_next(&cursor, &event)) {
		if (event.type == MMP_INTEGER)
			continue;
		if (!thread || thread->id != event.thread)
			HASH_FIND(hh, *threads, &event.thread, sizeof(event.thread), thread);
		if (!thread)
			thread = add_thread(threads, &event);
		if (!thread)
			return error_set(err, ENOMEM, "%s: out of memory", mmp_path(profile));
		if (event.start < thread->start)
			thread->start = event.start;
		if (event.end > thread->end)
			thread->end = event.end;
	}
	return 0;
}

static int by_start(const void *left, const void *right)
{
	const struct thread *a = *(struct thread *const *)left, *b = *(struct thread *const *)right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->id < b->id ? -1 : 1;
}

static int by_end(const void *left, const void *right)
{
	const struct thread *a = *(struct thread *const *)left, *b = *(struct thread *const *)right;

	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return a->id < b->id ? -1 : 1;
}

static int by_thread(const void *left, const void *right)
{
	const struct thread_number *a = left, *b = right;

	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

/* A thread takes over the number of the thread that ended first, if that has ended by then, or gets a new one. */
static void number_threads(struct thread **starts, struct thread **ends, size_t count)
{
	uint32_t next_number = 0;
	size_t next_end = 0;

	for (size_t i = 0; i < count; i++) {
		if (starts[i]->start > ends[next_end]->end)
			starts[i]->shown = ends[next_end++]->shown;
		else
			starts[i]->shown = next_number++;
	}
}

static int fill_map(struct thread *threads, size_t count, struct thread_map *map)
{
	struct thread **starts = calloc(count + 1, sizeof(*starts)), **ends = calloc(count + 1, sizeof(*ends));
	size_t at = 0;

	map->numbers = calloc(count + 1, sizeof(*map->numbers));
	if (!starts || !ends || !map->numbers) {
		free(starts);
		free(ends);
		return -ENOMEM;
	}
	for (struct thread *thread = threads; thread; thread = thread->hh.next)
		starts[at] = ends[at] = thread, at++;
	qsort(starts, count, sizeof(*starts), by_start);
	qsort(ends, count, sizeof(*ends), by_end);
	number_threads(starts, ends, count);
	for (size_t i = 0; i < count; i++)
		map->numbers[i] = (struct thread_number){starts[i]->id, starts[i]->shown};
	map->count = count;
	qsort(map->numbers, count, sizeof(*map->numbers), by_thread);
	free(starts);
	free(ends);
	return 0;
}

int thread_map_collapse(const struct mmp_reader *profile, struct thread_map *map, struct error *err)
{
	struct thread *threads = NULL, *thread, *next;
	int rc;

	*map = (struct thread_map){0};
	rc = find_threads(profile, &threads, err);
	if (!rc && fill_map(threads, HASH_COUNT(threads), map))
		rc = error_set(err, ENOMEM, "%s: out of memory", mmp_path(profile));
	thread = threads;
	/* Clearing a table leaves its elements linked. */
	HASH_CLEAR(hh, threads);
	for (; thread; thread = next) {
		next = thread->hh.next;
		free(thread);
	}
	return rc;
}

uint32_t thread_map_find(const struct thread_map *map, uint32_t thread)
{
	struct thread_number key = {.thread = thread}, *found;

	found = map->count ? bsearch(&key, map->numbers, map->count, sizeof(key), by_thread) : NULL;
	return found ? found->shown : thread;
}

void thread_map_free(struct thread_map *map)
{
	free(map->numbers);
	*map = (struct thread_map){0};
}
