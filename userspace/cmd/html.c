/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap html: the trace of queries as a page of nested boxes. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

#include "analysis/analysis.h"
#include "mmprofdata/mmprofdata.h"
#include "render/render.h"

struct html_settings {
	const char *output;
};

static const struct option_row options[] = {
    {"output", 'o', OPTION_STRING, "FILE.html", offsetof(struct html_settings, output), 0, 0,
     "Write to FILE.html instead of standard output"},
    {0},
};

static int print(const char *path, const struct trace *trace, const struct mmp_reader *profile, struct error *err)
{
	struct output output;
	int rc = output_open(path, &output, err);

	if (rc)
		return rc;
	rc = render_trace_html(trace, profile, output.stream, err);
	return output_close(&output, rc, err);
}

static int make_page(const char *path, const char *output, struct error *err)
{
	struct mmp_reader *profile;
	struct mmp_error reason;
	struct trace trace;
	int rc = mmp_open(path, &profile, &reason);

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	rc = trace_build(profile, &trace, err);
	if (!rc) {
		rc = print(output, &trace, profile, err);
		trace_free(&trace);
	}
	mmp_close(profile);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	const struct html_settings *settings = chosen;
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "html needs one profile; see querytap html --help");
	else
		rc = make_page(argv[0], settings->output, &err);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_html = {
    .name = "html",
    .arguments = "FILE",
    .summary = "Make a page of the trace: queries as boxes in boxes",
    .details = "FILE is a profile as querytap record or rustc -Zself-profile writes it, with or without its "
	       "extension .mm_profdata. The page is one file that any current browser opens from the disk, without a "
	       "network. Boxes open to show what the compiler did within them: red ones are queries that were "
	       "computed, blue dots results that were in memory, green ones timed passes.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct html_settings),
    .run = run,
};
