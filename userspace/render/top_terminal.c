/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "render/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How long the rest of a key's escape sequence may take, ms. */
enum { ESCAPE_DELAY = 50 };

struct top_terminal {
	SCREEN *screen;
	attr_t styles[TOP_STYLES];
	short pairs[TOP_STYLES];
};

/* Colours only where the terminal has them and the user wants them (https://no-color.org). */
static void choose_styles(struct top_terminal *terminal)
{
	const char *no_color = getenv("NO_COLOR");

	terminal->styles[TOP_TITLE] = A_BOLD;
	terminal->styles[TOP_HEADER] = A_REVERSE;
	terminal->styles[TOP_SELECTED] = A_BOLD;
	terminal->styles[TOP_FAINT] = A_DIM;
	terminal->styles[TOP_WARNING] = A_BOLD;
	if (!has_colors() || (no_color && *no_color) || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(1, COLOR_CYAN, -1);
	init_pair(2, COLOR_RED, -1);
	init_pair(3, COLOR_YELLOW, -1);
	terminal->pairs[TOP_TITLE] = 1;
	terminal->pairs[TOP_WARNING] = 2;
	terminal->pairs[TOP_SELECTED] = 3;
}

int top_terminal_open(struct top_terminal **out, struct error *err)
{
	struct top_terminal *terminal = calloc(1, sizeof(*terminal));
	const char *type = getenv("TERM");

	*out = NULL;
	if (!terminal)
		return error_set(err, ENOMEM, "out of memory");
	terminal->screen = newterm(NULL, stdout, stdin);
	if (!terminal->screen) {
		free(terminal);
		return error_set(err, ENOTTY,
				 "a terminal of the type \"%s\" is not known here: set TERM, or use --batch",
				 type ? type : "");
	}
	set_escdelay(ESCAPE_DELAY);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	choose_styles(terminal);
	*out = terminal;
	return 0;
}

void top_terminal_close(struct top_terminal *terminal)
{
	if (!terminal)
		return;
	endwin();
	delscreen(terminal->screen);
	free(terminal);
}

void top_terminal_size(struct top_terminal *terminal, int *width, int *height)
{
	struct winsize size;

	(void)terminal;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row &&
	    (size.ws_col != COLS || size.ws_row != LINES))
		resizeterm(size.ws_row, size.ws_col);
	*width = COLS;
	*height = LINES;
}

void top_terminal_draw(struct top_terminal *terminal, const struct top_page *page)
{
	erase();
	for (size_t i = 0; i < page->count && (int)i < LINES; i++) {
		const struct top_line *line = &page->lines[i];

		attr_set(terminal->styles[line->style], terminal->pairs[line->style], NULL);
		if (line->style == TOP_HEADER)
			mvhline((int)i, 0, ' ', COLS);
		mvaddnwstr((int)i, 0, line->text, COLS);
	}
	attr_set(A_NORMAL, 0, NULL);
	refresh();
}

int top_terminal_key(struct top_terminal *terminal)
{
	static const struct {
		wint_t code;
		int key;
	} codes[] = {{KEY_UP, TOP_KEY_UP},	 {KEY_DOWN, TOP_KEY_DOWN},	 {KEY_PPAGE, TOP_KEY_PAGE_UP},
		     {KEY_HOME, TOP_KEY_HOME},	 {KEY_NPAGE, TOP_KEY_PAGE_DOWN}, {KEY_END, TOP_KEY_END},
		     {KEY_ENTER, TOP_KEY_ENTER}, {KEY_BACKSPACE, TOP_KEY_BACK},	 {KEY_RESIZE, TOP_KEY_REDRAW}};
	wint_t code;
	int kind = get_wch(&code);

	(void)terminal;
	if (kind == ERR)
		return TOP_KEY_NONE;
	for (size_t i = 0; kind == KEY_CODE_YES && i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i].code == code)
			return codes[i].key;
	if (kind == KEY_CODE_YES)
		return TOP_KEY_REDRAW;
	switch (code) {
	case '\r':
	case '\n':
		return TOP_KEY_ENTER;
	case 8:
	case 127:
		return TOP_KEY_BACK;
	case 27:
		return TOP_KEY_ESCAPE;
	case 12: /* Ctrl-L */
		clearok(stdscr, TRUE);
		return TOP_KEY_REDRAW;
	default:
		return (int)code;
	}
}
