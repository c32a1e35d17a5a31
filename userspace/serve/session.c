/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "serve/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "collect/compilers.h"
#include "collect/running.h"
#include "serve/follow.h"
#include "serve/request.h"
#include "util/clock.h"

enum {
	MAX_WAITING = 16, /* processes that want to join while a plan is made */
	MAX_TEXT = 8 * 1024 * 1024,
	SEND_SECONDS = 5,
	DRAIN_MS = 100,
	PROGRESS_MS = 200,
};

/* Of addresses: letting go of the probes of a compiler takes hundreds of threads for a moment, each with its stack. */
#define MAX_MEMORY (16UL << 30)
#define MAX_FILES 16384UL

/* A process that wants to be followed, and the connection on which it waits for an answer. */
struct joining {
	int pidfd, connection;
};

struct session {
	int client, channel;
	uid_t uid;
	struct request request;
	struct identity owner;
	char cache[32];
	struct collector *collector;
	struct compilers compilers;
	struct found_list named; /* by the client, not probed yet; room for REQUEST_MAX_COMPILERS */
	struct joining waiting[MAX_WAITING];
	size_t waiting_count;
	bool has_followed, said_over;
	uint64_t next_progress; /* ms */
	struct client_result result;
};

/* ---- talking ---- */

static void tell(const struct session *session, json_t *body)
{
	message_send(session->client, true, body, NULL, 0);
}

static void say(void *context, const char *sentence)
{
	const struct session *session = context;

	if (!session->request.options.quiet)
		tell(session, json_pack("{s:o}", "say", message_text(sentence)));
}

static void __attribute__((noreturn)) refuse(int client, const struct error *err)
{
	message_send(client, true, json_pack("{s:o}", "error", message_text(err->text)), NULL, 0);
	_exit(1);
}

/* ---- plans ---- */

static void queue_join(struct session *session, struct message *message)
{
	struct joining joining = {message_take(message, 0), message_take(message, 1)};

	if (session->waiting_count < MAX_WAITING) {
		session->waiting[session->waiting_count++] = joining;
		return;
	}
	close(joining.pidfd);
	close(joining.connection);
}

/* Waits for the main process's answer: a memory file with the plan, or a negative errno with a sentence. */
static int await_plan(struct session *session, struct error *err)
{
	for (;;) {
		struct message message;
		const char *refused;
		int code = message_receive(session->channel, true, &message, err);

		if (code <= 0)
			return error_set(err, ECONNRESET, "the querytap daemon was stopped");
		if (json_object_get(message.body, "join")) {
			queue_join(session, &message);
			message_free(&message);
			continue;
		}
		refused = json_string_value(json_object_get(message.body, "refused"));
		if (refused)
			code = error_set(err, ENOTSUP, "%s", refused);
		else
			code = message_take(&message, 0);
		message_free(&message);
		return code;
	}
}

static int read_plan(int text_fd, const char *path, struct plan **out, struct error *err)
{
	struct stat status;
	char *text = NULL;
	int code;

	if (fstat(text_fd, &status) == 0 && status.st_size > 0 && status.st_size <= MAX_TEXT)
		text = malloc((size_t)status.st_size + 1);
	if (!text || pread(text_fd, text, (size_t)status.st_size, 0) != status.st_size) {
		free(text);
		return error_set(err, EIO, "cannot read the plan for %s", path);
	}
	text[status.st_size] = '\0';
	code = plan_from_text(text, (size_t)status.st_size, path, out, err);
	free(text);
	return code;
}

/*
 * The plan for the file at `path`, which the user has to be able to read. What is planned, and probed later on, is the
 * file that is open here, so it stays open for as long as the session runs.
 */
static int get_plan(void *context, const char *path, struct plan **out, struct error *err)
{
	struct session *session = context;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), text_fd = -1, code;
	char held[32], name[4096];
	ssize_t length;

	if (fd < 0)
		return error_set(err, errno, "cannot open %s: %s", path, strerror(errno));
	snprintf(held, sizeof(held), "/proc/self/fd/%d", fd);
	length = readlink(held, name, sizeof(name) - 1);
	name[length < 0 ? 0 : length] = '\0';
	code = message_send(session->channel, true, json_pack("{s:o}", "plan", message_text(name)), &fd, 1);
	if (code < 0)
		error_set(err, code, "the querytap daemon was stopped");
	if (code == 0)
		text_fd = code = await_plan(session, err);
	if (code >= 0) {
		code = read_plan(text_fd, held, out, err);
		close(text_fd);
	}
	if (code < 0)
		close(fd);
	return code;
}

/* ---- following ---- */

static void on_exec(void *context, pid_t pid)
{
	struct session *session = context;
	struct error err;

	/* It may have ended since, and another user's have its pid. */
	if (!session->uid || follow_check(pid, session->uid, &err) == 0)
		compilers_meet_process(&session->compilers, pid);
}

/*
 * Follows a process that runs, if it is the user's; where all are followed, it is enough that it is. What /proc says of
 * another user's is not to be looked at: CAP_PERFMON would open more of that than the user may see.
 */
static int follow_running(void *context, pid_t pid, struct error *err)
{
	struct session *session = context;
	int pidfd = pidfd_open(pid, 0), code;

	if (pidfd < 0)
		return 1;
	if (session->request.options.comm && !running_is_below_named(pid, session->request.options.comm))
		code = 1;
	else if (session->request.options.follow_all)
		code = session->uid ? follow_check(pid, session->uid, err) : 0;
	else
		code = follow_process(session->collector, pidfd, session->uid, FOLLOW_TREE, err);
	close(pidfd);
	return code == -EPERM || code == -ESRCH ? 1 : code;
}

static int follow_one(struct session *session, int pidfd, const char *how, struct error *err)
{
	bool is_new = !strcmp(how, "new"), is_tree = !strcmp(how, "tree");
	enum follow follow = is_new ? FOLLOW_NEW : is_tree ? FOLLOW_TREE : FOLLOW_ALONE;
	pid_t pid;
	int code;

	if (!is_new && !is_tree && strcmp(how, "process") != 0)
		return error_set(err, EBADMSG, "the message's \"follow\" is not what it has to be");
	if (pidfd < 0)
		return error_set(err, EBADMSG, "the message lacks a pidfd");
	code = follow_process(session->collector, pidfd, session->uid, follow, err);
	if (code < 0)
		return code;
	session->has_followed = true;
	pid = follow_pid(pidfd, err);
	if (pid < 0 || is_new)
		return pid < 0 ? pid : 0;
	return is_tree ? compilers_meet_running(&session->compilers, pid, follow_running, err)
		       : compilers_probe_process(&session->compilers, pid, err);
}

/* ---- messages ---- */

/* {"compiler": NAME, "origin": TEXT, "likely": BOOL} with the file. */
static int take_compiler(struct session *session, struct message *message, struct error *err)
{
	const char *name = NULL, *origin = NULL;
	struct found_compiler item = {0};
	const struct field fields[] = {
	    {"compiler", FIELD_TEXT, true, &name, 4096},
	    {"origin", FIELD_TEXT, true, &origin, 4096},
	    {"likely", FIELD_BOOL, true, &item.likely, 0},
	    {0},
	};
	int code = message_fields(message->body, fields, err);

	if (code == 0 && message->fd_count != 1)
		code = error_set(err, EBADMSG, "the message is to have one file descriptor");
	if (code == 0 && session->named.count == REQUEST_MAX_COMPILERS)
		code = error_set(err, EBADMSG, "more than %d compilers are named", REQUEST_MAX_COMPILERS);
	if (code == 0 && asprintf(&item.path, "/proc/self/fd/%d", message->fds[0]) < 0)
		item.path = NULL;
	if (code == 0)
		item.origin = strdup(origin);
	if (code == 0 && (!item.path || !item.origin))
		code = error_set(err, ENOMEM, "out of memory");
	if (code < 0) {
		free(item.path);
		free(item.origin);
		return code;
	}
	message_take(message, 0);
	session->named.items[session->named.count++] = item;
	return 0;
}

static void forget_named(struct session *session)
{
	for (size_t i = 0; i < session->named.count; i++) {
		close(atoi(strrchr(session->named.items[i].path, '/') + 1));
		free(session->named.items[i].path);
		free(session->named.items[i].origin);
	}
	session->named.count = 0;
}

/* {"probe": true}. It is for the client to judge whether it can do without any compiler that is probed. */
static int take_probe(struct session *session, struct error *err)
{
	int code = compilers_probe(&session->compilers, &session->named, err);

	forget_named(session);
	tell(session, code == 0 || session->compilers.probed ? json_pack("{s:b}", "probed", 1)
							     : json_pack("{s:o}", "refused", message_text(err->text)));
	return 0;
}

/* {"follow": "new", "tree" or "process"} with a pidfd, or {"follow": "all"}. */
static int take_follow(struct session *session, struct message *message, struct error *err)
{
	const char *how = NULL;
	const struct field fields[] = {{"follow", FIELD_TEXT, true, &how, 16}, {0}};
	int code = message_fields(message->body, fields, err);

	if (code == 0 && message->fd_count != (strcmp(how, "all") != 0))
		code = error_set(err, EBADMSG, "the message has not the file descriptors that belong there");
	if (code < 0)
		return code;
	if (message->fd_count)
		code = follow_one(session, message->fds[0], how, err);
	else if (session->request.options.follow_all || session->request.options.comm)
		code = compilers_meet_running(&session->compilers, 0, follow_running, err);
	else
		code = error_set(err, EBADMSG, "the session was begun neither with \"all\" nor with \"comm\"");
	if (code == 0)
		tell(session, json_pack("{s:b}", "followed", 1));
	return code;
}

/* Returns 0, 1 if the client has had enough, or a negative errno with a sentence for it. */
static int take_message(struct session *session, struct message *message, struct error *err)
{
	bool finish;
	const struct field fields[] = {{"finish", FIELD_BOOL, true, &finish, 0}, {0}};

	if (json_object_get(message->body, "compiler"))
		return take_compiler(session, message, err);
	if (json_object_get(message->body, "follow"))
		return take_follow(session, message, err);
	if (message->fd_count)
		return error_set(err, EBADMSG, "the message is not to have file descriptors");
	if (json_is_true(json_object_get(message->body, "probe")) && json_object_size(message->body) == 1)
		return take_probe(session, err);
	return message_fields(message->body, fields, err) < 0 ? -EBADMSG : 1;
}

/* What take_message returns. */
static int hear_client(struct session *session, struct error *err)
{
	struct message message;
	int code = message_receive(session->client, false, &message, err);

	if (code == -EAGAIN)
		return 0;
	if (code <= 0)
		return code < 0 ? code : 1;
	code = take_message(session, &message, err);
	message_free(&message);
	return code;
}

/* ---- the recording ---- */

static void join(struct session *session, const struct joining *joining)
{
	struct error err = {0};
	int code = follow_process(session->collector, joining->pidfd, session->uid, FOLLOW_NEW, &err);

	session->has_followed |= code == 0;
	message_send(joining->connection, false,
		     code < 0 ? json_pack("{s:o}", "error", message_text(err.text)) : json_pack("{s:b}", "joined", 1),
		     NULL, 0);
	close(joining->pidfd);
	close(joining->connection);
}

/* Returns false if the main process has gone. */
static bool hear_main(struct session *session)
{
	struct message message;
	struct error err;
	int code = message_receive(session->channel, false, &message, &err);

	if (code > 0) {
		queue_join(session, &message);
		message_free(&message);
	}
	return code > 0 || code == -EAGAIN;
}

/* What the client is told without having asked. */
static void report(struct session *session)
{
	const struct client_options *options = &session->request.options;
	uint64_t now = clock_now(CLOCK_MONOTONIC) / 1000000;
	struct collect_totals totals;

	if (options->progress && now >= session->next_progress) {
		session->next_progress = now + PROGRESS_MS;
		collector_totals(session->collector, &totals);
		message_send(session->client, false, json_pack("{s:o}", "totals", totals_message(&totals)), NULL, 0);
	}
	if (session->has_followed && !options->follow_all && !options->comm && !session->said_over &&
	    !collector_follows_any(session->collector)) {
		session->said_over = true;
		tell(session, json_pack("{s:b}", "over", 1));
	}
}

/* Records until there is a reason not to. */
static void record(struct session *session)
{
	struct error err = {0};
	int heard = 0;

	while (heard == 0) {
		struct pollfd files[] = {
		    {session->client, POLLIN, 0},
		    {session->channel, POLLIN, 0},
		    {collector_fd(session->collector), POLLIN, 0},
		};
		int ready = poll(files, 3, DRAIN_MS);

		if (ready < 0 && errno != EINTR)
			break;
		if (ready > 0 && files[0].revents)
			heard = hear_client(session, &err);
		if (ready > 0 && files[1].revents && !hear_main(session)) {
			error_set(&session->result.broken, ECONNRESET, "the querytap daemon was stopped");
			break;
		}
		while (session->waiting_count)
			join(session, &session->waiting[--session->waiting_count]);
		collector_drain(session->collector);
		report(session);
	}
	if (heard < 0)
		tell(session, json_pack("{s:o}", "error", message_text(err.text)));
}

static void finish(struct session *session)
{
	struct client_result *result = &session->result;

	collector_finish(session->collector);
	collector_totals(session->collector, &result->totals);
	collector_untimed(session->collector, &result->untimed);
	if (result->totals.files)
		collector_write_build(session->collector, &session->owner, &result->build);
	tell(session, result_message(result));
	collector_free(session->collector);
}

static int begin(struct session *session, struct error *err)
{
	const struct client_options *asked = &session->request.options;
	struct collect_options options = {
	    .directory = ".",
	    .uid = session->owner.uid,
	    .gid = session->owner.gid,
	    .one_user = session->uid != 0,
	    .follow_all = asked->follow_all,
	    .comm = asked->comm,
	    .ring_bytes = asked->ring_bytes,
	    .attach = ATTACH_MULTI, /* one by one takes CAP_SYS_ADMIN */
	    .cpu_time = asked->cpu_time,
	    .events = asked->events,
	    .overhead = asked->overhead,
	    .cache = asked->cache >= 0 ? session->cache : NULL,
	    .owner = &session->owner,
	    .on_exec = on_exec,
	    .context = session,
	};
	int code = collector_begin(&options, asked->compensate, say, &session->collector, err);

	session->compilers = (struct compilers){
	    .collector = session->collector, .plan = get_plan, .say = asked->quiet ? NULL : say, .context = session};
	return code;
}

/* Becomes the user, in the output folder, with limits on what may be used up. */
static int settle(struct session *session, const struct peer *peer, int directory, struct error *err)
{
	const struct timeval patience = {.tv_sec = SEND_SECONDS};
	int code = limit_resource(RLIMIT_AS, MAX_MEMORY, err);

	if (code == 0)
		code = limit_resource(RLIMIT_NOFILE, MAX_FILES, err);
	if (code == 0)
		code = limit_resource(RLIMIT_CORE, 0, err);
	if (code == 0)
		code = become_user(peer, err);
	if (code < 0)
		return code;
	signal(SIGPIPE, SIG_IGN);
	setsockopt(session->client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	umask((mode_t)session->request.mask);
	if (fchdir(directory) < 0)
		return error_set(err, errno, "cannot enter the output folder: %s", strerror(errno));
	if (access(".", W_OK | X_OK) < 0)
		return error_set(err, errno, "cannot write to the output folder: %s", strerror(errno));
	return 0;
}

void session_run(int client, int channel, const struct peer *peer, const char *token, struct message *request)
{
	struct found_compiler named[REQUEST_MAX_COMPILERS];
	struct session session = {
	    .uid = peer->uid, .owner = {.uid = peer->uid, .gid = peer->gid}, .named = {.items = named}};
	int fds[] = {client, channel, message_take(request, 0), message_take(request, 1)};
	struct error err = {0};
	int code = 0;

	if (fds[2] < 0 || request->fd_count > 2)
		error_set(&err, EBADMSG,
			  "the message is to have a file descriptor of the output folder, and may have "
			  "one of a cache folder");
	else
		code = keep_descriptors(fds, 4, &err);
	if (code == 0 && !err.text[0])
		code = request_read(request->body, &session.request, &err);
	session.client = fds[0];
	session.channel = fds[1];
	session.request.options.cache = fds[3];
	snprintf(session.cache, sizeof(session.cache), "/proc/self/fd/%d", fds[3]);
	if (code < 0 || err.text[0] || settle(&session, peer, fds[2], &err) < 0 || begin(&session, &err) < 0)
		refuse(session.client, &err);
	tell(&session, json_pack("{s:s, s:b}", "session", token, "ready", 1));
	record(&session);
	finish(&session);
	compilers_free(&session.compilers);
	_exit(0);
}
