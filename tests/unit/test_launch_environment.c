/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The environment of COMMAND: ours, but behind sudo the user's as far as sudo has changed it. */
#include "tests/unit/launch_fixture.h"

#include <pwd.h>

#include "util/path.h"

static const char *entry_of(char *const *environment, const char *name)
{
	const char *value = NULL;

	for (; *environment; environment++) {
		if (strncmp(*environment, name, strlen(name)) == 0 && (*environment)[strlen(name)] == '=') {
			assert_null(value);
			value = *environment + strlen(name) + 1;
		}
	}
	return value;
}

static void environment_is_left_alone_without_sudo(void **state)
{
	char *environment[] = {(char *)"HOME=/elsewhere", (char *)"odd", (char *)"PATH=/bin", (char *)"USER=root",
			       NULL};
	char **result = launch_environment(&own, environment, "cargo");

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		if (environment[i])
			assert_string_equal(result[i], environment[i]);
		else
			assert_null(result[i]);
	}
	free(result);
}

static void environment_behind_sudo_speaks_of_the_user(void **state)
{
	struct identity user = {.uid = 1000,
				.gid = 1000,
				.name = (char *)"ann",
				.home = (char *)"/nonexistent/ann",
				.shell = (char *)"/bin/zsh",
				.behind_sudo = true};
	struct passwd *root = getpwuid(0);
	char *home, **result;

	(void)state;
	if (!root)
		skip();
	assert_true(asprintf(&home, "HOME=%s", root->pw_dir) > 0);
	result = launch_environment(&user,
				    (char *[]){home, (char *)"USER=root", (char *)"LANG=C", (char *)"SUDO_UID=1000",
					       (char *)"PATH=/usr/sbin:/usr/bin", NULL},
				    "make");
	assert_string_equal(entry_of(result, "HOME"), "/nonexistent/ann");
	assert_string_equal(entry_of(result, "USER"), "ann");
	assert_string_equal(entry_of(result, "LOGNAME"), "ann");
	assert_string_equal(entry_of(result, "SHELL"), "/bin/zsh");
	assert_string_equal(entry_of(result, "LANG"), "C");
	assert_string_equal(entry_of(result, "SUDO_UID"), "1000");
	assert_string_equal(entry_of(result, "PATH"), "/usr/sbin:/usr/bin");
	free(result);
	free(home);

	result = launch_environment(
	    &user, (char *[]){(char *)"HOME=/kept", (char *)"SHELL=/kept/sh", (char *)"USER=kept", NULL}, "make");
	assert_string_equal(entry_of(result, "HOME"), "/kept");
	assert_string_equal(entry_of(result, "SHELL"), "/kept/sh");
	assert_string_equal(entry_of(result, "USER"), "kept");
	free(result);
}

static void put_executable(const char *name)
{
	char *path = path_join(directory, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs("#!/bin/sh\n", file);
	fclose(file);
	chmod(path, 0755);
	free(path);
}

static void path_gets_the_cargo_directory_that_sudo_hid(void **state)
{
	struct identity user = {.home = directory, .shell = (char *)"/bin/sh", .behind_sudo = true};
	char *expected, *there, *cargo_home, **result;
	struct error err;

	(void)state;
	user.home = path_join(directory, "ann");
	there = path_join(user.home, ".cargo/bin");
	assert_int_equal(path_make_directory(there, &own, &err), 0);

	/* A directory of other tools is wanted for its own commands only. */
	put_executable("ann/.cargo/bin/just");
	result = launch_environment(&user, (char *[]){(char *)"PATH=/usr/bin:/bin", NULL}, "sh");
	assert_string_equal(entry_of(result, "PATH"), "/usr/bin:/bin");
	free(result);
	assert_true(asprintf(&expected, "%s:/usr/bin:/bin", there) > 0);
	result = launch_environment(&user, (char *[]){(char *)"PATH=/usr/bin:/bin", NULL}, "just");
	assert_string_equal(entry_of(result, "PATH"), expected);
	free(result);

	/* One with a cargo is wanted in any case: make may call it. */
	put_executable("ann/.cargo/bin/cargo");
	result = launch_environment(&user, (char *[]){(char *)"PATH=/usr/bin:/bin", NULL}, "make");
	assert_string_equal(entry_of(result, "PATH"), expected);
	free(result);

	/* It is not put there twice, and CARGO_HOME says where it is. */
	free(expected);
	assert_true(asprintf(&expected, "PATH=/usr/bin:%s", there) > 0);
	result = launch_environment(&user, (char *[]){expected, NULL}, "cargo");
	assert_string_equal(entry_of(result, "PATH"), expected + strlen("PATH="));
	free(result);
	free(expected);
	free(user.home);
	user.home = (char *)"/nonexistent";
	assert_true(asprintf(&cargo_home, "CARGO_HOME=%s/ann/.cargo", directory) > 0);
	assert_true(asprintf(&expected, "%s:/usr/bin", there) > 0);
	result = launch_environment(&user, (char *[]){(char *)"PATH=/usr/bin", cargo_home, NULL}, "cargo");
	assert_string_equal(entry_of(result, "PATH"), expected);
	free(result);
	free(expected);
	free(cargo_home);
	free(there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(environment_is_left_alone_without_sudo),
	    cmocka_unit_test(environment_behind_sudo_speaks_of_the_user),
	    cmocka_unit_test(path_gets_the_cargo_directory_that_sudo_hid),
	};

	return cmocka_run_group_tests_name("launch_environment", tests, set_up, tear_down);
}
