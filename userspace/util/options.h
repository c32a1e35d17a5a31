/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Options as data: one table a command. Parsing, --help, shell completion and the manual's OPTIONS section are all
 * made from the rows, so they cannot drift apart.
 */
#ifndef QUERYTAP_UTIL_OPTIONS_H
#define QUERYTAP_UTIL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/error.h"

enum option_kind {
	OPTION_FLAG,	   /* bool: set to true */
	OPTION_STRING,	   /* const char *: borrowed from argv, never empty */
	OPTION_UINT,	   /* unsigned long, decimal; bounded by min and max */
	OPTION_MAYBE_UINT, /* the same, or ULONG_MAX if no number is given; the next word is taken only if it is one */
	OPTION_DOUBLE,	   /* double, finite and >= 0 */
	OPTION_LIST,	   /* struct option_list: repeatable, borrowed from argv */
};

/* A repeatable string option's values. `items` is allocated by the parser, freed by options_free(). */
struct option_list {
	const char **items;
	size_t count;
};

struct option_row {
	const char *name; /* long name without the dashes; NULL ends the table */
	char letter;	  /* short form, 0 for none */
	enum option_kind kind;
	const char *argument;	/* placeholder in help ("DIR"); NULL for a flag */
	size_t offset;		/* into the command's settings struct */
	unsigned long min, max; /* of numbers: inclusive bounds; max 0 means no bound */
	const char *help;	/* one sentence without a full stop */
};

/* Where options may stand. */
enum option_order {
	OPTIONS_FIRST, /* they end at the first argument that is none: what follows may be a command line of its own */
	OPTIONS_ANYWHERE, /* between and behind the arguments too; argv is reordered, options first */
};

/*
 * Parses argv[1..] by `rows` into *settings: --name, --name=VALUE, --name VALUE, -x, -xVALUE, -x VALUE and flags in
 * one word (-ab). "--" ends the options and is skipped. *rest becomes the index of the first remaining argument.
 * "-h/--help" is known to every table: *help is set and parsing ends there.
 * Returns 0, -EINVAL with a sentence that names the offending option, or -ENOMEM. Borrows argv.
 * Whatever it returns, give the settings to options_free() when done with them.
 */
int options_parse(const struct option_row *rows, enum option_order order, int argc, char **argv, void *settings,
		  int *rest, bool *help, struct error *err);

/* Frees what options_parse() allocated within *settings (the lists), and empties them. */
void options_free(const struct option_row *rows, void *settings);

/* Bytes of the settings field that an option of this kind writes; for the checks of tables. */
size_t options_field_size(enum option_kind kind);

/* Prints the rows, and --help behind them, as an aligned block for --help. */
void options_print_help(const struct option_row *rows, FILE *out);

/* What every table's end is understood to hold: the row of --help (without an offset). For makers of documents. */
extern const struct option_row options_help_row;

#endif
