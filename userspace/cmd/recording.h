/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What record, attach and top share: finding and probing compilers, the output folder, and the last line. */
#ifndef QUERYTAP_CMD_RECORDING_H
#define QUERYTAP_CMD_RECORDING_H

#include "collect/collect.h"
#include "collect/compilers.h"
#include "compiler/find.h"
#include "serve/serve.h"
#include "util/identity.h"
#include "util/progress.h"

/* Options that both commands have. */
struct recording_settings {
	const char *directory; /* NULL: a new folder named after the time */
	bool quiet;
	bool strict;
	unsigned long buffer_mib; /* 0: the default */
	const char *events;	  /* names, separated by commas; NULL: the default */
	const char *counter;	  /* wall-time or cpu-time; NULL: wall-time */
	const char *overhead;	  /* exact, auto, auto=PERCENT, counts or sample; NULL: auto */
	const char *queries;	  /* patterns, separated by commas; NULL: all */
	const char *probes;	  /* auto, multi or perf */
	unsigned long sample_hz;  /* 0: none, or as many as --overhead wants */
	bool no_sample;
	bool off_cpu;
	bool no_compensate;
};

#define RECORDING_OPTIONS(type, member) RECORDING_FILE_OPTIONS(type, member), RECORDING_PROBE_OPTIONS(type, member)

/* Where profiles go, and what is printed. */
#define RECORDING_FILE_OPTIONS(type, member)                                                              \
	{.name = "output",                                                                                \
	 .letter = 'o',                                                                                   \
	 .kind = OPTION_STRING,                                                                           \
	 .argument = "DIR",                                                                               \
	 .offset = offsetof(type, member.directory),                                                      \
	 .help = "Put the profiles into DIR, made if it is missing (default: a new querytap-DATE-TIME)"}, \
	    {.name = "quiet",                                                                             \
	     .letter = 'q',                                                                               \
	     .kind = OPTION_FLAG,                                                                         \
	     .offset = offsetof(type, member.quiet),                                                      \
	     .help = "Print nothing but errors"},                                                         \
	{                                                                                                 \
		.name = "strict", .kind = OPTION_FLAG, .offset = offsetof(type, member.strict),           \
		.help = "Exit with status 3 if records were lost or a profile could not be written"       \
	}

/* What is recorded, and how. */
#define RECORDING_PROBE_OPTIONS(type, member)                                                                       \
	{.name = "events",                                                                                          \
	 .letter = 'e',                                                                                             \
	 .kind = OPTION_STRING,                                                                                     \
	 .argument = "LIST",                                                                                        \
	 .offset = offsetof(type, member.events),                                                                   \
	 .help = "What to record, by the names of -Zself-profile-events, separated by commas: none, default, all, " \
		 "query-provider, generic-activity, query-blocked, incr-cache-load, incr-result-hashing, "          \
		 "artifact-sizes, query-keys, function-args, args"},                                                \
	    {.name = "counter",                                                                                     \
	     .kind = OPTION_STRING,                                                                                 \
	     .argument = "NAME",                                                                                    \
	     .offset = offsetof(type, member.counter),                                                              \
	     .help = "What times are: wall-time (default), or cpu-time, without what a thread sleeps, waits or is " \
		     "pre-empted (Linux 6.2)"},                                                                     \
	    {.name = "overhead",                                                                                    \
	     .kind = OPTION_STRING,                                                                                 \
	     .argument = "MODE",                                                                                    \
	     .offset = offsetof(type, member.overhead),                                                             \
	     .help = "How much is timed: auto[=PERCENT] (default: 5), what can be timed while compilers take no "   \
		     "more than that longer; exact, everything; counts, nothing: events are only counted; or "      \
		     "sample, nothing, and without any probe: times are estimated from samples"},                   \
	    {.name = "queries",                                                                                     \
	     .kind = OPTION_STRING,                                                                                 \
	     .argument = "GLOB,...",                                                                                \
	     .offset = offsetof(type, member.queries),                                                              \
	     .help = "Record only the queries and activities whose labels fit one of these patterns, as a shell's " \
		     "do"},                                                                                         \
	    {.name = "no-compensate",                                                                               \
	     .kind = OPTION_FLAG,                                                                                   \
	     .offset = offsetof(type, member.no_compensate),                                                        \
	     .help = "Leave the cost of the probes in the times instead of taking it out"},                         \
	    {.name = "buffer",                                                                                      \
	     .kind = OPTION_UINT,                                                                                   \
	     .argument = "MIB",                                                                                     \
	     .offset = offsetof(type, member.buffer_mib),                                                           \
	     .min = 1,                                                                                              \
	     .max = 1024,                                                                                           \
	     .help =                                                                                                \
		 "Size of the ring buffer between kernel and querytap, rounded up to a power of two (default: 8)"}, \
	    {.name = "sample",                                                                                      \
	     .kind = OPTION_MAYBE_UINT,                                                                             \
	     .argument = "HZ",                                                                                      \
	     .offset = offsetof(type, member.sample_hz),                                                            \
	     .min = 1,                                                                                              \
	     .max = 10000,                                                                                          \
	     .help = "Sample the stacks of all that runs, HZ times a second (default: 997), into samples.qts, "     \
		     "which querytap samples reads (Linux 6.1)"},                                                   \
	    {.name = "no-sample",                                                                                   \
	     .kind = OPTION_FLAG,                                                                                   \
	     .offset = offsetof(type, member.no_sample),                                                            \
	     .help = "Take no samples with --overhead auto either, by which what it leaves untimed is estimated"},  \
	    {.name = "off-cpu",                                                                                     \
	     .kind = OPTION_FLAG,                                                                                   \
	     .offset = offsetof(type, member.off_cpu),                                                              \
	     .help = "Note when and why threads are off the CPU: pre-empted, asleep, or waiting for another "       \
		     "thread, a page, a pipe, a process or a file (Linux 6.2)"},                                    \
	{                                                                                                           \
		.name = "probes", .kind = OPTION_STRING, .argument = "METHOD",                                      \
		.offset = offsetof(type, member.probes),                                                            \
		.help = "How to attach: multi (Linux 6.6), perf (older, slow to let go) or auto (default)"          \
	}

/* Exit status under --strict when records were lost. */
enum { EXIT_LOST = 3 };

struct recording {
	/* To be set before recording_open, or left NULL: as in struct collect_options; and where messages go. */
	const struct collect_sink *sink;
	void (*say)(void *context, const char *text);
	void *say_context;
	const struct recording_settings *settings;
	struct identity user;
	char *cache;
	char *directory;
	bool made_directory;
	bool joins; /* set before recording_open: what runs already will be followed */
	bool only_samples;
	bool samples_asked; /* not only for what is left untimed */
	bool follows_all;
	const char *comm;      /* borrowed */
	struct client *client; /* the daemon records; NULL: this process does, with the next two */
	struct collector *collector;
	struct compilers compilers;
	struct progress progress;
};

/* Prints "querytap: ..." to stderr in one write, over a progress line if one is shown; or gives the text to `say`. */
void recording_say(struct recording *recording, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Loads the programs and names the output folder. `everything`: follow every process that runs a probed compiler.
 * `comm`: follow all that become a program of this name; NULL for none; borrowed until recording_free. Without the
 * rights to, asks the daemon to, if there is one, for which the output folder is made at once.
 */
int recording_open(struct recording *recording, const struct recording_settings *settings, bool everything,
		   const char *comm, struct error *err);

/*
 * Probes the compilers on the list. Fails if none could be, with the sentence of the most likely one; says which of
 * the likely ones are left out.
 */
int recording_probe(struct recording *recording, const struct found_list *found, struct error *err);

/*
 * Follows a process. With FOLLOW_TREE also what it has started, and the compilers of these are probed; with
 * FOLLOW_ALONE its own is, and it is an error if it has none. With FOLLOW_TREE and a pid of 0 this is done with all
 * processes that are meant by `everything` or `comm`.
 */
int recording_follow(struct recording *recording, pid_t pid, enum follow how, struct error *err);

/* Becomes readable when there is something for recording_take; negative if there will be nothing. Borrowed. */
int recording_fd(const struct recording *recording);

/* Takes what has come; to be called every 100 ms at least. */
void recording_take(struct recording *recording);

/* Whether there is nothing left to follow. */
bool recording_is_over(const struct recording *recording);

/* Makes the output folder: the last step of the preparations, so that one that fails leaves nothing behind. */
int recording_make_directory(struct recording *recording, struct error *err);

/* Removes the output folder if it was made and is empty. */
void recording_drop_directory(const struct recording *recording);

/* Shows progress on a terminal. */
void recording_progress(struct recording *recording);

/* Ends the recording, prints the last line, and returns `status`, or EXIT_LOST where that is called for. */
int recording_close(struct recording *recording, int status);

/* Frees what the recording holds; profiles that are not finished are removed. */
void recording_free(struct recording *recording);

#endif
