/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the fuzzer does with an input, and what is done again with each of its findings. */
#ifndef QUERYTAP_TESTS_FUZZ_READ_EVERYTHING_H
#define QUERYTAP_TESTS_FUZZ_READ_EVERYTHING_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmprofdata/mmprofdata.h"

/* Enough to expand all texts of a good file, and an end to those of a file that is made to take long. */
#define EXPANSIONS 1024
#define EXPANDED_BYTES ((size_t)256 << 10)
#define FAILED_EXPANSION 1024

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* Touches a text from end to end, so that a sanitizer sees what is not there. */
static inline void touch(struct mmp_text text)
{
	volatile unsigned char sum = 0;

	for (size_t i = 0; i < text.size; i += 64)
		sum = (unsigned char)(sum + (unsigned char)text.bytes[i]);
	if (text.size)
		sum = (unsigned char)(sum + (unsigned char)text.bytes[text.size - 1]);
}

/* A failure has to come with a sentence about this file. */
static inline void must_explain(int rc, const struct mmp_error *err)
{
	MUST(rc == 0 || rc == -EINVAL);
	MUST(rc == 0 || strncmp(err->text, "input: byte ", 12) == 0);
}

/* Expands a string. Returns what that counts for in the bounds above. */
static inline size_t expand(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer)
{
	struct mmp_error err = {""};
	struct mmp_text text;
	int rc = mmp_text_of(reader, id, buffer, &text, &err);

	must_explain(rc, &err);
	if (rc)
		return FAILED_EXPANSION + buffer->size;
	touch(text);
	return text.size;
}

/* The label of an event id's key is that of the event id, `label`, or fails likewise. */
static inline void expand_key(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer,
			      struct mmp_text label, int label_rc)
{
	char copy[256];
	struct mmp_text text;

	if (label_rc || label.size > sizeof(copy))
		return;
	memcpy(copy, label.bytes, label.size);
	MUST(mmp_label_of(reader, mmp_label_key(reader, id), buffer, &text, NULL) == 0);
	MUST(text.size == label.size && memcmp(copy, text.bytes, text.size) == 0);
}

static inline void expand_event(const struct mmp_reader *reader, const struct mmp_event *event,
				struct mmp_buffer *buffer, size_t *bytes)
{
	struct mmp_text text, rest, argument;
	struct mmp_error err = {""};
	int rc = mmp_label_of(reader, event->id, buffer, &text, &err);

	must_explain(rc, &err);
	*bytes += rc ? FAILED_EXPANSION + buffer->size : text.size;
	if (!rc)
		touch(text);
	expand_key(reader, event->id, buffer, text, rc);
	rc = mmp_event_text_of(reader, event->id, buffer, &text, &rest, &err);
	must_explain(rc, &err);
	*bytes += rc ? FAILED_EXPANSION + buffer->size : text.size + rest.size;
	if (!rc) {
		touch(text);
		while (mmp_next_argument(&rest, &argument)) {
			MUST(argument.size > 0);
			touch(argument);
		}
	}
	*bytes += expand(reader, event->kind, buffer);
}

/* Steps through the strings and the index as they are stored, and expands each. */
static inline void read_strings(const struct mmp_reader *reader, struct mmp_buffer *buffer)
{
	struct mmp_string_cursor cursor = mmp_strings(reader);
	struct mmp_component part;
	struct mmp_error err = {""};
	uint64_t id, virtual_id;
	size_t bytes = 0, entry = 0, count = 0;
	int rc = 0;

	while (!rc && mmp_string_at(&cursor, &id)) {
		while ((rc = mmp_next_part(&cursor, &part, &err)) > 0) {
			if (part.text)
				touch((struct mmp_text){part.text, part.size});
		}
		must_explain(rc, &err);
		if (count++ < EXPANSIONS && bytes < EXPANDED_BYTES)
			bytes += expand(reader, id, buffer);
	}
	while (mmp_next_mapping(reader, &entry, &virtual_id, &id)) {
		MUST(virtual_id <= MMP_METADATA_ID && id > MMP_METADATA_ID);
		if (entry < EXPANSIONS && bytes < EXPANDED_BYTES)
			bytes += expand(reader, virtual_id, buffer);
	}
}

/* A good profile that is cut short is still a good one. */
static inline void read_truncated(const struct mmp_reader *reader)
{
	size_t count = mmp_event_count(reader) / 2, size;
	struct mmp_reader *again;
	char *copy;
	FILE *out = open_memstream(&copy, &size);

	MUST(out && mmp_first_page_events(reader) <= mmp_event_count(reader));
	mmp_write_truncated(reader, count, out);
	MUST(fclose(out) == 0);
	MUST(mmp_open_memory(copy, size, "copy", &again, NULL) == 0);
	MUST(mmp_event_count(again) == count);
	mmp_close(again);
	free(copy);
}

/* Opens a profile, and if that works reads all there is to it, by every function of the reader. */
static inline void read_everything(const void *data, size_t size)
{
	const struct mmp_metadata *metadata;
	struct mmp_buffer buffer = {0};
	struct mmp_cursor forward, backward;
	struct mmp_event event, first = {0}, last = {0};
	struct mmp_reader *reader;
	struct mmp_error err = {""};
	size_t count = 0, bytes = 0;
	int rc = mmp_open_memory(data, size, "input", &reader, &err);

	must_explain(rc, &err);
	if (rc)
		return;
	metadata = mmp_metadata(reader);
	touch((struct mmp_text){metadata->cmd, strlen(metadata->cmd)});
	if (metadata->counter.name)
		touch((struct mmp_text){metadata->counter.name, strlen(metadata->counter.name)});
	for (size_t i = 0; i < metadata->counter.unit_count; i++)
		touch((struct mmp_text){metadata->counter.units[i].name, strlen(metadata->counter.units[i].name)});
	forward = mmp_begin(reader);
	while (mmp_next(&forward, &event)) {
		MUST(event.start <= event.end && event.value <= MMP_MAX_VALUE);
		if (!count++)
			first = event;
		last = event;
	}
	MUST(count == mmp_event_count(reader));
	backward = mmp_end(reader);
	while (mmp_previous(&backward, &event)) {
		if (count-- == mmp_event_count(reader))
			MUST(memcmp(&event, &last, sizeof(event)) == 0);
		if (count < EXPANSIONS && bytes < EXPANDED_BYTES)
			expand_event(reader, &event, &buffer, &bytes);
	}
	MUST(count == 0 && (!mmp_event_count(reader) || memcmp(&event, &first, sizeof(event)) == 0));
	read_strings(reader, &buffer);
	read_truncated(reader);
	mmp_buffer_free(&buffer);
	mmp_close(reader);
}

#endif
