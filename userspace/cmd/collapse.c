/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap collapse: a profile as folded stacks. */
#include "cmd/cmd.h"

#include <errno.h>

#include "mmprofdata/mmprofdata.h"
#include "render/render.h"

struct collapse_settings {
	const char *output;
};

static const struct option_row options[] = {
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct collapse_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

static int load(const char *path, struct fold *fold, struct error *err)
{
	struct mmp_reader *profile;
	struct mmp_error reason;
	int rc = mmp_open(path, &profile, &reason);

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	rc = fold_profile(profile, fold, err);
	mmp_close(profile);
	return rc;
}

static int print(const char *path, const char *to, struct error *err)
{
	struct output output;
	struct fold fold;
	int rc = load(path, &fold, err);

	if (rc)
		return rc;
	rc = output_open(to, &output, err);
	if (!rc) {
		rc = render_fold(&fold, output.stream, err);
		rc = output_close(&output, rc, err);
	}
	fold_free(&fold);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	const struct collapse_settings *settings = chosen;
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "collapse needs one profile; see querytap collapse --help");
	else
		rc = print(argv[0], settings->output, &err);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_collapse = {
    .name = "collapse",
    .arguments = "FILE",
    .summary = "Print a profile's stacks, folded, as scripts for flame graphs read them",
    .details = "A line for each stack: the labels of the events that lie in each other, joined by semicolons, and the "
	       "nanoseconds spent in the last of them alone. \"rustc\" stands below them all; its own time is that in "
	       "which a thread was in no event. The lines are those of measureme's stack_collapse, sorted.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct collapse_settings),
    .run = run,
};
