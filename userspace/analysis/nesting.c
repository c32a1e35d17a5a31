/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/nesting.h"

#include <stdlib.h>

/* NULL if out of memory. */
static struct thread *add_thread(struct nesting *nesting, const struct mmp_event *event)
{
	struct thread *thread = calloc(1, nesting->thread_size);

	if (!thread)
		return NULL;
	thread->id = event->thread;
	thread->index = HASH_COUNT(nesting->first);
	thread->start = event->start;
	thread->end = event->end;
	HASH_ADD(hh, nesting->first, id, sizeof(thread->id), thread);
	if (thread->hh.tbl)
		return thread;
	free(thread);
	return NULL;
}

int nesting_find_thread(struct nesting *nesting, const struct mmp_event *event)
{
	struct thread **recent = &nesting->recent[event->thread % RECENT_THREADS], *thread = *recent;

	if (!thread || thread->id != event->thread)
		HASH_FIND(hh, nesting->first, &event->thread, sizeof(event->thread), thread);
	if (!thread)
		thread = add_thread(nesting, event);
	if (!thread)
		return -ENOMEM;
	nesting->thread = *recent = thread;
	return 0;
}

int nesting_grow(struct nesting *nesting)
{
	struct thread *thread = nesting->thread;
	size_t capacity = thread->capacity ? 2 * thread->capacity : 64;
	struct frame *grown = reallocarray(thread->stack, capacity, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	thread->stack = grown;
	thread->capacity = capacity;
	return 0;
}

void nesting_free(struct nesting *nesting)
{
	struct thread *thread = nesting->first, *next;

	/* Clearing a table leaves its elements linked. */
	HASH_CLEAR(hh, nesting->first);
	for (; thread; thread = next) {
		next = thread->hh.next;
		free(thread->stack);
		free(thread);
	}
}
