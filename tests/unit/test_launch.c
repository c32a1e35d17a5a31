/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* COMMAND is held back, run as the user, and sees nothing of us. */
#include "tests/unit/launch_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/path.h"

static void prepare(struct launch *launch, const struct identity *user, const char *const *argv, char *const *env)
{
	struct error err = {0};

	if (launch_prepare(launch, user, (char *const *)argv, env, &err))
		fail_msg("%s", err.text);
}

static void prepare_shell(struct launch *launch, const char *script)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};

	prepare(launch, &own, argv, environ);
}

static int finish(struct launch *launch)
{
	struct error err;
	int status;

	assert_int_equal(launch_release(launch, &status, &err), 0);
	status = launch_wait(launch, &err);
	launch_free(launch);
	return status;
}

static int run_shell(const char *script)
{
	struct launch launch;

	prepare_shell(&launch, script);
	return finish(&launch);
}

/* Reads what a script left in a file of the test's directory; free it. */
static char *left_in(const char *name)
{
	char *path = path_join(directory, name);
	char *text = calloc(1, 65536);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_non_null(text);
	assert_true(read(fd, text, 65535) >= 0);
	close(fd);
	free(path);
	return text;
}

static bool exists(const char *name)
{
	char *path = path_join(directory, name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

/* Compares what a script writes when run by us with what it writes when forked and executed plainly, here and now. */
static void assert_same_as_unlaunched(const char *script)
{
	char *plain, *launched, *command;
	pid_t pid;

	assert_true(asprintf(&command, "{ %s; } >'%s/out' 2>&1", script, directory) > 0);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "/bin/sh", "-c", command, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	plain = left_in("out");
	assert_int_equal(run_shell(command), 0);
	launched = left_in("out");
	assert_true(strlen(plain) > 0);
	assert_string_equal(launched, plain);
	free(command);
	free(plain);
	free(launched);
}

static void passes_exit_status_on(void **state)
{
	(void)state;
	assert_int_equal(run_shell("exit 0"), 0);
	assert_int_equal(run_shell("exit 101"), 101);
	assert_int_equal(run_shell("kill -SEGV $$"), 128 + SIGSEGV);
}

static void is_held_back_until_released_and_keeps_its_pid(void **state)
{
	struct launch launch;
	struct pollfd ended;
	char *script, *text;
	pid_t pid;

	(void)state;
	assert_true(asprintf(&script, "echo $$ >'%s/held'", directory) > 0);
	prepare_shell(&launch, script);
	pid = launch.pid;
	ended = (struct pollfd){.fd = launch.pid_fd, .events = POLLIN};
	assert_int_equal(poll(&ended, 1, 50), 0);
	assert_false(exists("held"));
	{
		struct error err;
		int status;

		assert_int_equal(launch_release(&launch, &status, &err), 0);
		assert_int_equal(poll(&ended, 1, 10000), 1);
		assert_int_equal(launch_wait(&launch, &err), 0);
	}
	launch_free(&launch);
	text = left_in("held");
	assert_int_equal(atoi(text), pid);
	free(text);
	free(script);
}

static void is_not_run_if_never_released(void **state)
{
	struct launch launch = {0};
	char *script;
	pid_t pid;

	(void)state;
	assert_true(asprintf(&script, "echo >'%s/never'", directory) > 0);
	launch_free(&launch); /* nothing to free, and no file or mask of ours to touch */
	prepare_shell(&launch, script);
	pid = launch.pid;
	launch_free(&launch);
	launch_free(&launch);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_false(exists("never"));
	free(script);
}

static void is_not_run_if_we_are_killed_first(void **state)
{
	char *script;
	int alive[2]; /* its write end is open for as long as the two processes live */
	char byte;
	pid_t pid;

	(void)state;
	assert_true(asprintf(&script, "echo >'%s/never'", directory) > 0);
	assert_int_equal(pipe(alive), 0);
	pid = fork();
	if (pid == 0) {
		struct launch launch;

		prepare_shell(&launch, script);
		raise(SIGKILL);
	}
	close(alive[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
	assert_false(exists("never"));
	free(script);
}

static void a_command_that_cannot_run_is_told(void **state)
{
	static const struct {
		const char *name;
		int status, error;
		const char *sentence;
	} cases[] = {
	    {"querytap-no-such-command", 127, -ENOENT,
	     "cannot run querytap-no-such-command: No such file or directory"},
	    {"/nonexistent/rustc", 127, -ENOENT, "cannot run /nonexistent/rustc: No such file or directory"},
	    {"/etc/passwd", 126, -EACCES, "cannot run /etc/passwd: Permission denied"},
	    {"/etc", 126, -EACCES, "cannot run /etc: Permission denied"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *argv[] = {cases[i].name, NULL};
		struct launch launch;
		struct error err;
		int status = 0;

		prepare(&launch, &own, argv, environ);
		assert_int_equal(launch_release(&launch, &status, &err), cases[i].error);
		assert_int_equal(status, cases[i].status);
		assert_string_equal(err.text, cases[i].sentence);
		launch_free(&launch);
	}
}

static void a_closed_path_directory_is_no_command_found(void **state)
{
	struct identity user = {.uid = 54321, .gid = 54321, .home = (char *)"/", .behind_sudo = true};
	const char *argv[] = {"querytap-no-such-command", NULL};
	char *path, *closed = path_join(directory, "closed");
	struct launch launch;
	struct error err;
	int status = 0;

	(void)state;
	assert_int_equal(mkdir(closed, 0700), 0);
	assert_true(asprintf(&path, "PATH=%s:/usr/bin", closed) > 0);
	free(closed);
	if (geteuid() != 0) {
		free(path);
		skip();
	}
	prepare(&launch, &user, argv, (char *[]){path, NULL});
	assert_int_equal(launch_release(&launch, &status, &err), -ENOENT);
	assert_int_equal(status, 127);
	launch_free(&launch);
	free(path);
}

static void is_found_by_the_path_of_its_environment(void **state)
{
	char *path, *script = path_join(directory, "only-here");
	const char *argv[] = {"only-here", NULL};
	struct launch launch;
	FILE *file = fopen(script, "w");

	(void)state;
	fputs("#!/bin/sh\ntest \"$ONE\" = 1 && test -z \"$HOME\" && exit 7\n", file);
	fclose(file);
	chmod(script, 0755);
	assert_true(asprintf(&path, "PATH=/usr/bin:%s", directory) > 0);
	prepare(&launch, &own, argv, (char *[]){path, (char *)"ONE=1", NULL});
	assert_int_equal(finish(&launch), 7);
	free(path);
	free(script);
}

static void sees_the_same_files_and_signals(void **state)
{
	sigset_t set, before;
	int handed[2];

	(void)state;
	assert_int_equal(pipe(handed), 0); /* as a jobserver's: to be handed on */
	signal(SIGHUP, SIG_IGN);	   /* as nohup does */
	signal(SIGINT, SIG_IGN);	   /* as a shell does for a background job */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	assert_same_as_unlaunched("ls /proc/self/fd | wc -l; grep ^Sig[BI] /proc/self/status");
	assert_same_as_unlaunched("env | grep -v '^_='; pwd; umask; ulimit -a; cut -d' ' -f5-8,18,19 /proc/self/stat; "
				  "cat /proc/self/oom_score_adj /proc/self/coredump_filter");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	close(handed[0]);
	close(handed[1]);
}

static void what_we_change_later_does_not_reach_it(void **state)
{
	struct rlimit before, changed;
	struct launch launch;
	char *script, *text, *ignored;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	signal(SIGUSR2, SIG_DFL);
	assert_true(asprintf(&script, "{ ulimit -n; grep ^SigI /proc/self/status; } >'%s/later'", directory) > 0);
	prepare_shell(&launch, script);
	changed = before;
	changed.rlim_cur--;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &changed), 0);
	signal(SIGUSR2, SIG_IGN);
	assert_int_equal(finish(&launch), 0);
	signal(SIGUSR2, SIG_DFL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	text = left_in("later");
	assert_int_equal(atoi(text), before.rlim_cur);
	ignored = strstr(text, "SigIgn:");
	assert_non_null(ignored);
	assert_int_equal(strtoull(ignored + strlen("SigIgn:"), NULL, 16) & (1ull << (SIGUSR2 - 1)), 0);
	free(text);
	free(script);
}

/* Until then it is a shell, which may have ideas of its own about signals. */
static void wait_until_it_sleeps(pid_t pid)
{
	char path[64], name[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	for (int i = 0; i < 5000 && strcmp(name, "sleep\n") != 0; i++) {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		if (!fgets(name, sizeof(name), file))
			name[0] = '\0';
		fclose(file);
		usleep(1000);
	}
	assert_string_equal(name, "sleep\n");
}

static void a_signal_sent_to_us_is_sent_on(void **state)
{
	static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		struct launch launch;
		struct pollfd waiting;
		struct error err;
		int status;

		signal(signals[i], SIG_DFL); /* a background job of a shell ignores two of them */
		prepare_shell(&launch, "exec sleep 20");
		assert_int_equal(launch_release(&launch, &status, &err), 0);
		assert_int_equal(launch_forward(&launch, &err), 0);
		wait_until_it_sleeps(launch.pid);
		kill(getpid(), signals[i]);
		waiting = (struct pollfd){.fd = launch.signal_fd, .events = POLLIN};
		assert_int_equal(poll(&waiting, 1, 5000), 1);
		assert_int_equal(launch_forward(&launch, &err), signals[i]);
		assert_int_equal(launch_wait(&launch, &err), 128 + signals[i]);
		assert_int_equal(launch_signal(&launch, SIGTERM, &err), 0);
		launch_free(&launch);
	}
}

static void a_signal_while_held_back_ends_it_unrun(void **state)
{
	struct launch launch;
	struct error err;
	char *script;
	int status;

	(void)state;
	assert_true(asprintf(&script, "echo >'%s/never'", directory) > 0);
	prepare_shell(&launch, script);
	assert_int_equal(launch_signal(&launch, SIGINT, &err), 0);
	while (kill(launch.pid, 0) == 0 && poll(&(struct pollfd){.fd = launch.pid_fd, .events = POLLIN}, 1, 5000) != 1)
		;
	assert_int_equal(launch_release(&launch, &status, &err), 0);
	assert_int_equal(launch_wait(&launch, &err), 128 + SIGINT);
	launch_free(&launch); /* the write to the dead child's pipe is not to end us by SIGPIPE here */
	assert_false(exists("never"));
	free(script);
}

/* Counts the SIGINTs that COMMAND gets for one Ctrl-C at the terminal that it shares with us. */
static void one_ctrl_c_is_one_signal(void **state)
{
	static const char script[] =
	    "n=0; trap 'n=$((n+1))' INT; echo ready; for i in 1 2 3 4 5; do sleep .1; done; exit $n";
	char text[64] = "";
	int terminal, status;
	pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

	(void)state;
	if (pid < 0)
		skip(); /* no pseudo-terminals here */
	if (pid == 0) {
		struct launch launch;
		struct error err;
		struct pollfd files[2];

		prepare_shell(&launch, script);
		if (launch_release(&launch, &status, &err))
			_exit(99);
		files[0] = (struct pollfd){.fd = launch.pid_fd, .events = POLLIN};
		files[1] = (struct pollfd){.fd = launch.signal_fd, .events = POLLIN};
		do {
			poll(files, 2, -1);
			if (files[1].revents && launch_forward(&launch, &err) != SIGINT)
				_exit(98);
		} while (!files[0].revents);
		_exit(launch_wait(&launch, &err));
	}
	while (!strstr(text, "ready")) {
		size_t length = strlen(text);

		assert_true(read(terminal, text + length, sizeof(text) - length - 1) > 0);
	}
	assert_int_equal(write(terminal, "\003", 1), 1);
	while (read(terminal, text, sizeof(text)) > 0)
		;
	close(terminal);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void root_runs_it_as_the_user_behind_sudo(void **state)
{
	struct identity user = {.behind_sudo = true, .home = (char *)"/", .shell = (char *)"/bin/sh"};
	const char *argv[] = {"/bin/sh", "-c", NULL, NULL};
	struct passwd *entry = getpwnam("daemon");
	struct launch launch;
	char *script, *text, *expected;

	(void)state;
	if (geteuid() != 0 || !entry)
		skip();
	user.name = strdup(entry->pw_name);
	user.uid = entry->pw_uid;
	user.gid = entry->pw_gid;
	assert_true(asprintf(&script,
			     "{ grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status; "
			     "stat -c %%u . /proc/self; } >'%s/who' 2>&1; chmod 666 '%s/who'",
			     directory, directory) > 0);
	argv[2] = script;
	prepare(&launch, &user, argv, environ);
	assert_int_equal(finish(&launch), 0);
	text = left_in("who");
	assert_true(asprintf(&expected, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nGroups:\t%u ", user.uid, user.uid,
			     user.uid, user.uid, user.gid, user.gid, user.gid, user.gid, user.gid) > 0);
	assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
	assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
	free(expected);
	free(text);
	free(script);

	/* Somebody without an entry in the database has no groups but their own; root's are not kept. */
	free(user.name);
	user.name = NULL;
	user.uid = user.gid = 54321;
	argv[2] = "test \"$(id -G)\" = 54321 && test \"$(id -u)\" = 54321";
	prepare(&launch, &user, argv, environ);
	assert_int_equal(finish(&launch), 0);
	assert_int_equal(geteuid(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(passes_exit_status_on),
	    cmocka_unit_test(is_held_back_until_released_and_keeps_its_pid),
	    cmocka_unit_test(is_not_run_if_never_released),
	    cmocka_unit_test(is_not_run_if_we_are_killed_first),
	    cmocka_unit_test(a_command_that_cannot_run_is_told),
	    cmocka_unit_test(a_closed_path_directory_is_no_command_found),
	    cmocka_unit_test(is_found_by_the_path_of_its_environment),
	    cmocka_unit_test(sees_the_same_files_and_signals),
	    cmocka_unit_test(what_we_change_later_does_not_reach_it),
	    cmocka_unit_test(a_signal_sent_to_us_is_sent_on),
	    cmocka_unit_test(a_signal_while_held_back_ends_it_unrun),
	    cmocka_unit_test(one_ctrl_c_is_one_signal),
	    cmocka_unit_test(root_runs_it_as_the_user_behind_sudo),
	};

	return cmocka_run_group_tests_name("launch", tests, set_up, tear_down);
}
