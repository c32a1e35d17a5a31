/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the probes cost while a recording runs, what is let go of for it, and what is learned. Private to collect/. */
#ifndef QUERYTAP_COLLECT_BUDGET_H
#define QUERYTAP_COLLECT_BUDGET_H

#include "collect/internal.h"

/* Takes note of what a process has sent. `self` becomes the self time, in ns, of each interval, by its index. */
void budget_note(struct collector *collector, const struct profile *profile, const struct wire_intervals *record,
		 uint64_t self[WIRE_BATCH]);

/* Takes note of a process that has ended, now. */
void budget_end(struct collector *collector, const struct profile *profile);

/* Looks, ten times a second at most, whether the probes cost too much, and lets go of some then. */
void budget_review(struct collector *collector);

/* Keeps what was seen for recordings to come. */
void budget_learn(const struct collector *collector);

#endif
