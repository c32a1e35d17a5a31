/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What becomes of the records about processes in build.json, in whichever order and with gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/processes.h"

enum { COUNT_LOST = 3, STOPPED = 1000, OFFSET = 5000 };

static void take_fork(struct processes *processes, uint32_t pid, uint64_t born, uint32_t parent)
{
	struct wire_fork record = {.header = {WIRE_FORK, pid, pid, 0}, .life = {born, parent, 0}, .comm = "forked"};

	processes_take(processes, &record.header);
}

static void take_exec(struct processes *processes, uint32_t pid, uint64_t born, uint64_t time, const char *args,
		      size_t size)
{
	struct wire_exec record = {.header = {WIRE_EXEC, pid, pid, (uint32_t)size},
				   .life = {born, 77, 0},
				   .time = time,
				   .args_size = size,
				   .comm = "program"};

	memcpy(record.args, args, size);
	processes_take(processes, &record.header);
}

static void take_end(struct processes *processes, uint32_t pid, uint64_t born, uint64_t time, int exit_code)
{
	struct wire_end record = {.header = {WIRE_END, pid, pid, 0},
				  .life = {born, 77, 0},
				  .time = time,
				  .pages_before = 10,
				  .pages = 4,
				  .exit_code = exit_code};

	processes_take(processes, &record.header);
}

static void take_freed(struct processes *processes, uint32_t pid, uint64_t born, uint64_t run_time, uint64_t pages)
{
	struct wire_freed record = {.header = {WIRE_FREED, pid, pid, 0},
				    .life = {born, 77, 0},
				    .run_time = run_time,
				    .user = 3,
				    .system = 1,
				    .pages = pages,
				    .exit_code = 2 << 8};

	processes_take(processes, &record.header);
}

/* The file's contents; frees the processes. */
static json_t *finish(struct processes *processes)
{
	struct processes_summary summary = {.stopped = STOPPED, .realtime_offset = OFFSET, .lost = COUNT_LOST};
	char *text = processes_text(processes, &summary);
	json_t *root;

	assert_non_null(text);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	free(text);
	processes_free(processes);
	return root;
}

static const json_t *process_at(const json_t *root, size_t index)
{
	return json_array_get(json_object_get(root, "processes"), index);
}

static size_t process_count(const json_t *root)
{
	return json_array_size(json_object_get(root, "processes"));
}

/* -1 for null. */
static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_non_null(value);
	assert_true(json_is_null(value) || json_is_integer(value));
	return json_is_null(value) ? -1 : json_integer_value(value);
}

static bool holds(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static const json_t *program_at(const json_t *process, size_t index)
{
	return json_array_get(json_object_get(process, "programs"), index);
}

static const char *argument(const json_t *process, size_t program, size_t index)
{
	return json_string_value(json_array_get(json_object_get(program_at(process, program), "command"), index));
}

#define BYTES(literal) literal, sizeof(literal)

static void test_a_process_that_becomes_others_is_one(void **state)
{
	struct processes *processes = processes_new();
	const json_t *parent, *child;
	json_t *root;

	(void)state;
	take_fork(processes, 5, 100, 4);
	take_exec(processes, 5, 100, 110, BYTES("sh\0-c\0rustc"));
	take_fork(processes, 6, 120, 5);
	take_exec(processes, 6, 120, 130, BYTES("sh"));
	take_exec(processes, 6, 120, 140, BYTES("rustc\0"));
	take_end(processes, 6, 120, 150, SIGKILL);
	take_end(processes, 5, 100, 200, 7 << 8);
	assert_int_equal(processes_leaving(processes), 2);
	take_freed(processes, 5, 100, 4000, 12);
	assert_int_equal(processes_leaving(processes), 1);
	root = finish(processes);
	assert_int_equal(process_count(root), 2);
	assert_int_equal(number(root, "lost"), COUNT_LOST);
	assert_false(holds(root, "complete"));
	assert_int_equal(number(root, "stopped_ns"), STOPPED - 100);
	assert_string_equal(json_string_value(json_object_get(root, "start_realtime_ns")), "5100");
	parent = process_at(root, 0);
	assert_int_equal(number(parent, "pid"), 5);
	assert_int_equal(number(parent, "ppid"), 4);
	assert_int_equal(number(parent, "parent"), -1);
	assert_int_equal(number(parent, "start_ns"), 0);
	assert_int_equal(number(parent, "end_ns"), 100);
	assert_true(holds(parent, "complete"));
	/* The account of its end, since that is the last word. */
	assert_int_equal(number(parent, "exit_code"), 2);
	assert_int_equal(number(parent, "user_ns"), 3000);
	assert_int_equal(number(parent, "system_ns"), 1000);
	assert_int_equal(number(parent, "peak_bytes"), 12 * sysconf(_SC_PAGESIZE));
	assert_int_equal(json_array_size(json_object_get(program_at(parent, 0), "command")), 3);
	assert_string_equal(argument(parent, 0, 2), "rustc");
	child = process_at(root, 1);
	assert_int_equal(number(child, "parent"), 0);
	assert_int_equal(number(child, "exit_code"), -1);
	assert_int_equal(number(child, "signal"), SIGKILL);
	assert_int_equal(number(child, "user_ns"), -1);
	assert_int_equal(number(child, "peak_bytes"), 4 * sysconf(_SC_PAGESIZE));
	assert_int_equal(number(program_at(child, 1), "start_ns"), 40);
	assert_string_equal(argument(child, 0, 0), "sh");
	assert_string_equal(argument(child, 1, 0), "rustc");
	/* An empty argument is one, too. */
	assert_string_equal(argument(child, 1, 1), "");
	json_decref(root);
}

static void test_a_process_that_only_forks_counts(void **state)
{
	struct processes *processes = processes_new();
	json_t *root;

	(void)state;
	take_fork(processes, 6, 120, 5);
	take_end(processes, 6, 120, 150, 0);
	take_freed(processes, 6, 120, 10, 9);
	root = finish(processes);
	assert_int_equal(json_array_size(json_object_get(process_at(root, 0), "programs")), 0);
	assert_string_equal(json_string_value(json_object_get(process_at(root, 0), "comm")), "forked");
	/* The 9 pages are from before; what it had itself is the 4. */
	assert_int_equal(number(process_at(root, 0), "peak_bytes"), 4 * sysconf(_SC_PAGESIZE));
	assert_int_equal(number(process_at(root, 0), "maxrss_bytes"), 9 * sysconf(_SC_PAGESIZE));
	json_decref(root);
}

static void test_a_pid_may_come_again(void **state)
{
	struct processes *processes = processes_new();
	json_t *root;

	(void)state;
	take_fork(processes, 5, 100, 1);
	take_fork(processes, 6, 110, 5);
	take_end(processes, 5, 100, 120, 0);
	take_fork(processes, 5, 200, 6);
	/* Word of the first one comes only now. */
	take_freed(processes, 5, 100, 1111, 12);
	take_fork(processes, 7, 210, 5);
	take_end(processes, 5, 200, 220, 1 << 8);
	root = finish(processes);
	assert_int_equal(process_count(root), 4);
	assert_int_equal(number(process_at(root, 0), "user_ns") + number(process_at(root, 0), "system_ns"), 1111);
	assert_int_equal(number(process_at(root, 1), "parent"), 0);
	assert_int_equal(number(process_at(root, 2), "pid"), 5);
	assert_int_equal(number(process_at(root, 2), "parent"), 1);
	assert_int_equal(number(process_at(root, 2), "exit_code"), 1);
	assert_int_equal(number(process_at(root, 2), "user_ns"), -1);
	assert_int_equal(number(process_at(root, 3), "parent"), 2);
	json_decref(root);
}

static void test_records_may_be_missing(void **state)
{
	struct processes *processes = processes_new();
	json_t *root;

	(void)state;
	/* No end. */
	take_fork(processes, 5, 100, 1);
	take_fork(processes, 5, 200, 1);
	take_end(processes, 5, 200, 210, 0);
	/* No fork, and no fork and exec. */
	take_exec(processes, 8, 300, 310, BYTES("cc"));
	take_end(processes, 9, 400, 410, 0);
	root = finish(processes);
	assert_int_equal(process_count(root), 4);
	assert_false(holds(process_at(root, 0), "complete"));
	assert_int_equal(number(process_at(root, 0), "end_ns"), -1);
	assert_int_equal(number(process_at(root, 0), "exit_code"), -1);
	assert_true(holds(process_at(root, 1), "complete"));
	assert_int_equal(number(process_at(root, 2), "ppid"), 77);
	assert_int_equal(number(process_at(root, 2), "start_ns"), 210);
	assert_int_equal(number(process_at(root, 3), "end_ns"), 310);
	json_decref(root);
}

static void test_what_the_kernel_kept_completes_it(void **state)
{
	struct processes *processes = processes_new();
	struct wire_process alive = {.start = 100, .born = 100, .parent = 3};
	struct wire_process unknown = {.start = 140, .born = 130, .parent = 5};
	struct wire_process ended = {
	    .start = 150, .born = 150, .parent = 5, .flags = PROCESS_ENDED, .end = 170, .exit_code = 4 << 8};
	json_t *root;

	(void)state;
	take_fork(processes, 5, 100, 3);
	take_fork(processes, 7, 150, 5);
	processes_take_remaining(processes, 5, &alive);
	processes_take_remaining(processes, 6, &unknown);
	processes_take_remaining(processes, 7, &ended);
	root = finish(processes);
	assert_int_equal(process_count(root), 3);
	assert_false(holds(process_at(root, 0), "complete"));
	assert_false(holds(process_at(root, 1), "complete"));
	assert_int_equal(number(process_at(root, 1), "parent"), 0);
	assert_true(holds(process_at(root, 2), "complete"));
	assert_int_equal(number(process_at(root, 2), "end_ns"), 70);
	assert_int_equal(number(process_at(root, 2), "exit_code"), 4);
	json_decref(root);
}

static void test_the_command_begins_with_its_program(void **state)
{
	struct processes *processes = processes_new();
	json_t *root;

	(void)state;
	processes_follow(processes, 5, FOLLOW_NEW, 50);
	take_exec(processes, 5, 20, 100, BYTES("make"));
	take_fork(processes, 6, 110, 5);
	root = finish(processes);
	assert_int_equal(process_count(root), 2);
	assert_int_equal(number(process_at(root, 0), "start_ns"), 0);
	assert_int_equal(number(program_at(process_at(root, 0), 0), "start_ns"), 0);
	assert_false(holds(process_at(root, 0), "joined"));
	assert_int_equal(number(process_at(root, 1), "start_ns"), 10);
	assert_int_equal(number(process_at(root, 1), "parent"), 0);
	json_decref(root);
}

static void test_one_that_runs_already_is_read(void **state)
{
	struct processes *processes = processes_new();
	uint32_t self = (uint32_t)getpid();
	json_t *root;

	(void)state;
	processes_follow(processes, getpid(), FOLLOW_TREE, 50);
	take_fork(processes, 1, 60, self);
	root = finish(processes);
	assert_int_equal(process_count(root), 2);
	assert_true(holds(process_at(root, 0), "joined"));
	assert_int_equal(number(process_at(root, 0), "ppid"), getppid());
	assert_non_null(strstr(argument(process_at(root, 0), 0, 0), "test_processes"));
	assert_int_equal(number(process_at(root, 1), "parent"), 0);
	json_decref(root);
}

static void test_parents_come_first(void **state)
{
	struct processes *processes = processes_new();
	json_t *root;

	(void)state;
	/* The child is found first. */
	processes_follow(processes, getpid(), FOLLOW_TREE, 50);
	processes_follow(processes, getppid(), FOLLOW_TREE, 60);
	root = finish(processes);
	assert_int_equal(number(process_at(root, 0), "pid"), getppid());
	assert_int_equal(number(process_at(root, 0), "start_ns"), 10);
	assert_int_equal(number(process_at(root, 1), "start_ns"), 0);
	assert_int_equal(number(process_at(root, 1), "parent"), 0);
	json_decref(root);
}

static void test_a_child_found_before_its_fork_is_told_is_one(void **state)
{
	struct processes *processes = processes_new();
	json_t *root;

	(void)state;
	processes_follow(processes, getpid(), FOLLOW_TREE, 65);
	take_fork(processes, (uint32_t)getpid(), 60, 3);
	root = finish(processes);
	assert_int_equal(process_count(root), 1);
	assert_false(holds(process_at(root, 0), "joined"));
	assert_int_equal(number(process_at(root, 0), "ppid"), 3);
	json_decref(root);
}

static void test_a_compiler_that_nobody_told_of(void **state)
{
	struct processes *processes = processes_new();
	struct wire_compiler record = {.header = {WIRE_COMPILER, (uint32_t)getpid(), 1, 0}, .start = 70, .joined = 1};
	json_t *root;

	(void)state;
	processes_take(processes, &record.header);
	processes_take(processes, &record.header);
	root = finish(processes);
	assert_int_equal(process_count(root), 1);
	assert_true(holds(process_at(root, 0), "joined"));
	json_decref(root);
}

static void test_arguments_need_not_be_text(void **state)
{
	struct processes *processes = processes_new();
	struct wire_exec record = {.header = {WIRE_EXEC, 5, 5, 4}, .life = {20, 1, 0}, .time = 30, .args_size = 5000};
	json_t *root;

	(void)state;
	memcpy(record.args, "a\xff\xc3\x28", 4);
	memcpy(record.comm, "\xe9t\xe9", 4);
	processes_take(processes, &record.header);
	take_exec(processes, 6, 40, 50, BYTES("na\xc3\xafve"));
	root = finish(processes);
	assert_string_equal(argument(process_at(root, 0), 0, 0), "a?"
								 "?(");
	assert_string_equal(json_string_value(json_object_get(process_at(root, 0), "comm")), "?t?");
	assert_true(holds(program_at(process_at(root, 0), 0), "cut"));
	assert_string_equal(argument(process_at(root, 1), 0, 0), "na\xc3\xafve");
	assert_false(holds(program_at(process_at(root, 1), 0), "cut"));
	json_decref(root);
}

static void test_nothing_is_a_file_too(void **state)
{
	json_t *root = finish(processes_new());

	(void)state;
	assert_int_equal(process_count(root), 0);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_process_that_becomes_others_is_one),
	    cmocka_unit_test(test_a_process_that_only_forks_counts),
	    cmocka_unit_test(test_a_pid_may_come_again),
	    cmocka_unit_test(test_records_may_be_missing),
	    cmocka_unit_test(test_what_the_kernel_kept_completes_it),
	    cmocka_unit_test(test_the_command_begins_with_its_program),
	    cmocka_unit_test(test_one_that_runs_already_is_read),
	    cmocka_unit_test(test_parents_come_first),
	    cmocka_unit_test(test_a_child_found_before_its_fork_is_told_is_one),
	    cmocka_unit_test(test_a_compiler_that_nobody_told_of),
	    cmocka_unit_test(test_arguments_need_not_be_text),
	    cmocka_unit_test(test_nothing_is_a_file_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
