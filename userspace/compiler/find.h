/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Uprobes belong to a file, so the compilers that COMMAND may use are found before it starts. */
#ifndef QUERYTAP_COMPILER_FIND_H
#define QUERYTAP_COMPILER_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/* What the search goes by; all borrowed. */
struct find_input {
	char *const *argv;	  /* COMMAND and its arguments, ended by NULL; may be empty */
	char *const *environment; /* as COMMAND will see it */
	const char *cwd;	  /* COMMAND's working directory, absolute */
	const char *home;	  /* of the user that COMMAND runs as */
};

/* A file that holds a compiler's code: a librustc_driver-*.so, or a program that has it linked in. */
struct found_compiler {
	char *path;   /* with symbolic links resolved */
	char *origin; /* what led to it, for a sentence: "RUSTC", "rustc on PATH", "toolchain stable-…" */
	dev_t device;
	ino_t inode;
	bool likely; /* COMMAND will most probably use it; false: it is merely installed */
};

struct found_list {
	struct found_compiler *items; /* the likely ones first, else in the order of the search; each file once */
	size_t count;
};

/*
 * Finds the compilers that COMMAND may use, by reading files only; nothing is executed. Looked at are, as cargo and
 * rustup do it: COMMAND itself (a compiler, a rustup proxy, cargo, a script, anything) and words in its arguments that
 * name a compiler, a toolchain ("+nightly", "rustup run nightly") or set one of the variables below (`make RUSTC=…`,
 * `sh -c …`); RUSTC, RUSTDOC, RUSTC_WRAPPER, RUSTC_WORKSPACE_WRAPPER and their CARGO_BUILD_ forms; the [build]
 * settings of .cargo/config.toml from the working directory upwards and in CARGO_HOME; every rustc, rustdoc,
 * clippy-driver and cargo on PATH. A rustup proxy stands for the toolchain that rustup would choose: by argument,
 * RUSTUP_TOOLCHAIN, directory override or rust-toolchain(.toml) from the working directory upwards, default. All other
 * toolchains in RUSTUP_HOME come too, as not likely.
 *
 * Returns 0, also if nothing was found (out->count is 0), or -ENOMEM. Free *out with found_list_free().
 */
int compilers_find(const struct find_input *in, struct found_list *out, struct error *err);

void found_list_free(struct found_list *list);

#endif
