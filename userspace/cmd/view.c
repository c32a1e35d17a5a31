/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap view: a profile's events, one after the other. */
#include "cmd/cmd.h"

#include <errno.h>
#include <limits.h>

#include "mmprofdata/mmprofdata.h"
#include "render/render.h"

struct view_settings {
	unsigned long thread; /* ULONG_MAX for all */
	const char *output;
};

static const struct view_settings defaults = {.thread = ULONG_MAX};

static const struct option_row options[] = {
    {"thread-id", 't', OPTION_UINT, "THREAD", offsetof(struct view_settings, thread), 0, UINT32_MAX,
     "Show the events of this thread only"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct view_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

static int print(const struct view_settings *settings, const char *path, struct error *err)
{
	uint32_t thread = (uint32_t)settings->thread;
	struct mmp_reader *profile;
	struct mmp_error reason;
	struct output output;
	bool shown = true;
	int rc = mmp_open(path, &profile, &reason);

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	rc = output_open(settings->output, &output, err);
	if (!rc) {
		rc = render_view(profile, settings->thread == ULONG_MAX ? NULL : &thread, &shown, output.stream, err);
		rc = output_close(&output, rc, err);
	}
	if (!shown)
		fprintf(stderr, "querytap: %s has no events with a time\n", mmp_path(profile));
	mmp_close(profile);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "view needs one profile; see querytap view --help");
	else
		rc = print(chosen, argv[0], &err);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_view = {
    .name = "view",
    .arguments = "FILE",
    .summary = "Print a profile's events, one after the other",
    .details = "Every event in the order of the file, thus of the events' ends: kind, label, arguments, its times in "
	       "microseconds since the first event or its number, and its thread; as measureme's mmview prints them.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct view_settings),
    .settings_default = &defaults,
    .run = run,
};
