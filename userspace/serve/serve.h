/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The daemon that records for users without the rights to, and its clients. docs/daemon.md has the messages, and who
 * trusts whom.
 */
#ifndef QUERYTAP_SERVE_SERVE_H
#define QUERYTAP_SERVE_SERVE_H

#include "collect/collect.h"
#include "compiler/find.h"

#define SERVE_SOCKET "/run/querytap/socket"
#define SERVE_SOCKET_VARIABLE "QUERYTAP_SOCKET"	  /* where clients look for it instead */
#define SERVE_SESSION_VARIABLE "QUERYTAP_SESSION" /* the session's token, for what COMMAND starts */

/* ---- the daemon ---- */

struct serve_options {
	const char *socket; /* NULL: SERVE_SOCKET */
	const char *group;  /* who may connect, besides root; NULL: "querytap" if there is such a group */
	unsigned long max_sessions, max_per_user;
	bool quiet;
};

/*
 * Listens and serves until SIGTERM or SIGINT, on stderr telling of sessions unless quiet. Needs root's rights, most of
 * which it gives up. Returns 0, or a negative errno with a sentence.
 */
int serve(const struct serve_options *options, struct error *err);

/* ---- its clients ---- */

/* What is asked of a session: options as in struct collect_options. */
struct client_options {
	bool follow_all; /* processes of this user, that is */
	const char *comm;
	bool cpu_time, compensate;
	bool quiet;    /* no warnings wanted */
	bool progress; /* client_take is to keep the totals up to date */
	size_t ring_bytes;
	enum attach_method attach;
	unsigned int events;
	struct overhead overhead;
	int directory; /* where profiles go; a directory's descriptor */
	int cache;     /* likewise; -1 for none */
	void (*say)(void *context, const char *sentence);
	void *context;
};

/* What a session has to say in the end. */
struct client_result {
	struct collect_totals totals;
	struct collect_untimed untimed;
	struct error build;  /* why the build as a whole was not written; else empty */
	struct error broken; /* why the recording ended before its time; else empty */
};

struct client;

/* Whether this process lacks the capabilities to record by itself. */
bool client_is_needed(void);

/* Where the daemon's socket is looked for; borrowed. */
const char *client_socket(void);

/*
 * Begins a session: when it returns, the programs are loaded, and nothing is probed or followed. Borrows the options'
 * pointers until client_free. -ENOENT if there is no daemon.
 */
int client_open(const struct client_options *options, struct client **out, struct error *err);

/* The session's token, as SERVE_SESSION_VARIABLE has it; borrowed. */
const char *client_token(const struct client *client);

/* As compilers_probe. */
int client_probe(struct client *client, const struct found_list *found, struct error *err);

/*
 * Has a process of this user followed: with FOLLOW_TREE what is below it too, with FOLLOW_ALONE its compiler probed, or
 * it is an error. With a pid of 0 the compilers of all that run are met.
 */
int client_follow(struct client *client, pid_t pid, enum follow how, struct error *err);

/* Readable when client_take has something to do; borrowed. */
int client_fd(const struct client *client);

/* Takes what the session has sent, without waiting. */
void client_take(struct client *client);

/* Whether the recording is over: no followed process is left, or the session has ended. */
bool client_is_over(const struct client *client);

/* The totals as last heard of. */
void client_totals(const struct client *client, struct collect_totals *totals);

/* Ends the session; the profiles are complete then. Does no more than fill *result where it has ended already. */
void client_finish(struct client *client, struct client_result *result);

/* Ends the session if it has not been, and frees the client. Accepts NULL. */
void client_free(struct client *client);

#endif
