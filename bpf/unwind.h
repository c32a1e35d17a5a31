/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Walks a thread's stack in user space by the tables of its files (bpf/table.h), from an interrupt or an NMI: nothing
 * here sleeps, and only reads of memory that cannot fault are made.
 */
#ifndef QUERYTAP_BPF_UNWIND_H
#define QUERYTAP_BPF_UNWIND_H

#include <stdbool.h>

#include "bpf/registers.h"
#include "bpf/sampling.h"
#include "bpf/table.h"

#define PAGE_SHIFT 12
#define TREE_LEVELS 8 /* more than the tree of any process has */

/* In the ucontext of a signal frame, bytes from rsp; see sys/ucontext.h. */
#define SIGNAL_RBP 120
#define SIGNAL_RSP 160
#define SIGNAL_RIP 168

struct walk {
	struct scratch *scratch;
	struct thread *thread; /* NULL where there is no shadow stack */
	__u64 root;	       /* of the tree of the process's memory areas */
	__u64 rip, rsp, rbp;
	__u64 pending;	 /* the word of a place that is not added yet; 0 for none */
	__u64 low, high; /* that place's frame: from rsp up to the CFA */
	__u32 frames;	 /* of the shadow stack that are not in the sample yet */
	__u32 count;	 /* words */
	bool exact;	 /* rip is the instruction itself, not the one behind a call */
	bool ended;
	__u16 end; /* enum sample_end */
};

/* Begins where the thread runs in user space. */
static __always_inline void read_registers(struct walk *walk, const struct pt_regs *ctx)
{
	__u64 value;

	READ_REGISTER(ip);
	walk->rip = value;
	READ_REGISTER(sp);
	walk->rsp = value;
	READ_REGISTER(bp);
	walk->rbp = value;
}

static __always_inline long end_walk(struct walk *walk, enum sample_end end)
{
	walk->end = end;
	walk->ended = true;
	return 0;
}

/* ---- the process's memory areas ---- */

/*
 * Finds the entry for an address in the tree at `root`: a struct vm_area_struct, or 0. bpf_find_vma() would do, but in
 * an interrupt it lets go of its lock only afterwards, so it can be called but once. The tree is made for readers that
 * take no lock; what is read while it is being changed may be wrong, so the area itself has to be looked at.
 */
__weak __noinline __u64 tree_find(struct scratch *scratch, __u64 root, __u64 address)
{
	const __u32 arange_slots = bpf_core_field_offset(struct maple_arange_64, slot) / 8;
	const __u32 range_slots = bpf_core_field_offset(struct maple_range_64, slot) / 8;
	const __u32 arange = bpf_core_enum_value(enum maple_type, maple_arange_64);
	const __u32 leaf = bpf_core_enum_value(enum maple_type, maple_leaf_64);
	__u64 entry = root;

	/* Without bit 1 it is a single area, which no process has. */
	if (!scratch || !(root & 2))
		return 0;
	for (int level = 0; level < TREE_LEVELS; level++) {
		__u32 type = entry >> 3 & 0xf, slots = type == arange ? arange_slots : range_slots, at;

		if (bpf_probe_read_kernel(scratch->node, sizeof(scratch->node), (void *)(entry & ~0xffULL)))
			return 0;
		for (at = 1; at < NODE_WORDS / 2; at++) {
			__u64 pivot = scratch->node[at];

			if (at >= slots || pivot >= address || (at > 1 && !pivot))
				break;
		}
		at += slots - 1;
		if (at >= NODE_WORDS)
			return 0;
		entry = scratch->node[at];
		if (type == leaf)
			return entry;
	}
	return 0;
}

static __always_inline void read_key(struct wire_object_key *key, const struct inode *inode)
{
	key->inode = BPF_CORE_READ(inode, i_ino);
	key->size = BPF_CORE_READ(inode, i_size);
	key->generation = BPF_CORE_READ(inode, i_generation);
	key->device = BPF_CORE_READ(inode, i_sb, s_dev);
}

/*
 * The number of the file. One that the collector did not expect is given one by whoever meets it first, who tells the
 * collector. 0 if there are too many.
 */
static __noinline __u32 object_number(const struct wire_object_key *key, __u64 start, __u64 end)
{
	__u32 *known = bpf_map_lookup_elem(&objects, key), number;
	__u64 id = bpf_get_current_pid_tgid();
	struct wire_object *record;

	if (known)
		return *known;
	number = __sync_fetch_and_add(&object_count, 1) + 1;
	if (number >= WIRE_COMPILER_OBJECT(0))
		return 0;
	record = bpf_ringbuf_reserve(&samples, sizeof(*record), 0);
	if (!record)
		return 0;
	record->header = (struct wire_header){WIRE_OBJECT, id >> 32, (__u32)id, number};
	record->key = *key;
	record->start = start;
	record->end = end;
	if (bpf_map_update_elem(&objects, key, &number, BPF_NOEXIST)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	return number;
}

static __always_inline __u64 table_word(void *table, __u32 at)
{
	__u64 *word = bpf_map_lookup_elem(table, &at);

	return word ? *word : 0;
}

static __always_inline void read_table_header(struct mapping *mapping)
{
	void *table = bpf_map_lookup_elem(&tables, &mapping->object);

	if (!table)
		return;
	mapping->first_page = table_word(table, TABLE_FIRST_PAGE);
	mapping->pages = table_word(table, TABLE_PAGES);
	mapping->index = TABLE_HEADER_WORDS + table_word(table, TABLE_RULES);
	mapping->rows = mapping->index + mapping->pages / 2 + 1;
}

/* Remembers the mapping of an address as `mapping`. Returns 0, or SAMPLE_NO_MAPPING. */
__weak __noinline int look_up_mapping(struct scratch *scratch, struct mapping *mapping, __u64 root, __u64 address)
{
	struct vm_area_struct *vma;
	struct wire_object_key key = {0};
	struct inode *inode;

	if (!scratch || !mapping)
		return SAMPLE_NO_MAPPING;
	vma = (void *)tree_find(scratch, root, address);
	mapping->start = vma ? BPF_CORE_READ(vma, vm_start) : 0;
	mapping->end = vma ? BPF_CORE_READ(vma, vm_end) : 0;
	mapping->object = 0;
	mapping->pages = 0;
	if (address < mapping->start || address >= mapping->end) {
		mapping->start = mapping->end = 0;
		return SAMPLE_NO_MAPPING;
	}
	inode = BPF_CORE_READ(vma, vm_file, f_inode);
	if (!inode && mapping->start != scratch->vdso)
		return 0;
	mapping->bias = (BPF_CORE_READ(vma, vm_pgoff) << PAGE_SHIFT) - mapping->start;
	if (scratch->inode) {
		mapping->object = (__u64)inode == scratch->inode ? scratch->object : 0;
		return 0;
	}
	if (inode)
		read_key(&key, inode);
	mapping->object = object_number(&key, mapping->start, mapping->end);
	if (!mapping->object)
		mapping->start = mapping->end = 0; /* to be asked again */
	return 0;
}

/*
 * Begins a walk through a process's memory. Mappings are remembered from the last one if it was in the same process and
 * that has changed none since; where the kernel does not tell (before Linux 6.13) they are looked up anew.
 */
static __always_inline void begin_walk(struct walk *walk, const struct wire_process *process, struct mm_struct *mm)
{
	struct scratch *scratch = walk->scratch;
	__u32 changes = bpf_core_field_exists(mm->mm_lock_seq) ? BPF_CORE_READ(mm, mm_lock_seq.sequence) : 0;

	walk->root = (__u64)BPF_CORE_READ(mm, mm_mt.ma_root);
	if (changes && scratch->changes == changes && scratch->process == process->start && scratch->root == walk->root)
		return;
	scratch->known = scratch->current = 0;
	scratch->changes = changes;
	scratch->process = process->start;
	scratch->root = walk->root;
	scratch->vdso = (__u64)BPF_CORE_READ(mm, context.vdso);
}

/* Makes the mapping of the address the current one. Returns 0, or SAMPLE_NO_MAPPING. */
__weak __noinline int choose_mapping(struct scratch *scratch, __u64 root, __u64 address)
{
	struct mapping *mappings;
	__u32 at;

	if (!scratch)
		return SAMPLE_NO_MAPPING;
	mappings = scratch->mappings;
	for (at = 0; at < MAPPINGS; at++) {
		__u32 index = (scratch->current + at) & (MAPPINGS - 1);

		if (index < scratch->known &&
		    address - mappings[index].start < mappings[index].end - mappings[index].start) {
			scratch->current = index;
			return 0;
		}
	}
	at = scratch->known++ & (MAPPINGS - 1);
	scratch->current = at;
	return look_up_mapping(scratch, &mappings[at], root, address);
}

/* ---- tables ---- */

static __always_inline __u32 table_half(void *table, __u32 begin, __u32 at)
{
	__u64 word = table_word(table, begin + at / 2);

	return at & 1 ? word >> 32 : (__u32)word;
}

/* The rule for the place, a file offset. Where the table has none it says nothing, which is the rule 0. */
__weak __noinline __u64 find_rule(const struct mapping *mapping, __u64 place)
{
	__u32 low, high, within = place & (TABLE_PAGE - 1);
	void *table;
	__u64 page;

	if (!mapping)
		return 0;
	table = bpf_map_lookup_elem(&tables, &mapping->object);
	page = (place >> TABLE_PAGE_BITS) - mapping->first_page;
	if (!table || page >= mapping->pages)
		return 0;
	low = table_half(table, mapping->index, page);
	high = table_half(table, mapping->index, page + 1);
	/* The first row behind the place: between low and high. */
	for (int i = 0; i <= TABLE_PAGE_BITS; i++) {
		__u32 middle = low + (high - low) / 2;

		if (low >= high)
			break;
		if (TABLE_ROW_PLACE(table_half(table, mapping->rows, middle)) <= within)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	return table_word(table, TABLE_HEADER_WORDS + TABLE_ROW_RULE(table_half(table, mapping->rows, low - 1)));
}

/* The rule for the place that is pending in the walk, a file offset. */
static __always_inline __u64 rule_of(struct walk *walk, const struct mapping *mapping, __u64 place)
{
	__u64 hash = walk->pending * 0x9e3779b97f4a7c15; /* 2^64 over the golden ratio */
	struct known_rule *known = &walk->scratch->rules[hash >> (64 - KNOWN_RULES_BITS)];

	if (known->place != walk->pending) {
		known->rule = find_rule(mapping, place);
		known->place = walk->pending;
	}
	return known->rule;
}

/* ---- steps ---- */

static __always_inline bool read_word(__u64 *word, __u64 address)
{
	return bpf_probe_read_user(word, sizeof(*word), (void *)address) == 0;
}

/* Goes from the handler of a signal to what it interrupted. */
static __always_inline long step_out_of_signal(struct walk *walk)
{
	__u64 frame = walk->rsp;

	if (!read_word(&walk->rbp, frame + SIGNAL_RBP) || !read_word(&walk->rsp, frame + SIGNAL_RSP) ||
	    !read_word(&walk->rip, frame + SIGNAL_RIP))
		return end_walk(walk, SAMPLE_NO_MEMORY);
	walk->exact = true;
	walk->low = walk->high = 0;
	return 0;
}

/* Goes to the caller. */
static __always_inline long step_out(struct walk *walk, __u64 rule)
{
	__u64 cfa, saved;
	__u32 kind = TABLE_RULE_CFA(rule);

	if (kind == CFA_RSP || kind == CFA_PLT)
		cfa = walk->rsp;
	else if (kind == CFA_RBP || kind == CFA_AT_RBP)
		cfa = walk->rbp;
	else if (kind == CFA_SIGNAL)
		return step_out_of_signal(walk);
	else
		return end_walk(walk, kind == CFA_END	    ? SAMPLE_WHOLE
				      : kind == CFA_NOTHING ? SAMPLE_NO_ROW
							    : SAMPLE_NO_RULE);
	cfa += (__s64)TABLE_RULE_CFA_OFFSET(rule);
	if (kind == CFA_PLT && (walk->rip & 15) >= TABLE_RULE_RBP_OFFSET(rule))
		cfa += 8;
	if (kind == CFA_AT_RBP && !read_word(&cfa, cfa))
		return end_walk(walk, SAMPLE_NO_MEMORY);
	if (kind == CFA_RSP && cfa <= walk->rsp)
		return end_walk(walk, SAMPLE_NO_PROGRESS);
	walk->low = walk->rsp;
	walk->high = cfa;
	saved = (TABLE_RULE_RBP(rule) == RBP_AT_CFA ? cfa : walk->rbp) + (__s64)TABLE_RULE_RBP_OFFSET(rule);
	if (!read_word(&walk->rip, cfa - 8) || (TABLE_RULE_RBP(rule) != RBP_SAME && !read_word(&walk->rbp, saved)))
		return end_walk(walk, SAMPLE_NO_MEMORY);
	walk->rsp = cfa;
	walk->exact = false;
	return walk->rip ? 0 : end_walk(walk, SAMPLE_WHOLE);
}

/* Makes the place at hand the pending one, and goes to the caller. */
static __always_inline long next_place(struct walk *walk)
{
	__u64 address = walk->rip - !walk->exact, rule;
	struct mapping *mapping;

	walk->low = walk->high = 0;
	walk->pending = WORD_MAKE(WORD_NO_OBJECT, address);
	if (choose_mapping(walk->scratch, walk->root, address))
		return end_walk(walk, SAMPLE_NO_MAPPING);
	mapping = &walk->scratch->mappings[walk->scratch->current & (MAPPINGS - 1)];
	if (!mapping->object)
		return end_walk(walk, SAMPLE_NO_FILE);
	walk->pending = WORD_MAKE(mapping->object, address + mapping->bias);
	if (!mapping->pages)
		read_table_header(mapping);
	if (!mapping->pages)
		return end_walk(walk, SAMPLE_NO_TABLE);
	rule = rule_of(walk, mapping, address + mapping->bias);
	/* A coroutine returns to the first byte of a function that never called it: that is where it began. */
	if (TABLE_RULE_CFA(rule) == CFA_NOTHING && !walk->exact &&
	    TABLE_RULE_CFA(find_rule(mapping, walk->rip + mapping->bias)) != CFA_NOTHING)
		return end_walk(walk, SAMPLE_WHOLE);
	return step_out(walk, rule);
}

#endif
