/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What happens where one of the self-profiler's other guards begins. */
#ifndef QUERYTAP_BPF_GUARD_H
#define QUERYTAP_BPF_GUARD_H

#include "bpf/join.h"
#include "bpf/query.h"
#include "bpf/registers.h"
#include "bpf/stack.h"

extern __u64 texts; /* arguments sent so far; each has its number */

/* The number of the query whose vtable is in the register, or on the stack at the displacement. */
static __noinline __u64 query_at(const struct pt_regs *ctx, struct thread *thread, __u32 compiler, __u32 reg,
				 int displacement)
{
	struct wire_process *process;
	__u64 vtable = 0, tcx;

	if (!thread)
		return WIRE_QUERY_NONE;
	tcx = thread->tcx;
	if (reg != WIRE_ON_STACK)
		vtable = register_value(ctx, reg);
	else if (bpf_probe_read_user(&vtable, sizeof(vtable), (void *)(ctx->sp + displacement)))
		return WIRE_QUERY_NONE;
	if (!tcx) {
		process = process_of(thread);
		tcx = process ? process->tcx : 0;
	}
	return query_of(compiler, tcx, vtable);
}

/* The number of the query by whose vtable the function that the thread is in was called. */
static __noinline __u64 query_of_call(const struct pt_regs *ctx, struct thread *thread, __u64 cookie)
{
	struct wire_caller_key key = {COOKIE_COMPILER(cookie), GUARD_NUMBER(cookie) & WIRE_MAX_QUERIES, 0};
	struct wire_caller *caller;
	__u64 behind = 0;

	if (bpf_probe_read_user(&behind, sizeof(behind), (void *)(ctx->sp + 8 * GUARD_WORDS(cookie))))
		return WIRE_QUERY_NONE;
	key.distance = behind - ctx->ip;
	caller = bpf_map_lookup_elem(&callers, &key);
	return caller ? query_at(ctx, thread, COOKIE_COMPILER(cookie), caller->reg, caller->displacement)
		      : WIRE_QUERY_NONE;
}

/* The number of the query that the thread is in, if that is what it was in last. */
static __always_inline __u64 query_running(const struct thread *thread)
{
	__u32 top = thread->depth - 1;
	__u64 number = top < WIRE_MAX_DEPTH ? thread->frames[top].start_and_number >> 48 : WIRE_QUERY_NONE;

	return number <= WIRE_MAX_QUERIES ? number : WIRE_QUERY_NONE;
}

/* The number of the pass, or WIRE_QUERY_NONE. */
static __noinline __u64 pass_number(const struct pt_regs *ctx, __u64 cookie)
{
	__u64 loaded = ctx->ip - GUARD_ADDRESS(cookie);
	struct wire_pass_key key = {COOKIE_COMPILER(cookie), register_value(ctx, GUARD_REGISTER(cookie)) - loaded};
	struct wire_pass *pass = bpf_map_lookup_elem(&passes, &key);
	__u64 self = register_value(ctx, GUARD_SELF_REGISTER(cookie));
	__u8 which = 0;

	if (!pass)
		return WIRE_QUERY_NONE;
	if (pass->count > 1 && bpf_probe_read_user(&which, sizeof(which), (void *)(self + pass->selector)))
		return WIRE_QUERY_NONE;
	return which < pass->count ? pass->number + which : WIRE_QUERY_NONE;
}

/* Sends the text whose pointer and length are on the stack. Returns what stands for it, 0 if nothing does. */
static __noinline __u64 send_text(const struct pt_regs *ctx, __u64 cookie)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct wire_text *record;
	struct {
		__u64 at, size;
	} text;
	__u32 size;

	if (bpf_probe_read_user(&text, sizeof(text), (void *)(ctx->sp + GUARD_DISPLACEMENT(cookie))))
		return 0;
	size = text.size < WIRE_MAX_TEXT ? text.size : WIRE_MAX_TEXT;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return 0;
	record->header = (struct wire_header){WIRE_TEXT, id >> 32, (__u32)id, size};
	record->argument = __sync_fetch_and_add(&texts, 1) + 1;
	if (size > WIRE_MAX_TEXT || bpf_probe_read_user(record->bytes, size, (void *)text.at))
		record->header.count = 0;
	id = record->argument;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return id;
}

/* `thread` is the current one's, which begins a guard at a site with `cookie`. */
static __always_inline void begin_guard(struct pt_regs *ctx, struct task_struct *task, struct thread *thread,
					__u64 cookie)
{
	__u64 number = GUARD_NUMBER(cookie), argument = 0, sp = ctx->sp;

	switch (GUARD_NAMING(cookie)) {
	case GUARD_FIXED:
		sp += GUARD_DISPLACEMENT(cookie);
		break;
	case GUARD_ARGUMENT:
		if (with_texts)
			argument = send_text(ctx, cookie);
		break;
	case GUARD_QUERY_REGISTER:
		sp += GUARD_DISPLACEMENT(cookie);
		number |= query_at(ctx, thread, COOKIE_COMPILER(cookie), GUARD_REGISTER(cookie), 0);
		break;
	case GUARD_QUERY_STACK:
		number |= query_at(ctx, thread, COOKIE_COMPILER(cookie), WIRE_ON_STACK, GUARD_DISPLACEMENT(cookie));
		break;
	case GUARD_QUERY_CALLER:
		sp += GUARD_DISPLACEMENT(cookie);
		number = (number & ~WIRE_MAX_QUERIES) | query_of_call(ctx, thread, cookie);
		break;
	case GUARD_QUERY_RUNNING:
		number |= query_running(thread);
		break;
	case GUARD_PASS:
		number = pass_number(ctx, cookie);
		break;
	default:
		break;
	}
	enter_frame(task, thread, KEY(sp, GUARD_ID(cookie)), number, argument);
}

#endif
