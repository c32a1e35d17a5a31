/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/collect.h"
#include "collect/sampler.h"

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"

/* CAP_BPF and CAP_PERFMON together are what loading a tracing program takes (Linux 5.8, commit a17b53c4a4b5). */
static bool may_load(void)
{
	struct bpf_insn program[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "probe_load", "GPL", program, 2, NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

bool kernel_has_type(const char *name)
{
	int fd = open(KERNEL_TYPES, O_RDONLY | O_CLOEXEC);
	char text[64] = "", *types = NULL;
	size_t size = 0;
	ssize_t got;
	struct stat status;
	bool has;

	/* Each string of the types stands between two zeros. */
	snprintf(text + 1, sizeof(text) - 1, "%s", name);
	if (fd >= 0 && fstat(fd, &status) == 0)
		types = malloc((size_t)status.st_size + 1);
	while (types && (got = read(fd, types + size, (size_t)status.st_size - size)) > 0)
		size += (size_t)got;
	if (fd >= 0)
		close(fd);
	has = types && memmem(types, size, text, strlen(name) + 2);
	free(types);
	return has;
}

/*
 * Before Linux 6.2 ("bpf: Avoid taking spinlock in bpf_task_storage_get if potential deadlock is detected") a tracing
 * program that asked for a task's storage got none while another program that had asked for one on the same CPU was
 * pre-empted, which a counter told. The same series made a function of its own for tracing programs; later kernels,
 * which have other locks, have neither that nor the counter.
 */
bool kernel_has_sure_storage(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && (btf__find_by_name_kind(btf, "bpf_task_storage_get_recur", BTF_KIND_FUNC) > 0 ||
			   btf__find_by_name_kind(btf, "bpf_task_storage_busy", BTF_KIND_VAR) < 0);

	btf__free(btf);
	return has;
}

void features_find(struct feature features[FEATURE_COUNT])
{
	static const char too_old[] = "the kernel is too old";
	bool loads = may_load();
	const char *unknown = loads ? too_old : "not to be found out without the permission";

	features[0] = (struct feature){"permission to load BPF programs", loads, true,
				       "run it with sudo, or with CAP_BPF and CAP_PERFMON"};
	features[1] = (struct feature){"BTF (" KERNEL_TYPES ")", access(KERNEL_TYPES, R_OK) == 0, true,
				       "the kernel needs CONFIG_DEBUG_INFO_BTF"};
	features[2] = (struct feature){"uprobes", access("/sys/bus/event_source/devices/uprobe/type", R_OK) == 0, true,
				       "the kernel needs CONFIG_UPROBE_EVENTS"};
	features[3] =
	    (struct feature){"ring buffer (Linux 5.8)",
			     loads && libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1, true, unknown};
	features[4] =
	    (struct feature){"bpf_loop and bpf_find_vma (Linux 5.17)",
			     loads && libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_loop, NULL) == 1 &&
				 libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_find_vma, NULL) == 1,
			     true, unknown};
	features[5] = (struct feature){"uprobe_multi links (Linux 6.6)", loads && kernel_has_uprobe_multi(), false,
				       loads ? "letting go of the probes takes up to a minute" : unknown};
	features[6] = (struct feature){"sure task storage (Linux 6.2)", kernel_has_sure_storage(), false,
				       "--counter cpu-time does not work"};
	features[7] = (struct feature){"samples of stacks (Linux 6.1)", sampler_works(), false,
				       loads ? "--sample and --overhead sample do not work, and auto estimates nothing"
					     : unknown};
}
