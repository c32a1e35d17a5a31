/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/selftime.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { MAX_ENDED = 65536, FIRST_ROOM = 64 };

/* An interval that has ended and is in no other so far. */
struct ended {
	uint64_t start, length;
};

struct thread_key {
	uint32_t tgid, tid;
};

struct thread {
	struct thread_key key;
	struct ended *ended;
	size_t count, room;
	UT_hash_handle hh;
};

struct selftime {
	struct thread *threads;
};

struct selftime *selftime_new(void)
{
	return calloc(1, sizeof(struct selftime));
}

static void remove_thread(struct selftime *selftime, struct thread *thread)
{
	HASH_DEL(selftime->threads, thread);
	free(thread->ended);
	free(thread);
}

void selftime_free(struct selftime *selftime)
{
	struct thread *thread, *next;

	if (!selftime)
		return;
	HASH_ITER(hh, selftime->threads, thread, next)
	{
		remove_thread(selftime, thread);
	}
	free(selftime);
}

void selftime_forget(struct selftime *selftime, uint32_t tgid)
{
	struct thread *thread, *next;

	HASH_ITER(hh, selftime->threads, thread, next)
	{
		if (thread->key.tgid == tgid)
			remove_thread(selftime, thread);
	}
}

static struct thread *thread_of(struct selftime *selftime, uint32_t tgid, uint32_t tid)
{
	struct thread_key key = {tgid, tid};
	struct thread *thread;

	HASH_FIND(hh, selftime->threads, &key, sizeof(key), thread);
	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->key = key;
	HASH_ADD(hh, selftime->threads, key, sizeof(thread->key), thread);
	return thread;
}

static void merge_older(struct thread *thread)
{
	size_t half = thread->count / 2;

	for (size_t i = 1; i < half; i++)
		thread->ended[0].length += thread->ended[i].length;
	memmove(&thread->ended[1], &thread->ended[half], (thread->count - half) * sizeof(*thread->ended));
	thread->count -= half - 1;
}

static void push(struct thread *thread, uint64_t start, uint64_t length)
{
	if (thread->count == MAX_ENDED)
		merge_older(thread);
	if (thread->count == thread->room) {
		size_t room = thread->room ? thread->room * 2 : FIRST_ROOM;
		struct ended *grown = realloc(thread->ended, room * sizeof(*grown));

		if (!grown)
			return;
		thread->ended = grown;
		thread->room = room;
	}
	thread->ended[thread->count++] = (struct ended){start, length};
}

uint64_t selftime_add(struct selftime *selftime, uint32_t tgid, uint32_t tid, uint64_t start, uint64_t length)
{
	struct thread *thread = thread_of(selftime, tgid, tid);
	uint64_t inside = 0;

	if (!thread)
		return length;
	while (thread->count && thread->ended[thread->count - 1].start >= start)
		inside += thread->ended[--thread->count].length;
	push(thread, start, length);
	return inside < length ? length - inside : 0;
}

uint64_t selftime_inside(const struct selftime *selftime, uint32_t tgid, uint32_t tid, uint64_t from, uint64_t to)
{
	struct thread_key key = {tgid, tid};
	const struct thread *thread;
	uint64_t inside = 0;

	HASH_FIND(hh, selftime->threads, &key, sizeof(key), thread);
	if (!thread)
		return 0;
	for (size_t i = thread->count; i > 0 && thread->ended[i - 1].start >= from; i--)
		if (thread->ended[i - 1].start < to)
			inside += thread->ended[i - 1].length;
	return inside;
}
