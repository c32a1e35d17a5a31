/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Prints what a profile holds as the stand-in compiler prints what it did (tests/fixtures/standin/tree.h), for the
 * comparison of the two.
 *
 * usage: fold PROFILE
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmprofdata/mmprofdata.h"
#include "tests/fixtures/standin/tree.h"

/* An interval that is known to be around the next one read, unless that starts earlier. */
struct open_interval {
	uint64_t start;
	struct tree *node;
};

struct thread {
	uint32_t id;
	struct tree root;
	struct open_interval *open;
	size_t depth, room;
};

struct profile {
	struct thread **threads;
	size_t count;
};

static void __attribute__((noreturn)) die(const char *text)
{
	fprintf(stderr, "fold: %s\n", text);
	exit(2);
}

static void *must(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

static struct thread *thread_of(struct profile *profile, uint32_t id)
{
	for (size_t i = 0; i < profile->count; i++)
		if (profile->threads[i]->id == id)
			return profile->threads[i];
	profile->threads = must(reallocarray(profile->threads, profile->count + 1, sizeof(*profile->threads)));
	profile->threads[profile->count] = must(calloc(1, sizeof(struct thread)));
	profile->threads[profile->count]->id = id;
	return profile->threads[profile->count++];
}

/* Takes the intervals of a thread from the last end to the first: each comes after those around it. */
static void add_interval(struct profile *profile, const struct mmp_event *event, const char *name)
{
	struct thread *thread = thread_of(profile, event->thread);
	struct tree *parent = &thread->root;

	while (thread->depth && thread->open[thread->depth - 1].start > event->start)
		thread->depth--;
	if (thread->depth)
		parent = thread->open[thread->depth - 1].node;
	if (thread->depth == thread->room) {
		thread->room = thread->room ? thread->room * 2 : 64;
		thread->open = must(reallocarray(thread->open, thread->room, sizeof(*thread->open)));
	}
	parent = tree_below(parent, name);
	parent->count++;
	thread->open[thread->depth++] = (struct open_interval){event->start, parent};
}

static void copy_text(struct mmp_text text, char copy[TREE_NAME])
{
	snprintf(copy, TREE_NAME, "%.*s", (int)text.size, text.bytes);
}

/* What the tree calls an event, by kind, label and argument, of which there is one at most. */
static void name_event(const struct mmp_reader *reader, const struct mmp_event *event, struct mmp_buffer *buffer,
		       char name[TREE_NAME])
{
	char kind[TREE_NAME], label[TREE_NAME], argument[TREE_NAME];
	struct mmp_text text, arguments, first;
	struct mmp_error err;
	bool has_argument;

	if (mmp_text_of(reader, event->kind, buffer, &text, &err) < 0)
		die(err.text);
	copy_text(text, kind);
	if (mmp_event_text_of(reader, event->id, buffer, &text, &arguments, &err) < 0)
		die(err.text);
	copy_text(text, label);
	has_argument = mmp_next_argument(&arguments, &first);
	if (has_argument)
		copy_text(first, argument);
	tree_name(kind, label, has_argument ? argument : NULL, name);
}

static void read_events(const struct mmp_reader *reader, struct profile *profile)
{
	struct mmp_cursor cursor = mmp_end(reader);
	struct mmp_buffer buffer = {0};
	struct mmp_event event;
	char name[TREE_NAME];

	while (mmp_previous(&cursor, &event)) {
		if (event.type != MMP_INTERVAL)
			die("an event that is no interval");
		name_event(reader, &event, &buffer, name);
		add_interval(profile, &event, name);
	}
	mmp_buffer_free(&buffer);
}

static uint64_t number(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		die("the metadata lacks a number");
	return (uint64_t)json_integer_value(value);
}

/* CRATE of a path that ends in CRATE-NNNNNNN.mm_profdata or CRATE-NNNNNNN-N.mm_profdata; to be freed. */
static char *crate_of(const char *path)
{
	const char *name = strrchr(path, '/');
	const char *dash;

	name = name ? name + 1 : path;
	dash = strchr(name, '-');
	return must(dash ? strndup(name, (size_t)(dash - name)) : strdup(name));
}

static void print_profile(const struct mmp_reader *reader, const struct profile *profile)
{
	const char *text = mmp_metadata(reader)->querytap;
	json_t *own = text ? json_loads(text, 0, NULL) : NULL;
	struct outcome outcome = {.threads = must(calloc(profile->count + 1, sizeof(*outcome.threads)))};
	char *crate = crate_of(mmp_path(reader));

	if (!own)
		die("no metadata of querytap's");
	if (number(own, "queries") + number(own, "others") != mmp_event_count(reader))
		die("the metadata tells another number of events");
	outcome.crate = crate;
	outcome.lost = number(own, "lost");
	outcome.missed = number(own, "missed");
	outcome.unwound = number(own, "unwound");
	outcome.truncated = number(own, "truncated");
	outcome.too_deep = number(own, "too_deep");
	for (size_t i = 0; i < profile->count; i++)
		outcome.threads[outcome.thread_count++] = &profile->threads[i]->root;
	outcome_print(&outcome, stdout);
	free(outcome.threads);
	free(crate);
	json_decref(own);
}

int main(int argc, char **argv)
{
	struct profile profile = {0};
	struct mmp_reader *reader;
	struct mmp_error err;

	if (argc != 2)
		die("usage: fold PROFILE");
	if (mmp_open(argv[1], &reader, &err) < 0)
		die(err.text);
	read_events(reader, &profile);
	print_profile(reader, &profile);
	for (size_t i = 0; i < profile.count; i++) {
		tree_clear(&profile.threads[i]->root);
		free(profile.threads[i]->open);
		free(profile.threads[i]);
	}
	free(profile.threads);
	mmp_close(reader);
	return 0;
}
