/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Private to the room: what is written of an event before its times: made of its kind, label and arguments. Most events
 * have no arguments and share few labels, so what was written is remembered.
 */
#ifndef QUERYTAP_RENDER_EVENT_TEXT_H
#define QUERYTAP_RENDER_EVENT_TEXT_H

#include "mmprofdata/mmprofdata.h"
#include "render/sink.h"

/* The parts of an event's text. All borrowed until the next event. */
struct event_parts {
	struct mmp_text kind, label;
	struct mmp_text arguments; /* for mmp_next_argument */
};

/* Remembers; set up by event_texts_open. */
struct event_texts {
	const struct mmp_reader *profile;
	struct sink *sink;
	void (*write)(struct sink *sink, const struct event_parts *parts);
	struct event_memory *memory;
	struct mmp_buffer buffer, kind_buffer;
	uint64_t kind_id; /* what `kind` is the text of */
	struct mmp_text kind;
};

/*
 * `write` puts an event's parts to the sink; for events without arguments it must write the same for the same parts.
 * Borrows profile and sink until event_texts_close. Fails with -ENOMEM.
 */
int event_texts_open(struct event_texts *texts, const struct mmp_reader *profile, struct sink *sink,
		     void (*write)(struct sink *sink, const struct event_parts *parts), struct error *err);

/* Writes what `write` writes of the event to the sink. Fails with -EINVAL on damaged strings, or with -ENOMEM. */
int event_texts_put(struct event_texts *texts, const struct mmp_event *event, struct error *err);

/* Accepts one that is zeroed. */
void event_texts_close(struct event_texts *texts);

#endif
