/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What /proc says of processes that run already. */
#ifndef QUERYTAP_COLLECT_RUNNING_H
#define QUERYTAP_COLLECT_RUNNING_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether `pid` is `root` or one of its descendants. */
bool running_is_below(pid_t pid, pid_t root);

/* Whether `pid` or one that it descends from runs a program of this name, as the system has it in /proc/PID/comm. */
bool running_is_below_named(pid_t pid, const char *comm);

/*
 * Calls `take` with the path of each file with a compiler's code that the process has mapped, or that its program will
 * load. A path may lead through /proc/PID/root, if the process has its own view of the files: it is good for as long as
 * the process lives. The same file may come twice.
 */
void running_compilers(pid_t pid, void (*take)(void *context, const char *path), void *context);

/* The same for those only that are mapped already. */
void running_mapped_compilers(pid_t pid, void (*take)(void *context, const char *path), void *context);

#endif
