/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "serve/message.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

json_t *message_parse(const char *bytes, size_t size, struct error *err)
{
	json_error_t error;
	json_t *body = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);

	if (!body) {
		error_set(err, EBADMSG, "the message is no JSON");
		return NULL;
	}
	if (!json_is_object(body)) {
		json_decref(body);
		error_set(err, EBADMSG, "the message is no JSON object");
		return NULL;
	}
	return body;
}

/* Takes the descriptors that came; false if there were more than a message may have. */
static bool take_fds(struct msghdr *header, struct message *message)
{
	bool all = !(header->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		const unsigned char *data = CMSG_DATA(part);
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
			if (message->fd_count < MESSAGE_FDS) {
				message->fds[message->fd_count++] = fd;
			} else {
				close(fd);
				all = false;
			}
		}
	}
	return all;
}

static int check(const struct msghdr *header, bool all_fds, const char *bytes, size_t size, struct message *message,
		 struct error *err)
{
	if (!all_fds)
		return error_set(err, EBADMSG, "the message has more than %d file descriptors", MESSAGE_FDS);
	if (header->msg_flags & MSG_TRUNC)
		return error_set(err, EBADMSG, "the message is longer than %d bytes", MESSAGE_BYTES);
	message->body = message_parse(bytes, size, err);
	return message->body ? 0 : -EBADMSG;
}

int message_receive(int socket, bool wait, struct message *message, struct error *err)
{
	char control[CMSG_SPACE(MESSAGE_FDS * sizeof(int))] __attribute__((aligned(8)));
	char *bytes = malloc(MESSAGE_BYTES);
	struct iovec part = {bytes, MESSAGE_BYTES};
	struct msghdr header = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t size;
	int code;

	*message = (struct message){.fds = {-1, -1, -1, -1}};
	if (!bytes)
		return error_set(err, ENOMEM, "out of memory");
	do
		size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (size < 0 && errno == EINTR);
	if (size < 0) {
		code = error_set(err, errno, "cannot receive a message: %s", strerror(errno));
	} else {
		bool all_fds = take_fds(&header, message);

		code = size ? check(&header, all_fds, bytes, (size_t)size, message, err) : 0;
	}
	free(bytes);
	if (code < 0 || size == 0) {
		message_free(message);
		return code;
	}
	return 1;
}

void message_free(struct message *message)
{
	for (size_t i = 0; i < message->fd_count; i++)
		if (message->fds[i] >= 0)
			close(message->fds[i]);
	json_decref(message->body);
	*message = (struct message){.fds = {-1, -1, -1, -1}};
}

int message_take(struct message *message, size_t index)
{
	int fd = index < message->fd_count ? message->fds[index] : -1;

	if (fd >= 0)
		message->fds[index] = -1;
	return fd;
}

json_t *message_text(const char *text)
{
	char *copy = strdup(text);
	json_t *string;

	for (char *at = copy; at && *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	string = copy ? json_string(copy) : NULL;
	for (char *at = copy; at && *at && !string; at++)
		if ((unsigned char)*at > 0x7f)
			*at = '?';
	if (!string && copy)
		string = json_string(copy);
	free(copy);
	return string;
}

static int send_bytes(int socket, bool wait, char *text, const int *fds, size_t count)
{
	char control[CMSG_SPACE(MESSAGE_FDS * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {text, strlen(text)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (part.iov_len > MESSAGE_BYTES || count > MESSAGE_FDS)
		return -EMSGSIZE;
	if (count) {
		struct cmsghdr *rights;

		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
	}
	do
		sent = sendmsg(socket, &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int message_send(int socket, bool wait, json_t *body, const int *fds, size_t count)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int code = text ? send_bytes(socket, wait, text, fds, count) : -ENOMEM;

	free(text);
	json_decref(body);
	return code;
}

/* ---- fields ---- */

static bool take_uint(json_t *value, const struct field *field)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number > field->most)
		return false;
	*(uint64_t *)field->to = (uint64_t)number;
	return true;
}

static bool take_real(json_t *value, const struct field *field)
{
	double number = json_number_value(value);

	if (!json_is_number(value) || !isfinite(number) || number < 0 || number > (double)field->most)
		return false;
	*(double *)field->to = number;
	return true;
}

static bool take_text(json_t *value, const struct field *field)
{
	const char *text = json_string_value(value);
	size_t most = field->most ? field->most : MESSAGE_BYTES;

	if (!text || json_string_length(value) > most)
		return false;
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	*(const char **)field->to = text;
	return true;
}

static bool take_value(json_t *value, const struct field *field)
{
	switch (field->kind) {
	case FIELD_BOOL:
		if (json_is_boolean(value))
			*(bool *)field->to = json_is_true(value);
		return json_is_boolean(value);
	case FIELD_UINT:
		return take_uint(value, field);
	case FIELD_REAL:
		return take_real(value, field);
	case FIELD_TEXT:
		return take_text(value, field);
	case FIELD_OBJECT:
		if (json_is_object(value))
			*(json_t **)field->to = value;
		return json_is_object(value);
	}
	return false;
}

int message_fields(json_t *object, const struct field *fields, struct error *err)
{
	size_t known = 0;

	for (const struct field *field = fields; field->name; field++) {
		json_t *value = json_object_get(object, field->name);

		if (!value && field->needed)
			return error_set(err, EBADMSG, "the message lacks \"%s\"", field->name);
		if (value && !take_value(value, field))
			return error_set(err, EBADMSG, "the message's \"%s\" is not what it has to be", field->name);
		known += value != NULL;
	}
	if (known != json_object_size(object))
		return error_set(err, EBADMSG, "the message has a key that does not belong there");
	return 0;
}
