/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what the text and the JSON of a diff have in common. */
#ifndef QUERYTAP_RENDER_DIFF_H
#define QUERYTAP_RENDER_DIFF_H

#include <string.h>

#include "render/render.h"

static inline bool diff_excludes(const struct diff_filter *filter, const char *label)
{
	for (size_t i = 0; i < filter->excluded_count; i++) {
		if (strstr(label, filter->excluded[i]))
			return true;
	}
	return false;
}

#endif
