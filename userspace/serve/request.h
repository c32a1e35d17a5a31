/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a client asks for, and what it is told in the end, as messages and back. */
#ifndef QUERYTAP_SERVE_REQUEST_H
#define QUERYTAP_SERVE_REQUEST_H

#include <jansson.h>

#include "serve/serve.h"

enum {
	REQUEST_VERSION = 1,
	REQUEST_MAX_COMPILERS = 64, /* that a client may name at once */
};

/* What a session is to be like: the client's options, and its umask. */
struct request {
	struct client_options options; /* its descriptors and calls back are not part of the message */
	uint64_t mask;
};

/* The first message of a client that wants to record; NULL if out of memory. */
json_t *request_message(const struct request *request);

/* Reads it. The patterns of queries are borrowed. -EBADMSG or -EINVAL with a sentence. */
int request_read(json_t *message, struct request *request, struct error *err);

json_t *totals_message(const struct collect_totals *totals);
int totals_read(json_t *object, struct collect_totals *totals, struct error *err);

/* {"finished":...} with the totals and all else. */
json_t *result_message(const struct client_result *result);
int result_read(json_t *finished, struct client_result *result, struct error *err);

#endif
