/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/estimating.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/profiles.h"
#include "util/path.h"

static int out_of_memory(const struct mmp_reader *profile, struct error *err)
{
	return error_set(err, ENOMEM, "%s: out of memory while estimating what was not timed", mmp_path(profile));
}

/* The texts of an array, borrowed; their array is to be freed. */
static int get_labels(const json_t *names, struct estimate_labels *labels)
{
	const char **texts = calloc(json_array_size(names) + 1, sizeof(*texts));
	const json_t *name;
	size_t i;

	*labels = (struct estimate_labels){texts, 0};
	if (!texts)
		return -ENOMEM;
	json_array_foreach(names, i, name)
	{
		if (json_is_string(name))
			texts[labels->count++] = json_string_value(name);
	}
	return 0;
}

/* The process's end, nanoseconds since 1970: as the build's list of processes says, or else that of the last event. */
static uint64_t find_end(const struct mmp_reader *profile, const char *folder)
{
	uint64_t start = mmp_metadata(profile)->start_time, end = start;
	const char *name = path_name(mmp_path(profile));
	struct mmp_cursor cursor = mmp_begin(profile);
	struct recorded_build recorded;
	struct mmp_event event;
	bool found = false;

	profiles_read_build(folder, &recorded);
	for (size_t i = 0; i < recorded.count && !found; i++) {
		const struct recorded_process *process = &recorded.processes[i];

		found = process->profile && strcmp(process->profile, name) == 0;
		if (found)
			end = process->end_ns;
	}
	recorded_free(&recorded);
	while (!found && mmp_next(&cursor, &event))
		if (event.end < UINT64_MAX - start && start + event.end > end)
			end = start + event.end;
	return end;
}

static int estimate(const struct mmp_reader *profile, const struct summary *summary, const json_t *overhead,
		    const char *folder, struct estimating *out, struct error *err)
{
	struct estimate_profile known = {
	    .summary = summary,
	    .pid = mmp_metadata(profile)->process_id,
	    .start_ns = mmp_metadata(profile)->start_time,
	    .end_ns = find_end(profile, folder),
	};
	int rc = get_labels(json_object_get(overhead, "untimed"), &known.untimed);

	if (!rc)
		rc = get_labels(json_object_get(overhead, "let_go"), &known.let_go);
	rc = rc ? out_of_memory(profile, err) : estimate_untimed(&known, out->samples, &out->estimates, err);
	free((void *)known.untimed.labels);
	free((void *)known.let_go.labels);
	return rc;
}

/* Reads the samples in the folder; none if there are none, or if they cannot be read. */
static int read_samples(const char *folder, struct samples **samples)
{
	char *path = path_join(folder, SAMPLES_FILE);
	struct error err;
	int rc;

	*samples = NULL;
	if (!path)
		return -ENOMEM;
	rc = samples_read(path, samples, &err);
	if (rc && rc != -ENOENT)
		fprintf(stderr, "querytap: %s; nothing is estimated from it\n", err.text);
	free(path);
	return 0;
}

int estimating_begin(const struct mmp_reader *profile, const struct summary *summary, struct estimating *out,
		     struct error *err)
{
	const char *text = mmp_metadata(profile)->querytap;
	json_t *own = text ? json_loads(text, 0, NULL) : NULL;
	const json_t *overhead = json_object_get(own, "overhead");
	char *folder = NULL;
	int rc = 0;

	*out = (struct estimating){0};
	if (!summary->unit && (json_array_size(json_object_get(overhead, "untimed")) ||
			       json_array_size(json_object_get(overhead, "let_go")))) {
		folder = path_folder(mmp_path(profile));
		rc = folder ? read_samples(folder, &out->samples) : -ENOMEM;
		if (rc)
			out_of_memory(profile, err);
		else if (out->samples)
			rc = estimate(profile, summary, overhead, folder, out, err);
	}
	free(folder);
	/* The labels of those that were not timed are the samples' own, not this object's. */
	json_decref(own);
	if (rc)
		estimating_free(out);
	return rc;
}

void estimating_free(struct estimating *estimating)
{
	estimates_free(&estimating->estimates);
	samples_free(estimating->samples);
	*estimating = (struct estimating){0};
}
