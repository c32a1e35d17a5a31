/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which processes a session may follow. */
#ifndef QUERYTAP_SERVE_FOLLOW_H
#define QUERYTAP_SERVE_FOLLOW_H

#include "collect/collect.h"

/* The pid of the process that `pidfd` is of, or a negative errno with a sentence: if it is no pidfd, or has ended. */
pid_t follow_pid(int pidfd, struct error *err);

/*
 * Whether a process is the user's: all of its user ids are `uid`, and its group ids are all the same. -EPERM if it is
 * not, -ESRCH if there is none.
 */
int follow_check(pid_t pid, uid_t uid, struct error *err);

/*
 * Follows the process that `pidfd` is of, if it is the user's; root may follow any. Another process that has got its
 * pid is not followed in its place: that is -ESRCH.
 */
int follow_process(struct collector *collector, int pidfd, uid_t uid, enum follow how, struct error *err);

#endif
