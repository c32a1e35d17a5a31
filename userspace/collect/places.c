/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/places.h"

#include <errno.h>
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

static char *demangled(const char *name)
{
	char *text = cplus_demangle(name, DMGL_AUTO);

	/* Behind an @ is the version of a symbol. */
	return text ? text : strndup(name, strcspn(name, "@"));
}

/* The name of a place, by that of its symbol; NULL if memory runs out. */
static char *function_name(const struct object *object, const char *symbol)
{
	char *name;

	if (!object->path || !object->name)
		return strdup("[unknown file]");
	if (symbol)
		return demangled(symbol);
	return asprintf(&name, "[%s]", object->name) < 0 ? NULL : name;
}

/*
 * Opens the file with the debugging information of a file that has none, where distributions put it: by its build id,
 * see "Debugging Information in Separate Files" in GDB's manual. NULL if there is none.
 */
static struct image *open_debug_file(const struct image *image)
{
	struct image *debug = NULL;
	char id[65], debug_id[65], path[128];

	image_build_id(image, id);
	snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2);
	if (image_open_debug_file(-1, path, &debug, NULL) < 0)
		return NULL;
	image_build_id(debug, debug_id);
	if (strcmp(id, debug_id) == 0)
		return debug;
	image_close(debug);
	return NULL;
}

/* Sets the symbols at the places of an object, as far as there are some. Returns false if memory runs out. */
static bool find_symbols(const struct object *object, struct place **list, size_t count, char **symbols)
{
	uint64_t *offsets = calloc(count, sizeof(*offsets));
	struct image *image = NULL, *debug = NULL;
	bool done = offsets;

	for (size_t i = 0; i < count && done; i++)
		offsets[i] = list[i]->offset;
	if (done && object->path && is_unchanged(object) && image_open(object->path, &image, NULL) == 0) {
		debug = open_debug_file(image);
		done = image_name_functions(image, debug ? debug : image, offsets, count, symbols) == 0;
	}
	image_close(debug);
	image_close(image);
	free(offsets);
	return done;
}

/* Names places that are all in this object, by rising offset. Returns false if memory runs out. */
static bool name_in_object(const struct object *object, struct place **list, size_t count)
{
	char **symbols = calloc(count, sizeof(*symbols));
	bool done = symbols && find_symbols(object, list, count, symbols);

	for (size_t i = 0; i < count && done; i++) {
		bool again = i && symbols[i] && symbols[i - 1] && !strcmp(symbols[i], symbols[i - 1]);

		list[i]->file = object->path && object->name ? object->name : "";
		list[i]->function = again ? strdup(list[i - 1]->function) : function_name(object, symbols[i]);
		done = list[i]->function;
	}
	for (size_t i = 0; i < count && symbols; i++)
		free(symbols[i]);
	free(symbols);
	return done;
}

static int by_object_and_offset(const void *a, const void *b)
{
	const struct place *left = *(struct place *const *)a, *right = *(struct place *const *)b;

	if (left->object != right->object)
		return left->object < right->object ? -1 : 1;
	return (left->offset > right->offset) - (left->offset < right->offset);
}

int places_name(const struct places *places, struct place *list, size_t count)
{
	struct place **sorted = calloc(count + 1, sizeof(*sorted));
	bool done = sorted;
	size_t end;

	for (size_t i = 0; i < count; i++) {
		list[i].function = NULL;
		list[i].file = "";
		if (sorted)
			sorted[i] = &list[i];
	}
	if (sorted)
		qsort(sorted, count, sizeof(struct place *), by_object_and_offset);
	for (size_t i = 0; i < count && done; i = end) {
		for (end = i; end < count && sorted[end]->object == sorted[i]->object; end++)
			;
		done = name_in_object(&places->objects[sorted[i]->object % WIRE_MAX_OBJECTS], &sorted[i], end - i);
	}
	for (size_t i = 0; i < count && !done; i++) {
		free(list[i].function);
		list[i].function = NULL;
	}
	free(sorted);
	return done ? 0 : -ENOMEM;
}

void places_free(struct places *places)
{
	if (!places)
		return;
	for (size_t i = 0; i < WIRE_MAX_OBJECTS; i++) {
		free(places->objects[i].path);
		free(places->objects[i].name);
	}
	free(places);
}
