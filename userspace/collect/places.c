/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/places.h"

#include <libiberty/demangle.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "compiler/elf.h"

struct object {
	char *path, *name;
	struct stat status;
	struct image *image; /* NULL if it cannot be read */
	bool opened;
};

struct places {
	struct object objects[WIRE_MAX_OBJECTS];
};

struct places *places_new(void)
{
	return calloc(1, sizeof(struct places));
}

void places_note(struct places *places, unsigned int object, const char *path, const char *name,
		 const struct stat *status)
{
	free(places->objects[object].path);
	free(places->objects[object].name);
	places->objects[object].path = strdup(path);
	places->objects[object].name = strdup(name);
	places->objects[object].status = *status;
}

static bool is_unchanged(const struct object *object)
{
	struct stat now;

	return stat(object->path, &now) == 0 && now.st_dev == object->status.st_dev &&
	       now.st_ino == object->status.st_ino && now.st_size == object->status.st_size &&
	       now.st_mtim.tv_sec == object->status.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == object->status.st_mtim.tv_nsec;
}

static void open_object(struct object *object)
{
	object->opened = true;
	if (!is_unchanged(object) || image_open(object->path, &object->image, NULL) < 0)
		return;
	if (image_read_symbols(object->image, NULL) < 0) {
		image_close(object->image);
		object->image = NULL;
	}
}

static char *function_name(struct object *object, uint64_t offset)
{
	const struct image_symbol *symbol = NULL;
	char *name = NULL;

	if (!object->opened)
		open_object(object);
	if (object->image)
		symbol = image_function_at(object->image, offset);
	if (!symbol)
		return asprintf(&name, "[%s]", object->name) < 0 ? NULL : name;
	name = cplus_demangle(symbol->name, DMGL_AUTO);
	return name ? name : strdup(symbol->name);
}

void places_name(struct places *places, unsigned int number, uint64_t offset, char **function, char **file)
{
	struct object *object = &places->objects[number % WIRE_MAX_OBJECTS];
	bool known = object->path && object->name;

	*function = known ? function_name(object, offset) : strdup("[unknown file]");
	*file = strdup(known ? object->name : "");
}

void places_free(struct places *places)
{
	if (!places)
		return;
	for (size_t i = 0; i < WIRE_MAX_OBJECTS; i++) {
		image_close(places->objects[i].image);
		free(places->objects[i].path);
		free(places->objects[i].name);
	}
	free(places);
}
