/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap flamegraph: a profile's stacks as a picture. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/sampled.h"
#include "mmprofdata/mmprofdata.h"
#include "render/render.h"
#include "util/path.h"

struct flamegraph_settings {
	struct sampled_settings sampled;
	const char *title;
	const char *output;
};

static const struct option_row options[] = {
    SAMPLED_OPTIONS(struct flamegraph_settings, sampled),
    {"title", 0, OPTION_STRING, "TEXT", offsetof(struct flamegraph_settings, title), 0, 0,
     "What stands above the picture, instead of the profile's name"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct flamegraph_settings, output), 0, 0,
     "Write to FILE instead of standard output"},
    {0},
};

/* Also gives the profile's name: its path without folders and extension, to be freed. */
static int load(const char *path, struct fold *fold, char **name, struct error *err)
{
	size_t extension = strlen(MMP_EXTENSION), size;
	struct mmp_reader *profile;
	struct mmp_error reason;
	int rc = mmp_open(path, &profile, &reason);

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	*name = strdup(path_name(mmp_path(profile)));
	if (!*name) {
		mmp_close(profile);
		return error_set(err, ENOMEM, "out of memory");
	}
	size = strlen(*name);
	if (size > extension && strcmp(*name + size - extension, MMP_EXTENSION) == 0)
		(*name)[size - extension] = '\0';
	rc = fold_profile(profile, fold, err);
	if (rc)
		free(*name);
	mmp_close(profile);
	return rc;
}

/* As load; samples are named after what the user calls them. */
static int load_samples(const struct sampled_settings *settings, struct fold *fold, char **name, struct error *err)
{
	int rc;

	if (asprintf(name, "%s: samples", settings->samples) < 0)
		return error_set(err, ENOMEM, "out of memory");
	rc = sampled_fold(settings, fold, err);
	if (rc)
		free(*name);
	return rc;
}

static int draw(const struct flamegraph_settings *settings, const char *path, struct error *err)
{
	struct output output;
	struct fold fold;
	char *name;
	int rc = settings->sampled.samples ? load_samples(&settings->sampled, &fold, &name, err)
					   : load(path, &fold, &name, err);

	if (rc)
		return rc;
	rc = output_open(settings->output, &output, err);
	if (!rc) {
		rc = render_flamegraph(&fold, settings->title ? settings->title : name, output.stream, err);
		rc = output_close(&output, rc, err);
	}
	free(name);
	fold_free(&fold);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	const struct flamegraph_settings *settings = chosen;
	struct error err;
	int rc = sampled_check(&settings->sampled, "flamegraph", argc, &err);

	if (!rc)
		rc = draw(settings, argv[0], &err);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_flamegraph = {
    .name = "flamegraph",
    .arguments = "FILE|--samples DIR",
    .summary = "Draw a profile's stacks as a flame graph, an SVG for the browser",
    .details =
	"The stacks that collapse prints, as a picture: a frame for each, as wide as the time spent in it, below "
	"the one that it lies in; siblings by name. Opened in a browser, it zooms by click, searches (Ctrl-F or /) "
	"for text or a regular expression and says what part of the time matched, tells about the frame under the "
	"pointer, and can be used by keyboard. It needs no other file. Frames narrower than 0.1 pixels are left "
	"out and counted. With --samples frames are as wide as the number of samples that they are in.\n"
	"\n"
	"  querytap flamegraph profile.mm_profdata -o profile.svg",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct flamegraph_settings),
    .run = run,
};
