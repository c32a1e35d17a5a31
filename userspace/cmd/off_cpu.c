/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/off_cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/off_cpu.h"
#include "cmd/cmd.h"
#include "cmd/profiles.h"
#include "render/render.h"
#include "util/path.h"

/* The file of samples in the folder `path`, or in that of the file `path`. */
static int read_samples(const char *path, bool is_folder, struct samples **samples, struct error *err)
{
	size_t length = is_folder ? strlen(path) : (size_t)(path_name(path) - path);
	char *folder = length ? strndup(path, length) : strdup(".");
	int rc = folder ? samples_read(folder, samples, err) : error_set(err, ENOMEM, "%s: out of memory", path);

	if (rc == -ENOENT)
		rc = error_set(err, ENOENT,
			       "there is no %s in %s: when threads were off the CPU is known of recordings with "
			       "--off-cpu",
			       SAMPLES_FILE, folder);
	else if (!rc && !(*samples)->absences_known)
		rc = error_set(err, ENOENT,
			       "the %s in %s does not tell when threads were off the CPU: it was recorded without "
			       "--off-cpu",
			       SAMPLES_FILE, folder);
	free(folder);
	return rc;
}

static int add_profile(const struct profile_file *file, const struct samples *samples, struct off_cpu *sums,
		       struct error *err)
{
	struct off_cpu_scope scope = {.to = UINT64_MAX};
	struct mmp_reader *profile;
	struct summary summary;
	int rc = profiles_open(file, &profile, err);

	if (rc)
		return rc;
	if (strcmp(profile_counter(profile), MMP_COUNTER_WALL_TIME) != 0)
		rc = error_set(err, ENOTSUP, "%s counts %s: --off-cpu needs %s", file->path, profile_counter(profile),
			       MMP_COUNTER_WALL_TIME);
	scope.pid = mmp_metadata(profile)->process_id;
	scope.from = mmp_metadata(profile)->start_time;
	if (!rc)
		rc = summarize_profile(profile, &summary, err);
	mmp_close(profile);
	if (rc)
		return rc;
	rc = off_cpu_add_profile(sums, &summary, err);
	summary_free(&summary);
	return rc ? rc : off_cpu_add_absences(sums, samples, &scope, err);
}

static int print(const struct off_cpu_settings *settings, const struct off_cpu *sums, struct error *err)
{
	struct output output;
	int rc = output_open(settings->output, &output, err);

	if (rc)
		return rc;
	if (settings->threads)
		rc = settings->json ? render_off_cpu_threads_json(sums, output.stream, err)
				    : render_off_cpu_threads_text(sums, output.stream, err);
	else
		rc = settings->json ? render_off_cpu_json(sums, settings->limit, output.stream, err)
				    : render_off_cpu_text(sums, settings->limit, output.stream, err);
	return output_close(&output, rc, err);
}

int off_cpu_show(const struct off_cpu_settings *settings, const char *path, struct error *err)
{
	struct profile_files files;
	struct samples *samples = NULL;
	struct off_cpu sums = {0};
	int rc = profiles_find(path, &files, err);

	if (rc)
		return rc;
	rc = read_samples(path, files.is_folder, &samples, err);
	for (size_t i = 0; i < files.count && !rc; i++)
		rc = add_profile(&files.items[i], samples, &sums, err);
	if (!rc) {
		off_cpu_sort(&sums);
		rc = print(settings, &sums, err);
	}
	off_cpu_free(&sums);
	samples_free(samples);
	profiles_free(&files);
	return rc;
}
