/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: the absences beside profiles. */
#ifndef QUERYTAP_CMD_ABSENCES_H
#define QUERYTAP_CMD_ABSENCES_H

#include "analysis/off_cpu.h"
#include "mmprofdata/mmprofdata.h"
#include "util/error.h"

/* Freed with absences_found_free. */
struct absences_found {
	struct samples *samples;
	struct off_cpu_scope *processes; /* those that the folder's profiles are of, without ends */
	size_t process_count;
};

/* Reads what a folder of profiles has of absences. -ENOENT with a sentence if that is nothing. */
int absences_find(const char *folder, struct absences_found *found, struct error *err);

/* Which of them are of the process of a profile: those until the next process with its id. */
struct off_cpu_scope absences_scope(const struct absences_found *found, const struct mmp_metadata *process);

/* Frees what it holds, not the struct. Accepts one that is zeroed. */
void absences_found_free(struct absences_found *found);

#endif
