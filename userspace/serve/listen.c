/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "serve/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define USUAL_GROUP "querytap"

enum { BACKLOG = 64, FIRST_PASSED = 3 }; /* SD_LISTEN_FDS_START */

/* sd_listen_fds(3): variables that name this process, and descriptors from 3 on. */
static int passed_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int type = 0;
	socklen_t size = sizeof(type);

	if (!pid || !count || strtoul(pid, NULL, 10) != (unsigned long)getpid() || strcmp(count, "1") != 0)
		return -ENOENT;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (fcntl(FIRST_PASSED, F_SETFD, FD_CLOEXEC) < 0 ||
	    getsockopt(FIRST_PASSED, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	return type == SOCK_SEQPACKET ? FIRST_PASSED : -EPROTOTYPE;
}

static int fill_address(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

int listen_connect(const char *path)
{
	const struct timeval patience = {.tv_sec = LISTEN_PATIENCE};
	struct sockaddr_un address;
	int code = fill_address(path, &address);
	int fd = code < 0 ? code : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return code < 0 ? code : -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	code = -errno;
	close(fd);
	return code;
}

/* Makes the folder that the socket is in, if it is missing. */
static void make_folder(const char *path)
{
	char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash && slash != folder) {
		*slash = '\0';
		if (mkdir(folder, 0755) == 0)
			chmod(folder, 0755);
	}
	free(folder);
}

static int find_group(const char *name, gid_t *gid, struct error *err)
{
	const struct group *group = getgrnam(name ? name : USUAL_GROUP);

	if (!group && name)
		return error_set(err, ENOENT, "there is no group %s", name);
	*gid = group ? group->gr_gid : 0;
	return 0;
}

/* The file gets its group and mode as it is made: nobody else can connect before. */
static int bind_as(int fd, const struct sockaddr_un *address, gid_t gid)
{
	mode_t mask = umask(0117);
	int before = setfsgid(gid);
	int code = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	setfsgid((gid_t)before);
	umask(mask);
	return code;
}

static int make_socket(const char *path, gid_t gid, struct error *err)
{
	struct sockaddr_un address;
	int code = fill_address(path, &address);
	int fd = code < 0 ? -1 : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set(err, code ? code : errno, "cannot make the socket %s: %s", path,
				 strerror(code ? -code : errno));
	code = bind_as(fd, &address, gid);
	if (code == 0 && listen(fd, BACKLOG) < 0)
		code = -errno;
	if (code == 0)
		return fd;
	close(fd);
	return error_set(err, code, "cannot listen on %s: %s", path, strerror(-code));
}

int listen_open(const struct serve_options *options, bool *made, struct error *err)
{
	const char *path = options->socket ? options->socket : SERVE_SOCKET;
	int fd = passed_socket(), code;
	struct stat status;
	gid_t gid = 0;

	*made = false;
	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return fd;
	}
	if (fd != -ENOENT)
		return error_set(err, fd,
				 "the socket from systemd is not to be used (ListenSequentialPacket= is what "
				 "is needed): %s",
				 strerror(-fd));
	code = find_group(options->group, &gid, err);
	if (code < 0)
		return code;
	make_folder(path);
	fd = listen_connect(path);
	if (fd >= 0) {
		close(fd);
		return error_set(err, EADDRINUSE, "a querytap daemon listens on %s already", path);
	}
	if (fd == -ECONNREFUSED && lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		unlink(path);
	fd = make_socket(path, gid, err);
	*made = fd >= 0;
	return fd;
}
