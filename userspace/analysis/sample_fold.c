/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Samples as folded stacks: counted by thread and stack first, so that each stack of a thread is walked once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sampling.h"
#include "util/intern.h"
#include "util/trie.h"

#define MAX_NODES ((size_t)32 << 20)

/* Where a stack is in the tree, for one thread: with the functions within its innermost query, and without. */
struct place {
	uint32_t group; /* for which this holds; 0: for none */
	uint32_t queries, whole;
};

struct state {
	const struct samples *samples;
	bool whole;
	struct samples_sample *sorted; /* by thread, whether complete, stack, and whether in the kernel */
	uint32_t *labels;	       /* of frames */
	struct place *places;	       /* of stacks */
	uint32_t *path;		       /* stacks on the way to one */
	struct intern texts;
	struct trie tree; /* of labels; a node's value is how many samples end there */
	uint32_t groups;
	bool failed; /* out of memory, or of nodes */
};

static int by_place(const void *left, const void *right)
{
	const struct samples_sample *a = left, *b = right;
	uint32_t a_incomplete = a->flags & SAMPLES_INCOMPLETE, b_incomplete = b->flags & SAMPLES_INCOMPLETE;

	if (a->thread != b->thread)
		return a->thread < b->thread ? -1 : 1;
	if (a_incomplete != b_incomplete)
		return a_incomplete < b_incomplete ? -1 : 1;
	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	return (a->flags > b->flags) - (a->flags < b->flags);
}

/* The number of a label, in which nothing stands that separates labels and lines. */
static uint32_t label_number(struct state *state, const char *format, const char *text)
{
	uint32_t number = INTERN_FAILED;
	char *label;

	if (asprintf(&label, format, text) >= 0) {
		for (char *at = label; (at = strpbrk(at, ";\n\r")); at++)
			*at = *at == ';' ? ',' : ' ';
		number = intern_text(&state->texts, label);
		free(label);
	}
	state->failed |= number == INTERN_FAILED;
	return number;
}

static uint32_t child(struct state *state, uint32_t parent, uint32_t label)
{
	bool full = state->tree.count >= MAX_NODES;
	uint32_t node = state->failed || full ? 0 : trie_child(&state->tree, parent, label);

	state->failed |= !node;
	return node;
}

/* The node below which the stacks of the sample's thread are. */
static uint32_t group_of(struct state *state, const struct samples_sample *sample)
{
	const struct samples_thread *thread = &state->samples->threads[sample->thread];
	char *process;
	uint32_t node;

	if (asprintf(&process, "%s-%u", thread->process, thread->pid) < 0) {
		state->failed = true;
		return 0;
	}
	node = child(state, 0, label_number(state, "%s", process));
	free(process);
	node = child(state, node, label_number(state, "%s", thread->name));
	if (sample->flags & SAMPLES_INCOMPLETE)
		node = child(state, node, label_number(state, "%s", "[incomplete]"));
	return node;
}

/* Finds the place of a stack whose parent's is known. */
static void find_place(struct state *state, uint32_t stack)
{
	const struct samples_stack *from = &state->samples->stacks[stack];
	const struct place *parent = &state->places[from->parent];
	struct place *place = &state->places[stack];
	bool is_function = state->samples->frames[from->frame].kind == SAMPLES_FUNCTION;

	place->group = state->groups;
	place->queries = parent->queries;
	if (is_function || state->whole)
		place->whole = child(state, parent->whole, state->labels[from->frame]);
	else
		place->whole = place->queries = child(state, parent->queries, state->labels[from->frame]);
}

/* The node of a stack, in the group whose node is place number 0's. */
static uint32_t node_of(struct state *state, uint32_t stack)
{
	size_t length = 0;

	for (uint32_t at = stack; state->places[at].group != state->groups; at = state->samples->stacks[at].parent)
		state->path[length++] = at;
	while (length--)
		find_place(state, state->path[length]);
	return state->places[stack].whole;
}

static void count_samples(struct state *state)
{
	const struct samples_sample *last = NULL;
	uint32_t kernel = label_number(state, "%s", "[kernel]"), node = 0;

	for (size_t i = 0; i < state->samples->sample_count && !state->failed; i++) {
		const struct samples_sample *sample = &state->sorted[i];
		bool is_new =
		    !last || last->thread != sample->thread || (last->flags ^ sample->flags) & SAMPLES_INCOMPLETE;

		if (is_new) {
			uint32_t group = group_of(state, sample);

			state->places[0] = (struct place){++state->groups, group, group};
		}
		if (is_new || last->stack != sample->stack || last->flags != sample->flags) {
			node = node_of(state, sample->stack);
			if (sample->flags & SAMPLES_KERNEL)
				node = child(state, node, kernel);
		}
		if (!state->failed)
			state->tree.nodes[node].value++;
		last = sample;
	}
}

static void prepare(struct state *state)
{
	const struct samples *samples = state->samples;

	state->sorted = calloc(samples->sample_count + 1, sizeof(*state->sorted));
	state->labels = calloc(samples->frame_count + 1, sizeof(*state->labels));
	state->places = calloc(samples->stack_count, sizeof(*state->places));
	state->path = calloc(samples->stack_count, sizeof(*state->path));
	state->failed = !state->sorted || !state->labels || !state->places || !state->path;
	if (state->failed)
		return;
	if (samples->sample_count) {
		memcpy(state->sorted, samples->samples, samples->sample_count * sizeof(*state->sorted));
		qsort(state->sorted, samples->sample_count, sizeof(*state->sorted), by_place);
	}
	for (size_t i = 0; i < samples->frame_count; i++) {
		const struct samples_frame *frame = &samples->frames[i];

		state->labels[i] = label_number(state, frame->kind == SAMPLES_FUNCTION ? "%s" : "[%s]", frame->name);
	}
}

/* Copies the tree and its labels into the result; false if memory runs out. */
static bool collect(const struct state *state, struct fold *fold)
{
	const struct trie *tree = &state->tree;

	fold->root = "all";
	fold->unit = "samples";
	fold->node_count = tree->count ? tree->count : 1;
	fold->nodes = calloc(fold->node_count, sizeof(*fold->nodes));
	fold->labels = calloc(state->texts.count + 1, sizeof(*fold->labels));
	if (!fold->nodes || !fold->labels)
		return false;
	for (size_t i = 0; i < tree->count; i++) {
		const struct trie_node *node = &tree->nodes[i];

		fold->nodes[i] = (struct fold_node){node->parent, (uint32_t)node->word, node->value, node->value};
	}
	for (; fold->label_count < state->texts.count; fold->label_count++) {
		fold->labels[fold->label_count] = strdup(intern_get(&state->texts, (uint32_t)fold->label_count));
		if (!fold->labels[fold->label_count])
			return false;
	}
	return true;
}

int samples_fold(const struct samples *samples, bool whole, struct fold *fold, struct error *err)
{
	struct state state = {.samples = samples, .whole = whole};
	bool full;

	*fold = (struct fold){0};
	prepare(&state);
	if (!state.failed)
		count_samples(&state);
	if (!state.failed && !collect(&state, fold))
		state.failed = true;
	full = state.tree.count >= MAX_NODES;
	free(state.sorted);
	free(state.labels);
	free(state.places);
	free(state.path);
	intern_free(&state.texts);
	trie_free(&state.tree);
	if (!state.failed)
		return 0;
	fold_free(fold);
	if (full)
		return error_set(err, E2BIG, "the samples have more than %zu million different stacks",
				 MAX_NODES >> 20);
	return error_set(err, ENOMEM, "out of memory while folding samples");
}
