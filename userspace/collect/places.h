/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the code in sampled objects is called. */
#ifndef QUERYTAP_COLLECT_PLACES_H
#define QUERYTAP_COLLECT_PLACES_H

#include <stddef.h>
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

/* A place in the code of an object. */
struct place {
	unsigned int object;
	uint64_t offset;  /* in the file */
	char *function;	  /* demangled; or the object's name in brackets, where no symbol says */
	const char *file; /* the object's name, "" if it is not known; borrowed from the places */
};

/*
 * Sets the names of places whose objects and offsets are given; functions are to be freed. A file that is no longer
 * what it was has no symbols. Goes through one object after the other, so that no more than one is open. Returns 0, or
 * -ENOMEM with no function set.
 */
int places_name(const struct places *places, struct place *list, size_t count);

/* Accepts NULL. */
void places_free(struct places *places);

#endif
