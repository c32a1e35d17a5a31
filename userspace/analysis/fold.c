/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The algorithm is that of measureme's analyzeme/src/stack_collapse.rs, which walks as nesting.h does. The stacks are
 * nodes of a tree here, found by their parent and label.
 */
#include "analysis/nesting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NODES ((size_t)8 << 20)
#define FIRST_SLOTS ((size_t)1 << 12)
#define BATCH 64

/* A thread, and the sum of the durations of its events that lie in no other. */
struct folded_thread {
	struct thread thread;
	uint64_t top_level_ns;
};

struct state {
	const struct mmp_reader *profile;
	struct error *err;
	struct labels labels;
	struct nesting nesting;
	struct fold_node *nodes;
	size_t node_count, node_capacity;
	/* Nodes by parent and label: open addressing, the index of a node or 0; a power of two, at most half full. */
	uint32_t *slots;
	size_t slot_count;
};

static int out_of_memory(struct state *state)
{
	return labels_out_of_memory(&state->labels);
}

static size_t slot_of(const struct state *state, uint32_t parent, uint32_t label)
{
	uint64_t key = (uint64_t)parent << 32 | label;

	/* Fibonacci hashing: the upper bits of the product depend on all of the key. */
	return (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (state->slot_count - 1);
}

static int grow_slots(struct state *state)
{
	size_t count = state->slot_count ? 2 * state->slot_count : FIRST_SLOTS;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return out_of_memory(state);
	free(state->slots);
	state->slots = slots;
	state->slot_count = count;
	for (size_t i = 1; i < state->node_count; i++) {
		size_t slot = slot_of(state, state->nodes[i].parent, state->nodes[i].label);

		while (slots[slot])
			slot = (slot + 1) & (count - 1);
		slots[slot] = (uint32_t)i;
	}
	return 0;
}

static int add_node(struct state *state, uint32_t parent, uint32_t label)
{
	if (state->node_count == MAX_NODES)
		return error_set(state->err, E2BIG, "%s: it has more than %zu million different stacks",
				 mmp_path(state->profile), MAX_NODES >> 20);
	if (state->node_count == state->node_capacity) {
		size_t capacity = state->node_capacity ? 2 * state->node_capacity : FIRST_SLOTS;
		struct fold_node *grown = reallocarray(state->nodes, capacity, sizeof(*grown));

		if (!grown)
			return out_of_memory(state);
		state->nodes = grown;
		state->node_capacity = capacity;
	}
	state->nodes[state->node_count++] = (struct fold_node){.parent = parent, .label = label};
	return 0;
}

/* The stack of one more label than `parent`; *node is its index. */
static int find_node(struct state *state, uint32_t parent, uint32_t label, uint32_t *node)
{
	size_t slot;
	int rc;

	for (slot = slot_of(state, parent, label); state->slots[slot]; slot = (slot + 1) & (state->slot_count - 1)) {
		*node = state->slots[slot];
		if (state->nodes[*node].parent == parent && state->nodes[*node].label == label)
			return 0;
	}
	*node = (uint32_t)state->node_count;
	rc = add_node(state, parent, label);
	if (rc)
		return rc;
	state->slots[slot] = *node;
	return 2 * state->node_count > state->slot_count ? grow_slots(state) : 0;
}

static int take_interval(struct state *state, const struct mmp_event *event)
{
	uint64_t duration = event->end - event->start;
	const struct label *label;
	const struct frame *frame;
	uint32_t parent = 0, node;
	int rc = 0;

	if (nesting_enter(&state->nesting, event, &frame))
		return out_of_memory(state);
	label = labels_find(&state->labels, event->id, &rc);
	if (!label)
		return rc;
	if (frame) {
		parent = frame->number;
		state->nodes[parent].self_ns -= duration;
	} else {
		((struct folded_thread *)state->nesting.thread)->top_level_ns += duration;
	}
	rc = find_node(state, parent, label->index, &node);
	if (rc)
		return rc;
	state->nodes[node].self_ns += duration;
	state->nodes[node].count++;
	if (nesting_push(&state->nesting, (struct frame){event->start, event->end, NULL, node}))
		return out_of_memory(state);
	return 0;
}

/* Moves what was found into the result. */
static int collect(struct state *state, struct fold *fold)
{
	for (const struct thread *thread = state->nesting.first; thread; thread = thread->hh.next)
		state->nodes[0].self_ns +=
		    thread->end - thread->start - ((const struct folded_thread *)thread)->top_level_ns;
	fold->labels = calloc(labels_count(&state->labels) + 1, sizeof(*fold->labels));
	if (!fold->labels)
		return out_of_memory(state);
	for (struct label *label = state->labels.first; label; label = label->hh.next) {
		fold->labels[fold->label_count++] = label->text;
		label->text = NULL;
	}
	fold->nodes = state->nodes;
	fold->node_count = state->node_count;
	state->nodes = NULL;
	return 0;
}

static void free_state(struct state *state)
{
	nesting_free(&state->nesting);
	labels_free(&state->labels);
	free(state->nodes);
	free(state->slots);
	free(state);
}

int fold_profile(const struct mmp_reader *profile, struct fold *fold, struct error *err)
{
	static const struct label blank;
	struct state *state = calloc(1, sizeof(*state));
	struct mmp_cursor cursor = mmp_end(profile);
	struct mmp_event events[BATCH];
	size_t count;
	int rc;

	*fold = (struct fold){0};
	if (!state)
		return error_set(err, ENOMEM, "%s: out of memory while folding stacks", mmp_path(profile));
	state->profile = profile;
	state->err = err;
	labels_begin(&state->labels, profile, "while folding stacks", &blank, sizeof(blank), err);
	state->nesting.thread_size = sizeof(struct folded_thread);
	rc = add_node(state, 0, 0);
	if (!rc)
		rc = grow_slots(state);
	while (!rc && (count = mmp_previous_many(&cursor, events, BATCH))) {
		for (size_t i = 0; i < count; i++)
			mmp_prefetch(profile, events[i].id);
		for (size_t i = 0; i < count && !rc; i++) {
			if (events[i].type == MMP_INTERVAL)
				rc = take_interval(state, &events[i]);
		}
	}
	if (!rc)
		rc = collect(state, fold);
	free_state(state);
	return rc;
}

void fold_free(struct fold *fold)
{
	for (size_t i = 0; i < fold->label_count; i++)
		free(fold->labels[i]);
	free(fold->labels);
	free(fold->nodes);
	*fold = (struct fold){0};
}
