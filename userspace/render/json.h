/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: the end of what is printed as one JSON object. */
#ifndef QUERYTAP_RENDER_JSON_H
#define QUERYTAP_RENDER_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "util/error.h"

/*
 * Prints `root` in one line and frees it. Fails with -ENOMEM if it is NULL or `rc`, which is what its making came to,
 * is not 0. Failures to write are the stream's own and asked for by the caller.
 */
int json_end(json_t *root, int rc, FILE *out, struct error *err);

#endif
