/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Reading and writing .mm_profdata, the profile format of rustc's -Zself-profile and of the measureme tools.
 * This header is all there is to see of the library and needs no other. The format: docs/mm_profdata.md.
 *
 * Fallible functions return 0 or a negative errno and then fill *err (which may be NULL) with a sentence that names
 * the file, the byte in it and what is wrong. Times are nanoseconds since the profile's start, or whatever else the
 * profile's counter counts.
 */
#ifndef MMPROFDATA_H
#define MMPROFDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The shared library is built with -fvisibility=hidden: what is declared here is all that it exports. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* The sentence of the last failure. Plain data, owned by whoever declares it. */
struct mmp_error {
	char text[512];
};

#define MMP_EXTENSION ".mm_profdata"

/* The version that the writer writes, and the oldest that the reader reads. */
#define MMP_VERSION 9
#define MMP_VERSION_OLDEST 8

/* The largest virtual string id: one that the caller numbers as it likes and maps to a string later. */
#define MMP_MAX_VIRTUAL_ID UINT64_C(100000000)

/* The string id under which the metadata is stored: mmp_text_of gives its JSON as it is in the file. */
#define MMP_METADATA_ID (MMP_MAX_VIRTUAL_ID + 1)

/* A string id that stands for no string; its text is "<unknown>", like that of a virtual id without a mapping. */
#define MMP_INVALID_ID (MMP_MAX_VIRTUAL_ID + 2)

/* The largest values that the 48 bits of an event hold; the two topmost mark instants and integers. */
#define MMP_MAX_VALUE UINT64_C(0xFFFFFFFFFFFF)
#define MMP_MAX_END (MMP_MAX_VALUE - 2)

/* The event kinds that rustc writes. Others are allowed, the tools treat them like a generic activity. */
#define MMP_KIND_QUERY "Query"
#define MMP_KIND_GENERIC_ACTIVITY "GenericActivity"
#define MMP_KIND_INCREMENTAL_LOAD "IncrementalLoadResult"
#define MMP_KIND_RESULT_HASHING "IncrementalResultHashing"
#define MMP_KIND_QUERY_BLOCKED "QueryBlocked"
#define MMP_KIND_CACHE_HIT "QueryCacheHit"
#define MMP_KIND_CACHE_HIT_COUNT "QueryCacheHitCount"
#define MMP_KIND_ARTIFACT_SIZE "ArtifactSize"

/* The counters that the writer can read by itself; all but the first need the processor's counters, see struct
 * mmp_counter. */
#define MMP_COUNTER_WALL_TIME "wall-time"
#define MMP_COUNTER_INSTRUCTIONS "instructions:u"
#define MMP_COUNTER_INSTRUCTIONS_MINUS_IRQS "instructions-minus-irqs:u"
#define MMP_COUNTER_INSTRUCTIONS_MINUS_R0420 "instructions-minus-r0420:u"

/* Ends the kinds of events that querytap may only count: integers, one for a label, where there are no intervals. */
#define MMP_COUNT_SUFFIX "Count"

/* What querytap can record besides: the nanoseconds for which a thread was on the CPU. */
#define MMP_COUNTER_CPU_TIME "cpu-time"

/* A unit in which a counter's values are shown: `factor` of what it counts. */
struct mmp_unit {
	const char *name;
	uint64_t factor;
};

/*
 * What the starts, ends and times of a profile's events count: nanoseconds (MMP_COUNTER_WALL_TIME) unless somebody
 * chose another counter. The measureme tools do not look at it and print all values as times.
 */
struct mmp_counter {
	const char *name;	      /* NULL if the profile does not say: then wall time */
	const struct mmp_unit *units; /* by rising factor; none if unknown */
	size_t unit_count;
};

/* What a profile says of the process it was taken from. */
struct mmp_metadata {
	uint64_t start_time; /* nanoseconds since 1970: what 0 ns in the events means */
	uint32_t process_id;
	const char *cmd;      /* the command line, each argument followed by a space; see mmp_quote_command */
	const char *querytap; /* JSON text of the optional object "querytap"; NULL if there is none */
	struct mmp_counter counter;
};

/* ---- Reading ---- */

/* An opened profile. Never changes once opened: threads may share it. */
struct mmp_reader;

enum mmp_event_type {
	MMP_INTERVAL, /* has a start and an end */
	MMP_INSTANT,  /* a point in time: start equals end */
	MMP_INTEGER,  /* no time, only a value */
};

struct mmp_event {
	enum mmp_event_type type;
	uint32_t thread;
	uint64_t kind;	     /* string id, see mmp_text_of */
	uint64_t id;	     /* string id of label and arguments, see mmp_label_of and mmp_event_text_of */
	uint64_t start, end; /* nanoseconds; 0 for an integer event */
	uint64_t value;	     /* an integer event's value, otherwise 0 */
};

/* A piece of UTF-8 text without a NUL behind it. Borrowed, from a reader or from an mmp_buffer. */
struct mmp_text {
	const char *bytes;
	size_t size;
};

/* Memory for texts that have to be put together. Zero it before first use; free it with mmp_buffer_free. */
struct mmp_buffer {
	char *bytes;
	size_t size, capacity;
};

/*
 * Opens the profile `path`, given with or without MMP_EXTENSION, and checks its structure: pages, stream headers, the
 * string index, the metadata, and each event's times and string ids. The file must not be shortened while it is
 * open. *reader is the caller's, to be closed with mmp_close.
 */
int mmp_open(const char *path, struct mmp_reader **reader, struct mmp_error *err);

/* The same for a profile in memory: borrows `bytes` until mmp_close; `name` is what errors call it (copied). */
int mmp_open_memory(const void *bytes, size_t size, const char *name, struct mmp_reader **reader,
		    struct mmp_error *err);

/* Accepts NULL. */
void mmp_close(struct mmp_reader *reader);

/* The path that was opened (with its extension), the format's version, the metadata: borrowed from the reader. */
const char *mmp_path(const struct mmp_reader *reader);
uint32_t mmp_version(const struct mmp_reader *reader);
const struct mmp_metadata *mmp_metadata(const struct mmp_reader *reader);

size_t mmp_event_count(const struct mmp_reader *reader);

/* A place between two events. Plain data; borrows the reader. */
struct mmp_cursor {
	const struct mmp_reader *reader;
	size_t next; /* index of the event behind the cursor */
	size_t page; /* where to look for it first; private */
};

/* The place before the first, or behind the last event. */
struct mmp_cursor mmp_begin(const struct mmp_reader *reader);
struct mmp_cursor mmp_end(const struct mmp_reader *reader);

/*
 * Steps over the next or the previous event and decodes it. Returns false at the end of the profile. Events are stored
 * in the order of their end: backwards, a parent comes before its children.
 */
bool mmp_next(struct mmp_cursor *cursor, struct mmp_event *event);
bool mmp_previous(struct mmp_cursor *cursor, struct mmp_event *event);

/* The same for up to `limit` events at once, the last one first. Returns how many there were. */
size_t mmp_previous_many(struct mmp_cursor *cursor, struct mmp_event *events, size_t limit);

/*
 * The whole text of a string id. *text borrows the reader or *buffer, so it is good until the next use of *buffer. It
 * is valid UTF-8: stray bytes became U+FFFD. Fails (-EINVAL) on a string that is damaged, refers to itself or expands
 * beyond 1 MiB and all of the file's string data, or beyond 16 MiB.
 */
int mmp_text_of(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer, struct mmp_text *text,
		struct mmp_error *err);

/*
 * An event id's label alone, which is cheaper than the whole text. Where the label lies in the file in one piece,
 * *label points there: equal pointers then mean equal labels. "<parse error>" stands, as in the measureme tools, for an
 * empty label or one with control characters. Otherwise as mmp_text_of, but for a limit of 64 KiB.
 */
int mmp_label_of(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer, struct mmp_text *label,
		 struct mmp_error *err);

/*
 * A number for an event id that others have only if their label is the same, found without reading the label: it serves
 * to remember what was made of a label. It is itself an event id with this label. Not every equal label has it.
 */
uint64_t mmp_label_key(const struct mmp_reader *reader, uint64_t id);

/*
 * The id under which the string of `id` is stored: virtual ids that were mapped to one string share it, so it serves to
 * remember what was made of a whole text. MMP_INVALID_ID for an id without a string.
 */
uint64_t mmp_stored_id(const struct mmp_reader *reader, uint64_t id);

/* A hint that a string will be asked for soon, so that the processor can fetch it meanwhile. */
void mmp_prefetch(const struct mmp_reader *reader, uint64_t id);

/* An event id's label and all of its arguments, the latter to be taken apart with mmp_next_argument. */
int mmp_event_text_of(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer, struct mmp_text *label,
		      struct mmp_text *arguments, struct mmp_error *err);

/*
 * Takes the next argument off the front of *arguments. False if there is none left or the rest breaks the grammar of
 * event ids; the measureme tools ignore such a rest as well.
 */
bool mmp_next_argument(struct mmp_text *arguments, struct mmp_text *argument);

/* Frees the buffer's memory and zeroes it, for another use. */
void mmp_buffer_free(struct mmp_buffer *buffer);

/*
 * The strings as they are stored, for whoever copies a profile: one after the other, each a list of parts. In a profile
 * that is written part by part in the same order they get the ids that they have here (in version 9).
 */

/* A part of a string: `size` bytes of text, which need not be UTF-8, or, with text NULL, the string `ref`. */
struct mmp_component {
	const char *text;
	size_t size;
	uint64_t ref;
};

/* A place in the stored strings. Plain data; borrows the reader. */
struct mmp_string_cursor {
	const struct mmp_reader *reader;
	uint64_t next; /* private */
};

/* The place before the first string. */
struct mmp_string_cursor mmp_strings(const struct mmp_reader *reader);

/* The id of the string that begins at the cursor; false behind the last. The cursor stays. */
bool mmp_string_at(const struct mmp_string_cursor *cursor, uint64_t *id);

/*
 * Steps over the next part of a string, whose text borrows the reader. Returns 1, 0 at the string's end, which is
 * stepped over too, or -EINVAL if the file ends within the string.
 */
int mmp_next_part(struct mmp_string_cursor *cursor, struct mmp_component *part, struct mmp_error *err);

/*
 * The entries of the string index as they are stored: *entry counts them from 0 and is moved on. *virtual_id may be
 * MMP_METADATA_ID. False behind the last.
 */
bool mmp_next_mapping(const struct mmp_reader *reader, size_t *entry, uint64_t *virtual_id, uint64_t *id);

/*
 * How many events lie in the first page of events that has any: where measureme's mmedit cuts a profile off.
 */
size_t mmp_first_page_events(const struct mmp_reader *reader);

/*
 * Writes a copy of the profile with all strings and only the first `event_count` events to `out`, whose errors are the
 * caller's to ask for. The copy has the version of the original.
 */
void mmp_write_truncated(const struct mmp_reader *reader, size_t event_count, FILE *out);

/* ---- Writing ---- */

/*
 * A profile being written. Its memory stays the same (three pages of 256 KiB) however many events and strings are
 * recorded. All functions on it but mmp_writer_finish and mmp_writer_abort may be called from several threads at once.
 * After a failed write to the file every further call fails with the same sentence.
 */
struct mmp_writer;

struct mmp_writer_options {
	bool set_owner; /* give the file to uid and gid */
	uid_t uid;
	gid_t gid;
	mode_t mode;	       /* permissions of the finished file; 0 means 0644 */
	uint64_t clock_origin; /* for mmp_now: the CLOCK_MONOTONIC nanosecond that is 0 in the profile; 0 means now */

	/*
	 * What mmp_now counts; all zero for wall time. The names MMP_COUNTER_* need no more than the name. A counter of
	 * your own has a name, units and a function that gives its value since the profile's start; the function may be
	 * called from several threads at once. Borrowed for the call, but for counter_data.
	 */
	struct mmp_counter counter;
	uint64_t (*read_counter)(void *counter_data);
	void *counter_data;
};

/*
 * Starts the profile `path`. Until mmp_writer_finish it is a hidden temporary file in the same directory. `options` is
 * borrowed for the call and may be NULL. *writer is the caller's, to be given to mmp_writer_finish or mmp_writer_abort.
 * The instruction counters fail with what perf_event_open(2) says where the processor, the kernel or a permission is
 * missing; they count the thread that calls this, in user mode, and are to be read on it alone.
 */
int mmp_writer_create(const char *path, const struct mmp_writer_options *options, struct mmp_writer **writer,
		      struct mmp_error *err);

/*
 * Stores a string; *id is good for this writer. Bytes that are not UTF-8 become U+FFFD. Equal strings are not merged:
 * keep the id. A text used for a label or an argument should be neither empty nor contain control characters.
 */
int mmp_alloc_string(struct mmp_writer *writer, const char *text, size_t size, uint64_t *id, struct mmp_error *err);

/* Stores the concatenation of `count` parts: a composite string. */
int mmp_alloc_composite(struct mmp_writer *writer, const struct mmp_component *parts, size_t count, uint64_t *id,
			struct mmp_error *err);

/* Stores an event id with arguments. A label without arguments is an event id as it is. */
int mmp_alloc_event_id(struct mmp_writer *writer, uint64_t label, const uint64_t *arguments, size_t count, uint64_t *id,
		       struct mmp_error *err);

/* Maps `count` virtual ids (at most MMP_MAX_VIRTUAL_ID each) to a stored string. */
int mmp_map_virtual(struct mmp_writer *writer, const uint64_t *virtual_ids, size_t count, uint64_t id,
		    struct mmp_error *err);

/*
 * Record an event. Intervals must come in the order of their end, children before parents, thread by thread, since
 * that is what the readers rely on. Fail with -EINVAL on an unknown string id or start > end, with -ERANGE on times
 * beyond MMP_MAX_END and values beyond MMP_MAX_VALUE.
 */
int mmp_record_interval(struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread, uint64_t start,
			uint64_t end, struct mmp_error *err);
int mmp_record_instant(struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread, uint64_t time,
		       struct mmp_error *err);
int mmp_record_integer(struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread, uint64_t value,
		       struct mmp_error *err);

/* The counter's value now, less what it was at the profile's start: for wall time nanoseconds. */
uint64_t mmp_now(const struct mmp_writer *writer);

/* The counter that was chosen, for the metadata: borrowed from the writer, good until it is gone. */
const struct mmp_counter *mmp_writer_counter(const struct mmp_writer *writer);

/* An interval that is running. `id` may be changed until mmp_finish. */
struct mmp_timing {
	uint64_t kind, id;
	uint32_t thread;
	uint64_t start;
};

/* Starts an interval now, by mmp_now; mmp_finish ends and records it. */
struct mmp_timing mmp_start(const struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread);
int mmp_finish(struct mmp_writer *writer, const struct mmp_timing *timing, struct mmp_error *err);

/*
 * Writes the metadata (JSON as mmp_metadata_text makes it; NULL stands for that of the calling process) and what is
 * left in the pages, sets owner and mode, and gives the file its name, replacing an older one. The writer is gone
 * afterwards; on failure so is the file.
 */
int mmp_writer_finish(struct mmp_writer *writer, const char *metadata, struct mmp_error *err);

/* Removes the temporary file and frees the writer. Accepts NULL. */
void mmp_writer_abort(struct mmp_writer *writer);

/* A field to be added to the metadata: a key that is not one of rustc's, and its value as JSON text. */
struct mmp_extra {
	const char *key;
	const char *json;
};

/*
 * The metadata as rustc writes it (start_time, process_id, cmd, counter, which is wall time if fields->counter has no
 * name), followed by the extra fields and, if it is set, by fields->querytap. *text is to be freed with free(). The
 * measureme tools ignore fields they do not know.
 */
int mmp_metadata_text(const struct mmp_metadata *fields, const struct mmp_extra *extras, size_t extra_count,
		      char **text, struct mmp_error *err);

/*
 * A command line as it reads in the metadata of rustc's profiles: each argument followed by a space, not quoted;
 * rustc's own escaping is that of the JSON string around it, which mmp_metadata_text does. *text is to be freed with
 * free().
 */
int mmp_quote_command(size_t argc, const char *const *argv, char **text, struct mmp_error *err);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
