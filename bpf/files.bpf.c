/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The files that compilers write, and the programs that they start, seen at the system calls that close, rename and
 * copy. Loaded only where the sizes of artifacts are recorded.
 */
#include <stdbool.h>

#include "bpf/state.h"

#define FMODE_WRITE 2u
#define S_IFMT 0170000
#define S_IFREG 0100000

/* Numbers of x86-64's system calls; those of programs for i386 are others. */
enum { CALL_CLOSE = 3, CALL_RENAME = 82, CALL_RENAMEAT = 264, CALL_RENAMEAT2 = 316, CALL_COPY_FILE_RANGE = 326 };
#define I386_USER_CS 0x23

/* The header of a record about the current thread; kind 0 if it works for no compiler. */
static __always_inline struct wire_header header_of_current(enum wire_kind kind, __u32 count)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	struct wire_process *process = bpf_map_lookup_elem(&processes, &tgid);

	if (process && (process->flags & PROCESS_COMPILER))
		return (struct wire_header){kind, tgid, (__u32)id, count};
	if (process && process->compiler)
		return (struct wire_header){kind, process->compiler, process->compiler, count};
	return (struct wire_header){0};
}

static __always_inline void count_lost(__u32 compiler)
{
	count_up(bpf_map_lookup_elem(&processes, &compiler), lost, 1);
}

/* Tells the collector of the file that is open as `fd`, if it is a regular one and open for writing. */
static __noinline int send_file(const struct pt_regs *regs, __u32 fd, bool copied)
{
	struct wire_header header = header_of_current(WIRE_FILE, copied);
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table;
	struct wire_file *record;
	struct file *file = NULL;

	if (!header.kind || regs->cs == I386_USER_CS)
		return 0;
	table = BPF_CORE_READ(task, files, fdt);
	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	if (!file || !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE) ||
	    (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count_lost(header.tgid);
		return 0;
	}
	record->header = header;
	record->size = BPF_CORE_READ(file, f_inode, i_size);
	record->writer = bpf_get_current_pid_tgid() >> 32;
	record->padding = 0;
	bpf_probe_read_kernel_str(record->name, sizeof(record->name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

static __noinline int send_rename(const struct pt_regs *regs, unsigned long from, unsigned long to)
{
	struct wire_header header = header_of_current(WIRE_RENAME, 0);
	struct wire_rename *record;

	if (!header.kind || regs->cs == I386_USER_CS)
		return 0;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count_lost(header.tgid);
		return 0;
	}
	record->header = header;
	bpf_probe_read_user_str(record->from, sizeof(record->from), (void *)from);
	bpf_probe_read_user_str(record->to, sizeof(record->to), (void *)to);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/*
 * At the beginning of a call: a file that is closed can still be looked at, and the end of calls, which all calls would
 * have to pay for too, tells nothing more: where renaming an artifact fails, so does the compiler. Rust's library tries
 * copy_file_range first, whatever it copies.
 */
SEC("tp_btf/sys_enter")
int BPF_PROG(call_begin, struct pt_regs *regs, long number)
{
	switch (number) {
	case CALL_CLOSE:
		return send_file(regs, regs->di, false);
	case CALL_COPY_FILE_RANGE:
		return send_file(regs, regs->dx, true);
	case CALL_RENAME:
		return send_rename(regs, regs->di, regs->si);
	case CALL_RENAMEAT:
	case CALL_RENAMEAT2:
		return send_rename(regs, regs->si, regs->r10);
	default:
		return 0;
	}
}
