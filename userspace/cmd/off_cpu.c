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

/* What is shown. */
struct show {
	char *folder; /* with the profiles */
	struct samples *samples;
	struct off_cpu_scope *processes; /* those that its profiles are of, without ends */
	size_t process_count;
	struct off_cpu sums;
};

static int read_samples(struct show *show, struct error *err)
{
	int rc = samples_read(show->folder, &show->samples, err);

	if (rc == -ENOENT)
		rc = error_set(err, ENOENT,
			       "there is no %s in %s: when threads were off the CPU is known of recordings with "
			       "--off-cpu",
			       SAMPLES_FILE, show->folder);
	else if (!rc && !show->samples->absences_known)
		rc = error_set(err, ENOENT,
			       "the %s in %s does not tell when threads were off the CPU: it was recorded without "
			       "--off-cpu",
			       SAMPLES_FILE, show->folder);
	return rc;
}

/* Looks whose profiles there are: a process that becomes another compiler has several, and ids are given anew. */
static int find_processes(struct show *show, struct error *err)
{
	struct profile_files files;
	int rc = profiles_find(show->folder, &files, err);

	if (rc)
		return rc;
	show->processes = calloc(files.count, sizeof(*show->processes));
	if (!show->processes)
		rc = error_set(err, ENOMEM, "%s: out of memory", show->folder);
	for (size_t i = 0; i < files.count && !rc; i++) {
		struct mmp_reader *profile;

		if (mmp_open(files.items[i].path, &profile, NULL))
			continue;
		show->processes[show->process_count++] = (struct off_cpu_scope){
		    .pid = mmp_metadata(profile)->process_id, .from = mmp_metadata(profile)->start_time};
		mmp_close(profile);
	}
	profiles_free(&files);
	return rc;
}

/* The absences of the process are its own until the next one with its id. */
static struct off_cpu_scope scope_of(const struct show *show, const struct mmp_metadata *process)
{
	struct off_cpu_scope scope = {process->process_id, process->start_time, UINT64_MAX};

	for (size_t i = 0; i < show->process_count; i++) {
		const struct off_cpu_scope *other = &show->processes[i];

		if (other->pid == scope.pid && other->from > scope.from && other->from < scope.to)
			scope.to = other->from;
	}
	return scope;
}

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
	scope = scope_of(show, mmp_metadata(profile));
	if (!rc)
		rc = summarize_profile(profile, &summary, err);
	mmp_close(profile);
	if (rc)
		return rc;
	rc = off_cpu_add_profile(&show->sums, &summary, err);
	summary_free(&summary);
	return rc ? rc : off_cpu_add_absences(&show->sums, show->samples, &scope, err);
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
	size_t length;
	int rc = profiles_find(path, &files, err);

	if (rc)
		return rc;
	length = files.is_folder ? strlen(path) : (size_t)(path_name(path) - path);
	show.folder = length ? strndup(path, length) : strdup(".");
	rc = show.folder ? read_samples(&show, err) : error_set(err, ENOMEM, "%s: out of memory", path);
	if (!rc)
		rc = find_processes(&show, err);
	for (size_t i = 0; i < files.count && !rc; i++)
		rc = add_profile(&show, &files.items[i], err);
	if (!rc) {
		off_cpu_sort(&show.sums);
		rc = print(settings, &show.sums, err);
	}
	off_cpu_free(&show.sums);
	samples_free(show.samples);
	free(show.processes);
	free(show.folder);
	profiles_free(&files);
	return rc;
}
