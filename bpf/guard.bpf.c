/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The two probes of the self-profiler's other guards: activities, results loaded and hashed, waits. */
#include "bpf/guard.h"

SEC("kprobe")
int guard_begin(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *thread = bpf_task_storage_get(&threads, task, NULL, 0);
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if (!thread)
		thread = join(task, COOKIE_COMPILER(cookie), false);
	if (thread)
		begin_guard(ctx, task, thread, cookie);
	return 0;
}

/* A guard that did not begin anything ends like any other: there is no frame then, and nothing to do. */
SEC("kprobe")
int guard_end(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);

	if (thread)
		leave_frame(thread, KEY(ctx->sp, GUARD_ID(bpf_get_attach_cookie(ctx))), now);
	return 0;
}
