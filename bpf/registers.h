/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Registers by the numbers that a cookie carries. */
#ifndef QUERYTAP_BPF_REGISTERS_H
#define QUERYTAP_BPF_REGISTERS_H

#include "bpf/kernel.h"

#include <bpf/bpf_helpers.h>

/*
 * The context may only be read at offsets that stand in the instruction; plain C lets clang join the reads into one
 * at a computed offset, which the verifier refuses.
 */
#ifndef READ_REGISTER
#define READ_REGISTER(name) \
	asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(ctx), "i"(__builtin_offsetof(struct pt_regs, name)))
#endif

/* The value of the register that the machine calls `number`. */
static __always_inline __u64 register_value(const struct pt_regs *ctx, __u32 number)
{
	__u64 value = 0;

	switch (number) {
	case 0:
		READ_REGISTER(ax);
		break;
	case 1:
		READ_REGISTER(cx);
		break;
	case 2:
		READ_REGISTER(dx);
		break;
	case 3:
		READ_REGISTER(bx);
		break;
	case 5:
		READ_REGISTER(bp);
		break;
	case 6:
		READ_REGISTER(si);
		break;
	case 7:
		READ_REGISTER(di);
		break;
	case 8:
		READ_REGISTER(r8);
		break;
	case 9:
		READ_REGISTER(r9);
		break;
	case 10:
		READ_REGISTER(r10);
		break;
	case 11:
		READ_REGISTER(r11);
		break;
	case 12:
		READ_REGISTER(r12);
		break;
	case 13:
		READ_REGISTER(r13);
		break;
	case 14:
		READ_REGISTER(r14);
		break;
	case 15:
		READ_REGISTER(r15);
		break;
	}
	return value;
}

#endif
