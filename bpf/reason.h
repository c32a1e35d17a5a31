/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Why a thread leaves the CPU: by the scheduler's word, the system call that it is in, and the file that this is about.
 * All of it runs under the scheduler's lock, at the moment of the switch, when the thread is still the current one.
 */
#ifndef QUERYTAP_BPF_REASON_H
#define QUERYTAP_BPF_REASON_H

#include <stdbool.h>

#include "bpf/state.h"

#define STATE_STOPPED 0xcu /* __TASK_STOPPED, __TASK_TRACED: include/linux/sched.h */

#define S_IFMT 0170000
#define S_IFIFO 0010000
#define S_IFBLK 0060000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define ANON_INODE_FS_MAGIC 0x09041934 /* eventfd and the like, which are regular files since Linux 6.16 */

/* What a system call may wait for. */
enum call_kind {
	CALL_UNKNOWN,
	CALL_FUTEX,
	CALL_CHILD,
	CALL_SLEEP,
	CALL_FILE,	 /* files, by their names or their contents */
	CALL_DESCRIPTOR, /* what its first argument is */
	/* Several descriptors. If it has a timeout, it is in the third argument, the fourth or the fifth. */
	CALL_POLL,
	CALL_PPOLL,
	CALL_SELECT,
	CALL_EPOLL,
	CALL_EPOLL_TIMESPEC,
};

#define CALLS 512 /* a power of two beyond the last number */

/* By the numbers of x86-64: arch/x86/entry/syscalls/syscall_64.tbl. */
static const __u8 call_kinds[CALLS] = {
    [0] = CALL_DESCRIPTOR,	     /* read */
    [1] = CALL_DESCRIPTOR,	     /* write */
    [2] = CALL_FILE,		     /* open */
    [3] = CALL_FILE,		     /* close */
    [4] = CALL_FILE,		     /* stat */
    [5] = CALL_FILE,		     /* fstat */
    [6] = CALL_FILE,		     /* lstat */
    [7] = CALL_POLL,		     /* poll */
    [17] = CALL_DESCRIPTOR,	     /* pread64 */
    [18] = CALL_DESCRIPTOR,	     /* pwrite64 */
    [19] = CALL_DESCRIPTOR,	     /* readv */
    [20] = CALL_DESCRIPTOR,	     /* writev */
    [21] = CALL_FILE,		     /* access */
    [23] = CALL_SELECT,		     /* select */
    [26] = CALL_FILE,		     /* msync */
    [35] = CALL_SLEEP,		     /* nanosleep */
    [40] = CALL_FILE,		     /* sendfile */
    [56] = CALL_CHILD,		     /* clone: with CLONE_VFORK */
    [58] = CALL_CHILD,		     /* vfork */
    [61] = CALL_CHILD,		     /* wait4 */
    [74 ... 77] = CALL_FILE,	     /* fsync, fdatasync, truncate, ftruncate */
    [78] = CALL_FILE,		     /* getdents */
    [82 ... 95] = CALL_FILE,	     /* rename to chown and the like */
    [162] = CALL_FILE,		     /* sync */
    [187] = CALL_FILE,		     /* readahead */
    [202] = CALL_FUTEX,		     /* futex */
    [217] = CALL_FILE,		     /* getdents64 */
    [221] = CALL_FILE,		     /* fadvise64 */
    [230] = CALL_SLEEP,		     /* clock_nanosleep */
    [232] = CALL_EPOLL,		     /* epoll_wait */
    [247] = CALL_CHILD,		     /* waitid */
    [257 ... 269] = CALL_FILE,	     /* openat to faccessat */
    [270] = CALL_SELECT,	     /* pselect6 */
    [271] = CALL_PPOLL,		     /* ppoll */
    [275] = CALL_DESCRIPTOR,	     /* splice */
    [277] = CALL_FILE,		     /* sync_file_range */
    [281] = CALL_EPOLL,		     /* epoll_pwait */
    [285] = CALL_FILE,		     /* fallocate */
    [295 ... 296] = CALL_DESCRIPTOR, /* preadv, pwritev */
    [306] = CALL_FILE,		     /* syncfs */
    [316] = CALL_FILE,		     /* renameat2 */
    [326] = CALL_FILE,		     /* copy_file_range */
    [327 ... 328] = CALL_DESCRIPTOR, /* preadv2, pwritev2 */
    [332] = CALL_FILE,		     /* statx */
    [435] = CALL_CHILD,		     /* clone3: with CLONE_VFORK */
    [437] = CALL_FILE,		     /* openat2 */
    [439] = CALL_FILE,		     /* faccessat2 */
    [441] = CALL_EPOLL_TIMESPEC,     /* epoll_pwait2 */
    [449] = CALL_FUTEX,		     /* futex_waitv */
    [455] = CALL_FUTEX,		     /* futex_wait */
};

/* What waiting for the file that the current thread has open as `fd` is. */
static __always_inline __u32 reason_of_file(struct task_struct *task, __u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;
	struct inode *inode;

	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return ABSENCE_OTHER;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	inode = file ? BPF_CORE_READ(file, f_inode) : NULL;
	if (!inode)
		return ABSENCE_OTHER;
	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFIFO:
		return ABSENCE_PIPE;
	case S_IFREG:
		return BPF_CORE_READ(inode, i_sb, s_magic) == ANON_INODE_FS_MAGIC ? ABSENCE_OTHER : ABSENCE_FILE_IO;
	case S_IFBLK:
	case S_IFDIR:
		return ABSENCE_FILE_IO;
	default:
		return ABSENCE_OTHER;
	}
}

/* The same for the first of an array of struct pollfd. */
static __always_inline __u32 reason_of_polled(struct task_struct *task, __u64 polled)
{
	__u32 fd;

	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)polled))
		return ABSENCE_OTHER;
	return reason_of_file(task, fd) == ABSENCE_PIPE ? ABSENCE_PIPE : ABSENCE_OTHER;
}

/* Why the thread sleeps in a system call that waits for no block device. */
static __always_inline __u32 reason_of_call(struct task_struct *task, const struct pt_regs *regs, __u8 kind)
{
	bool timeout = false;

	switch (kind) {
	case CALL_FUTEX:
		return ABSENCE_FUTEX;
	case CALL_CHILD:
		return ABSENCE_CHILD;
	case CALL_SLEEP:
		return ABSENCE_ASLEEP;
	case CALL_FILE:
		return ABSENCE_FILE_IO;
	case CALL_DESCRIPTOR:
		return reason_of_file(task, regs->di);
	case CALL_POLL:
		return (__s32)regs->dx >= 0 ? ABSENCE_ASLEEP : reason_of_polled(task, regs->di);
	case CALL_PPOLL:
		return regs->dx ? ABSENCE_ASLEEP : reason_of_polled(task, regs->di);
	case CALL_SELECT:
		timeout = regs->r8 != 0;
		break;
	case CALL_EPOLL:
		timeout = (__s32)regs->r10 >= 0;
		break;
	case CALL_EPOLL_TIMESPEC:
		timeout = regs->r10 != 0;
		break;
	default:
		break;
	}
	return timeout ? ABSENCE_ASLEEP : ABSENCE_OTHER;
}

/*
 * Why the current thread leaves the CPU. `state` is what it is in from now on: 0 if it could run. Outside of system
 * calls, it came to the kernel by a page fault, a trap or an interrupt, and the call's number is -1.
 */
static __noinline __u32 reason_of_leaving(struct task_struct *task, bool preempted, __u32 state)
{
	const struct pt_regs *regs;
	bool in_call, for_device;
	__u64 number;
	__u8 kind;

	if (preempted || !state)
		return ABSENCE_PREEMPTED;
	if (state & STATE_STOPPED)
		return ABSENCE_OTHER;
	regs = (const struct pt_regs *)bpf_task_pt_regs(task);
	number = regs->orig_ax;
	in_call = (__s64)number >= 0;
	kind = in_call && number < CALLS ? call_kinds[number & (CALLS - 1)] : CALL_UNKNOWN;
	for_device = BPF_CORE_READ_BITFIELD(task, in_iowait);
	if (for_device)
		return in_call && (kind == CALL_UNKNOWN || kind == CALL_FILE || kind == CALL_DESCRIPTOR)
			   ? ABSENCE_FILE_IO
			   : ABSENCE_PAGE_IN;
	return in_call ? reason_of_call(task, regs, kind) : ABSENCE_OTHER;
}

#endif
