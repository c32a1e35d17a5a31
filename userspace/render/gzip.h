/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: a stream that compresses. */
#ifndef QUERYTAP_RENDER_GZIP_H
#define QUERYTAP_RENDER_GZIP_H

#include <stdio.h>

#include "util/error.h"

/*
 * *stream is to be closed with fclose, which writes the end of the gzip file; what is written to it goes to `out`,
 * borrowed until then, whose errors are `out`'s own. Fails with -ENOMEM.
 */
int gzip_open(FILE *out, FILE **stream, struct error *err);

#endif
