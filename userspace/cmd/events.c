/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collect/collect.h"

#define DEFAULT_EVENTS                                                                                     \
	(COLLECT_EVENT(EVENT_QUERY) | COLLECT_EVENT(EVENT_ACTIVITY) | COLLECT_EVENT(EVENT_QUERY_BLOCKED) | \
	 COLLECT_EVENT(EVENT_INCREMENTAL_LOAD) | COLLECT_EVENT(EVENT_RESULT_HASHING) | COLLECT_SIZES)

struct event_name {
	const char *name;
	unsigned int events;
	const char *refusal; /* why it cannot be recorded; NULL if it can */
};

/* Source: EVENT_FILTERS_BY_NAME in rustc_data_structures::profiling. */
static const struct event_name names[] = {
    {"none", 0, NULL},
    {"all", DEFAULT_EVENTS | COLLECT_TEXTS | COLLECT_KEYS, NULL},
    {"default", DEFAULT_EVENTS, NULL},
    {"generic-activity", COLLECT_EVENT(EVENT_ACTIVITY), NULL},
    {"query-provider", COLLECT_EVENT(EVENT_QUERY), NULL},
    {"query-cache-hit", 0,
     "a result that is found in memory is read by code that is part of its caller: nothing outside can see that"},
    {"query-cache-hit-count", 0,
     "a result that is found in memory is read by code that is part of its caller: nothing outside can see that"},
    {"query-blocked", COLLECT_EVENT(EVENT_QUERY_BLOCKED), NULL},
    {"incr-cache-load", COLLECT_EVENT(EVENT_INCREMENTAL_LOAD), NULL},
    {"query-keys", COLLECT_KEYS, NULL},
    {"function-args", COLLECT_TEXTS, NULL},
    {"args", COLLECT_TEXTS | COLLECT_KEYS, NULL},
    {"incr-result-hashing", COLLECT_EVENT(EVENT_RESULT_HASHING), NULL},
    {"artifact-sizes", COLLECT_SIZES, NULL},
};

static const struct event_name *find_name(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i].name) == length && !memcmp(names[i].name, name, length))
			return &names[i];
	return NULL;
}

static int refuse_unknown(const char *name, size_t length, struct error *err)
{
	char known[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!names[i].refusal)
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
						 names[i].name);
	return error_set(err, EINVAL, "--events does not know \"%.*s\"; it takes, separated by commas: %s", (int)length,
			 name, known);
}

int events_parse(const char *list, unsigned int *events, struct error *err)
{
	*events = 0;
	if (!list)
		list = "default";
	for (const char *at = list;; at++) {
		size_t length = strcspn(at, ",");
		const struct event_name *name = find_name(at, length);

		if (!name)
			return refuse_unknown(at, length, err);
		if (name->refusal)
			return error_set(err, EINVAL, "--events %s cannot be recorded: %s", name->name, name->refusal);
		*events |= name->events;
		at += length;
		if (!*at)
			return 0;
	}
}
