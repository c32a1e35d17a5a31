/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: text tables with borders, as the measureme tools print them. */
#ifndef QUERYTAP_RENDER_TABLE_H
#define QUERYTAP_RENDER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/error.h"

/* Cells row by row, the titles first. Set `columns`, zero the rest; free with table_free. */
struct table {
	size_t columns;
	char **cells;
	size_t count, capacity;
	bool failed; /* out of memory; table_print reports it */
};

/* Adds the next cell; control characters in it become spaces. */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a label, and behind it dots up to `longest` bytes: they lead the eye from a shorter one to the next column. */
void table_add_label(struct table *table, const char *label, size_t longest);

/* Prints the table, each column as wide as its widest cell. */
int table_print(const struct table *table, FILE *out, struct error *err);

void table_free(struct table *table);

#endif
