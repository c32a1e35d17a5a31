/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The stacks of fold_profile with their total times, without the small ones, and in the order of struct stacks. */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a node of the fold stands in the tree. The root is nobody's child or sibling, so its index means none. */
struct branch {
	uint64_t total_ns;
	uint32_t first_child, next_sibling;
	uint32_t parent; /* place in the queue */
};

struct state {
	struct fold fold;
	struct branch *branches; /* of each node */
	uint32_t *queue;	 /* the nodes that are shown, breadth first */
	size_t *numbers;	 /* of the labels in the result; SIZE_MAX if it does not have them yet */
};

/* A total is the self time and the children's totals, exactly so where events overlap and a self time is below zero. */
static void link_branches(struct state *state)
{
	for (size_t i = state->fold.node_count; i-- > 1;) {
		const struct fold_node *node = &state->fold.nodes[i];
		struct branch *branch = &state->branches[i], *parent = &state->branches[node->parent];

		branch->total_ns += node->self_ns;
		branch->next_sibling = parent->first_child;
		parent->first_child = (uint32_t)i;
		parent->total_ns += branch->total_ns;
	}
}

/* Siblings by falling total time, then by label. */
static int by_total(const void *left, const void *right, void *context)
{
	const struct state *state = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	uint64_t total_a = state->branches[a].total_ns, total_b = state->branches[b].total_ns;

	if (total_a != total_b)
		return total_a > total_b ? -1 : 1;
	return strcmp(state->fold.labels[state->fold.nodes[a].label], state->fold.labels[state->fold.nodes[b].label]);
}

/* Appends those children of queue[parent] that are to be shown to the queue. */
static void append_children(struct state *state, size_t *count, size_t parent, uint64_t least)
{
	size_t first = *count;
	struct branch *child;

	for (uint32_t i = state->branches[state->queue[parent]].first_child; i; i = child->next_sibling) {
		child = &state->branches[i];
		if (child->total_ns < least)
			continue;
		child->parent = (uint32_t)parent;
		state->queue[(*count)++] = i;
	}
	qsort_r(state->queue + first, *count - first, sizeof(*state->queue), by_total, state);
}

/* The number of a label in the result, which takes over the text of one that is new to it. */
static size_t take_label(struct state *state, uint32_t label, struct stacks *stacks)
{
	if (state->numbers[label] == SIZE_MAX) {
		state->numbers[label] = stacks->label_count;
		stacks->labels[stacks->label_count++] = state->fold.labels[label];
		state->fold.labels[label] = NULL;
	}
	return state->numbers[label];
}

static void take_nodes(struct state *state, struct stacks *stacks)
{
	stacks->nodes[0].total_ns = state->branches[0].total_ns;
	for (size_t i = 1; i < stacks->node_count; i++) {
		const struct branch *branch = &state->branches[state->queue[i]];
		const struct fold_node *node = &state->fold.nodes[state->queue[i]];

		stacks->nodes[i] = (struct stack_node){
		    .parent = branch->parent,
		    .label = take_label(state, node->label, stacks),
		    .total_ns = branch->total_ns,
		    .self_ns = (int64_t)node->self_ns < 0 ? 0 : node->self_ns,
		    .count = node->count,
		};
	}
}

/* The tree, breadth first, without what is below the share `prune` of the whole. */
static int collect(struct state *state, double prune, struct stacks *stacks)
{
	size_t node_count = state->fold.node_count, label_count = state->fold.label_count, shown = 1;
	uint64_t least;

	state->branches = calloc(node_count, sizeof(*state->branches));
	state->queue = calloc(node_count, sizeof(*state->queue));
	state->numbers = malloc((label_count + 1) * sizeof(*state->numbers));
	stacks->labels = calloc(label_count + 1, sizeof(*stacks->labels));
	if (!state->branches || !state->queue || !state->numbers || !stacks->labels)
		return -ENOMEM;
	memset(state->numbers, 0xFF, label_count * sizeof(*state->numbers));
	link_branches(state);
	least = (uint64_t)(prune * (double)state->branches[0].total_ns);
	for (size_t i = 0; i < shown; i++)
		append_children(state, &shown, i, least);
	stacks->nodes = calloc(shown, sizeof(*stacks->nodes));
	if (!stacks->nodes)
		return -ENOMEM;
	stacks->node_count = shown;
	stacks->pruned_count = node_count - shown;
	take_nodes(state, stacks);
	return 0;
}

static uint64_t last_end(const struct mmp_reader *profile)
{
	struct mmp_cursor cursor = mmp_end(profile);
	struct mmp_event event;
	uint64_t end = 0;

	while (mmp_previous(&cursor, &event)) {
		if (event.type != MMP_INTEGER && event.end > end)
			end = event.end;
	}
	return end;
}

int stacks_merge(const struct mmp_reader *profile, double prune, struct stacks *stacks, struct error *err)
{
	struct state state = {0};
	int rc = fold_profile(profile, &state.fold, err);

	*stacks = (struct stacks){0};
	if (rc)
		return rc;
	stacks->end_ns = last_end(profile);
	if (collect(&state, prune, stacks))
		rc = error_set(err, ENOMEM, "%s: out of memory while merging stacks", mmp_path(profile));
	free(state.branches);
	free(state.queue);
	free(state.numbers);
	fold_free(&state.fold);
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
