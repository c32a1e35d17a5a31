/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap daemon: records for users who may not load BPF programs themselves. */
#include <unistd.h>

#include "cmd/cmd.h"
#include "serve/serve.h"

static const struct option_row options[] = {
    {.name = "socket",
     .letter = 's',
     .kind = OPTION_STRING,
     .argument = "PATH",
     .offset = offsetof(struct serve_options, socket),
     .help = "Listen on this socket (default: " SERVE_SOCKET ", or the one that systemd hands over)"},
    {.name = "group",
     .letter = 'g',
     .kind = OPTION_STRING,
     .argument = "NAME",
     .offset = offsetof(struct serve_options, group),
     .help = "Let members of this group record (default: querytap if there is such a group, else root alone)"},
    {.name = "max-sessions",
     .kind = OPTION_UINT,
     .argument = "N",
     .offset = offsetof(struct serve_options, max_sessions),
     .min = 1,
     .max = 1024,
     .help = "Recordings at once (default: 16)"},
    {.name = "max-per-user",
     .kind = OPTION_UINT,
     .argument = "N",
     .offset = offsetof(struct serve_options, max_per_user),
     .min = 1,
     .max = 1024,
     .help = "Recordings at once of one user (default: 4)"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_options, quiet),
     .help = "Do not tell of recordings that begin and end"},
    {0},
};

static const struct serve_options defaults = {.max_sessions = 16, .max_per_user = 4};

static int run(const void *settings, int argc, char **argv)
{
	struct error err = {0};

	if (argc) {
		dprintf(STDERR_FILENO,
			"querytap daemon: takes no argument, but was given %s; see querytap daemon --help\n", argv[0]);
		return EXIT_USAGE;
	}
	if (serve(settings, &err) == 0)
		return EXIT_OK;
	dprintf(STDERR_FILENO, "querytap daemon: %s\n", err.text);
	return EXIT_USAGE;
}

const struct command command_daemon = {
    .name = "daemon",
    .arguments = "",
    .summary = "Record for users who may not, by record and attach of theirs",
    .details =
	"Listens on a socket and records what `querytap record` and `querytap attach` of ordinary users ask for: "
	"their own processes, into folders of theirs, with their rights. Each recording has a process of its own, "
	"which runs as the user. Ends at SIGTERM or SIGINT, once all profiles are complete.\n"
	"\n"
	"Run it as root, best by systemd (querytap.service). Clients find the socket by QUERYTAP_SOCKET, else at "
	"the default.",
    .options = options,
    .settings_size = sizeof(struct serve_options),
    .settings_default = &defaults,
    .run = run,
};
