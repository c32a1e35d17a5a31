/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The daemon's main process: lets users in, gives each that wants to record a process of its own, and hands on between
 * those and itself what users may not do or see themselves.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/listen.h"
#include "serve/message.h"
#include "serve/plans.h"
#include "serve/request.h"
#include "serve/serve.h"
#include "serve/session.h"
#include "util/clock.h"

enum {
	MAX_VISITORS = 64,
	VISITORS_PER_USER = 8,
	PATIENCE_MS = 2000,  /* with a connection that says nothing */
	FAREWELL_MS = 20000, /* for sessions to finish their files when the daemon stops */
	MAX_FILES = 65536,
};

/* A connection that has not said what it wants. */
struct visitor {
	int connection;
	struct peer peer;
	uint64_t until; /* ms */
};

/* A session's process; an element is free where there is neither that nor one that plans for it. */
struct seat {
	pid_t pid;
	int channel; /* -1: closed */
	uid_t uid;
	char token[TOKEN_DIGITS + 1];
	struct planning planning;
};

struct server {
	const struct serve_options *options;
	int socket, signals;
	struct plans *plans;
	struct visitor visitors[MAX_VISITORS];
	size_t visitor_count;
	struct seat *seats; /* max_sessions */
};

static uint64_t now_ms(void)
{
	return clock_now(CLOCK_MONOTONIC) / 1000000;
}

static void __attribute__((format(printf, 2, 3))) note(const struct server *server, const char *format, ...)
{
	char text[1200];
	va_list args;

	if (server->options->quiet)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "querytap daemon: %s\n", text);
}

static void answer_error(int connection, const struct error *err)
{
	message_send(connection, false, json_pack("{s:o}", "error", message_text(err->text)), NULL, 0);
}

/* ---- seats ---- */

static bool is_free(const struct seat *seat)
{
	return !seat->pid && !seat->planning.pid;
}

static struct seat *find_seat(const struct server *server, uid_t uid, struct error *err)
{
	struct seat *found = NULL;
	unsigned long users = 0;

	for (unsigned long i = 0; i < server->options->max_sessions; i++) {
		struct seat *seat = &server->seats[i];

		if (is_free(seat))
			found = found ? found : seat;
		else
			users += seat->uid == uid;
	}
	if (users >= server->options->max_per_user) {
		error_set(err, EBUSY, "you have %lu recordings running, and the daemon allows no more", users);
		return NULL;
	}
	if (!found)
		error_set(err, EBUSY, "%lu recordings are running, and the daemon allows no more",
			  server->options->max_sessions);
	return found;
}

static void close_channel(struct seat *seat)
{
	if (seat->channel >= 0)
		close(seat->channel);
	seat->channel = -1;
}

static int make_token(char token[TOKEN_DIGITS + 1])
{
	unsigned char bytes[TOKEN_DIGITS / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(token + 2 * i, "%02x", bytes[i]);
	return 0;
}

/* In the new process: what is not its own of the main process's memory is none of its business. */
static void __attribute__((noreturn))
become_session(const struct server *server, int connection, int channel, const struct peer *peer, const char *token,
	       struct message *request)
{
	char own[TOKEN_DIGITS + 1];

	memcpy(own, token, sizeof(own));
	explicit_bzero(server->seats, server->options->max_sessions * sizeof(*server->seats));
	session_run(connection, channel, peer, own, request);
}

/* Starts a session for the connection, which is the session's from then on. */
static int start_session(struct server *server, const struct visitor *visitor, struct message *request,
			 struct error *err)
{
	struct seat *seat = find_seat(server, visitor->peer.uid, err);
	int ends[2];

	if (!seat)
		return -EBUSY;
	if (make_token(seat->token) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, errno, "cannot start a session: %s", strerror(errno));
	seat->pid = fork();
	if (seat->pid == 0)
		become_session(server, visitor->connection, ends[1], &visitor->peer, seat->token, request);
	close(ends[1]);
	seat->channel = ends[0];
	seat->uid = visitor->peer.uid;
	if (seat->pid < 0) {
		seat->pid = 0;
		close_channel(seat);
		return error_set(err, errno, "cannot fork: %s", strerror(errno));
	}
	note(server, "session %d of user %u began", (int)seat->pid, seat->uid);
	return 0;
}

/* ---- joining ---- */

/* {"querytap": 1, "join": TOKEN, "crate": NAME} with the pidfd of who sends it. */
static int hand_on_join(struct server *server, const struct visitor *visitor, struct message *message,
			struct error *err)
{
	const char *token = NULL, *crate = "";
	uint64_t version;
	const struct field fields[] = {
	    {"querytap", FIELD_UINT, true, &version, UINT32_MAX},
	    {"join", FIELD_TEXT, true, &token, TOKEN_DIGITS},
	    {"crate", FIELD_TEXT, false, &crate, 4096},
	    {0},
	};
	int code = message_fields(message->body, fields, err);

	if (code == 0 && message->fd_count != 1)
		code = error_set(err, EBADMSG, "the message is to have one file descriptor, a pidfd");
	if (code < 0)
		return code;
	for (unsigned long i = 0; i < server->options->max_sessions; i++) {
		const struct seat *seat = &server->seats[i];
		const int fds[] = {message->fds[0], visitor->connection};

		if (seat->channel < 0 || is_free(seat) || seat->uid != visitor->peer.uid ||
		    strcmp(seat->token, token) != 0)
			continue;
		code = message_send(seat->channel, false, json_pack("{s:o}", "join", message_text(crate)), fds, 2);
		return code < 0 ? error_set(err, code, "the session is busy: %s", strerror(-code)) : 0;
	}
	return error_set(err, ENOENT, "you have no session with this token");
}

/* ---- visitors ---- */

static void admit(struct server *server)
{
	struct visitor visitor = {.until = now_ms() + PATIENCE_MS};
	struct error err = {0};
	unsigned int same = 0;
	int code;

	visitor.connection = accept4(server->socket, NULL, NULL, SOCK_CLOEXEC);
	if (visitor.connection < 0)
		return;
	code = peer_find(visitor.connection, &visitor.peer, &err);
	for (size_t i = 0; i < server->visitor_count; i++)
		same += server->visitors[i].peer.uid == visitor.peer.uid;
	if (code == 0 && (same >= VISITORS_PER_USER || server->visitor_count == MAX_VISITORS))
		code = error_set(&err, EBUSY, "too many connections at once");
	if (code == 0) {
		server->visitors[server->visitor_count++] = visitor;
		return;
	}
	answer_error(visitor.connection, &err);
	close(visitor.connection);
	peer_free(&visitor.peer);
}

/* Takes a visitor's first message. Returns 0 if there is none yet, else what becomes of the connection is settled. */
static int hear_visitor(struct server *server, const struct visitor *visitor)
{
	struct message message;
	struct error err = {0};
	uint64_t version = 0;
	int code = message_receive(visitor->connection, false, &message, &err);

	if (code == -EAGAIN)
		return 0;
	if (code > 0) {
		version = (uint64_t)json_integer_value(json_object_get(message.body, "querytap"));
		if (version != REQUEST_VERSION)
			code =
			    error_set(&err, EPROTO, "the daemon speaks version %d of querytap's messages, not %" PRIu64,
				      REQUEST_VERSION, version);
		else if (json_object_get(message.body, "join"))
			code = hand_on_join(server, visitor, &message, &err);
		else
			code = start_session(server, visitor, &message, &err);
		message_free(&message);
	}
	if (code < 0)
		answer_error(visitor->connection, &err);
	return 1;
}

static void dismiss(struct server *server, size_t index)
{
	close(server->visitors[index].connection);
	peer_free(&server->visitors[index].peer);
	server->visitors[index] = server->visitors[--server->visitor_count];
}

/* ---- plans ---- */

static void answer_plan(struct seat *seat, int code, const struct error *err)
{
	if (code >= 0)
		code = message_send(seat->channel, false, json_pack("{s:b}", "plan", 1), &code, 1);
	else
		code =
		    message_send(seat->channel, false, json_pack("{s:o}", "refused", message_text(err->text)), NULL, 0);
	if (code < 0)
		close_channel(seat);
}

/* A session that does not keep to the order of things is no session of ours any more. */
static void hear_session(struct server *server, struct seat *seat)
{
	struct message message;
	struct error err = {0};
	const char *name = NULL;
	const struct field fields[] = {{"plan", FIELD_TEXT, true, &name, 0}, {0}};
	int code = message_receive(seat->channel, false, &message, &err);

	if (code == -EAGAIN)
		return;
	if (code <= 0 || seat->planning.pid || message_fields(message.body, fields, &err) < 0 ||
	    message.fd_count != 1) {
		close_channel(seat);
	} else {
		code = plans_get(server->plans, seat->uid, message.fds[0], name, &seat->planning, &err);
		if (code != -EINPROGRESS)
			answer_plan(seat, code, &err);
	}
	message_free(&message);
}

/* ---- processes that end ---- */

static void reap_one(struct server *server, pid_t pid, int status)
{
	for (unsigned long i = 0; i < server->options->max_sessions; i++) {
		struct seat *seat = &server->seats[i];

		if (seat->planning.pid == pid) {
			struct error err = {0};
			int code = plans_made(server->plans, &seat->planning, status, &err);

			if (seat->channel >= 0)
				answer_plan(seat, code, &err);
		} else if (seat->pid == pid) {
			note(server, "session %d of user %u ended%s", (int)pid, seat->uid,
			     WIFSIGNALED(status) ? ", killed" : "");
			close_channel(seat);
			seat->pid = 0;
		}
	}
}

/* Returns whether any is left. */
static bool reap(struct server *server)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reap_one(server, pid, status);
	return pid == 0;
}

/* ---- the loop ---- */

/* Takes the signals that wait. Returns false if the daemon is to stop. */
static bool hear_signals(struct server *server)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(server->signals, &info, sizeof(info)) == sizeof(info))
		stop |= info.ssi_signo != SIGCHLD;
	reap(server);
	return !stop;
}

static void hear_all(struct server *server, const struct pollfd *files)
{
	size_t visitors = server->visitor_count;

	/* From the last on: one that is dismissed gives its place to the last. */
	for (size_t i = visitors; i-- > 0;) {
		bool settled = files[i].revents && hear_visitor(server, &server->visitors[i]);

		if (settled || now_ms() >= server->visitors[i].until)
			dismiss(server, i);
	}
	for (unsigned long i = 0; i < server->options->max_sessions; i++)
		if (files[visitors + i].revents && server->seats[i].channel == files[visitors + i].fd)
			hear_session(server, &server->seats[i]);
}

static int run(struct server *server)
{
	unsigned long seats = server->options->max_sessions;
	struct pollfd *files = calloc(2 + MAX_VISITORS + seats, sizeof(*files));
	bool goes_on = files != NULL;

	while (goes_on) {
		size_t count = 0;

		files[count++] = (struct pollfd){server->signals, POLLIN, 0};
		files[count++] = (struct pollfd){server->socket, POLLIN, 0};
		for (size_t i = 0; i < server->visitor_count; i++)
			files[count++] = (struct pollfd){server->visitors[i].connection, POLLIN, 0};
		for (unsigned long i = 0; i < seats; i++)
			files[count++] = (struct pollfd){server->seats[i].channel, POLLIN, 0};
		if (poll(files, count, server->visitor_count ? 100 : -1) < 0)
			continue;
		hear_all(server, files + 2);
		if (files[1].revents)
			admit(server);
		if (files[0].revents)
			goes_on = hear_signals(server);
	}
	free(files);
	return files ? 0 : -ENOMEM;
}

/* Has the sessions finish their files, and waits for them. */
static void say_farewell(struct server *server)
{
	uint64_t until = now_ms() + FAREWELL_MS;

	close(server->socket);
	while (server->visitor_count)
		dismiss(server, 0);
	for (unsigned long i = 0; i < server->options->max_sessions; i++)
		close_channel(&server->seats[i]);
	while (reap(server) && now_ms() < until) {
		struct pollfd file = {server->signals, POLLIN, 0};
		struct signalfd_siginfo info;

		poll(&file, 1, 100);
		while (read(server->signals, &info, sizeof(info)) == sizeof(info))
			;
	}
}

static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int serve(const struct serve_options *options, struct error *err)
{
	const char *path = options->socket ? options->socket : SERVE_SOCKET;
	struct server server = {.options = options, .signals = -1};
	bool made;
	int code;

	server.socket = listen_open(options, &made, err);
	if (server.socket < 0)
		return server.socket;
	server.plans = plans_new();
	server.seats = calloc(options->max_sessions, sizeof(*server.seats));
	for (unsigned long i = 0; server.seats && i < options->max_sessions; i++)
		server.seats[i].channel = -1;
	server.signals = take_signals();
	code = limit_resource(RLIMIT_NOFILE, MAX_FILES, err);
	if (code == 0 && (!server.plans || !server.seats || server.signals < 0))
		code = error_set(err, ENOMEM, "out of memory");
	if (code == 0)
		code = become_server(err);
	if (code == 0) {
		note(&server, "listening on %s", made ? path : "the socket that systemd has handed over");
		code = run(&server);
		say_farewell(&server);
	} else {
		close(server.socket);
	}
	if (made)
		unlink(path);
	if (server.signals >= 0)
		close(server.signals);
	plans_free(server.plans);
	free(server.seats);
	return code;
}
