/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/plan_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/flow.h"

enum { FIRST_ROOM = 64 };

int rows_grow(void **items, size_t count, size_t size)
{
	void *grown;

	if (count && (count < FIRST_ROOM || (count & (count - 1))))
		return 0;
	grown = reallocarray(*items, count ? count * 2 : FIRST_ROOM, size);
	if (!grown) {
		free(*items);
		*items = NULL;
		return -ENOMEM;
	}
	*items = grown;
	return 0;
}

bool rows_may_probe(const struct image *image, uint64_t address, enum site_kind kind)
{
	size_t available;
	const uint8_t *bytes = image_bytes(image, address, &available);

	return image_file_offset(image, address) != UINT64_MAX &&
	       (site_is_rare(kind) || kernel_emulates(bytes, available));
}

int rows_add_site(const struct image *image, struct plan *plan, uint64_t address, struct site site)
{
	if (!rows_may_probe(image, address, site.kind))
		return 0;
	if (rows_grow((void **)&plan->sites, plan->site_count, sizeof(*plan->sites)) < 0) {
		plan->site_count = 0;
		return -ENOMEM;
	}
	site.offset = image_file_offset(image, address);
	plan->sites[plan->site_count++] = site;
	return 0;
}

int rows_add_call(const struct image *image, struct plan *plan, uint64_t address, unsigned int number)
{
	if (rows_grow((void **)&plan->calls, plan->call_count, sizeof(*plan->calls)) < 0) {
		plan->call_count = 0;
		return -ENOMEM;
	}
	plan->calls[plan->call_count++] = (struct plan_call){image_file_offset(image, address), (uint16_t)number};
	return 0;
}

int rows_add_caller(struct plan *plan, struct plan_caller row)
{
	if (rows_grow((void **)&plan->callers, plan->caller_count, sizeof(*plan->callers)) < 0) {
		plan->caller_count = 0;
		return -ENOMEM;
	}
	plan->callers[plan->caller_count++] = row;
	return 0;
}

int rows_add_omission(struct plan *plan, const char *label, const char *refusal)
{
	struct plan_omission *omission;

	if (rows_grow((void **)&plan->omissions, plan->omission_count, sizeof(*plan->omissions)) < 0) {
		plan->omission_count = 0;
		return -ENOMEM;
	}
	omission = &plan->omissions[plan->omission_count++];
	*omission = (struct plan_omission){strdup(label), strdup(refusal)};
	return omission->label && omission->refusal ? 0 : -ENOMEM;
}

int rows_append_activity(struct plan *plan, const char *label)
{
	struct plan_activity *activity;

	if (rows_grow((void **)&plan->activities, plan->activity_count, sizeof(*plan->activities)) < 0) {
		plan->activity_count = 0;
		return -ENOMEM;
	}
	activity = &plan->activities[plan->activity_count++];
	activity->label = strdup(label);
	return activity->label ? 0 : -ENOMEM;
}

int rows_add_activity(struct plan *plan, const char *label, size_t *index)
{
	for (*index = 0; *index < plan->activity_count; (*index)++)
		if (!strcmp(plan->activities[*index].label, label))
			return 0;
	return rows_append_activity(plan, label);
}
