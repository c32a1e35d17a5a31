/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/trie.h"

#include <stdbool.h>
#include <stdlib.h>

enum { FIRST_ROOM = 1024 };

/* Slots are found by open addressing; there is a power of two of them, and at most half are in use. */
static size_t slot_of(const struct trie *trie, uint32_t parent, uint64_t word)
{
	uint64_t hash = (word ^ parent * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);

	return (hash >> 32 ^ hash) & (trie->slot_count - 1);
}

static void put_slot(struct trie *trie, uint32_t number)
{
	size_t slot = slot_of(trie, trie->nodes[number].parent, trie->nodes[number].word);

	while (trie->slots[slot])
		slot = (slot + 1) & (trie->slot_count - 1);
	trie->slots[slot] = number;
}

/* Makes room for one more node. */
static bool grow(struct trie *trie)
{
	size_t room = trie->room ? 2 * trie->room : FIRST_ROOM;
	struct trie_node *nodes;
	uint32_t *slots;

	if (trie->count < trie->room)
		return true;
	slots = room < UINT32_MAX ? calloc(2 * room, sizeof(*slots)) : NULL;
	nodes = slots ? realloc(trie->nodes, room * sizeof(*nodes)) : NULL;
	if (!nodes) {
		free(slots);
		return false;
	}
	free(trie->slots);
	trie->nodes = nodes;
	trie->slots = slots;
	trie->room = room;
	trie->slot_count = 2 * room;
	if (!trie->count)
		trie->nodes[trie->count++] = (struct trie_node){0};
	for (size_t i = 1; i < trie->count; i++)
		put_slot(trie, (uint32_t)i);
	return true;
}

uint32_t trie_child(struct trie *trie, uint32_t parent, uint64_t word)
{
	size_t slot;

	if (!grow(trie))
		return 0;
	for (slot = slot_of(trie, parent, word); trie->slots[slot]; slot = (slot + 1) & (trie->slot_count - 1)) {
		const struct trie_node *there = &trie->nodes[trie->slots[slot]];

		if (there->word == word && there->parent == parent)
			return trie->slots[slot];
	}
	trie->slots[slot] = (uint32_t)trie->count;
	trie->nodes[trie->count] = (struct trie_node){word, parent, 0};
	return (uint32_t)trie->count++;
}

void trie_free(struct trie *trie)
{
	free(trie->nodes);
	free(trie->slots);
	*trie = (struct trie){0};
}
