/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/profiles.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/analysis.h"
#include "collect/collect.h"
#include "util/path.h"

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for the names of profiles");
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static size_t stem_length(const char *name)
{
	size_t length = strlen(name), extension = strlen(MMP_EXTENSION);

	return length > extension && strcmp(name + length - extension, MMP_EXTENSION) == 0 ? length - extension
											   : length;
}

/* The crate in a file's name: without the extension, and without the process id behind the last dash. */
static char *crate_of(const char *path)
{
	const char *name = path_name(path);
	size_t length = stem_length(name), digits = 0;

	while (digits < length && name[length - digits - 1] >= '0' && name[length - digits - 1] <= '9')
		digits++;
	if (digits && digits + 1 < length && name[length - digits - 1] == '-')
		length -= digits + 1;
	return strndup(name, length);
}

/* Takes `path`, which may be NULL for want of memory. */
static int add(struct profile_files *files, char *path, struct error *err)
{
	struct profile_file *grown = reallocarray(files->items, files->count + 1, sizeof(*grown));

	if (grown)
		files->items = grown;
	if (!grown || !path) {
		free(path);
		return out_of_memory(err);
	}
	grown[files->count++] = (struct profile_file){path, crate_of(path)};
	return grown[files->count - 1].crate ? 0 : out_of_memory(err);
}

static int by_path(const void *left, const void *right)
{
	return strcmp(((const struct profile_file *)left)->path, ((const struct profile_file *)right)->path);
}

static int list_folder(const char *path, struct profile_files *files, struct error *err)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int rc = 0;

	if (!folder)
		return error_set(err, errno, "cannot read the folder %s: %s", path, strerror(errno));
	/* What begins with a dot is a profile that is still being written. */
	while (!rc && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.' && entry->d_name[stem_length(entry->d_name)])
			rc = add(files, path_join(path, entry->d_name), err);
	}
	closedir(folder);
	if (!rc && !files->count)
		rc = error_set(err, ENOENT, "there are no profiles (*%s) in the folder %s", MMP_EXTENSION, path);
	if (!rc)
		qsort(files->items, files->count, sizeof(*files->items), by_path);
	return rc;
}

int profiles_find(const char *path, struct profile_files *files, struct error *err)
{
	int rc;

	*files = (struct profile_files){.is_folder = is_folder(path)};
	rc = files->is_folder ? list_folder(path, files, err) : add(files, strdup(path), err);
	if (rc)
		profiles_free(files);
	return rc;
}

int profiles_open(const struct profile_file *file, struct mmp_reader **reader, struct error *err)
{
	struct mmp_error reason;
	int rc = mmp_open(file->path, reader, &reason);
	const char *unit;

	if (rc)
		return error_set(err, rc, "%s", reason.text);
	unit = profile_unit(*reader);
	if (!unit)
		return 0;
	rc = error_set(err, ENOTSUP, "%s counts %s, not time: summarize and diff can read it", file->path, unit);
	mmp_close(*reader);
	return rc;
}

void profiles_read_build(const char *folder, struct recorded_build *recorded)
{
	char *path = path_join(folder, COLLECT_BUILD_FILE);
	struct error err;
	int rc = path ? recorded_read(path, recorded, &err)
		      : error_set(&err, ENOMEM, "%s: out of memory", COLLECT_BUILD_FILE);

	if (rc)
		*recorded = (struct recorded_build){0};
	if (rc && rc != -ENOENT)
		fprintf(stderr, "querytap: %s; it is ignored\n", err.text);
	free(path);
}

void profiles_free(struct profile_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].path);
		free(files->items[i].crate);
	}
	free(files->items);
	*files = (struct profile_files){0};
}
