/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/text.h"

#include <string.h>

enum { COLUMNS = 80 };

bool text_next_piece(const char **text, struct text_piece *piece)
{
	const char *at = *text;

	*piece = (struct text_piece){0};
	while (*at == '\n') {
		piece->parted = true;
		at++;
	}
	piece->start = at;
	piece->as_is = *at == ' ';
	while (*at && *at != '\n' && (*at == ' ') == piece->as_is) {
		at += strcspn(at, "\n");
		piece->length = (size_t)(at - piece->start);
		at += *at == '\n';
	}
	*text = at;
	return piece->length > 0;
}

static void fill_as_is(const struct text_piece *piece, int indent, FILE *out)
{
	const char *end = piece->start + piece->length;

	for (const char *line = piece->start; line < end;) {
		size_t length = strcspn(line, "\n");

		fprintf(out, "%*s%.*s\n", line == piece->start ? 0 : indent, "", (int)length, line);
		line += length + 1;
	}
}

static void fill_paragraph(const struct text_piece *piece, int indent, FILE *out)
{
	const char *end = piece->start + piece->length;
	int column = indent;

	for (const char *word = piece->start; word < end;) {
		int length = (int)strcspn(word, " \n");

		if (word > piece->start && column + 1 + length > COLUMNS) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (word > piece->start) {
			fputc(' ', out);
			column++;
		}
		column += fprintf(out, "%.*s", length, word);
		word += length;
		word += strspn(word, " \n");
	}
	fputc('\n', out);
}

void text_fill(const char *text, int indent, FILE *out)
{
	struct text_piece piece;
	bool first = true;

	while (text_next_piece(&text, &piece)) {
		if (!first)
			fprintf(out, "%s%*s", piece.parted ? "\n" : "", indent, "");
		if (piece.as_is)
			fill_as_is(&piece, indent, out);
		else
			fill_paragraph(&piece, indent, out);
		first = false;
	}
	if (first)
		fputc('\n', out);
}
