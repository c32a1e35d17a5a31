/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One user's recording, in a process of its own that has become the user. */
#ifndef QUERYTAP_SERVE_SESSION_H
#define QUERYTAP_SERVE_SESSION_H

#include "serve/become.h"
#include "serve/message.h"

enum { TOKEN_DIGITS = 32 };

/*
 * Records what the client at the other end of `client` asked for with `request`, until it has had enough, is gone, or
 * the daemon is. `channel` leads to the daemon's main process. Gives up all other descriptors. Does not return.
 */
void session_run(int client, int channel, const struct peer *peer, const char *token, struct message *request)
    __attribute__((noreturn));

#endif
