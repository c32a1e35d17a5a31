/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Processes: who belongs to the followed tree, when a compilation begins, and what is left when a thread ends. */
#include "bpf/join.h"

/*
 * Tells the collector that a process has ended, once. Returns whether there was room for it; if not, the process and
 * its counts stay in the map for the collector to find.
 */
static bool send_end(__u32 tgid, struct wire_process *process, int exit_code, __u32 by_exec)
{
	struct wire_end *record;

	if (__sync_fetch_and_or(&process->flags, PROCESS_ENDED) & PROCESS_ENDED)
		return true;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return false;
	record->header = (struct wire_header){WIRE_END, tgid, tgid, 0};
	record->time = bpf_ktime_get_ns();
	record->counts = process->counts;
	record->exit_code = exit_code;
	record->by_exec = by_exec;
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	bpf_map_delete_elem(&processes, &tgid);
	return true;
}

/* Sends what a thread has, with the queries that still run as truncated. */
static void finish_thread(struct thread *thread)
{
	__u32 closed = close_down_to(thread, 0, time_of_thread(thread), INTERVAL_TRUNCATED);

	count_up(process_of(thread), truncated, closed);
	flush(thread);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;
	struct wire_process process = {0}, *forking;

	if (parent_tgid == tgid)
		return 0;
	forking = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (!forking || (forking->flags & PROCESS_ALONE))
		return 0;
	process.start = bpf_ktime_get_ns();
	process.compiler = forking->flags & PROCESS_COMPILER ? parent_tgid : forking->compiler;
	bpf_map_update_elem(&processes, &tgid, &process, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct wire_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct wire_process fresh = {0};
	struct wire_exec *record;
	struct thread *thread;

	if (!process && !trace_all)
		return 0;
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread) {
		finish_thread(thread);
		bpf_task_storage_delete(&threads, task);
	}
	if (process) {
		fresh.compiler = process->compiler;
		if (!(process->flags & PROCESS_COMPILER) || !send_end(tgid, process, 0, 1))
			fresh.counts = process->counts;
	}
	fresh.start = bpf_ktime_get_ns();
	bpf_map_update_elem(&processes, &tgid, &fresh, BPF_ANY);
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return 0;
	record->header = (struct wire_header){WIRE_EXEC, tgid, tgid, 0};
	record->time = fresh.start;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/*
 * Runs in the thread that ends. The last thread to leave its process need not be the last to send its queries: the
 * one that finds both done says that the process has ended.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct wire_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct thread *thread;
	__u32 threads_left;

	if (!process)
		return 0;
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		__sync_fetch_and_or(&process->flags, PROCESS_DEAD);
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread) {
		finish_thread(thread);
		bpf_task_storage_delete(&threads, task);
		threads_left = __sync_fetch_and_add(&process->threads, -1) - 1;
	} else {
		threads_left = __sync_fetch_and_add(&process->threads, 0);
	}
	if (threads_left == 0 && (process->flags & PROCESS_DEAD))
		send_end(tgid, process, BPF_CORE_READ(task, group_leader, exit_code), 0);
	return 0;
}

/* The start of a compilation, before its first query. */
SEC("kprobe")
int session_start(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_task_storage_get(&threads, task, NULL, 0))
		join(task, COOKIE_COMPILER(bpf_get_attach_cookie(ctx)), true);
	return 0;
}

/* Run once for each thread when recording stops while compilers go on. */
SEC("iter/task")
int finish_all(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct thread *thread;

	if (!task)
		return 0;
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread)
		finish_thread(thread);
	return 0;
}
