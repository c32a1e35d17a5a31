/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The daemon's rights, and giving them up. */
#ifndef QUERYTAP_SERVE_BECOME_H
#define QUERYTAP_SERVE_BECOME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/* Who is at the other end of a connection. */
struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /* owned */
	size_t group_count;
};

/* Learns who had connected. Returns 0 or a negative errno with a sentence; free with peer_free. */
int peer_find(int socket, struct peer *peer, struct error *err);
void peer_free(struct peer *peer);

/* Keeps of root's capabilities those that serving takes, and can gain none any more. */
int become_server(struct error *err);

/* Becomes the user, with the capabilities to load and attach BPF programs and no others. */
int become_user(const struct peer *peer, struct error *err);

/* Becomes nobody, without any capability. */
int become_nobody(struct error *err);

/* Closes every descriptor except standard streams, which lead nowhere from now on, and those of the list. */
int keep_descriptors(int *fds, size_t count, struct error *err);

/* Sets a limit on oneself; a lower one in force stays. */
int limit_resource(int resource, unsigned long most, struct error *err);

#endif
