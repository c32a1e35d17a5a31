/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: the form of the file, which docs/samples.md describes; and what fuzzing calls. */
#ifndef QUERYTAP_SAMPLES_PRIVATE_H
#define QUERYTAP_SAMPLES_PRIVATE_H

#include "samples/samples.h"

#define FILE_MAGIC "qtsample"
#define FILE_VERSION 1

/* Offsets in the file, bytes; the last two are within what the checksum is of. */
enum { AT_MAGIC = 0, AT_VERSION = 8, AT_CHECKSUM = 12, AT_CHECKED = 16, AT_SIZE = 16, AT_CONTENTS = 24 };

/* No bytes are inflated to more than so many times as many. */
#define MAX_RATIO 1032

enum section {
	SECTION_HEAD = 1,
	SECTION_STRINGS,
	SECTION_FRAMES,
	SECTION_STACKS,
	SECTION_THREADS,
	SECTION_SAMPLES,
	SECTION_ABSENCES,
	SECTION_TIMES,
	SECTIONS
};

/* Those behind it may be missing. */
#define LAST_NEEDED SECTION_ABSENCES

#define HEAD_ESTIMATED 1u
#define HEAD_ABSENCES_KNOWN 2u

/* The bytes that a varint takes at most. */
#define MAX_VARINT 10

/*
 * Whether all numbers are sound: indices within their arrays, parents below children, samples and absences by time.
 * Returns NULL, or what is wrong.
 */
const char *samples_fault(const struct samples *samples);

/* Reads the inflated contents of a file. *out is the caller's. -EINVAL or -ENOMEM with a sentence that names `path`. */
int samples_parse(const uint8_t *bytes, size_t size, const char *path, struct samples **out, struct error *err);

#endif
