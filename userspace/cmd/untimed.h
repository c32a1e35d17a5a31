/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what a profile says of the queries and activities that were left untimed. */
#ifndef QUERYTAP_CMD_UNTIMED_H
#define QUERYTAP_CMD_UNTIMED_H

#include <stdio.h>

#include "mmprofdata/mmprofdata.h"

/* Prints a sentence if any were, to keep the overhead low, or if nothing was timed; nothing otherwise. */
void untimed_print(const struct mmp_reader *profile, FILE *out);

#endif
