/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The algorithm is that of measureme's analyzeme/src/analysis.rs (perform_analysis): events are stored in the order of
 * their end, so walking backwards meets a parent before its children, and a stack for each thread says which event an
 * event lies in. An event's duration is added to its own label's self time and subtracted from its parent's.
 */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* uthash exits when out of memory unless told otherwise; an element that could not be added has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAX_LABEL_BYTES ((size_t)256 << 20)
#define RECENT_LABELS 1024
#define RECENT_THREADS 256
#define RECENT_KINDS 64
#define NEAR_THREADS 8
/* Events whose strings are fetched at once: from memory they take longer than the rest of the work. */
#define BATCH 32

enum kind {
	KIND_QUERY,
	KIND_GENERIC_ACTIVITY,
	KIND_INCREMENTAL_LOAD,
	KIND_RESULT_HASHING,
	KIND_QUERY_BLOCKED,
	KIND_CACHE_HIT,
	KIND_CACHE_HIT_COUNT,
	KIND_ARTIFACT_SIZE,
	KIND_OTHER,
};

static const char *const kind_names[KIND_OTHER] = {
    MMP_KIND_QUERY,	    MMP_KIND_GENERIC_ACTIVITY, MMP_KIND_INCREMENTAL_LOAD, MMP_KIND_RESULT_HASHING,
    MMP_KIND_QUERY_BLOCKED, MMP_KIND_CACHE_HIT,	       MMP_KIND_CACHE_HIT_COUNT,  MMP_KIND_ARTIFACT_SIZE,
};

/* How far, going backwards, the events of a label have covered the time of a thread beyond the first NEAR_THREADS. */
struct span {
	struct span_key {
		const struct label *label;
		const struct thread *thread;
	} key;
	uint64_t start;
	UT_hash_handle hh;
};

/* A label with its counts. These three are differences, which may fall below zero: two's complement, seen at the end.
 */
struct label {
	struct summary_row row;
	uint64_t self_ns, load_ns, hashing_ns;
	bool has_row; /* an event other than an artifact size has it */
	bool has_artifact;
	bool hits_are_counted; /* a count of its cache hits was found, so single hits are not added to it */
	uint64_t artifact_bytes;
	uint64_t spans[NEAR_THREADS]; /* the same for the first threads */
	struct span *far_span;	      /* the last one used for another */
	UT_hash_handle hh;
};

struct frame {
	uint64_t start, end;
	struct label *label;
	enum kind kind;
};

struct thread {
	uint32_t id;
	size_t number; /* counted as they are met */
	uint64_t start, end;
	struct frame *stack;
	size_t depth, capacity;
	UT_hash_handle hh;
};

struct state {
	const struct mmp_reader *profile;
	struct error *err;
	struct mmp_buffer buffer;
	struct label *labels;
	size_t label_bytes;
	struct thread *threads, *thread;
	struct thread *recent_threads[RECENT_THREADS];
	struct span *spans;
	/* Labels found lately, by their key. */
	struct {
		uint64_t key;
		struct label *label;
	} recent[RECENT_LABELS];
	/* The kinds of string ids found lately; a profile has a handful. */
	struct {
		uint64_t id; /* one more than it; 0 for none */
		enum kind kind;
	} kinds[RECENT_KINDS];
};

static int out_of_memory(struct state *state)
{
	return error_set(state->err, ENOMEM, "%s: out of memory while summarizing", mmp_path(state->profile));
}

static int pass_on(struct state *state, int rc, const struct mmp_error *err)
{
	return error_set(state->err, rc, "%s", err->text);
}

static int find_kind(struct state *state, uint64_t id, enum kind *kind)
{
	size_t slot = (id ^ id >> 6) % RECENT_KINDS;
	struct mmp_error err;
	struct mmp_text text;
	int rc;

	if (state->kinds[slot].id == id + 1) {
		*kind = state->kinds[slot].kind;
		return 0;
	}
	rc = mmp_text_of(state->profile, id, &state->buffer, &text, &err);
	if (rc)
		return pass_on(state, rc, &err);
	for (*kind = 0; *kind < KIND_OTHER; ++*kind) {
		if (strlen(kind_names[*kind]) == text.size && !memcmp(kind_names[*kind], text.bytes, text.size))
			break;
	}
	state->kinds[slot].id = id + 1;
	state->kinds[slot].kind = *kind;
	return 0;
}

static struct label *add_label(struct state *state, const struct mmp_text *text)
{
	struct label *label = calloc(1, sizeof(*label));

	if (label)
		label->row.label = strndup(text->bytes, text->size);
	if (!label || !label->row.label) {
		free(label);
		return NULL;
	}
	for (size_t i = 0; i < NEAR_THREADS; i++)
		label->spans[i] = UINT64_MAX;
	HASH_ADD_KEYPTR(hh, state->labels, label->row.label, text->size, label);
	if (!label->hh.tbl) {
		free(label->row.label);
		free(label);
		return NULL;
	}
	state->label_bytes += text->size;
	return label;
}

/* The label of an event; NULL on failure, then *rc says why. */
static struct label *find_label(struct state *state, uint64_t id, int *rc)
{
	uint64_t key = mmp_label_key(state->profile, id);
	size_t slot = (key >> 3 ^ key >> 13) % RECENT_LABELS;
	struct mmp_error err;
	struct mmp_text text;
	struct label *label = NULL;

	if (state->recent[slot].label && state->recent[slot].key == key)
		return state->recent[slot].label;
	*rc = mmp_label_of(state->profile, key, &state->buffer, &text, &err);
	if (*rc) {
		*rc = pass_on(state, *rc, &err);
		return NULL;
	}
	HASH_FIND(hh, state->labels, text.bytes, text.size, label);
	if (!label && state->label_bytes > MAX_LABEL_BYTES) {
		*rc = error_set(state->err, E2BIG, "%s: its labels need more than %zu MiB; it may be damaged",
				mmp_path(state->profile), MAX_LABEL_BYTES >> 20);
		return NULL;
	}
	if (!label)
		label = add_label(state, &text);
	if (!label) {
		*rc = out_of_memory(state);
		return NULL;
	}
	state->recent[slot].key = key;
	state->recent[slot].label = label;
	return label;
}

static int find_thread(struct state *state, const struct mmp_event *event)
{
	struct thread *thread = state->thread;

	if (thread && thread->id == event->thread)
		return 0;
	thread = state->recent_threads[event->thread % RECENT_THREADS];
	if (!thread || thread->id != event->thread)
		HASH_FIND(hh, state->threads, &event->thread, sizeof(event->thread), thread);
	if (!thread) {
		thread = calloc(1, sizeof(*thread));
		if (!thread)
			return out_of_memory(state);
		thread->id = event->thread;
		thread->number = HASH_COUNT(state->threads);
		thread->start = event->start;
		thread->end = event->end;
		HASH_ADD(hh, state->threads, id, sizeof(thread->id), thread);
		if (!thread->hh.tbl) {
			free(thread);
			return out_of_memory(state);
		}
	}
	state->thread = state->recent_threads[event->thread % RECENT_THREADS] = thread;
	return 0;
}

static int push(struct state *state, struct frame frame)
{
	struct thread *thread = state->thread;

	if (thread->depth == thread->capacity) {
		size_t capacity = thread->capacity ? 2 * thread->capacity : 64;
		struct frame *grown = reallocarray(thread->stack, capacity, sizeof(*grown));

		if (!grown)
			return out_of_memory(state);
		thread->stack = grown;
		thread->capacity = capacity;
	}
	thread->stack[thread->depth++] = frame;
	return 0;
}

/* Takes a child's duration off what contains it. */
static void subtract(const struct frame *parent, uint64_t duration)
{
	parent->label->self_ns -= duration;
	if (parent->kind == KIND_RESULT_HASHING)
		parent->label->hashing_ns -= duration;
	else if (parent->kind == KIND_INCREMENTAL_LOAD)
		parent->label->load_ns -= duration;
}

static void add(struct label *label, enum kind kind, uint64_t duration)
{
	label->self_ns += duration;
	/* Hashing happens within the query's own event, whose duration is in its total already. */
	if (kind != KIND_RESULT_HASHING)
		label->row.total_ns += duration;
	switch (kind) {
	case KIND_QUERY:
		label->row.queries++;
		/* fall through */
	case KIND_GENERIC_ACTIVITY:
		label->row.cache_misses++;
		label->row.invocations++;
		break;
	case KIND_QUERY_BLOCKED:
		/* The query did not run but was a cache hit in the end, which rustc records as such. */
		label->row.blocked_ns += duration;
		break;
	case KIND_INCREMENTAL_LOAD:
		label->load_ns += duration;
		label->row.loads++;
		break;
	case KIND_RESULT_HASHING:
		label->hashing_ns += duration;
		break;
	default:
		label->row.invocations++;
		break;
	}
}

/* Where the span of a label on the thread in hand begins; NULL if out of memory. */
static uint64_t *find_span(struct state *state, struct label *label)
{
	struct span_key key = {label, state->thread};
	struct span *span = label->far_span;

	if (state->thread->number < NEAR_THREADS)
		return &label->spans[state->thread->number];
	if (span && span->key.thread == state->thread)
		return &span->start;
	HASH_FIND(hh, state->spans, &key, sizeof(key), span);
	if (!span) {
		span = calloc(1, sizeof(*span));
		if (!span)
			return NULL;
		span->key = key;
		span->start = UINT64_MAX;
		HASH_ADD(hh, state->spans, key, sizeof(span->key), span);
		if (!span->hh.tbl) {
			free(span);
			return NULL;
		}
	}
	label->far_span = span;
	return &span->start;
}

/* Adds to the label's span what the event covers of the thread's time and no later event of the label has covered. */
static int cover(struct state *state, struct label *label, const struct mmp_event *event)
{
	uint64_t *start = find_span(state, label);

	if (!start)
		return out_of_memory(state);
	if (event->start < *start) {
		label->row.span_ns += (event->end < *start ? event->end : *start) - event->start;
		*start = event->start;
	}
	return 0;
}

static int take_interval(struct state *state, const struct mmp_event *event, struct label *label, enum kind kind)
{
	uint64_t duration = event->end - event->start;
	struct thread *thread;
	int rc = find_thread(state, event);

	if (rc)
		return rc;
	thread = state->thread;
	while (thread->depth) {
		const struct frame *top = &thread->stack[thread->depth - 1];

		if (top->start <= event->start && event->end <= top->end) {
			subtract(top, duration);
			break;
		}
		thread->depth--;
	}
	label->has_row = true;
	add(label, kind, duration);
	/* As for the total, hashing is part of the query's own event. */
	if (kind != KIND_RESULT_HASHING && cover(state, label, event))
		return -ENOMEM;
	if (event->start < thread->start)
		thread->start = event->start;
	if (event->end > thread->end)
		thread->end = event->end;
	return push(state, (struct frame){event->start, event->end, label, kind});
}

static int take_event(struct state *state, const struct mmp_event *event)
{
	struct label *label;
	enum kind kind = KIND_OTHER;
	int rc = find_kind(state, event->kind, &kind);

	if (rc)
		return rc;
	label = find_label(state, event->id, &rc);
	if (!label)
		return rc;
	if (event->type == MMP_INTERVAL)
		return take_interval(state, event, label, kind);
	if (event->type == MMP_INSTANT && kind == KIND_CACHE_HIT) {
		label->has_row = true;
		if (!label->hits_are_counted)
			label->row.cache_hits++;
	} else if (event->type == MMP_INTEGER && kind == KIND_CACHE_HIT_COUNT) {
		label->has_row = label->hits_are_counted = true;
		label->row.cache_hits += event->value;
	} else if (event->type == MMP_INTEGER && kind == KIND_ARTIFACT_SIZE) {
		label->has_artifact = true;
		label->artifact_bytes += event->value;
	}
	return 0;
}

static uint64_t at_least_0(uint64_t difference)
{
	return (int64_t)difference < 0 ? 0 : difference;
}

static int compare_artifacts(const void *left, const void *right)
{
	const struct summary_artifact *a = left, *b = right;

	return strcmp(a->label, b->label);
}

/* Moves the counts into a sorted summary. */
static int collect(struct state *state, struct summary *summary)
{
	size_t count = HASH_COUNT(state->labels) + 1;
	const char *unit = profile_unit(state->profile);

	if (unit)
		summary->unit = strdup(unit);
	if (unit && !summary->unit)
		return out_of_memory(state);
	summary->rows = calloc(count, sizeof(*summary->rows));
	summary->artifacts = calloc(count, sizeof(*summary->artifacts));
	if (!summary->rows || !summary->artifacts)
		return out_of_memory(state);
	for (const struct thread *thread = state->threads; thread; thread = thread->hh.next)
		summary->cpu_ns += thread->end - thread->start;
	for (struct label *label = state->labels; label; label = label->hh.next) {
		if (label->has_artifact) {
			struct summary_artifact *artifact = &summary->artifacts[summary->artifact_count];

			artifact->bytes = label->artifact_bytes;
			artifact->label = strdup(label->row.label);
			if (!artifact->label)
				return out_of_memory(state);
			summary->artifact_count++;
		}
		if (label->has_row) {
			struct summary_row *row = &summary->rows[summary->row_count++];

			*row = label->row;
			label->row.label = NULL;
			row->self_ns = at_least_0(label->self_ns);
			row->load_ns = at_least_0(label->load_ns);
			row->hashing_ns = at_least_0(label->hashing_ns);
			if (summary->cpu_ns)
				row->share = (double)row->self_ns / (double)summary->cpu_ns * 100;
		}
	}
	summary_sort(summary, SUMMARY_BY_SELF);
	qsort(summary->artifacts, summary->artifact_count, sizeof(*summary->artifacts), compare_artifacts);
	return 0;
}

/* Clearing a table leaves its elements linked. */
static void free_state(struct state *state)
{
	struct thread *thread = state->threads, *next_thread;
	struct label *label = state->labels, *next;
	struct span *span = state->spans, *next_span;

	HASH_CLEAR(hh, state->spans);
	for (; span; span = next_span) {
		next_span = span->hh.next;
		free(span);
	}
	HASH_CLEAR(hh, state->threads);
	for (; thread; thread = next_thread) {
		next_thread = thread->hh.next;
		free(thread->stack);
		free(thread);
	}
	HASH_CLEAR(hh, state->labels);
	for (; label; label = next) {
		next = label->hh.next;
		free(label->row.label);
		free(label);
	}
	mmp_buffer_free(&state->buffer);
	free(state);
}

int summarize_profile(const struct mmp_reader *profile, struct summary *summary, struct error *err)
{
	struct state *state = calloc(1, sizeof(*state));
	struct mmp_cursor cursor = mmp_end(profile);
	struct mmp_event events[BATCH];
	size_t count;
	int rc = 0;

	*summary = (struct summary){0};
	if (!state)
		return error_set(err, ENOMEM, "%s: out of memory while summarizing", mmp_path(profile));
	state->profile = profile;
	state->err = err;
	while (!rc && (count = mmp_previous_many(&cursor, events, BATCH))) {
		for (size_t i = 0; i < count; i++)
			mmp_prefetch(profile, events[i].id);
		for (size_t i = 0; i < count && !rc; i++)
			rc = take_event(state, &events[i]);
	}
	if (!rc)
		rc = collect(state, summary);
	free_state(state);
	if (rc)
		summary_free(summary);
	return rc;
}

void summary_free(struct summary *summary)
{
	for (size_t i = 0; i < summary->row_count; i++)
		free(summary->rows[i].label);
	for (size_t i = 0; i < summary->artifact_count; i++)
		free(summary->artifacts[i].label);
	free(summary->rows);
	free(summary->artifacts);
	free(summary->unit);
	*summary = (struct summary){0};
}
