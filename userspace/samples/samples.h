/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file of samples: what threads were found doing, and when they were off the CPU; see docs/samples.md. */
#ifndef QUERYTAP_SAMPLES_SAMPLES_H
#define QUERYTAP_SAMPLES_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/identity.h"

/* In the folder of a recording. */
#define SAMPLES_FILE "samples.qts"

enum samples_frame_kind {
	SAMPLES_FUNCTION,
	SAMPLES_QUERY,	  /* that runs; it stands behind the function that it began in */
	SAMPLES_ACTIVITY, /* anything else that -Zself-profile would show, likewise */
	SAMPLES_FRAME_KINDS
};

struct samples_frame {
	enum samples_frame_kind kind;
	char *name;   /* demangled, or the label; of a function without a symbol the object's name in brackets */
	char *object; /* the file that the function is in, without directories; "" if there is none */
};

/* A stack: another one and one frame more. Number 0 is the empty stack; a parent's number is below its children's. */
struct samples_stack {
	uint32_t parent;
	uint32_t frame; /* index in `frames`; of no meaning for number 0 */
};

struct samples_thread {
	uint32_t pid, tid;
	char *process; /* the name of its first thread, and its own */
	char *name;
};

#define SAMPLES_KERNEL 1u     /* the thread was in the kernel; the stack is that from which it went there */
#define SAMPLES_INCOMPLETE 2u /* the walk did not reach the thread's start */
#define SAMPLES_FAULT 4u      /* the thread was in the kernel because of a page fault; only with SAMPLES_KERNEL */

struct samples_sample {
	uint64_t time;	 /* nanoseconds since recording began */
	uint32_t thread; /* index in `threads` */
	uint32_t stack;
	uint32_t flags;
};

/* Why a thread was off the CPU. */
enum samples_reason {
	SAMPLES_PREEMPTED,
	SAMPLES_FUTEX,
	SAMPLES_PAGE_IN,
	SAMPLES_PIPE,
	SAMPLES_CHILD,	/* waited for a process to end */
	SAMPLES_ASLEEP, /* for a time that it chose */
	SAMPLES_FILE_IO,
	SAMPLES_OTHER,
	SAMPLES_REASONS
};

struct samples_absence {
	uint64_t time, length; /* nanoseconds; since recording began */
	uint32_t thread;
	uint32_t stack; /* of queries and activities alone */
	enum samples_reason reason;
	uint64_t
	    skew; /* what the thread's times in profiles were behind `time` by: the cost of its probes, nanoseconds */
};

/* The account of a thread whose absences are known: all of its time that it was not off the CPU, it was on it. */
struct samples_times {
	uint32_t thread;
	uint64_t start, end; /* nanoseconds since recording began: its first query, and its end or the recording's */
	uint64_t off[SAMPLES_REASONS]; /* nanoseconds off the CPU, with the absences that are not here */
	uint64_t ran;		       /* nanoseconds on it by the scheduler's account */
};

/* All that a file holds. The arrays and the texts in them are its own. */
struct samples {
	uint64_t began;	   /* CLOCK_REALTIME, nanoseconds since 1970 */
	uint64_t duration; /* nanoseconds for which was recorded */
	uint32_t hz;	   /* samples of a processor in a second */
	uint64_t lost;	   /* samples that are not here */
	bool estimated;	   /* queries stand in stacks where their functions do: no probes told of them */
	bool absences_known;
	struct samples_frame *frames;
	size_t frame_count;
	struct samples_stack *stacks;
	size_t stack_count;
	struct samples_thread *threads;
	size_t thread_count;
	struct samples_sample *samples; /* by time */
	size_t sample_count;
	struct samples_absence *absences; /* by time */
	size_t absence_count;
	struct samples_times *times; /* in no order */
	size_t times_count;
	uint64_t absences_lost; /* absences, and threads' times, that are not here */
};

/*
 * Writes the file, which appears whole or not at all and belongs to `owner` (NULL: whoever runs this). Returns 0 or a
 * negative errno.
 */
int samples_write(const struct samples *samples, const char *path, const struct identity *owner, struct error *err);

/*
 * Reads such a file, or the one in a folder of that path. *out is the caller's. Numbers in it are sound: indices are
 * within their arrays, and parents below children. -ENOENT if there is none, -EINVAL if it is none or damaged.
 */
int samples_read(const char *path, struct samples **out, struct error *err);

/* Accepts NULL. */
void samples_free(struct samples *samples);

/* The word for a reason: "futex". */
const char *samples_reason_name(enum samples_reason reason);

#endif
