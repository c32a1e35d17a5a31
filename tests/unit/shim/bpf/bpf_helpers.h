/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Stands in for libbpf's header of the same name, so that the BPF programs compile as ordinary C and a test can call
 * them. The helpers are functions of the test.
 */
#ifndef SHIM_BPF_HELPERS_H
#define SHIM_BPF_HELPERS_H

#include <stddef.h>

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) value *name
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define barrier() __asm__ volatile("" ::: "memory")
#define READ_REGISTER(name) value = ctx->name

void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_map_update_elem(void *map, const void *key, const void *value, unsigned long long flags);
void *bpf_task_storage_get(void *map, void *task, void *value, unsigned long long flags);
void *bpf_get_current_task_btf(void);
unsigned long long bpf_get_current_pid_tgid(void);
unsigned long long bpf_get_attach_cookie(void *ctx);
unsigned long long bpf_ktime_get_ns(void);
long bpf_task_pt_regs(void *task);
long bpf_probe_read_kernel(void *to, unsigned int size, const void *from);
long bpf_probe_read_user(void *to, unsigned int size, const void *from);
long bpf_ringbuf_output(void *ring, void *data, unsigned long long size, unsigned long long flags);
void *bpf_ringbuf_reserve(void *ring, unsigned long long size, unsigned long long flags);
void bpf_ringbuf_submit(void *data, unsigned long long flags);
unsigned long long bpf_ringbuf_query(void *ring, unsigned long long what);
long shim_find_vma(void *task, unsigned long long address, long (*callback)(void *, void *, void *), void *context);
long shim_loop(unsigned int count, long (*callback)(unsigned int, void *), void *context);

#define bpf_find_vma(task, address, callback, context, flags) \
	shim_find_vma(task, address, (long (*)(void *, void *, void *))(callback), context)
#define bpf_loop(count, callback, context, flags) shim_loop(count, (long (*)(unsigned int, void *))(callback), context)

#endif
