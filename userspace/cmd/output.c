/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where a command's result goes: standard output, or a file that appears whole or not at all. */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESULT_MODE = 0666 };

static int cannot(struct error *err, const char *verb, const char *name)
{
	return error_set(err, errno ? errno : EIO, "cannot %s %s: %s", verb, name, strerror(errno ? errno : EIO));
}

/* What is no ordinary file (a pipe, /dev/null) has no place beside it and is written directly. */
static bool is_ordinary(const char *path)
{
	struct stat status;

	return stat(path, &status) != 0 || S_ISREG(status.st_mode);
}

/* As a file that open(2) makes with RESULT_MODE, or as the one that is replaced. */
static mode_t result_mode(const char *path)
{
	struct stat status;
	mode_t mask;

	if (stat(path, &status) == 0)
		return status.st_mode & 07777;
	mask = umask(0);
	umask(mask);
	return RESULT_MODE & ~mask;
}

static int open_beside(struct output *output, struct error *err)
{
	int file;

	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	file = mkostemp(output->temporary, O_CLOEXEC);
	if (file < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return cannot(err, "create", output->path);
	}
	fchmod(file, result_mode(output->path));
	output->stream = fdopen(file, "w");
	return 0;
}

/*
 * Gives the whole file its name. A rename onto another file makes ext4 write the new one to the disk at once
 * (auto_da_alloc), which for hundreds of megabytes takes longer than all else; changing places with it does not.
 */
static int put_in_place(const char *temporary, const char *path)
{
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
		return unlink(temporary);
	return rename(temporary, path);
}

int output_open(const char *path, struct output *output, struct error *err)
{
	*output = (struct output){.path = path, .stream = path ? NULL : stdout};
	if (!path)
		return 0;
	if (is_ordinary(path)) {
		int rc = open_beside(output, err);

		if (rc)
			return rc;
	} else {
		output->stream = fopen(path, "we");
	}
	return output->stream ? 0 : cannot(err, "create", path);
}

int output_close(struct output *output, int rc, struct error *err)
{
	const char *name = output->path ? output->path : "standard output";

	/* If writing has failed already, errno is still that of the failure: memory was freed since, no more. */
	errno = ferror(output->stream) ? errno : 0;
	if ((fflush(output->stream) || ferror(output->stream)) && !rc)
		rc = cannot(err, "write", name);
	if (output->path && fclose(output->stream) && !rc)
		rc = cannot(err, "write", name);
	if (output->temporary && !rc && put_in_place(output->temporary, output->path))
		rc = cannot(err, "write", name);
	if (output->temporary && rc)
		unlink(output->temporary);
	free(output->temporary);
	*output = (struct output){0};
	return rc;
}
