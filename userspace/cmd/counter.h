/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What times are of, by the names that measureme gives its counters. */
#ifndef QUERYTAP_CMD_COUNTER_H
#define QUERYTAP_CMD_COUNTER_H

#include <stdbool.h>

#include "util/error.h"

/*
 * Reads the name of a counter; NULL stands for wall-time. *cpu_time is what struct collect_options takes. -EINVAL for a
 * name that is not known, -ENOTSUP for a counter of the processor's, with a sentence that says which can be recorded.
 */
int counter_parse(const char *name, bool *cpu_time, struct error *err);

/*
 * Why querytap does not record the processor's counter `name`, where opening it for oneself by perf_event_open(2) ended
 * with `code`, 0 or a negative errno. Returns -ENOTSUP.
 */
int counter_refuse(const char *name, int code, struct error *err);

#endif
