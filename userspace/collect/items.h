/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The rows that statistics of a compiler's events have: one for each of its queries and activities, and one for all
 * results that it loads, hashes and waits for. Indices hold for one plan.
 */
#ifndef QUERYTAP_COLLECT_ITEMS_H
#define QUERYTAP_COLLECT_ITEMS_H

#include "compiler/compiler.h"

enum { ITEM_LOADS, ITEM_HASHING, ITEM_BLOCKED, ITEM_FIRST };

size_t item_count(const struct plan *plan);

/* The row of an interval's number as in bpf/wire.h; SIZE_MAX if it says nothing. */
size_t item_of(const struct plan *plan, uint64_t number);

/* The group of sites that its events come from. 0 for a query that is left out. */
uint32_t item_group(const struct plan *plan, size_t item);

enum event_class item_event(const struct plan *plan, size_t item);

/* The query's or activity's label; for the three others the kind's name in profiles. Borrows the plan. */
const char *item_label(const struct plan *plan, size_t item);

/* The index of the row, or SIZE_MAX. */
size_t item_find(const struct plan *plan, enum event_class event, const char *label);

#endif
