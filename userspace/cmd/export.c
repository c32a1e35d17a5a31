/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap export: samples for other profilers' viewers. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/profiles.h"
#include "render/render.h"
#include "samples/samples.h"
#include "util/path.h"

struct export_settings {
	const char *format;
	const char *output;
	unsigned long minimum_us;
};

/* Microseconds below which queries are no markers by default: a compiler runs a million, most of which are shorter. */
enum { DEFAULT_MINIMUM_US = 100 };

static const struct export_settings defaults = {.minimum_us = DEFAULT_MINIMUM_US};

static const struct option_row options[] = {
    {"format", 'f', OPTION_STRING, "FORMAT", offsetof(struct export_settings, format), 0, 0,
     "What to write: pprof or firefox"},
    {"minimum-duration", 0, OPTION_UINT, "US", offsetof(struct export_settings, minimum_us), 0, 0,
     "With firefox, leave out markers of less than so many microseconds (100)"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct export_settings, output), 0, 0,
     "Write to FILE instead of the folder's name with .pb.gz or .firefox.json.gz behind it, in the current folder; - "
     "is standard output"},
    {0},
};

struct format {
	const char *name;
	const char *extension;
	int (*write)(const struct export_settings *settings, const char *path, const struct samples *samples, FILE *out,
		     struct error *err);
};

/* ---- the formats ---- */

static int write_pprof(const struct export_settings *settings, const char *path, const struct samples *samples,
		       FILE *out, struct error *err)
{
	(void)settings;
	(void)path;
	return render_pprof(samples, out, err);
}

static bool ends(const char *text, const char *with)
{
	size_t size = strlen(text), end = strlen(with);

	return size >= end && strcmp(text + size - end, with) == 0;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The folder that a recording lies in, whether that or its file is named; to be freed. */
static char *folder_of(const char *path)
{
	return is_folder(path) ? strdup(path) : path_folder(path);
}

/* Adds the events of a profile, if they are in the time that samples are in. */
static int add_profile(struct firefox *firefox, const struct profile_file *file, uint64_t minimum_us, struct error *err)
{
	struct mmp_reader *profile;
	struct mmp_error reason;
	int rc = mmp_open(file->path, &profile, &reason);

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	if (strcmp(profile_counter(profile), MMP_COUNTER_WALL_TIME) == 0)
		rc = firefox_add(firefox, profile, file->crate, minimum_us, err);
	else
		fprintf(stderr, "querytap: %s counts %s, not wall time: its events are no markers\n", file->path,
			profile_counter(profile));
	mmp_close(profile);
	return rc;
}

static int add_profiles(struct firefox *firefox, const char *folder, uint64_t minimum_us, struct error *err)
{
	struct profile_files files;
	int rc = profiles_find(folder, &files, err);

	/* There need not be any. */
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	for (size_t i = 0; i < files.count && !rc; i++)
		rc = add_profile(firefox, &files.items[i], minimum_us, err);
	profiles_free(&files);
	return rc;
}

static int write_firefox(const struct export_settings *settings, const char *path, const struct samples *samples,
			 FILE *out, struct error *err)
{
	char *folder = folder_of(path);
	struct firefox *firefox = NULL;
	int rc = folder ? firefox_open(samples, &firefox, err) : error_set(err, ENOMEM, "out of memory");

	/* Where queries were found by their functions no profile tells when they ran: one that is there is another's.
	 */
	if (!rc && !samples->estimated)
		rc = add_profiles(firefox, folder, settings->minimum_us, err);
	if (!rc)
		rc = firefox_write(firefox, !settings->output || ends(settings->output, ".gz"), out, err);
	firefox_free(firefox);
	free(folder);
	return rc;
}

static const struct format formats[] = {
    {"pprof", ".pb.gz", write_pprof},
    {"firefox", ".firefox.json.gz", write_firefox},
};

static const struct format *find_format(const char *name, struct error *err)
{
	if (!name) {
		error_set(err, EINVAL, "export needs --format: pprof or firefox; see querytap export --help");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	error_set(err, EINVAL, "there is no format '%s' to export to; there are pprof and firefox", name);
	return NULL;
}

/* ---- where it goes ---- */

/* The name of a file in the current folder, by that of the recording's folder or of its file; to be freed. */
static char *default_output(const char *path, const char *extension)
{
	char *resolved = realpath(path, NULL), *name = NULL;
	const char *stem = resolved ? path_name(resolved) : path;
	const char *own = strrchr(stem, '.');
	int length = own && !is_folder(path) ? (int)(own - stem) : (int)strlen(stem);

	if (asprintf(&name, "%.*s%s", length, stem, extension) < 0)
		name = NULL;
	free(resolved);
	return name;
}

static int write_to(const struct export_settings *settings, const struct format *format, const char *path,
		    const struct samples *samples, const char *to, struct error *err)
{
	struct output output;
	int rc = output_open(to, &output, err);

	if (rc)
		return rc;
	rc = format->write(settings, path, samples, output.stream, err);
	return output_close(&output, rc, err);
}

static int export(const struct export_settings *settings, const char *path, struct error *err)
{
	const struct format *format = find_format(settings->format, err);
	bool to_standard = settings->output && strcmp(settings->output, "-") == 0;
	struct samples *samples = NULL;
	char *named = NULL;
	int rc = format ? 0 : -EINVAL;

	if (!rc && to_standard && format->write == write_pprof && isatty(STDOUT_FILENO))
		rc = error_set(err, EINVAL, "a profile of pprof's is no text: write it to a file, with --output");
	if (!rc)
		rc = samples_read(path, &samples, err);
	if (!rc && !settings->output) {
		named = default_output(path, format->extension);
		rc = named ? 0 : error_set(err, ENOMEM, "out of memory");
	}
	if (!rc)
		rc = write_to(settings, format, path, samples,
			      to_standard ? NULL
			      : named	  ? named
					  : settings->output,
			      err);
	samples_free(samples);
	free(named);
	return rc;
}

static int run(const void *chosen, int argc, char **argv)
{
	struct error err;
	int rc;

	if (argc == 1)
		rc = export(chosen, argv[0], &err);
	else
		rc = error_set(&err, EINVAL,
			       "export needs the folder of a recording, or its file of samples; see querytap export "
			       "--help");
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_export = {
    .name = "export",
    .arguments = "DIR",
    .summary = "Turn samples into a profile for pprof or the Firefox Profiler",
    .details =
	"DIR is the folder of a recording with --sample; the file samples.qts in it can be named as well. Queries "
	"stand in the stacks as \"[typeck]\", between the function that runs them and their provider.\n"
	"\n"
	"pprof: for go tool pprof and all else that reads its profiles. The labels pid, tid, process, thread, query "
	"(the innermost) and kernel tell samples apart, as in go tool pprof -tagfocus=query=typeck. Samples of one "
	"thread in one stack are added up.\n"
	"\n"
	"firefox: for profiler.firefox.com, which reads it in the browser. The queries and activities of the profiles "
	"in the folder are markers there, unless the samples' queries were found by their functions alone. The file "
	"is compressed if its name ends in .gz.",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct export_settings),
    .settings_default = &defaults,
    .run = run,
};
