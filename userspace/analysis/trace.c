/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The forest of a profile's events. Walking backwards as nesting.h does finds nodes parents first and siblings last to
 * first. They are then counted and moved to where the order of struct trace wants them.
 */
#include "analysis/nesting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH (((uint32_t)1 << 24) - 1)

/* What intervals of a kind become. */
static const struct {
	const char *name;
	enum trace_kind kind;
} interval_kinds[] = {
    {MMP_KIND_QUERY, TRACE_MISS},
    {MMP_KIND_GENERIC_ACTIVITY, TRACE_PASS},
    {MMP_KIND_INCREMENTAL_LOAD, TRACE_LOAD},
    {MMP_KIND_RESULT_HASHING, TRACE_HASHING},
    {MMP_KIND_QUERY_BLOCKED, TRACE_BLOCKED},
};

/* The kinds of event that matter here: of intervals, and these two. */
enum { KIND_HIT = TRACE_KINDS, KIND_HIT_COUNT };

/* A label, and its cache hits if the profile counted them. */
struct counted {
	struct label label;
	uint64_t hits;
	bool hits_are_counted;
};

/* A thread, and its part of struct trace_thread. */
struct traced_thread {
	struct thread thread;
	uint32_t roots, count;
	uint64_t root_ns;
};

struct builder {
	const struct mmp_reader *profile;
	struct error *err;
	struct mmp_buffer buffer;
	struct labels labels;
	struct nesting nesting;
	/* In the order they were met. Until they are moved, `first` of a root is its thread's id. */
	struct trace_node *found;
	uint32_t count;
	/* The kinds met so far; a profile has a handful. */
	struct {
		uint64_t id;
		int kind;
	} kinds[16];
	size_t kind_count;
};

static int out_of_memory(struct builder *builder)
{
	return labels_out_of_memory(&builder->labels);
}

static bool text_is(const struct mmp_text *text, const char *expected)
{
	return strlen(expected) == text->size && !memcmp(expected, text->bytes, text->size);
}

static int kind_of(const struct mmp_text *name)
{
	for (size_t i = 0; i < sizeof(interval_kinds) / sizeof(interval_kinds[0]); i++) {
		if (text_is(name, interval_kinds[i].name))
			return interval_kinds[i].kind;
	}
	if (text_is(name, MMP_KIND_CACHE_HIT))
		return KIND_HIT;
	return text_is(name, MMP_KIND_CACHE_HIT_COUNT) ? KIND_HIT_COUNT : TRACE_OTHER;
}

static int find_kind(struct builder *builder, uint64_t id, int *kind)
{
	struct mmp_error err;
	struct mmp_text name;
	int rc;

	for (size_t i = 0; i < builder->kind_count; i++) {
		if (builder->kinds[i].id == id) {
			*kind = builder->kinds[i].kind;
			return 0;
		}
	}
	rc = mmp_text_of(builder->profile, id, &builder->buffer, &name, &err);
	if (rc)
		return error_set(builder->err, rc, "%s", err.text);
	*kind = kind_of(&name);
	if (builder->kind_count < sizeof(builder->kinds) / sizeof(builder->kinds[0])) {
		builder->kinds[builder->kind_count].id = id;
		builder->kinds[builder->kind_count++].kind = *kind;
	}
	return 0;
}

static int take_node(struct builder *builder, const struct mmp_event *event, const struct label *label,
		     enum trace_kind kind)
{
	struct trace_node *node = &builder->found[builder->count];
	struct traced_thread *traced;
	const struct frame *frame;

	if (nesting_enter(&builder->nesting, event, &frame))
		return out_of_memory(builder);
	traced = (struct traced_thread *)builder->nesting.thread;
	*node = (struct trace_node){
	    .start = event->start,
	    .duration = event->end - event->start,
	    .id = event->id,
	    .parent = frame ? frame->number : TRACE_NONE,
	    .label = label->index,
	    .kind = kind,
	};
	if (event->end > traced->thread.end)
		traced->thread.end = event->end;
	traced->count++;
	if (node->parent == TRACE_NONE) {
		node->first = event->thread;
		traced->roots++;
		traced->root_ns += node->duration;
	} else {
		struct trace_node *parent = &builder->found[node->parent];

		if (parent->depth == MAX_DEPTH)
			return error_set(builder->err, E2BIG, "%s: its events are nested too deeply",
					 mmp_path(builder->profile));
		node->depth = parent->depth + 1;
		parent->extent++;
	}
	if (event->type == MMP_INTERVAL &&
	    nesting_push(&builder->nesting, (struct frame){event->start, event->end, NULL, builder->count}))
		return out_of_memory(builder);
	builder->count++;
	return 0;
}

static int take_event(struct builder *builder, const struct mmp_event *event)
{
	struct counted *counted;
	int kind = TRACE_OTHER;
	int rc = find_kind(builder, event->kind, &kind);

	if (rc || (event->type == MMP_INTEGER && kind != KIND_HIT_COUNT))
		return rc;
	counted = (struct counted *)labels_find(&builder->labels, event->id, &rc);
	if (!counted)
		return rc;
	switch (event->type) {
	case MMP_INTEGER:
		counted->hits_are_counted = true;
		counted->hits += event->value;
		return 0;
	case MMP_INSTANT:
		return take_node(builder, event, &counted->label, kind == KIND_HIT ? TRACE_HIT : TRACE_OTHER);
	default:
		return take_node(builder, event, &counted->label,
				 kind < TRACE_KINDS ? (enum trace_kind)kind : TRACE_OTHER);
	}
}

static int compare_threads(const void *left, const void *right)
{
	const struct trace_thread *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

static int place_threads(struct builder *builder, struct trace *trace)
{
	uint32_t first = 0;

	trace->threads = calloc(HASH_COUNT(builder->nesting.first) + 1, sizeof(*trace->threads));
	if (!trace->threads)
		return out_of_memory(builder);
	for (const struct thread *thread = builder->nesting.first; thread; thread = thread->hh.next) {
		const struct traced_thread *traced = (const struct traced_thread *)thread;

		trace->threads[trace->thread_count++] = (struct trace_thread){
		    .id = thread->id,
		    .roots = traced->roots,
		    .count = traced->count,
		    .root_ns = traced->root_ns,
		    .start = thread->start,
		    .end = thread->end,
		};
	}
	qsort(trace->threads, trace->thread_count, sizeof(*trace->threads), compare_threads);
	for (uint32_t i = 0; i < trace->thread_count; i++) {
		trace->threads[i].first = first;
		first += trace->threads[i].count;
		trace->whole_ns += trace->threads[i].root_ns;
	}
	return 0;
}

/* What is still to be placed of a block of siblings, which is filled from its end. */
struct block {
	uint32_t next;	/* place of the node behind the next one to be placed */
	uint32_t inner; /* end of what lies in that one */
};

static uint32_t thread_index(const struct trace *trace, uint32_t id)
{
	const struct trace_thread key = {.id = id};
	const struct trace_thread *thread =
	    bsearch(&key, trace->threads, trace->thread_count, sizeof(key), compare_threads);

	return (uint32_t)(thread - trace->threads);
}

/* Moves the found nodes to their places. `blocks` has one for each node and, behind these, one for each thread. */
static void place_nodes(struct builder *builder, struct trace *trace, struct block *blocks, uint32_t *places)
{
	for (uint32_t i = builder->count; i-- > 0;) {
		if (builder->found[i].parent != TRACE_NONE)
			builder->found[builder->found[i].parent].below += builder->found[i].below + 1;
	}
	for (uint32_t i = 0; i < trace->thread_count; i++) {
		const struct trace_thread *thread = &trace->threads[i];

		blocks[builder->count + i] =
		    (struct block){thread->first + thread->roots, thread->first + thread->count};
	}
	for (uint32_t i = 0; i < builder->count; i++) {
		struct trace_node *node = &builder->found[i];
		bool root = node->parent == TRACE_NONE;
		struct block *siblings =
		    &blocks[root ? builder->count + thread_index(trace, node->first) : node->parent];

		places[i] = --siblings->next;
		siblings->inner -= node->below;
		node->first = siblings->inner;
		if (!root)
			node->parent = places[node->parent];
		blocks[i] = (struct block){node->first + node->extent, node->first + node->below};
		trace->nodes[places[i]] = *node;
	}
}

static int move_nodes(struct builder *builder, struct trace *trace)
{
	struct block *blocks = calloc((size_t)builder->count + trace->thread_count + 1, sizeof(*blocks));
	uint32_t *places = calloc((size_t)builder->count + 1, sizeof(*places));

	trace->nodes = calloc((size_t)builder->count + 1, sizeof(*trace->nodes));
	if (blocks && places && trace->nodes) {
		trace->node_count = builder->count;
		place_nodes(builder, trace, blocks, places);
	}
	free(blocks);
	free(places);
	return trace->nodes && trace->node_count == builder->count ? 0 : out_of_memory(builder);
}

/* A label on its way into the trace. */
struct numbered {
	struct trace_label label;
	uint32_t found; /* its number in the order in which labels were found */
};

/* The nodes' share of the labels' figures; nodes still have the numbers under which the labels were found. */
static void sum_labels(const struct trace *trace, struct numbered *labels)
{
	for (uint32_t i = 0; i < trace->node_count; i++) {
		const struct trace_node *node = &trace->nodes[i];
		struct trace_label *label = &labels[node->label].label;

		label->counts[node->kind]++;
		label->self_ns += node->duration;
		if (node->parent != TRACE_NONE)
			labels[trace->nodes[node->parent].label].label.self_ns -= node->duration;
		/* Hashing happens within the query's own event, whose duration is in its total already. */
		if (node->kind != TRACE_HASHING)
			label->total_ns += node->duration;
		if (label->longest == TRACE_NONE || node->duration > trace->nodes[label->longest].duration)
			label->longest = i;
	}
}

static uint64_t nodes_of(const struct trace_label *label)
{
	uint64_t count = 0;

	for (int kind = 0; kind < TRACE_KINDS; kind++)
		count += label->counts[kind];
	return count;
}

static int compare_labels(const void *left, const void *right)
{
	const struct numbered *a = left, *b = right;
	uint64_t in_a = nodes_of(&a->label), in_b = nodes_of(&b->label);

	return in_a != in_b ? (in_a > in_b ? -1 : 1) : strcmp(a->label.text, b->label.text);
}

/* Takes the labels out of their table, with their texts; sums them up; sorts them. */
static void take_labels(struct builder *builder, const struct trace *trace, struct numbered *labels, uint32_t count)
{
	for (struct label *label = builder->labels.first; label; label = label->hh.next) {
		labels[label->index] = (struct numbered){{.text = label->text, .longest = TRACE_NONE}, label->index};
		label->text = NULL;
	}
	sum_labels(trace, labels);
	for (const struct label *label = builder->labels.first; label; label = label->hh.next) {
		const struct counted *counted = (const struct counted *)label;
		struct trace_label *taken = &labels[label->index].label;

		taken->hits = counted->hits_are_counted ? counted->hits : taken->counts[TRACE_HIT];
		if ((int64_t)taken->self_ns < 0)
			taken->self_ns = 0;
	}
	qsort(labels, count, sizeof(*labels), compare_labels);
}

/* Moves the labels into the trace and numbers them anew. */
static int move_labels(struct builder *builder, struct trace *trace)
{
	uint32_t count = (uint32_t)labels_count(&builder->labels);
	struct numbered *labels = calloc((size_t)count + 1, sizeof(*labels));
	uint32_t *numbers = calloc((size_t)count + 1, sizeof(*numbers));

	trace->labels = calloc((size_t)count + 1, sizeof(*trace->labels));
	if (labels && numbers && trace->labels) {
		take_labels(builder, trace, labels, count);
		for (uint32_t i = 0; i < count; i++) {
			trace->labels[i] = labels[i].label;
			numbers[labels[i].found] = i;
		}
		for (uint32_t i = 0; i < trace->node_count; i++)
			trace->nodes[i].label = numbers[trace->nodes[i].label];
		trace->label_count = count;
	}
	free(labels);
	free(numbers);
	return trace->labels && trace->label_count == count ? 0 : out_of_memory(builder);
}

static void free_builder(struct builder *builder)
{
	nesting_free(&builder->nesting);
	labels_free(&builder->labels);
	mmp_buffer_free(&builder->buffer);
	free(builder->found);
	free(builder);
}

int trace_build(const struct mmp_reader *profile, struct trace *trace, struct error *err)
{
	static const struct counted blank;
	struct builder *builder = calloc(1, sizeof(*builder));
	struct mmp_cursor cursor = mmp_end(profile);
	size_t events = mmp_event_count(profile);
	struct mmp_event event;
	int rc = 0;

	*trace = (struct trace){0};
	if (!builder)
		return error_set(err, ENOMEM, "%s: out of memory for the trace", mmp_path(profile));
	builder->profile = profile;
	builder->err = err;
	labels_begin(&builder->labels, profile, "for the trace", &blank.label, sizeof(blank), err);
	builder->nesting.thread_size = sizeof(struct traced_thread);
	if (events >= TRACE_NONE)
		rc = error_set(err, E2BIG, "%s: a trace of %zu events is too large", mmp_path(profile), events);
	else if (!(builder->found = calloc(events + 1, sizeof(*builder->found))))
		rc = out_of_memory(builder);
	while (!rc && mmp_previous(&cursor, &event))
		rc = take_event(builder, &event);
	if (!rc)
		rc = place_threads(builder, trace);
	if (!rc)
		rc = move_nodes(builder, trace);
	if (!rc)
		rc = move_labels(builder, trace);
	free_builder(builder);
	if (rc)
		trace_free(trace);
	return rc;
}

void trace_free(struct trace *trace)
{
	for (uint32_t i = 0; i < trace->label_count; i++)
		free(trace->labels[i].text);
	free(trace->labels);
	free(trace->nodes);
	free(trace->threads);
	*trace = (struct trace){0};
}
