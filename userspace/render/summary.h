/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what the text and the JSON of a summary have in common. */
#ifndef QUERYTAP_RENDER_SUMMARY_H
#define QUERYTAP_RENDER_SUMMARY_H

#include "render/render.h"

/* How many of the first rows pass the filter. */
static inline size_t summary_shown(const struct summary *summary, const struct summary_filter *filter)
{
	size_t count = 0;

	while (count < summary->row_count && summary->rows[count].share >= filter->percent_above &&
	       (!filter->limit || count < filter->limit))
		count++;
	return count;
}

#endif
