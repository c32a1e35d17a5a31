/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Option parsing, help and generated documents; and that the tables of all commands hold together. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "util/text.h"

#define COMMAND_ROW(name) &command_##name,
static const struct command *const commands[] = {QUERYTAP_COMMANDS(COMMAND_ROW) NULL};
#undef COMMAND_ROW

struct settings {
	bool strict;
	bool quiet;
	const char *output;
	unsigned long top;
	unsigned long pid;
	unsigned long rate;
	double seconds;
	struct option_list only;
};

static const struct option_row rows[] = {
    {"strict", 0, OPTION_FLAG, NULL, offsetof(struct settings, strict), 0, 0, "Fail if a record is lost"},
    {"quiet", 'q', OPTION_FLAG, NULL, offsetof(struct settings, quiet), 0, 0, "Say nothing"},
    {"output", 'o', OPTION_STRING, "DIR", offsetof(struct settings, output), 0, 0, "Write the profiles to DIR"},
    {"top", 't', OPTION_UINT, "N", offsetof(struct settings, top), 1, 100, "Show N rows"},
    {"pid", 'p', OPTION_UINT, "PID", offsetof(struct settings, pid), 0, 0, "Join process PID"},
    {"rate", 'r', OPTION_MAYBE_UINT, "HZ", offsetof(struct settings, rate), 1, 1000, "Look HZ times a second"},
    {"seconds", 'd', OPTION_DOUBLE, "SECONDS", offsetof(struct settings, seconds), 0, 0, "End after SECONDS"},
    {"only", 0, OPTION_LIST, "QUERY", offsetof(struct settings, only), 0, 0, "Show QUERY only"},
    {0},
};

static int run_nothing(const void *settings, int argc, char **argv)
{
	(void)settings;
	(void)argc;
	(void)argv;
	return 0;
}

static const struct command sample = {
    .name = "sample",
    .arguments = "-- COMMAND [ARG...]",
    .summary = "Run COMMAND and say how it went",
    .details = "A paragraph that doesn't end early: it is long enough to be broken into lines when a terminal of "
	       "eighty columns shows it.\n\n.starts with a dot \\ and\n\n  querytap sample -- cargo build",
    .options = rows,
    .settings_size = sizeof(struct settings),
    .run = run_nothing,
};

/* What came of parsing one command line. */
struct outcome {
	struct settings settings;
	struct error err;
	char *argv[16];
	int argc;
	int rest;
	bool help;
	int status;
};

static void parse(struct outcome *outcome, enum option_order order, const char *const *words)
{
	*outcome = (struct outcome){.settings = {.top = 10}};
	outcome->argv[outcome->argc++] = (char *)"sample";
	for (; *words; words++)
		outcome->argv[outcome->argc++] = (char *)*words;
	outcome->status = options_parse(rows, order, outcome->argc, outcome->argv, &outcome->settings, &outcome->rest,
					&outcome->help, &outcome->err);
}

#define PARSE(outcome, order, ...) parse(outcome, order, (const char *const[]){__VA_ARGS__, NULL})

static void takes_every_spelling_of_a_value(void **state)
{
	static const char *const spellings[][3] = {
	    {"--output=there"}, {"--output", "there"}, {"-othere"}, {"-o", "there"}, {"-qothere"}, {"-qo", "there"},
	};
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		parse(&outcome, OPTIONS_FIRST, spellings[i]);
		assert_int_equal(outcome.status, 0);
		assert_string_equal(outcome.settings.output, "there");
		assert_int_equal(outcome.rest, outcome.argc);
		assert_int_equal(outcome.settings.quiet, i >= 4);
		assert_false(outcome.help);
	}
	PARSE(&outcome, OPTIONS_FIRST, "--output=a=b");
	assert_string_equal(outcome.settings.output, "a=b");
}

static void a_number_may_be_left_out(void **state)
{
	struct outcome outcome;

	(void)state;
	PARSE(&outcome, OPTIONS_FIRST, "--rate", "cargo", "build");
	assert_true(outcome.settings.rate == ULONG_MAX);
	assert_int_equal(outcome.rest, 2);
	PARSE(&outcome, OPTIONS_FIRST, "-r", "--", "250");
	assert_true(outcome.settings.rate == ULONG_MAX);
	assert_int_equal(outcome.rest, 3);
	PARSE(&outcome, OPTIONS_FIRST, "--strict", "--rate");
	assert_true(outcome.settings.rate == ULONG_MAX);
	assert_int_equal(outcome.rest, 3);
	PARSE(&outcome, OPTIONS_FIRST, "--rate", "250", "cargo");
	assert_int_equal(outcome.settings.rate, 250);
	assert_int_equal(outcome.rest, 3);
	PARSE(&outcome, OPTIONS_FIRST, "-r250");
	assert_int_equal(outcome.settings.rate, 250);
	PARSE(&outcome, OPTIONS_FIRST, "--rate=250", "1");
	assert_int_equal(outcome.settings.rate, 250);
	assert_int_equal(outcome.rest, 2);
}

static void keeps_defaults_and_takes_the_last_value(void **state)
{
	struct outcome outcome;

	(void)state;
	PARSE(&outcome, OPTIONS_FIRST, "-o", "one", "--strict", "-o", "two", "-d.5");
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.settings.strict);
	assert_false(outcome.settings.quiet);
	assert_string_equal(outcome.settings.output, "two");
	assert_int_equal(outcome.settings.top, 10);
	assert_true(outcome.settings.seconds == 0.5);
}

static void gathers_lists(void **state)
{
	struct outcome outcome;

	(void)state;
	PARSE(&outcome, OPTIONS_FIRST, "--only", "typeck", "--only=mir_borrowck", "--only", "type_of");
	assert_int_equal(outcome.status, 0);
	assert_int_equal(outcome.settings.only.count, 3);
	assert_string_equal(outcome.settings.only.items[1], "mir_borrowck");
	options_free(rows, &outcome.settings);
	assert_null(outcome.settings.only.items);
	assert_int_equal(outcome.settings.only.count, 0);
}

static void ends_at_the_first_argument(void **state)
{
	struct outcome outcome;

	(void)state;
	PARSE(&outcome, OPTIONS_FIRST, "-q", "cargo", "build", "-o", "x", "--bogus");
	assert_int_equal(outcome.status, 0);
	assert_int_equal(outcome.rest, 2);
	assert_null(outcome.settings.output);
	assert_string_equal(outcome.argv[outcome.rest], "cargo");

	PARSE(&outcome, OPTIONS_FIRST, "-q", "--", "--strict", "--", "x");
	assert_int_equal(outcome.status, 0);
	assert_int_equal(outcome.rest, 3);
	assert_false(outcome.settings.strict);
	assert_string_equal(outcome.argv[outcome.rest], "--strict");
	assert_string_equal(outcome.argv[outcome.rest + 1], "--");

	PARSE(&outcome, OPTIONS_FIRST, "-", "-q");
	assert_int_equal(outcome.rest, 1);
}

static void takes_options_between_arguments_where_allowed(void **state)
{
	static const char *const expected[] = {"a", "b", "-q", "c"};
	struct outcome outcome;

	(void)state;
	PARSE(&outcome, OPTIONS_ANYWHERE, "a", "-o", "dir", "b", "--strict", "--", "-q", "c");
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.settings.output, "dir");
	assert_true(outcome.settings.strict);
	assert_false(outcome.settings.quiet);
	assert_int_equal(outcome.argc - outcome.rest, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(outcome.argv[outcome.rest + (int)i], expected[i]);
}

static void help_needs_no_row(void **state)
{
	struct outcome outcome;

	(void)state;
	PARSE(&outcome, OPTIONS_FIRST, "-q", "--help", "--bogus");
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.help);
	PARSE(&outcome, OPTIONS_FIRST, "-qh");
	assert_int_equal(outcome.status, 0);
	assert_true(outcome.help);
	PARSE(&outcome, OPTIONS_FIRST, "--", "--help");
	assert_false(outcome.help);
}

static void says_what_is_wrong(void **state)
{
	static const struct {
		const char *words[3];
		const char *sentence;
	} cases[] = {
	    {{"--bogus"}, "there is no option --bogus"},
	    {{"--outpu=x"}, "there is no option --outpu"},
	    {{"-x"}, "there is no option -x"},
	    {{"-qx"}, "there is no option -x (in '-qx')"},
	    {{"--strict=yes"}, "option --strict takes no value, but was given 'yes'"},
	    {{"-o"}, "option -o needs a DIR behind it"},
	    {{"--rate=often"}, "option --rate needs a whole number from 1 to 1000, not 'often'"},
	    {{"--rate="}, "option --rate needs a HZ, but was given an empty one"},
	    {{"--rate", "1001"}, "option --rate needs a whole number from 1 to 1000, not '1001'"},
	    {{"--output"}, "option --output needs a DIR behind it"},
	    {{"-o", "--"}, "option -o needs a DIR behind it"},
	    {{"--output="}, "option --output needs a DIR, but was given an empty one"},
	    {{"--top=0"}, "option --top needs a whole number from 1 to 100, not '0'"},
	    {{"--top=101"}, "option --top needs a whole number from 1 to 100, not '101'"},
	    {{"-p", "-1"}, "option --pid needs a whole number, not '-1'"},
	    {{"-p", "0x10"}, "option --pid needs a whole number, not '0x10'"},
	    {{"-p", "99999999999999999999999"}, "option --pid needs a whole number, not '99999999999999999999999'"},
	    {{"-d", "nan"}, "option --seconds needs a number that is not negative, such as 2.5, not 'nan'"},
	    {{"-d", "-2"}, "option --seconds needs a number that is not negative, such as 2.5, not '-2'"},
	    {{"-d", "1e999"}, "option --seconds needs a number that is not negative, such as 2.5, not '1e999'"},
	};
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		parse(&outcome, OPTIONS_FIRST, cases[i].words);
		assert_int_equal(outcome.status, -EINVAL);
		assert_string_equal(outcome.err.text, cases[i].sentence);
	}
}

/* Calls a printer and returns what it printed; free it. */
static char *printed(void (*print)(const struct command *command, FILE *out))
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print(&sample, out);
	fclose(out);
	return text;
}

static void print_options(const struct command *command, FILE *out)
{
	options_print_help(command->options, out);
}

static void help_is_aligned(void **state)
{
	char *text = printed(print_options);

	(void)state;
	assert_string_equal(text, "      --strict              Fail if a record is lost\n"
				  "  -q, --quiet               Say nothing\n"
				  "  -o, --output=DIR          Write the profiles to DIR\n"
				  "  -t, --top=N               Show N rows\n"
				  "  -p, --pid=PID             Join process PID\n"
				  "  -r, --rate[=HZ]           Look HZ times a second\n"
				  "  -d, --seconds=SECONDS     End after SECONDS\n"
				  "      --only=QUERY          Show QUERY only\n"
				  "  -h, --help                Print this help and exit\n");
	free(text);
}

static void command_help_has_all_parts(void **state)
{
	char *text = printed(help_print_command);

	(void)state;
	assert_non_null(strstr(text, "Usage: querytap sample [OPTIONS] -- COMMAND [ARG...]\n"));
	assert_non_null(strstr(text, "\n\n  querytap sample -- cargo build\n"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 80);
	free(text);
}

static void fills_prose(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	text_fill("one\ntwo  three\n\n\n  kept   as\n  it is\nfour", 2, out);
	fclose(out);
	assert_string_equal(text, "one two three\n\n    kept   as\n    it is\n  four\n");
	free(text);
}

static char *generated(const struct command *const *list, const char *kind)
{
	const struct program program = {
	    .version = "1.2.3", .summary = "a summary", .details = "Details.", .options = rows, .commands = list};
	struct error err;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(help_generate(&program, kind, out, &err), 0);
	fclose(out);
	return text;
}

static void manual_escapes_roff(void **state)
{
	static const struct command *const list[] = {&sample, NULL};
	char *text = generated(list, "man");

	(void)state;
	assert_non_null(strstr(text, "querytap 1.2.3"));
	assert_non_null(strstr(text, "\n\\&.starts with a dot \\e and\n"));
	assert_non_null(strstr(text, "doesn\\(aqt end"));
	assert_non_null(strstr(text, "\\fB\\-o\\fR, \\fB\\-\\-output\\fR=\\fIDIR\\fR\n"));
	assert_non_null(strstr(text, ".nf\n  querytap sample \\-\\- cargo build\n.fi\n"));
	free(text);
}

static void unknown_document_is_refused(void **state)
{
	const struct program program = {.version = "", .options = rows, .commands = commands};
	struct error err;

	(void)state;
	assert_int_equal(help_generate(&program, "html", stdout, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'html'"));
}

/* Has bash complete the last of the words, and gives back the answers, one a line. */
static char *completed(const char *words)
{
	static const struct command *const list[] = {&sample, NULL};
	char *script = generated(list, "bash-completion");
	char *command;
	char *answer = calloc(1, 4096);
	FILE *pipe;

	assert_non_null(answer);
	assert_true(setenv("COMPLETION", script, 1) == 0);
	assert_true(asprintf(&command,
			     "bash -c 'eval \"$COMPLETION\"; COMP_WORDS=(querytap %s); "
			     "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _querytap; printf \"%%s\\n\" \"${COMPREPLY[@]}\"'",
			     words) > 0);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_true(fread(answer, 1, 4095, pipe) < 4095);
	assert_int_equal(pclose(pipe), 0);
	free(command);
	free(script);
	return answer;
}

static void bash_completes(void **state)
{
	static const struct {
		const char *words, *answer;
	} cases[] = {
	    {"sam", "sample\n"},	   {"help sam", "sample\n"},	{"--onl", "--only\n"},
	    {"sample --st", "--strict\n"}, {"sample -o /et", "/etc\n"}, {"sample --top 1", "\n"},
	};

	(void)state;
	if (system("command -v bash >/dev/null"))
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *answer = completed(cases[i].words);

		assert_string_equal(answer, cases[i].answer);
		free(answer);
	}
}

static void check_rows(const char *command, const struct option_row *table, size_t settings_size)
{
	for (const struct option_row *row = table; row->name; row++) {
		size_t size = options_field_size(row->kind);

		if (!row->help || !*row->help || row->help[strlen(row->help) - 1] == '.')
			fail_msg("%s --%s: help is to be one sentence without a full stop", command, row->name);
		if (!*row->name || row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
			fail_msg("%s --%s: not a good name", command, row->name);
		if (strcmp(row->name, "help") == 0 || row->letter == 'h')
			fail_msg("%s --%s: help has its own row", command, row->name);
		if ((row->kind == OPTION_FLAG) != !row->argument)
			fail_msg("%s --%s: a flag has no argument, all others have", command, row->name);
		if (!size || row->offset + size > settings_size)
			fail_msg("%s --%s: its field is not in the settings", command, row->name);
		if (row->max && row->min > row->max)
			fail_msg("%s --%s: no number is allowed", command, row->name);
		for (const struct option_row *other = table; other < row; other++) {
			if (strcmp(other->name, row->name) == 0 || (row->letter && other->letter == row->letter))
				fail_msg("%s --%s: name or letter is taken", command, row->name);
			if (other->offset < row->offset + size &&
			    row->offset < other->offset + options_field_size(other->kind))
				fail_msg("%s --%s: its field is also that of --%s", command, row->name, other->name);
		}
	}
}

static void tables_of_all_commands_hold_together(void **state)
{
	(void)state;
	assert_non_null(commands[0]);
	for (size_t i = 0; commands[i]; i++) {
		const struct command *command = commands[i];

		assert_non_null(command->name);
		assert_non_null(command->arguments);
		assert_non_null(command->options);
		assert_non_null(command->run);
		assert_true(command->summary && *command->summary);
		assert_true(command->summary[strlen(command->summary) - 1] != '.');
		assert_true(strcmp(command->name, "help") != 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(commands[j]->name, command->name);
		check_rows(command->name, command->options, command->settings_size);
	}
}

static void documents_name_every_command_and_option(void **state)
{
	char *manual = generated(commands, "man");
	char *completion = generated(commands, "bash-completion");

	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		char wanted[256];

		snprintf(wanted, sizeof(wanted), ".SS \"querytap %s\"\n", commands[i]->name);
		assert_non_null(strstr(manual, wanted));
		for (const struct option_row *row = commands[i]->options; row->name; row++) {
			snprintf(wanted, sizeof(wanted), " --%s", row->name);
			assert_non_null(strstr(completion, wanted));
		}
	}
	free(manual);
	free(completion);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_every_spelling_of_a_value),
	    cmocka_unit_test(a_number_may_be_left_out),
	    cmocka_unit_test(keeps_defaults_and_takes_the_last_value),
	    cmocka_unit_test(gathers_lists),
	    cmocka_unit_test(ends_at_the_first_argument),
	    cmocka_unit_test(takes_options_between_arguments_where_allowed),
	    cmocka_unit_test(help_needs_no_row),
	    cmocka_unit_test(says_what_is_wrong),
	    cmocka_unit_test(help_is_aligned),
	    cmocka_unit_test(command_help_has_all_parts),
	    cmocka_unit_test(fills_prose),
	    cmocka_unit_test(manual_escapes_roff),
	    cmocka_unit_test(unknown_document_is_refused),
	    cmocka_unit_test(bash_completes),
	    cmocka_unit_test(tables_of_all_commands_hold_together),
	    cmocka_unit_test(documents_name_every_command_and_option),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
