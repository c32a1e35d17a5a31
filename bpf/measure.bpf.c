/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A program that does nothing, to measure what a probe itself costs. */
#include "bpf/state.h"

SEC("kprobe")
int do_nothing(struct pt_regs *ctx)
{
	(void)ctx;
	return 0;
}
