/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap record: runs a command and profiles every rustc that it starts. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/recording.h"
#include "collect/launch.h"

struct record_settings {
	struct recording_settings common;
	bool best_effort;
};

static const struct option_row options[] = {
    RECORDING_OPTIONS(struct record_settings, common),
    {.name = "best-effort",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct record_settings, best_effort),
     .help = "Run COMMAND unprofiled, with a warning, where it cannot be profiled"},
    {0},
};

/* Probes what COMMAND may use and follows it. After this it may start. */
static int set_up(struct recording *recording, const struct record_settings *settings, const struct launch *launch,
		  char **argv, char **environment, struct error *err)
{
	char *cwd = getcwd(NULL, 0);
	struct find_input input = {argv, environment, cwd ? cwd : "/", NULL};
	struct found_list found = {0};
	int code = recording_open(recording, &settings->common, false, NULL, err);

	if (code == 0) {
		input.home = recording->user.home;
		code = compilers_find(&input, &found, err);
	}
	if (code == 0)
		code = recording_probe(recording, &found, err);
	if (code == 0)
		code = recording_follow(recording, launch->pid, FOLLOW_NEW, err);
	if (code == 0)
		code = recording_make_directory(recording, err);
	found_list_free(&found);
	free(cwd);
	return code;
}

/*
 * Drains until COMMAND has ended. Without a recording it only waits. There is no progress line: the terminal is
 * COMMAND's meanwhile, and erasing ours could take an unfinished line of its with it.
 */
static void watch(struct recording *recording, const struct launch *launch)
{
	for (;;) {
		struct pollfd files[] = {
		    {launch->pid_fd, POLLIN, 0},
		    {launch->signal_fd, POLLIN, 0},
		    {recording ? recording_fd(recording) : -1, POLLIN, 0},
		};
		int ready = poll(files, 3, recording ? 100 : -1);

		if (ready < 0 && errno != EINTR)
			break;
		if (ready > 0 && files[1].revents)
			launch_forward(launch, NULL);
		if (recording)
			recording_take(recording);
		if (ready > 0 && files[0].revents)
			break;
	}
}

/* Starts COMMAND and sees it to its end. Returns the exit status. */
static int run_command(struct recording *recording, struct launch *launch)
{
	struct error err = {0};
	int status = EXIT_FAILED;

	if (launch_release(launch, &status, &err) < 0) {
		dprintf(STDERR_FILENO, "querytap: %s\n", err.text);
		if (recording)
			recording_drop_directory(recording);
		return status;
	}
	watch(recording, launch);
	status = launch_wait(launch, &err);
	if (status < 0) {
		dprintf(STDERR_FILENO, "querytap: %s\n", err.text);
		status = EXIT_FAILED;
	}
	return recording ? recording_close(recording, status) : status;
}

static int record_prepared(const struct record_settings *settings, struct launch *launch, char **argv,
			   char **environment)
{
	struct recording recording = {0};
	struct error err = {0};
	int status = EXIT_USAGE;
	char variable[128];

	if (set_up(&recording, settings, launch, argv, environment, &err) == 0) {
		if (recording.client) {
			snprintf(variable, sizeof(variable), SERVE_SESSION_VARIABLE "=%s",
				 client_token(recording.client));
			launch->variable = variable;
		}
		status = run_command(&recording, launch);
	} else {
		recording_say(&recording, "%s%s", err.text, settings->best_effort ? "; running unprofiled" : "");
		recording_drop_directory(&recording);
		if (settings->best_effort)
			status = run_command(NULL, launch);
	}
	recording_free(&recording);
	return status;
}

static int run(const void *settings, int argc, char **argv)
{
	struct identity user = {0};
	struct launch launch = {0};
	struct error err = {0};
	char **environment = NULL;
	int status = EXIT_USAGE;

	if (!argc) {
		dprintf(STDERR_FILENO, "querytap record: give the command to run: querytap record -- cargo build\n");
		return EXIT_USAGE;
	}
	if (identity_find(&user, &err) == 0) {
		environment = launch_environment(&user, environ, argv[0]);
		if (!environment)
			error_set(&err, ENOMEM, "out of memory");
		else if (launch_prepare(&launch, &user, argv, environment, &err) == 0)
			status = record_prepared(settings, &launch, argv, environment);
		launch_free(&launch);
	}
	if (err.text[0])
		dprintf(STDERR_FILENO, "querytap: %s\n", err.text);
	free(environment);
	identity_free(&user);
	return status;
}

const struct command command_record = {
    .name = "record",
    .arguments = "-- COMMAND [ARG...]",
    .summary = "Run a command and profile every rustc that it starts",
    .details = "Runs COMMAND (rustc, cargo, make, anything) and writes one profile for each compiler process that it "
	       "starts, DIR/CRATE-PID.mm_profdata, in the format of -Zself-profile. Compilers are found before COMMAND "
	       "starts: on PATH, in RUSTC and the like, and among rustup's toolchains. One met only later is probed "
	       "when it is first seen, and what it ran before is counted as missed.\n"
	       "\n"
	       "Without root's rights, querytap daemon records, if one runs and you are of its group. "
	       "Behind sudo, COMMAND runs as the user who called it, and the profiles belong to that user. The exit "
	       "status is COMMAND's; 2 if it was not started.",
    .options = options,
    .settings_size = sizeof(struct record_settings),
    .run = run,
};
