/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The client's side of a session. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/listen.h"
#include "serve/message.h"
#include "serve/request.h"
#include "serve/serve.h"

enum { MAX_TOKEN = 64 };

struct client {
	struct client_options options;
	int socket; /* -1: the session is over */
	char token[MAX_TOKEN + 1];
	bool is_over;
	struct client_result result;
};

const char *client_socket(void)
{
	const char *path = getenv(SERVE_SOCKET_VARIABLE);

	return path && *path ? path : SERVE_SOCKET;
}

/* ---- hearing ---- */

static void break_off(struct client *client, const char *sentence)
{
	if (client->socket >= 0)
		close(client->socket);
	client->socket = -1;
	client->is_over = true;
	if (!client->result.broken.text[0])
		error_set(&client->result.broken, EIO, "%s", sentence);
}

/*
 * Deals with what a session may send at any time; false for an answer. What comes from the daemon is looked at as
 * closely as the daemon looks at what comes from here.
 */
static bool take_news(struct client *client, struct message *message)
{
	const char *text = json_string_value(json_object_get(message->body, "say"));
	json_t *totals = json_object_get(message->body, "totals");
	json_t *finished = json_object_get(message->body, "finished");
	struct error err;

	if (text && client->options.say)
		client->options.say(client->options.context, text);
	if (totals)
		totals_read(totals, &client->result.totals, &err);
	if (json_object_get(message->body, "over"))
		client->is_over = true;
	if (finished) {
		struct error before = client->result.broken;

		if (result_read(finished, &client->result, &err) < 0)
			break_off(client, err.text);
		if (before.text[0])
			client->result.broken = before;
		if (client->socket >= 0)
			close(client->socket);
		client->socket = -1;
		client->is_over = true;
	}
	return text || totals || finished || json_object_get(message->body, "over");
}

/* Receives one message. Returns 1 for an answer, 0 for news, a negative errno if there is none or the session is over.
 */
static int hear(struct client *client, bool wait, struct message *message, struct error *err)
{
	const char *refusal;
	int code = client->socket < 0 ? 0 : message_receive(client->socket, wait, message, err);

	if (code == -EAGAIN && !wait)
		return code;
	if (code <= 0) {
		break_off(client, code == -EAGAIN ? "the querytap daemon does not answer"
						  : "the daemon's session was ended, so that what was recorded last "
						    "may be missing");
		return error_set(err, ECONNRESET, "%s", client->result.broken.text);
	}
	refusal = json_string_value(json_object_get(message->body, "error"));
	if (refusal) {
		error_set(err, EPROTO, "%s", refusal);
		message_free(message);
		break_off(client, err->text);
		return -EPROTO;
	}
	if (!take_news(client, message))
		return 1;
	message_free(message);
	return 0;
}

/* Sends a message and waits for its answer, which is to be freed. */
static int ask(struct client *client, json_t *body, const int *fds, size_t count, struct message *answer,
	       struct error *err)
{
	int code = message_send(client->socket, true, body, fds, count);

	/* If the session has ended, what it said last is still to be heard. */
	if (code < 0 && code != -EPIPE && code != -ECONNRESET && code != -EBADF)
		return error_set(err, code, "cannot send to the querytap daemon: %s", strerror(-code));
	do
		code = hear(client, true, answer, err);
	while (code == 0 && client->socket >= 0);
	return code == 0 ? error_set(err, ECONNRESET, "%s", client->result.broken.text) : code;
}

/* ---- beginning and ending ---- */

static int begin(struct client *client, struct error *err)
{
	const int fds[] = {client->options.directory, client->options.cache};
	struct request request = {.options = client->options};
	struct message answer;
	const char *token;
	int code;

	request.mask = umask(0);
	umask((mode_t)request.mask);
	code = ask(client, request_message(&request), fds, client->options.cache >= 0 ? 2 : 1, &answer, err);
	if (code < 0)
		return code;
	token = json_string_value(json_object_get(answer.body, "session"));
	if (token && strlen(token) <= MAX_TOKEN)
		strcpy(client->token, token);
	else
		code = error_set(err, EPROTO, "what listens on %s is no querytap daemon", client_socket());
	message_free(&answer);
	return code < 0 ? code : 0;
}

int client_open(const struct client_options *options, struct client **out, struct error *err)
{
	struct client *client = calloc(1, sizeof(*client));
	int code;

	*out = NULL;
	if (!client)
		return error_set(err, ENOMEM, "out of memory");
	client->options = *options;
	client->socket = listen_connect(client_socket());
	if (client->socket < 0) {
		code = client->socket;
		free(client);
		if (code == -EACCES)
			return error_set(
			    err, code,
			    "you may not use the querytap daemon's socket %s: be a member of its group, or "
			    "use sudo",
			    client_socket());
		return error_set(err, code == -ECONNREFUSED ? ENOENT : code,
				 "no querytap daemon listens on %s: %s; have root start one, or use sudo",
				 client_socket(), strerror(-code));
	}
	code = begin(client, err);
	if (code < 0)
		client_free(client);
	else
		*out = client;
	return code;
}

const char *client_token(const struct client *client)
{
	return client->token;
}

void client_finish(struct client *client, struct client_result *result)
{
	struct message message;
	struct error err;

	if (client->socket >= 0)
		message_send(client->socket, true, json_pack("{s:b}", "finish", 1), NULL, 0);
	while (client->socket >= 0)
		if (hear(client, true, &message, &err) > 0)
			message_free(&message);
	*result = client->result;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	if (client->socket >= 0)
		close(client->socket);
	free(client);
}

/* ---- requests ---- */

static int name_compiler(struct client *client, const struct found_compiler *compiler, struct error *err)
{
	int fd = open(compiler->path, O_RDONLY | O_CLOEXEC);
	int code;

	if (fd < 0)
		return error_set(err, errno, "cannot open %s: %s", compiler->path, strerror(errno));
	code = message_send(client->socket, true,
			    json_pack("{s:o, s:o, s:b}", "compiler", message_text(compiler->path), "origin",
				      message_text(compiler->origin), "likely", compiler->likely),
			    &fd, 1);
	close(fd);
	return code < 0 ? error_set(err, code, "cannot send to the querytap daemon: %s", strerror(-code)) : 0;
}

int client_probe(struct client *client, const struct found_list *found, struct error *err)
{
	struct error first = {0};
	struct message answer;
	const char *refused;
	int code;

	for (size_t i = 0; i < found->count && i < REQUEST_MAX_COMPILERS && client->socket >= 0; i++)
		if (name_compiler(client, &found->items[i], err) < 0 && !first.text[0])
			first = *err;
	code = ask(client, json_pack("{s:b}", "probe", 1), NULL, 0, &answer, err);
	if (code < 0)
		return code;
	refused = json_string_value(json_object_get(answer.body, "refused"));
	code = !refused ? 0 : *refused || first.text[0] ? -ENOTSUP : -ENOENT;
	if (refused)
		error_set(err, ENOTSUP, "%s", first.text[0] ? first.text : refused);
	message_free(&answer);
	return code;
}

int client_follow(struct client *client, pid_t pid, enum follow how, struct error *err)
{
	static const char *const names[] = {[FOLLOW_NEW] = "new", [FOLLOW_TREE] = "tree", [FOLLOW_ALONE] = "process"};
	struct message answer;
	int pidfd = pid ? pidfd_open(pid, 0) : -1;
	int code;

	if (pid && pidfd < 0)
		return error_set(err, errno, "cannot open a pidfd for process %d: %s", (int)pid, strerror(errno));
	code = ask(client, json_pack("{s:s}", "follow", pid ? names[how] : "all"), &pidfd, pid != 0, &answer, err);
	if (pidfd >= 0)
		close(pidfd);
	if (code < 0)
		return code;
	message_free(&answer);
	return 0;
}

/* ---- while it records ---- */

int client_fd(const struct client *client)
{
	return client->socket;
}

void client_take(struct client *client)
{
	struct message message;
	struct error err;
	int code;

	while (client->socket >= 0) {
		code = hear(client, false, &message, &err);
		if (code < 0)
			return;
		if (code > 0)
			message_free(&message);
	}
}

bool client_is_over(const struct client *client)
{
	return client->is_over;
}

void client_totals(const struct client *client, struct collect_totals *totals)
{
	*totals = client->result.totals;
}
