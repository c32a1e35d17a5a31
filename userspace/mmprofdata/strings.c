/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * String ids to text. A string is a list of literal runs and references to other strings, up to a terminator; what
 * measureme's decoder makes of it (decodeme/src/stringtable.rs, event.rs) is what we make of it, but for damage, where
 * it panics and we say so.
 */
#include "mmprofdata/reader.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/*
 * Bounds that keep damaged files from costing time or memory without end; rustc's own strings stay far below. A text
 * may be as long as all strings of the file, between the two bounds: a small file in which each of many strings
 * expanded to 16 MiB would take minutes to read.
 */
#define MAX_DEPTH 512
#define MAX_PARTS 16384
#define MIN_TEXT_LIMIT ((size_t)1 << 20)
#define MAX_TEXT_LIMIT ((size_t)16 << 20)
#define MAX_LABEL_SIZE ((size_t)64 << 10)

/* A walk over the literal runs of a string: a stack of places in the string data. */
struct walk {
	const struct mmp_reader *reader;
	struct mmp_error *err;
	size_t depth;
	size_t parts;
	uint64_t places[MAX_DEPTH];
};

static int damaged(const struct walk *walk, uint64_t address, const char *what)
{
	return mmp_fail(walk->err, EINVAL, "%s: byte %llu: damaged profile: %s", walk->reader->path,
			(unsigned long long)mmp_file_offset(walk->reader, MMP_TAG_STRING_DATA, address), what);
}

static size_t text_limit(const struct mmp_reader *reader)
{
	if (reader->strings_size < MIN_TEXT_LIMIT)
		return MIN_TEXT_LIMIT;
	return reader->strings_size < MAX_TEXT_LIMIT ? reader->strings_size : MAX_TEXT_LIMIT;
}

/* Steps into the string `id`. Returns 1, or 0 if it stands for "<unknown>". */
static int walk_into(struct walk *walk, uint64_t id, uint64_t from)
{
	uint64_t address;

	if (!mmp_address_of(walk->reader, id, &address))
		return 0;
	if (address < MMP_HEADER_SIZE || address >= walk->reader->strings_size)
		return damaged(walk, from, "a string refers to an id outside of the string data");
	if (walk->depth == MAX_DEPTH)
		return damaged(walk, from, "a string refers to itself");
	walk->places[walk->depth++] = address;
	return 1;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

static inline uint64_t load_word(const void *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

/* Where the literal run at `at` ends: its terminator or reference, or `size`. *ascii says whether it is all ASCII. */
static inline size_t run_end(const uint8_t *bytes, size_t at, size_t size, bool *ascii)
{
	*ascii = true;
	for (;;) {
		while (size - at >= sizeof(uint64_t)) {
			uint64_t beyond = load_word(bytes + at) & EACH_BYTE(0x80);

			if (beyond) {
				at += (size_t)__builtin_ctzll(beyond) / 8;
				break;
			}
			at += sizeof(uint64_t);
		}
		while (at < size && bytes[at] < 0x80)
			at++;
		if (at == size || bytes[at] >= MMP_REF_TAG)
			return at;
		*ascii = false;
		at++;
	}
}

/* Finds the next literal run. Returns 1, 0 behind the last, or a negative errno. */
static inline int walk_next(struct walk *walk, struct mmp_text *run, bool *ascii)
{
	const struct mmp_reader *reader = walk->reader;
	size_t id_size = mmp_id_size(reader->version);

	while (walk->depth) {
		uint64_t *place = &walk->places[walk->depth - 1];
		uint64_t start = *place, end;
		int rc;

		if (++walk->parts > MAX_PARTS)
			return damaged(walk, start, "a string has too many parts");
		end = run_end(reader->strings, start, reader->strings_size, ascii);
		if (end == reader->strings_size)
			return damaged(walk, start, "a string has no end");
		if (end > start) {
			*place = end;
			*run = (struct mmp_text){(const char *)reader->strings + start, end - start};
			return 1;
		}
		if (reader->strings[start] == MMP_TERMINATOR) {
			walk->depth--;
			continue;
		}
		if (reader->strings_size - start < 1 + id_size)
			return damaged(walk, start, "a reference to a string is cut off");
		*place += 1 + id_size;
		rc = walk_into(walk, mmp_get_id(reader->strings + start + 1, reader->version), start);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			*run = (struct mmp_text){MMP_UNKNOWN_TEXT, strlen(MMP_UNKNOWN_TEXT)};
			*ascii = true;
			return 1;
		}
	}
	return 0;
}

/* The text of a string, or only its beginning up to the first separator. */
static int expand(const struct mmp_reader *reader, uint64_t id, bool label_only, struct mmp_buffer *buffer,
		  struct mmp_text *text, struct mmp_error *err)
{
	struct walk walk;
	struct mmp_text run = {0};
	size_t limit = label_only ? MAX_LABEL_SIZE : text_limit(reader);
	bool copied = false, done = false, ascii = true;
	int rc;

	walk.reader = reader;
	walk.err = err;
	walk.depth = walk.parts = 0;
	*text = (struct mmp_text){"", 0};
	rc = walk_into(&walk, id, reader->strings_size);
	if (rc == 0)
		*text = (struct mmp_text){MMP_UNKNOWN_TEXT, strlen(MMP_UNKNOWN_TEXT)};
	while (rc > 0 && !done) {
		rc = walk_next(&walk, &run, &ascii);
		if (rc <= 0)
			break;
		if (label_only) {
			const char *separator = memchr(run.bytes, MMP_SEPARATOR, run.size);

			if (separator) {
				run.size = (size_t)(separator - run.bytes);
				done = true;
			}
		}
		if (run.size > limit - text->size)
			return damaged(&walk, walk.depth ? walk.places[walk.depth - 1] : reader->strings_size,
				       label_only ? "a label is longer than 64 KiB"
						  : "a string is longer than is credible");
		if (!run.size)
			continue;
		if (!text->size && (ascii || mmp_utf8_prefix(run.bytes, run.size) == run.size)) {
			*text = run;
			continue;
		}
		if (!copied) {
			buffer->size = 0;
			rc = mmp_buffer_append(buffer, text->bytes, text->size, err);
			copied = true;
		}
		if (rc >= 0)
			rc = ascii ? mmp_buffer_append(buffer, run.bytes, run.size, err)
				   : mmp_buffer_append_lossy(buffer, run.bytes, run.size, err);
		if (rc < 0)
			return rc;
		*text = (struct mmp_text){buffer->bytes, buffer->size};
		rc = 1;
	}
	return rc < 0 ? rc : 0;
}

/* Whether a label or an argument keeps to the grammar of event ids (measureme/src/event_id.rs). */
static bool well_formed(const struct mmp_text *text)
{
	const char *at = text->bytes, *end = text->bytes + text->size;

	while (at < end) {
		uint64_t word;
		unsigned char byte;
		bool space;

		/* Bit 7 of (byte - 0x20) is set for control characters and some others, which are looked at singly. */
		if (end - at >= (ptrdiff_t)sizeof(word)) {
			word = load_word(at);
			if (!((word - EACH_BYTE(0x20)) & EACH_BYTE(0x80)) &&
			    !((word + EACH_BYTE(1)) & EACH_BYTE(0x80))) {
				at += sizeof(word);
				continue;
			}
		}
		byte = (unsigned char)*at++;
		space = byte == '\t' || byte == '\n' || byte == '\f' || byte == '\r';
		if ((byte < 0x20 && !space) || byte == 0x7F)
			return false;
	}
	return text->size > 0;
}

int mmp_text_of(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer, struct mmp_text *text,
		struct mmp_error *err)
{
	return expand(reader, id, false, buffer, text, err);
}

int mmp_label_of(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer, struct mmp_text *label,
		 struct mmp_error *err)
{
	int rc = expand(reader, id, true, buffer, label, err);

	if (!rc && !well_formed(label))
		*label = (struct mmp_text){MMP_PARSE_ERROR_TEXT, strlen(MMP_PARSE_ERROR_TEXT)};
	return rc;
}

void mmp_prefetch(const struct mmp_reader *reader, uint64_t id)
{
	uint64_t address;

	if (mmp_address_of(reader, id, &address) && address < reader->strings_size)
		__builtin_prefetch(reader->strings + address);
}

uint64_t mmp_label_key(const struct mmp_reader *reader, uint64_t id)
{
	size_t id_size = mmp_id_size(reader->version);

	/* rustc's event ids refer to their label once; a bound keeps references in a circle from being followed on. */
	for (int i = 0; i < 8; i++) {
		uint64_t address, size = reader->strings_size;
		const uint8_t *string;

		if (!mmp_address_of(reader, id, &address))
			return MMP_INVALID_ID;
		id = MMP_FIRST_CONCRETE_ID + address;
		if (address >= size || size - address < 2 + id_size)
			break;
		string = reader->strings + address;
		if (string[0] != MMP_REF_TAG)
			break;
		/* Only where the reference is the whole label has the string referred to the same one. */
		if (string[1 + id_size] != MMP_SEPARATOR && string[1 + id_size] != MMP_TERMINATOR)
			break;
		id = mmp_get_id(string + 1, reader->version);
	}
	return id;
}

uint64_t mmp_stored_id(const struct mmp_reader *reader, uint64_t id)
{
	uint64_t address;

	return mmp_address_of(reader, id, &address) ? MMP_FIRST_CONCRETE_ID + address : MMP_INVALID_ID;
}

int mmp_event_text_of(const struct mmp_reader *reader, uint64_t id, struct mmp_buffer *buffer, struct mmp_text *label,
		      struct mmp_text *arguments, struct mmp_error *err)
{
	const char *separator;
	int rc = expand(reader, id, false, buffer, label, err);

	*arguments = (struct mmp_text){"", 0};
	if (rc)
		return rc;
	separator = memchr(label->bytes, MMP_SEPARATOR, label->size);
	if (separator) {
		arguments->bytes = separator;
		arguments->size = label->size - (size_t)(separator - label->bytes);
		label->size -= arguments->size;
	}
	if (!well_formed(label)) {
		*label = (struct mmp_text){MMP_PARSE_ERROR_TEXT, strlen(MMP_PARSE_ERROR_TEXT)};
		arguments->size = 0;
	}
	return 0;
}

bool mmp_next_argument(struct mmp_text *arguments, struct mmp_text *argument)
{
	const char *end = NULL;

	if (!arguments->size || arguments->bytes[0] != MMP_SEPARATOR)
		return false;
	*argument = (struct mmp_text){arguments->bytes + 1, arguments->size - 1};
	if (argument->size)
		end = memchr(argument->bytes, MMP_SEPARATOR, argument->size);
	if (end)
		argument->size = (size_t)(end - argument->bytes);
	arguments->bytes += 1 + argument->size;
	arguments->size -= 1 + argument->size;
	if (well_formed(argument))
		return true;
	arguments->size = 0;
	return false;
}

struct mmp_string_cursor mmp_strings(const struct mmp_reader *reader)
{
	return (struct mmp_string_cursor){reader, MMP_HEADER_SIZE};
}

bool mmp_string_at(const struct mmp_string_cursor *cursor, uint64_t *id)
{
	if (cursor->next >= cursor->reader->strings_size)
		return false;
	*id = MMP_FIRST_CONCRETE_ID + cursor->next;
	return true;
}

int mmp_next_part(struct mmp_string_cursor *cursor, struct mmp_component *part, struct mmp_error *err)
{
	const struct mmp_reader *reader = cursor->reader;
	const uint8_t *from = reader->strings + cursor->next;
	size_t left = reader->strings_size - cursor->next, size = 0, id_size = mmp_id_size(reader->version);

	while (size < left && from[size] < MMP_REF_TAG)
		size++;
	if (size == left || (size == 0 && from[0] == MMP_REF_TAG && left < 1 + id_size))
		return mmp_fail(err, EINVAL, "%s: byte %llu: damaged profile: the last string has no end", reader->path,
				(unsigned long long)mmp_file_offset(reader, MMP_TAG_STRING_DATA, cursor->next));
	if (size) {
		*part = (struct mmp_component){.text = (const char *)from, .size = size};
	} else if (from[0] == MMP_TERMINATOR) {
		cursor->next++;
		return 0;
	} else {
		*part = (struct mmp_component){.ref = mmp_get_id(from + 1, reader->version)};
		size = 1 + id_size;
	}
	cursor->next += size;
	return 1;
}
