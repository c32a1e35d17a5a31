/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap samples: where the compilers' time went, by samples. */
#include "cmd/cmd.h"

#include <errno.h>

#include "analysis/sampling.h"
#include "render/render.h"
#include "samples/samples.h"

struct samples_settings {
	unsigned long top;
	unsigned long functions;
	bool json;
	const char *output;
};

enum { USUAL_TOP = 30, NOT_GIVEN = -1 };

static const struct samples_settings defaults = {.top = (unsigned long)NOT_GIVEN, .functions = 5};

static const struct option_row options[] = {
    {"top", 'n', OPTION_UINT, "N", offsetof(struct samples_settings, top), 0, 0,
     "Show only the first N items (default: 30 in the table, all in JSON), or all with 0"},
    {"functions", 'f', OPTION_UINT, "N", offsetof(struct samples_settings, functions), 0, 0,
     "Show the N functions that most samples of an item are in (default: 5), or none with 0"},
    {"json", 'j', OPTION_FLAG, NULL, offsetof(struct samples_settings, json), 0, 0, "Print JSON"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct samples_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

static int print(const struct samples_settings *settings, const struct samples *samples,
		 const struct sampling *sampling, struct error *err)
{
	unsigned long usual = settings->json ? 0 : USUAL_TOP;
	struct sampling_filter filter = {settings->top == (unsigned long)NOT_GIVEN ? usual : settings->top,
					 settings->functions};
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	rc = settings->json ? render_sampling_json(samples, sampling, &filter, output.stream, err)
			    : render_sampling_text(samples, sampling, &filter, output.stream, err);
	return output_close(&output, rc, err);
}

static int show(const struct samples_settings *settings, const char *path, struct error *err)
{
	struct samples *samples;
	struct sampling sampling;
	int rc = samples_read(path, &samples, err);

	if (rc)
		return rc;
	rc = sampling_sum(samples, &sampling, err);
	if (!rc) {
		rc = print(settings, samples, &sampling, err);
		sampling_free(&sampling);
	}
	samples_free(samples);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	struct error err;
	int rc;

	if (argc != 1)
		rc = error_set(&err, EINVAL, "samples needs one folder or file; see querytap samples --help");
	else
		rc = show(chosen, argv[0], &err);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_samples = {
    .name = "samples",
    .arguments = "DIR",
    .summary = "Show where compilers were found when their stacks were sampled",
    .details =
	"DIR is the folder of a recording with --sample, or the file samples.qts in it. An item is a query or an "
	"activity; its self time is estimated from the samples in which it is the innermost one, its time from those "
	"that have it anywhere in their stacks. The share of the self time in all samples of compilers has an interval "
	"in which it lies with 95 percent confidence (Wilson's), and ± is half of its width. Samples say where "
	"compilers were on the CPU, not how often anything was called, nor what they waited for. Below the table are "
	"the functions that ran in the first ten items, with their parts of the item's samples, and the processes that "
	"are no compilers, by name.\n"
	"\n"
	"A process counts as a compiler if it was in a query or activity, or if its name is rustc, rustdoc or "
	"clippy-driver.\n"
	"\n"
	"  querytap samples --top 10 querytap-20261121-114330",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct samples_settings),
    .settings_default = &defaults,
    .run = run,
};
