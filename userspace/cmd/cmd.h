/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The commands: one const descriptor a file, one row in the list below. */
#ifndef QUERYTAP_CMD_CMD_H
#define QUERYTAP_CMD_CMD_H

#include "util/options.h"

/* Exit statuses that are querytap's own; record and attach otherwise pass COMMAND's on. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/*
 * A command. `options` (ended by a row without a name) is the one place where its options are listed: parsing, --help,
 * the man page and shell completion all come out of it.
 */
struct command {
	const char *name;
	const char *arguments; /* as in the usage line, without the options: "-- COMMAND [ARG...]"; "" for none */
	const char *summary;   /* one line without a full stop, for `querytap --help` */
	const char *details;   /* prose (util/text.h) for `querytap NAME --help` and the man page; may be NULL */
	const struct option_row *options;
	enum option_order order;      /* OPTIONS_FIRST (0) where the arguments are a command line of their own */
	size_t settings_size;	      /* bytes of the struct that the rows' offsets point into */
	const void *settings_default; /* its initial value; NULL for all zero */
	/* Runs with parsed settings and the remaining arguments (argv[0] is the first); returns the exit status. */
	int (*run)(const void *settings, int argc, char **argv);
};

/*
 * Every command, in the order of `querytap --help`: a command is added by its file and its row here. The declarations
 * below, main's table and the tests of all tables are made from this list.
 */
#define QUERYTAP_COMMANDS(ROW) \
	ROW(record)            \
	ROW(attach)            \
	ROW(daemon)            \
	ROW(top)               \
	ROW(summarize)         \
	ROW(samples)           \
	ROW(html)              \
	ROW(report)            \
	ROW(compare)           \
	ROW(flamegraph)        \
	ROW(crox)              \
	ROW(collapse)          \
	ROW(export)            \
	ROW(view)              \
	ROW(diff)              \
	ROW(aggregate)         \
	ROW(counts)            \
	ROW(truncate)          \
	ROW(doctor)

#define COMMAND_DECLARATION(name) extern const struct command command_##name;
QUERYTAP_COMMANDS(COMMAND_DECLARATION)
#undef COMMAND_DECLARATION

/* Where a command writes its result. */
struct output {
	FILE *stream;
	const char *path; /* NULL for standard output */
	char *temporary;  /* the file's name until it is whole; private */
};

/*
 * Opens `path` (borrowed until output_close), or standard output for NULL. An ordinary file is written beside its place
 * and gets its name in output_close, so that there is all of it or what was there before. Returns 0, or a negative
 * errno with a sentence.
 */
int output_open(const char *path, struct output *output, struct error *err);

/*
 * Ends the output. With rc 0 the file gets its name; with another rc, or if something could not be written, it is
 * removed. Returns rc, or a negative errno with a sentence if rc was 0 and writing failed.
 */
int output_close(struct output *output, int rc, struct error *err);

/* All that a user can type, for help and documents. Borrows everything. */
struct program {
	const char *version;
	const char *summary; /* one line without a full stop */
	const char *details; /* prose for the man page */
	const struct option_row *options;
	const struct command *const *commands; /* ended by NULL */
};

/* Prints what `querytap --help` shows. */
void help_print_program(const struct program *program, FILE *out);

/* Prints what `querytap NAME --help` shows. */
void help_print_command(const struct command *command, FILE *out);

/*
 * Prints a document made from the tables: "man" (the manual page querytap(1) in roff's man macros) or
 * "bash-completion". Returns 0, or -EINVAL with a sentence if there is no such kind.
 */
int help_generate(const struct program *program, const char *kind, FILE *out, struct error *err);

#endif
