/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/sampled.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A word of a kind that samples do not have: the number of a text. */
#define WORD_TEXT 0xfffe

/* The deepest stack: a sample's words, the process, the thread, and what is said of the sample. */
enum { MAX_PATH = WIRE_MAX_WORDS + 4 };

struct key {
	uint64_t word;
	uint64_t parent;
};

struct node {
	struct key key;
	uint32_t count; /* of stacks that end here */
};

/* Nodes by number; the root is 0, and a parent's number is below its children's. */
struct tree {
	struct node *nodes;
	size_t count, room;
	/* Numbers of nodes by key, or 0: open addressing; a power of two, at most half full. */
	uint32_t *slots;
	size_t slot_count;
};

struct text {
	char *text;
	uint32_t number;
	UT_hash_handle hh;
};

/* Texts by number and by themselves. */
struct texts {
	struct text **list;
	size_t count, room;
	struct text *table;
};

struct sampled {
	struct tree tree;
	struct texts texts;
	uint64_t left_out;
};

/* ---- trees ---- */

static size_t slot_of(const struct tree *tree, const struct key *key)
{
	uint64_t hash = (key->word ^ key->parent * 0xff51afd7ed558ccd) * 0x9e3779b97f4a7c15;

	return (hash >> 32 ^ hash) & (tree->slot_count - 1);
}

static void put_slot(struct tree *tree, uint32_t number)
{
	size_t slot = slot_of(tree, &tree->nodes[number].key);

	while (tree->slots[slot])
		slot = (slot + 1) & (tree->slot_count - 1);
	tree->slots[slot] = number;
}

/* Makes room for one more node. */
static bool tree_grow(struct tree *tree)
{
	size_t room = tree->room ? 2 * tree->room : 1024;
	struct node *nodes;
	uint32_t *slots;

	if (tree->count < tree->room)
		return true;
	slots = room < UINT32_MAX ? calloc(2 * room, sizeof(*slots)) : NULL;
	nodes = slots ? realloc(tree->nodes, room * sizeof(*nodes)) : NULL;
	if (!nodes) {
		free(slots);
		return false;
	}
	free(tree->slots);
	tree->nodes = nodes;
	tree->slots = slots;
	tree->room = room;
	tree->slot_count = 2 * room;
	if (!tree->count)
		tree->nodes[tree->count++] = (struct node){0};
	for (size_t i = 1; i < tree->count; i++)
		put_slot(tree, (uint32_t)i);
	return true;
}

/* The child of `parent` with this word, made if it is not there; 0 if memory runs out. */
static uint32_t child_of(struct tree *tree, uint32_t parent, uint64_t word)
{
	struct key key = {word, parent};
	size_t slot;

	if (!tree_grow(tree))
		return 0;
	for (slot = slot_of(tree, &key); tree->slots[slot]; slot = (slot + 1) & (tree->slot_count - 1)) {
		const struct key *there = &tree->nodes[tree->slots[slot]].key;

		if (there->word == word && there->parent == parent)
			return tree->slots[slot];
	}
	tree->slots[slot] = (uint32_t)tree->count;
	tree->nodes[tree->count] = (struct node){key, 0};
	return (uint32_t)tree->count++;
}

static void tree_free(struct tree *tree)
{
	free(tree->nodes);
	free(tree->slots);
}

/* ---- texts ---- */

/* The text's number; UINT32_MAX if memory runs out. */
static uint32_t text_number(struct texts *texts, const char *text)
{
	struct text *found;

	HASH_FIND_STR(texts->table, text, found);
	if (found)
		return found->number;
	if (texts->count == texts->room) {
		size_t room = texts->room ? 2 * texts->room : 64;
		struct text **grown = realloc(texts->list, room * sizeof(*grown));

		if (!grown)
			return UINT32_MAX;
		texts->list = grown;
		texts->room = room;
	}
	found = calloc(1, sizeof(*found));
	if (!found)
		return UINT32_MAX;
	found->text = strdup(text);
	found->number = (uint32_t)texts->count;
	if (!found->text) {
		free(found);
		return UINT32_MAX;
	}
	HASH_ADD_KEYPTR(hh, texts->table, found->text, strlen(found->text), found);
	texts->list[texts->count++] = found;
	return found->number;
}

static void texts_free(struct texts *texts)
{
	HASH_CLEAR(hh, texts->table);
	for (size_t i = 0; i < texts->count; i++) {
		free(texts->list[i]->text);
		free(texts->list[i]);
	}
	free(texts->list);
}

/* ---- counting ---- */

struct sampled *sampled_new(void)
{
	return calloc(1, sizeof(struct sampled));
}

void sampled_free(struct sampled *sampled)
{
	if (!sampled)
		return;
	tree_free(&sampled->tree);
	texts_free(&sampled->texts);
	free(sampled);
}

uint64_t sampled_left_out(const struct sampled *sampled)
{
	return sampled->left_out;
}

/* Goes on to the child of *node; false if memory runs out. */
static bool descend(struct sampled *sampled, uint32_t *node, uint64_t word)
{
	*node = child_of(&sampled->tree, *node, word);
	return *node != 0;
}

static bool descend_to_text(struct sampled *sampled, uint32_t *node, const char *text)
{
	uint32_t number = text_number(&sampled->texts, text);

	return number != UINT32_MAX && descend(sampled, node, WORD_MAKE(WORD_TEXT, number));
}

static bool add(struct sampled *sampled, const struct wire_sample *sample)
{
	char process[WIRE_COMM + 16], thread[WIRE_COMM + 1];
	uint32_t node = 0;

	snprintf(process, sizeof(process), "%.*s-%u", WIRE_COMM, sample->process, sample->header.tgid);
	snprintf(thread, sizeof(thread), "%.*s", WIRE_COMM, sample->thread);
	if (!descend_to_text(sampled, &node, process) || !descend_to_text(sampled, &node, thread) ||
	    (sample->end != SAMPLE_WHOLE && !descend_to_text(sampled, &node, "[incomplete]")))
		return false;
	for (size_t i = sample->header.count; i > 0; i--) {
		uint64_t word = sample->words[i - 1];

		if (WORD_KIND(word) == WORD_FRAME)
			word = WORD_MAKE(WORD_FRAME, WORD_VALUE(word) | (uint64_t)sample->compiler << 16);
		if (!descend(sampled, &node, word))
			return false;
	}
	if (sample->in_kernel && !descend_to_text(sampled, &node, "[kernel]"))
		return false;
	sampled->tree.nodes[node].count++;
	return true;
}

void sampled_add(struct sampled *sampled, const struct wire_sample *sample)
{
	sampled->left_out += !add(sampled, sample);
}

/* ---- writing ---- */

/* The number of a word's name, by the word. */
struct word_name {
	uint64_t word;
	uint32_t number;
	UT_hash_handle hh;
};

struct writer {
	const struct sampled *sampled;
	const struct sampled_names *names;
	struct texts texts;
	struct word_name *known;
	struct tree tree; /* of names */
};

static char *name_of(const struct writer *writer, uint64_t word)
{
	const struct sampled_names *names = writer->names;

	switch (WORD_KIND(word)) {
	case WORD_TEXT:
		return strdup(writer->sampled->texts.list[WORD_VALUE(word)]->text);
	case WORD_FRAME:
		return names->frame(names->context, (unsigned int)(WORD_VALUE(word) >> 16), WORD_VALUE(word) & 0xffff);
	case WORD_NO_OBJECT:
		return strdup("[no file]");
	default:
		return names->place(names->context, WORD_KIND(word), WORD_VALUE(word));
	}
}

/* What separates names and lines in the output stands in none. */
static void make_plain(char *name)
{
	for (; (name = strpbrk(name, ";\n")); name++)
		*name = *name == ';' ? ',' : ' ';
}

/* The number of the name that the word has; UINT32_MAX if memory runs out. */
static uint32_t name_number(struct writer *writer, uint64_t word)
{
	struct word_name *found;
	char *name;

	HASH_FIND(hh, writer->known, &word, sizeof(word), found);
	if (found)
		return found->number;
	found = calloc(1, sizeof(*found));
	name = found ? name_of(writer, word) : NULL;
	if (!name) {
		free(found);
		return UINT32_MAX;
	}
	make_plain(name);
	found->word = word;
	found->number = text_number(&writer->texts, name);
	free(name);
	HASH_ADD(hh, writer->known, word, sizeof(found->word), found);
	return found->number;
}

/* Makes the tree of names out of that of words. False if memory runs out. */
static bool name_nodes(struct writer *writer)
{
	const struct tree *tree = &writer->sampled->tree;
	uint32_t *named = calloc(tree->count + 1, sizeof(*named));
	size_t i;

	for (i = 1; named && i < tree->count; i++) {
		uint32_t number = name_number(writer, tree->nodes[i].key.word);

		named[i] = number == UINT32_MAX ? 0 : child_of(&writer->tree, named[tree->nodes[i].key.parent], number);
		if (!named[i])
			break;
		writer->tree.nodes[named[i]].count += tree->nodes[i].count;
	}
	free(named);
	return named && i >= tree->count;
}

static void write_stack(const struct writer *writer, uint32_t node, FILE *out)
{
	uint32_t path[MAX_PATH], count = writer->tree.nodes[node].count;
	size_t length = 0;

	for (; node; node = (uint32_t)writer->tree.nodes[node].key.parent)
		path[length++] = (uint32_t)writer->tree.nodes[node].key.word;
	while (length--)
		fprintf(out, "%s%c", writer->texts.list[path[length]]->text, length ? ';' : ' ');
	fprintf(out, "%u\n", count);
}

int sampled_write(const struct sampled *sampled, const struct sampled_names *names, FILE *out)
{
	struct writer writer = {.sampled = sampled, .names = names};
	struct word_name *known, *next;
	bool named = name_nodes(&writer);

	for (size_t i = 1; named && i < writer.tree.count; i++)
		if (writer.tree.nodes[i].count)
			write_stack(&writer, (uint32_t)i, out);
	HASH_ITER(hh, writer.known, known, next)
	{
		HASH_DEL(writer.known, known);
		free(known);
	}
	texts_free(&writer.texts);
	tree_free(&writer.tree);
	return named ? 0 : -ENOMEM;
}
