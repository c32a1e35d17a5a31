/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The values of record's and attach's option --overhead. */
#ifndef QUERYTAP_CMD_OVERHEAD_H
#define QUERYTAP_CMD_OVERHEAD_H

#include "collect/collect.h"

/* Reads exact, auto, auto=PERCENT, counts or sample; NULL is auto. Returns 0, or -EINVAL with a sentence. */
int overhead_parse(const char *text, struct overhead *overhead, struct error *err);

#endif
