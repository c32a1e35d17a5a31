/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap doctor: what works here, for the kernel and for a compiler, and what a probe costs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "cmd/tables.h"

struct doctor_settings {
	bool labels;
	const char *coverage;
	bool json;
};

static const struct option_row options[] = {
    {.name = "labels",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct doctor_settings, labels),
     .help = "Print every label under which events can be recorded, one a line"},
    {.name = "coverage",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .offset = offsetof(struct doctor_settings, coverage),
     .help = "Say how much of the self time in a profile of rustc -Zself-profile a recording would have, and what it "
	     "would lack"},
    {.name = "json",
     .letter = 'j',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct doctor_settings, json),
     .help = "Print JSON"},
    {0},
};

static void measure(struct findings *findings)
{
	struct collect_options options = {.directory = "."};
	struct collector *collector;

	if (collector_open(&options, &collector, &findings->measure_error) < 0)
		return;
	findings->measured =
	    collector_measure(collector, &findings->cost, &findings->measure_error) == 0 &&
	    collector_measure_instructions(collector, &findings->instructions, &findings->measure_error) == 0;
	collector_free(collector);
}

static int examine(struct findings *findings, char **argv, const struct identity *user, struct error *err)
{
	char *cwd = getcwd(NULL, 0);
	struct find_input input = {argv, environ, cwd ? cwd : "/", user->home};
	char *cache = plan_cache_directory(user);
	int code = compilers_find(&input, &findings->found, err);

	if (code == 0)
		findings->compilers = calloc(findings->found.count + 1, sizeof(*findings->compilers));
	for (size_t i = 0; findings->compilers && i < findings->found.count; i++) {
		const struct found_compiler *found = &findings->found.items[i];
		struct examined *compiler = &findings->compilers[findings->compiler_count];

		if (argv[0] && !found->likely)
			continue;
		compiler->path = found->path;
		compiler->likely = found->likely;
		plan_get(found->path, cache, user, &compiler->plan, &compiler->err);
		findings->compiler_count++;
	}
	free(cache);
	free(cwd);
	return code;
}

/* Whether record could work: the kernel's part is there, and one compiler at least can be profiled. */
static bool is_healthy(const struct findings *findings)
{
	for (size_t i = 0; i < findings->compiler_count; i++)
		if (findings->compilers[i].plan)
			return findings->usable;
	return false;
}

/* Looks at everything; prints nothing. `profile` may be NULL. */
static int find_out(struct findings *findings, char **argv, const struct mmp_reader *profile,
		    struct doctor_coverage *coverage, struct error *err)
{
	struct identity user = {0};
	int code;

	features_find(findings->features);
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		findings->usable =
		    findings->usable && (findings->features[i].present || !findings->features[i].required);
	measure(findings);
	code = identity_find(&user, err);
	if (code == 0)
		code = examine(findings, argv, &user, err);
	identity_free(&user);
	if (code < 0 || !profile)
		return code;
	findings->coverage = coverage;
	return doctor_cover(findings, argv[0] != NULL, profile, coverage, err);
}

static void free_findings(struct findings *findings)
{
	for (size_t i = 0; i < findings->compiler_count; i++)
		plan_free(findings->compilers[i].plan);
	free(findings->compilers);
	found_list_free(&findings->found);
}

static int run(const void *opaque, int argc, char **argv)
{
	const struct doctor_settings *settings = opaque;
	struct findings findings = {.usable = true};
	struct doctor_coverage coverage = {0};
	struct mmp_reader *profile = NULL;
	struct error err = {0};
	int status, code = 0;

	if (argc > 1) {
		dprintf(STDERR_FILENO, "querytap doctor: takes one compiler at most\n");
		return EXIT_USAGE;
	}
	if (settings->coverage)
		code = tables_open(settings->coverage, &profile, &err);
	status = code < 0 ? EXIT_USAGE : EXIT_FAILED;
	if (code == 0)
		code = find_out(&findings, argv, profile, &coverage, &err);
	if (code == 0)
		code = settings->json ? doctor_print_json(&findings, settings->labels, &err)
				      : doctor_print_text(&findings, settings->labels, &err);
	if (code < 0)
		dprintf(STDERR_FILENO, "querytap: %s\n", err.text);
	else
		status = is_healthy(&findings) ? EXIT_OK : EXIT_FAILED;
	coverage_free(&coverage.coverage);
	mmp_close(profile);
	free_findings(&findings);
	return status;
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "[RUSTC]",
    .summary = "Say what works here: kernel, permissions, compilers, and what a probe costs",
    .details =
	"Looks for what querytap needs of the kernel, measures on querytap itself what a probe costs on this machine, "
	"and says for each compiler found, or for the one named, how many of its queries and activities can be timed, "
	"and which cannot and why. With --coverage the profile is compared with the compiler that is named, or else "
	"with the one that the profile is of, as far as it says so. The exit status is 0 if record would work, 1 if "
	"not, 2 if the profile cannot be read.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct doctor_settings),
    .run = run,
};
