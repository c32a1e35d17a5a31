/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap collapse: a profile as folded stacks. */
#include "cmd/cmd.h"

#include "cmd/sampled.h"
#include "mmprofdata/mmprofdata.h"
#include "render/render.h"

struct collapse_settings {
	struct sampled_settings sampled;
	const char *output;
};

static const struct option_row options[] = {
    SAMPLED_OPTIONS(struct collapse_settings, sampled),
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

/* `path` is the profile's, unless samples are asked for. */
static int print(const struct collapse_settings *settings, const char *path, struct error *err)
{
	bool sampled = settings->sampled.samples;
	struct output output;
	struct fold fold;
	int rc = sampled ? sampled_fold(&settings->sampled, &fold, err) : load(path, &fold, err);

	if (rc)
		return rc;
	rc = output_open(settings->output, &output, err);
	if (!rc) {
		rc = sampled ? render_fold_counts(&fold, output.stream, err) : render_fold(&fold, output.stream, err);
		rc = output_close(&output, rc, err);
	}
	fold_free(&fold);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	const struct collapse_settings *settings = chosen;
	struct error err;
	int rc = sampled_check(&settings->sampled, "collapse", argc, &err);

	if (!rc)
		rc = print(settings, argv[0], &err);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_collapse = {
    .name = "collapse",
    .arguments = "FILE|--samples DIR",
    .summary = "Print a profile's stacks, folded, as scripts for flame graphs read them",
    .details = "A line for each stack: the labels of the events that lie in each other, joined by semicolons, and the "
	       "nanoseconds spent in the last of them alone. \"rustc\" stands below them all; its own time is that in "
	       "which a thread was in no event. The lines are those of measureme's stack_collapse, sorted.\n"
	       "\n"
	       "With --samples a line has the process with its id, the thread, the stack, and in how many samples it "
	       "was. Queries and activities stand in brackets, and so do \"[kernel]\", innermost, where the thread was "
	       "in the kernel, and \"[incomplete]\", outermost, where the start of the thread was not reached.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct collapse_settings),
    .run = run,
};
