/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/event_text.h"

#include <errno.h>
#include <stdlib.h>

enum { REMEMBERED = 1024, REMEMBERED_SIZE = 232 };

/* What was written of an event without arguments; `size` is 0 where nothing is remembered. */
struct remembered {
	uint64_t id, kind;
	size_t size;
	char text[REMEMBERED_SIZE];
};

struct event_memory {
	struct remembered slots[REMEMBERED];
};

int event_texts_open(struct event_texts *texts, const struct mmp_reader *profile, struct sink *sink,
		     void (*write)(struct sink *sink, const struct event_parts *parts), struct error *err)
{
	*texts = (struct event_texts){
	    .profile = profile,
	    .sink = sink,
	    .write = write,
	    .memory = calloc(1, sizeof(*texts->memory)),
	    .kind_id = UINT64_MAX,
	};
	if (!texts->memory)
		return error_set(err, ENOMEM, "%s: out of memory", mmp_path(profile));
	return 0;
}

void event_texts_close(struct event_texts *texts)
{
	mmp_buffer_free(&texts->buffer);
	mmp_buffer_free(&texts->kind_buffer);
	free(texts->memory);
	*texts = (struct event_texts){0};
}

static int find_parts(struct event_texts *texts, const struct mmp_event *event, struct event_parts *parts,
		      struct error *err)
{
	struct mmp_error reason;
	int rc = 0;

	if (event->kind != texts->kind_id) {
		texts->kind_id = UINT64_MAX;
		rc = mmp_text_of(texts->profile, event->kind, &texts->kind_buffer, &texts->kind, &reason);
		if (!rc)
			texts->kind_id = event->kind;
	}
	if (!rc)
		rc = mmp_event_text_of(texts->profile, event->id, &texts->buffer, &parts->label, &parts->arguments,
				       &reason);
	parts->kind = texts->kind;
	return rc ? error_set(err, rc, "%s", reason.text) : 0;
}

int event_texts_put(struct event_texts *texts, const struct mmp_event *event, struct error *err)
{
	uint64_t id = mmp_stored_id(texts->profile, event->id);
	struct remembered *slot = &texts->memory->slots[(id ^ id >> 10 ^ event->kind) % REMEMBERED];
	struct sink *sink = texts->sink;
	struct event_parts parts;
	size_t before, size;
	uint64_t flushes;
	int rc;

	sink_need(sink, SINK_PIECE);
	if (slot->id == id && slot->kind == event->kind && slot->size) {
		/* A size that is known when compiling makes a copy of a few instructions. */
		memcpy(sink->at, slot->text, REMEMBERED_SIZE);
		sink->at += slot->size;
		return 0;
	}
	rc = find_parts(texts, event, &parts, err);
	if (rc)
		return rc;
	before = (size_t)(sink->at - sink->bytes);
	flushes = sink->flushes;
	texts->write(sink, &parts);
	size = (size_t)(sink->at - sink->bytes) - before;
	/* What was handed on in between can't be looked at any more. */
	if (!parts.arguments.size && sink->flushes == flushes && size <= REMEMBERED_SIZE) {
		*slot = (struct remembered){.id = id, .kind = event->kind, .size = size};
		memcpy(slot->text, sink->bytes + before, size);
	}
	return 0;
}
