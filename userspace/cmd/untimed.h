/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what a profile says of the queries and activities that were left untimed. */
#ifndef QUERYTAP_CMD_UNTIMED_H
#define QUERYTAP_CMD_UNTIMED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "mmprofdata/mmprofdata.h"

/*
 * Prints a sentence if any were, to keep the overhead low, or if nothing was timed; nothing otherwise. `estimated` says
 * that what stands before it has estimates of their times.
 */
void untimed_print(const struct mmp_reader *profile, bool estimated, FILE *out);

/* What was left untimed in any of several profiles. Zero it first; to be freed with untimed_free. */
struct untimed_labels {
	json_t *names; /* an object with a key for each; NULL for none */
};

/* Adds what a profile says; one that is not of querytap has nothing untimed. */
void untimed_add(struct untimed_labels *labels, const struct mmp_reader *profile);

void untimed_free(struct untimed_labels *labels);

/* Warns on standard error if not the same was left untimed on both sides, so that the times do not compare. */
void untimed_warn(const struct untimed_labels *base, const struct untimed_labels *change);

#endif
