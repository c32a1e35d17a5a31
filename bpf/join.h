/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How a thread of a followed process gets its shadow stack, and a process is announced as a compiler. */
#ifndef QUERYTAP_BPF_JOIN_H
#define QUERYTAP_BPF_JOIN_H

#include <stdbool.h>

#include "bpf/state.h"

struct args_reader {
	unsigned long at, end;
	__u32 tgid, tid;
};

static long send_args(__u32 index, struct args_reader *reader)
{
	struct wire_args *record;
	__u32 size;

	(void)index;
	if (reader->at >= reader->end)
		return 1;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return 1;
	size = WIRE_ARGS_CHUNK;
	if (reader->end - reader->at < size)
		size = reader->end - reader->at;
	record->header = (struct wire_header){WIRE_ARGS, reader->tgid, reader->tid, size};
	if (size > WIRE_ARGS_CHUNK || bpf_probe_read_user(record->bytes, size, (void *)reader->at))
		record->header.count = 0;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	reader->at += WIRE_ARGS_CHUNK;
	return 0;
}

/*
 * Tells the collector that the current process compiles, and with which command line. Returns 0 if the ring buffer has
 * no room.
 */
static __noinline int announce(struct task_struct *task, struct wire_process *process, __u32 compiler, bool from_start)
{
	struct args_reader reader = {
	    .at = BPF_CORE_READ(task, mm, arg_start),
	    .end = BPF_CORE_READ(task, mm, arg_end),
	    .tgid = BPF_CORE_READ(task, tgid),
	    .tid = BPF_CORE_READ(task, pid),
	};
	struct wire_compiler *record;

	if (reader.end - reader.at > WIRE_MAX_ARGS)
		reader.end = reader.at + WIRE_MAX_ARGS;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return 0;
	record->header = (struct wire_header){WIRE_COMPILER, reader.tgid, reader.tid, reader.end - reader.at};
	record->start = process->start;
	record->compiler = compiler;
	record->joined = !!(process->flags & PROCESS_JOINED);
	record->from_start = from_start;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	bpf_loop(WIRE_MAX_ARGS / WIRE_ARGS_CHUNK, send_args, &reader, 0);
	return 1;
}

/*
 * Whether the process may be followed: where one user's are, none of another's, and none that runs a set-user-id or
 * set-group-id program.
 */
static __noinline bool may_follow(struct task_struct *task)
{
	__u32 gid;

	if (only_uid == WIRE_ANY_UID)
		return true;
	gid = BPF_CORE_READ(task, real_cred, gid.val);
	return BPF_CORE_READ(task, real_cred, uid.val) == only_uid &&
	       BPF_CORE_READ(task, real_cred, euid.val) == only_uid &&
	       BPF_CORE_READ(task, real_cred, suid.val) == only_uid &&
	       BPF_CORE_READ(task, real_cred, fsuid.val) == only_uid &&
	       BPF_CORE_READ(task, real_cred, egid.val) == gid && BPF_CORE_READ(task, real_cred, sgid.val) == gid &&
	       BPF_CORE_READ(task, real_cred, fsgid.val) == gid;
}

/* The current process; NULL if it is not followed. Where every compiler is, it is followed from here on. */
static __noinline struct wire_process *current_process(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct wire_process *process = bpf_map_lookup_elem(&processes, &tgid);

	if (!process && trace_all) {
		struct wire_process joined = {.start = bpf_ktime_get_ns(), .flags = PROCESS_JOINED};

		bpf_map_update_elem(&processes, &tgid, &joined, BPF_NOEXIST);
		process = bpf_map_lookup_elem(&processes, &tgid);
	}
	return process;
}

/*
 * The current thread's state, made at its first query or at the start of the compilation; NULL for a process that is
 * not followed, and while there is no room to announce it.
 */
static __noinline struct thread *join(struct task_struct *task, __u32 compiler, bool from_start)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct wire_process *process;
	struct thread *thread = NULL;

	if (!may_follow(task))
		return NULL;
	process = current_process();
	if (!process)
		return NULL;
	if (!(__sync_fetch_and_or(&process->flags, PROCESS_COMPILER) & PROCESS_COMPILER) &&
	    !announce(task, process, compiler, from_start))
		__sync_fetch_and_and(&process->flags, ~PROCESS_COMPILER);
	else
		thread = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		count_up(process, lost, !from_start);
		return NULL;
	}
	thread->process_start = process->start;
	thread->skew = process->skew;
	thread->compiler = compiler;
	thread->cost = query_cost;
	thread->pace = usual_pace;
	thread->after_exit = 1;
	thread->batch.header = (struct wire_header){WIRE_INTERVALS, id >> 32, (__u32)id, 0};
	if (off_cpu) {
		thread->absence.header = (struct wire_header){WIRE_ABSENCE, id >> 32, (__u32)id, 0};
		thread->watched = bpf_ktime_get_ns();
	}
	__sync_fetch_and_add(&process->threads, 1);
	return thread;
}

#endif
