/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which events to record, by the names of -Zself-profile-events. */
#ifndef QUERYTAP_CMD_EVENTS_H
#define QUERYTAP_CMD_EVENTS_H

#include "util/error.h"

/*
 * Reads a list of names, separated by commas, as rustc does: each adds to what is recorded. NULL stands for "default".
 * *events is what struct collect_options takes. -EINVAL for a name that is not known or cannot be recorded from
 * outside, with a sentence that says which are or why not.
 */
int events_parse(const char *list, unsigned int *events, struct error *err);

#endif
