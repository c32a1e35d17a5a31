/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The user that querytap works for: the one behind sudo, else its own. */
#ifndef QUERYTAP_UTIL_IDENTITY_H
#define QUERYTAP_UTIL_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

struct identity {
	uid_t uid;
	gid_t gid;
	char *name;	  /* as in the user database; NULL if it is not in there */
	char *home;	  /* never NULL; "/" if nothing better is known */
	char *shell;	  /* never NULL */
	bool behind_sudo; /* querytap is root on behalf of this other user */
};

/*
 * Fills *identity: the user of SUDO_UID and SUDO_GID where querytap runs as root and both are set to another user,
 * else the process's real ids. Without an entry in the user database the home directory is taken from HOME (own ids
 * only). Free it with identity_free(), after a failure too.
 * Returns 0; -EINVAL if SUDO_UID or SUDO_GID is no number; -ENOMEM.
 */
int identity_find(struct identity *identity, struct error *err);

/* Frees what the identity owns and zeroes it. */
void identity_free(struct identity *identity);

/*
 * Makes the user the owner of an open file or directory if querytap is root on behalf of them; else does nothing.
 * `path` is for the sentence only. Returns 0 or a negative errno.
 */
int identity_own(const struct identity *identity, int fd, const char *path, struct error *err);

#endif
