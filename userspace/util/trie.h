/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sequences of words with common beginnings, as a tree. */
#ifndef QUERYTAP_UTIL_TRIE_H
#define QUERYTAP_UTIL_TRIE_H

#include <stddef.h>
#include <stdint.h>

/* A sequence: its parent's and one word more. */
struct trie_node {
	uint64_t word;
	uint32_t parent;
	uint32_t value; /* the caller's; 0 at first */
};

/*
 * Nodes by number, of which there are `count` once there is any child; number 0 is the empty sequence, and a parent's
 * number is below its children's. Zero it to begin; free it with trie_free.
 */
struct trie {
	struct trie_node *nodes;
	size_t count, room;
	uint32_t *slots; /* private: numbers of nodes by parent and word */
	size_t slot_count;
};

/* The number of the child of `parent` with this word, made if it is not there; 0 if memory runs out. */
uint32_t trie_child(struct trie *trie, uint32_t parent, uint64_t word);

/* Frees what it holds, and zeroes it. */
void trie_free(struct trie *trie);

#endif
