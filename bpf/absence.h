/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tells the collector when threads are off the CPU. */
#ifndef QUERYTAP_BPF_ABSENCE_H
#define QUERYTAP_BPF_ABSENCE_H

#include <stdbool.h>

#include "bpf/state.h"

struct frame_copy {
	struct thread *thread;
};

static long copy_frame(__u32 index, struct frame_copy *copy)
{
	__u32 at = copy->thread->depth - 1 - index;

	if (index >= WIRE_ABSENCE_FRAMES || at >= WIRE_MAX_DEPTH)
		return 1;
	copy->thread->absence.frames[index] = copy->thread->frames[at].start_and_number >> 48;
	return 0;
}

/* Accounts for an absence, and sends it. The thread is the one that comes back, or that is not running. */
static __noinline int send_absence(struct thread *thread, __u64 time, __u64 length, __u32 reason)
{
	struct frame_copy copy = {thread};
	struct wire_absence *absence;
	__u32 depth;
	__u64 size = __builtin_offsetof(struct wire_absence, frames), wake = BPF_RB_NO_WAKEUP;

	if (!thread || (__s64)length <= 0 || reason >= ABSENCE_REASONS)
		return 0;
	depth = thread->depth;
	absence = &thread->absence;
	thread->off[reason] += length;
	absence->time = time;
	absence->length = length;
	absence->skew = thread->skew;
	absence->compiler = thread->compiler;
	absence->reason = reason;
	absence->depth = depth;
	bpf_loop(WIRE_ABSENCE_FRAMES, copy_frame, &copy, 0);
	if (depth > WIRE_ABSENCE_FRAMES)
		depth = WIRE_ABSENCE_FRAMES;
	absence->header.count = depth;
	size += depth * sizeof(absence->frames[0]);
	if (bpf_ringbuf_query(&absences, BPF_RB_AVAIL_DATA) > ABSENCES_WAKE_BYTES)
		wake = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&absences, absence, size, wake))
		__sync_fetch_and_add(&lost_absences, 1);
	return 0;
}

/* What the scheduler says that the thread has run, with its own switches for what that did not count yet. */
static __always_inline __u64 time_run(const struct thread *thread, __u64 now)
{
	__u64 ran;

	if (!thread->first_left)
		return now - thread->watched;
	ran = thread->first_left - thread->watched + thread->ran - thread->first_ran;
	return thread->is_away ? ran : ran + now - thread->switched;
}

/* The thread ends, or recording does: sends its account, once. */
static __always_inline void end_watch(struct task_struct *task, struct thread *thread)
{
	__u64 now = bpf_ktime_get_ns();
	struct wire_times *record;

	if (!thread || !thread->watched)
		return;
	if (thread->is_away)
		send_absence(thread, thread->switched, now - thread->switched, thread->reason);
	record = bpf_ringbuf_reserve(&absences, sizeof(*record), 0);
	if (record) {
		record->header = thread->absence.header;
		record->header.kind = WIRE_TIMES;
		record->header.count = 0;
		record->start = thread->watched;
		record->end = now;
		for (int i = 0; i < ABSENCE_REASONS; i++)
			record->off[i] = thread->off[i];
		record->ran = time_run(thread, now);
		BPF_CORE_READ_STR_INTO(&record->process, task, group_leader, comm);
		BPF_CORE_READ_STR_INTO(&record->thread, task, comm);
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	} else {
		__sync_fetch_and_add(&lost_absences, 1);
	}
	thread->watched = 0;
}

#endif
