/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A thread's shadow stack: what is entered, left, and found gone.
 *
 * The two sites of a query or a guard lie in one stack frame of the compiler, so rsp is the same at both and names the
 * frame. A frame that was left by unwinding has no exit; it is found gone when a frame that cannot be inside it enters
 * or exits.
 */
#ifndef QUERYTAP_BPF_STACK_H
#define QUERYTAP_BPF_STACK_H

#include <stdbool.h>

#include "bpf/state.h"

/* A frame this close below another is inside it; anything else is looked at closely. */
#define NEAR_BYTES (256 * 1024)

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
	__u64 key;
	__u32 left; /* frames not looked at */
};

/* Stops with `left` frames behind and including the highest one in the area. */
static long in_area(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;

	(void)index;
	if (at >= WIRE_MAX_DEPTH)
		return 1;
	if (KEY_SP(search->thread->frames[at].key) - search->area.start < search->area.end - search->area.start)
		return 1;
	search->left = at;
	return 0;
}

/* Goes on while the frame is in the area and below what has the key. */
static long is_left(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;
	__u64 frame;

	(void)index;
	if (at >= WIRE_MAX_DEPTH)
		return 1;
	frame = search->thread->frames[at].key;
	if (KEY_SP(frame) >= KEY_SP(search->key) || KEY_SP(frame) < search->area.start)
		return 1;
	search->left = at;
	return 0;
}

/* Goes on while the frame lies a little below where the stack ends now. */
static long is_just_left(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;
	__u64 frame;

	(void)index;
	if (at >= WIRE_MAX_DEPTH)
		return 1;
	frame = search->thread->frames[at].key;
	if (KEY_SP(search->key) - KEY_SP(frame) - 1 >= NEAR_BYTES)
		return 1;
	search->left = at;
	return 0;
}

static long is_frame(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;

	(void)index;
	if (at >= WIRE_MAX_DEPTH || search->thread->frames[at].key == search->key)
		return 1;
	search->left = at;
	return 0;
}

/* Goes on while the frame is another guard's of the same function. */
static long is_beside(__u32 index, struct search *search)
{
	__u32 at = search->left - 1;
	__u64 frame;

	(void)index;
	if (at >= WIRE_MAX_DEPTH)
		return 1;
	frame = search->thread->frames[at].key;
	if (frame == search->key || KEY_SP(frame) != KEY_SP(search->key))
		return 1;
	search->left = at;
	return 0;
}

/* Whether a frame is so close above what has `key` that it must be around it. */
static __always_inline bool is_around(__u64 frame, __u64 key)
{
	return KEY_SP(frame) - KEY_SP(key) < NEAR_BYTES;
}

/*
 * Something is entered that does not lie close below the top frame. Within one memory area the stack grows down, so a
 * frame below it is gone. rustc grows its stack by segments, each an area of its own that is given back before the code
 * that asked for it goes on: if a frame of this area is below others of other areas, those are gone. If there is none,
 * a new segment was begun and nothing is gone. A new segment never begins close above the frame that asked for it,
 * which is at its own segment's low end, so for frames close by the areas need not be known.
 *
 * Frames at the same place are other guards of the same function, which may be around this one. If it is among them
 * itself, it was left, and what was begun after it too.
 */
static __noinline int drop_left(struct task_struct *task, struct thread *thread, __u64 key)
{
	struct search search = {.thread = thread, .key = key, .left = thread->depth};
	__u32 left, top, closed;

	bpf_loop(WIRE_MAX_DEPTH, is_just_left, &search, 0);
	left = search.left;
	top = left - 1;
	if (top < WIRE_MAX_DEPTH && !is_around(thread->frames[top].key, key) &&
	    !bpf_find_vma(task, KEY_SP(key), note_area, &search.area, 0)) {
		bpf_loop(WIRE_MAX_DEPTH, in_area, &search, 0);
		if (search.left) {
			bpf_loop(WIRE_MAX_DEPTH, is_left, &search, 0);
			left = search.left;
		}
	}
	search.left = left;
	bpf_loop(WIRE_MAX_DEPTH, is_beside, &search, 0);
	top = search.left - 1;
	if (top < WIRE_MAX_DEPTH && thread->frames[top].key == key)
		left = top;
	if (left == thread->depth)
		return 0;
	closed = close_down_to(thread, left, thread_time(thread, bpf_ktime_get_ns()), INTERVAL_UNWOUND);
	count_up(process_of(thread), unwound, closed);
	return 0;
}

/* Puts a frame on the stack. `argument` is 0 if it has none. */
static __always_inline void enter_frame(struct task_struct *task, struct thread *thread, __u64 key, __u64 number,
					__u64 argument)
{
	__u32 depth = thread->depth;
	struct wire_frame *frame;

	if (counts_only) {
		add_words(thread, number << 48, 0);
		if (thread->batch.header.count >= WIRE_BATCH)
			flush(thread);
		return;
	}
	if (depth && depth <= WIRE_MAX_DEPTH && KEY_SP(thread->frames[depth - 1].key) - KEY_SP(key) - 1 >= NEAR_BYTES) {
		drop_left(task, thread, key);
		depth = thread->depth;
	}
	if (depth >= WIRE_MAX_DEPTH) {
		thread->beyond++;
		count_up(process_of(thread), too_deep, 1);
		return;
	}
	frame = &thread->frames[depth];
	thread->beyond = 0;
	frame->key = key;
	frame->argument = argument;
	frame->start_and_number = (probe_time(thread, bpf_ktime_get_ns(), 0) & WIRE_TIME_MASK) | number << 48;
	/* If the thread is pre-empted here, what is told of that finds no frame without its number. */
	barrier();
	thread->depth = depth + 1;
}

/*
 * An exit that is not the top frame's: those above its own were left by unwinding, or it has none. Returns whether it
 * has, or had one too deep to be recorded.
 */
static __noinline int leave_below(struct thread *thread, __u64 key, __u64 time)
{
	struct search search = {.thread = thread, .key = key, .left = thread->depth};
	__u32 closed;

	bpf_loop(WIRE_MAX_DEPTH, is_frame, &search, 0);
	if (search.left) {
		closed = close_down_to(thread, search.left, time, INTERVAL_UNWOUND);
		count_up(process_of(thread), unwound, closed);
		close_top(thread, time, 0);
		thread->beyond = 0;
		return 1;
	}
	if (!thread->beyond)
		return 0;
	thread->beyond--;
	return 1;
}

/* Takes the frame with `key` off the stack, in a probe that read the clock at `now`. Returns whether it was there. */
static __always_inline int leave_frame(struct thread *thread, __u64 key, __u64 now)
{
	__u32 top = thread->depth - 1;
	__u64 time = probe_time(thread, now, 1);

	if (top >= WIRE_MAX_DEPTH || thread->frames[top].key != key)
		return leave_below(thread, key, time);
	close_top(thread, time, 0);
	return 1;
}

#endif
