/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Notes how long threads are off the CPU, for clocks that stand still meanwhile. It runs at every switch on the whole
 * machine, under the scheduler's lock: for a task without any storage, which nearly all are, it looks no further.
 */
#include <stdbool.h>

#include "bpf/state.h"

static __always_inline struct thread *thread_of(struct task_struct *task)
{
	return task->bpf_storage ? bpf_task_storage_get(&threads, task, NULL, 0) : NULL;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempted, struct task_struct *leaving, struct task_struct *coming)
{
	struct thread *thread = thread_of(leaving);

	(void)preempted;
	if (thread) {
		thread->left = bpf_ktime_get_ns();
		thread->is_away = 1;
	}
	thread = thread_of(coming);
	if (thread && thread->is_away) {
		thread->away_before = thread->away;
		thread->away += bpf_ktime_get_ns() - thread->left;
		thread->is_away = 0;
	}
	return 0;
}
