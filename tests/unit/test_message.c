/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Messages between the daemon and its clients: what is taken, and that nothing else is, nor any descriptor kept. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/message.h"
#include "serve/request.h"

/* ---- texts ---- */

static bool is_message(const char *text)
{
	struct error err = {{0}};
	json_t *body = message_parse(text, strlen(text), &err);

	assert_true(body || err.text[0]);
	json_decref(body);
	return body;
}

static void test_an_object_is_a_message(void **state)
{
	(void)state;
	assert_true(is_message("{}"));
	assert_true(is_message(" {\"a\": [1, {\"b\": null}]} "));
}

static void test_nothing_else_is(void **state)
{
	static const char *const texts[] = {"",
					    " ",
					    "x",
					    "1",
					    "null",
					    "[]",
					    "[{}]",
					    "{",
					    "{}}",
					    "{}{}",
					    "{a:1}",
					    "{\"a\"}",
					    "{\"a\":1,}",
					    "{\"a\":01}",
					    "{\"a\":1,\"a\":2}",
					    "\"{}\"",
					    "{\"\xff\":1}",
					    "{\"a\":\"\n\"}",
					    "{\"a\":\"\\u0000\"}"};
	char nested[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (is_message(texts[i]))
			fail_msg("%s is taken for a message", texts[i]);
	memset(nested, '[', sizeof(nested) - 1);
	nested[sizeof(nested) - 1] = '\0';
	assert_false(is_message(nested));
	assert_null(message_parse("{}\0{}", 5, NULL));
}

/* ---- fields ---- */

struct values {
	bool flag;
	uint64_t number;
	double real;
	const char *text;
	json_t *object;
};

static int read_fields(const char *text, struct values *values)
{
	const struct field fields[] = {
	    {"flag", FIELD_BOOL, false, &values->flag, 0},	 {"number", FIELD_UINT, false, &values->number, 10},
	    {"real", FIELD_REAL, false, &values->real, 2},	 {"text", FIELD_TEXT, false, &values->text, 5},
	    {"object", FIELD_OBJECT, false, &values->object, 0}, {0},
	};
	struct error err = {{0}};
	json_t *body = message_parse(text, strlen(text), &err);
	int code;

	assert_non_null(body);
	err.text[0] = '\0';
	code = message_fields(body, fields, &err);
	assert_int_equal(code, err.text[0] ? -EBADMSG : 0);
	json_decref(body);
	return code;
}

static void test_fields_are_read(void **state)
{
	struct values values = {0};

	(void)state;
	assert_int_equal(read_fields("{\"flag\":true,\"number\":10,\"real\":0.5,\"object\":{}}", &values), 0);
	assert_true(values.flag);
	assert_int_equal(values.number, 10);
	assert_true(values.real == 0.5);
	assert_non_null(values.object);
	assert_int_equal(read_fields("{\"real\":2}", &values), 0);
	assert_true(values.real == 2);
}

static void test_what_is_not_there_is_left_alone(void **state)
{
	struct values values = {.number = 7, .text = "x"};

	(void)state;
	assert_int_equal(read_fields("{}", &values), 0);
	assert_int_equal(values.number, 7);
	assert_string_equal(values.text, "x");
}

static void test_values_that_do_not_fit_are_refused(void **state)
{
	static const char *const texts[] = {
	    "{\"flag\":1}",
	    "{\"flag\":null}",
	    "{\"flag\":\"true\"}",
	    "{\"number\":11}",
	    "{\"number\":-1}",
	    "{\"number\":1.0}",
	    "{\"number\":\"1\"}",
	    "{\"number\":9223372036854775807}",
	    "{\"real\":2.1}",
	    "{\"real\":-0.1}",
	    "{\"real\":\"1\"}",
	    "{\"text\":1}",
	    "{\"text\":\"123456\"}",
	    "{\"text\":\"a\\n\"}",
	    "{\"text\":\"\\u007f\"}",
	    "{\"text\":\"\\u001b\"}",
	    "{\"object\":[]}",
	    "{\"other\":1}",
	    "{\"flag\":true,\"Flag\":true}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct values values = {0};

		if (read_fields(texts[i], &values) == 0)
			fail_msg("%s is taken", texts[i]);
	}
}

static void test_a_field_that_is_needed_is_missed_by_name(void **state)
{
	bool flag = false;
	const struct field fields[] = {{"finish", FIELD_BOOL, true, &flag, 0}, {0}};
	struct error err = {{0}};
	json_t *body = json_object();

	(void)state;
	assert_int_equal(message_fields(body, fields, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "\"finish\""));
	json_decref(body);
}

static void test_text_is_made_fit(void **state)
{
	static const char *const texts[][2] = {
	    {"plain", "plain"}, {"a\tb\x1b[0m", "a?b?[0m"}, {"\xc3\xa4", "\xc3\xa4"}, {"\xe4rger", "?rger"}, {"", ""}};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		json_t *text = message_text(texts[i][0]);

		assert_string_equal(json_string_value(text), texts[i][1]);
		json_decref(text);
	}
}

/* ---- packets ---- */

static int ends[2];

static int open_ends(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int close_ends(void **state)
{
	(void)state;
	close(ends[0]);
	return close(ends[1]);
}

static size_t open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void send_packet(const void *bytes, size_t size, size_t fd_count)
{
	char control[CMSG_SPACE(8 * sizeof(int))] __attribute__((aligned(8))) = {0};
	int fds[8] = {ends[0], ends[0], ends[0], ends[0], ends[0], ends[0], ends[0], ends[0]};
	struct iovec part = {(void *)bytes, size};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd_count) {
		struct cmsghdr *rights;

		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		rights = CMSG_FIRSTHDR(&header);
		*rights = (struct cmsghdr){CMSG_LEN(fd_count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
	}
	assert_int_equal(sendmsg(ends[0], &header, 0), size);
}

static void test_a_message_arrives_with_its_descriptors(void **state)
{
	size_t before = open_files();
	const int fds[] = {ends[0], ends[1]};
	struct message message;
	int taken;

	(void)state;
	assert_int_equal(message_send(ends[0], true, json_pack("{s:i}", "a", 1), fds, 2), 0);
	assert_int_equal(message_receive(ends[1], true, &message, NULL), 1);
	assert_int_equal(json_integer_value(json_object_get(message.body, "a")), 1);
	assert_int_equal(message.fd_count, 2);
	taken = message_take(&message, 1);
	assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(message_take(&message, 1), -1);
	assert_int_equal(message_take(&message, 2), -1);
	message_free(&message);
	assert_int_equal(open_files(), before + 1);
	close(taken);
}

static void assert_refused(const void *bytes, size_t size, size_t fd_count, const char *word)
{
	size_t before = open_files();
	struct error err = {{0}};
	struct message message;

	send_packet(bytes, size, fd_count);
	assert_int_equal(message_receive(ends[1], true, &message, &err), -EBADMSG);
	assert_non_null(strstr(err.text, word));
	assert_null(message.body);
	assert_int_equal(message.fd_count, 0);
	assert_int_equal(open_files(), before);
}

static void test_of_a_bad_message_no_descriptor_is_kept(void **state)
{
	static char long_text[MESSAGE_BYTES + 2];

	(void)state;
	assert_refused("{", 1, 3, "JSON");
	assert_refused("[]", 2, 4, "object");
	assert_refused("{}", 2, 5, "descriptors");
	assert_refused("{}", 2, 8, "descriptors");
	memset(long_text, ' ', sizeof(long_text));
	memcpy(long_text, "{}", 2);
	assert_refused(long_text, MESSAGE_BYTES + 1, 1, "longer");
}

static void test_the_longest_message_is_taken(void **state)
{
	static char text[MESSAGE_BYTES];
	struct message message;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	send_packet(text, sizeof(text), MESSAGE_FDS);
	assert_int_equal(message_receive(ends[1], true, &message, NULL), 1);
	assert_int_equal(message.fd_count, MESSAGE_FDS);
	message_free(&message);
}

static void test_no_message_and_the_end_are_told_apart(void **state)
{
	struct message message;
	size_t before;

	(void)state;
	assert_int_equal(message_receive(ends[1], false, &message, NULL), -EAGAIN);
	before = open_files();
	send_packet("", 0, 2);
	assert_int_equal(message_receive(ends[1], false, &message, NULL), 0);
	assert_int_equal(open_files(), before);
	shutdown(ends[0], SHUT_WR);
	assert_int_equal(message_receive(ends[1], true, &message, NULL), 0);
}

static void test_nobody_is_waited_for_who_does_not_listen(void **state)
{
	int code = 0;

	(void)state;
	for (int i = 0; i < 100000 && code == 0; i++)
		code = message_send(ends[0], false, json_pack("{s:i}", "a", 1), NULL, 0);
	assert_int_equal(code, -EAGAIN);
	assert_int_equal(message_send(ends[0], true, NULL, NULL, 0), -ENOMEM);
}

/* ---- what is in them ---- */

static struct request plain_request(void)
{
	return (struct request){.mask = 022,
				.options = {.cpu_time = true,
					    .quiet = true,
					    .ring_bytes = 1 << 20,
					    .attach = ATTACH_MULTI,
					    .events = COLLECT_EVENT(EVENT_ACTIVITY) | COLLECT_KEYS,
					    .overhead = {OVERHEAD_AUTO, 0.05, "typeck,mir_*"}}};
}

static int read_request(const struct request *request, struct request *read, struct error *err)
{
	json_t *message = request_message(request);
	int code;

	assert_non_null(message);
	code = request_read(message, read, err);
	if (code == 0 && request->options.overhead.queries)
		assert_string_equal(read->options.overhead.queries, request->options.overhead.queries);
	json_decref(message);
	return code;
}

static void test_a_request_arrives_as_it_was(void **state)
{
	struct request request = plain_request(), read;

	(void)state;
	assert_int_equal(read_request(&request, &read, NULL), 0);
	assert_int_equal(read.mask, 022);
	assert_true(read.options.cpu_time && read.options.quiet);
	assert_false(read.options.follow_all || read.options.compensate || read.options.progress);
	assert_int_equal(read.options.ring_bytes, 1 << 20);
	assert_int_equal(read.options.attach, ATTACH_MULTI);
	assert_int_equal(read.options.events, request.options.events);
	assert_int_equal(read.options.overhead.mode, OVERHEAD_AUTO);
	assert_true(read.options.overhead.budget == 0.05);
	assert_true(read.options.directory < 0 && read.options.cache < 0);
}

static void assert_unasked(const struct request *request, const char *word)
{
	struct error err = {{0}};
	struct request read;

	assert_true(read_request(request, &read, &err) < 0);
	if (!strstr(err.text, word))
		fail_msg("\"%s\" does not speak of %s", err.text, word);
}

static void test_a_request_for_too_much_is_refused(void **state)
{
	struct request request = plain_request();

	(void)state;
	request.options.ring_bytes = 128 << 20;
	assert_unasked(&request, "--buffer");
	request.options.ring_bytes = 3 << 20;
	assert_unasked(&request, "ring");
	request.options.ring_bytes = 512;
	assert_unasked(&request, "ring");
	request = plain_request();
	request.options.events = 1u << 30;
	assert_unasked(&request, "events");
	request = plain_request();
	request.options.attach = ATTACH_PERF;
	assert_unasked(&request, "CAP_SYS_ADMIN");
	request = plain_request();
	request.mask = 01000;
	assert_unasked(&request, "umask");
	request = plain_request();
	request.options.overhead.budget = 1e9;
	assert_unasked(&request, "budget");
}

static void test_a_result_arrives_as_it_was(void **state)
{
	struct client_result result = {
	    .totals = {.files = 3, .queries = 1ULL << 40, .lost = 5, .unseen = 6, .failure = "disk\nfull"},
	    .untimed = {7, 0.5, 0.25},
	    .broken = {"stopped"}};
	struct client_result read = {0};
	json_t *message = result_message(&result);

	(void)state;
	assert_int_equal(result_read(json_object_get(message, "finished"), &read, NULL), 0);
	assert_int_equal(read.totals.files, 3);
	assert_int_equal(read.totals.queries, 1ULL << 40);
	assert_int_equal(read.totals.lost, 5);
	assert_int_equal(read.totals.unseen, 6);
	assert_string_equal(read.totals.failure, "disk?full");
	assert_int_equal(read.untimed.labels, 7);
	assert_true(read.untimed.events == 0.5 && read.untimed.self == 0.25);
	assert_string_equal(read.broken.text, "stopped");
	assert_string_equal(read.build.text, "");
	json_decref(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_object_is_a_message),
	    cmocka_unit_test(test_nothing_else_is),
	    cmocka_unit_test(test_fields_are_read),
	    cmocka_unit_test(test_what_is_not_there_is_left_alone),
	    cmocka_unit_test(test_values_that_do_not_fit_are_refused),
	    cmocka_unit_test(test_a_field_that_is_needed_is_missed_by_name),
	    cmocka_unit_test(test_text_is_made_fit),
	    cmocka_unit_test_setup_teardown(test_a_message_arrives_with_its_descriptors, open_ends, close_ends),
	    cmocka_unit_test_setup_teardown(test_of_a_bad_message_no_descriptor_is_kept, open_ends, close_ends),
	    cmocka_unit_test_setup_teardown(test_the_longest_message_is_taken, open_ends, close_ends),
	    cmocka_unit_test_setup_teardown(test_no_message_and_the_end_are_told_apart, open_ends, close_ends),
	    cmocka_unit_test_setup_teardown(test_nobody_is_waited_for_who_does_not_listen, open_ends, close_ends),
	    cmocka_unit_test(test_a_request_arrives_as_it_was),
	    cmocka_unit_test(test_a_request_for_too_much_is_refused),
	    cmocka_unit_test(test_a_result_arrives_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
