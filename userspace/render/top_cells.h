/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: the lines of querytap top's pages, cell by cell, and short forms of numbers. */
#ifndef QUERYTAP_RENDER_TOP_CELLS_H
#define QUERYTAP_RENDER_TOP_CELLS_H

#include "render/top.h"

/* Makes the page empty, for lines of this width. */
void page_begin(struct top_page *page, int width);

/* Adds an empty line. Returns it, or NULL if out of memory; what follows takes NULL and does nothing. */
struct top_line *page_line(struct top_page *page, enum top_style style);

enum cell_side { CELL_LEFT, CELL_RIGHT };

/*
 * Puts text of the locale's encoding into a line, from a column on; what is longer than `width` is cut and ends in an
 * ellipsis. Characters that are not one column wide or cannot be printed become question marks. Returns the column
 * behind the text.
 */
int page_put(const struct top_page *page, struct top_line *line, int column, int width, enum cell_side side,
	     const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Texts of at most six columns. */
enum { SHORT_SIZE = 24 };
const char *short_time(char text[SHORT_SIZE], uint64_t ns);
const char *short_count(char text[SHORT_SIZE], double count);

#endif
