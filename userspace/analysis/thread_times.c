/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/nesting.h"

#include <stdlib.h>

/* A thread, and the sum of the durations of its outermost intervals: what lies in one takes from it what it adds. */
struct timed_thread {
	struct thread thread;
	uint64_t self;
};

static int take_events(const struct mmp_reader *profile, struct nesting *nesting)
{
	struct mmp_cursor cursor = mmp_end(profile);
	const struct frame *parent;
	struct mmp_event event;

	while (mmp_previous(&cursor, &event)) {
		struct thread *thread;

		if (event.type != MMP_INTERVAL)
			continue;
		if (nesting_enter(nesting, &event, &parent))
			return -ENOMEM;
		thread = nesting->thread;
		if (!parent)
			((struct timed_thread *)thread)->self += event.end - event.start;
		if (event.end > thread->end)
			thread->end = event.end;
		if (nesting_push(nesting, (struct frame){.start = event.start, .end = event.end}))
			return -ENOMEM;
	}
	return 0;
}

static int by_start(const void *left, const void *right)
{
	const struct thread_times *a = left, *b = right;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

static void add_to_total(struct thread_times *total, const struct thread_times *row, bool is_first)
{
	if (is_first || row->start_ns < total->start_ns)
		total->start_ns = row->start_ns;
	if (row->end_ns > total->end_ns)
		total->end_ns = row->end_ns;
	total->span_ns += row->span_ns;
	total->self_ns += row->self_ns;
	total->hole_ns += row->hole_ns;
}

static int collect(const struct nesting *nesting, struct thread_list *list)
{
	list->rows = calloc(HASH_COUNT(nesting->first) + 1, sizeof(*list->rows));
	if (!list->rows)
		return -ENOMEM;
	for (const struct thread *thread = nesting->first; thread; thread = thread->hh.next) {
		struct thread_times *row = &list->rows[list->count++];

		*row = (struct thread_times){
		    .thread = thread->id,
		    .start_ns = thread->start,
		    .end_ns = thread->end,
		    .span_ns = thread->end - thread->start,
		    .self_ns = ((const struct timed_thread *)thread)->self,
		};
		row->hole_ns = (int64_t)(row->span_ns - row->self_ns);
		add_to_total(&list->total, row, list->count == 1);
	}
	qsort(list->rows, list->count, sizeof(*list->rows), by_start);
	return 0;
}

int threads_time(const struct mmp_reader *profile, struct thread_list *list, struct error *err)
{
	struct nesting nesting = {.thread_size = sizeof(struct timed_thread)};
	int rc = take_events(profile, &nesting);

	*list = (struct thread_list){.unit = profile_unit(profile), .counter = profile_counter(profile)};
	if (!rc)
		rc = collect(&nesting, list);
	nesting_free(&nesting);
	return rc ? error_set(err, rc, "%s: out of memory while looking at its threads", mmp_path(profile)) : 0;
}

void thread_list_free(struct thread_list *list)
{
	free(list->rows);
	*list = (struct thread_list){0};
}
