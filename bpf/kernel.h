/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's types, as far as the programs here read them. Fields are found at load time through BTF (CO-RE), so
 * only names matter, not layout; pt_regs alone is part of the kernel's interface to probes and has a fixed one.
 */
#ifndef QUERYTAP_BPF_KERNEL_H
#define QUERYTAP_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1 << 10, BPF_F_INNER_MAP = 1 << 12 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

/* What a program of a perf event is given: also a part of the kernel's interface. */
struct bpf_perf_event_data {
	struct pt_regs regs;
	__u64 sample_period;
	__u64 addr;
};

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct cred {
	kuid_t uid, suid, euid, fsuid;
	kgid_t gid, sgid, egid, fsgid;
};

struct signal_struct {
	atomic_t live; /* threads of the process that have not begun to exit */
	unsigned int flags;
	int group_exit_code;
	/* Of the threads that are gone; pages of the largest of its programs. */
	__u64 utime, stime;
	__u64 sum_sched_runtime;
	unsigned long maxrss;
};

struct percpu_counter {
	__s64 count;
};

/*
 * Linux 6.1 keeps a process's memory areas in a maple tree. Pointers to its nodes have their type in bits 3 to 6; a
 * node of either type is 256 bytes: a pointer to its parent, the pivots, as many slots and one more, and what else.
 */
struct maple_tree {
	void *ma_root;
};

struct maple_arange_64 {
	void *slot[10];
};

struct maple_range_64 {
	void *slot[16];
};

enum maple_type {
	maple_leaf_64 = 1,
	maple_arange_64 = 3,
};

typedef struct {
	void *vdso; /* where the kernel's own library is mapped */
} mm_context_t;

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

struct mm_struct {
	struct maple_tree mm_mt;
	seqcount_t mm_lock_seq; /* raised before and after memory areas are changed (Linux 6.13) */
	mm_context_t context;
	unsigned long arg_start, arg_end;
	unsigned long hiwater_rss;
	struct percpu_counter rss_stat[4];
};

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_pgoff; /* pages */
	struct file *vm_file;
};

struct bpf_local_storage;

struct sched_entity {
	__u64 sum_exec_runtime; /* nanoseconds on the CPU; up to date where the task is switched */
};

struct task_struct {
	unsigned int __state;	    /* 0: runs or could */
	unsigned int in_iowait : 1; /* waits for a block device */
	int pid, tgid;
	int exit_code;
	__u64 start_time; /* CLOCK_MONOTONIC */
	struct sched_entity se;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	const struct cred *real_cred;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct bpf_local_storage *bpf_storage;
	struct files_struct *files;
	char comm[16];
};

struct qstr {
	const unsigned char *name;
};

struct super_block {
	__u32 s_dev;
	unsigned long s_magic; /* which file system it is */
};

struct inode {
	__u16 i_mode;
	long long i_size;
	unsigned long i_ino;
	__u32 i_generation;
	struct super_block *i_sb;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	struct inode *f_inode;
	struct path f_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

#endif
