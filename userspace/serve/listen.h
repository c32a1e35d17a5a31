/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The daemon's socket. */
#ifndef QUERYTAP_SERVE_LISTEN_H
#define QUERYTAP_SERVE_LISTEN_H

#include <stdbool.h>

#include "serve/serve.h"

enum { LISTEN_PATIENCE = 120 };

/*
 * The socket that systemd has handed over, or else a new one at the path and for the group of the options. A socket
 * file that nobody listens on any more is replaced. *made tells whether the file is to be removed in the end. Returns
 * the descriptor or a negative errno with a sentence.
 */
int listen_open(const struct serve_options *options, bool *made, struct error *err);

/*
 * Connects to the socket at `path`. Returns the descriptor, on which nothing takes longer than LISTEN_PATIENCE seconds,
 * or a negative errno.
 */
int listen_connect(const char *path);

#endif
