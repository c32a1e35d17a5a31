/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap aggregate: how much the same events differ from one run to the next. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/analysis.h"
#include "cmd/tables.h"
#include "render/render.h"

struct aggregate_settings {
	const char *output;
};

static const struct option_row options[] = {
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct aggregate_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

static int aggregate_files(int count, char **paths, struct aggregate *aggregate, struct error *err)
{
	struct mmp_reader **profiles = calloc((size_t)count, sizeof(*profiles));
	int rc = profiles ? 0 : error_set(err, ENOMEM, "out of memory");

	for (int i = 0; i < count && !rc; i++)
		rc = tables_open(paths[i], &profiles[i], err);
	if (!rc)
		rc = aggregate_profiles((const struct mmp_reader *const *)profiles, (size_t)count, aggregate, err);
	for (int i = 0; i < count && profiles; i++)
		mmp_close(profiles[i]);
	free(profiles);
	return rc;
}

static int print(const struct aggregate_settings *settings, const struct aggregate *aggregate, struct error *err)
{
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	render_aggregate(aggregate, output.stream);
	return output_close(&output, 0, err);
}

static int run(const void *chosen, int argc, char **argv)
{
	struct aggregate aggregate = {0};
	struct error err;
	int rc;

	if (argc < 1)
		rc = error_set(&err, EINVAL, "aggregate needs profiles; see querytap aggregate --help");
	else
		rc = aggregate_files(argc, argv, &aggregate, &err);
	if (!rc && aggregate.skipped_threads)
		fprintf(
		    stderr,
		    "querytap: left out: %zu %s of %s, with %llu events, which do not occur like this in all of the "
		    "profiles\n",
		    aggregate.skipped_threads, aggregate.skipped_threads == 1 ? "thread" : "threads", argv[0],
		    (unsigned long long)aggregate.skipped_events);
	if (!rc)
		rc = print(chosen, &aggregate, &err);
	aggregate_free(&aggregate);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_aggregate = {
    .name = "aggregate",
    .arguments = "FILE...",
    .summary = "Show how much the same events differ between profiles of the same compilation",
    .details = "The profiles have to be of the same events in the same order, as from compiling the same thing "
	       "several times. Their starts and ends cut the time into intervals; printed are the shortest and the "
	       "longest of them in any profile, and those whose durations differ least and most between the profiles. "
	       "Threads are matched by their events; one whose events are not the same in every profile is left "
	       "out, which is said on standard error.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct aggregate_settings),
    .run = run,
};
