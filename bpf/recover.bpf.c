/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The probes where running compilers are joined: what a thread was in already when its process was joined is found on
 * its stack, at its first probe. The programs of pair.bpf.c and guard.bpf.c otherwise. Loaded only where compilers are
 * joined.
 *
 * A query is on the stack where the function that it is for has called what runs queries, and that has called the
 * provider. The frame between the two is the one whose rsp the query's exit has. Only the compiler's own code is
 * walked: what lies behind any other is missed.
 */
#include "bpf/guard.h"
#include "bpf/pair.h"
#include "bpf/unwind.h"

#define NOT_A_CALL 0xffff

struct search_back {
	struct walk walk;
	struct recovery *recovery;
	__u32 compiler;
	bool at_exit; /* the innermost frame has just run a provider */
};

static __always_inline __u16 call_at(__u32 compiler, __u64 place)
{
	__u64 key = WIRE_CALL(compiler, WORD_VALUE(place));
	__u16 *number = bpf_map_lookup_elem(&calls, &key);

	return number ? *number : NOT_A_CALL;
}

static __always_inline void note_found(struct recovery *recovery, __u16 number)
{
	__u32 at = recovery->found;

	if (at >= WIRE_MAX_DEPTH)
		return;
	recovery->scratch.sample.words[2 * at] = recovery->running;
	recovery->scratch.sample.words[2 * at + 1] = number;
	recovery->found = at + 1;
}

static long look_at_frame(__u32 index, struct search_back *search)
{
	struct recovery *recovery = search->recovery;
	__u64 sp = search->walk.rsp;
	__u16 number;

	if (search->walk.ended)
		return 1;
	next_place(&search->walk);
	number = call_at(search->compiler, search->walk.pending);
	if (!index && search->at_exit)
		number = WIRE_QUERY_NONE;
	if (recovery->running && number != NOT_A_CALL && number != WIRE_QUERY_NONE)
		note_found(recovery, number);
	recovery->running = number == WIRE_QUERY_NONE ? sp : 0;
	return 0;
}

struct putting {
	struct thread *thread;
	const __u64 *words;
	__u32 left;
};

/* Puts what was found last, the outermost, on the shadow stack first. */
static long put_frame(__u32 index, struct putting *putting)
{
	struct thread *thread = putting->thread;
	__u32 from = putting->left - 1;

	if (from >= WIRE_MAX_DEPTH || index >= WIRE_MAX_DEPTH)
		return 1;
	thread->frames[index].key = putting->words[2 * from];
	thread->frames[index].argument = 0;
	thread->frames[index].start_and_number = ++thread->last | putting->words[2 * from + 1] << 48;
	thread->depth = thread->recovered = index + 1;
	putting->left = from;
	return 0;
}

/* The inode of the file that the code at rip is of; 0 if it cannot be told. */
static __always_inline __u64 inode_at(struct walk *walk)
{
	struct vm_area_struct *vma = (void *)tree_find(walk->scratch, walk->root, walk->rip);

	return vma ? (__u64)BPF_CORE_READ(vma, vm_file, f_inode) : 0;
}

/* What is found begins when the probes were there: since then all that it runs is seen. */
static __always_inline void look_back(struct thread *thread, struct search_back *search, __u64 since)
{
	struct scratch *scratch = search->walk.scratch;
	struct putting putting = {.thread = thread, .words = scratch->sample.words};

	scratch->inode = inode_at(&search->walk);
	scratch->object = WIRE_COMPILER_OBJECT(search->compiler);
	scratch->known = scratch->current = 0;
	if (!scratch->inode)
		return;
	search->recovery->running = 0;
	search->recovery->found = 0;
	bpf_loop(WIRE_MAX_WORDS, look_at_frame, search, 0);
	putting.left = search->recovery->found;
	if (since > thread->process_start)
		thread->last = since - thread->process_start;
	bpf_loop(WIRE_MAX_DEPTH, put_frame, &putting, 0);
}

/*
 * The state of a thread that is met for the first time; NULL if it has none, and while some probes are still to come.
 * One that is older than the joining of its process may be in queries. `at_exit`: it stands where it has just run a
 * provider.
 */
static __noinline struct thread *meet(struct pt_regs *ctx, struct task_struct *task, __u32 compiler, bool at_exit)
{
	__u64 since = armed[compiler & (WIRE_MAX_COMPILERS - 1)];
	struct thread *thread = since ? join(task, compiler, false) : NULL;
	struct search_back search = {.compiler = compiler, .at_exit = at_exit, .walk = {.exact = true}};
	__u32 processor = bpf_get_smp_processor_id();
	struct wire_process *process;
	struct recovery *recovery;

	if (!thread)
		return NULL;
	process = process_of(thread);
	if (!process || !(process->flags & PROCESS_JOINED) || BPF_CORE_READ(task, start_time) > process->start)
		return thread;
	recovery = bpf_map_lookup_elem(&recoveries, &processor);
	/* Another thread was interrupted here. */
	if (!recovery || __sync_fetch_and_or(&recovery->busy, 1))
		return thread;
	search.recovery = recovery;
	search.walk.scratch = &recovery->scratch;
	search.walk.root = (__u64)BPF_CORE_READ(task, mm, mm_mt.ma_root);
	read_registers(&search.walk, ctx);
	look_back(thread, &search, since);
	__sync_fetch_and_and(&recovery->busy, 0);
	return thread;
}

/* The thread's state, which it may be given here. */
static __always_inline struct thread *state_of(struct pt_regs *ctx, struct task_struct *task, __u64 cookie,
					       bool at_exit)
{
	struct thread *thread = bpf_task_storage_get(&threads, task, NULL, 0);

	return thread ? thread : meet(ctx, task, COOKIE_COMPILER(cookie), at_exit);
}

SEC("kprobe")
int query_enter_joined(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct thread *thread = state_of(ctx, task, cookie, false);

	if (thread)
		enter_query(ctx, task, thread, cookie);
	return 0;
}

SEC("kprobe")
int query_exit_joined(struct pt_regs *ctx)
{
	__u64 now = bpf_ktime_get_ns(), cookie = bpf_get_attach_cookie(ctx);
	struct thread *thread = state_of(ctx, bpf_get_current_task_btf(), cookie, true);

	if (thread)
		exit_query(ctx, thread, now);
	else if (armed[COOKIE_COMPILER(cookie) & (WIRE_MAX_COMPILERS - 1)])
		return exit_unknown();
	return 0;
}

SEC("kprobe")
int guard_begin_joined(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct thread *thread = state_of(ctx, task, cookie, false);

	if (thread)
		begin_guard(ctx, task, thread, cookie);
	return 0;
}
