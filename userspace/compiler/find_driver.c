/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From a program to the file that holds the compiler's code, as the dynamic loader would find it (ld.so(8)). */
#include "compiler/find_private.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <gelf.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/path.h"

static const char driver_pattern[] = "librustc_driver-*.so";

/* Where the loader looks when the program doesn't say, on the usual distributions. */
static const char default_directories[] = "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:"
					  "/usr/local/lib64:/usr/local/lib:/lib:/usr/lib";

/* What the dynamic section says; borrowed from the ELF file. */
struct dynamic {
	const char *needed[4]; /* the drivers among DT_NEEDED */
	size_t needed_count;
	const char *rpath;
	const char *runpath;
};

static void read_dynamic(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct dynamic *dynamic)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *text;

		if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH)
			continue;
		text = elf_strptr(elf, header->sh_link, entry.d_un.d_val);
		if (!text)
			continue;
		if (entry.d_tag == DT_RPATH)
			dynamic->rpath = text;
		else if (entry.d_tag == DT_RUNPATH)
			dynamic->runpath = text;
		else if (fnmatch(driver_pattern, text, 0) == 0 &&
			 dynamic->needed_count < sizeof(dynamic->needed) / sizeof(*dynamic->needed))
			dynamic->needed[dynamic->needed_count++] = text;
	}
}

/* Whether the query system's functions are in the program itself: their crate's name is part of every mangled name. */
static bool has_queries(Elf *elf, const GElf_Shdr *symbols)
{
	static const char crate[] = "rustc_query_impl";
	Elf_Scn *section = elf_getscn(elf, symbols->sh_link);
	Elf_Data *names = section ? elf_rawdata(section, NULL) : NULL;

	return names && names->d_buf && memmem(names->d_buf, names->d_size, crate, sizeof(crate) - 1);
}

/* Adds DIRECTORY/name, with $ORIGIN in the directory standing for the program's. Returns whether it exists. */
static bool add_from(struct find *find, const char *directory, const char *origin, const char *name, struct clue clue)
{
	static const char *const spellings[] = {"$ORIGIN", "${ORIGIN}"};
	char *expanded = NULL;
	char *path;
	bool found;

	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		size_t length = strlen(spellings[i]);

		if (strncmp(directory, spellings[i], length) == 0 &&
		    asprintf(&expanded, "%s%s", origin, directory + length) < 0)
			return false;
		if (expanded)
			break;
	}
	path = find_join(find, expanded ? expanded : directory, name);
	found = path && access(path, F_OK) == 0;
	if (found)
		find_add(find, path, clue);
	free(path);
	free(expanded);
	return found;
}

/* Looks for a library in a list of directories parted by colons (may be NULL). Returns whether it was found. */
static bool add_from_list(struct find *find, const char *list, const char *origin, const char *name, struct clue clue)
{
	char *copy = list ? strdup(list) : NULL;
	char *rest = copy;
	char *directory;
	bool found = false;

	while (!found && (directory = strsep(&rest, ":")))
		found = *directory && add_from(find, directory, origin, name, clue);
	free(copy);
	return found;
}

void find_driver_in_sysroot(struct find *find, const char *directory, struct clue clue)
{
	char *pattern = find_join(find, directory, "lib/librustc_driver-*.so");
	glob_t files = {0};

	if (pattern && glob(pattern, GLOB_NOSORT, NULL, &files) == 0) {
		for (size_t i = 0; i < files.gl_pathc; i++)
			find_add(find, files.gl_pathv[i], clue);
	}
	globfree(&files);
	free(pattern);
}

/* Whether a program of this name is of a compiler's sysroot, with the driver in the lib directory beside it. */
static bool belongs_to_a_sysroot(const char *path)
{
	static const char *const names[] = {"rustc", "rustdoc", "clippy-driver", "cargo", "miri"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(path_name(path), names[i]) == 0)
			return true;
	}
	return false;
}

static void add_by_program(struct find *find, Elf *elf, const char *path, struct clue clue)
{
	struct dynamic dynamic = {0};
	char *origin = strndup(path, (size_t)(path_name(path) - path));
	bool linked_in = false;
	bool found = false;
	Elf_Scn *section = NULL;
	char *above;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == SHT_DYNAMIC)
			read_dynamic(elf, section, &header, &dynamic);
		else if (header.sh_type == SHT_SYMTAB)
			linked_in = has_queries(elf, &header);
	}
	for (size_t i = 0; origin && i < dynamic.needed_count; i++) {
		const char *name = dynamic.needed[i];

		found |= (!dynamic.runpath && add_from_list(find, dynamic.rpath, origin, name, clue)) ||
			 add_from_list(find, find_variable(find, "LD_LIBRARY_PATH"), origin, name, clue) ||
			 add_from_list(find, dynamic.runpath, origin, name, clue) ||
			 add_from_list(find, default_directories, origin, name, clue);
	}
	if (!found && linked_in)
		find_add(find, path, clue);
	above = origin && !found && !linked_in && belongs_to_a_sysroot(path) ? find_join(find, origin, "..") : NULL;
	if (above)
		find_driver_in_sysroot(find, above, clue);
	free(above);
	free(origin);
}

void find_driver(struct find *find, const char *path, struct clue clue)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf *elf;

	if (fd < 0)
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		add_by_program(find, elf, path, clue);
	elf_end(elf);
	close(fd);
}
