/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "serve/follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

/* Looks for "NAME:" in a file of /proc and reads numbers behind it. Returns how many, at most four. */
static int read_numbers(const char *path, const char *name, int numbers[4])
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	char line[256];
	int count = 0;

	while (file && count <= 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ':')
			count = sscanf(line + length + 1, "%d %d %d %d", &numbers[0], &numbers[1], &numbers[2],
				       &numbers[3]);
	if (file)
		fclose(file);
	return count;
}

static bool has_ended(int pidfd)
{
	struct pollfd file = {pidfd, POLLIN, 0};

	return poll(&file, 1, 0) != 0;
}

pid_t follow_pid(int pidfd, struct error *err)
{
	char path[64];
	int numbers[4];

	if (pidfd_send_signal(pidfd, 0, NULL, 0) < 0 && errno == EBADF)
		return error_set(err, EINVAL, "a process is to be named by a pidfd");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (read_numbers(path, "Pid", numbers) != 1 || numbers[0] <= 0 || has_ended(pidfd))
		return error_set(err, ESRCH, "the process has ended, or is none of those that the daemon sees");
	return numbers[0];
}

int follow_check(pid_t pid, uid_t uid, struct error *err)
{
	int users[4], groups[4];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (read_numbers(path, "Uid", users) != 4 || read_numbers(path, "Gid", groups) != 4)
		return error_set(err, ESRCH, "process %d has ended", (int)pid);
	for (int i = 0; i < 4; i++)
		if ((uid_t)users[i] != uid || groups[i] != groups[0])
			return error_set(err, EPERM,
					 "process %d is not yours alone: it is another user's, or runs a set-user-id "
					 "or set-group-id program",
					 (int)pid);
	return 0;
}

/*
 * Looked at before, so that nothing is noted of other users' processes. And again once it is followed: a program that
 * it may have become in between was not seen becoming it.
 */
int follow_process(struct collector *collector, int pidfd, uid_t uid, enum follow how, struct error *err)
{
	pid_t pid = follow_pid(pidfd, err);
	int code = pid < 0 ? pid : 0;

	if (code == 0 && uid != 0)
		code = follow_check(pid, uid, err);
	if (code == 0)
		code = collector_follow(collector, pid, how, err);
	if (code < 0)
		return code;
	if (uid != 0)
		code = follow_check(pid, uid, err);
	if (code == 0 && has_ended(pidfd))
		code = error_set(err, ESRCH, "process %d has ended", (int)pid);
	if (code < 0)
		collector_unfollow(collector, pid);
	return code;
}
