/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The measured cost of probes, kept from one recording to the next. */
#ifndef QUERYTAP_COLLECT_COST_CACHE_H
#define QUERYTAP_COLLECT_COST_CACHE_H

#include "collect/collect.h"
#include "util/identity.h"

/*
 * Reads the cost that was measured with this kernel on this processor from the folder `cache` (NULL for none). False
 * where there is none, or it does not fit.
 */
bool cost_load(const char *cache, struct probe_cost *cost);

/* Keeps the cost there, owned by `owner`. That it cannot be kept is no error. */
void cost_store(const char *cache, const struct identity *owner, const struct probe_cost *cost);

#endif
