/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs share: settings, maps, and a thread's shadow stack with the batch of its finished intervals. */
#ifndef QUERYTAP_BPF_STATE_H
#define QUERYTAP_BPF_STATE_H

#include "bpf/kernel.h"
#include "bpf/wire.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define KEY(sp, guard) ((sp) | (__u64)(guard) << 48)
#define KEY_SP(key) ((key)&WIRE_TIME_MASK)

struct thread {
	__u64 process_start;
	__u64 skew;	 /* nanoseconds that this thread has spent in probes so far: its clock is behind by as much */
	__u64 last;	 /* time of the last entry or exit; the next is later */
	__u64 cost;	 /* of a query's probes at present, nanoseconds */
	__u64 pace;	 /* 256 times the nanoseconds that an exit's program takes at present */
	__u64 gap;	 /* between the last two probes, nanoseconds */
	__u64 tcx;	 /* of the last query entered */
	__u32 arguments; /* in the batch */
	__u32 compiler;	 /* as in the cookies */
	/* Where times are of the CPU: nanoseconds away from it, so far and before it left last. */
	__u64 away, away_before;
	__u64 switched, ran; /* when it last left it or came back, and what the scheduler said then that it had run */
	__u32 is_away;
	__u32 after_exit; /* whether its last probe was an exit: 0 or 1 */
	__u32 depth;
	__u32 recovered; /* of the frames, the outermost ones, had begun when the process was joined */
	__u32 beyond;	 /* entries that found the stack full and whose exits are still to come */
	struct wire_frame frames[WIRE_MAX_DEPTH];
	struct wire_intervals batch;
	/* Its account of absences, since when; 0: there is none, or none any more. */
	__u64 watched;
	__u64 first_left, first_ran; /* when it first left the CPU, and what the scheduler said then that it had run */
	__u64 off[ABSENCE_REASONS];
	__u32 reason;		     /* why it left last: enum absence_reason */
	struct wire_absence absence; /* the last */
};

/* Set before the programs are loaded. */
extern const volatile __u8 trace_all;		  /* follow every process that runs a probed compiler */
extern const volatile char trace_comm[WIRE_COMM]; /* and each that becomes a program of this name; empty for none */
extern const volatile __u32 only_uid;		  /* whose processes are followed; WIRE_ANY_UID: everybody's */
extern const volatile __u8 counts_only; /* send an entry at once, as an interval of no length; nothing exits */
extern const volatile __u8 cpu_time;	/* a thread's clock stands still while it is off the CPU */
extern const volatile __u8 off_cpu;	/* say when threads are off the CPU, and why */
extern const volatile __u64 wake_bytes; /* wake the collector once this much waits in the ring */

/*
 * What a query's entry and exit cost while nothing slows the machine down, nanoseconds. It is taken out of the thread's
 * clock, so that intervals come out as long as they would be without probes. Set by the collector; 0: nothing is taken
 * out.
 */
extern volatile __u64 query_cost;
/* 256 times the nanoseconds that an exit's program takes in a compiler meanwhile; 0: the cost is taken for constant. */
extern volatile __u64 usual_pace;

/* Entries are let go of before their exits, which then end nothing and are not missed. Set by the collector. */
extern volatile __u8 letting_go;

extern volatile __u64 lost_absences; /* and threads' times, for which their ring buffer had no room */
extern volatile __u64 lost_lives;    /* records about the life of processes for which the ring buffer had no room */

extern const volatile __u8 with_texts; /* read the texts that guards have as arguments */
extern const volatile __u8 with_keys;  /* read the keys of queries */

struct query_table {
	__u16 numbers[WIRE_VTABLE_SLOTS]; /* of the query whose vtable lies 8 * index bytes behind the TyCtxt */
};

struct processes_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct wire_process);
};

/* Processes that have ended and are not freed yet; the key is the address of their first thread's task. */
struct leaving_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct wire_life);
};

struct threads_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
};

struct queries_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WIRE_MAX_COMPILERS);
	__type(key, __u32);
	__type(value, struct query_table);
};

struct passes_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct wire_pass_key);
	__type(value, struct wire_pass);
};

struct callers_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_MAX_CALLERS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct wire_caller_key);
	__type(value, struct wire_caller);
};

struct records_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
};

/* What threads' absences are sent through. It is made only where that is asked for. */
struct absences_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
};
#define ABSENCES_WAKE_BYTES (512 * 1024)

extern struct processes_map processes SEC(".maps");
extern struct leaving_map leaving SEC(".maps");
extern struct threads_map threads SEC(".maps");
extern struct queries_map queries SEC(".maps");
extern struct passes_map passes SEC(".maps");
extern struct callers_map callers SEC(".maps");
extern struct records_map records SEC(".maps");
extern struct absences_map absences SEC(".maps");

#define count_up(process, field, by)                                      \
	do {                                                              \
		struct wire_process *counted = (process);                 \
		if (counted)                                              \
			__sync_fetch_and_add(&counted->counts.field, by); \
	} while (0)

static __always_inline struct wire_process *process_of(const struct thread *thread)
{
	__u32 tgid = thread->batch.header.tgid;

	return bpf_map_lookup_elem(&processes, &tgid);
}

/*
 * How long the thread had been off the CPU by `now`, which it read itself. Where BPF programs can be pre-empted it may
 * have been away between that reading and this one, or between any two here; that absence is none of `now`'s.
 */
static __always_inline __u64 time_away(const struct thread *thread, __u64 now)
{
	__u64 away = thread->away;

	barrier();
	if (thread->switched > now)
		away = thread->away_before;
	return away;
}

/* The thread's clock when `now` was read: nanoseconds since its process's exec, without what it has spent in probes. */
static __always_inline __u64 clock_at(const struct thread *thread, __u64 now)
{
	__u64 time = now - thread->process_start - thread->skew;

	return cpu_time ? time - time_away(thread, now) : time;
}

/* No two times of a thread are the same: of two queries with no time in between, readers of the profile take the one
 * for a part of the other. */
static __always_inline __u64 later_time(struct thread *thread, __u64 time)
{
	if ((__s64)(time - thread->last) <= 0)
		time = thread->last + 1;
	thread->last = time;
	return time;
}

static __always_inline __u64 thread_time(struct thread *thread, __u64 now)
{
	return later_time(thread, clock_at(thread, now));
}

/*
 * The parts of a query's cost, of 128, that lie between the clock readings of two probes, one after the other; and what
 * a trap takes from caches and branch predictors, which goes on costing after it, ever less, in the `gap` nanoseconds
 * until the next. Found by comparing recordings of compilers with those of rustc's own profiler, event by event.
 */
static __always_inline __u64 cost_part(__u32 after_exit, __u32 is_exit)
{
	return after_exit ? (is_exit ? 68 : 77) : (is_exit ? 61 : 50);
}

static __always_inline __u64 refill_time(__u64 gap)
{
	return (gap < 1024 ? gap : 1024) / 8 + (gap < 8192 ? gap : 8192) / 32 + (gap < 32768 ? gap : 32768) / 64;
}

/* The time of a probe that read the clock at `now`. `is_exit` is 1 at an exit, 0 at an entry. */
static __always_inline __u64 probe_time(struct thread *thread, __u64 now, __u32 is_exit)
{
	__u64 time = clock_at(thread, now), cost = thread->cost * cost_part(thread->after_exit, is_exit) / 128;

	thread->gap = (__s64)(time - cost - thread->last) > 0 ? time - cost - thread->last : 0;
	if (cost)
		cost += refill_time(thread->gap);
	thread->skew += cost;
	thread->after_exit = is_exit;
	return later_time(thread, time - cost);
}

/* The same for a thread that need not be the current one. */
static __always_inline __u64 time_of_thread(struct thread *thread)
{
	return thread_time(thread, cpu_time && thread->is_away ? thread->switched : bpf_ktime_get_ns());
}

/* Sends the batch. What does not fit is counted as lost. */
static __noinline int flush(struct thread *thread)
{
	struct wire_process *process;
	__u32 count;
	__u64 size, wake = BPF_RB_NO_WAKEUP;

	if (!thread)
		return 0;
	count = thread->batch.header.count;
	if (!count)
		return 0;
	if (count > WIRE_BATCH)
		count = WIRE_BATCH;
	size = sizeof(struct wire_header) + count * sizeof(struct wire_interval);
	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) > wake_bytes)
		wake = BPF_RB_FORCE_WAKEUP;
	process = process_of(thread);
	if (process) {
		if (process->skew < thread->skew)
			process->skew = thread->skew;
		process->pace = thread->pace;
	}
	if (bpf_ringbuf_output(&records, &thread->batch, size, wake))
		count_up(process, lost, count - thread->arguments);
	thread->batch.header.count = 0;
	thread->arguments = 0;
	return 0;
}

/* Puts two words into the batch. */
static __always_inline void add_words(struct thread *thread, __u64 first, __u64 second)
{
	__u32 at = thread->batch.header.count;

	if (at < WIRE_BATCH) {
		thread->batch.intervals[at].start_and_number = first;
		thread->batch.intervals[at].length_and_flags = second;
		thread->batch.header.count = at + 1;
	}
}

/* An interval with its argument behind it; the two are not parted. */
static __noinline int add_with_argument(struct thread *thread, __u64 begun, __u64 length_and_flags, __u64 argument)
{
	if (thread->batch.header.count >= WIRE_BATCH - 1)
		flush(thread);
	add_words(thread, begun, length_and_flags | INTERVAL_ARGUMENT);
	add_words(thread, argument, 0);
	thread->arguments++;
	return 0;
}

/* Moves the top frame into the batch, ended at `time` of the thread's clock. */
static __always_inline void close_top(struct thread *thread, __u64 time, __u64 flags)
{
	__u32 top = thread->depth - 1;
	__u64 begun, length;

	if (top >= WIRE_MAX_DEPTH)
		return;
	thread->depth = top;
	begun = thread->frames[top].start_and_number;
	if (top < thread->recovered) {
		thread->recovered = top;
		flags |= INTERVAL_BEFORE;
	}
	length = ((time - begun) & WIRE_TIME_MASK) | flags;
	if (thread->frames[top].argument)
		add_with_argument(thread, begun, length, thread->frames[top].argument);
	else
		add_words(thread, begun, length);
	if (thread->batch.header.count >= WIRE_BATCH)
		flush(thread);
}

struct closing {
	struct thread *thread;
	__u64 time;
	__u64 flags;
	__u32 keep; /* frames to leave on the stack */
	__u32 closed;
};

static long close_one(__u32 index, struct closing *closing)
{
	(void)index;
	if (closing->thread->depth <= closing->keep)
		return 1;
	close_top(closing->thread, closing->time, closing->flags);
	closing->closed++;
	return 0;
}

/* Closes frames from the top until `keep` are left, marked with `flags`. Returns how many. */
static __always_inline __u32 close_down_to(struct thread *thread, __u32 keep, __u64 time, __u64 flags)
{
	struct closing closing = {.thread = thread, .time = time, .flags = flags, .keep = keep};

	bpf_loop(WIRE_MAX_DEPTH, close_one, &closing, 0);
	return closing.closed;
}

#endif
