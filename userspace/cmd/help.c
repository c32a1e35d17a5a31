/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Help texts and generated documents, all made from the tables of commands and options. */
#include "cmd/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util/text.h"

void help_print_program(const struct program *program, FILE *out)
{
	fprintf(out, "Usage: querytap COMMAND [OPTIONS] [ARGUMENTS]\n\n");
	text_fill(program->summary, 0, out);
	fprintf(out, "\nCommands:\n");
	for (const struct command *const *command = program->commands; *command; command++) {
		fprintf(out, "  %-12s", (*command)->name);
		text_fill((*command)->summary, 14, out);
	}
	fprintf(out, "  %-12sPrint a command's help, as querytap COMMAND --help does\n", "help");
	fprintf(out, "\nOptions:\n");
	options_print_help(program->options, out);
}

void help_print_command(const struct command *command, FILE *out)
{
	fprintf(out, "Usage: querytap %s [OPTIONS]%s%s\n\n", command->name, *command->arguments ? " " : "",
		command->arguments);
	text_fill(command->summary, 0, out);
	if (command->details) {
		fputc('\n', out);
		text_fill(command->details, 0, out);
	}
	fprintf(out, "\nOptions:\n");
	options_print_help(command->options, out);
}

/* Writes text for roff: its special characters escaped, no line taken for a request. */
static void roff_text(const char *text, size_t length, FILE *out)
{
	for (size_t i = 0; i < length; i++) {
		bool line_start = i == 0 || text[i - 1] == '\n';

		if (line_start && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", out);
		if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '-')
			fputs("\\-", out);
		else if (text[i] == '\'')
			fputs("\\(aq", out);
		else if (text[i] == '`')
			fputs("\\(ga", out);
		else if (text[i] == '^')
			fputs("\\(ha", out);
		else if (text[i] == '~')
			fputs("\\(ti", out);
		else
			fputc(text[i], out);
	}
}

static void roff_string(const char *text, FILE *out)
{
	roff_text(text, strlen(text), out);
}

static void roff_prose(const char *text, FILE *out)
{
	struct text_piece piece;

	while (text_next_piece(&text, &piece)) {
		fputs(piece.as_is ? ".PP\n.nf\n" : ".PP\n", out);
		roff_text(piece.start, piece.length, out);
		fputs(piece.as_is ? "\n.fi\n" : "\n", out);
	}
}

static void roff_option(const struct option_row *row, FILE *out)
{
	fputs(".TP\n", out);
	if (row->letter)
		fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
	fputs("\\fB\\-\\-", out);
	roff_string(row->name, out);
	fputs("\\fR", out);
	if (row->argument) {
		bool optional = row->kind == OPTION_MAYBE_UINT;

		fputs(optional ? "[=\\fI" : "=\\fI", out);
		roff_string(row->argument, out);
		fputs(optional ? "\\fR]" : "\\fR", out);
	}
	fputc('\n', out);
	roff_string(row->help, out);
	fputs(".\n", out);
}

static void roff_options(const struct option_row *rows, FILE *out)
{
	for (const struct option_row *row = rows; row->name; row++)
		roff_option(row, out);
	roff_option(&options_help_row, out);
}

static void roff_command(const struct command *command, FILE *out)
{
	fprintf(out, ".SS \"querytap %s\"\n\\fBquerytap %s\\fR [\\fIOPTIONS\\fR]%s", command->name, command->name,
		*command->arguments ? " " : "");
	roff_string(command->arguments, out);
	fputs("\n.PP\n", out);
	roff_string(command->summary, out);
	fputs(".\n", out);
	if (command->details)
		roff_prose(command->details, out);
	roff_options(command->options, out);
}

static void generate_man(const struct program *program, FILE *out)
{
	fprintf(out, ".\\\" Made by querytap --generate man; do not edit.\n");
	fprintf(out, ".TH QUERYTAP 1 \"\" \"querytap %s\" \"User Commands\"\n", program->version);
	fputs(".SH NAME\nquerytap \\- ", out);
	roff_string(program->summary, out);
	fputs("\n.SH SYNOPSIS\n\\fBquerytap\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n", out);
	fputs(".SH DESCRIPTION\n", out);
	roff_prose(program->details, out);
	fputs(".SH OPTIONS\n", out);
	roff_options(program->options, out);
	fputs(".SH COMMANDS\n", out);
	for (const struct command *const *command = program->commands; *command; command++)
		roff_command(*command, out);
}

/* Writes the words of all options, with a blank before each. */
static void bash_words(const struct option_row *rows, FILE *out)
{
	for (const struct option_row *row = rows; row->name; row++) {
		fprintf(out, " --%s", row->name);
		if (row->letter)
			fprintf(out, " -%c", row->letter);
	}
	fprintf(out, " --%s -%c", options_help_row.name, options_help_row.letter);
}

/* Writes a case pattern of the options whose argument bash completes as `argument`, and what is done for them. */
static void bash_argument_case(const struct option_row *rows, const char *argument, const char *action, FILE *out)
{
	const char *bar = "\t\t";

	for (const struct option_row *row = rows; row->name; row++) {
		bool other = row->argument && strcmp(row->argument, "DIR") != 0 && strcmp(row->argument, "FILE") != 0;
		bool wanted = argument ? row->argument && strcmp(row->argument, argument) == 0 : other;

		if (!wanted)
			continue;
		fprintf(out, "%s--%s", bar, row->name);
		if (row->letter)
			fprintf(out, "|-%c", row->letter);
		bar = "|";
	}
	if (*bar == '|')
		fprintf(out, ")\n\t\t\t%s\n\t\t\treturn ;;\n", action);
}

static void bash_command(const struct command *command, FILE *out)
{
	fprintf(out, "\t%s)\n\t\tcase $previous in\n", command->name);
	bash_argument_case(command->options, "DIR", "mapfile -t COMPREPLY < <(compgen -d -- \"$current\")", out);
	bash_argument_case(command->options, "FILE", "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")", out);
	bash_argument_case(command->options, NULL, "COMPREPLY=()", out);
	fputs("\t\tesac\n\t\toptions='", out);
	bash_words(command->options, out);
	fputs("' ;;\n", out);
}

static void generate_bash_completion(const struct program *program, FILE *out)
{
	fputs("# Completion for bash, made by querytap --generate bash-completion; do not edit.\n"
	      "_querytap()\n{\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal commands='",
	      out);
	for (const struct command *const *command = program->commands; *command; command++)
		fprintf(out, "%s ", (*command)->name);
	fputs("help' options word\n\n"
	      "\tif ((COMP_CWORD == 1)) || { ((COMP_CWORD == 2)) && [[ $previous == help ]]; }; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$commands",
	      out);
	bash_words(program->options, out);
	fputs("\" -- \"$current\")\n\t\treturn\n\tfi\n"
	      "\t# Behind -- stands a command line of its own.\n"
	      "\tfor ((word = 2; word < COMP_CWORD; word++)); do\n"
	      "\t\tif [[ ${COMP_WORDS[word]} == -- ]] && declare -F _command_offset >/dev/null; then\n"
	      "\t\t\t_command_offset $((word + 1))\n\t\t\treturn\n\t\tfi\n\tdone\n"
	      "\tcase ${COMP_WORDS[1]} in\n",
	      out);
	for (const struct command *const *command = program->commands; *command; command++)
		bash_command(*command, out);
	fputs("\tesac\n"
	      "\tif [[ $current == -* ]]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
	      "\telse\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
	      "\tfi\n}\ncomplete -o filenames -F _querytap querytap\n",
	      out);
}

int help_generate(const struct program *program, const char *kind, FILE *out, struct error *err)
{
	if (strcmp(kind, "man") == 0)
		generate_man(program, out);
	else if (strcmp(kind, "bash-completion") == 0)
		generate_bash_completion(program, out);
	else
		return error_set(err, EINVAL,
				 "there is no document '%s' to generate; there are 'man' and 'bash-completion'", kind);
	return 0;
}
