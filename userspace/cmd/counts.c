/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap counts: the table of profile_queries.counts.txt. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

#include "analysis/analysis.h"
#include "cmd/tables.h"
#include "render/render.h"

struct counts_settings {
	bool hits;
	const char *output;
};

static const struct option_row options[] = {
    {"hits", 0, OPTION_FLAG, NULL, offsetof(struct counts_settings, hits), 0, 0,
     "Count also the times that a result was found in memory or loaded from an earlier incremental build"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct counts_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

static int print(const struct counts_settings *settings, const struct summary *summary, struct error *err)
{
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	render_counts(summary, settings->hits, output.stream);
	return output_close(&output, 0, err);
}

static int run(const void *chosen, int argc, char **argv)
{
	struct summary summary = {0};
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "counts needs one profile; see querytap counts --help");
	else
		rc = tables_summarize(argv[0], &summary, NULL, &err);
	if (!rc) {
		summary_sort(&summary, SUMMARY_BY_SPAN);
		rc = print(chosen, &summary, &err);
	}
	summary_free(&summary);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_counts = {
    .name = "counts",
    .arguments = "FILE",
    .summary = "Print how often each query and activity ran and its seconds, one a line, for a spreadsheet",
    .details = "Prints lines of the form \"label,count,seconds\" by falling time, as rustc's -Zprofile-queries wrote "
	       "them into profile_queries.counts.txt. The count is how often the provider or the activity ran; the "
	       "seconds include what it asked for, and where it recurs the time is counted once.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct counts_settings),
    .run = run,
};
