/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the code in sampled objects is called. */
#ifndef QUERYTAP_COLLECT_PLACES_H
#define QUERYTAP_COLLECT_PLACES_H

#include <stdint.h>
#include <sys/stat.h>

struct places;

/* NULL if memory runs out. */
struct places *places_new(void);

/*
 * The object with this number (below WIRE_MAX_OBJECTS) is the file at `path`, whose status was this when it was met.
 * `name` is for places in it that no symbol covers.
 */
void places_note(struct places *places, unsigned int object, const char *path, const char *name,
		 const struct stat *status);

/*
 * *function becomes the function at a file offset, demangled; or the object's name in brackets, where no symbol says or
 * the file is no longer what it was. *file becomes the object's name, "" if it is not known. Both are allocated; NULL
 * if memory runs out. Symbols of an object are read when they are first asked for.
 */
void places_name(struct places *places, unsigned int object, uint64_t offset, char **function, char **file);

/* Accepts NULL. */
void places_free(struct places *places);

#endif
