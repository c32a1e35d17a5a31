/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Plans that the daemon's main process makes from files that sessions have opened, and keeps in memory. A user's
 * session gets no plan but one that was made of the very file that it is for, when that user asked.
 */
#ifndef QUERYTAP_SERVE_PLANS_H
#define QUERYTAP_SERVE_PLANS_H

#include <sys/types.h>

#include "util/error.h"

struct plans;

/* A plan in the making, by a process of its own that has no rights. */
struct planning {
	pid_t pid; /* 0: none */
	int text, sentence;
	size_t slot;
};

/* NULL if out of memory. */
struct plans *plans_new(void);
void plans_free(struct plans *plans);

/*
 * The plan for the regular file open as `fd`, on behalf of the user: a sealed memory file, borrowed, with the text of
 * plan_to_text. -EINPROGRESS if it is in the making now; other negative errnos with a sentence. `name` is the file's,
 * for sentences.
 */
int plans_get(struct plans *plans, uid_t uid, int fd, const char *name, struct planning *planning, struct error *err);

/* The same for a plan whose process has ended with `status`, as of wait(2). */
int plans_made(struct plans *plans, struct planning *planning, int status, struct error *err);

#endif
