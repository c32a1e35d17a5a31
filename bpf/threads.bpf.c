/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the threads of compilers are doing at this moment. It only looks: the recording goes on as if nobody did. */
#include "bpf/state.h"

/*
 * Writes a struct wire_thread, and what follows it, for each thread of each process that is followed. What is written
 * for one thread comes whole, or once more: the kernel begins anew with a thread for which its buffer had no room.
 */
SEC("iter/task")
int show_threads(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct wire_thread shown = {0};
	struct thread *thread;
	__u32 depth = 0, count = 0;

	if (!task)
		return 0;
	shown.tgid = task->tgid;
	if (!bpf_map_lookup_elem(&processes, &shown.tgid))
		return 0;
	shown.tid = task->pid;
	shown.run_time = task->se.sum_exec_runtime;
	shown.run_time_gone = BPF_CORE_READ(task, signal, sum_sched_runtime);
	shown.waits = task->__state;
	BPF_CORE_READ_STR_INTO(&shown.comm, task, comm);
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread) {
		shown.time = clock_at(thread, cpu_time && thread->is_away ? thread->switched : bpf_ktime_get_ns());
		shown.last = thread->last;
		barrier();
		depth = thread->depth;
		if (depth > WIRE_MAX_DEPTH)
			depth = WIRE_MAX_DEPTH;
		shown.depth = depth;
		count = thread->batch.header.count;
		if (count > WIRE_BATCH)
			count = WIRE_BATCH;
		shown.count = count;
	}
	bpf_seq_write(seq, &shown, sizeof(shown));
	if (thread && depth)
		bpf_seq_write(seq, thread->frames, depth * sizeof(struct wire_frame));
	if (thread && count)
		bpf_seq_write(seq, thread->batch.intervals, count * sizeof(struct wire_interval));
	return 0;
}
