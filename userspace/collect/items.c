/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/items.h"

#include <string.h>

#include "bpf/wire.h"
#include "mmprofdata/mmprofdata.h"

static const struct {
	enum event_class event;
	enum site_group group;
	const char *label;
} kinds[ITEM_FIRST] = {
    [ITEM_LOADS] = {EVENT_INCREMENTAL_LOAD, GROUP_LOADS, MMP_KIND_INCREMENTAL_LOAD},
    [ITEM_HASHING] = {EVENT_RESULT_HASHING, GROUP_HASHING, MMP_KIND_RESULT_HASHING},
    [ITEM_BLOCKED] = {EVENT_QUERY_BLOCKED, GROUP_BLOCKED, MMP_KIND_QUERY_BLOCKED},
};

size_t item_count(const struct plan *plan)
{
	return ITEM_FIRST + plan->query_count + plan->activity_count;
}

size_t item_of(const struct plan *plan, uint64_t number)
{
	static const size_t classes[] = {
	    [WIRE_CLASS_LOAD] = ITEM_LOADS, [WIRE_CLASS_HASHING] = ITEM_HASHING, [WIRE_CLASS_BLOCKED] = ITEM_BLOCKED};

	if (number >= WIRE_ACTIVITIES)
		return number - WIRE_ACTIVITIES < plan->activity_count
			   ? ITEM_FIRST + plan->query_count + (number - WIRE_ACTIVITIES)
			   : SIZE_MAX;
	if (number >> 12 != WIRE_CLASS_QUERY)
		return classes[number >> 12];
	return number != WIRE_QUERY_NONE && number <= plan->query_count ? ITEM_FIRST + number - 1 : SIZE_MAX;
}

static const struct plan_query *query_at(const struct plan *plan, size_t item)
{
	return item - ITEM_FIRST < plan->query_count ? &plan->queries[item - ITEM_FIRST] : NULL;
}

static const struct plan_activity *activity_at(const struct plan *plan, size_t item)
{
	return &plan->activities[item - ITEM_FIRST - plan->query_count];
}

uint32_t item_group(const struct plan *plan, size_t item)
{
	if (item < ITEM_FIRST)
		return kinds[item].group;
	return query_at(plan, item) ? query_at(plan, item)->group : activity_at(plan, item)->group;
}

enum event_class item_event(const struct plan *plan, size_t item)
{
	if (item < ITEM_FIRST)
		return kinds[item].event;
	return query_at(plan, item) ? EVENT_QUERY : EVENT_ACTIVITY;
}

const char *item_label(const struct plan *plan, size_t item)
{
	if (item < ITEM_FIRST)
		return kinds[item].label;
	return query_at(plan, item) ? query_at(plan, item)->name : activity_at(plan, item)->label;
}

size_t item_find(const struct plan *plan, enum event_class event, const char *label)
{
	for (size_t i = 0; i < item_count(plan); i++)
		if (item_event(plan, i) == event && !strcmp(item_label(plan, i), label))
			return i;
	return SIZE_MAX;
}
