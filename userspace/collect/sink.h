/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Tells the collector's sink of what would go into profiles otherwise. Private to collect/. */
#ifndef QUERYTAP_COLLECT_SINK_H
#define QUERYTAP_COLLECT_SINK_H

#include "collect/internal.h"

/* Tells of the process once its command line is whole. */
void sink_begin(struct collector *collector, struct profile *profile);

/* Tells of intervals, whose self times in nanoseconds are given by their index, and adds them to the totals. */
void sink_intervals(struct collector *collector, struct profile *profile, const struct wire_intervals *record,
		    const uint64_t self[WIRE_BATCH]);

/* What a sink is told of an interval that has this self time. Returns false for one that sinks are not told of. */
bool sink_interval(const struct collector *collector, const struct profile *profile,
		   const struct wire_interval *interval, uint64_t self, struct collect_interval *told);

void sink_end(struct collector *collector, struct profile *profile, bool succeeded);

#endif
