/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* For tests of launching COMMAND: who we are, without sudo, and a directory that all users may write to. */
#ifndef QUERYTAP_TESTS_LAUNCH_FIXTURE_H
#define QUERYTAP_TESTS_LAUNCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/launch.h"

static struct identity own;
static char *directory;

static int set_up(void **state)
{
	struct error err;

	(void)state;
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	directory = strdup("/tmp/querytap-test-XXXXXX");
	return identity_find(&own, &err) || !directory || !mkdtemp(directory) || chmod(directory, 0777) ? -1 : 0;
}

static int tear_down(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	free(directory);
	identity_free(&own);
	return system(command);
}

#endif
