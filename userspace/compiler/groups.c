/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/groups.h"

#include "bpf/wire.h"

static uint32_t activity_group(const struct plan *plan, unsigned int number)
{
	return plan->activities[number - WIRE_ACTIVITIES].group;
}

static uint32_t begin_group(const struct plan *plan, const struct site *site)
{
	switch (site->event) {
	case EVENT_INCREMENTAL_LOAD:
		return GROUP_LOADS;
	case EVENT_RESULT_HASHING:
		return GROUP_HASHING;
	case EVENT_QUERY_BLOCKED:
		return GROUP_BLOCKED;
	default:
		return GUARD_NAMING(site->cookie) == GUARD_PASS ? GROUP_PASSES
								: activity_group(plan, GUARD_NUMBER(site->cookie));
	}
}

/* A guard's ends are in the group of its begins, which have the same id. */
static void assign_guards(struct plan *plan)
{
	uint32_t by_id[WIRE_MAX_GUARDS + 1] = {0};

	for (size_t i = 0; i < plan->site_count; i++) {
		struct site *site = &plan->sites[i];

		if (site->kind == SITE_BEGIN)
			site->group = by_id[GUARD_ID(site->cookie)] = begin_group(plan, site);
	}
	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->sites[i].kind == SITE_END)
			plan->sites[i].group = by_id[GUARD_ID(plan->sites[i].cookie)];
}

void groups_assign(struct plan *plan, size_t runners)
{
	size_t first_runner = GROUP_FIRST + plan->activity_count;

	for (size_t i = 0; i < plan->activity_count; i++)
		plan->activities[i].group = (uint32_t)(GROUP_FIRST + i);
	for (size_t i = 0; i < plan->pass_count; i++)
		for (uint32_t j = 0; j < plan->passes[i].count; j++)
			plan->activities[plan->passes[i].first + j].group = GROUP_PASSES;
	for (size_t i = 0; i < plan->query_count; i++)
		if (plan->queries[i].group)
			plan->queries[i].group += (uint32_t)first_runner - 1;
	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->sites[i].group)
			plan->sites[i].group += (uint32_t)first_runner - 1;
	assign_guards(plan);
	plan->group_count = first_runner + runners;
}
