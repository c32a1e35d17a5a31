/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What becomes of the records that the kernel sends. Private to collect/. */
#ifndef QUERYTAP_COLLECT_RECORDS_H
#define QUERYTAP_COLLECT_RECORDS_H

#include "collect/internal.h"

/* Called for each record by libbpf. Whether the kernel's record is as long as it says was checked where it was made. */
int take_record(void *context, void *data, size_t size);

/* Where the profile of a process that compiles is among collector->live; SIZE_MAX if it does not. */
size_t live_index(const struct collector *collector, uint32_t tgid);

/* Begins the profile of the process that the record announces; does nothing if there is no memory for it. */
void begin_profile(struct collector *collector, const struct wire_compiler *record);

/* Finishes a profile, whose process has ended or is no longer followed, and adds its counts to the totals. */
void finish_profile(struct collector *collector, size_t index, struct wire_counts counts, bool succeeded);

/* A process has ended, or became another program. */
void take_end(struct collector *collector, const struct wire_end *record);

#endif
