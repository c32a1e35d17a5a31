/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/off_cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/off_cpu.h"
#include "cmd/absences.h"
#include "cmd/cmd.h"
#include "cmd/profiles.h"
#include "render/render.h"
#include "util/path.h"

/* What is shown. */
struct show {
	struct absences_found found;
	struct off_cpu sums;
};

static int add_profile(struct show *show, const struct profile_file *file, struct error *err)
{
	struct off_cpu_scope scope;
	struct mmp_reader *profile;
	struct summary summary;
	int rc = profiles_open(file, &profile, err);

	if (rc)
		return rc;
	if (strcmp(profile_counter(profile), MMP_COUNTER_WALL_TIME) != 0)
		rc = error_set(err, ENOTSUP, "%s counts %s: --off-cpu needs %s", file->path, profile_counter(profile),
			       MMP_COUNTER_WALL_TIME);
	scope = absences_scope(&show->found, mmp_metadata(profile));
	if (!rc)
		rc = summarize_profile(profile, &summary, err);
	mmp_close(profile);
	if (rc)
		return rc;
	rc = off_cpu_add_profile(&show->sums, &summary, err);
	summary_free(&summary);
	return rc ? rc : off_cpu_add_absences(&show->sums, show->found.samples, &scope, err);
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
	struct show show = {0};
	char *folder;
	int rc = profiles_find(path, &files, err);

	if (rc)
		return rc;
	folder = files.is_folder ? strdup(path) : path_folder(path);
	rc = folder ? absences_find(folder, &show.found, err) : error_set(err, ENOMEM, "%s: out of memory", path);
	for (size_t i = 0; i < files.count && !rc; i++)
		rc = add_profile(&show, &files.items[i], err);
	if (!rc) {
		off_cpu_sort(&show.sums);
		rc = print(settings, &show.sums, err);
	}
	off_cpu_free(&show.sums);
	absences_found_free(&show.found);
	free(folder);
	profiles_free(&files);
	return rc;
}
