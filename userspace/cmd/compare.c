/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap compare: what changed between runs, query by query, as a page to look at. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/analysis.h"
#include "cmd/profiles.h"
#include "cmd/untimed.h"
#include "render/render.h"

struct compare_settings {
	struct option_list base;
	struct option_list change;
	bool json;
	const char *output;
};

static const struct option_row options[] = {
    {"base", 'b', OPTION_LIST, "PATH", offsetof(struct compare_settings, base), 0, 0,
     "A further run of the base; may be given several times"},
    {"change", 'c', OPTION_LIST, "PATH", offsetof(struct compare_settings, change), 0, 0,
     "A further run of the change; may be given several times"},
    {"json", 'j', OPTION_FLAG, NULL, offsetof(struct compare_settings, json), 0, 0,
     "Print the page's figures as JSON instead of a page"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct compare_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

/* A run as it was given, and what it holds. */
struct loaded_run {
	struct profile_files files;
	struct summary *summaries;
	struct run_profile *profiles;
};

/* A side of the comparison. */
struct loaded_side {
	const char **paths; /* borrow the arguments */
	struct loaded_run *runs;
	struct run *views; /* the same for the analysis */
	struct untimed_labels untimed;
	size_t count;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory while comparing");
}

static int load_run(const char *path, struct loaded_run *run, struct untimed_labels *untimed, struct error *err)
{
	int rc = profiles_find(path, &run->files, err);

	if (rc)
		return rc;
	run->summaries = calloc(run->files.count, sizeof(*run->summaries));
	run->profiles = calloc(run->files.count, sizeof(*run->profiles));
	if (!run->summaries || !run->profiles)
		return out_of_memory(err);
	for (size_t i = 0; i < run->files.count && !rc; i++) {
		struct mmp_reader *reader;

		/* A profile given by its own name is compared with another whatever they are called. */
		run->profiles[i] =
		    (struct run_profile){run->files.is_folder ? run->files.items[i].crate : "", &run->summaries[i]};
		rc = profiles_open(&run->files.items[i], &reader, err);
		if (rc)
			break;
		rc = summarize_profile(reader, &run->summaries[i], err);
		untimed_add(untimed, reader);
		mmp_close(reader);
	}
	return rc;
}

static int load_side(const char *first, const struct option_list *others, struct loaded_side *side, struct error *err)
{
	size_t count = (first != NULL) + others->count;
	int rc = 0;

	side->paths = calloc(count, sizeof(*side->paths));
	side->runs = calloc(count, sizeof(*side->runs));
	side->views = calloc(count, sizeof(*side->views));
	if (!side->paths || !side->runs || !side->views)
		return out_of_memory(err);
	if (first)
		side->paths[side->count++] = first;
	for (size_t i = 0; i < others->count; i++)
		side->paths[side->count++] = others->items[i];
	for (size_t i = 0; i < side->count && !rc; i++) {
		rc = load_run(side->paths[i], &side->runs[i], &side->untimed, err);
		side->views[i] = (struct run){side->runs[i].profiles, side->runs[i].files.count};
	}
	return rc;
}

static void free_side(struct loaded_side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		for (size_t j = 0; side->runs[i].summaries && j < side->runs[i].files.count; j++)
			summary_free(&side->runs[i].summaries[j]);
		free(side->runs[i].summaries);
		free(side->runs[i].profiles);
		profiles_free(&side->runs[i].files);
	}
	untimed_free(&side->untimed);
	free(side->paths);
	free(side->runs);
	free(side->views);
}

/* Folders with folders, profiles with profiles. */
static int check_kinds(const struct loaded_side *base, const struct loaded_side *change, struct error *err)
{
	const struct loaded_run *first = &base->runs[0];

	for (size_t i = 1; i < base->count + change->count; i++) {
		const struct loaded_side *side = i < base->count ? base : change;
		size_t at = i < base->count ? i : i - base->count;

		if (side->runs[at].files.is_folder != first->files.is_folder)
			return error_set(err, EINVAL,
					 "%s is a %s and %s is a %s: compare folders with folders, or profiles with "
					 "profiles",
					 base->paths[0], first->files.is_folder ? "folder" : "profile", side->paths[at],
					 first->files.is_folder ? "profile" : "folder");
	}
	return 0;
}

static int check_counters(const struct loaded_side *base, const struct loaded_side *side, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < side->count && !rc; i++)
		for (size_t j = 0; j < side->runs[i].files.count && !rc; j++)
			rc = summary_same_counter(&base->runs[0].summaries[0], &side->runs[i].summaries[j], err);
	return rc;
}

static int print(const struct compare_settings *settings, const struct comparison_names *names,
		 const struct comparison *comparison, struct error *err)
{
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	rc = settings->json ? render_comparison_json(comparison, names, output.stream, err)
			    : render_comparison_page(comparison, names, output.stream, err);
	return output_close(&output, rc, err);
}

static int compare(const struct compare_settings *settings, int argc, char **argv, struct error *err)
{
	struct loaded_side base = {0}, change = {0};
	struct comparison comparison = {0};
	int rc = load_side(argc ? argv[0] : NULL, &settings->base, &base, err);

	if (!rc)
		rc = load_side(argc ? argv[1] : NULL, &settings->change, &change, err);
	if (!rc)
		rc = check_kinds(&base, &change, err);
	if (!rc)
		rc = check_counters(&base, &base, err);
	if (!rc)
		rc = check_counters(&base, &change, err);
	if (!rc)
		rc = compare_runs(base.views, base.count, change.views, change.count, &comparison, err);
	if (!rc) {
		struct comparison_names names = {base.paths, change.paths, base.runs[0].files.is_folder};

		rc = print(settings, &names, &comparison, err);
	}
	if (!rc)
		untimed_warn(&base.untimed, &change.untimed);
	comparison_free(&comparison);
	free_side(&base);
	free_side(&change);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	const struct compare_settings *settings = chosen;
	bool has_sides = argc == 2 || (argc == 0 && settings->base.count && settings->change.count);
	struct error err;
	int rc;

	if (has_sides)
		rc = compare(settings, argc, argv, &err);
	else
		rc = error_set(&err, EINVAL, "compare needs a base and a change; see querytap compare --help");
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_compare = {
    .name = "compare",
    .arguments = "[BASE CHANGE]",
    .summary = "Compare two runs query by query, as a page for the browser",
    .details = "BASE and CHANGE are profiles, or folders of profiles, which are matched crate by crate by their names "
	       "(CRATE-PID.mm_profdata); a crate's several profiles within a folder are added up. The page is one file "
	       "that needs nothing else.\n\n"
	       "To tell changes from noise, give several runs of each side: --base B1 --base B2 --change C1 --change "
	       "C2, or further ones beside BASE and CHANGE. A change is then called real if the runs' ranges do not "
	       "overlap and the medians differ by more than 3 times the sum of both sides' median absolute deviations.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct compare_settings),
    .run = run,
};
