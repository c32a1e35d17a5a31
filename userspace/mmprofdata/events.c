/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events: checked once when the profile is opened, so that handing them out cannot fail. */
#include "mmprofdata/reader.h"

#include <errno.h>

static inline bool known_id(const struct mmp_reader *reader, uint64_t id)
{
	return id < MMP_FIRST_CONCRETE_ID ||
	       (id - MMP_FIRST_CONCRETE_ID >= MMP_HEADER_SIZE && id - MMP_FIRST_CONCRETE_ID < reader->strings_size);
}

/* What is wrong with an event; NULL if nothing is. */
static inline const char *event_damage(const struct mmp_reader *reader, const struct mmp_event *event)
{
	if (!known_id(reader, event->kind) || !known_id(reader, event->id))
		return "has a string id outside of the string data";
	return event->start > event->end ? "starts after its end" : NULL;
}

/* How many of `count` events that lie one behind the other are good, up to the first that is not. */
static inline size_t good_events(const struct mmp_reader *reader, const uint8_t *bytes, size_t count, uint32_t version)
{
	struct mmp_event event;
	size_t good = 0;

	for (; good < count; good++) {
		mmp_get_event(bytes + good * mmp_event_size(version), version, &event);
		if (event_damage(reader, &event))
			break;
	}
	return good;
}

/* Steps over the whole events ahead of the cursor within its page, if they are good. */
static void skip_good_events(struct mmp_cursor *cursor)
{
	const struct mmp_reader *reader = cursor->reader;
	size_t event_size = mmp_event_size(reader->version), count;
	uint64_t address = MMP_HEADER_SIZE + cursor->next * event_size;
	const struct mmp_stream *stream = &reader->streams[MMP_TAG_EVENTS];
	const struct mmp_page *page;
	const uint8_t *bytes;

	cursor->page = mmp_find_page(stream, address);
	if (cursor->page == stream->page_count)
		return;
	page = &stream->pages[cursor->page];
	count = (page->size - (address - page->address)) / event_size;
	bytes = reader->bytes + page->file_offset + (address - page->address);
	cursor->next += reader->version == 8 ? good_events(reader, bytes, count, 8)
					     : good_events(reader, bytes, count, MMP_VERSION);
}

int mmp_check_events(struct mmp_reader *reader, struct mmp_error *err)
{
	size_t event_size = mmp_event_size(reader->version);
	uint64_t size = reader->streams[MMP_TAG_EVENTS].size - MMP_HEADER_SIZE;
	struct mmp_cursor cursor;
	struct mmp_event event;

	if (size % event_size)
		return DAMAGED(reader, reader->size, err, "the events end within an event");
	reader->event_count = size / event_size;
	cursor = mmp_begin(reader);
	for (;;) {
		const char *what;

		skip_good_events(&cursor);
		/* The next one is damaged or lies in two pages. */
		if (!mmp_next(&cursor, &event))
			return 0;
		what = event_damage(reader, &event);
		if (what)
			return DAMAGED(
			    reader,
			    mmp_file_offset(reader, MMP_TAG_EVENTS, MMP_HEADER_SIZE + (cursor.next - 1) * event_size),
			    err, "event %zu %s", cursor.next - 1, what);
	}
}

size_t mmp_event_count(const struct mmp_reader *reader)
{
	return reader->event_count;
}

struct mmp_cursor mmp_begin(const struct mmp_reader *reader)
{
	return (struct mmp_cursor){reader, 0, 0};
}

struct mmp_cursor mmp_end(const struct mmp_reader *reader)
{
	return (struct mmp_cursor){reader, reader->event_count, reader->streams[MMP_TAG_EVENTS].page_count - 1};
}

static inline void decode_event(struct mmp_cursor *cursor, size_t index, struct mmp_event *event)
{
	const struct mmp_reader *reader = cursor->reader;
	size_t size = mmp_event_size(reader->version);
	uint8_t memory[32];
	const uint8_t *bytes =
	    mmp_stream_bytes(reader, MMP_TAG_EVENTS, MMP_HEADER_SIZE + index * size, size, &cursor->page, memory);

	if (reader->version == 8)
		mmp_get_event(bytes, 8, event);
	else
		mmp_get_event(bytes, MMP_VERSION, event);
}

bool mmp_next(struct mmp_cursor *cursor, struct mmp_event *event)
{
	if (cursor->next == cursor->reader->event_count)
		return false;
	decode_event(cursor, cursor->next++, event);
	return true;
}

bool mmp_previous(struct mmp_cursor *cursor, struct mmp_event *event)
{
	if (cursor->next == 0)
		return false;
	decode_event(cursor, --cursor->next, event);
	return true;
}

/* Decodes `count` events that lie one before the other, the last of them at `bytes`. */
static inline __attribute__((always_inline)) void decode_back(const uint8_t *bytes, struct mmp_event *events,
							      size_t count, uint32_t version)
{
	for (size_t i = 0; i < count; i++)
		mmp_get_event(bytes - i * mmp_event_size(version), version, &events[i]);
}

size_t mmp_previous_many(struct mmp_cursor *cursor, struct mmp_event *events, size_t limit)
{
	const struct mmp_reader *reader = cursor->reader;
	size_t size = mmp_event_size(reader->version), total = cursor->next < limit ? cursor->next : limit;
	size_t count, left;

	for (left = total; left; left -= count) {
		uint64_t address = MMP_HEADER_SIZE + (cursor->next - 1) * size;
		uint8_t memory[32];
		const uint8_t *bytes = mmp_stream_bytes(reader, MMP_TAG_EVENTS, address, size, &cursor->page, memory);

		count = 1;
		if (bytes != memory) {
			const struct mmp_page *page = &reader->streams[MMP_TAG_EVENTS].pages[cursor->page];
			/* How many lie in the page up to this one; the stream's header is smaller than an event. */
			size_t before = (size_t)(address - page->address) / size;

			count = before + 1 < left ? before + 1 : left;
		}
		if (reader->version == 8)
			decode_back(bytes, events, count, 8);
		else
			decode_back(bytes, events, count, MMP_VERSION);
		events += count;
		cursor->next -= count;
	}
	return total;
}
