/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/absences.h"

#include <errno.h>
#include <stdlib.h>

#include "cmd/profiles.h"

static int read_samples(const char *folder, struct samples **samples, struct error *err)
{
	int rc = samples_read(folder, samples, err);

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
	return rc;
}

/* Looks whose profiles there are: a process that becomes another compiler has several, and ids are given anew. */
static int find_processes(const char *folder, struct absences_found *found, struct error *err)
{
	struct profile_files files;
	int rc = profiles_find(folder, &files, err);

	if (rc)
		return rc;
	found->processes = calloc(files.count, sizeof(*found->processes));
	if (!found->processes)
		rc = error_set(err, ENOMEM, "%s: out of memory", folder);
	for (size_t i = 0; i < files.count && !rc; i++) {
		struct mmp_reader *profile;

		if (mmp_open(files.items[i].path, &profile, NULL))
			continue;
		found->processes[found->process_count++] = (struct off_cpu_scope){
		    .pid = mmp_metadata(profile)->process_id, .from = mmp_metadata(profile)->start_time};
		mmp_close(profile);
	}
	profiles_free(&files);
	return rc;
}

int absences_find(const char *folder, struct absences_found *found, struct error *err)
{
	int rc;

	*found = (struct absences_found){0};
	rc = read_samples(folder, &found->samples, err);
	if (!rc)
		rc = find_processes(folder, found, err);
	if (rc)
		absences_found_free(found);
	return rc;
}

struct off_cpu_scope absences_scope(const struct absences_found *found, const struct mmp_metadata *process)
{
	struct off_cpu_scope scope = {process->process_id, process->start_time, UINT64_MAX};

	for (size_t i = 0; i < found->process_count; i++) {
		const struct off_cpu_scope *other = &found->processes[i];

		if (other->pid == scope.pid && other->from > scope.from && other->from < scope.to)
			scope.to = other->from;
	}
	return scope;
}

void absences_found_free(struct absences_found *found)
{
	samples_free(found->samples);
	free(found->processes);
	*found = (struct absences_found){0};
}
