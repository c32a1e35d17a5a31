/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the parts of the search for compilers share. */
#ifndef QUERYTAP_COMPILER_FIND_PRIVATE_H
#define QUERYTAP_COMPILER_FIND_PRIVATE_H

#include "compiler/find.h"

/* Identity of a file already looked at. */
struct find_seen {
	dev_t device;
	ino_t inode;
	bool likely;
};

/* The state of one search. Memory that runs out sets `out_of_memory`, and the search goes on with what there is. */
struct find {
	const struct find_input *in;
	struct found_list *out;
	struct find_seen *seen;
	size_t seen_count;
	char *rustup_home;
	char *cargo_home;
	char *toolchain; /* named on the command line for rustup to use; NULL if none */
	bool settled;	 /* COMMAND is a compiler itself: no other is likely from here on */
	bool out_of_memory;
};

/* How far to trust a finding, and where it came from. Passed along from a clue to what it leads to. */
struct clue {
	const char *origin;
	bool likely;
};

/* The value of a variable in COMMAND's environment; NULL if unset or empty. */
const char *find_variable(const struct find *find, const char *name);

/* path_join() that notes when memory runs out. Returns NULL then, and if base is NULL. */
char *find_join(struct find *find, const char *base, const char *name);

/* The text of a regular file (its first MiB), allocated; NULL if it can't be read. Never waits for a pipe. */
char *find_read_text(struct find *find, const char *path);

/* Adds a compiler's file to the findings; does nothing if `path` (may be NULL) does not exist. */
void find_add(struct find *find, const char *path, struct clue clue);

/* Follows an executable (may be NULL or missing) to the compilers behind it: proxy, ELF program or script. */
void find_executable(struct find *find, const char *path, struct clue clue);

/* find_driver.c: adds the drivers that an ELF program loads or has linked in. `path` has its links resolved. */
void find_driver(struct find *find, const char *path, struct clue clue);

/* find_driver.c: adds the drivers in DIRECTORY/lib, for a sysroot without a program that says which. */
void find_driver_in_sysroot(struct find *find, const char *directory, struct clue clue);

/* find_rustup.c: whether a program is rustup under another name. `path` has its links resolved. */
bool find_is_rustup_proxy(struct find *find, const char *path);

/* find_rustup.c: adds a toolchain by its name ("nightly", "1.75-x86_64-…", a path). Returns whether it is installed. */
bool find_toolchain(struct find *find, const char *name, struct clue clue);

/* find_rustup.c: adds the toolchain that rustup would choose in the working directory. */
void find_active_toolchain(struct find *find, struct clue clue);

/* find_rustup.c: adds all installed toolchains, as not likely. */
void find_all_toolchains(struct find *find);

#endif
