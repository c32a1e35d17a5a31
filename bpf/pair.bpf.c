/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The two probes of a query, and that of a caught panic. */
#include "bpf/pair.h"

SEC("kprobe")
int query_enter(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *thread = bpf_task_storage_get(&threads, task, NULL, 0);
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if (!thread)
		thread = join(task, COOKIE_COMPILER(cookie), false);
	if (thread)
		enter_query(ctx, task, thread, cookie);
	return 0;
}

SEC("kprobe")
int query_exit(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);

	if (!thread)
		return exit_unknown();
	exit_query(ctx, thread, now);
	return 0;
}

/*
 * A panic was caught: what lies below in this area, and all that was entered after it, is gone. The probe is on a
 * function that the catching one calls, so that rsp is below the latter's frame, but above any frame that it called.
 */
SEC("kprobe")
int panic_caught(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *thread = bpf_task_storage_get(&threads, task, NULL, 0);

	if (thread && thread->depth)
		drop_left(task, thread, ctx->sp);
	return 0;
}
