/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The algorithm is that of measureme's analyzeme/src/analysis.rs (perform_analysis), which walks as nesting.h does. An
 * event's duration is added to its own label's self time and subtracted from its parent's.
 */
#include "analysis/nesting.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
	KIND_QUERY_COUNT,
	KIND_ACTIVITY_COUNT,
	KIND_LOAD_COUNT,
	KIND_OTHER,
};

static const char *const kind_names[KIND_OTHER] = {
    MMP_KIND_QUERY,
    MMP_KIND_GENERIC_ACTIVITY,
    MMP_KIND_INCREMENTAL_LOAD,
    MMP_KIND_RESULT_HASHING,
    MMP_KIND_QUERY_BLOCKED,
    MMP_KIND_CACHE_HIT,
    MMP_KIND_CACHE_HIT_COUNT,
    MMP_KIND_ARTIFACT_SIZE,
    MMP_KIND_QUERY MMP_COUNT_SUFFIX,
    MMP_KIND_GENERIC_ACTIVITY MMP_COUNT_SUFFIX,
    MMP_KIND_INCREMENTAL_LOAD MMP_COUNT_SUFFIX,
};

/* How far, going backwards, the events of a label have covered the time of a thread beyond the first NEAR_THREADS. */
struct span {
	struct span_key {
		const struct counts *counts;
		const struct thread *thread;
	} key;
	uint64_t start;
	UT_hash_handle hh;
};

/* A label with its counts. These three are differences, which may fall below zero: two's complement, seen at the end.
 */
struct counts {
	struct label label;
	struct summary_row row;
	uint64_t self_ns, load_ns, hashing_ns;
	bool has_row; /* an event other than an artifact size has it */
	bool has_artifact;
	bool hits_are_counted; /* a count of its cache hits was found, so single hits are not added to it */
	uint64_t artifact_bytes;
	uint64_t spans[NEAR_THREADS]; /* the same for the first threads */
	struct span *far_span;	      /* the last one used for another */
};

struct state {
	const struct mmp_reader *profile;
	struct error *err;
	struct mmp_buffer buffer;
	struct labels labels;
	struct nesting nesting;
	struct span *spans;
	/* The kinds of string ids found lately; a profile has a handful. */
	struct {
		uint64_t id; /* one more than it; 0 for none */
		enum kind kind;
	} kinds[RECENT_KINDS];
};

static int out_of_memory(struct state *state)
{
	return labels_out_of_memory(&state->labels);
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

/* Takes a child's duration off what contains it. */
static void subtract(struct counts *parent, enum kind kind, uint64_t duration)
{
	parent->self_ns -= duration;
	if (kind == KIND_RESULT_HASHING)
		parent->hashing_ns -= duration;
	else if (kind == KIND_INCREMENTAL_LOAD)
		parent->load_ns -= duration;
}

static void add(struct counts *counts, enum kind kind, uint64_t duration)
{
	counts->self_ns += duration;
	/* Hashing happens within the query's own event, whose duration is in its total already. */
	if (kind != KIND_RESULT_HASHING)
		counts->row.total_ns += duration;
	switch (kind) {
	case KIND_QUERY:
		counts->row.queries++;
		/* fall through */
	case KIND_GENERIC_ACTIVITY:
		counts->row.cache_misses++;
		counts->row.invocations++;
		break;
	case KIND_QUERY_BLOCKED:
		/* The query did not run but was a cache hit in the end, which rustc records as such. */
		counts->row.blocked_ns += duration;
		break;
	case KIND_INCREMENTAL_LOAD:
		counts->load_ns += duration;
		counts->row.loads++;
		break;
	case KIND_RESULT_HASHING:
		counts->hashing_ns += duration;
		break;
	default:
		counts->row.invocations++;
		break;
	}
}

/* Where the span of a label on the thread in hand begins; NULL if out of memory. */
static uint64_t *find_span(struct state *state, struct counts *counts)
{
	const struct thread *thread = state->nesting.thread;
	struct span_key key = {counts, thread};
	struct span *span = counts->far_span;

	if (thread->index < NEAR_THREADS)
		return &counts->spans[thread->index];
	if (span && span->key.thread == thread)
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
	counts->far_span = span;
	return &span->start;
}

/* Adds to the label's span what the event covers of the thread's time and no later event of the label has covered. */
static int cover(struct state *state, struct counts *counts, const struct mmp_event *event)
{
	uint64_t *start = find_span(state, counts);

	if (!start)
		return out_of_memory(state);
	if (event->start < *start) {
		counts->row.span_ns += (event->end < *start ? event->end : *start) - event->start;
		*start = event->start;
	}
	return 0;
}

static int take_interval(struct state *state, const struct mmp_event *event, struct counts *counts, enum kind kind)
{
	uint64_t duration = event->end - event->start;
	const struct frame *parent;
	struct thread *thread;

	if (nesting_enter(&state->nesting, event, &parent))
		return out_of_memory(state);
	if (parent)
		subtract(parent->item, parent->number, duration);
	thread = state->nesting.thread;
	counts->has_row = true;
	add(counts, kind, duration);
	/* As for the total, hashing is part of the query's own event. */
	if (kind != KIND_RESULT_HASHING && cover(state, counts, event))
		return -ENOMEM;
	if (event->end > thread->end)
		thread->end = event->end;
	if (nesting_push(&state->nesting, (struct frame){event->start, event->end, counts, kind}))
		return out_of_memory(state);
	return 0;
}

/* Adds events that were only counted. */
static void take_count(struct counts *counts, enum kind kind, uint64_t count)
{
	counts->has_row = true;
	if (kind == KIND_LOAD_COUNT) {
		counts->row.loads += count;
		return;
	}
	counts->row.invocations += count;
	counts->row.cache_misses += count;
	if (kind == KIND_QUERY_COUNT)
		counts->row.queries += count;
}

static int take_event(struct state *state, const struct mmp_event *event)
{
	struct counts *counts;
	enum kind kind = KIND_OTHER;
	int rc = find_kind(state, event->kind, &kind);

	if (rc)
		return rc;
	counts = (struct counts *)labels_find(&state->labels, event->id, &rc);
	if (!counts)
		return rc;
	if (event->type == MMP_INTERVAL)
		return take_interval(state, event, counts, kind);
	if (event->type == MMP_INSTANT && kind == KIND_CACHE_HIT) {
		counts->has_row = true;
		if (!counts->hits_are_counted)
			counts->row.cache_hits++;
	} else if (event->type == MMP_INTEGER && kind == KIND_CACHE_HIT_COUNT) {
		counts->has_row = counts->hits_are_counted = true;
		counts->row.cache_hits += event->value;
	} else if (event->type == MMP_INTEGER && kind == KIND_ARTIFACT_SIZE) {
		counts->has_artifact = true;
		counts->artifact_bytes += event->value;
	} else if (event->type == MMP_INTEGER && kind >= KIND_QUERY_COUNT && kind <= KIND_LOAD_COUNT) {
		take_count(counts, kind, event->value);
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
	size_t count = labels_count(&state->labels) + 1;
	const char *unit = profile_unit(state->profile);

	if (unit)
		summary->unit = strdup(unit);
	summary->counter = strdup(profile_counter(state->profile));
	if ((unit && !summary->unit) || !summary->counter)
		return out_of_memory(state);
	summary->rows = calloc(count, sizeof(*summary->rows));
	summary->artifacts = calloc(count, sizeof(*summary->artifacts));
	if (!summary->rows || !summary->artifacts)
		return out_of_memory(state);
	for (const struct thread *thread = state->nesting.first; thread; thread = thread->hh.next)
		summary->cpu_ns += thread->end - thread->start;
	for (struct label *label = state->labels.first; label; label = label->hh.next) {
		struct counts *counts = (struct counts *)label;

		if (counts->has_artifact) {
			struct summary_artifact *artifact = &summary->artifacts[summary->artifact_count];

			artifact->bytes = counts->artifact_bytes;
			artifact->label = strdup(label->text);
			if (!artifact->label)
				return out_of_memory(state);
			summary->artifact_count++;
		}
		if (counts->has_row) {
			struct summary_row *row = &summary->rows[summary->row_count++];

			*row = counts->row;
			row->label = label->text;
			label->text = NULL;
			row->self_ns = at_least_0(counts->self_ns);
			row->load_ns = at_least_0(counts->load_ns);
			row->hashing_ns = at_least_0(counts->hashing_ns);
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
	struct span *span = state->spans, *next_span;

	HASH_CLEAR(hh, state->spans);
	for (; span; span = next_span) {
		next_span = span->hh.next;
		free(span);
	}
	nesting_free(&state->nesting);
	labels_free(&state->labels);
	mmp_buffer_free(&state->buffer);
	free(state);
}

int summarize_profile(const struct mmp_reader *profile, struct summary *summary, struct error *err)
{
	static const struct counts blank = {.spans = {[0 ... NEAR_THREADS - 1] = UINT64_MAX}};
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
	labels_begin(&state->labels, profile, "while summarizing", &blank.label, sizeof(blank), err);
	state->nesting.thread_size = sizeof(struct thread);
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
	free(summary->counter);
	*summary = (struct summary){0};
}
