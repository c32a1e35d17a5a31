/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Self times of intervals as they come: by rising end, thread by thread. */
#ifndef QUERYTAP_COLLECT_SELFTIME_H
#define QUERYTAP_COLLECT_SELFTIME_H

#include <stdint.h>

struct selftime;

/* NULL if out of memory. Free with selftime_free, which accepts NULL. */
struct selftime *selftime_new(void);
void selftime_free(struct selftime *selftime);

/*
 * The interval's length, in nanoseconds, less that of the intervals inside of it. What has ended and is in none so far
 * is remembered, up to some 60,000 intervals a thread: of a longer row the older half is taken for one.
 */
uint64_t selftime_add(struct selftime *selftime, uint32_t tgid, uint32_t tid, uint64_t start, uint64_t length);

/* The length of what has ended and began at `from` or later, and before `to`, in nothing that has ended. */
uint64_t selftime_inside(const struct selftime *selftime, uint32_t tgid, uint32_t tid, uint64_t from, uint64_t to);

/* Forgets the threads of a process that has ended. */
void selftime_forget(struct selftime *selftime, uint32_t tgid);

#endif
