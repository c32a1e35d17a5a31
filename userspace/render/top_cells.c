/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/top_cells.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1024 };

void page_begin(struct top_page *page, int width)
{
	for (size_t i = 0; i < page->count; i++)
		free(page->lines[i].text);
	page->count = 0;
	page->width = width;
	page->wide_letters = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void top_page_free(struct top_page *page)
{
	page_begin(page, 0);
	free(page->lines);
	*page = (struct top_page){0};
}

struct top_line *page_line(struct top_page *page, enum top_style style)
{
	struct top_line *line;
	wchar_t *text = calloc((size_t)page->width + 1, sizeof(*text));

	if (text && page->count == page->room) {
		size_t room = page->room ? 2 * page->room : 64;
		struct top_line *grown = reallocarray(page->lines, room, sizeof(*grown));

		if (grown) {
			page->lines = grown;
			page->room = room;
		}
	}
	if (!text || page->count == page->room) {
		free(text);
		page->failed = true;
		return NULL;
	}
	line = &page->lines[page->count++];
	*line = (struct top_line){style, text};
	return line;
}

/* Reads text into characters of one column each. Returns how many. */
static int widen(const char *text, wchar_t *wide, int room)
{
	size_t left = strlen(text);
	mbstate_t state = {0};
	int count = 0;

	while (left && count < room) {
		wchar_t letter;
		size_t size = mbrtowc(&letter, text, left, &state);

		if (size == (size_t)-1 || size == (size_t)-2) {
			memset(&state, 0, sizeof(state));
			size = 1;
			letter = L'?';
		}
		wide[count++] = wcwidth(letter) == 1 ? letter : L'?';
		text += size;
		left -= size;
	}
	return count;
}

static int ellipsis(const struct top_page *page, wchar_t *at, int width)
{
	if (page->wide_letters || width < 4) {
		*at = page->wide_letters ? L'\u2026' : L'~';
		return 1;
	}
	wmemcpy(at, L"...", 3);
	return 3;
}

int page_put(const struct top_page *page, struct top_line *line, int column, int width, enum cell_side side,
	     const char *format, ...)
{
	char text[LONGEST];
	wchar_t wide[LONGEST];
	va_list args;
	int length, at = column;

	if (width > page->width - column)
		width = page->width - column;
	if (!line || width <= 0)
		return column;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = widen(text, wide, LONGEST);
	if (length > width) {
		int dots = page->wide_letters || width < 4 ? 1 : 3;

		ellipsis(page, wide + width - dots, width);
		length = width;
	}
	if (side == CELL_RIGHT)
		at += width - length;
	for (int i = (int)wcslen(line->text); i < at; i++)
		line->text[i] = L' ';
	wmemcpy(line->text + at, wide, (size_t)length);
	return at + length;
}

const char *short_time(char text[SHORT_SIZE], uint64_t ns)
{
	static const struct {
		double size;
		const char *name;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
	uint64_t seconds = ns / 1000000000;

	if (seconds >= 6000) {
		snprintf(text, SHORT_SIZE, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
		return text;
	}
	if (seconds >= 600) {
		snprintf(text, SHORT_SIZE, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60, seconds % 60);
		return text;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		double amount = (double)ns / units[i].size;

		if (amount < 0.9995)
			continue;
		snprintf(text, SHORT_SIZE, "%.*f%s",
			 amount < 9.995	  ? 2
			 : amount < 99.95 ? 1
					  : 0,
			 amount, units[i].name);
		return text;
	}
	snprintf(text, SHORT_SIZE, "%" PRIu64 "%s", ns, ns ? "ns" : "");
	return text;
}

const char *short_count(char text[SHORT_SIZE], double count)
{
	if (count < 99999.5)
		snprintf(text, SHORT_SIZE, "%.0f", count);
	else if (count < 9999500)
		snprintf(text, SHORT_SIZE, "%.0fk", count / 1e3);
	else if (count < 999.95e6)
		snprintf(text, SHORT_SIZE, "%.1fM", count / 1e6);
	else
		snprintf(text, SHORT_SIZE, "%.1fG", count / 1e9);
	return text;
}
