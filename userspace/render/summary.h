/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what the text and the JSON of a summary have in common. */
#ifndef QUERYTAP_RENDER_SUMMARY_H
#define QUERYTAP_RENDER_SUMMARY_H

#include <string.h>

#include "render/render.h"

/* The counter's name if it counts nanoseconds other than the wall's; otherwise NULL. */
static inline const char *other_time(const char *unit, const char *counter)
{
	return unit || !counter || strcmp(counter, MMP_COUNTER_WALL_TIME) == 0 ? NULL : counter;
}

/* Moves *next to the first row from there on that passes the filter, and behind it. NULL if there is none. */
static inline const struct summary_row *summary_next(const struct summary *summary, const struct summary_filter *filter,
						     size_t *next)
{
	while (*next < summary->row_count) {
		const struct summary_row *row = &summary->rows[(*next)++];

		if (row->share >= filter->percent_above)
			return row;
	}
	return NULL;
}

#endif
