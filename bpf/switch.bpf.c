/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Notes how long threads are off the CPU, for clocks that stand still meanwhile, and to tell of it. It runs at every
 * switch on the whole machine, under the scheduler's lock: for a task without any storage, which nearly all are, it
 * looks no further.
 */
#include <stdbool.h>

#include "bpf/absence.h"
#include "bpf/reason.h"

static __always_inline struct thread *thread_of(struct task_struct *task)
{
	return task->bpf_storage ? bpf_task_storage_get(&threads, task, NULL, 0) : NULL;
}

/*
 * The thread leaves the CPU or comes back. If it did that before, the switch between was not seen: on some machines a
 * few in a hundred thousand do not get to the tracepoint. Then the scheduler's own account, which is up to date at a
 * switch, says how long it has run since; it counts otherwise than this clock (without time that a hypervisor took, for
 * one), so it is not asked without need. Why the thread left is then not known if it was that switch.
 */
static __always_inline void note_switch(struct thread *thread, __u64 ran, __u32 leaves)
{
	__u64 now = bpf_ktime_get_ns(), absent = leaves ? 0 : now - thread->switched, left = thread->switched;
	__u32 reason = thread->reason;

	if (thread->is_away == leaves) {
		absent = thread->switched ? now - thread->switched - (ran - thread->ran) : 0;
		count_up(process_of(thread), unseen, 1);
		if (!leaves) {
			left = now - absent;
			reason = ABSENCE_OTHER;
		}
	}
	if (off_cpu && thread->watched) {
		if (absent)
			send_absence(thread, left, absent, reason);
		if (leaves && !thread->first_left) {
			thread->first_left = now;
			thread->first_ran = ran;
		}
	}
	if (!leaves)
		thread->away_before = thread->away;
	thread->away += absent;
	thread->ran = ran;
	thread->switched = now;
	thread->is_away = leaves;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempted, struct task_struct *leaving, struct task_struct *coming, unsigned int state)
{
	struct thread *thread = thread_of(leaving);

	if (thread) {
		note_switch(thread, leaving->se.sum_exec_runtime, 1);
		if (off_cpu)
			thread->reason = reason_of_leaving(leaving, preempted, state);
	}
	thread = thread_of(coming);
	if (thread)
		note_switch(thread, coming->se.sum_exec_runtime, 0);
	return 0;
}
