/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What keys do to the view of querytap top. */
#ifndef QUERYTAP_CMD_TOP_KEYS_H
#define QUERYTAP_CMD_TOP_KEYS_H

#include "render/top.h"

/* Takes a key: a character or one of enum top_key. Returns false if it was the one to quit with. */
bool top_take_key(struct top_view *view, const struct live *live, int key);

#endif
