/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Prints what a profile holds as the stand-in compiler prints what it did (tests/fixtures/standin/tree.h), for the
 * comparison of the two.
 *
 * usage: fold PROFILE
 */
#include <jansson.h>
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
	char **names; /* one of each, so that the trees may borrow them */
	size_t name_count;
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

static const char *keep_name(struct profile *profile, struct mmp_text text)
{
	for (size_t i = 0; i < profile->name_count; i++)
		if (strlen(profile->names[i]) == text.size && !memcmp(profile->names[i], text.bytes, text.size))
			return profile->names[i];
	profile->names = must(reallocarray(profile->names, profile->name_count + 1, sizeof(*profile->names)));
	profile->names[profile->name_count] = must(strndup(text.bytes, text.size));
	return profile->names[profile->name_count++];
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

static void read_events(const struct mmp_reader *reader, struct profile *profile)
{
	struct mmp_cursor cursor = mmp_end(reader);
	struct mmp_buffer buffer = {0};
	struct mmp_event event;
	struct mmp_error err;
	struct mmp_text text;

	while (mmp_previous(&cursor, &event)) {
		if (event.type != MMP_INTERVAL)
			die("an event that is no interval");
		if (mmp_text_of(reader, event.kind, &buffer, &text, &err) < 0)
			die(err.text);
		if (text.size != strlen(MMP_KIND_QUERY) || memcmp(text.bytes, MMP_KIND_QUERY, text.size) != 0)
			die("an event that is no query");
		if (mmp_label_of(reader, event.id, &buffer, &text, &err) < 0)
			die(err.text);
		add_interval(profile, &event, keep_name(profile, text));
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
	if (number(own, "queries") != mmp_event_count(reader))
		die("the metadata tells another number of queries");
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
	for (size_t i = 0; i < profile.name_count; i++)
		free(profile.names[i]);
	free(profile.threads);
	free(profile.names);
	mmp_close(reader);
	return 0;
}
