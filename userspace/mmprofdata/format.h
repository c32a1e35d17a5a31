/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the library: the numbers of the format, and how they are laid out in bytes. See docs/mm_profdata.md. */
#ifndef MMPROFDATA_FORMAT_H
#define MMPROFDATA_FORMAT_H

#include "mmprofdata/mmprofdata.h"

#define MMP_HEADER_SIZE 8
#define MMP_PAGE_HEADER_SIZE 5

#define MMP_MAGIC_FILE "MMPD"

/* A page's tag byte, which says the stream it belongs to. */
enum mmp_tag {
	MMP_TAG_EVENTS,
	MMP_TAG_STRING_DATA,
	MMP_TAG_STRING_INDEX,
	MMP_TAG_COUNT,
};

static const char mmp_stream_magic[MMP_TAG_COUNT][5] = {"MMES", "MMSD", "MMSI"};

/* As measureme's serialization.rs: no page is larger, and half of it is worth a page of its own. */
#define MMP_MAX_PAGE_SIZE ((size_t)256 * 1024)
#define MMP_MIN_PAGE_SIZE (MMP_MAX_PAGE_SIZE / 2)

/* In the string data: what ends a string, and what stands before a reference to another one. */
#define MMP_TERMINATOR 0xFF
#define MMP_REF_TAG 0xFE
/* In an event id's text: what stands before an argument. */
#define MMP_SEPARATOR 0x1E

/* Ids from here on are addresses in the string data, counted from its stream's header. */
#define MMP_FIRST_CONCRETE_ID (MMP_MAX_VIRTUAL_ID + 3)

#define MMP_END_INSTANT MMP_MAX_VALUE
#define MMP_END_INTEGER (MMP_MAX_VALUE - 1)

#define MMP_UNKNOWN_TEXT "<unknown>"
#define MMP_PARSE_ERROR_TEXT "<parse error>"

/* Sizes in bytes that differ between the versions: version 8 had ids and addresses of 4 bytes, version 9 has 8. */
static inline size_t mmp_id_size(uint32_t version)
{
	return version == 8 ? 4 : 8;
}

static inline size_t mmp_event_size(uint32_t version)
{
	return 2 * mmp_id_size(version) + 16;
}

static inline void mmp_put_u32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static inline void mmp_put_u64(uint8_t *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static inline uint32_t mmp_get_u32(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline uint64_t mmp_get_u64(const uint8_t *from)
{
	return (uint64_t)mmp_get_u32(from) | (uint64_t)mmp_get_u32(from + 4) << 32;
}

static inline uint64_t mmp_get_id(const uint8_t *from, uint32_t version)
{
	return version == 8 ? mmp_get_u32(from) : mmp_get_u64(from);
}

/* An event of version 9. `second` is the end, MMP_END_INSTANT or MMP_END_INTEGER. */
static inline void mmp_put_event(uint8_t to[32], uint64_t kind, uint64_t id, uint32_t thread, uint64_t first,
				 uint64_t second)
{
	mmp_put_u64(to, kind);
	mmp_put_u64(to + 8, id);
	mmp_put_u32(to + 16, thread);
	mmp_put_u32(to + 20, (uint32_t)first);
	mmp_put_u32(to + 24, (uint32_t)second);
	mmp_put_u32(to + 28, (uint32_t)(first >> 16 & 0xFFFF0000) | (uint32_t)(second >> 32));
}

/* Inlined with a version known beforehand it takes half the time, and what is not looked at costs nothing. */
static inline __attribute__((always_inline)) void mmp_get_event(const uint8_t *from, uint32_t version,
								struct mmp_event *event)
{
	size_t id_size = mmp_id_size(version);
	const uint8_t *rest = from + 2 * id_size;
	uint32_t upper = mmp_get_u32(rest + 12);
	uint64_t first = mmp_get_u32(rest + 4) | (uint64_t)(upper & 0xFFFF0000) << 16;
	uint64_t second = mmp_get_u32(rest + 8) | (uint64_t)(upper & 0xFFFF) << 32;

	*event = (struct mmp_event){
	    .kind = mmp_get_id(from, version),
	    .id = mmp_get_id(from + id_size, version),
	    .thread = mmp_get_u32(rest),
	};
	if (second == MMP_END_INTEGER) {
		event->type = MMP_INTEGER;
		event->value = first;
	} else {
		event->type = second == MMP_END_INSTANT ? MMP_INSTANT : MMP_INTERVAL;
		event->start = first;
		event->end = event->type == MMP_INSTANT ? first : second;
	}
}

/* Formats the sentence into *err (may be NULL) and returns -code. */
int mmp_fail(struct mmp_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Appends to a buffer; -ENOMEM. */
int mmp_buffer_append(struct mmp_buffer *buffer, const void *bytes, size_t size, struct mmp_error *err);
/* The same with each stray byte replaced as String::from_utf8_lossy does. */
int mmp_buffer_append_lossy(struct mmp_buffer *buffer, const char *text, size_t size, struct mmp_error *err);
/* Length of the longest prefix that is valid UTF-8. */
size_t mmp_utf8_prefix(const char *text, size_t size);

/*
 * Reads metadata JSON; if `lenient`, also such as rustc writes for a command line with ' or letters beyond ASCII, which
 * is not quite JSON. *fields borrows *memory, which is to be freed with free(). The sentence does not name the file.
 */
int mmp_metadata_parse(const char *json, size_t size, bool lenient, struct mmp_metadata *fields, void **memory,
		       struct mmp_error *err);

/*
 * The metadata of the calling process, for a profile that began `elapsed` nanoseconds ago. *text is to be freed with
 * free().
 */
int mmp_metadata_of_process(const struct mmp_counter *counter, uint64_t elapsed, char **text, struct mmp_error *err);

/* What a writer's events count, and how it is read. */
struct mmp_source {
	struct mmp_counter counter; /* in *memory */
	void *memory;
	uint64_t (*read)(void *data); /* NULL for CLOCK_MONOTONIC or `files` */
	void *data;
	uint64_t origin; /* what mmp_source_read subtracts */
	uint64_t began;	 /* the CLOCK_MONOTONIC nanosecond of the profile's start */
	int files[2];	 /* perf events, the second to be subtracted from the first; -1 for none */
};

/* Opens the counter that `options` choose; the sentence names `path`. To be closed with mmp_source_close. */
int mmp_source_open(struct mmp_source *source, const struct mmp_writer_options *options, const char *path,
		    struct mmp_error *err);
uint64_t mmp_source_read(const struct mmp_source *source);
/* Nanoseconds since the profile's start. */
uint64_t mmp_source_elapsed(const struct mmp_source *source);
void mmp_source_close(struct mmp_source *source);

/*
 * A copy of `counter`, whose name may be NULL, in one piece of *memory, which is to be freed with free(), with `extra`
 * bytes behind it at *rest. -ENOMEM.
 */
int mmp_counter_copy(const struct mmp_counter *counter, size_t extra, struct mmp_counter *copy, void **memory,
		     char **rest);

extern const struct mmp_counter mmp_wall_time;

#endif
