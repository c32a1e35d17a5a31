/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap attach: profiles compilers that are already running, and those that start later. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/recording.h"
#include "util/clock.h"

#define COMM_SIZE 16 /* of a program's name in the kernel, with the NUL behind it */

struct attach_settings {
	struct recording_settings common;
	unsigned long pid, tree;
	const char *comm;
	bool all;
	double seconds;
};

static const struct option_row options[] = {
    {.name = "pid",
     .letter = 'p',
     .kind = OPTION_UINT,
     .argument = "PID",
     .offset = offsetof(struct attach_settings, pid),
     .min = 1,
     .max = 4194304,
     .help = "Profile the compiler with this process id"},
    {.name = "tree",
     .letter = 't',
     .kind = OPTION_UINT,
     .argument = "PID",
     .offset = offsetof(struct attach_settings, tree),
     .min = 1,
     .max = 4194304,
     .help = "Profile this process (a cargo, a make) and all that it has started and will start"},
    {.name = "comm",
     .letter = 'c',
     .kind = OPTION_STRING,
     .argument = "NAME",
     .offset = offsetof(struct attach_settings, comm),
     .help = "Profile every process whose program has this name (rustc, cargo), and all that it starts"},
    {.name = "all",
     .letter = 'a',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct attach_settings, all),
     .help = "Profile every compiler on this machine"},
    {.name = "duration",
     .letter = 'd',
     .kind = OPTION_DOUBLE,
     .argument = "SECONDS",
     .offset = offsetof(struct attach_settings, seconds),
     .help = "Stop after this time (default: when the last process has ended, or at Ctrl-C)"},
    RECORDING_OPTIONS(struct attach_settings, common),
    {0},
};

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

static int set_up(struct recording *recording, const struct attach_settings *settings, struct error *err)
{
	pid_t target = (pid_t)(settings->pid ? settings->pid : settings->tree);
	int code;

	if (settings->comm && strlen(settings->comm) >= COMM_SIZE)
		return error_set(
		    err, EINVAL,
		    "--comm takes a name of at most %d bytes, to which the system cuts the names of programs",
		    COMM_SIZE - 1);
	if (target && kill(target, 0) < 0 && errno == ESRCH)
		return error_set(err, ESRCH, "there is no process %d", (int)target);
	code = recording_open(recording, &settings->common, settings->all, settings->comm, err);
	if (code == 0)
		code = settings->pid ? recording_follow(recording, target, FOLLOW_ALONE, err)
				     : follow_many(recording, target, err);
	return code < 0 ? code : recording_make_directory(recording, err);
}

static void watch(struct recording *recording, const struct attach_settings *settings, int signals)
{
	double end = settings->seconds > 0 ? (double)clock_now(CLOCK_MONOTONIC) / 1e9 + settings->seconds : 0;

	for (;;) {
		struct pollfd files[] = {
		    {signals, POLLIN, 0},
		    {recording_fd(recording), POLLIN, 0},
		};
		double left = end > 0 ? end - (double)clock_now(CLOCK_MONOTONIC) / 1e9 : 1;
		int ready;

		if (left <= 0 || recording_is_over(recording))
			break;
		ready = poll(files, 2, left < 0.1 ? (int)(left * 1000) + 1 : 100);
		if (ready < 0 && errno != EINTR)
			break;
		recording_take(recording);
		recording_progress(recording);
		if (ready > 0 && files[0].revents)
			break;
	}
}

static int run(const void *opaque, int argc, char **argv)
{
	const struct attach_settings *settings = opaque;
	struct recording recording = {0};
	struct error err = {0};
	sigset_t set;
	int signals, status = EXIT_USAGE;

	if (argc || (settings->pid != 0) + (settings->tree != 0) + (settings->comm != NULL) + settings->all != 1) {
		dprintf(STDERR_FILENO, "querytap attach: %s%s; see querytap attach --help\n",
			argc ? "takes no argument, but was given " : "give one of --pid, --tree, --comm and --all",
			argc ? argv[0] : "");
		return EXIT_USAGE;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (set_up(&recording, settings, &err) == 0) {
		if (!settings->common.quiet)
			recording_say(&recording, "attached; %s",
				      settings->seconds > 0 ? "recording" : "Ctrl-C ends it");
		watch(&recording, settings, signals);
		status = recording_close(&recording, EXIT_OK);
	} else {
		recording_say(&recording, "%s", err.text);
		recording_drop_directory(&recording);
	}
	close(signals);
	recording_free(&recording);
	return status;
}

const struct command command_attach = {
    .name = "attach",
    .arguments = "",
    .summary = "Profile compilers that are already running, and those that start later",
    .details = "Joins running compilers and writes the same profiles as record, from the moment it is attached until "
	       "SECONDS have passed, the last followed process has ended, or Ctrl-C. Queries that were entered before "
	       "are counted as missed; those that still run at the end are closed and counted as truncated. Detaching "
	       "leaves nothing behind in the compilers.",
    .options = options,
    .settings_size = sizeof(struct attach_settings),
    .run = run,
};
