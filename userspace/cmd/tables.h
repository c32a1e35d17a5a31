/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what the commands that print tables have in common. */
#ifndef QUERYTAP_CMD_TABLES_H
#define QUERYTAP_CMD_TABLES_H

#include "analysis/analysis.h"
#include "cmd/untimed.h"
#include "mmprofdata/mmprofdata.h"
#include "util/error.h"

/* mmp_open with the sentence in a struct error. */
int tables_open(const char *path, struct mmp_reader **profile, struct error *err);

/* Sums the profile in a file up; see summarize_profile. Adds what was left untimed in it to `untimed`, unless NULL. */
int tables_summarize(const char *path, struct summary *summary, struct untimed_labels *untimed, struct error *err);

#endif
