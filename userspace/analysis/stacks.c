/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Events are stored in the order of their end, so walking backwards meets a parent before its children, and a stack for
 * each thread says which event an event lies in: the same walk as summarize_profile's, but into a tree.
 */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* uthash exits when out of memory unless told otherwise; an element that could not be added has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAX_NODES ((size_t)8 << 20)
#define RECENT_LABELS 1024

struct label {
	char *text;
	size_t number; /* set when the result is made; SIZE_MAX until then */
	UT_hash_handle hh;
};

struct node {
	struct {
		const struct node *parent;
		const struct label *label;
	} key;
	struct node *next_sibling, *children;
	struct stack_node figures; /* self_ns is a difference, which may fall below zero */
	UT_hash_handle hh;
};

struct frame {
	uint64_t start, end;
	struct node *node;
};

struct thread {
	uint32_t id;
	struct frame *stack;
	size_t depth, capacity;
	UT_hash_handle hh;
};

struct state {
	const struct mmp_reader *profile;
	struct error *err;
	struct mmp_buffer buffer;
	struct label *labels;
	struct thread *threads, *thread;
	struct node *nodes;
	struct node root;
	size_t node_count;
	/* Labels found lately, by where they lie in the profile. */
	struct {
		struct mmp_text text;
		struct label *label;
	} recent[RECENT_LABELS];
};

static int out_of_memory(struct state *state)
{
	return error_set(state->err, ENOMEM, "%s: out of memory while merging stacks", mmp_path(state->profile));
}

static struct label *add_label(struct state *state, const struct mmp_text *text)
{
	struct label *label = calloc(1, sizeof(*label));

	if (label)
		label->text = strndup(text->bytes, text->size);
	if (label && label->text) {
		label->number = SIZE_MAX;
		HASH_ADD_KEYPTR(hh, state->labels, label->text, text->size, label);
		if (label->hh.tbl)
			return label;
		free(label->text);
	}
	free(label);
	return NULL;
}

/* The label of an event; NULL on failure, then *rc says why. */
static struct label *find_label(struct state *state, uint64_t id, int *rc)
{
	struct label *label = NULL;
	struct mmp_error err;
	struct mmp_text text;
	size_t slot;

	*rc = mmp_label_of(state->profile, id, &state->buffer, &text, &err);
	if (*rc) {
		error_set(state->err, *rc, "%s", err.text);
		return NULL;
	}
	slot = ((uintptr_t)text.bytes >> 3 ^ (uintptr_t)text.bytes >> 13) % RECENT_LABELS;
	if (state->recent[slot].text.bytes == text.bytes && state->recent[slot].text.size == text.size)
		return state->recent[slot].label;
	HASH_FIND(hh, state->labels, text.bytes, text.size, label);
	if (!label)
		label = add_label(state, &text);
	if (!label) {
		*rc = out_of_memory(state);
		return NULL;
	}
	if (text.bytes != state->buffer.bytes) {
		state->recent[slot].text = text;
		state->recent[slot].label = label;
	}
	return label;
}

static int find_thread(struct state *state, uint32_t id)
{
	struct thread *thread = state->thread;

	if (thread && thread->id == id)
		return 0;
	HASH_FIND(hh, state->threads, &id, sizeof(id), thread);
	if (!thread) {
		thread = calloc(1, sizeof(*thread));
		if (!thread)
			return out_of_memory(state);
		thread->id = id;
		HASH_ADD(hh, state->threads, id, sizeof(thread->id), thread);
		if (!thread->hh.tbl) {
			free(thread);
			return out_of_memory(state);
		}
	}
	state->thread = thread;
	return 0;
}

/* The node of a label below a parent; NULL on failure, then *rc says why. */
static struct node *find_node(struct state *state, struct node *parent, const struct label *label, int *rc)
{
	struct node *node = NULL, key = {.key = {parent, label}};

	HASH_FIND(hh, state->nodes, &key.key, sizeof(key.key), node);
	if (node)
		return node;
	if (state->node_count == MAX_NODES) {
		*rc = error_set(state->err, E2BIG, "%s: its stacks merge to more than %zu million nodes",
				mmp_path(state->profile), MAX_NODES >> 20);
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (node) {
		node->key = key.key;
		HASH_ADD(hh, state->nodes, key, sizeof(node->key), node);
		if (!node->hh.tbl) {
			free(node);
			node = NULL;
		}
	}
	if (!node) {
		*rc = out_of_memory(state);
		return NULL;
	}
	node->next_sibling = parent->children;
	parent->children = node;
	state->node_count++;
	return node;
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

static int take_interval(struct state *state, const struct mmp_event *event)
{
	uint64_t duration = event->end - event->start;
	struct node *parent = &state->root, *node;
	struct label *label;
	struct thread *thread;
	int rc = find_thread(state, event->thread);

	if (rc)
		return rc;
	label = find_label(state, event->id, &rc);
	if (!label)
		return rc;
	thread = state->thread;
	while (thread->depth) {
		const struct frame *top = &thread->stack[thread->depth - 1];

		if (top->start <= event->start && event->end <= top->end) {
			parent = top->node;
			break;
		}
		thread->depth--;
	}
	node = find_node(state, parent, label, &rc);
	if (!node)
		return rc;
	node->figures.total_ns += duration;
	node->figures.self_ns += duration;
	node->figures.count++;
	if (parent == &state->root)
		parent->figures.total_ns += duration;
	else
		parent->figures.self_ns -= duration;
	return push(state, (struct frame){event->start, event->end, node});
}

/* Siblings by falling total time, then by label. */
static int by_total(const void *left, const void *right)
{
	const struct node *a = *(const struct node *const *)left, *b = *(const struct node *const *)right;

	if (a->figures.total_ns != b->figures.total_ns)
		return a->figures.total_ns > b->figures.total_ns ? -1 : 1;
	return strcmp(a->key.label->text, b->key.label->text);
}

/* Appends those children of queue[parent] that are to be shown to the queue. */
static void append_children(struct node **queue, size_t *count, size_t parent, uint64_t least)
{
	size_t first = *count;

	for (struct node *child = queue[parent]->children; child; child = child->next_sibling) {
		if (child->figures.total_ns < least)
			continue;
		child->figures.parent = parent;
		queue[(*count)++] = child;
	}
	qsort(queue + first, *count - first, sizeof(*queue), by_total);
}

/* Numbers the labels that are used and moves their texts into the result. */
static void move_label(struct stacks *stacks, struct node *node)
{
	struct label *label = (struct label *)node->key.label;

	if (label->number == SIZE_MAX) {
		label->number = stacks->label_count;
		stacks->labels[stacks->label_count++] = label->text;
		label->text = NULL;
	}
	node->figures.label = label->number;
}

/* The tree, breadth first, without what is below `least`. */
static int collect(struct state *state, uint64_t least, struct stacks *stacks)
{
	struct node **queue = calloc(state->node_count + 1, sizeof(struct node *));
	size_t count = 1;

	stacks->labels = calloc(HASH_COUNT(state->labels) + 1, sizeof(*stacks->labels));
	if (queue && stacks->labels) {
		queue[0] = &state->root;
		for (size_t i = 0; i < count; i++)
			append_children(queue, &count, i, least);
		stacks->nodes = calloc(count, sizeof(*stacks->nodes));
	}
	if (!stacks->nodes) {
		free(queue);
		return out_of_memory(state);
	}
	for (size_t i = 0; i < count; i++) {
		if (i)
			move_label(stacks, queue[i]);
		stacks->nodes[i] = queue[i]->figures;
		if ((int64_t)stacks->nodes[i].self_ns < 0)
			stacks->nodes[i].self_ns = 0;
	}
	stacks->node_count = count;
	stacks->pruned_count = state->node_count + 1 - count;
	free(queue);
	return 0;
}

/* Clearing a table leaves its elements linked. */
static void free_state(struct state *state)
{
	struct thread *thread = state->threads, *next_thread;
	struct label *label = state->labels, *next_label;
	struct node *node = state->nodes, *next_node;

	HASH_CLEAR(hh, state->threads);
	for (; thread; thread = next_thread) {
		next_thread = thread->hh.next;
		free(thread->stack);
		free(thread);
	}
	HASH_CLEAR(hh, state->labels);
	for (; label; label = next_label) {
		next_label = label->hh.next;
		free(label->text);
		free(label);
	}
	HASH_CLEAR(hh, state->nodes);
	for (; node; node = next_node) {
		next_node = node->hh.next;
		free(node);
	}
	mmp_buffer_free(&state->buffer);
	free(state);
}

int stacks_merge(const struct mmp_reader *profile, double prune, struct stacks *stacks, struct error *err)
{
	struct state *state = calloc(1, sizeof(*state));
	struct mmp_cursor cursor = mmp_end(profile);
	struct mmp_event event;
	int rc = 0;

	*stacks = (struct stacks){0};
	if (!state)
		return error_set(err, ENOMEM, "%s: out of memory while merging stacks", mmp_path(profile));
	state->profile = profile;
	state->err = err;
	while (!rc && mmp_previous(&cursor, &event)) {
		if (event.type != MMP_INTEGER && event.end > stacks->end_ns)
			stacks->end_ns = event.end;
		if (event.type == MMP_INTERVAL)
			rc = take_interval(state, &event);
	}
	if (!rc)
		rc = collect(state, (uint64_t)(prune * (double)state->root.figures.total_ns), stacks);
	free_state(state);
	if (rc)
		stacks_free(stacks);
	return rc;
}

void stacks_free(struct stacks *stacks)
{
	for (size_t i = 0; i < stacks->label_count; i++)
		free(stacks->labels[i]);
	free(stacks->labels);
	free(stacks->nodes);
	*stacks = (struct stacks){0};
}
