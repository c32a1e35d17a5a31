/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Loads the BPF programs and attaches those that follow processes, threads and files. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "collect/internal.h"
#include "collect/multi.h"
#include "collect/recovery.h"

enum { DEFAULT_RING_BYTES = 8 * 1024 * 1024, WAKE_FRACTION = 8 };

static int explain_load_failure(int code, struct error *err)
{
	if (code == -EPERM)
		return error_set(err, EPERM,
				 "no permission to load BPF programs: run it with sudo, or give the process CAP_BPF "
				 "and CAP_PERFMON");
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return error_set(err, ENOTSUP,
				 "this kernel has no BTF (/sys/kernel/btf/vmlinux): it needs CONFIG_DEBUG_INFO_BTF, as "
				 "the kernels of current distributions have");
	return error_set(err, ENOTSUP,
			 "this kernel does not take the BPF programs (%s): Linux 5.17 or newer with CONFIG_BPF_SYSCALL "
			 "and CONFIG_UPROBES is needed",
			 strerror(-code));
}

/* Has the programs of uprobes attached by uprobe_multi links. */
static void attach_at_once(struct querytap_bpf *bpf)
{
	struct bpf_program *const uprobes[] = {
	    bpf->progs.query_enter,	   bpf->progs.query_exit,	 bpf->progs.guard_begin,
	    bpf->progs.guard_end,	   bpf->progs.session_start,	 bpf->progs.panic_caught,
	    bpf->progs.query_enter_joined, bpf->progs.query_exit_joined, bpf->progs.guard_begin_joined,
	    bpf->progs.do_nothing,
	};

	for (size_t i = 0; i < sizeof(uprobes) / sizeof(*uprobes); i++)
		bpf_program__set_expected_attach_type(uprobes[i], ATTACH_TYPE_UPROBE_MULTI);
}

/* Loads the programs, with those that look at files or without. Returns 0 or a negative errno. */
static int load_with(struct collector *collector, const struct collect_options *options, bool files)
{
	size_t ring = options->ring_bytes ? options->ring_bytes : DEFAULT_RING_BYTES;
	struct querytap_bpf *bpf = querytap_bpf__open();

	if (!bpf)
		return -errno;
	querytap_bpf__destroy(collector->bpf);
	collector->bpf = bpf;
	bpf_program__set_autoload(bpf->progs.call_begin, files);
	bpf_program__set_autoload(bpf->progs.on_switch, options->cpu_time || options->off_cpu);
	sampler_configure(bpf, options->sample_hz);
	recovery_configure(bpf, options);
	absences_configure(bpf, options->off_cpu);
	bpf->rodata->trace_all = options->follow_all;
	if (options->comm)
		strncpy((char *)bpf->rodata->trace_comm, options->comm, WIRE_COMM - 1);
	bpf->rodata->only_uid = options->one_user ? options->uid : WIRE_ANY_UID;
	bpf->rodata->cpu_time = options->cpu_time;
	bpf->rodata->with_texts = (options->events & COLLECT_TEXTS) != 0;
	bpf->rodata->with_keys = (options->events & COLLECT_KEYS) != 0;
	bpf->rodata->counts_only = options->overhead.mode == OVERHEAD_COUNTS;
	bpf->rodata->wake_bytes = ring / WAKE_FRACTION;
	bpf_map__set_max_entries(bpf->maps.records, (uint32_t)ring);
	if (collector->multi)
		attach_at_once(bpf);
	return querytap_bpf__load(bpf);
}

int load_programs(struct collector *collector, const struct collect_options *options, struct error *err)
{
	bool files = options->events & COLLECT_SIZES;
	struct querytap_bpf *bpf;
	int code;

	if (options->cpu_time && !kernel_has_sure_storage())
		return error_set(err, ENOTSUP,
				 "this kernel cannot count cpu-time: it would miss some switches of threads (Linux 6.2 "
				 "and newer miss none)");
	if (options->off_cpu && !kernel_has_sure_storage())
		return error_set(err, ENOTSUP,
				 "this kernel cannot tell when threads are off the CPU: it would miss some of their "
				 "switches (Linux 6.2 and newer miss none)");
	if (options->sample_hz && !sampler_is_possible())
		return error_set(
		    err, ENOTSUP,
		    "this kernel cannot be asked where a process's code is: sampling needs Linux 6.1 or newer");
	code = load_with(collector, options, files);
	/* A kernel without CONFIG_FTRACE_SYSCALLS does not show system calls. */
	if (code < 0 && code != -EPERM && files) {
		files = false;
		code = load_with(collector, options, files);
	}
	if (code < 0)
		return explain_load_failure(code, err);
	bpf = collector->bpf;
	bpf->links.call_begin = files ? bpf_program__attach(bpf->progs.call_begin) : NULL;
	if (!bpf->links.call_begin)
		collector->place.events &= ~COLLECT_SIZES;
	bpf->links.on_fork = bpf_program__attach(bpf->progs.on_fork);
	bpf->links.on_exec = bpf_program__attach(bpf->progs.on_exec);
	bpf->links.on_exit = bpf_program__attach(bpf->progs.on_exit);
	bpf->links.on_free = bpf_program__attach(bpf->progs.on_free);
	if (options->cpu_time || options->off_cpu)
		bpf->links.on_switch = bpf_program__attach(bpf->progs.on_switch);
	if (!bpf->links.on_fork || !bpf->links.on_exec || !bpf->links.on_exit || !bpf->links.on_free ||
	    ((options->cpu_time || options->off_cpu) && !bpf->links.on_switch))
		return error_set(err, ENOTSUP, "cannot attach to the scheduler's tracepoints: %s", strerror(errno));
	return 0;
}
