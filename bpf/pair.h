/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What happens at the two probes of a query. */
#ifndef QUERYTAP_BPF_PAIR_H
#define QUERYTAP_BPF_PAIR_H

#include "bpf/join.h"
#include "bpf/query.h"
#include "bpf/registers.h"
#include "bpf/stack.h"

#define PACE_EVERY 8	/* exits between two looks at the pace */
#define PACE_WITHIN 400 /* nanoseconds after the probe before */

/* Notes the TyCtxt that the thread has, for threads of its process that do not know theirs. */
static __noinline int note_tcx(struct thread *thread, __u64 tcx)
{
	struct wire_process *process;

	if (!thread)
		return 0;
	thread->tcx = tcx;
	process = process_of(thread);
	if (process)
		process->tcx = tcx;
	return 0;
}

/* The number of the query at whose guard the thread stands. */
static __always_inline __u64 query_number(const struct pt_regs *ctx, struct thread *thread, __u64 cookie)
{
	__u64 tcx = register_value(ctx, COOKIE_TCX_REGISTER(cookie)), vtable = 0;

	if (thread->tcx != tcx)
		note_tcx(thread, tcx);
	if (!COOKIE_VTABLE_ON_STACK(cookie))
		vtable = register_value(ctx, COOKIE_VTABLE_REGISTER(cookie));
	else if (bpf_probe_read_user(&vtable, sizeof(vtable), (void *)(ctx->sp + COOKIE_VTABLE_DISPLACEMENT(cookie))))
		return WIRE_QUERY_NONE;
	return query_of(COOKIE_COMPILER(cookie), tcx, vtable);
}

/* A number of 32 bits that a query's key consists of. */
static __always_inline __u32 key_part(const struct pt_regs *ctx, __u32 where, int displacement)
{
	__u32 value = 0;

	if (where != WIRE_ON_STACK)
		return register_value(ctx, where);
	bpf_probe_read_user(&value, sizeof(value), (void *)(ctx->sp + displacement));
	return value;
}

/* The query's key as an interval's argument; 0 if it cannot be read. */
static __noinline __u64 query_key(const struct pt_regs *ctx, __u64 cookie)
{
	__u32 kind = COOKIE_KEY_KIND(cookie), first = COOKIE_KEY_FIRST(cookie), second = 0;
	int displacement = COOKIE_KEY_DISPLACEMENT(cookie);

	if (kind == KEY_UNKNOWN)
		return 0;
	if (kind == KEY_UNIT)
		return KEY_MAKE(kind, 0, 0);
	if (kind == KEY_DEF_ID)
		second = key_part(ctx, COOKIE_KEY_SECOND(cookie), displacement + (first == WIRE_ON_STACK ? 4 : 0));
	return KEY_MAKE(kind, second, key_part(ctx, first, displacement));
}

/* `thread` is the current one's, which enters a query at a site with `cookie`. */
static __always_inline void enter_query(struct pt_regs *ctx, struct task_struct *task, struct thread *thread,
					__u64 cookie)
{
	enter_frame(task, thread, ctx->sp, query_number(ctx, thread, cookie), with_keys ? query_key(ctx, cookie) : 0);
}

/* An exit on a thread without a shadow stack: the query was entered before the probes were there. */
static __noinline int exit_unknown(void)
{
	if (!letting_go)
		count_up(current_process(), missed, 1);
	return 0;
}

/*
 * A trap costs more while the machine is slowed down: the sibling of a core at work, memory slower. The program that
 * began at `begun` is a part of it, so now and then it is looked at how long that takes, shortly after another probe,
 * since else it finds colder caches. Where queries are few it finds somewhat colder ones all the same. From a little
 * more than the usual pace on the cost of a query's probes is taken to grow three times as fast, as it was found to in
 * compilers, to the double at most. What takes very long was interrupted.
 */
static __always_inline void keep_pace(struct thread *thread, __u64 begun)
{
	__u64 taken = (bpf_ktime_get_ns() - begun) * 256, slow = usual_pace + usual_pace / 16, more = 0;

	if (!thread->pace)
		thread->pace = taken;
	if (taken > 2 * thread->pace)
		taken = 2 * thread->pace;
	thread->pace = (thread->pace * 31 + taken) / 32;
	if (!usual_pace)
		return;
	if (thread->pace > slow)
		more = query_cost * 3 * (thread->pace - slow) / usual_pace;
	thread->cost = query_cost + (more < query_cost ? more : query_cost);
}

/* The program that the thread runs at an exit began at `now`. */
static __always_inline void exit_query(struct pt_regs *ctx, struct thread *thread, __u64 now)
{
	if (!leave_frame(thread, ctx->sp, now) && !letting_go)
		count_up(process_of(thread), missed, 1);
	if (thread->batch.header.count % PACE_EVERY == 1 && thread->gap < PACE_WITHIN)
		keep_pace(thread, now);
}

#endif
