/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *path_join(const char *base, const char *name)
{
	size_t length = strlen(base);
	char *path;

	if (*name == '/' || !length)
		return strdup(name);
	if (asprintf(&path, "%s%s%s", base, base[length - 1] == '/' ? "" : "/", name) < 0)
		return NULL;
	return path;
}

char *path_expand(const char *path, const char *home)
{
	if (path[0] != '~' || (path[1] && path[1] != '/'))
		return strdup(path);
	path++;
	path += strspn(path, "/");
	return *path ? path_join(home, path) : strdup(home);
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool path_is_same_file(const char *a, const char *b)
{
	struct stat left, right;

	return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
	       left.st_ino == right.st_ino;
}

char *path_folder(const char *path)
{
	const char *name = path_name(path);

	return name == path ? strdup(".") : strndup(path, (size_t)(name - path));
}

/*
 * Opens the directory `name` within `parent`, made if it is missing; sets *made. A directory just made is not entered
 * through a symbolic link. Returns the file descriptor or a negative errno.
 */
static int enter_directory(int parent, const char *name, bool *made)
{
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	*made = false;
	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : -errno;
	if (mkdirat(parent, name, 0777) == 0)
		*made = true;
	else if (errno != EEXIST)
		return -errno;
	fd = openat(parent, name, *made ? (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : flags);
	return fd >= 0 ? fd : -errno;
}

int path_make_directory(const char *path, const struct identity *owner, struct error *err)
{
	char *copy = strdup(path);
	char *rest = copy;
	char *name;
	int status = 0;
	int parent = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (!copy || !*path || parent < 0)
		status = error_set(err,
				   !copy    ? ENOMEM
				   : !*path ? ENOENT
					    : errno,
				   "cannot make directory '%s': %s", path,
				   !copy    ? "out of memory"
				   : !*path ? "its name is empty"
					    : "the directory it is in cannot be entered");
	while (!status && (name = strsep(&rest, "/"))) {
		bool made;
		int fd;

		if (!*name)
			continue;
		fd = enter_directory(parent, name, &made);
		if (fd < 0) {
			errno = -fd;
			status = error_set(err, errno, "cannot make directory %s: %.*s: %m", path,
					   (int)(name - copy + (ssize_t)strlen(name)), path);
			break;
		}
		close(parent);
		parent = fd;
		if (made)
			status = identity_own(owner, fd, path, err);
	}
	if (parent >= 0)
		close(parent);
	free(copy);
	return status;
}

int path_write_file(const char *path, const void *bytes, size_t size, const struct identity *owner, struct error *err)
{
	char *temporary = NULL;
	int fd, code = 0;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return error_set(err, ENOMEM, "out of memory");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		code = error_set(err, errno, "cannot create %s: %s", path, strerror(errno));
		free(temporary);
		return code;
	}
	if (write(fd, bytes, size) != (ssize_t)size || fchmod(fd, 0644) < 0)
		code = error_set(err, errno, "cannot write %s: %s", path, strerror(errno));
	if (code == 0)
		code = identity_own(owner, fd, path, err);
	if (close(fd) < 0 && code == 0)
		code = error_set(err, errno, "cannot write %s: %s", path, strerror(errno));
	if (code == 0 && rename(temporary, path) < 0)
		code = error_set(err, errno, "cannot rename %s to %s: %s", temporary, path, strerror(errno));
	if (code < 0)
		unlink(temporary);
	free(temporary);
	return code;
}
