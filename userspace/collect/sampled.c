/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/sampled.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/intern.h"
#include "util/trie.h"

/* A sample: 16 bytes, since there are a thousand a second. */
struct taken {
	uint64_t time;	      /* since the beginning, nanoseconds */
	uint32_t stack;	      /* in the tree */
	uint32_t thread : 29; /* in `threads` */
	uint32_t in_kernel : 1;
	uint32_t in_fault : 1;
	uint32_t incomplete : 1;
};

/* What a thread was when it was sampled: its id may be another's later on, and so may its name. */
struct owner {
	uint32_t pid, tid;
	char process[WIRE_COMM], thread[WIRE_COMM];
};

struct sampled {
	uint64_t began;
	struct trie stacks;    /* of words, the outermost first */
	struct intern threads; /* struct owner */
	struct taken *list;
	size_t count, room;
	uint64_t left_out;
};

struct sampled *sampled_new(uint64_t began)
{
	struct sampled *sampled = calloc(1, sizeof(*sampled));

	if (sampled)
		sampled->began = began;
	return sampled;
}

void sampled_free(struct sampled *sampled)
{
	if (!sampled)
		return;
	trie_free(&sampled->stacks);
	intern_free(&sampled->threads);
	free(sampled->list);
	free(sampled);
}

uint64_t sampled_left_out(const struct sampled *sampled)
{
	return sampled->left_out;
}

static bool grow(struct sampled *sampled)
{
	size_t room = sampled->room ? 2 * sampled->room : 4096;
	struct taken *grown;

	if (sampled->count < sampled->room)
		return true;
	grown = reallocarray(sampled->list, room, sizeof(*grown));
	if (!grown)
		return false;
	sampled->list = grown;
	sampled->room = room;
	return true;
}

/* The number of the sample's thread; INTERN_FAILED if memory runs out. */
static uint32_t owner_of(struct sampled *sampled, const struct wire_sample *sample)
{
	struct owner owner = {.pid = sample->header.tgid, .tid = sample->header.tid};
	uint32_t number;

	memcpy(owner.process, sample->process, strnlen(sample->process, WIRE_COMM));
	memcpy(owner.thread, sample->thread, strnlen(sample->thread, WIRE_COMM));
	number = intern_bytes(&sampled->threads, &owner, sizeof(owner));
	return number < 1u << 30 ? number : INTERN_FAILED;
}

/* Sets *stack to the sample's; false if memory runs out. */
static bool stack_of(struct sampled *sampled, const struct wire_sample *sample, uint32_t *stack)
{
	*stack = 0;
	for (size_t i = sample->header.count; i > 0; i--) {
		uint64_t word = sample->words[i - 1];

		if (WORD_KIND(word) == WORD_FRAME)
			word = WORD_MAKE(WORD_FRAME, WORD_VALUE(word) | (uint64_t)sample->compiler << 16);
		*stack = trie_child(&sampled->stacks, *stack, word);
		if (!*stack)
			return false;
	}
	return true;
}

void sampled_add(struct sampled *sampled, const struct wire_sample *sample)
{
	uint32_t thread = owner_of(sampled, sample), stack;

	if (thread == INTERN_FAILED || !grow(sampled) || !stack_of(sampled, sample, &stack)) {
		sampled->left_out++;
		return;
	}
	sampled->list[sampled->count++] = (struct taken){
	    .time = sample->time > sampled->began ? sample->time - sampled->began : 0,
	    .stack = stack,
	    .thread = thread,
	    .in_kernel = !!(sample->in_kernel & SAMPLE_IN_KERNEL),
	    .in_fault = !!(sample->in_kernel & SAMPLE_IN_FAULT),
	    .incomplete = sample->end != SAMPLE_WHOLE,
	};
}

/* ---- building ---- */

struct building {
	const struct sampled_names *names;
	struct samples_builder *builder;
	struct trie words; /* each once, in the order in which they are met, with the frame's number as their value */
};

static bool is_place(uint64_t word)
{
	return WORD_KIND(word) != WORD_FRAME && WORD_KIND(word) != WORD_NO_OBJECT;
}

/* Lists the words of all stacks. Returns false if memory runs out. */
static bool list_words(const struct sampled *sampled, struct building *building)
{
	for (size_t i = 1; i < sampled->stacks.count; i++)
		if (!trie_child(&building->words, 0, sampled->stacks.nodes[i].word))
			return false;
	return true;
}

/* The places among the words, named; to be freed with them. NULL if memory runs out. */
static struct place *name_places(const struct building *building, size_t *count)
{
	struct place *list = calloc(building->words.count + 1, sizeof(*list));

	*count = 0;
	for (size_t i = 1; list && i < building->words.count; i++) {
		uint64_t word = building->words.nodes[i].word;

		if (is_place(word))
			list[(*count)++] = (struct place){.object = WORD_KIND(word), .offset = WORD_VALUE(word)};
	}
	if (list && building->names->places(building->names->context, list, *count) == 0)
		return list;
	free(list);
	return NULL;
}

/* Sets *number to that of the frame for a word that is no place. Returns false if memory runs out. */
static bool build_other_frame(struct building *building, uint64_t word, uint32_t *number)
{
	const struct sampled_names *names = building->names;
	struct samples_frame frame = {0};
	bool named;

	if (WORD_KIND(word) == WORD_NO_OBJECT) {
		*number = samples_build_frame(building->builder, SAMPLES_FUNCTION, "[no file]", "");
		return true;
	}
	names->frame(names->context, (unsigned int)(WORD_VALUE(word) >> 16), WORD_VALUE(word) & 0xffff, &frame);
	named = frame.name && frame.object;
	if (named)
		*number = samples_build_frame(building->builder, frame.kind, frame.name, frame.object);
	free(frame.name);
	free(frame.object);
	return named;
}

/* Makes the frames of all words, and notes their numbers with them. Returns false if memory runs out. */
static bool build_frames(const struct sampled *sampled, struct building *building)
{
	bool done = list_words(sampled, building);
	size_t count = 0, next = 0;
	struct place *places = done ? name_places(building, &count) : NULL;

	for (size_t i = 1; places && done && i < building->words.count; i++) {
		struct trie_node *node = &building->words.nodes[i];

		if (!is_place(node->word))
			done = build_other_frame(building, node->word, &node->value);
		else {
			node->value = samples_build_frame(building->builder, SAMPLES_FUNCTION, places[next].function,
							  places[next].file);
			next++;
		}
	}
	for (size_t i = 0; i < count && places; i++)
		free(places[i].function);
	free(places);
	return places && done;
}

/* Makes the stacks of frames that belong to those of words. To be freed; NULL if memory runs out. */
static uint32_t *build_stacks(const struct sampled *sampled, struct building *building)
{
	const struct trie *stacks = &sampled->stacks;
	uint32_t *built = calloc(stacks->count + 1, sizeof(*built));

	if (!built || !build_frames(sampled, building)) {
		free(built);
		return NULL;
	}
	for (size_t i = 1; i < stacks->count; i++) {
		uint32_t word = trie_child(&building->words, 0, stacks->nodes[i].word);

		built[i] = samples_build_stack(building->builder, built[stacks->nodes[i].parent],
					       building->words.nodes[word].value);
	}
	return built;
}

static uint32_t build_thread(struct samples_builder *builder, const struct owner *owner)
{
	char process[WIRE_COMM + 1], thread[WIRE_COMM + 1];

	snprintf(process, sizeof(process), "%.*s", WIRE_COMM, owner->process);
	snprintf(thread, sizeof(thread), "%.*s", WIRE_COMM, owner->thread);
	return samples_build_thread(builder, owner->pid, owner->tid, process, thread);
}

static uint32_t *build_threads(const struct sampled *sampled, struct samples_builder *builder)
{
	uint32_t *threads = calloc(sampled->threads.count + 1, sizeof(*threads));
	struct owner owner;

	for (uint32_t i = 0; threads && i < sampled->threads.count; i++) {
		memcpy(&owner, intern_get(&sampled->threads, i), sizeof(owner));
		threads[i] = build_thread(builder, &owner);
	}
	return threads;
}

int sampled_build(const struct sampled *sampled, const struct sampled_names *names, struct samples_builder *builder)
{
	struct building building = {.names = names, .builder = builder};
	uint32_t *stacks = build_stacks(sampled, &building), *threads = build_threads(sampled, builder);
	int code = stacks && threads ? 0 : -ENOMEM;

	for (size_t i = 0; code == 0 && i < sampled->count; i++) {
		const struct taken *taken = &sampled->list[i];
		struct samples_sample sample = {
		    .time = taken->time,
		    .thread = threads[taken->thread],
		    .stack = stacks[taken->stack],
		    .flags = (taken->in_kernel ? SAMPLES_KERNEL : 0) | (taken->in_fault ? SAMPLES_FAULT : 0) |
			     (taken->incomplete ? SAMPLES_INCOMPLETE : 0),
		};

		samples_build_sample(builder, &sample);
	}
	trie_free(&building.words);
	free(stacks);
	free(threads);
	return code;
}
