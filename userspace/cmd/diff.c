/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap diff: what became of the compiler's time from one profile to another. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

#include "analysis/analysis.h"
#include "cmd/tables.h"
#include "render/render.h"

struct diff_settings {
	struct option_list exclude;
	unsigned long limit;
	bool json;
	const char *output;
};

static const struct option_row options[] = {
    {"exclude", 'e', OPTION_LIST, "LABEL", offsetof(struct diff_settings, exclude), 0, 0,
     "Leave out items whose label contains LABEL; may be given several times"},
    {"limit", 'n', OPTION_UINT, "N", offsetof(struct diff_settings, limit), 1, 0, "Show only the first N items"},
    {"json", 'j', OPTION_FLAG, NULL, offsetof(struct diff_settings, json), 0, 0,
     "Print JSON, as `summarize diff --json` of measureme writes it"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct diff_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

static int print(const struct diff_settings *settings, const struct diff *diff, struct error *err)
{
	struct diff_filter filter = {settings->exclude.items, settings->exclude.count, settings->limit};
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	rc = settings->json ? render_diff_json(diff, &filter, output.stream, err)
			    : render_diff_text(diff, &filter, output.stream, err);
	return output_close(&output, rc, err);
}

static int run(const void *chosen, int argc, char **argv)
{
	struct summary base = {0}, change = {0};
	struct untimed_labels base_untimed = {0}, change_untimed = {0};
	struct diff diff = {0};
	struct error err;
	int rc;

	if (argc != 2)
		rc = error_set(&err, EINVAL, "diff needs two profiles; see querytap diff --help");
	else
		rc = tables_summarize(argv[0], &base, &base_untimed, &err);
	if (!rc)
		rc = tables_summarize(argv[1], &change, &change_untimed, &err);
	if (!rc) {
		rc = diff_summaries(&base, &change, &diff, &err);
		if (rc)
			error_prefix(&err, rc, "%s, %s", argv[0], argv[1]);
	}
	if (!rc)
		rc = print(chosen, &diff, &err);
	if (!rc)
		untimed_warn(&base_untimed, &change_untimed);
	untimed_free(&base_untimed);
	untimed_free(&change_untimed);
	diff_free(&diff);
	summary_free(&base);
	summary_free(&change);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_diff = {
    .name = "diff",
    .arguments = "BASE CHANGE",
    .summary = "Show what changed from one profile to another",
    .details = "Takes the numbers of summarize for the profile CHANGE less those for BASE. Items are sorted by the "
	       "size of the difference in self time; percentages are of BASE, \"+inf%\" is what BASE has not. Both "
	       "profiles have to use the same "
	       "counter.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct diff_settings),
    .run = run,
};
