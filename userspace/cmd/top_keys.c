/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/top_keys.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_OF_ROWS = 8 };

/* Moves by so many lines, not beyond the first; the layout knows where the last one is. */
static void scroll_by(size_t *first, int lines)
{
	if (lines < 0 && *first < (size_t)-lines)
		*first = 0;
	else
		*first += (size_t)lines;
}

/* Chooses the compiler that stands so many lines further down. */
static void select_by(struct top_view *view, const struct live *live, int lines)
{
	const struct live_compiler **compilers;
	size_t count = live_compilers(live, view->compiler_order, view->crates, &compilers);
	long at = 0;

	for (size_t i = 0; i < count; i++)
		if (compilers[i]->pid == view->selected)
			at = (long)i;
	at += lines;
	if (at >= (long)count)
		at = (long)count - 1;
	if (count)
		view->selected = compilers[at < 0 ? 0 : at]->pid;
	free(compilers);
}

static void move_by(struct top_view *view, const struct live *live, int lines)
{
	if (view->opened)
		scroll_by(&view->first_line, lines);
	else
		select_by(view, live, lines);
}

static void open_selected(struct top_view *view, const struct live *live)
{
	select_by(view, live, 0);
	if (!live_compiler_of(live, view->selected))
		return;
	view->opened = view->selected;
	view->first_line = view->first_row = 0;
}

static void go_back(struct top_view *view)
{
	view->opened = 0;
	view->first_row = 0;
}

static void take_order(struct top_view *view, int key)
{
	static const struct {
		int key;
		enum live_order order;
	} orders[] = {{'s', LIVE_BY_SELF},  {'c', LIVE_BY_COUNT}, {'r', LIVE_BY_RATE},
		      {'n', LIVE_BY_SHARE}, {'m', LIVE_BY_MEAN},  {'l', LIVE_BY_LABEL}};
	static const struct {
		int key;
		enum live_compiler_order order;
	} compiler_orders[] = {{'a', LIVE_COMPILER_BY_AGE},
			       {'u', LIVE_COMPILER_BY_CPU},
			       {'e', LIVE_COMPILER_BY_RATE},
			       {'p', LIVE_COMPILER_BY_PID},
			       {'k', LIVE_COMPILER_BY_CRATE}};

	view->prompt = TOP_ASKS_NOTHING;
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (orders[i].key == key) {
			view->order = orders[i].order;
			view->first_row = 0;
		}
	for (size_t i = 0; i < sizeof(compiler_orders) / sizeof(*compiler_orders); i++)
		if (compiler_orders[i].key == key)
			view->compiler_order = compiler_orders[i].order;
}

/* Takes the last character off, all of its bytes. */
static void shorten(char *text)
{
	size_t length = strlen(text);

	while (length && ((unsigned char)text[--length] & 0xC0) == 0x80)
		;
	text[length] = '\0';
}

static void lengthen(char text[TOP_FILTER], int key)
{
	size_t length = strlen(text);
	char bytes[MB_LEN_MAX];
	int size = key >= ' ' && key < TOP_KEY_UP ? wctomb(bytes, (wchar_t)key) : 0;

	if (size <= 0 || length + (size_t)size >= TOP_FILTER)
		return;
	memcpy(text + length, bytes, (size_t)size);
	text[length + (size_t)size] = '\0';
}

static void take_text(struct top_view *view, char text[TOP_FILTER], int key)
{
	switch (key) {
	case TOP_KEY_ENTER:
		view->prompt = TOP_ASKS_NOTHING;
		break;
	case TOP_KEY_ESCAPE:
		view->prompt = TOP_ASKS_NOTHING;
		text[0] = '\0';
		break;
	case TOP_KEY_BACK:
		shorten(text);
		break;
	default:
		lengthen(text, key);
		break;
	}
	view->first_row = 0;
}

/* Returns false for the key to quit with. */
static bool take_command(struct top_view *view, const struct live *live, int key)
{
	switch (key) {
	case 'q':
		return false;
	case 's':
		view->prompt = TOP_ASKS_ORDER;
		break;
	case '/':
		view->prompt = TOP_ASKS_FILTER;
		break;
	case 'c':
		if (!view->opened)
			view->prompt = TOP_ASKS_CRATES;
		break;
	case 'p':
	case ' ':
		view->paused = !view->paused;
		break;
	case 'h':
	case '?':
		view->help = true;
		break;
	case TOP_KEY_UP:
		move_by(view, live, -1);
		break;
	case TOP_KEY_DOWN:
		move_by(view, live, 1);
		break;
	case TOP_KEY_PAGE_UP:
		scroll_by(&view->first_row, -PAGE_OF_ROWS);
		break;
	case TOP_KEY_PAGE_DOWN:
		scroll_by(&view->first_row, PAGE_OF_ROWS);
		break;
	case TOP_KEY_HOME:
		view->first_row = view->first_line = 0;
		break;
	case TOP_KEY_END:
		view->first_row = SIZE_MAX / 2;
		break;
	case TOP_KEY_ENTER:
		if (!view->opened)
			open_selected(view, live);
		break;
	case TOP_KEY_ESCAPE:
	case TOP_KEY_BACK:
		go_back(view);
		break;
	default:
		break;
	}
	return true;
}

bool top_take_key(struct top_view *view, const struct live *live, int key)
{
	if (key == TOP_KEY_REDRAW)
		return true;
	if (view->help) {
		view->help = false;
		return true;
	}
	switch (view->prompt) {
	case TOP_ASKS_ORDER:
		take_order(view, key);
		return true;
	case TOP_ASKS_FILTER:
		take_text(view, view->filter, key);
		return true;
	case TOP_ASKS_CRATES:
		take_text(view, view->crates, key);
		return true;
	default:
		return take_command(view, live, key);
	}
}
