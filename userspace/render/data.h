/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what the pages have in common. */
#ifndef QUERYTAP_RENDER_DATA_H
#define QUERYTAP_RENDER_DATA_H

#include <stdio.h>

/* Writes a label, or another text that is UTF-8, as a JSON string that is safe within <script>, too. */
void data_put_text(const char *text, FILE *out);

/* The same for the name of a file, in which bytes that are not UTF-8 become question marks. */
void data_put_name(const char *name, FILE *out);

/*
 * Writes a Content-Security-Policy that lets a page run those files of userspace/render/page/, each the whole of a
 * <script> or <style>, and nothing else. `files` end with NULL; names end in .js or .css.
 */
void policy_put(const char *const *files, FILE *out);

#endif
