/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what sampled stacks have in common in all forms that they are exported to. */
#ifndef QUERYTAP_RENDER_SAMPLED_STACKS_H
#define QUERYTAP_RENDER_SAMPLED_STACKS_H

#include <stdint.h>

#include "samples/samples.h"

/* What stands innermost where a thread was in the kernel, and outermost where the walk did not reach its start. */
#define SAMPLED_KERNEL "[kernel]"
#define SAMPLED_INCOMPLETE "[incomplete]"

/* Nanoseconds of a processor that a sample stands for. */
uint64_t sampled_period(const struct samples *samples);

/* A frame as it is shown, with a query in brackets; to be freed. NULL if memory runs out. */
char *sampled_frame_name(const struct samples_frame *frame);

#endif
