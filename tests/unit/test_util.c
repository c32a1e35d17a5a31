/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Paths, directories, the user behind sudo, the progress line, and texts and sequences by number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/identity.h"
#include "util/intern.h"
#include "util/path.h"
#include "util/progress.h"
#include "util/trie.h"

/* Any user that is not root and any group; neither needs to be in the user database. */
enum { OTHER_UID = 54321, OTHER_GID = 54322 };

static char *take_directory(void)
{
	char *directory = strdup("/tmp/querytap-test-XXXXXX");

	assert_non_null(directory);
	assert_non_null(mkdtemp(directory));
	return directory;
}

static void drop_directory(char *directory)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	assert_int_equal(system(command), 0);
	free(directory);
}

static void joins(void **state)
{
	static const char *const cases[][3] = {
	    {"/a", "b", "/a/b"}, {"/a/", "b/c", "/a/b/c"}, {"/a", "/b", "/b"}, {"", "b", "b"}, {"a", "b", "a/b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *path = path_join(cases[i][0], cases[i][1]);

		assert_string_equal(path, cases[i][2]);
		free(path);
	}
}

static void expands_home(void **state)
{
	static const char *const cases[][2] = {
	    {"~", "/home/u"}, {"~/", "/home/u"}, {"~/x/y", "/home/u/x/y"}, {"~other/x", "~other/x"}, {"x/~", "x/~"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *path = path_expand(cases[i][0], "/home/u");

		assert_string_equal(path, cases[i][1]);
		free(path);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(path_name("/usr/bin/rustc"), "rustc");
	assert_string_equal(path_name("rustc"), "rustc");
	assert_string_equal(path_name("dir/"), "");
}

static void makes_directories(void **state)
{
	struct identity nobody_else = {.uid = getuid(), .gid = getgid()};
	char *top = take_directory();
	char *deep = path_join(top, "a//b/c/");
	struct error err;
	struct stat stat_buffer;

	(void)state;
	assert_int_equal(path_make_directory(deep, &nobody_else, &err), 0);
	assert_int_equal(stat(deep, &stat_buffer), 0);
	assert_true(S_ISDIR(stat_buffer.st_mode));
	assert_int_equal(path_make_directory(deep, &nobody_else, &err), 0);
	free(deep);
	drop_directory(top);
}

static void a_file_in_the_way_is_named(void **state)
{
	struct identity nobody_else = {.uid = getuid(), .gid = getgid()};
	char *top = take_directory();
	char *file = path_join(top, "file");
	char *below = path_join(file, "x");
	struct error err;

	(void)state;
	close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	assert_int_equal(path_make_directory(below, &nobody_else, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, file));
	assert_non_null(strstr(err.text, "Not a directory"));
	assert_int_equal(path_make_directory(file, &nobody_else, &err), -ENOTDIR);
	assert_int_equal(path_make_directory("", &nobody_else, &err), -ENOENT);
	free(below);
	free(file);
	drop_directory(top);
}

static void new_directories_belong_to_the_user_behind_sudo(void **state)
{
	struct identity user = {.uid = OTHER_UID, .gid = OTHER_GID, .behind_sudo = true};
	char *top = take_directory();
	char *middle = path_join(top, "a");
	char *deep = path_join(top, "a/b");
	struct error err;
	struct stat stat_buffer;

	(void)state;
	if (geteuid() != 0) {
		drop_directory(top);
		free(middle);
		free(deep);
		skip();
	}
	assert_int_equal(path_make_directory(deep, &user, &err), 0);
	assert_int_equal(stat(middle, &stat_buffer), 0);
	assert_int_equal(stat_buffer.st_uid, OTHER_UID);
	assert_int_equal(stat_buffer.st_gid, OTHER_GID);
	assert_int_equal(stat(deep, &stat_buffer), 0);
	assert_int_equal(stat_buffer.st_uid, OTHER_UID);
	assert_int_equal(stat(top, &stat_buffer), 0);
	assert_int_equal(stat_buffer.st_uid, 0);
	free(middle);
	free(deep);
	drop_directory(top);
}

static void identity_is_our_own_without_sudo(void **state)
{
	struct identity identity;
	struct error err;

	(void)state;
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	setenv("HOME", "/somewhere", 1);
	assert_int_equal(identity_find(&identity, &err), 0);
	assert_int_equal(identity.uid, getuid());
	assert_int_equal(identity.gid, getgid());
	assert_false(identity.behind_sudo);
	assert_string_equal(identity.home, "/somewhere");
	identity_free(&identity);
	assert_null(identity.home);
}

static void identity_is_the_user_behind_sudo(void **state)
{
	struct identity identity;
	struct error err;
	struct passwd *daemon = getpwnam("daemon");
	char number[16];

	(void)state;
	if (geteuid() != 0 || !daemon)
		skip();
	setenv("HOME", "/elsewhere", 1);
	snprintf(number, sizeof(number), "%u", daemon->pw_uid);
	setenv("SUDO_UID", number, 1);
	setenv("SUDO_GID", "1", 1);
	assert_int_equal(identity_find(&identity, &err), 0);
	assert_true(identity.behind_sudo);
	assert_int_equal(identity.uid, getpwnam("daemon")->pw_uid);
	assert_string_equal(identity.name, "daemon");
	assert_string_equal(identity.home, getpwnam("daemon")->pw_dir);
	identity_free(&identity);

	setenv("SUDO_UID", "54321", 1);
	assert_int_equal(identity_find(&identity, &err), 0);
	assert_int_equal(identity.uid, OTHER_UID);
	assert_null(identity.name);
	assert_string_equal(identity.home, "/");
	identity_free(&identity);

	setenv("SUDO_UID", "0", 1);
	assert_int_equal(identity_find(&identity, &err), 0);
	assert_false(identity.behind_sudo);
	identity_free(&identity);

	setenv("SUDO_UID", "1000x", 1);
	assert_int_equal(identity_find(&identity, &err), -EINVAL);
	assert_non_null(strstr(err.text, "SUDO_UID is '1000x'"));
	identity_free(&identity);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
}

/* Runs `show` in a process whose stderr is a terminal of 20 columns (or a pipe), and returns what came out of it; NULL
 * without terminals. */
static char *seen(bool terminal, void (*show)(struct progress *progress))
{
	struct winsize size = {.ws_row = 5, .ws_col = 20};
	char *text = calloc(1, 4096);
	size_t length = 0;
	int fd[2];
	ssize_t got;
	pid_t pid;

	assert_non_null(text);
	if (terminal) {
		pid = forkpty(&fd[0], NULL, NULL, &size);
	} else {
		assert_int_equal(pipe(fd), 0);
		pid = fork();
		if (pid == 0)
			dup2(fd[1], STDERR_FILENO);
		else
			close(fd[1]);
	}
	if (pid < 0) {
		free(text);
		return NULL;
	}
	if (pid == 0) {
		struct progress progress;

		setenv("TERM", "xterm", 1);
		progress_start(&progress);
		show(&progress);
		_exit(0);
	}
	while (length < 4095 && (got = read(fd[0], text + length, 4095 - length)) > 0)
		length += (size_t)got;
	close(fd[0]);
	waitpid(pid, NULL, 0);
	return text;
}

static void show_and_erase(struct progress *progress)
{
	progress_show(progress, "planning %d of %d: %s", 1, 2, "a long name of a library");
	progress_show(progress, "too soon for another");
	progress_erase(progress);
	progress_erase(progress);
}

static void progress_is_one_erasable_line_on_a_terminal(void **state)
{
	char *text = seen(true, show_and_erase);

	(void)state;
	if (!text)
		skip();
	assert_string_equal(text, "\r\033[Kplanning 1 of 2: a \r\r\033[K");
	free(text);
}

static void progress_is_silent_elsewhere(void **state)
{
	char *text = seen(false, show_and_erase);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void texts_are_numbered_as_they_come(void **state)
{
	struct intern intern = {0};

	(void)state;
	assert_int_equal(intern_text(&intern, "a"), 0);
	assert_int_equal(intern_text(&intern, ""), 1);
	assert_int_equal(intern_bytes(&intern, "a\0b", 3), 2);
	assert_int_equal(intern_bytes(&intern, "a\0c", 3), 3);
	assert_int_equal(intern_bytes(&intern, "a", 1), 0);
	assert_int_equal(intern.count, 4);
	for (unsigned int i = 0; i < 3000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "text %u", i % 1500);
		assert_int_equal(intern_text(&intern, text), 4 + i % 1500);
	}
	assert_string_equal(intern_get(&intern, 4 + 1499), "text 1499");
	assert_memory_equal(intern_get(&intern, 3), "a\0c", 4);
	intern_free(&intern);
	assert_int_equal(intern.count, 0);
}

static void sequences_share_their_beginnings(void **state)
{
	struct trie trie = {0};
	uint32_t numbers[5000], first, last = 0;

	(void)state;
	first = trie_child(&trie, 0, UINT64_MAX);
	assert_int_equal(first, 1);
	assert_int_equal(trie_child(&trie, 0, UINT64_MAX), first);
	assert_int_not_equal(trie_child(&trie, first, UINT64_MAX), first);
	for (uint64_t i = 0; i < 5000; i++) {
		numbers[i] = trie_child(&trie, i % 3 ? last : first, i << 32);
		last = numbers[i];
	}
	last = 0;
	for (uint64_t i = 0; i < 5000; i++) {
		const struct trie_node *node = &trie.nodes[numbers[i]];

		assert_int_equal(trie_child(&trie, i % 3 ? last : first, i << 32), numbers[i]);
		assert_true(node->word == i << 32 && node->parent < numbers[i] && node->value == 0);
		last = numbers[i];
	}
	assert_int_equal(trie.count, 5003);
	trie_free(&trie);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(joins),
	    cmocka_unit_test(expands_home),
	    cmocka_unit_test(names),
	    cmocka_unit_test(makes_directories),
	    cmocka_unit_test(a_file_in_the_way_is_named),
	    cmocka_unit_test(new_directories_belong_to_the_user_behind_sudo),
	    cmocka_unit_test(identity_is_our_own_without_sudo),
	    cmocka_unit_test(identity_is_the_user_behind_sudo),
	    cmocka_unit_test(progress_is_one_erasable_line_on_a_terminal),
	    cmocka_unit_test(progress_is_silent_elsewhere),
	    cmocka_unit_test(texts_are_numbered_as_they_come),
	    cmocka_unit_test(sequences_share_their_beginnings),
	};

	return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}
