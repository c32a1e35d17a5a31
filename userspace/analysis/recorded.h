/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what recorded.c and recorded_lanes.c share. */
#ifndef QUERYTAP_ANALYSIS_RECORDED_H
#define QUERYTAP_ANALYSIS_RECORDED_H

#include <inttypes.h>

#include "analysis/analysis.h"

/* Gives the processes, each of which comes behind its parent, their lanes. Returns 0 or -ENOMEM. */
int recorded_lay_out(struct recorded_build *recorded);

#endif
