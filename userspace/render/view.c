/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event after event as text, byte for byte as measureme's mmview prints them (mmview/src/main.rs). */
#include "render/event_text.h"
#include "render/render.h"

/* An event up to its times. */
static void put_parts(struct sink *sink, const struct event_parts *parts)
{
	struct mmp_text arguments = parts->arguments, argument;

	sink_add_literal(sink, "{\n    kind: ");
	sink_put(sink, parts->kind.bytes, parts->kind.size);
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, ",\n    label: ");
	sink_put(sink, parts->label.bytes, parts->label.size);
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, ",\n    additional_data: [");
	for (bool first = true; mmp_next_argument(&arguments, &argument); first = false) {
		if (!first)
			sink_put(sink, ",", 1);
		sink_put(sink, argument.bytes, argument.size);
	}
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, "],\n    payload: ");
}

/* When the first event starts; false if none has a time. */
static bool find_start(const struct mmp_reader *profile, uint64_t *start)
{
	struct mmp_cursor cursor = mmp_begin(profile);
	struct mmp_event event;
	bool found = false;

	while (mmp_next(&cursor, &event)) {
		if (event.type != MMP_INTEGER && (!found || event.start < *start)) {
			*start = event.start;
			found = true;
		}
	}
	return found;
}

static void put_times(struct sink *sink, const struct mmp_event *event, uint64_t start)
{
	if (event->type == MMP_INTEGER) {
		sink_add_number(sink, event->value);
		return;
	}
	sink_add_number(sink, (event->start - start) / 1000);
	sink_add_literal(sink, " μs");
	if (event->type == MMP_INTERVAL) {
		sink_add_literal(sink, " - ");
		sink_add_number(sink, (event->end - start) / 1000);
		sink_add_literal(sink, " μs");
	}
}

int render_view(const struct mmp_reader *profile, const uint32_t *thread, bool *shown, FILE *out, struct error *err)
{
	struct mmp_cursor cursor = mmp_begin(profile);
	struct event_texts texts = {0};
	struct sink sink = {0};
	struct mmp_event event;
	uint64_t start = 0;
	int rc;

	*shown = find_start(profile, &start);
	if (!*shown)
		return 0;
	rc = sink_open(&sink, out, err);
	if (!rc)
		rc = event_texts_open(&texts, profile, &sink, put_parts, err);
	while (!rc && mmp_next(&cursor, &event)) {
		if (thread && event.thread != *thread)
			continue;
		rc = event_texts_put(&texts, &event, err);
		if (rc)
			break;
		sink_need(&sink, SINK_PIECE);
		put_times(&sink, &event, start);
		sink_add_literal(&sink, ",\n    thread_id: ");
		sink_add_number(&sink, event.thread);
		sink_add_literal(&sink, ",\n}\n");
	}
	event_texts_close(&texts);
	sink_close(&sink);
	return rc;
}
