/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/options.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

const struct option_row options_help_row = {.name = "help", .letter = 'h', .help = "Print this help and exit"};

/* The state of one run over argv. */
struct parse {
	const struct option_row *rows;
	int argc;
	char **argv;
	int next; /* index of the next word to look at */
	void *settings;
	bool help;
	struct error *err;
};

static const struct option_row *find_long(const struct option_row *rows, const char *name, size_t length)
{
	for (const struct option_row *row = rows; row->name; row++) {
		if (strlen(row->name) == length && memcmp(row->name, name, length) == 0)
			return row;
	}
	return NULL;
}

static const struct option_row *find_letter(const struct option_row *rows, char letter)
{
	for (const struct option_row *row = rows; row->name; row++) {
		if (row->letter && row->letter == letter)
			return row;
	}
	return NULL;
}

static int store_uint(const struct option_row *row, const char *value, unsigned long *field, struct error *err)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (!errno && !*end && *value >= '0' && *value <= '9' && number >= row->min &&
	    (!row->max || number <= row->max)) {
		*field = number;
		return 0;
	}
	if (row->max)
		return error_set(err, EINVAL, "option --%s needs a whole number from %lu to %lu, not '%s'", row->name,
				 row->min, row->max, value);
	if (row->min)
		return error_set(err, EINVAL, "option --%s needs a whole number of at least %lu, not '%s'", row->name,
				 row->min, value);
	return error_set(err, EINVAL, "option --%s needs a whole number, not '%s'", row->name, value);
}

static int store_double(const struct option_row *row, const char *value, double *field, struct error *err)
{
	char *end;
	double number = strtod(value, &end);

	/* The character set keeps out what strtod also takes: hexadecimal, "nan" and "infinity". */
	if (!*end && value[strspn(value, "0123456789.eE+-")] == '\0' && isfinite(number) && !signbit(number)) {
		*field = number;
		return 0;
	}
	return error_set(err, EINVAL, "option --%s needs a number that is not negative, such as 2.5, not '%s'",
			 row->name, value);
}

static int store_list(const char *value, struct option_list *list, struct error *err)
{
	const char **items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items)
		return error_set(err, ENOMEM, "out of memory while reading the options");
	list->items = items;
	list->items[list->count++] = value;
	return 0;
}

static int store(struct parse *parse, const struct option_row *row, const char *value)
{
	void *field = (char *)parse->settings + row->offset;

	if (row->kind != OPTION_FLAG && !*value)
		return error_set(parse->err, EINVAL, "option --%s needs a %s, but was given an empty one", row->name,
				 row->argument);
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_STRING:
		*(const char **)field = value;
		return 0;
	case OPTION_UINT:
	case OPTION_MAYBE_UINT:
		return store_uint(row, value, field, parse->err);
	case OPTION_DOUBLE:
		return store_double(row, value, field, parse->err);
	case OPTION_LIST:
		return store_list(value, field, parse->err);
	}
	return error_set(parse->err, EINVAL, "option --%s is of no known kind", row->name);
}

/* Stores the value that stands in the word behind the option; "--" is never taken for one. */
static int store_next_word(struct parse *parse, const struct option_row *row, const char *name)
{
	const char *word = parse->next < parse->argc ? parse->argv[parse->next] : "--";

	if (row->kind == OPTION_MAYBE_UINT && (!*word || word[strspn(word, "0123456789")])) {
		*(unsigned long *)((char *)parse->settings + row->offset) = ULONG_MAX;
		return 0;
	}
	if (strcmp(word, "--") == 0)
		return error_set(parse->err, EINVAL, "option %s needs a %s behind it", name, row->argument);
	parse->next++;
	return store(parse, row, word);
}

static int parse_long(struct parse *parse, const char *word)
{
	const char *name = word + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] == '=' ? name + length + 1 : NULL;
	const struct option_row *row = find_long(parse->rows, name, length);

	if (!row && strcmp(word, "--help") == 0) {
		parse->help = true;
		return 0;
	}
	if (!row)
		return error_set(parse->err, EINVAL, "there is no option --%.*s", (int)length, name);
	if (row->kind == OPTION_FLAG && value)
		return error_set(parse->err, EINVAL, "option --%s takes no value, but was given '%s'", row->name,
				 value);
	return row->kind != OPTION_FLAG && !value ? store_next_word(parse, row, word) : store(parse, row, value);
}

/* A word of short options: flags may share it, and the first that takes a value takes the rest of the word. */
static int parse_letters(struct parse *parse, const char *word)
{
	for (const char *at = word + 1; *at; at++) {
		const struct option_row *row = find_letter(parse->rows, *at);
		int status;

		if (!row && *at == 'h') {
			parse->help = true;
			return 0;
		}
		if (!row)
			return error_set(parse->err, EINVAL, "there is no option -%c%s%s%s", *at,
					 word[2] ? " (in '" : "", word[2] ? word : "", word[2] ? "')" : "");
		if (row->kind != OPTION_FLAG) {
			const char name[] = {'-', *at, '\0'};

			return at[1] ? store(parse, row, at + 1) : store_next_word(parse, row, name);
		}
		status = store(parse, row, NULL);
		if (status)
			return status;
	}
	return 0;
}

/* Parses up to the first word that is no option (a lone "-" is none) or behind "--"; *ended tells of the latter. */
static int parse_run(struct parse *parse, bool *ended)
{
	*ended = false;
	while (parse->next < parse->argc && !parse->help) {
		const char *word = parse->argv[parse->next];
		int status;

		if (word[0] != '-' || !word[1])
			return 0;
		parse->next++;
		if (strcmp(word, "--") == 0) {
			*ended = true;
			return 0;
		}
		status = word[1] == '-' ? parse_long(parse, word) : parse_letters(parse, word);
		if (status)
			return status;
	}
	return 0;
}

/* Moves argv[from] to index `to` <= from, the words between going up by one. */
static void move_word(char **argv, int from, int to)
{
	char *word = argv[from];

	memmove(argv + to + 1, argv + to, (size_t)(from - to) * sizeof(*argv));
	argv[to] = word;
}

int options_parse(const struct option_row *rows, enum option_order order, int argc, char **argv, void *settings,
		  int *rest, bool *help, struct error *err)
{
	struct parse parse = {.rows = rows, .argc = argc, .argv = argv, .next = 1, .settings = settings, .err = err};
	int arguments = 1; /* argv[arguments..next) are arguments that options were moved in front of */
	bool ended = false;
	int status;

	for (;;) {
		int from = parse.next;

		status = parse_run(&parse, &ended);
		for (int i = from; i < parse.next; i++)
			move_word(argv, i, arguments++);
		if (status || ended || parse.help || parse.next >= argc || order == OPTIONS_FIRST)
			break;
		parse.next++;
	}
	*rest = arguments;
	*help = parse.help;
	return status;
}

void options_free(const struct option_row *rows, void *settings)
{
	for (const struct option_row *row = rows; row->name; row++) {
		struct option_list *list = (void *)((char *)settings + row->offset);

		if (row->kind != OPTION_LIST)
			continue;
		free(list->items);
		*list = (struct option_list){0};
	}
}

size_t options_field_size(enum option_kind kind)
{
	switch (kind) {
	case OPTION_FLAG:
		return sizeof(bool);
	case OPTION_STRING:
		return sizeof(const char *);
	case OPTION_UINT:
	case OPTION_MAYBE_UINT:
		return sizeof(unsigned long);
	case OPTION_DOUBLE:
		return sizeof(double);
	case OPTION_LIST:
		return sizeof(struct option_list);
	}
	return 0;
}

/* Columns at which help sentences start, if the option in front of it leaves room. */
enum { HELP_COLUMN = 28 };

static void print_row(const struct option_row *row, FILE *out)
{
	int width =
	    row->letter ? fprintf(out, "  -%c, --%s", row->letter, row->name) : fprintf(out, "      --%s", row->name);

	if (row->argument)
		width += fprintf(out, row->kind == OPTION_MAYBE_UINT ? "[=%s]" : "=%s", row->argument);
	if (width > HELP_COLUMN - 2) {
		fputc('\n', out);
		width = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - width, "");
	text_fill(row->help, HELP_COLUMN, out);
}

void options_print_help(const struct option_row *rows, FILE *out)
{
	for (const struct option_row *row = rows; row->name; row++)
		print_row(row, out);
	print_row(&options_help_row, out);
}
