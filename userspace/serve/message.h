/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Messages: JSON objects, one a packet, with file descriptors beside them. Nothing that is received is believed. */
#ifndef QUERYTAP_SERVE_MESSAGE_H
#define QUERYTAP_SERVE_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

enum { MESSAGE_BYTES = 65536, MESSAGE_FDS = 4 };

struct message {
	json_t *body;
	int fds[MESSAGE_FDS]; /* -1 where there is none */
	size_t fd_count;
};

/*
 * Receives a message, to be freed with message_free. Returns 1; 0 at the connection's end; -EAGAIN if none waits and
 * `wait` is false; -EBADMSG with a sentence for one that is malformed, whose descriptors are closed; another negative
 * errno.
 */
int message_receive(int socket, bool wait, struct message *message, struct error *err);

/* Reads the text of a message: one JSON object and nothing behind it. NULL, with a sentence, if it is none. */
json_t *message_parse(const char *bytes, size_t size, struct error *err);

/* Closes the descriptors that were not taken, and frees the body. Accepts one that is all zero. */
void message_free(struct message *message);

/* Takes a descriptor out of the message; -1 if there is none. */
int message_take(struct message *message, size_t index);

/*
 * Sends `body`, whose reference it takes (NULL: out of memory), without raising SIGPIPE. Returns 0 or a negative errno:
 * -EAGAIN if `wait` is false and the other side has too much waiting.
 */
int message_send(int socket, bool wait, json_t *body, const int *fds, size_t count);

/* `text` as a JSON string that message_fields takes: what no message may have in it is replaced by '?'. */
json_t *message_text(const char *text);

enum field_kind { FIELD_BOOL, FIELD_UINT, FIELD_REAL, FIELD_TEXT, FIELD_OBJECT };

/* A key that an object may have. */
struct field {
	const char *name; /* NULL ends a list */
	enum field_kind kind;
	bool needed;
	void *to;      /* bool, uint64_t, double, const char *, json_t *; the latter two borrowed from the object */
	uint64_t most; /* of a number, or of bytes of text; 0 for a text's is the message's limit */
};

/*
 * Reads an object by a list of its keys. Texts have no control characters. -EBADMSG with a sentence if there is another
 * key, one that is needed is missing, or a value does not fit. What is not there is left alone.
 */
int message_fields(json_t *object, const struct field *fields, struct error *err);

#endif
