/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "serve/become.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "serve/serve.h"

#define BIT(capability) (1ULL << (capability))
#define RECORDING (BIT(CAP_BPF) | BIT(CAP_PERFMON))
#define SERVING (RECORDING | BIT(CAP_SETUID) | BIT(CAP_SETGID))

enum { NOBODY = 65534 };

int peer_find(int socket, struct peer *peer, struct error *err)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	gid_t none;

	*peer = (struct peer){0};
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		return error_set(err, errno, "cannot learn who has connected: %s", strerror(errno));
	peer->uid = who.uid;
	peer->gid = who.gid;
	peer->pid = who.pid;
	size = 0;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, &none, &size) < 0 && errno != ERANGE)
		return error_set(err, errno, "cannot learn the groups of who has connected: %s", strerror(errno));
	peer->groups = malloc(size + sizeof(gid_t));
	if (!peer->groups)
		return error_set(err, ENOMEM, "out of memory");
	if (size && getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size) < 0)
		return error_set(err, errno, "cannot learn the groups of who has connected: %s", strerror(errno));
	peer->group_count = size / sizeof(gid_t);
	return 0;
}

void peer_free(struct peer *peer)
{
	free(peer->groups);
	peer->groups = NULL;
}

bool client_is_needed(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	uint64_t effective;

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return !(effective & BIT(CAP_SYS_ADMIN)) && (effective & RECORDING) != RECORDING;
}

static int set_capabilities(uint64_t set, struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
	    {.effective = (uint32_t)set, .permitted = (uint32_t)set},
	    {.effective = (uint32_t)(set >> 32), .permitted = (uint32_t)(set >> 32)},
	};

	if (syscall(SYS_capset, &header, data) < 0)
		return error_set(err, errno,
				 "cannot set capabilities (CAP_BPF and CAP_PERFMON are needed, and "
				 "CAP_SETUID and CAP_SETGID to serve): %s",
				 strerror(errno));
	return 0;
}

/* No program that is executed gains anything, and no other process of the same user looks into this one. */
static int shut_off(struct error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "cannot give up rights by prctl: %s", strerror(errno));
	return 0;
}

int become_server(struct error *err)
{
	int code = set_capabilities(SERVING, err);

	return code < 0 ? code : shut_off(err);
}

static int become(uid_t uid, gid_t gid, const gid_t *groups, size_t group_count, uint64_t capabilities,
		  struct error *err)
{
	int code;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(group_count, groups) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return error_set(err, errno, "cannot become user %u: %s", uid, strerror(errno));
	code = set_capabilities(capabilities, err);
	return code < 0 ? code : shut_off(err);
}

int become_user(const struct peer *peer, struct error *err)
{
	return become(peer->uid, peer->gid, peer->groups, peer->group_count, RECORDING, err);
}

int become_nobody(struct error *err)
{
	return become(NOBODY, NOBODY, NULL, 0, 0, err);
}

int keep_descriptors(int *fds, size_t count, struct error *err)
{
	int first = STDERR_FILENO + 1;
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	int beyond = first + (int)count;

	/* Out of the way first, then side by side behind the standard streams. */
	for (size_t i = 0; nowhere >= 0 && i < count; i++) {
		if (fds[i] >= 0)
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, beyond);
	}
	for (int fd = 0; fd < first; fd++)
		if (nowhere < 0 || dup2(nowhere, fd) < 0)
			return error_set(err, errno, "cannot open /dev/null: %s", strerror(errno));
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			fds[i] = dup3(fds[i], first + (int)i, O_CLOEXEC);
		else
			close(first + (int)i);
	if (close_range((unsigned int)beyond, ~0U, 0) < 0)
		return error_set(err, errno, "cannot close files: %s", strerror(errno));
	return 0;
}

int limit_resource(int resource, unsigned long most, struct error *err)
{
	struct rlimit limit;

	if (getrlimit((enum __rlimit_resource)resource, &limit) < 0)
		return error_set(err, errno, "cannot read a limit: %s", strerror(errno));
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit((enum __rlimit_resource)resource, &limit) < 0)
		return error_set(err, errno, "cannot set a limit: %s", strerror(errno));
	return 0;
}
