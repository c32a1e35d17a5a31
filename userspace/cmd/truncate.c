/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap truncate: a profile's beginning, for tests and bug reports. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/tables.h"

struct truncate_settings {
	unsigned long events;
	const char *output;
};

static const struct option_row options[] = {
    {"events", 'n', OPTION_UINT, "N", offsetof(struct truncate_settings, events), 1, 0,
     "Keep the first N events instead of the first page"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct truncate_settings, output), 0, 0,
     "Write to FILE instead of standard output; it may be the profile itself"},
    {0},
};

static int write_truncated(const struct truncate_settings *settings, const struct mmp_reader *profile,
			   struct error *err)
{
	size_t count = settings->events ? settings->events : mmp_first_page_events(profile);
	struct output output;
	int rc;

	if (!settings->output && isatty(STDOUT_FILENO))
		return error_set(err, EINVAL, "truncate writes no profile to a terminal; name a file with -o FILE");
	rc = output_open(settings->output, &output, err);
	if (rc)
		return rc;
	mmp_write_truncated(profile, count, output.stream);
	return output_close(&output, 0, err);
}

static int run(const void *chosen, int argc, char **argv)
{
	struct mmp_reader *profile = NULL;
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "truncate needs one profile; see querytap truncate --help");
	else
		rc = tables_open(argv[0], &profile, &err);
	if (!rc)
		rc = write_truncated(chosen, profile, &err);
	mmp_close(profile);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_truncate = {
    .name = "truncate",
    .arguments = "FILE",
    .summary = "Write a profile's first events as a smaller profile",
    .details = "Keeps the first page of events (about 8000) and all strings, as mmedit truncate of measureme does. "
	       "An event is written when it ends, so what contains the first events is not among them. FILE is not "
	       "changed unless -o names it.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct truncate_settings),
    .run = run,
};
