/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * querytap-rustc RUSTC [ARG...]: has a querytap daemon follow this process, then becomes RUSTC.
 *
 * For the recording of compilers that are not started by the command recorded, but by a server such as sccache's. cargo
 * runs it where RUSTC_WRAPPER or RUSTC_WORKSPACE_WRAPPER names it. RUSTC gets the very same arguments, environment,
 * descriptors, signal mask and umask. Whatever goes wrong on the way to the daemon is nobody's business here: RUSTC
 * runs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char default_socket[] = "/run/querytap/socket";

enum {
	PATIENCE_US = 100 * 1000, /* for the daemon, from connecting to its answer */
	MESSAGE_BYTES = 4096,
	EXIT_USAGE = 2,
	EXIT_NOT_EXECUTABLE = 126, /* as a shell has it */
	EXIT_NOT_FOUND = 127,
};

struct message {
	char text[MESSAGE_BYTES];
	size_t length;
};

/* Adds `length` bytes, or none at all if there is no room for them. */
static bool add(struct message *message, const char *bytes, size_t length)
{
	if (length > sizeof(message->text) - message->length)
		return false;
	memcpy(message->text + message->length, bytes, length);
	message->length += length;
	return true;
}

static bool add_text(struct message *message, const char *text)
{
	return add(message, text, strlen(text));
}

/*
 * How many bytes the character at `text` has in UTF-8; 0 if that is no character (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). `text` ends with a NUL, which is no continuation byte.
 */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t length;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

/* Adds `text` as a string of JSON, with U+FFFD for each byte that belongs to no character. */
static bool add_string(struct message *message, const char *text)
{
	bool all = add_text(message, "\"");

	while (all && *text) {
		size_t length = utf8_length((const unsigned char *)text);
		unsigned char byte = (unsigned char)*text;
		char escaped[8];

		if (length == 0) {
			all = add_text(message, "\\ufffd");
			length = 1;
		} else if (byte < 0x20 || byte == '"' || byte == '\\') {
			snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
			all = add_text(message, escaped);
		} else {
			all = add(message, text, length);
		}
		text += length;
	}
	return all && add_text(message, "\"");
}

/* The name of the crate on a command line of rustc; "" if it is not there. */
static const char *crate_name(char **arguments)
{
	static const char option[] = "--crate-name";
	const size_t length = sizeof(option) - 1;

	for (; *arguments; arguments++) {
		if (strncmp(*arguments, option, length) != 0)
			continue;
		if ((*arguments)[length] == '=')
			return *arguments + length + 1;
		if (!(*arguments)[length] && arguments[1])
			return arguments[1];
	}
	return "";
}

static bool write_join(struct message *message, const char *token, const char *crate)
{
	return add_text(message, "{\"querytap\":1,\"join\":") && add_string(message, token) &&
	       add_text(message, ",\"crate\":") && add_string(message, crate) && add_text(message, "}");
}

static long long now_us(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* Lets the next call on `socket` that is of this kind (SO_SNDTIMEO, SO_RCVTIMEO) wait until `deadline`. */
static bool wait_until(int socket, int kind, long long deadline)
{
	long long left = deadline - now_us();
	struct timeval time = {.tv_usec = left};

	/* A time of 0 would be one without an end. */
	return left > 0 && setsockopt(socket, SOL_SOCKET, kind, &time, sizeof(time)) == 0;
}

static bool send_join(int socket, const struct message *message, int pidfd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {(void *)message->text, message->length};
	struct msghdr packet = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&packet);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &pidfd, sizeof(int));
	return sendmsg(socket, &packet, MSG_NOSIGNAL) >= 0;
}

/* Sends the message and waits for an answer, which may say anything: there is nothing to be done about a refusal. */
static void talk(int socket, const struct sockaddr_un *address, const struct message *message, int pidfd)
{
	const long long deadline = now_us() + PATIENCE_US;
	char answer;

	if (wait_until(socket, SO_SNDTIMEO, deadline) &&
	    connect(socket, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
	    wait_until(socket, SO_SNDTIMEO, deadline) && send_join(socket, message, pidfd) &&
	    wait_until(socket, SO_RCVTIMEO, deadline))
		recv(socket, &answer, sizeof(answer), 0);
}

/* Has the daemon follow this process, if the environment names a session. */
static void join_session(char **arguments)
{
	const char *token = getenv("QUERYTAP_SESSION"), *path = getenv("QUERYTAP_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct message message;
	int pidfd, connection;

	message.length = 0;
	if (!path || !*path)
		path = default_socket;
	if (!token || !*token || strlen(path) >= sizeof(address.sun_path) ||
	    !write_join(&message, token, crate_name(arguments)))
		return;
	memcpy(address.sun_path, path, strlen(path));
	/* Both are closed on exec. */
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd < 0)
		return;
	connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connection >= 0) {
		talk(connection, &address, &message, pidfd);
		close(connection);
	}
	close(pidfd);
}

int main(int argc, char **argv)
{
	int code;

	if (argc < 2) {
		dprintf(STDERR_FILENO,
			"usage: querytap-rustc RUSTC [ARG...]; for cargo, RUSTC_WRAPPER=querytap-rustc\n");
		return EXIT_USAGE;
	}
	join_session(argv + 2);
	execvp(argv[1], argv + 1);
	code = errno;
	dprintf(STDERR_FILENO, "querytap-rustc: %s: %s\n", argv[1],
		code == ENOENT && !strchr(argv[1], '/') ? "command not found" : strerror(code));
	return code == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}
