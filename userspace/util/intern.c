/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/intern.h"

#include <stdlib.h>
#include <string.h>

/* uthash exits when out of memory unless told otherwise; an element that could not be added has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct interned {
	uint32_t number;
	UT_hash_handle hh;
	char bytes[];
};

uint32_t intern_bytes(struct intern *intern, const void *bytes, size_t size)
{
	struct interned *found;

	HASH_FIND(hh, intern->table, bytes, size, found);
	if (found)
		return found->number;
	if (intern->count == intern->room) {
		size_t room = intern->room ? 2 * intern->room : 64;
		struct interned **grown =
		    room < INTERN_FAILED ? reallocarray(intern->list, room, sizeof(*grown)) : NULL;

		if (!grown)
			return INTERN_FAILED;
		intern->list = grown;
		intern->room = room;
	}
	found = malloc(sizeof(*found) + size + 1);
	if (!found)
		return INTERN_FAILED;
	found->number = (uint32_t)intern->count;
	memcpy(found->bytes, bytes, size);
	found->bytes[size] = '\0';
	HASH_ADD_KEYPTR(hh, intern->table, found->bytes, size, found);
	if (!found->hh.tbl) {
		free(found);
		return INTERN_FAILED;
	}
	intern->list[intern->count++] = found;
	return found->number;
}

uint32_t intern_text(struct intern *intern, const char *text)
{
	return intern_bytes(intern, text, strlen(text));
}

const char *intern_get(const struct intern *intern, uint32_t number)
{
	return intern->list[number]->bytes;
}

void intern_free(struct intern *intern)
{
	HASH_CLEAR(hh, intern->table);
	for (size_t i = 0; i < intern->count; i++)
		free(intern->list[i]);
	free(intern->list);
	*intern = (struct intern){0};
}
