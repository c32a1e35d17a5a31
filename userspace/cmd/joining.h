/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which processes attach and top look at, and how they get at those that run already. */
#ifndef QUERYTAP_CMD_JOINING_H
#define QUERYTAP_CMD_JOINING_H

#include "cmd/recording.h"

struct joining {
	unsigned long pid, tree; /* 0: not given */
	const char *comm;
	bool all;
};

/* The rows of these options; `verb` begins their help. */
#define JOINING_OPTIONS(type, member, verb)                                                              \
	{.name = "pid",                                                                                  \
	 .letter = 'p',                                                                                  \
	 .kind = OPTION_UINT,                                                                            \
	 .argument = "PID",                                                                              \
	 .offset = offsetof(type, member.pid),                                                           \
	 .min = 1,                                                                                       \
	 .max = 4194304,                                                                                 \
	 .help = verb " the compiler with this process id"},                                             \
	    {.name = "tree",                                                                             \
	     .letter = 't',                                                                              \
	     .kind = OPTION_UINT,                                                                        \
	     .argument = "PID",                                                                          \
	     .offset = offsetof(type, member.tree),                                                      \
	     .min = 1,                                                                                   \
	     .max = 4194304,                                                                             \
	     .help = verb " this process (a cargo, a make) and all that it has started and will start"}, \
	    {.name = "comm",                                                                             \
	     .kind = OPTION_STRING,                                                                      \
	     .argument = "NAME",                                                                         \
	     .offset = offsetof(type, member.comm),                                                      \
	     .help = verb " all programs of this name (cargo, make) and all that they start"},           \
	{                                                                                                \
		.name = "all", .letter = 'a', .kind = OPTION_FLAG, .offset = offsetof(type, member.all), \
		.help = verb " every compiler on this machine"                                           \
	}

/* How many of them are given. */
int joining_ways(const struct joining *joining);

/* Opens the recording, follows what is asked for, which must be given in one way, and probes its compilers. */
int joining_start(struct recording *recording, const struct recording_settings *settings, const struct joining *joining,
		  struct error *err);

#endif
