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
#include "cmd/joining.h"
#include "cmd/recording.h"
#include "util/clock.h"

#define COMM_SIZE 16 /* of a program's name in the kernel, with the NUL behind it */

struct attach_settings {
	struct recording_settings common;
	struct joining joining;
	double seconds;
};

static const struct option_row options[] = {
    JOINING_OPTIONS(struct attach_settings, joining, "Profile"),
    {.name = "duration",
     .letter = 'd',
     .kind = OPTION_DOUBLE,
     .argument = "SECONDS",
     .offset = offsetof(struct attach_settings, seconds),
     .help = "Stop after this time (default: when the last process has ended, or at Ctrl-C)"},
    RECORDING_OPTIONS(struct attach_settings, common),
    {0},
};

static int set_up(struct recording *recording, const struct attach_settings *settings, struct error *err)
{
	int code = joining_start(recording, &settings->common, &settings->joining, err);

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

	if (argc || joining_ways(&settings->joining) != 1) {
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
	       "are found on the stacks, marked, and last from then on; where that cannot be done (before Linux 6.1, "
	       "behind code that is not the compiler's) they are counted as missed. Those that still run at the end "
	       "are closed and counted as truncated. Detaching "
	       "leaves nothing behind in the compilers.",
    .options = options,
    .settings_size = sizeof(struct attach_settings),
    .run = run,
};
