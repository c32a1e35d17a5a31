/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "collect/profile.h"

/* rustc's options that take a value as an argument of its own. Source: rustc_session::config::rustc_optgroups. */
static const char *const with_value[] = {
    "-L",
    "-l",
    "-C",
    "-W",
    "-A",
    "-D",
    "-F",
    "-Z",
    "-o",
    "--cfg",
    "--check-cfg",
    "--crate-type",
    "--crate-name",
    "--edition",
    "--emit",
    "--print",
    "--out-dir",
    "--explain",
    "--target",
    "--allow",
    "--warn",
    "--force-warn",
    "--deny",
    "--forbid",
    "--cap-lints",
    "--codegen",
    "--extern",
    "--sysroot",
    "--error-format",
    "--json",
    "--color",
    "--diagnostic-width",
    "--remap-path-prefix",
    "--remap-path-scope",
    "--env-set",
    "--pretty",
};

bool option_takes_value(const char *arg)
{
	for (size_t i = 0; i < sizeof(with_value) / sizeof(*with_value); i++)
		if (!strcmp(arg, with_value[i]))
			return true;
	return false;
}

static void copy_name(const char *text, char *name, size_t size)
{
	size_t used = 0;

	for (; *text && used + 1 < size; text++)
		name[used++] = *text == '/' || *text == '-' ? '_' : *text;
	name[used] = '\0';
}

/* The input's file name without directory and extension, as rustc derives the crate's name from it; a directory has
 * none. */
static void name_from_input(const char *input, char *name, size_t size)
{
	const char *file = strrchr(input, '/');
	const char *dot;
	size_t length;

	file = file ? file + 1 : input;
	dot = strrchr(file, '.');
	length = dot && dot != file ? (size_t)(dot - file) : strlen(file);
	if (length >= size)
		length = size - 1;
	if (!length)
		return;
	for (size_t i = 0; i < length; i++)
		name[i] = file[i] == '-' ? '_' : file[i];
	name[length] = '\0';
}

void crate_name(const char *args, size_t length, char *name, size_t size)
{
	const char *end = args + length, *input = NULL;
	const char *arg = length ? args + strnlen(args, length) + 1 : end;

	snprintf(name, size, CRATE_UNKNOWN);
	while (arg < end) {
		const char *next = arg + strnlen(arg, (size_t)(end - arg)) + 1;

		if (!strcmp(arg, "--crate-name") && next < end && *next) {
			copy_name(next, name, size);
			return;
		}
		if (!strncmp(arg, "--crate-name=", 13) && arg[13]) {
			copy_name(arg + 13, name, size);
			return;
		}
		if (option_takes_value(arg))
			next = next < end ? next + strnlen(next, (size_t)(end - next)) + 1 : end;
		else if (!input && *arg && *arg != '@' && (*arg != '-' || !strcmp(arg, "-")))
			input = arg;
		arg = next;
	}
	if (!input)
		return;
	if (!strcmp(input, "-"))
		snprintf(name, size, "rust_out");
	else if (strstr(input, ".rs") || strchr(input, '/'))
		name_from_input(input, name, size);
}
