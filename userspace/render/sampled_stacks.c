/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/sampled_stacks.h"

#include <stdio.h>
#include <string.h>

uint64_t sampled_period(const struct samples *samples)
{
	return samples->hz ? 1000000000 / samples->hz : 0;
}

char *sampled_frame_name(const struct samples_frame *frame)
{
	char *name;

	if (frame->kind == SAMPLES_FUNCTION)
		return strdup(frame->name);
	return asprintf(&name, "[%s]", frame->name) < 0 ? NULL : name;
}
