/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Processes: who belongs to the followed tree, when a compilation begins, and what is left when a thread ends. */
#include "bpf/absence.h"
#include "bpf/join.h"

#define SIGNAL_GROUP_EXIT 4u

/* Which counters of struct mm_struct make up what is in memory. */
enum { MM_FILEPAGES = 0, MM_ANONPAGES = 1, MM_SHMEMPAGES = 3 };

/* Room in the ring buffer for a record about the life of a process. */
static __always_inline void *reserve_life(__u64 size)
{
	void *record = bpf_ringbuf_reserve(&records, size, 0);

	if (!record)
		__sync_fetch_and_add(&lost_lives, 1);
	return record;
}

/* As wait(2) reports it. */
static __always_inline int exit_code_of(struct task_struct *task)
{
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(task, signal, group_exit_code);
	return BPF_CORE_READ(task, group_leader, exit_code);
}

#define COUNTED_PAGES(mm, counter)                                                \
	({                                                                        \
		__s64 pages_counted = BPF_CORE_READ(mm, rss_stat[counter].count); \
		(__u64)(pages_counted > 0 ? pages_counted : 0);                   \
	})

/*
 * The most pages that the program of a process whose last thread exits had in memory; 0 where its memory is gone by
 * now, as it is before Linux 6.16: this tracepoint came behind exit_mm() until then.
 */
static __noinline __u64 pages_of(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u64 pages, most;

	if (!mm || !bpf_core_field_exists(mm->rss_stat[0].count))
		return 0;
	most = BPF_CORE_READ(mm, hiwater_rss);
	pages = COUNTED_PAGES(mm, MM_FILEPAGES) + COUNTED_PAGES(mm, MM_ANONPAGES) + COUNTED_PAGES(mm, MM_SHMEMPAGES);
	return pages > most ? pages : most;
}

/* Sends what WIRE_END says of a process. Returns whether there was room. */
static __noinline bool send_end_record(struct task_struct *task, struct wire_process *process, __u32 by_exec)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct wire_end *record;

	if (!process)
		return false;
	record = reserve_life(sizeof(*record));
	if (!record)
		return false;
	record->header = (struct wire_header){WIRE_END, tgid, tgid, 0};
	record->life = (struct wire_life){process->born, process->parent, 0};
	record->time = process->end;
	record->counts = process->counts;
	record->pages_before = process->pages_before;
	record->pages = by_exec ? 0 : pages_of(task);
	record->exit_code = process->exit_code;
	record->by_exec = by_exec;
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	return true;
}

/*
 * Tells the collector that a process has ended, once. Returns whether there was room for it; if not, the process and
 * its counts stay in the map for the collector to find.
 */
static bool send_end(struct task_struct *task, struct wire_process *process, __u32 by_exec)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);

	if (__sync_fetch_and_or(&process->flags, PROCESS_ENDED) & PROCESS_ENDED)
		return true;
	process->end = bpf_ktime_get_ns();
	if (!by_exec) {
		__u64 leader = (__u64)BPF_CORE_READ(task, group_leader);
		struct wire_life life;

		process->born = BPF_CORE_READ(task, group_leader, start_time);
		process->exit_code = exit_code_of(task);
		life = (struct wire_life){process->born, process->parent, 0};
		bpf_map_update_elem(&leaving, &leader, &life, BPF_ANY);
	}
	if (!send_end_record(task, process, by_exec))
		return false;
	bpf_map_delete_elem(&processes, &tgid);
	return true;
}

/* Sends what a thread has, with the queries that still run as truncated. */
static void finish_thread(struct task_struct *task, struct thread *thread)
{
	__u32 closed;

	if (off_cpu)
		end_watch(task, thread);
	closed = close_down_to(thread, 0, time_of_thread(thread), INTERVAL_TRUNCATED);
	count_up(process_of(thread), truncated, closed);
	flush(thread);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;
	struct wire_process process = {0}, *forking;
	struct wire_fork *record;

	if (parent_tgid == tgid)
		return 0;
	forking = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (!forking || (forking->flags & PROCESS_ALONE) || !may_follow(child))
		return 0;
	process.start = bpf_ktime_get_ns();
	process.compiler = forking->flags & PROCESS_COMPILER ? parent_tgid : forking->compiler;
	process.parent = parent_tgid;
	process.born = BPF_CORE_READ(child, start_time);
	bpf_map_update_elem(&processes, &tgid, &process, BPF_ANY);
	record = reserve_life(sizeof(*record));
	if (!record)
		return 0;
	record->header = (struct wire_header){WIRE_FORK, tgid, tgid, 0};
	record->life = (struct wire_life){process.born, process.parent, 0};
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Tells the collector which program the process has become, and with which command line, as far as there is room. */
static __noinline int send_exec(struct task_struct *task, struct wire_process *process)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	unsigned long at = BPF_CORE_READ(task, mm, arg_start);
	struct wire_exec *record;
	__u32 size;

	if (!process)
		return 0;
	record = reserve_life(sizeof(*record));
	if (!record)
		return 0;
	record->life = (struct wire_life){process->born, process->parent, 0};
	record->time = process->start;
	record->args_size = BPF_CORE_READ(task, mm, arg_end) - at;
	size = record->args_size < WIRE_ARGS_CHUNK ? record->args_size : WIRE_ARGS_CHUNK;
	barrier_var(size);
	if (size > WIRE_ARGS_CHUNK || bpf_probe_read_user(record->args, size, (void *)at))
		size = 0;
	record->header = (struct wire_header){WIRE_EXEC, tgid, tgid, size};
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* Whether the current process has become a program that is to be followed wherever it comes from. */
static __always_inline bool has_followed_name(void)
{
	char comm[WIRE_COMM];

	if (!trace_comm[0] || bpf_get_current_comm(comm, sizeof(comm)))
		return false;
	for (int i = 0; i < WIRE_COMM; i++) {
		if (comm[i] != trace_comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct wire_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct wire_process fresh = {0};
	struct thread *thread;

	if (!process && !trace_all && !has_followed_name())
		return 0;
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread) {
		finish_thread(task, thread);
		bpf_task_storage_delete(&threads, task);
	}
	if (!may_follow(task)) {
		if (process)
			send_end(task, process, 1);
		bpf_map_delete_elem(&processes, &tgid);
		return 0;
	}
	if (process) {
		fresh.compiler = process->compiler;
		fresh.parent = process->parent;
		if (!(process->flags & PROCESS_COMPILER) || !send_end(task, process, 1))
			fresh.counts = process->counts;
	}
	fresh.born = BPF_CORE_READ(task, group_leader, start_time);
	if (!fresh.parent)
		fresh.parent = BPF_CORE_READ(task, group_leader, real_parent, tgid);
	fresh.pages_before = BPF_CORE_READ(task, signal, maxrss);
	fresh.start = bpf_ktime_get_ns();
	bpf_map_update_elem(&processes, &tgid, &fresh, BPF_ANY);
	return send_exec(task, &fresh);
}

/*
 * Runs in the thread that ends. The last thread to leave its process need not be the last to send its queries: the
 * one that finds both done says that the process has ended.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct wire_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct thread *thread;
	__u32 threads_left;

	if (!process)
		return 0;
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		__sync_fetch_and_or(&process->flags, PROCESS_DEAD);
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread) {
		finish_thread(task, thread);
		bpf_task_storage_delete(&threads, task);
		threads_left = __sync_fetch_and_add(&process->threads, -1) - 1;
	} else {
		threads_left = __sync_fetch_and_add(&process->threads, 0);
	}
	if (threads_left == 0 && (process->flags & PROCESS_DEAD))
		send_end(task, process, 0);
	return 0;
}

/*
 * Runs when the kernel frees what is left of a thread, some time after it has ended and was waited for. Only now does
 * the kernel's account have all that the process has used, its way out included.
 */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
	__u64 key = (__u64)task;
	__u32 tgid = task->tgid;
	struct wire_freed *record;
	struct wire_life *life;

	if (tgid != task->pid)
		return 0;
	life = bpf_map_lookup_elem(&leaving, &key);
	if (!life)
		return 0;
	record = reserve_life(sizeof(*record));
	if (record) {
		record->header = (struct wire_header){WIRE_FREED, tgid, tgid, 0};
		record->life = *life;
		record->run_time = BPF_CORE_READ(task, signal, sum_sched_runtime);
		record->user = BPF_CORE_READ(task, signal, utime);
		record->system = BPF_CORE_READ(task, signal, stime);
		record->pages = BPF_CORE_READ(task, signal, maxrss);
		record->exit_code = exit_code_of(task);
		record->padding = 0;
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	}
	bpf_map_delete_elem(&leaving, &key);
	return 0;
}

/* The start of a compilation, before its first query. */
SEC("kprobe")
int session_start(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_task_storage_get(&threads, task, NULL, 0))
		join(task, COOKIE_COMPILER(bpf_get_attach_cookie(ctx)), true);
	return 0;
}

/* Run once for each thread when recording stops while compilers go on. */
SEC("iter/task")
int finish_all(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct thread *thread;

	if (!task)
		return 0;
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread)
		finish_thread(task, thread);
	return 0;
}
