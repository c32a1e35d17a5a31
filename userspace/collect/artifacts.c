/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/artifacts.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "collect/outputs.h"

/* What rustc writes behind the metadata after it has measured it. Source: MAGIC_END_BYTES in rustc_serialize::opaque */
#define METADATA_FOOTER "rust-end-file"

/* A file by the name that it had; one that was renamed is there twice. */
struct written {
	uint64_t size;
	uint32_t thread;
	bool by_compiler;
	bool made;
	bool copied; /* its next close ends a copy, which makes nothing */
	UT_hash_handle hh;
	char name[];
};

struct artifacts {
	struct written *by_name;
};

struct artifacts *artifacts_new(void)
{
	return calloc(1, sizeof(struct artifacts));
}

void artifacts_free(struct artifacts *artifacts)
{
	struct written *file, *next;

	if (!artifacts)
		return;
	HASH_ITER(hh, artifacts->by_name, file, next)
	{
		HASH_DEL(artifacts->by_name, file);
		free(file);
	}
	free(artifacts);
}

/* The file of this name; NULL if out of memory. */
static struct written *named(struct artifacts *artifacts, const char *name)
{
	size_t length = strnlen(name, WIRE_FILE_NAME - 1);
	struct written *file;

	HASH_FIND(hh, artifacts->by_name, name, length, file);
	if (file)
		return file;
	file = calloc(1, sizeof(*file) + length + 1);
	if (!file)
		return NULL;
	memcpy(file->name, name, length);
	HASH_ADD_KEYPTR(hh, artifacts->by_name, file->name, length, file);
	return file;
}

void artifacts_note_file(struct artifacts *artifacts, const struct wire_file *record)
{
	struct written *file = named(artifacts, record->name);

	if (!file)
		return;
	if (record->header.count || file->copied) {
		file->copied = record->header.count;
		return;
	}
	file->made = true;
	file->size = record->size;
	file->thread = record->header.tid;
	file->by_compiler = record->writer == record->header.tgid;
}

static const char *without_directories(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void artifacts_note_rename(struct artifacts *artifacts, const struct wire_rename *record)
{
	const char *name = without_directories(record->from);
	struct written *from, *to;

	HASH_FIND(hh, artifacts->by_name, name, strlen(name), from);
	if (!from || !from->made)
		return;
	to = named(artifacts, without_directories(record->to));
	if (!to)
		return;
	to->made = true;
	to->size = from->size;
	to->thread = from->thread;
	to->by_compiler = from->by_compiler;
}

bool artifacts_noted(const struct artifacts *artifacts)
{
	return artifacts->by_name != NULL;
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), end_length = strlen(end);

	return length > end_length && !strcmp(name + length - end_length, end);
}

/* What the code generator and the incremental engine write. Source: the callers of artifact_size in rustc. */
static const char *label_of(const char *name)
{
	static const struct {
		const char *label, *end;
	} units[] = {
	    {"object_file", ".rcgu.o"},	  {"assembly_file", ".rcgu.s"},
	    {"llvm_bitcode", ".rcgu.bc"}, {"llvm_bitcode_summary", ".rcgu.indexing.o"},
	    {"llvm_ir", ".rcgu.ll"},	  {"dwo_file", ".rcgu.dwo"},
	};
	static const struct {
		const char *label, *name;
	} others[] = {
	    {"dep_graph", "dep-graph.bin"},
	    {"query_cache", "query-cache.bin"},
	    {"work_product_index", "work-products.bin"},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ends_with(name, units[i].end))
			return units[i].label;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(name, others[i].name))
			return others[i].label;
	return NULL;
}

/* Whether any codegen unit's file is called after this stem, as all of them are after that of the outputs. */
static bool is_stem_of_units(const void *context, const char *stem, size_t length)
{
	const struct artifacts *artifacts = context;
	const struct written *file;

	for (file = artifacts->by_name; file; file = file->hh.next)
		if (file->by_compiler && strstr(file->name, ".rcgu.") && !strncmp(file->name, stem, length) &&
		    file->name[length] == '.')
			return true;
	return false;
}

/* Makes an artifact of the file. Returns whether it is one. */
static bool recognise(const struct artifacts *artifacts, const struct outputs *outputs, const struct written *file,
		      bool succeeded, struct artifact *artifact)
{
	const size_t footer = strlen(METADATA_FOOTER);

	*artifact = (struct artifact){.argument = file->name, .size = file->size, .thread = file->thread};
	if (file->by_compiler && !strcmp(file->name, "full.rmeta")) {
		/* A crate without metadata, such as a program, has an empty file. */
		if (file->size < footer)
			return false;
		artifact->label = artifact->argument = "crate_metadata";
		artifact->size -= footer;
		return true;
	}
	if (file->by_compiler)
		artifact->label = label_of(file->name);
	if (!artifact->label && succeeded && outputs_link(outputs, file->name, is_stem_of_units, artifacts))
		artifact->label = "linked_artifact";
	return artifact->label != NULL;
}

void artifacts_find(const struct artifacts *artifacts, const char *args, size_t args_length, bool succeeded,
		    void (*take)(void *context, const struct artifact *artifact), void *context)
{
	const struct written *file;
	struct outputs outputs;
	struct artifact artifact;

	outputs_read(args, args_length, &outputs);
	for (file = artifacts->by_name; file; file = file->hh.next)
		if (file->made && recognise(artifacts, &outputs, file, succeeded, &artifact))
			take(context, &artifact);
}
