/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: HTML pages, put together from the files of userspace/render/page/, which the program contains.
 */
#ifndef QUERYTAP_RENDER_PAGE_H
#define QUERYTAP_RENDER_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include "util/error.h"

/* A file of userspace/render/page/: every .html, .css and .js there is found under its name. */
struct page_file {
	const char *name;
	const char *start, *end; /* its bytes, without a NUL behind */
};

/* Returns NULL if there is no such file. */
const struct page_file *page_find(const char *name);

/* What goes to a place marked {{name}} of a page: `write` puts it there, with the context given to page_write. */
struct page_slot {
	const char *name;
	/* Returns 0, or a negative errno with a sentence. */
	int (*write)(void *context, FILE *out, struct error *err);
};

/*
 * Writes the page file `name`. A mark {{x}} in it is replaced by what the slot x writes, or by the file x, marks and
 * all, if there is no such slot. `slots` end with one without a name. Fails with -ENOENT on a mark that is neither, and
 * with what a slot returned; failures of the stream are the caller's to ask for.
 */
int page_write(const char *name, const struct page_slot *slots, void *context, FILE *out, struct error *err);

/*
 * Writes text so that it stands for itself: page_put_html between tags and in quoted attributes, page_put_json as a
 * JSON string with its quotes, which is safe within <script>, too.
 */
void page_put_html(const char *text, size_t size, FILE *out);
void page_put_json(const char *text, size_t size, FILE *out);

#endif
