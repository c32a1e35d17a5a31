/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The table of commands, and the way from the command line to one of them. */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

#ifndef QUERYTAP_VERSION
#error "give the version with -DQUERYTAP_VERSION='\"...\"'"
#endif

#define COMMAND_ROW(name) &command_##name,
static const struct command *const commands[] = {QUERYTAP_COMMANDS(COMMAND_ROW) NULL};
#undef COMMAND_ROW

struct settings {
	bool version;
	const char *generate;
};

static const struct option_row options[] = {
    {.name = "version",
     .letter = 'V',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct settings, version),
     .help = "Print the version and exit"},
    {.name = "generate",
     .kind = OPTION_STRING,
     .argument = "DOCUMENT",
     .offset = offsetof(struct settings, generate),
     .help = "Print a document made from the tables of commands and options and exit: man or bash-completion"},
    {0},
};

static const struct program program = {
    .version = QUERYTAP_VERSION,
    .summary = "rustc's self-profiler for compilers you cannot pass flags to",
    .details = "querytap times the queries that an unmodified rustc runs, from outside, by eBPF probes, and writes "
	       "them as .mm_profdata files, the form that -Zself-profile writes and that summarize, crox, "
	       "stack_collapse, flamegraph and mmview read. It needs neither a nightly compiler nor a changed "
	       "command line.\n"
	       "\n"
	       "Each command has options of its own; \"querytap COMMAND --help\" prints them. The exit status is 2 "
	       "when querytap was called wrongly or cannot work here, 1 when it failed; record otherwise passes on "
	       "the one of the command it ran.",
    .options = options,
    .commands = commands,
};

/* Prints "querytap: sentence" and where to read on, in one write. Returns the exit status. */
static int usage_error(const struct error *err, const struct command *command)
{
	fprintf(stderr, "querytap%s%s: %s; see querytap%s%s --help\n", command ? " " : "", command ? command->name : "",
		err->text, command ? " " : "", command ? command->name : "");
	return EXIT_USAGE;
}

static const struct command *find_command(const char *name, struct error *err)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	error_set(err, 0, "there is no command '%s'", name);
	return NULL;
}

/* `querytap help [COMMAND]`. */
static int run_help(int argc, char **argv)
{
	struct error err;
	const struct command *command;

	if (argc < 2) {
		help_print_program(&program, stdout);
		return EXIT_OK;
	}
	command = find_command(argv[1], &err);
	if (!command)
		return usage_error(&err, NULL);
	help_print_command(command, stdout);
	return EXIT_OK;
}

/* argv[0] is the command's name. */
static int run_command(const struct command *command, int argc, char **argv)
{
	void *settings = calloc(1, command->settings_size + 1);
	struct error err;
	bool help;
	int rest;
	int status;

	if (!settings) {
		fprintf(stderr, "querytap: out of memory\n");
		return EXIT_FAILED;
	}
	if (command->settings_default)
		memcpy(settings, command->settings_default, command->settings_size);
	if (options_parse(command->options, command->order, argc, argv, settings, &rest, &help, &err)) {
		status = usage_error(&err, command);
	} else if (help) {
		help_print_command(command, stdout);
		status = EXIT_OK;
	} else {
		status = command->run(settings, argc - rest, argv + rest);
	}
	options_free(command->options, settings);
	free(settings);
	return status;
}

static int run(int argc, char **argv)
{
	struct settings settings = {0};
	const struct command *command;
	struct error err;
	bool help;
	int rest;

	if (options_parse(options, OPTIONS_FIRST, argc, argv, &settings, &rest, &help, &err))
		return usage_error(&err, NULL);
	if (help) {
		help_print_program(&program, stdout);
		return EXIT_OK;
	}
	if (settings.version) {
		printf("querytap %s\n", program.version);
		return EXIT_OK;
	}
	if (settings.generate)
		return help_generate(&program, settings.generate, stdout, &err) ? usage_error(&err, NULL) : EXIT_OK;
	if (rest >= argc) {
		help_print_program(&program, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[rest], "help") == 0)
		return run_help(argc - rest, argv + rest);
	command = find_command(argv[rest], &err);
	return command ? run_command(command, argc - rest, argv + rest) : usage_error(&err, NULL);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	/* A result that did not reach the disk is a failure, even where every printf went into a buffer. */
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_OK) {
		fprintf(stderr, "querytap: cannot write to standard output: %m\n");
		return EXIT_FAILED;
	}
	return status;
}
