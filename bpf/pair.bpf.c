/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pairing: the two probes of a query, and the shadow stack between them.
 *
 * Both sites of a query lie in one stack frame of the compiler, so rsp is the same at entry and exit and names the
 * frame. A frame that was left by unwinding has no exit; it is found gone when a frame that cannot be inside it
 * enters or exits.
 */
#include "bpf/join.h"

/* A frame this close below another is inside it; anything else is looked at closely. */
#define NEAR_BYTES (256 * 1024)

#define PACE_EVERY 16 /* exits between two looks at the pace */
#define PACE_STEP 8   /* sixteenths of a nanosecond */

/*
 * The context may only be read at offsets that stand in the instruction; plain C lets clang join the reads into one
 * at a computed offset, which the verifier refuses.
 */
#ifndef READ_REGISTER
#define READ_REGISTER(name) \
	asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(ctx), "i"(__builtin_offsetof(struct pt_regs, name)))
#endif

/* The value of the register that the machine calls `number`. */
static __always_inline __u64 register_value(const struct pt_regs *ctx, __u32 number)
{
	__u64 value = 0;

	switch (number) {
	case 0:
		READ_REGISTER(ax);
		break;
	case 1:
		READ_REGISTER(cx);
		break;
	case 2:
		READ_REGISTER(dx);
		break;
	case 3:
		READ_REGISTER(bx);
		break;
	case 5:
		READ_REGISTER(bp);
		break;
	case 6:
		READ_REGISTER(si);
		break;
	case 7:
		READ_REGISTER(di);
		break;
	case 8:
		READ_REGISTER(r8);
		break;
	case 9:
		READ_REGISTER(r9);
		break;
	case 10:
		READ_REGISTER(r10);
		break;
	case 11:
		READ_REGISTER(r11);
		break;
	case 12:
		READ_REGISTER(r12);
		break;
	case 13:
		READ_REGISTER(r13);
		break;
	case 14:
		READ_REGISTER(r14);
		break;
	case 15:
		READ_REGISTER(r15);
		break;
	}
	return value;
}

/* The number of the query at whose guard the thread stands. */
static __always_inline __u64 query_number(const struct pt_regs *ctx, __u64 cookie)
{
	__u32 compiler = COOKIE_COMPILER(cookie);
	struct query_table *table = bpf_map_lookup_elem(&queries, &compiler);
	__u64 vtable = 0, slot;

	if (!table)
		return WIRE_QUERY_NONE;
	if (!COOKIE_VTABLE_ON_STACK(cookie))
		vtable = register_value(ctx, COOKIE_VTABLE_REGISTER(cookie));
	else if (bpf_probe_read_user(&vtable, sizeof(vtable), (void *)(ctx->sp + COOKIE_VTABLE_DISPLACEMENT(cookie))))
		return WIRE_QUERY_NONE;
	slot = (vtable - register_value(ctx, COOKIE_TCX_REGISTER(cookie))) >> 3;
	return slot < WIRE_VTABLE_SLOTS ? table->numbers[slot] : WIRE_QUERY_NONE;
}

/* The memory area around an address: the thread's stack, or the segment of it that rustc is on. */
struct area {
	__u64 start, end;
};

static long note_area(struct task_struct *task, struct vm_area_struct *vma, struct area *area)
{
	(void)task;
	area->start = vma->vm_start;
	area->end = vma->vm_end;
	return 0;
}

struct search {
	struct thread *thread;
	struct area area;
	__u64 sp;
	__u32 left; /* frames not looked at */
};

/* Stops with `left` frames behind and including the highest one in the area. */
static long in_area(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;

	(void)index;
	if (at >= WIRE_MAX_DEPTH)
		return 1;
	if (search->thread->frames[at].sp - search->area.start < search->area.end - search->area.start)
		return 1;
	search->left = at;
	return 0;
}

/* Goes on while the frame is in the area and not around `sp`. */
static long is_left(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;
	__u64 sp;

	(void)index;
	if (at >= WIRE_MAX_DEPTH)
		return 1;
	sp = search->thread->frames[at].sp;
	if (sp > search->sp || sp < search->area.start)
		return 1;
	search->left = at;
	return 0;
}

/* Goes on while the frame lies where the stack ends now, or a little below. */
static long is_just_left(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;

	(void)index;
	if (at >= WIRE_MAX_DEPTH || search->sp - search->thread->frames[at].sp >= NEAR_BYTES)
		return 1;
	search->left = at;
	return 0;
}

static long is_frame(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;

	(void)index;
	if (at >= WIRE_MAX_DEPTH || search->thread->frames[at].sp == search->sp)
		return 1;
	search->left = at;
	return 0;
}

/* Whether the frame on top of `left` others is so close above `sp` that it must be around it. */
static __always_inline bool is_around(const struct thread *thread, __u32 left, __u64 sp)
{
	return left - 1 < WIRE_MAX_DEPTH && thread->frames[left - 1].sp - sp - 1 < NEAR_BYTES;
}

/*
 * A frame at `sp` is entered that does not lie close below the top one. Within one memory area the stack grows down,
 * so a frame at or below `sp` is gone. rustc grows its stack by segments, each an area of its own that is given back
 * before the code that asked for it goes on: if a frame of this area is below others of other areas, those are gone.
 * If there is none, a new segment was begun and nothing is gone. A new segment never begins close above the frame
 * that asked for it, which is at its own segment's low end, so for frames close by the areas need not be known.
 */
static __noinline int drop_left(struct task_struct *task, struct thread *thread, __u64 sp)
{
	struct search search = {.thread = thread, .sp = sp, .left = thread->depth};
	__u32 left, closed;

	bpf_loop(WIRE_MAX_DEPTH, is_just_left, &search, 0);
	left = search.left;
	if (left && !is_around(thread, left, sp) && !bpf_find_vma(task, sp, note_area, &search.area, 0)) {
		bpf_loop(WIRE_MAX_DEPTH, in_area, &search, 0);
		if (search.left) {
			bpf_loop(WIRE_MAX_DEPTH, is_left, &search, 0);
			left = search.left;
		}
	}
	if (left == thread->depth)
		return 0;
	closed = close_down_to(thread, left, thread_time(thread, bpf_ktime_get_ns()), INTERVAL_UNWOUND);
	count_up(process_of(thread), unwound, closed);
	return 0;
}

SEC("kprobe")
int query_enter(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *thread = bpf_task_storage_get(&threads, task, NULL, 0);
	__u64 cookie, number, sp;
	struct frame *frame;
	__u32 depth;

	cookie = bpf_get_attach_cookie(ctx);
	if (!thread) {
		thread = join(task, COOKIE_COMPILER(cookie), false);
		if (!thread)
			return 0;
	}
	number = query_number(ctx, cookie);
	sp = ctx->sp;
	depth = thread->depth;
	if (depth && depth <= WIRE_MAX_DEPTH && thread->frames[depth - 1].sp - sp - 1 >= NEAR_BYTES) {
		drop_left(task, thread, sp);
		depth = thread->depth;
	}
	if (depth >= WIRE_MAX_DEPTH) {
		thread->beyond++;
		count_up(process_of(thread), too_deep, 1);
		return 0;
	}
	frame = &thread->frames[depth];
	thread->depth = depth + 1;
	thread->beyond = 0;
	frame->sp = sp;
	thread->skew += thread->around;
	frame->start_and_query = (thread_time(thread, bpf_ktime_get_ns()) & WIRE_TIME_MASK) | number << 48;
	thread->skew += thread->inside;
	return 0;
}

/* An exit that is not the top frame's: those above its own were left by unwinding, or it has none. */
static __noinline int exit_below(struct thread *thread, __u64 sp, __u64 time)
{
	struct search search = {.thread = thread, .sp = sp, .left = thread->depth};
	__u32 closed;

	bpf_loop(WIRE_MAX_DEPTH, is_frame, &search, 0);
	if (search.left) {
		closed = close_down_to(thread, search.left, time, INTERVAL_UNWOUND);
		count_up(process_of(thread), unwound, closed);
		close_top(thread, time, 0);
		thread->beyond = 0;
	} else if (thread->beyond) {
		thread->beyond--;
	} else {
		count_up(process_of(thread), missed, 1);
	}
	return 0;
}

/* An exit on a thread without a shadow stack: the query was entered before the probes were there. */
static __noinline int exit_unknown(void)
{
	count_up(current_process(), missed, 1);
	return 0;
}

/*
 * A trap costs more while the machine is busy: the sibling of a core at work, memory slower, caches cold. The program
 * that began at `begun` is a part of it, so from time to time it is looked at how long that takes, and the cost of a
 * query's probes is taken to have changed by the same factor, from a half to four. The pace goes up and down by steps,
 * towards the median, since the mean would follow interrupts.
 */
static __always_inline void keep_pace(struct thread *thread, __u64 begun)
{
	__u64 taken = (bpf_ktime_get_ns() - begun) * 16;

	if (taken > thread->pace)
		thread->pace += PACE_STEP;
	else if (thread->pace >= PACE_STEP)
		thread->pace -= PACE_STEP;
	if (!cost_pace)
		return;
	if (thread->pace > 4 * cost_pace)
		thread->pace = 4 * cost_pace;
	else if (thread->pace < cost_pace / 2)
		thread->pace = cost_pace / 2;
	thread->inside = cost_inside * thread->pace / cost_pace;
	thread->around = cost_around * thread->pace / cost_pace;
}

SEC("kprobe")
int query_exit(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns(), sp = ctx->sp, time;
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);
	__u32 top;

	if (!thread)
		return exit_unknown();
	time = thread_time(thread, now);
	top = thread->depth - 1;
	if (top < WIRE_MAX_DEPTH && thread->frames[top].sp == sp)
		close_top(thread, time, 0);
	else
		exit_below(thread, sp, time);
	if (thread->batch.header.count % PACE_EVERY == 1)
		keep_pace(thread, now);
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
