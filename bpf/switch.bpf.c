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

/*
 * The thread leaves the CPU or comes back. If it did that before, the switch between was not seen: on some machines a
 * few in a hundred thousand do not get to the tracepoint. Then the scheduler's own account, which is up to date at a
 * switch, says how long it has run since; it counts otherwise than this clock (without time that a hypervisor took, for
 * one), so it is not asked without need.
 */
static __always_inline void note_switch(struct thread *thread, __u64 ran, __u32 leaves)
{
	__u64 now = bpf_ktime_get_ns(), absent = leaves ? 0 : now - thread->switched;

	if (thread->is_away == leaves) {
		absent = thread->switched ? now - thread->switched - (ran - thread->ran) : 0;
		count_up(process_of(thread), unseen, 1);
	}
	if (!leaves)
		thread->away_before = thread->away;
	thread->away += absent;
	thread->ran = ran;
	thread->switched = now;
	thread->is_away = leaves;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempted, struct task_struct *leaving, struct task_struct *coming)
{
	struct thread *thread = thread_of(leaving);

	(void)preempted;
	if (thread)
		note_switch(thread, leaving->se.sum_exec_runtime, 1);
	thread = thread_of(coming);
	if (thread)
		note_switch(thread, coming->se.sum_exec_runtime, 0);
	return 0;
}
