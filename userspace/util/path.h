/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Paths and directories. */
#ifndef QUERYTAP_UTIL_PATH_H
#define QUERYTAP_UTIL_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/identity.h"

/* Returns base/name, or name alone if it is absolute or base is empty; allocated, NULL if out of memory. */
char *path_join(const char *base, const char *name) __attribute__((malloc, nonnull));

/* Returns path with a leading "~" or "~/" replaced by home; allocated, NULL if out of memory. */
char *path_expand(const char *path, const char *home) __attribute__((malloc, nonnull));

/* Returns the part behind the last slash; borrows. */
const char *path_name(const char *path) __attribute__((nonnull));

/* Whether both are there, and lead to one file. */
bool path_is_same_file(const char *a, const char *b) __attribute__((nonnull));

/* Returns the rest, with the last slash, or "." if there is none; allocated, NULL if out of memory. */
char *path_folder(const char *path) __attribute__((malloc, nonnull));

/*
 * Makes the directory and those above it that are missing (mode 0777 less the umask), each owned by the user behind
 * sudo. What exists is left alone, save that the last must be a directory. No symbolic link that somebody puts in the
 * place of a directory just made is followed. Returns 0, or a negative errno with a sentence that names the directory.
 */
int path_make_directory(const char *path, const struct identity *owner, struct error *err);

/*
 * Writes a whole file, owned by the user behind sudo, mode 0644: beside its place first and then renamed, so that a
 * reader sees all of it or what was there before. Returns 0 or a negative errno.
 */
int path_write_file(const char *path, const void *bytes, size_t size, const struct identity *owner, struct error *err);

#endif
