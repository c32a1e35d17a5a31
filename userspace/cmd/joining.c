/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/joining.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define COMM_SIZE 16 /* of a program's name in the kernel, with the NUL behind it */

int joining_ways(const struct joining *joining)
{
	return (joining->pid != 0) + (joining->tree != 0) + (joining->comm != NULL) + joining->all;
}

/* Probes the compilers that those may use which start later. It is no error if there is none: one may come. */
static int probe_installed(struct recording *recording, struct error *err)
{
	char *argv[] = {NULL};
	struct find_input input = {argv, environ, "/", recording->user.home};
	struct found_list found = {0};
	int code = compilers_find(&input, &found, err);

	if (code == 0 && found.count)
		code = recording_probe(recording, &found, err);
	found_list_free(&found);
	return code;
}

static int follow_many(struct recording *recording, pid_t root, struct error *err)
{
	int code = recording_follow(recording, root, FOLLOW_TREE, err);

	if (code == 0)
		code = probe_installed(recording, err);
	if (code == 0)
		code = recording_follow(recording, root, FOLLOW_TREE, err);
	return code;
}

int joining_start(struct recording *recording, const struct recording_settings *settings, const struct joining *joining,
		  struct error *err)
{
	pid_t target = (pid_t)(joining->pid ? joining->pid : joining->tree);
	int code;

	if (joining->comm && strlen(joining->comm) >= COMM_SIZE)
		return error_set(
		    err, EINVAL,
		    "--comm takes a name of at most %d bytes, to which the system cuts the names of programs",
		    COMM_SIZE - 1);
	if (target && kill(target, 0) < 0 && errno == ESRCH)
		return error_set(err, ESRCH, "there is no process %d", (int)target);
	recording->joins = true;
	code = recording_open(recording, settings, joining->all, joining->comm, err);
	if (code < 0)
		return code;
	return joining->pid ? recording_follow(recording, target, FOLLOW_ALONE, err)
			    : follow_many(recording, target, err);
}
