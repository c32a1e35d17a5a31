/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/table.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void table_add(struct table *table, const char *format, ...)
{
	va_list args;
	char *cell;

	if (table->failed)
		return;
	if (table->count == table->capacity) {
		size_t capacity = table->capacity ? 2 * table->capacity : 256;
		char **grown = reallocarray(table->cells, capacity, sizeof(*grown));

		if (!grown) {
			table->failed = true;
			return;
		}
		table->cells = grown;
		table->capacity = capacity;
	}
	va_start(args, format);
	if (vasprintf(&cell, format, args) < 0)
		table->failed = true;
	else
		table->cells[table->count++] = cell;
	va_end(args);
	for (char *at = cell; !table->failed && *at; at++) {
		if (iscntrl((unsigned char)*at))
			*at = ' ';
	}
}

void table_add_label(struct table *table, const char *label, size_t longest)
{
	size_t length = strlen(label), count = length + 1 < longest ? longest - length - 1 : 0;
	char *dots = malloc(count + 1);

	if (!dots) {
		table->failed = true;
		return;
	}
	memset(dots, '.', count);
	dots[count] = '\0';
	table_add(table, "%s %s", label, dots);
	free(dots);
}

/* Columns of a terminal that UTF-8 text takes, counting one for each character. */
static size_t display_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xC0) != 0x80;
	return width;
}

static void repeat(char byte, size_t count, FILE *out)
{
	while (count--)
		fputc(byte, out);
}

static void print_border(const struct table *table, const size_t *widths, FILE *out)
{
	for (size_t column = 0; column < table->columns; column++) {
		fputc('+', out);
		repeat('-', widths[column] + 2, out);
	}
	fputs("+\n", out);
}

int table_print(const struct table *table, FILE *out, struct error *err)
{
	size_t *widths = table->failed ? NULL : calloc(table->columns, sizeof(*widths));

	if (!widths)
		return error_set(err, ENOMEM, "out of memory for a table");
	for (size_t i = 0; i < table->count; i++) {
		size_t width = display_width(table->cells[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	print_border(table, widths, out);
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;

		fprintf(out, "| %s", table->cells[i]);
		repeat(' ', widths[column] - display_width(table->cells[i]) + 1, out);
		if (column + 1 == table->columns)
			fputs("|\n", out);
		if (i + 1 == table->columns)
			print_border(table, widths, out);
	}
	print_border(table, widths, out);
	free(widths);
	return 0;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}
