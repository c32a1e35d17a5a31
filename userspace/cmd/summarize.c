/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap summarize: where the compiler's time went, by query and activity. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analysis/analysis.h"
#include "cmd/estimating.h"
#include "cmd/off_cpu.h"
#include "cmd/tables.h"
#include "cmd/untimed.h"
#include "render/render.h"

struct summarize_settings {
	double percent_above;
	unsigned long limit;
	const char *sort;
	bool hits;
	bool threads;
	bool off_cpu;
	bool measured;
	bool json;
	const char *output;
};

static const struct option_row options[] = {
    {"percent-above", 'p', OPTION_DOUBLE, "PERCENT", offsetof(struct summarize_settings, percent_above), 0, 0,
     "Leave out items whose self time is less than this share of the total time"},
    {"limit", 'n', OPTION_UINT, "N", offsetof(struct summarize_settings, limit), 1, 0, "Show only the first N items"},
    {"sort", 's', OPTION_STRING, "COLUMN", offsetof(struct summarize_settings, sort), 0, 0,
     "Sort by self (the default), time, count, label, hits, blocked, load or hashing"},
    {"hits", 0, OPTION_FLAG, NULL, offsetof(struct summarize_settings, hits), 0, 0,
     "Show how many percent of the requests for a query's result found it in memory or loaded it from an earlier "
     "incremental build"},
    {"threads", 't', OPTION_FLAG, NULL, offsetof(struct summarize_settings, threads), 0, 0,
     "Show how much of each thread's time the self times add up to, instead of items"},
    {"off-cpu", 0, OPTION_FLAG, NULL, offsetof(struct summarize_settings, off_cpu), 0, 0,
     "Show what of the self times was on the CPU, asleep, blocked and pre-empted, or with --threads what of each "
     "thread's time, where it was recorded with --off-cpu"},
    {"measured", 'm', OPTION_FLAG, NULL, offsetof(struct summarize_settings, measured), 0, 0,
     "Show times as they were measured, without estimates of what was left untimed"},
    {"json", 'j', OPTION_FLAG, NULL, offsetof(struct summarize_settings, json), 0, 0,
     "Print JSON, as `summarize summarize --json` of measureme writes it"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct summarize_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

/* Finds the column called `name`; leaves *order as it is for NULL. */
static int find_order(const char *name, enum summary_order *order, struct error *err)
{
	static const struct {
		const char *name;
		enum summary_order order;
	} columns[] = {
	    {"self", SUMMARY_BY_SELF},	 {"time", SUMMARY_BY_TIME},	  {"count", SUMMARY_BY_COUNT},
	    {"label", SUMMARY_BY_LABEL}, {"hits", SUMMARY_BY_HITS},	  {"blocked", SUMMARY_BY_BLOCKED},
	    {"load", SUMMARY_BY_LOAD},	 {"hashing", SUMMARY_BY_HASHING},
	};

	if (!name)
		return 0;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		*order = columns[i].order;
		if (strcmp(name, columns[i].name) == 0)
			return 0;
	}
	return error_set(err, EINVAL,
			 "option --sort takes self, time, count, label, hits, blocked, load or hashing, not '%s'",
			 name);
}

static int print(const struct summarize_settings *settings, const struct mmp_reader *profile,
		 const struct summary *summary, const struct estimates *estimates, struct error *err)
{
	struct summary_filter filter = {settings->percent_above, settings->limit, settings->hits, estimates};
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	rc = settings->json ? render_summary_json(summary, &filter, output.stream, err)
			    : render_summary_text(summary, &filter, output.stream, err);
	if (!rc && !settings->json)
		untimed_print(profile, estimates->row_count, output.stream);
	return output_close(&output, rc, err);
}

static int print_threads(const struct summarize_settings *settings, const struct thread_list *list, struct error *err)
{
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	rc = settings->json ? render_threads_json(list, output.stream, err)
			    : render_threads_text(list, output.stream, err);
	return output_close(&output, rc, err);
}

static int show_threads(const struct summarize_settings *settings, const char *path, struct error *err)
{
	struct mmp_reader *profile;
	struct thread_list list;
	int rc;

	if (settings->percent_above != 0 || settings->limit || settings->sort || settings->hits || settings->measured)
		return error_set(err, EINVAL,
				 "option --threads shows no items: it does not go with --percent-above, --limit, "
				 "--sort, --hits and --measured");
	rc = tables_open(path, &profile, err);
	if (rc)
		return rc;
	rc = threads_time(profile, &list, err);
	if (!rc)
		rc = print_threads(settings, &list, err);
	thread_list_free(&list);
	mmp_close(profile);
	return rc;
}

/* JSON keeps what was measured, with the estimates beside it; text has them in their places. */
static int show_profile(const struct summarize_settings *settings, const struct mmp_reader *profile,
			enum summary_order order, struct error *err)
{
	struct estimating estimating = {0};
	struct summary summary;
	int rc = summarize_profile(profile, &summary, err);

	if (rc)
		return rc;
	if (!settings->measured)
		rc = estimating_begin(profile, &summary, &estimating, err);
	if (!rc && !settings->json)
		rc = estimates_apply(&estimating.estimates, &summary, err);
	if (!rc) {
		summary_sort(&summary, order);
		rc = print(settings, profile, &summary, &estimating.estimates, err);
	}
	estimating_free(&estimating);
	summary_free(&summary);
	return rc;
}

static int show_items(const struct summarize_settings *settings, const char *path, struct error *err)
{
	enum summary_order order = SUMMARY_BY_SELF;
	struct mmp_reader *profile;
	int rc = find_order(settings->sort, &order, err);

	if (!rc)
		rc = tables_open(path, &profile, err);
	if (!rc) {
		rc = show_profile(settings, profile, order, err);
		mmp_close(profile);
	}
	return rc;
}

static int show_off_cpu(const struct summarize_settings *settings, const char *path, struct error *err)
{
	const struct off_cpu_settings chosen = {settings->limit, settings->threads, settings->json, settings->output};

	if (settings->percent_above != 0 || settings->sort || settings->hits || settings->measured ||
	    (settings->threads && settings->limit))
		return error_set(err, EINVAL,
				 "option --off-cpu goes with --json, --output, and one of --threads and --limit alone");
	return off_cpu_show(&chosen, path, err);
}

static int run(const void *chosen, int argc, char **argv)
{
	const struct summarize_settings *settings = chosen;
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "summarize needs one profile; see querytap summarize --help");
	else if (settings->percent_above > 100)
		rc = error_set(&err, EINVAL, "option --percent-above cannot be more than 100");
	else
		rc = settings->off_cpu	 ? show_off_cpu(settings, argv[0], &err)
		     : settings->threads ? show_threads(settings, argv[0], &err)
					 : show_items(settings, argv[0], &err);
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
	       "incremental builds appear if the profile has any; so do those of --hits. What querytap record "
	       "writes has no cache hits, since they cannot be seen from outside of the compiler. Where a profile "
	       "counts something else "
	       "than wall time, such as instructions, the titles say so.\n"
	       "\n"
	       "What querytap record left untimed to keep the overhead low is estimated from the samples in the "
	       "profile's folder, if there are any: of the self time that was measured as that of what called it, it "
	       "gets as much as it has of the samples there, so the sum stays. A self time with ~ before it is such an "
	       "estimate, or what is left of one that was measured; \xC2\xB1 is half of its 95% confidence interval, "
	       "or the wider part. --json has the times as measured, and the estimates in an array of their own, "
	       "\"estimated\". --measured leaves all estimates out.\n"
	       "\n"
	       "--threads shows for each thread when its first event starts and its last one ends, the span between "
	       "them, the sum of the self times of all its events, and the hole: what of the span is in no event, "
	       "which is below zero where events overlap without lying in each other. The spans' total is what the "
	       "table of items calls total cpu time. --json has the same as \"threads\", an array, and \"total\".\n"
	       "\n"
	       "--off-cpu divides the self times by what samples.qts beside the profile says, which record --off-cpu "
	       "writes: on the CPU; asleep for a time that the thread chose; blocked, waiting for anything else; "
	       "pre-empted, which is ready to run while others do. FILE may then be a folder too, for all its profiles "
	       "together. --json has every reason, and those of the whole times.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct summarize_settings),
    .run = run,
};
