/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap crox: profiles as a trace for Chrome and Perfetto. */
#include "cmd/cmd.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/absences.h"
#include "cmd/profiles.h"
#include "mmprofdata/mmprofdata.h"
#include "render/render.h"
#include "util/path.h"

struct crox_settings {
	const char *directory;
	bool collapse_threads;
	unsigned long minimum_us;
	const char *output;
};

static const struct crox_settings defaults = {.output = "chrome_profiler.json"};

static const struct option_row options[] = {
    {"dir", 'd', OPTION_STRING, "DIR", offsetof(struct crox_settings, directory), 0, 0,
     "Add all profiles in the folder DIR, by name"},
    {"collapse-threads", 0, OPTION_FLAG, NULL, offsetof(struct crox_settings, collapse_threads), 0, 0,
     "Number threads anew, so that those that are not there at once share a row"},
    {"minimum-duration", 0, OPTION_UINT, "US", offsetof(struct crox_settings, minimum_us), 0, 0,
     "Leave out events that take less than so many microseconds"},
    {"output", 'o', OPTION_STRING, "FILE", offsetof(struct crox_settings, output), 0, 0,
     "Write to FILE instead of chrome_profiler.json in the current folder; - is standard output"},
    {0},
};

/* The profiles to be read: names are allocated. */
struct paths {
	char **items;
	size_t count;
};

static int add_path(struct paths *paths, char *path)
{
	char **grown = reallocarray(paths->items, paths->count + 1, sizeof(*grown));

	if (!grown || !path) {
		free(path);
		paths->items = grown ? grown : paths->items;
		return -ENOMEM;
	}
	paths->items = grown;
	paths->items[paths->count++] = path;
	return 0;
}

static void free_paths(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
}

static int is_profile(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name), extension = strlen(MMP_EXTENSION);

	return size > extension && strcmp(entry->d_name + size - extension, MMP_EXTENSION) == 0;
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static int add_directory(struct paths *paths, const char *directory, struct error *err)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_profile, by_name), rc = 0;

	if (count < 0)
		return error_set(err, errno, "cannot read the folder %s: %s", directory, strerror(errno));
	if (count == 0)
		rc = error_set(err, ENOENT, "there is no profile (a file *%s) in the folder %s", MMP_EXTENSION,
			       directory);
	for (int i = 0; i < count; i++) {
		if (!rc && add_path(paths, path_join(directory, entries[i]->d_name)))
			rc = error_set(err, ENOMEM, "out of memory");
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int find_paths(const struct crox_settings *settings, int argc, char **argv, struct paths *paths,
		      struct error *err)
{
	if (argc == 0 && !settings->directory)
		return error_set(err, EINVAL, "crox needs profiles, or --dir; see querytap crox --help");
	for (int i = 0; i < argc; i++) {
		if (add_path(paths, strdup(argv[i])))
			return error_set(err, ENOMEM, "out of memory");
	}
	return settings->directory ? add_directory(paths, settings->directory, err) : 0;
}

static int open_profile(const char *path, struct mmp_reader **profile, struct error *err)
{
	struct mmp_error reason;
	int rc = mmp_open(path, profile, &reason);

	return rc ? error_set(err, rc, "%s", reason.text) : 0;
}

/* What went to standard output can't be taken back, so the profiles are looked at beforehand. */
static int check_profiles(const struct paths *paths, struct error *err)
{
	struct mmp_reader *profile;
	int rc = 0;

	for (size_t i = 0; i < paths->count && !rc; i++) {
		rc = open_profile(paths->items[i], &profile, err);
		mmp_close(profile);
	}
	return rc;
}

/* What a folder has besides its profiles. */
struct beside {
	struct recorded_build recorded;
	struct absences_found absences;
};

static void read_beside(const char *folder, struct beside *beside)
{
	struct error err;
	int rc;

	profiles_read_build(folder, &beside->recorded);
	rc = absences_find(folder, &beside->absences, &err);
	if (rc && rc != -ENOENT)
		fprintf(stderr, "querytap: %s; it is ignored\n", err.text);
}

static int add_absences(struct trace_writer *writer, const struct mmp_reader *profile,
			const struct absences_found *absences, const struct trace_options *chosen, struct error *err)
{
	struct off_cpu_scope scope;

	if (!absences->samples)
		return 0;
	scope = absences_scope(absences, mmp_metadata(profile));
	return trace_add_absences(writer, profile, absences->samples, &scope, chosen, err);
}

static int write_trace(const struct paths *paths, const struct beside *beside, const struct trace_options *chosen,
		       FILE *out, struct error *err)
{
	struct trace_writer *writer;
	int rc = trace_open(out, &writer, err);

	for (size_t i = 0; i < paths->count && !rc; i++) {
		struct mmp_reader *profile = NULL;

		rc = open_profile(paths->items[i], &profile, err);
		if (!rc)
			rc = trace_add(writer, profile, chosen, err);
		if (!rc)
			rc = add_absences(writer, profile, &beside->absences, chosen, err);
		mmp_close(profile);
	}
	if (!rc)
		trace_add_processes(writer, &beside->recorded, chosen);
	trace_close(writer);
	return rc;
}

static int convert(const struct crox_settings *settings, const struct paths *paths, struct error *err)
{
	struct trace_options chosen = {settings->collapse_threads, settings->minimum_us};
	const char *path = strcmp(settings->output, "-") == 0 ? NULL : settings->output;
	struct beside beside = {0};
	struct output output;
	int rc = path ? 0 : check_profiles(paths, err);

	if (!rc)
		rc = output_open(path, &output, err);
	if (rc)
		return rc;
	if (settings->directory)
		read_beside(settings->directory, &beside);
	rc = write_trace(paths, &beside, &chosen, output.stream, err);
	recorded_free(&beside.recorded);
	absences_found_free(&beside.absences);
	return output_close(&output, rc, err);
}

static int run(const void *chosen, int argc, char **argv)
{
	struct paths paths = {0};
	struct error err;
	int rc = find_paths(chosen, argc, argv, &paths, &err);

	if (!rc)
		rc = convert(chosen, &paths, &err);
	free_paths(&paths);
	if (rc)
		fprintf(stderr, "querytap: %s\n", err.text);
	return rc ? EXIT_USAGE : EXIT_OK;
}

const struct command command_crox = {
    .name = "crox",
    .arguments = "FILE...",
    .summary = "Turn profiles into a trace for Perfetto and Chrome",
    .details =
	"Writes chrome_profiler.json, a trace in Chrome's JSON, to be opened in Perfetto or chrome://tracing, or "
	"asked with DuckDB's read_json: an event for each query and activity with name, cat (its kind), ts and "
	"dur in microseconds, pid, tid and the query's arguments, if the profile has them. Each profile is a "
	"process there, named by its crate. The values are those of measureme's crox. Where DIR has a build.json, "
	"every other process of the build is one, too: cargo, build scripts, linkers. Where it has a samples.qts of a "
	"recording with --off-cpu, each thread has a second track, of the times when it was off the CPU, by their "
	"reasons "
	"(cat OffCpu).",
    .options = options,
    .order = OPTIONS_ANYWHERE,
    .settings_size = sizeof(struct crox_settings),
    .settings_default = &defaults,
    .run = run,
};
