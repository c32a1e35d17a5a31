/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Samples the stacks of the threads of followed processes. Loaded only where that is asked for. */
#include "bpf/unwind.h"

extern const volatile __u64 sample_wake_bytes; /* wake the collector once this much waits in the ring of samples */
extern volatile __u64 lost_samples;	       /* for which that ring had no room */

/* Where the kernel's entry for page faults is, 0 if it does not say; and how long it is at most. */
__u64 fault_entry;
#define FAULT_ENTRY_BYTES 64

static __always_inline void add_word(struct walk *walk, __u64 word)
{
	if (walk->count >= WIRE_MAX_WORDS)
		return;
	walk->scratch->sample.words[walk->count++] = word;
}

/*
 * Whether the innermost frame of the shadow stack that is left began in the function whose place is pending. Behind the
 * last place come all that are left.
 */
static __always_inline bool has_frame(const struct walk *walk)
{
	__u32 top = walk->frames - 1;
	__u64 sp;

	if (!walk->thread || top >= WIRE_MAX_DEPTH)
		return false;
	sp = KEY_SP(walk->thread->frames[top].key);
	return (walk->ended && !walk->pending) || (sp >= walk->low && sp < walk->high);
}

static __always_inline void add_frame(struct walk *walk)
{
	__u32 top = walk->frames - 1;

	if (walk->thread && top < WIRE_MAX_DEPTH)
		add_word(walk, WORD_MAKE(WORD_FRAME, walk->thread->frames[top].start_and_number >> 48));
	walk->frames = top;
}

/* Adds a word to the sample: a frame of the shadow stack, or the pending place, which is followed by the next one. */
static long step(__u32 index, struct walk *walk)
{
	(void)index;
	if (has_frame(walk)) {
		add_frame(walk);
		return 0;
	}
	if (walk->pending)
		add_word(walk, walk->pending);
	else if (walk->ended)
		return 1;
	walk->pending = 0;
	return walk->ended ? 0 : next_place(walk);
}

/*
 * Whether a thread whose registers in user space are saved at `regs` went to the kernel for a page fault: below them
 * lies the return address of what the kernel's entry for the fault has called.
 */
static __always_inline bool is_fault(const struct pt_regs *regs)
{
	__u64 called_from = 0;

	if (!fault_entry || bpf_probe_read_kernel(&called_from, sizeof(called_from), (const __u64 *)regs - 1))
		return false;
	return called_from - fault_entry < FAULT_ENTRY_BYTES;
}

/* The registers in user space of a thread that has gone to the kernel. Returns how it went there: SAMPLE_IN_*. */
static __always_inline __u32 read_saved(struct walk *walk, struct task_struct *task)
{
	const struct pt_regs *regs = (const struct pt_regs *)bpf_task_pt_regs(task);

	walk->rip = regs->ip;
	walk->rsp = regs->sp;
	walk->rbp = regs->bp;
	return is_fault(regs) ? SAMPLE_IN_KERNEL | SAMPLE_IN_FAULT : SAMPLE_IN_KERNEL;
}

static __always_inline void send_sample(struct walk *walk)
{
	__u64 size = __builtin_offsetof(struct wire_sample, words), wake = BPF_RB_NO_WAKEUP;

	walk->scratch->sample.header.count = walk->count;
	walk->scratch->sample.end = walk->ended ? walk->end : SAMPLE_CUT;
	if (walk->count <= WIRE_MAX_WORDS)
		size += walk->count * sizeof(__u64);
	if (bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA) > sample_wake_bytes)
		wake = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&samples, &walk->scratch->sample, size, wake))
		__sync_fetch_and_add(&lost_samples, 1);
}

SEC("perf_event")
int take_sample(struct bpf_perf_event_data *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tgid = id >> 32, processor = bpf_get_smp_processor_id();
	struct wire_process *process = bpf_map_lookup_elem(&processes, &tgid);
	__u32 in_kernel = 0;
	struct walk walk = {.exact = true};
	struct wire_sample *sample;
	struct mm_struct *mm;

	if (!process)
		return 0;
	walk.scratch = bpf_map_lookup_elem(&scratches, &processor);
	mm = BPF_CORE_READ(task, mm);
	if (!walk.scratch || !mm)
		return 0;
	begin_walk(&walk, process, mm);
	walk.thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (walk.thread)
		walk.frames = walk.thread->depth;
	if (ctx->regs.cs & 3)
		read_registers(&walk, &ctx->regs);
	else
		in_kernel = read_saved(&walk, task);
	sample = &walk.scratch->sample;
	sample->header = (struct wire_header){WIRE_SAMPLE, tgid, (__u32)id, 0};
	sample->time = bpf_ktime_get_ns();
	sample->skew = walk.thread ? walk.thread->skew : 0;
	sample->compiler = walk.thread ? walk.thread->compiler : 0;
	sample->in_kernel = in_kernel;
	BPF_CORE_READ_STR_INTO(&sample->process, task, group_leader, comm);
	bpf_get_current_comm(sample->thread, sizeof(sample->thread));
	bpf_loop(WIRE_MAX_WORDS + 1, step, &walk, 0);
	send_sample(&walk);
	return 0;
}

static long identify(struct task_struct *task, struct vm_area_struct *vma, struct wire_object_key *key)
{
	struct inode *inode = BPF_CORE_READ(vma, vm_file, f_inode);

	(void)task;
	if (inode)
		read_key(key, inode);
	return 0;
}

/* The collector runs this for files that it expects to be met. */
SEC("syscall")
int identify_file(struct wire_mapped *mapped)
{
	struct wire_object_key key = {0};

	bpf_find_vma(bpf_get_current_task_btf(), mapped->address, identify, &key, 0);
	mapped->key = key;
	return 0;
}

/* The collector runs this before it samples: it would take a tenth of a second to look for it in /proc/kallsyms. */
SEC("syscall")
int find_fault_entry(void *ctx)
{
	static const char name[] = "asm_exc_page_fault";
	__u64 address = 0;

	(void)ctx;
	if (bpf_kallsyms_lookup_name(name, sizeof(name), 0, &address) == 0)
		fault_entry = address;
	return 0;
}
