/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * querytap top on a terminal, as text and as JSON: all are made from a live model (analysis/live.h) and from how the
 * user wants to see it. What goes to the terminal is laid out first, as lines of text, by a function that draws
 * nothing; one other file knows of ncurses.
 */
#ifndef QUERYTAP_RENDER_TOP_H
#define QUERYTAP_RENDER_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <wchar.h>

#include "analysis/live.h"
#include "util/error.h"

enum { TOP_WIDTH = 80, TOP_HEIGHT = 24 }; /* of the smallest terminal */
enum { TOP_FILTER = 64 };

/* What the last line of the screen asks the user for. */
enum top_prompt { TOP_ASKS_NOTHING, TOP_ASKS_ORDER, TOP_ASKS_FILTER, TOP_ASKS_CRATES };

/* How the user wants to see it. Zero is what one begins with. */
struct top_view {
	enum live_order order;
	enum live_compiler_order compiler_order;
	char filter[TOP_FILTER]; /* of queries */
	char crates[TOP_FILTER]; /* of compilers */
	enum top_prompt prompt;
	bool paused, help;
	pid_t selected;	   /* compiler; 0 for the first */
	pid_t opened;	   /* compiler whose threads are shown; 0 for all compilers */
	size_t first_row;  /* of the queries */
	size_t first_line; /* of an opened compiler's threads and stacks */
	size_t limit;	   /* rows of queries where there is no height; 0 for all */
};

/* What else is on the screen. Borrows the message. */
struct top_facts {
	time_t time;
	uint64_t lost;
	size_t untimed;	     /* labels */
	double untimed_self; /* their share of the self time */
	bool counts;	     /* events are only counted */
	const char *message; /* NULL for none */
};

enum top_style { TOP_PLAIN, TOP_TITLE, TOP_HEADER, TOP_SELECTED, TOP_FAINT, TOP_WARNING, TOP_STYLES };

struct top_line {
	enum top_style style;
	wchar_t *text; /* as wide as the page at most, one column for each character */
};

struct top_page {
	struct top_line *lines;
	size_t count, room;
	int width;
	bool wide_letters; /* the locale has more than ASCII */
	bool failed;	   /* out of memory; what is there can be shown */
};

/*
 * Lays out the page for a terminal of this size; with height 0 all that there is, without what belongs to keys. A
 * terminal that is too small gets a page that says so. The page is to be zeroed before the first time, can be used
 * again, and is to be freed with top_page_free. Characters are those of the locale (LC_CTYPE). Brings the view into
 * the bounds of what there is to scroll.
 */
void top_layout(struct top_page *page, const struct live *live, struct top_view *view, const struct top_facts *facts,
		int width, int height);

void top_page_free(struct top_page *page);

/* Prints a page as text, with an empty line behind it. */
void top_print(const struct top_page *page, FILE *out);

/* The same as one line of JSON (docs/top.md): all compilers and their threads, and the queries that the view wants. */
int top_json(const struct live *live, const struct top_view *view, const struct top_facts *facts, FILE *out,
	     struct error *err);

/* The name of an order, as in options and on the screen. */
const char *top_order_name(enum live_order order);

/* ---- the terminal ---- */

/* Keys that are no characters. */
enum top_key {
	TOP_KEY_NONE = -1,
	TOP_KEY_UP = 0x110000, /* behind all characters */
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_BACK, /* Backspace */
	TOP_KEY_ESCAPE,
	TOP_KEY_REDRAW,
};

struct top_terminal;

/* Takes standard input and output over. Fails with a sentence if the terminal's type is not known. */
int top_terminal_open(struct top_terminal **out, struct error *err);

/* Gives the terminal back as it was. Accepts NULL. */
void top_terminal_close(struct top_terminal *terminal);

/* Asks the system how large the terminal is now. */
void top_terminal_size(struct top_terminal *terminal, int *width, int *height);

void top_terminal_draw(struct top_terminal *terminal, const struct top_page *page);

/* The next key: a character, one of enum top_key, or TOP_KEY_NONE if none waits. */
int top_terminal_key(struct top_terminal *terminal);

#endif
