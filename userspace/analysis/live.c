/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/live.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* What came of a row, and what was there at the last look. */
struct sum {
	uint64_t count, self;
	/* At this look: of those that have ended and did not come yet, and the self time of these and those that run.
	 */
	uint64_t pending, pending_self, open;
	uint64_t shown_count, shown_self, mean;
	double rate, share;
};

struct sums {
	struct sum *items; /* by number of the row */
	size_t room;
};

/* The number of the row of a label, by its address. */
struct known {
	const char *label;
	size_t row;
	UT_hash_handle hh;
};

struct name {
	enum event_class event;
	const char *label;
};

struct process {
	struct live_compiler shown;
	uint64_t start;
	bool over, succeeded;	  /* what becomes of it at the next look */
	uint64_t events, pending; /* that came, and at this look those to come */
	struct sums sums;
	struct live_thread *old; /* of the look before, while one goes on */
	size_t old_count, thread_room;
	uint64_t run_time, run_time_before;
	bool was_seen; /* its threads were */
	bool looked_at;
};

struct live {
	struct name *names; /* by number of the row */
	size_t name_count, name_room;
	struct known *known;
	struct sums sums;
	struct process **processes; /* the last begun last */
	size_t process_count, process_room;
	struct process *last; /* whose event came last */
	uint64_t began, now, before;
	bool looked;
	uint64_t events, pending;
	struct live_summary summary;
};

struct live *live_new(uint64_t now)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live)
		live->began = live->now = now;
	return live;
}

static void free_threads(struct live_thread *threads, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(threads[i].frames);
	free(threads);
}

static void free_process(struct process *process)
{
	free_threads(process->shown.threads, process->shown.thread_count);
	free_threads(process->old, process->old_count);
	free(process->sums.items);
	free(process);
}

void live_free(struct live *live)
{
	struct known *known, *next;

	if (!live)
		return;
	HASH_ITER(hh, live->known, known, next)
	{
		HASH_DEL(live->known, known);
		free(known);
	}
	for (size_t i = 0; i < live->process_count; i++)
		free_process(live->processes[i]);
	free(live->processes);
	free(live->names);
	free(live->sums.items);
	free(live);
}

/* Makes room for one more item. Returns false if out of memory. */
static bool grow(void *array, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room ? 2 * *room : 64;
	void **items = array, *grown;

	if (count < *room)
		return true;
	while (wanted <= count)
		wanted *= 2;
	grown = reallocarray(*items, wanted, size);
	if (!grown)
		return false;
	memset((char *)grown + *room * size, 0, (wanted - *room) * size);
	*items = grown;
	*room = wanted;
	return true;
}

/* ---- rows ---- */

static size_t find_name(const struct live *live, enum event_class event, const char *label)
{
	for (size_t i = 0; i < live->name_count; i++)
		if (live->names[i].event == event && !strcmp(live->names[i].label, label))
			return i;
	return SIZE_MAX;
}

/* The number of the row; SIZE_MAX if out of memory. Compilers of different versions share rows. */
static size_t row_of(struct live *live, enum event_class event, const char *label)
{
	struct known *known;

	HASH_FIND_PTR(live->known, &label, known);
	if (known)
		return known->row;
	known = calloc(1, sizeof(*known));
	if (!known)
		return SIZE_MAX;
	known->label = label;
	known->row = find_name(live, event, label);
	if (known->row == SIZE_MAX) {
		if (!grow(&live->names, &live->name_room, live->name_count, sizeof(*live->names))) {
			free(known);
			return SIZE_MAX;
		}
		live->names[live->name_count] = (struct name){event, label};
		known->row = live->name_count++;
	}
	HASH_ADD_PTR(live->known, label, known);
	return known->row;
}

static struct sum *sum_at(struct sums *sums, size_t row)
{
	if (row == SIZE_MAX || !grow(&sums->items, &sums->room, row, sizeof(*sums->items)))
		return NULL;
	return &sums->items[row];
}

static void add_event(struct sums *sums, size_t row, uint64_t self)
{
	struct sum *sum = sum_at(sums, row);

	if (!sum)
		return;
	sum->count++;
	sum->self += self;
}

static void add_pending(struct sums *sums, size_t row, uint64_t self)
{
	struct sum *sum = sum_at(sums, row);

	if (!sum)
		return;
	sum->pending++;
	sum->pending_self += self;
}

static void add_open(struct sums *sums, size_t row, uint64_t self)
{
	struct sum *sum = sum_at(sums, row);

	if (sum)
		sum->open += self;
}

/* ---- processes ---- */

static struct process *process_of(const struct live *live, pid_t pid)
{
	for (size_t i = live->process_count; i > 0; i--)
		if (live->processes[i - 1]->shown.pid == pid)
			return live->processes[i - 1];
	return NULL;
}

void live_begin(struct live *live, const struct live_beginning *beginning)
{
	struct process *process, *before = process_of(live, beginning->pid);

	if (before)
		before->over = true;
	if (!grow(&live->processes, &live->process_room, live->process_count, sizeof(*live->processes)))
		return;
	process = calloc(1, sizeof(*process));
	if (!process)
		return;
	process->start = beginning->start;
	process->shown.pid = beginning->pid;
	process->shown.version = beginning->version;
	process->shown.joined = beginning->joined;
	strncpy(process->shown.crate, beginning->crate, sizeof(process->shown.crate) - 1);
	live->processes[live->process_count++] = process;
	live->last = process;
}

void live_event(struct live *live, pid_t pid, enum event_class event, const char *label, uint64_t self)
{
	size_t row = row_of(live, event, label);

	if (!live->last || live->last->shown.pid != pid)
		live->last = process_of(live, pid);
	live->events++;
	add_event(&live->sums, row, self);
	if (!live->last)
		return;
	live->last->events++;
	add_event(&live->last->sums, row, self);
}

void live_end(struct live *live, pid_t pid, bool succeeded)
{
	struct process *process = process_of(live, pid);

	if (!process || process->over)
		return;
	process->over = true;
	process->succeeded = succeeded;
	if (!process->events)
		return;
	live->summary.ended++;
	live->summary.failed += !succeeded;
}

/* ---- looks ---- */

static void clear_open(struct sums *sums)
{
	for (size_t i = 0; i < sums->room; i++)
		sums->items[i].open = sums->items[i].pending = sums->items[i].pending_self = 0;
}

void live_look_begin(struct live *live, uint64_t now)
{
	live->before = live->now;
	live->now = now;
	if (!live->looked) {
		live->began = now;
		live->looked = true;
	}
	clear_open(&live->sums);
	live->pending = 0;
	for (size_t i = 0; i < live->process_count; i++) {
		struct process *process = live->processes[i];

		clear_open(&process->sums);
		process->pending = 0;
		process->old = process->shown.threads;
		process->old_count = process->shown.thread_count;
		process->shown.threads = NULL;
		process->shown.thread_count = process->thread_room = 0;
		process->run_time_before = process->run_time;
		process->run_time = 0;
	}
}

static double a_second(const struct live *live, double amount)
{
	return live->now > live->before ? amount * 1e9 / (double)(live->now - live->before) : 0;
}

/* Seconds on the CPU in a second, of what ran `before` at the last look; less than none is none. */
static double cpu_share(const struct live *live, uint64_t run_time, uint64_t before)
{
	return run_time > before ? a_second(live, (double)(run_time - before) / 1e9) : 0;
}

/*
 * Whether what a process has run and was not seen before has run since the last look. Of one that is seen for the first
 * time it is not known, unless it began since then.
 */
static bool ran_since(const struct live *live, const struct process *process)
{
	return process->was_seen || (!process->shown.joined && process->start >= live->before);
}

static const struct live_thread *old_thread(const struct process *process, pid_t tid)
{
	for (size_t i = 0; i < process->old_count; i++)
		if (process->old[i].tid == tid)
			return &process->old[i];
	return NULL;
}

void live_look_thread(struct live *live, const struct live_seen_thread *seen)
{
	struct process *process = process_of(live, seen->pid);
	const struct live_thread *before;
	struct live_thread *thread;

	if (!process || process->over ||
	    !grow(&process->shown.threads, &process->thread_room, process->shown.thread_count, sizeof(*thread)))
		return;
	before = old_thread(process, seen->tid);
	thread = &process->shown.threads[process->shown.thread_count];
	*thread = (struct live_thread){.tid = seen->tid, .waits = seen->waits, .run_time = seen->run_time};
	strncpy(thread->name, seen->name, sizeof(thread->name) - 1);
	if (before || ran_since(live, process))
		thread->cpu = cpu_share(live, seen->run_time, before ? before->run_time : 0);
	thread->frames = seen->depth ? calloc(seen->depth, sizeof(*thread->frames)) : NULL;
	if (thread->frames) {
		memcpy(thread->frames, seen->frames, seen->depth * sizeof(*thread->frames));
		thread->depth = seen->depth;
	}
	for (size_t i = 0; i < thread->depth; i++) {
		size_t row = row_of(live, thread->frames[i].event, thread->frames[i].label);

		add_open(&live->sums, row, thread->frames[i].self);
		add_open(&process->sums, row, thread->frames[i].self);
	}
	for (size_t i = 0; i < seen->pending_count; i++) {
		size_t row = row_of(live, seen->pending[i].event, seen->pending[i].label);

		add_pending(&live->sums, row, seen->pending[i].self);
		add_pending(&process->sums, row, seen->pending[i].self);
	}
	live->pending += seen->pending_count;
	process->pending += seen->pending_count;
	if (!process->shown.thread_count)
		process->run_time += seen->run_time_gone;
	process->run_time += seen->run_time;
	process->shown.thread_count++;
}

static int by_use(const void *a, const void *b)
{
	const struct live_thread *left = a, *right = b;

	if (!left->depth != !right->depth)
		return left->depth ? -1 : 1;
	if (left->cpu != right->cpu)
		return left->cpu > right->cpu ? -1 : 1;
	return (left->tid > right->tid) - (left->tid < right->tid);
}

/* How much more there is now; what was pending may have been counted twice when it was just being sent. */
static double added(uint64_t before, uint64_t now)
{
	return now > before ? (double)(now - before) : 0;
}

/* Shows what has come of the rows by now. Returns the sum of their self times. */
static uint64_t settle(const struct live *live, struct sums *sums)
{
	uint64_t all = 0;

	for (size_t i = 0; i < sums->room; i++) {
		struct sum *sum = &sums->items[i];
		uint64_t count = sum->count + sum->pending, ended = sum->self + sum->pending_self;
		uint64_t self = ended + sum->open;

		sum->rate = a_second(live, added(sum->shown_count, count));
		sum->share = a_second(live, added(sum->shown_self, self) / 1e9);
		sum->shown_count = count;
		sum->shown_self = self;
		sum->mean = count ? ended / count : 0;
		all += self;
	}
	return all;
}

static void settle_process(const struct live *live, struct process *process)
{
	struct live_compiler *shown = &process->shown;

	free_threads(process->old, process->old_count);
	process->old = NULL;
	process->old_count = 0;
	process->looked_at = true;
	settle(live, &process->sums);
	if (process->over && shown->ended)
		return;
	shown->ended = process->over;
	shown->succeeded = process->succeeded;
	shown->age = live->now > process->start ? live->now - process->start : 0;
	shown->rate = a_second(live, added(shown->events, process->events + process->pending));
	shown->events = process->events + process->pending;
	shown->cpu = 0;
	if (ran_since(live, process))
		shown->cpu = cpu_share(live, process->run_time, process->run_time_before);
	process->was_seen |= shown->thread_count > 0;
	if (shown->thread_count)
		qsort(shown->threads, shown->thread_count, sizeof(*shown->threads), by_use);
}

void live_look_end(struct live *live, pid_t keep)
{
	struct live_summary *summary = &live->summary;
	size_t kept = 0;

	summary->cpu = 0;
	for (size_t i = 0; i < live->process_count; i++) {
		struct process *process = live->processes[i];

		settle_process(live, process);
		if (process->over && process->shown.pid != keep) {
			if (live->last == process)
				live->last = NULL;
			free_process(process);
			continue;
		}
		summary->cpu += process->over ? 0 : process->shown.cpu;
		live->processes[kept++] = process;
	}
	live->process_count = kept;
	summary->self = settle(live, &live->sums);
	summary->rate = a_second(live, added(summary->events, live->events + live->pending));
	summary->events = live->events + live->pending;
	summary->elapsed = live->now - live->began;
}

void live_summarize(const struct live *live, struct live_summary *summary)
{
	*summary = live->summary;
}

/* ---- reading ---- */

static int descending(double left, double right)
{
	return left > right ? -1 : left < right;
}

static double amount_of(const struct live_row *row, enum live_order order)
{
	switch (order) {
	case LIVE_BY_SELF:
		return (double)row->self;
	case LIVE_BY_COUNT:
		return (double)row->count;
	case LIVE_BY_RATE:
		return row->rate;
	case LIVE_BY_SHARE:
		return row->share;
	case LIVE_BY_MEAN:
		return (double)row->mean;
	default:
		return 0;
	}
}

/* Rows of equal amount by self time, then by label. */
static int by_order(const void *a, const void *b, void *order)
{
	const struct live_row *left = a, *right = b;
	int result =
	    descending(amount_of(left, *(enum live_order *)order), amount_of(right, *(enum live_order *)order));

	if (!result && *(enum live_order *)order != LIVE_BY_LABEL)
		result = descending((double)left->self, (double)right->self);
	if (!result)
		result = strcmp(left->label, right->label);
	return result ? result : (int)left->event - (int)right->event;
}

static bool contains(const char *text, const char *filter)
{
	return !filter || !*filter || strcasestr(text, filter);
}

size_t live_rows(const struct live *live, pid_t pid, enum live_order order, const char *filter, struct live_row **rows)
{
	const struct process *process = pid ? process_of(live, pid) : NULL;
	const struct sums *sums = process ? &process->sums : &live->sums;
	size_t count = 0;

	*rows = pid && !process ? NULL : calloc(live->name_count + 1, sizeof(**rows));
	for (size_t i = 0; *rows && i < live->name_count && i < sums->room; i++) {
		const struct sum *sum = &sums->items[i];

		if ((sum->shown_count || sum->shown_self) && contains(live->names[i].label, filter))
			(*rows)[count++] = (struct live_row){.event = live->names[i].event,
							     .label = live->names[i].label,
							     .count = sum->shown_count,
							     .self = sum->shown_self,
							     .mean = sum->mean,
							     .rate = sum->rate,
							     .share = sum->share};
	}
	if (count)
		qsort_r(*rows, count, sizeof(**rows), by_order, &order);
	return count;
}

static int compare_compilers(const void *a, const void *b, void *order)
{
	const struct live_compiler *left = *(const struct live_compiler *const *)a;
	const struct live_compiler *right = *(const struct live_compiler *const *)b;
	int result = 0;

	switch (*(enum live_compiler_order *)order) {
	case LIVE_COMPILER_BY_AGE:
		result = descending((double)left->age, (double)right->age);
		break;
	case LIVE_COMPILER_BY_CPU:
		result = descending(left->cpu, right->cpu);
		break;
	case LIVE_COMPILER_BY_RATE:
		result = descending(left->rate, right->rate);
		break;
	case LIVE_COMPILER_BY_CRATE:
		result = strcmp(left->crate, right->crate);
		break;
	default:
		break;
	}
	return result ? result : (left->pid > right->pid) - (left->pid < right->pid);
}

size_t live_compilers(const struct live *live, enum live_compiler_order order, const char *filter,
		      const struct live_compiler ***compilers)
{
	size_t count = 0;

	*compilers = calloc(live->process_count + 1, sizeof(const struct live_compiler *));
	for (size_t i = 0; *compilers && i < live->process_count; i++) {
		const struct live_compiler *shown = &live->processes[i]->shown;

		if (live->processes[i]->looked_at && !shown->ended && contains(shown->crate, filter))
			(*compilers)[count++] = shown;
	}
	if (count)
		qsort_r(*compilers, count, sizeof(**compilers), compare_compilers, &order);
	return count;
}

const struct live_compiler *live_compiler_of(const struct live *live, pid_t pid)
{
	const struct process *process = process_of(live, pid);

	return process && process->looked_at ? &process->shown : NULL;
}
