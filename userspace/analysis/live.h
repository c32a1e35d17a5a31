/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What compilers are doing, while they do it: fed with what they send and with looks at their threads, read after each
 * look. All that can be read changes with looks only, so that who stops looking sees a still picture. Times are
 * nanoseconds; `now` is of one clock that only goes up.
 */
#ifndef QUERYTAP_ANALYSIS_LIVE_H
#define QUERYTAP_ANALYSIS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/compiler.h"

enum { LIVE_NAME = 17, LIVE_CRATE = 128 };

/* A query or an activity. */
struct live_row {
	enum event_class event;
	const char *label;
	uint64_t count; /* that have ended */
	uint64_t self;	/* of these, and of those that run */
	uint64_t mean;	/* of those that have ended; 0 for none */
	double rate;	/* count a second, since the look before */
	double share;	/* self time in a second, in seconds, likewise: above 1 where it ran on several threads */
};

struct live_frame {
	enum event_class event;
	const char *label; /* borrowed from whoever told of it */
	uint64_t elapsed, self;
};

struct live_thread {
	pid_t tid;
	char name[LIVE_NAME];
	bool waits;
	double cpu; /* seconds on the CPU in a second, since the look before */
	uint64_t run_time;
	struct live_frame *frames; /* the outermost first */
	size_t depth;
};

struct live_compiler {
	pid_t pid;
	char crate[LIVE_CRATE];
	const char *version; /* borrowed from whoever told of it */
	bool joined;	     /* it ran before it was looked at */
	bool ended, succeeded;
	uint64_t age; /* how long it has run; if it was joined, since then */
	double cpu;   /* seconds on the CPU in a second, of all threads, since the look before */
	uint64_t events;
	double rate;		     /* events a second, likewise */
	struct live_thread *threads; /* those in something first, the busiest of them first of all */
	size_t thread_count;
};

struct live_summary {
	uint64_t elapsed;	/* since the first look */
	uint64_t ended, failed; /* compilers that have compiled something */
	uint64_t events, self;
	double rate; /* events a second, since the look before */
	double cpu;  /* seconds on the CPU in a second, of all compilers */
};

struct live;

/* NULL if out of memory. Free with live_free, which accepts NULL. */
struct live *live_new(uint64_t now);
void live_free(struct live *live);

/*
 * A compiler begins, at `start`; the strings of what is told are copied, but `version` and labels, which must outlive
 * the model. What does not fit into memory is left out.
 */
struct live_beginning {
	pid_t pid;
	const char *crate, *version;
	uint64_t start;
	bool joined;
};

void live_begin(struct live *live, const struct live_beginning *beginning);

/* An event of it has ended. The same label at the same address always means the same event. */
void live_event(struct live *live, pid_t pid, enum event_class event, const char *label, uint64_t self);

void live_end(struct live *live, pid_t pid, bool succeeded);

/* A look: its beginning, each thread of each compiler that is there, and its end. */
struct live_seen_event {
	enum event_class event;
	const char *label;
	uint64_t self;
};

struct live_seen_thread {
	pid_t pid, tid;
	const char *name;
	bool waits;
	uint64_t run_time;	/* on the CPU so far */
	uint64_t run_time_gone; /* of threads of its process that are gone */
	const struct live_frame *frames;
	size_t depth;
	/* What has ended and live_event() was not told of yet, but will be. */
	const struct live_seen_event *pending;
	size_t pending_count;
};

void live_look_begin(struct live *live, uint64_t now);
void live_look_thread(struct live *live, const struct live_seen_thread *seen);
/* Compilers that have ended are gone from here on, save the one with the pid `keep`. */
void live_look_end(struct live *live, pid_t keep);

void live_summarize(const struct live *live, struct live_summary *summary);

enum live_order { LIVE_BY_SELF, LIVE_BY_COUNT, LIVE_BY_RATE, LIVE_BY_SHARE, LIVE_BY_MEAN, LIVE_BY_LABEL, LIVE_ORDERS };

enum live_compiler_order {
	LIVE_COMPILER_BY_AGE, /* the oldest first */
	LIVE_COMPILER_BY_CPU,
	LIVE_COMPILER_BY_RATE,
	LIVE_COMPILER_BY_PID,
	LIVE_COMPILER_BY_CRATE,
	LIVE_COMPILER_ORDERS
};

/*
 * The rows that came or are open, of one compiler or, with pid 0, of all; those whose label contains `filter`, whatever
 * the case. Sorted, the most first. *rows is allocated (free it with free()) and lives until the model is fed again;
 * its strings, as long as the model. Returns how many; 0 with *rows NULL where there is no memory.
 */
size_t live_rows(const struct live *live, pid_t pid, enum live_order order, const char *filter, struct live_row **rows);

/*
 * The compilers whose crate contains `filter`, sorted. *compilers is allocated likewise; what it points to is the
 * model's own until the next look.
 */
size_t live_compilers(const struct live *live, enum live_compiler_order order, const char *filter,
		      const struct live_compiler ***compilers);

/* The compiler with the pid; NULL if there is none. */
const struct live_compiler *live_compiler_of(const struct live *live, pid_t pid);

#endif
