/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prose, kept in one string, for a terminal or another form. */
#ifndef QUERYTAP_UTIL_TEXT_H
#define QUERYTAP_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A stretch of prose: neighbouring lines that are to be filled, or neighbouring lines that start with a blank and
 * stand as they are (an example). Empty lines part pieces and are in none of them.
 */
struct text_piece {
	const char *start; /* borrowed from the prose */
	size_t length;	   /* bytes, without the last line's end */
	bool as_is;
	bool parted; /* an empty line stood before it */
};

/* Fills *piece with the first piece of *text and moves *text behind it. Returns false when there is none left. */
bool text_next_piece(const char **text, struct text_piece *piece);

/*
 * Writes prose in lines of at most 80 columns (words that are longer stand alone), indented by `indent` columns save
 * for the first line, which is taken to stand there already; ends with a newline. One byte counts as one column.
 */
void text_fill(const char *text, int indent, FILE *out);

#endif
