/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/collect.h"
#include "collect/multi.h"

/* The part of union bpf_attr that BPF_LINK_CREATE reads for uprobe_multi: libbpf 1.1 is older than it. */
struct link_create_uprobe_multi {
	uint32_t program;
	uint32_t target;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t reference_counters;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t padding;
};

static int link_create(int program, const char *path, const uint64_t *offsets, const uint64_t *cookies, size_t count)
{
	struct link_create_uprobe_multi attributes = {
	    .program = (uint32_t)program,
	    .attach_type = ATTACH_TYPE_UPROBE_MULTI,
	    .path = (uint64_t)(uintptr_t)path,
	    .offsets = (uint64_t)(uintptr_t)offsets,
	    .cookies = (uint64_t)(uintptr_t)cookies,
	    .count = (uint32_t)count,
	};
	long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes));

	return fd < 0 ? -errno : (int)fd;
}

/*
 * Linux 6.6, commit 89ae89f53d20 "bpf: Add multi uprobe link". A kernel that has it refuses the root directory with
 * EBADF, because it is no regular file; one that has not refuses the attach type with EINVAL.
 */
bool kernel_has_uprobe_multi(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = ATTACH_TYPE_UPROBE_MULTI);
	struct bpf_insn program[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "probe_multi", "GPL", program, 2, &options);
	uint64_t offset = 0;
	int link;

	if (fd < 0)
		return false;
	link = link_create(fd, "/", &offset, NULL, 1);
	if (link >= 0)
		close(link);
	close(fd);
	return link == -EBADF;
}

static int perf_uprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type = -ENOENT;

	if (!file)
		return -errno;
	if (fscanf(file, "%d", &type) != 1)
		type = -ENOENT;
	fclose(file);
	return type;
}

/* One perf event with its link; the link holds the event, so only its descriptor is kept. */
static int attach_perf(int program, int type, const char *path, uint64_t offset, uint64_t cookie)
{
	struct perf_event_attr attributes = {
	    .type = (uint32_t)type,
	    .size = sizeof(attributes),
	    .config1 = (uint64_t)(uintptr_t)path,
	    .config2 = offset,
	};
	LIBBPF_OPTS(bpf_link_create_opts, options, .perf_event.bpf_cookie = cookie);
	long event = syscall(__NR_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int link;

	if (event < 0)
		return -errno;
	link = bpf_link_create(program, (int)event, BPF_PERF_EVENT, &options);
	if (link >= 0 && ioctl((int)event, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		int code = -errno;

		close(link);
		link = code;
	}
	close((int)event);
	return link;
}

static int attach_each(int program, const char *path, const uint64_t *offsets, const uint64_t *cookies, size_t count,
		       struct attachment *out, struct error *err)
{
	int type = perf_uprobe_type();

	if (type < 0)
		return error_set(err, type, "this kernel has no uprobes (CONFIG_UPROBE_EVENTS): %s", strerror(-type));
	for (size_t i = 0; i < count; i++) {
		int fd = attach_perf(program, type, path, offsets[i], cookies[i]);

		if (fd < 0)
			return error_set(err, fd, "cannot attach a uprobe to %s at 0x%llx: %s", path,
					 (unsigned long long)offsets[i], strerror(-fd));
		out->fds[out->count++] = fd;
	}
	return 0;
}

int attachment_open(int program, bool multi, const char *path, const uint64_t *offsets, const uint64_t *cookies,
		    size_t count, struct attachment *out, struct error *err)
{
	int code;

	*out = (struct attachment){.fds = calloc(count ? count : 1, sizeof(*out->fds))};
	if (!out->fds)
		return error_set(err, ENOMEM, "out of memory");
	if (!count)
		return 0;
	if (!multi) {
		code = attach_each(program, path, offsets, cookies, count, out, err);
		if (code < 0)
			attachment_close(out);
		return code;
	}
	code = link_create(program, path, offsets, cookies, count);
	if (code < 0) {
		attachment_close(out);
		return error_set(err, code, "cannot attach %zu uprobes to %s: %s", count, path, strerror(-code));
	}
	out->fds[out->count++] = code;
	return 0;
}

void attachment_close(struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->count; i++)
		close(attachment->fds[i]);
	free(attachment->fds);
	*attachment = (struct attachment){0};
}
