/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap report: a whole build on one page. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "cmd/profiles.h"
#include "render/render.h"
#include "util/path.h"

/* What of a trace is shown, as a share of its crate's time. */
#define REPORT_PRUNE 0.0005

struct report_settings {
	bool json;
	const char *output;
};

static const struct option_row options[] = {
    {"json", 'j', OPTION_FLAG, NULL, offsetof(struct report_settings, json), 0, 0,
     "Print the page's figures as JSON instead of a page"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct report_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

/* All profiles of a folder. */
struct loaded {
	struct profile_files files;
	struct summary *summaries;
	struct stacks *stacks;
	struct build_input *inputs;
	struct report_process *processes; /* their commands are ours to free */
	struct recorded_build recorded;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for the report");
}

static int require_wall_time(const struct mmp_reader *profile, struct error *err)
{
	if (strcmp(profile_counter(profile), MMP_COUNTER_WALL_TIME) == 0)
		return 0;
	return error_set(err, ENOTSUP,
			 "%s counts %s: report needs wall-time, to tell what ran beside what; compare and summarize "
			 "can read it",
			 mmp_path(profile), profile_counter(profile));
}

/* Reads profile `i` of the folder. */
static int load_profile(struct loaded *loaded, size_t i, const struct mmp_reader *profile, struct error *err)
{
	const struct mmp_metadata *metadata = mmp_metadata(profile);
	char *command = strdup(metadata->cmd);
	int rc;

	loaded->processes[i] = (struct report_process){
	    loaded->files.items[i].crate, metadata->process_id, command,
	    &loaded->summaries[i],	  &loaded->stacks[i],	path_name(loaded->files.items[i].path)};
	if (!command)
		return out_of_memory(err);
	rc = summarize_profile(profile, &loaded->summaries[i], err);
	if (!rc)
		rc = stacks_merge(profile, REPORT_PRUNE, &loaded->stacks[i], err);
	if (!rc && loaded->stacks[i].end_ns > UINT64_MAX - metadata->start_time)
		rc = error_set(err, EINVAL, "%s: its start time is beyond all calendars", mmp_path(profile));
	loaded->inputs[i] = (struct build_input){metadata->start_time, metadata->start_time + loaded->stacks[i].end_ns,
						 &loaded->summaries[i]};
	return rc;
}

static int load(const char *path, struct loaded *loaded, struct error *err)
{
	int rc = profiles_find(path, &loaded->files, err);
	size_t count = loaded->files.count;

	if (rc)
		return rc;
	if (!loaded->files.is_folder)
		return error_set(err, ENOTDIR, "%s is no folder: report needs the folder of a build's profiles", path);
	loaded->summaries = calloc(count, sizeof(*loaded->summaries));
	loaded->stacks = calloc(count, sizeof(*loaded->stacks));
	loaded->inputs = calloc(count, sizeof(*loaded->inputs));
	loaded->processes = calloc(count, sizeof(*loaded->processes));
	if (!loaded->summaries || !loaded->stacks || !loaded->inputs || !loaded->processes)
		return out_of_memory(err);
	for (size_t i = 0; i < count && !rc; i++) {
		struct mmp_reader *profile;

		rc = profiles_open(&loaded->files.items[i], &profile, err);
		if (rc)
			break;
		rc = require_wall_time(profile, err);
		if (!rc)
			rc = load_profile(loaded, i, profile, err);
		mmp_close(profile);
	}
	if (!rc)
		profiles_read_build(path, &loaded->recorded);
	return rc;
}

static void free_loaded(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->files.count; i++) {
		if (loaded->summaries)
			summary_free(&loaded->summaries[i]);
		if (loaded->stacks)
			stacks_free(&loaded->stacks[i]);
		if (loaded->processes)
			free((char *)loaded->processes[i].command);
	}
	free(loaded->summaries);
	free(loaded->stacks);
	free(loaded->inputs);
	free(loaded->processes);
	recorded_free(&loaded->recorded);
	profiles_free(&loaded->files);
}

static int print(const struct report_settings *settings, const struct report *report, struct error *err)
{
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	rc = settings->json ? render_report_json(report, output.stream, err)
			    : render_report_page(report, output.stream, err);
	return output_close(&output, rc, err);
}

static int report(const struct report_settings *settings, const char *path, struct error *err)
{
	struct loaded loaded = {0};
	struct build build = {0};
	int rc = load(path, &loaded, err);

	if (!rc)
		rc = build_lay_out(loaded.inputs, loaded.files.count, &build, err);
	if (!rc) {
		struct report report = {path, &build, loaded.processes, REPORT_PRUNE,
					loaded.recorded.count ? &loaded.recorded : NULL};

		build_widen(&build, &loaded.recorded);
		rc = print(settings, &report, err);
	}
	build_free(&build);
	free_loaded(&loaded);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	struct error err;
	int rc;

	if (argc == 1)
		rc = report(chosen, argv[0], &err);
	else
		rc = error_set(&err, EINVAL,
			       "report needs the folder of a build's profiles; see querytap report --help");
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_report = {
    .name = "report",
    .arguments = "DIR",
    .summary = "Show a whole build as a page for the browser",
    .details = "DIR is the folder of a build's profiles, as querytap record makes it: one for each compiler process. "
	       "The page shows what ran beside what, the longest chain of compilers that followed one another "
	       "(inferred from their times), each crate's top queries and its merged stacks, and sums over all crates. "
	       "Where DIR has a build.json, all other processes are there, too: cargo, build scripts, linkers. "
	       "It is one file that needs nothing else.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct report_settings),
    .run = run,
};
