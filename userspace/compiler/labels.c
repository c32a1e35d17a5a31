/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <string.h>

#include "compiler/compiler.h"

size_t plan_timed(const struct plan *plan)
{
	size_t timed = 0;

	for (size_t i = 0; i < plan->query_count; i++)
		timed += plan->queries[i].refusal == NULL;
	return timed;
}

size_t plan_sites(const struct plan *plan, enum site_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->site_count; i++)
		count += plan->sites[i].kind == kind;
	return count;
}

/* Whether an event begins there. */
static bool begins_event(const struct site *site)
{
	return site->kind == SITE_ENTER || site->kind == SITE_BEGIN;
}

size_t plan_guards(const struct plan *plan, enum event_class event)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->site_count; i++)
		count += plan->sites[i].event == event && begins_event(&plan->sites[i]);
	return count;
}

static const char *query_refusal(const struct plan *plan, enum event_class event, const char *name)
{
	for (size_t i = 0; i < plan->query_count; i++) {
		const struct plan_query *query = &plan->queries[i];

		if (strcmp(query->name, name) != 0)
			continue;
		if (!query->refusal && event == EVENT_INCREMENTAL_LOAD && !query->names_loads)
			return "its results are loaded by code that is not its own: they are <unknown>";
		return query->refusal;
	}
	return "no query of this name was found in the compiler";
}

static const char *activity_refusal(const struct plan *plan, const char *label)
{
	for (size_t i = 0; i < plan->activity_count; i++)
		if (strcmp(plan->activities[i].label, label) == 0)
			return NULL;
	for (size_t i = 0; i < plan->omission_count; i++)
		if (strcmp(plan->omissions[i].label, label) == 0)
			return plan->omissions[i].refusal;
	return "no activity of this name was found in the compiler";
}

const char *plan_refusal(const struct plan *plan, enum event_class event, const char *label)
{
	const char *refusal;

	if (event == EVENT_ACTIVITY)
		return activity_refusal(plan, label);
	refusal = query_refusal(plan, event, label);
	if (!refusal && event != EVENT_QUERY && !plan_guards(plan, event))
		return "no place that begins such events was found in the compiler";
	return refusal;
}
