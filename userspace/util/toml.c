/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/toml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEPARATOR = 1,	/* between the parts of a path of keys */
	UNWANTED = 2,	/* a part that is never looked for: an element of an array */
	DEPTH_MAX = 32, /* of arrays and inline tables within each other */
};

struct reader {
	const char *at;
	char *path;    /* the keys down to where we are, a SEPARATOR before each */
	char *decoded; /* the last string */
	char *wanted;  /* the path that is looked for */
	char *found;   /* the string at that path */
};

static bool read_value(struct reader *reader, int depth);

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void skip_blanks(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

/* Steps over blanks, line ends and comments. */
static void skip_lines(struct reader *reader)
{
	for (;;) {
		reader->at += strspn(reader->at, " \t\r\n");
		if (*reader->at != '#')
			return;
		reader->at += strcspn(reader->at, "\n");
	}
}

static bool take(struct reader *reader, const char *token)
{
	size_t length = strlen(token);

	if (strncmp(reader->at, token, length) != 0)
		return false;
	reader->at += length;
	return true;
}

static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* Decodes what stands behind a backslash. Its text is never shorter than what comes of it. NULL if malformed. */
static char *read_escape(struct reader *reader, char *out, bool lines)
{
	static const char plain[] = "b\bt\tn\nf\fr\r\"\"\\\\";
	char c = *reader->at;
	uint32_t code = 0;
	size_t digits;

	if (lines && strchr(" \t\r\n", c) && c) {
		reader->at += strspn(reader->at, " \t\r\n");
		return out;
	}
	for (const char *pair = plain; *pair; pair += 2) {
		if (*pair == c) {
			*out++ = pair[1];
			reader->at++;
			return out;
		}
	}
	digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
	if (!digits)
		return NULL;
	for (reader->at++; digits; digits--, reader->at++) {
		static const char hexadecimal[] = "0123456789abcdef";
		const char *digit = *reader->at ? strchr(hexadecimal, *reader->at | 0x20) : NULL;

		if (!digit)
			return NULL;
		code = code << 4 | (uint32_t)(digit - hexadecimal);
	}
	return code && code < 0x110000 ? put_utf8(out, code) : NULL;
}

/* Decodes the string that starts here into reader->decoded. */
static bool read_string(struct reader *reader)
{
	char *out = reader->decoded;
	char quote = *reader->at;
	const char *close = quote == '"' ? "\"\"\"" : "'''";
	bool lines = take(reader, close);

	if (lines) {
		take(reader, "\r");
		take(reader, "\n");
	} else {
		reader->at++;
		close += 2;
	}
	while (!take(reader, close)) {
		if (!*reader->at || (!lines && *reader->at == '\n'))
			return false;
		if (quote == '"' && take(reader, "\\")) {
			out = read_escape(reader, out, lines);
			if (!out)
				return false;
			continue;
		}
		*out++ = *reader->at++;
	}
	/* Up to two quotes may stand before the closing three. */
	while (lines && *reader->at == quote)
		*out++ = *reader->at++;
	*out = '\0';
	return true;
}

/* Appends a dotted key to the path. */
static bool read_key(struct reader *reader)
{
	char *end = reader->path + strlen(reader->path);

	do {
		size_t length = 0;

		skip_blanks(reader);
		*end++ = SEPARATOR;
		if (*reader->at == '"' || *reader->at == '\'') {
			if (!read_string(reader))
				return false;
			end = stpcpy(end, reader->decoded);
		} else {
			while (is_bare(reader->at[length]))
				length++;
			if (!length)
				return false;
			end = mempcpy(end, reader->at, length);
			*end = '\0';
			reader->at += length;
		}
		skip_blanks(reader);
	} while (take(reader, "."));
	return true;
}

static bool read_pair(struct reader *reader, int depth)
{
	size_t length = strlen(reader->path);
	bool good;

	good = read_key(reader) && take(reader, "=");
	if (good) {
		skip_blanks(reader);
		good = read_value(reader, depth);
	}
	reader->path[length] = '\0';
	return good;
}

static bool read_inline_table(struct reader *reader, int depth)
{
	skip_lines(reader);
	while (!take(reader, "}")) {
		if (!read_pair(reader, depth))
			return false;
		skip_lines(reader);
		if (*reader->at != '}' && !take(reader, ","))
			return false;
		skip_lines(reader);
	}
	return true;
}

static bool read_array(struct reader *reader, int depth)
{
	char *end = reader->path + strlen(reader->path);

	end[0] = UNWANTED;
	end[1] = '\0';
	skip_lines(reader);
	while (!take(reader, "]")) {
		if (!read_value(reader, depth))
			return false;
		skip_lines(reader);
		if (*reader->at != ']' && !take(reader, ","))
			return false;
		skip_lines(reader);
	}
	*end = '\0';
	return true;
}

static bool read_value(struct reader *reader, int depth)
{
	size_t length;

	if (depth > DEPTH_MAX)
		return false;
	if (take(reader, "{"))
		return read_inline_table(reader, depth + 1);
	if (take(reader, "["))
		return read_array(reader, depth + 1);
	if (*reader->at == '"' || *reader->at == '\'') {
		if (!read_string(reader))
			return false;
		if (!reader->found && strcmp(reader->path, reader->wanted) == 0)
			reader->found = strdup(reader->decoded);
		return true;
	}
	length = strcspn(reader->at, ",]}#\r\n");
	reader->at += length;
	return length > 0;
}

/* Reads "[table]" or "[[array of tables]]"; the path is that table's from here on. */
static bool read_header(struct reader *reader)
{
	bool array = take(reader, "[");

	*reader->path = '\0';
	if (!read_key(reader) || !take(reader, array ? "]]" : "]"))
		return false;
	if (array)
		strcat(reader->path, (const char[]){UNWANTED, '\0'});
	return true;
}

static void read_document(struct reader *reader)
{
	bool good = true;

	for (skip_lines(reader); good && *reader->at && !reader->found; skip_lines(reader)) {
		good = take(reader, "[") ? read_header(reader) : read_pair(reader, 0);
		skip_blanks(reader);
		good = good && (!*reader->at || strchr("#\r\n", *reader->at));
	}
}

char *toml_string(const char *text, const char *table, const char *key)
{
	/*
	 * Every part of a path and every decoded string stands in the text at no shorter length, and takes one byte
	 * more in the path.
	 */
	size_t size = 2 * strlen(text) + DEPTH_MAX + 8;
	struct reader reader = {.at = text, .path = calloc(1, size), .decoded = malloc(size)};

	take(&reader, "\xef\xbb\xbf");
	reader.wanted = malloc((table ? strlen(table) : 0) + strlen(key) + 3);
	if (reader.path && reader.decoded && reader.wanted) {
		const char separator[] = {SEPARATOR, '\0'};
		char *end = reader.wanted;

		if (table)
			end = stpcpy(stpcpy(end, separator), table);
		stpcpy(stpcpy(end, separator), key);
		read_document(&reader);
	}
	free(reader.wanted);
	free(reader.decoded);
	free(reader.path);
	return reader.found;
}
