/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/identity.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads an id from the environment. Returns 1 if there is one, 0 if the variable is not set, or a negative errno. */
static int read_id(const char *variable, unsigned int *id, struct error *err)
{
	const char *text = getenv(variable);
	unsigned long value;
	char *end;

	if (!text || !*text)
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	/* The highest id means "leave it" to the system calls that change owners. */
	if (errno || *end || *text < '0' || *text > '9' || value >= (uid_t)-1)
		return error_set(err, EINVAL, "%s is '%s' and not an id; call querytap by sudo, or unset it", variable,
				 text);
	*id = (unsigned int)value;
	return 1;
}

static int find_ids(struct identity *identity, struct error *err)
{
	unsigned int uid = 0, gid = 0;
	int found;

	identity->uid = getuid();
	identity->gid = getgid();
	if (getuid() != 0 || geteuid() != 0)
		return 0;
	found = read_id("SUDO_UID", &uid, err);
	if (found <= 0)
		return found;
	found = read_id("SUDO_GID", &gid, err);
	if (found <= 0 || uid == 0)
		return found < 0 ? found : 0;
	identity->uid = uid;
	identity->gid = gid;
	identity->behind_sudo = true;
	return 0;
}

int identity_find(struct identity *identity, struct error *err)
{
	const struct passwd *entry;
	const char *home = NULL;
	const char *shell = "/bin/sh";
	int status;

	*identity = (struct identity){0};
	status = find_ids(identity, err);
	if (status)
		return status;
	entry = getpwuid(identity->uid);
	if (!identity->behind_sudo)
		home = getenv("HOME");
	if (entry) {
		if (!home || !*home)
			home = entry->pw_dir;
		if (*entry->pw_shell)
			shell = entry->pw_shell;
		identity->name = strdup(entry->pw_name);
	}
	identity->home = strdup(home && *home ? home : "/");
	identity->shell = strdup(shell);
	if (!identity->home || !identity->shell || (entry && !identity->name))
		return error_set(err, ENOMEM, "out of memory");
	return 0;
}

void identity_free(struct identity *identity)
{
	free(identity->name);
	free(identity->home);
	free(identity->shell);
	*identity = (struct identity){0};
}

int identity_own(const struct identity *identity, int fd, const char *path, struct error *err)
{
	if (!identity->behind_sudo || fchown(fd, identity->uid, identity->gid) == 0)
		return 0;
	return error_set(err, errno, "cannot make user %u the owner of %s: %m", identity->uid, path);
}
