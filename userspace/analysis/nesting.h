/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Private to the room: which event lies in which. Events are stored in the order of their end, so walking backwards
 * meets a parent before its children, and a stack for each thread says which event an event lies in.
 */
#ifndef QUERYTAP_ANALYSIS_NESTING_H
#define QUERYTAP_ANALYSIS_NESTING_H

#include <errno.h>
#include <stdbool.h>

#include "analysis/labels.h"

#define RECENT_THREADS 256

/* An interval within which events may still be met. */
struct frame {
	uint64_t start, end;
	void *item; /* this and the next are the analysis's own */
	uint32_t number;
};

/* What an analysis keeps of a thread begins with this. */
struct thread {
	uint32_t id;
	uint32_t index; /* threads are counted as they are met */
	uint64_t start; /* the earliest one met */
	uint64_t end;	/* of the event met first; an analysis may keep the latest one here */
	struct frame *stack;
	size_t depth, capacity;
	UT_hash_handle hh;
};

/* Zeroed at first, but for thread_size. What returns -ENOMEM leaves it to the analysis to say so. */
struct nesting {
	size_t thread_size;    /* of what is kept of a thread; zeroed at first behind struct thread */
	struct thread *first;  /* of all, in the order of their indices; hh.next of each is the next one */
	struct thread *thread; /* of the event in hand */
	struct thread *recent[RECENT_THREADS];
};

/* Makes the thread of an event that of the event in hand, if it is not. Returns 0 or -ENOMEM. */
int nesting_find_thread(struct nesting *nesting, const struct mmp_event *event);

/* Makes room on the stack of the thread in hand. Returns 0 or -ENOMEM. */
int nesting_grow(struct nesting *nesting);

/*
 * Takes an interval or an instant in hand. *parent is what it lies in, or NULL, and good until the next push. Returns 0
 * or -ENOMEM.
 */
static inline int nesting_enter(struct nesting *nesting, const struct mmp_event *event, const struct frame **parent)
{
	struct thread *thread = nesting->thread;

	*parent = NULL;
	if (!thread || thread->id != event->thread) {
		if (nesting_find_thread(nesting, event))
			return -ENOMEM;
		thread = nesting->thread;
	}
	if (event->start < thread->start)
		thread->start = event->start;
	for (; thread->depth; thread->depth--) {
		const struct frame *top = &thread->stack[thread->depth - 1];

		if (top->start <= event->start && event->end <= top->end) {
			*parent = top;
			break;
		}
	}
	return 0;
}

/* Events met from now on may lie in the interval in hand. Returns 0 or -ENOMEM. */
static inline int nesting_push(struct nesting *nesting, struct frame frame)
{
	struct thread *thread = nesting->thread;

	if (thread->depth == thread->capacity && nesting_grow(nesting))
		return -ENOMEM;
	thread->stack[thread->depth++] = frame;
	return 0;
}

/* Frees the threads, not the struct. */
void nesting_free(struct nesting *nesting);

#endif
