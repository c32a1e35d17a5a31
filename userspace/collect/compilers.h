/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The compilers of a recording: each is planned and probed once, and one that cannot be is not tried again. */
#ifndef QUERYTAP_COLLECT_COMPILERS_H
#define QUERYTAP_COLLECT_COMPILERS_H

#include <sys/types.h>

#include "collect/collect.h"
#include "compiler/find.h"

/* A compiler that cannot be profiled, and whether that was said. */
struct refusal {
	dev_t device;
	ino_t inode;
	bool said;
	struct error why;
};

/* Set the first four; the others are private, and zero at first. */
struct compilers {
	struct collector *collector; /* borrowed */
	/* Makes the plan for a file, as plan_get does. */
	int (*plan)(void *context, const char *path, struct plan **out, struct error *err);
	/* Tells the user that a compiler is left out; NULL where nobody wants to know. */
	void (*say)(void *context, const char *sentence);
	void *context;
	struct plan **plans;
	size_t plan_count;
	size_t probed; /* how many are */
	struct refusal *refusals;
	size_t refusal_count;
};

/*
 * Probes the compilers on the list. Fails if none could be, with the sentence of the most likely one, which is empty
 * for an empty list; says which of the likely ones are left out.
 */
int compilers_probe(struct compilers *compilers, const struct found_list *found, struct error *err);

/*
 * Probes the compiler in the running process `pid`. -ENOENT if it is none, another negative errno if it cannot be
 * profiled, with a sentence each.
 */
int compilers_probe_process(struct compilers *compilers, pid_t pid, struct error *err);

/* The same for a process that may be anything: says so, once for each compiler, if it cannot be profiled. */
void compilers_meet_process(struct compilers *compilers, pid_t pid);

/*
 * Goes through what runs already: `root` and all below it, or everything if `root` is 0. `follow` has each followed, as
 * far as that is wanted, and returns 0 for its compiler to be probed, 1 for it to be left alone, or a negative errno.
 * Children born meanwhile are followed by the kernel side if their parent is, so doing this again behind whatever takes
 * a while leaves no gap.
 */
int compilers_meet_running(struct compilers *compilers, pid_t root,
			   int (*follow)(void *context, pid_t pid, struct error *err), struct error *err);

/* Frees the plans, so the collector has to be freed before. */
void compilers_free(struct compilers *compilers);

#endif
