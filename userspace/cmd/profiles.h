/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: the profiles that a user names, singly or by their folder. */
#ifndef QUERYTAP_CMD_PROFILES_H
#define QUERYTAP_CMD_PROFILES_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/analysis.h"
#include "mmprofdata/mmprofdata.h"
#include "util/error.h"

struct profile_file {
	char *path;
	char *crate; /* by the file's name, CRATE-PID.mm_profdata; all of it where it has no PID */
};

/* Freed with profiles_free. */
struct profile_files {
	struct profile_file *items; /* by path */
	size_t count;
	bool is_folder;
};

/*
 * Finds the profiles in the folder `path`, or the one that `path` names with or without its extension. Returns 0, or a
 * negative errno with a sentence, also if the folder has none (-ENOENT).
 */
int profiles_find(const char *path, struct profile_files *files, struct error *err);

/* Opens one of them, which has to count time; *reader is to be closed with mmp_close. */
int profiles_open(const struct profile_file *file, struct mmp_reader **reader, struct error *err);

/*
 * Reads what a folder's build.json tells of all processes, for recorded_free; an empty build if there is none. One that
 * cannot be used is ignored with a warning: the profiles tell enough without it.
 */
void profiles_read_build(const char *folder, struct recorded_build *recorded);

/* Frees what the list holds, not the struct. Accepts one that is zeroed. */
void profiles_free(struct profile_files *files);

#endif
