/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Runs COMMAND as the user would have: forked first and held back, so that probes can be attached to its process id
 * before it starts, then released. COMMAND is to see nothing of querytap: it is forked before querytap changes
 * anything of itself (signals, limits, priority), all of querytap's files are close-on-exec, and its environment,
 * standard streams, process group, directory and umask are the caller's. Files that querytap itself was handed (a
 * jobserver's pipe) are handed on.
 */
#ifndef QUERYTAP_COLLECT_LAUNCH_H
#define QUERYTAP_COLLECT_LAUNCH_H

#include <signal.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/identity.h"

/* Exit statuses as a shell's. */
enum { LAUNCH_NOT_EXECUTABLE = 126, LAUNCH_NOT_FOUND = 127, LAUNCH_SIGNALLED = 128 };

struct launch {
	pid_t pid;	      /* COMMAND's process id, the same before and after its release; 0 once it is reaped */
	int pid_fd;	      /* becomes readable when COMMAND has ended */
	int signal_fd;	      /* becomes readable when a signal for querytap is waiting: call launch_forward() */
	const char *name;     /* COMMAND as the user gave it; borrowed */
	uid_t uid;	      /* whom it runs as */
	const char *variable; /* until the release: a short NAME=VALUE that COMMAND's environment gets besides; NULL for
				 none; borrowed */
	int gate_fd;	      /* private: open until the release */
	int report_fd;	      /* private: open until the release */
	sigset_t mask;	      /* private: the signal mask to go back to */
};

/*
 * Returns the environment for COMMAND, made from `environment`: the same if querytap isn't root behind sudo. Behind
 * sudo it is as sudo left it, but where that speaks of root it is made to speak of the user: HOME, USER, LOGNAME and
 * SHELL (a value other than root's was kept on purpose, by `sudo -E` or `sudo NAME=VALUE`, and stays). PATH gets the
 * user's cargo directory (CARGO_HOME/bin or ~/.cargo/bin) in front, as rustup's ~/.cargo/env would put it there, if
 * it is not on PATH and holds a cargo or a rustc, or is the only place where `command` is found: sudo's secure_path
 * has hidden it.
 * The result is one block, ended by NULL; free it with free(). Borrows nothing. NULL if out of memory.
 */
char **launch_environment(const struct identity *user, char *const *environment, const char *command);

/*
 * Forks a child that waits to become COMMAND: argv, found by PATH of `environment`, run as the user. To be called
 * before querytap changes its signals, limits or priorities, and while it has one thread. In querytap itself SIGINT,
 * SIGQUIT, SIGTERM and SIGHUP are blocked from then on (they come by signal_fd), and SIGPIPE, so that a closed pipe
 * is an EPIPE. If querytap dies before the release, the child ends without having run anything.
 * Borrows argv[0] until launch_free(), to be called in any case. Returns 0, or a negative errno.
 */
int launch_prepare(struct launch *launch, const struct identity *user, char *const *argv, char *const *environment,
		   struct error *err);

/*
 * Lets COMMAND start and returns when it has (its exec has succeeded). Returns 0; or a negative errno with a sentence
 * such as "cannot run X: No such file or directory", and in *exit_status what to exit with: 127 if there is no such
 * command, 126 if it cannot be run. If the child was killed while it was held back, that is 0 and launch_wait()'s.
 */
int launch_release(struct launch *launch, int *exit_status, struct error *err);

/*
 * Takes one waiting signal off signal_fd and sends it on to COMMAND, unless it came from the terminal, which has
 * sent it to COMMAND too. Returns the signal's number, 0 if none was waiting, or a negative errno.
 */
int launch_forward(const struct launch *launch, struct error *err);

/* Sends a signal to COMMAND; nothing happens if it has ended. Returns 0 or a negative errno. */
int launch_signal(const struct launch *launch, int number, struct error *err);

/* Waits for COMMAND's end. Returns its exit status as a shell gives it (128 + signal), or a negative errno. */
int launch_wait(struct launch *launch, struct error *err);

/*
 * Closes what launch_prepare() opened, drops signals that still wait and unblocks them. A child that was not released
 * is ended and reaped without having run COMMAND; one that runs is left alone. Does nothing if *launch is all zero, as
 * it is afterwards.
 */
void launch_free(struct launch *launch);

#endif
