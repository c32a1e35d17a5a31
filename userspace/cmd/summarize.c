/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap summarize: where the compiler's time went, by query and activity. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

#include "analysis/analysis.h"
#include "mmprofdata/mmprofdata.h"
#include "render/render.h"

struct summarize_settings {
	double percent_above;
	unsigned long limit;
	bool json;
	const char *output;
};

static const struct option_row options[] = {
    {"percent-above", 'p', OPTION_DOUBLE, "PERCENT", offsetof(struct summarize_settings, percent_above), 0, 0,
     "Leave out items whose self time is less than this share of the total time"},
    {"limit", 'n', OPTION_UINT, "N", offsetof(struct summarize_settings, limit), 1, 0, "Show only the first N items"},
    {"json", 'j', OPTION_FLAG, NULL, offsetof(struct summarize_settings, json), 0, 0,
     "Print JSON, as `summarize summarize --json` of measureme writes it"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct summarize_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

static int load(const char *path, struct summary *summary, struct error *err)
{
	struct mmp_reader *profile;
	struct mmp_error reason;
	int rc = mmp_open(path, &profile, &reason);

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	rc = summarize_profile(profile, summary, err);
	mmp_close(profile);
	return rc;
}

static int print(const struct summarize_settings *settings, const struct summary *summary, struct error *err)
{
	struct summary_filter filter = {settings->percent_above, settings->limit};
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	rc = settings->json ? render_summary_json(summary, &filter, output.stream, err)
			    : render_summary_text(summary, &filter, output.stream, err);
	return output_close(&output, rc, err);
}

static int run(const void *chosen, int argc, char **argv)
{
	const struct summarize_settings *settings = chosen;
	struct summary summary;
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "summarize needs one profile; see querytap summarize --help");
	else if (settings->percent_above > 100)
		rc = error_set(&err, EINVAL, "option --percent-above cannot be more than 100");
	else
		rc = load(argv[0], &summary, &err);
	if (!rc) {
		rc = print(settings, &summary, &err);
		summary_free(&summary);
	}
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_summarize = {
    .name = "summarize",
    .arguments = "FILE",
    .summary = "Show where the compiler's time went, by query and activity",
    .details = "FILE is a profile as querytap record or rustc -Zself-profile writes it, with or without its "
	       "extension .mm_profdata. An item's self time is what it took less what the items inside of it took, "
	       "its time is the whole; items are sorted by self time. Columns for cache hits, waiting and "
	       "incremental builds appear if the profile has any.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct summarize_settings),
    .run = run,
};
