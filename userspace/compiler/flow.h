/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One function's machine code, decoded, and the ways through it. */
#ifndef QUERYTAP_COMPILER_FLOW_H
#define QUERYTAP_COMPILER_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/elf.h"

enum { FLOW_REGISTERS = 16, REGISTER_NONE = 255 };

/* Register numbers as the machine encodes them: rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5, rsi 6, rdi 7, r8 to r15. */
enum { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };

enum insn_form {
	FORM_OTHER,
	FORM_COPY,	      /* mov reg, reg (64 bit) */
	FORM_LOAD,	      /* mov reg, [rsp + disp] (64 bit) */
	FORM_STORE,	      /* mov [rsp + disp], reg (64 bit) */
	FORM_STORE_ZERO,      /* mov qword [rsp + disp], 0 */
	FORM_TEST_SELF,	      /* test reg, reg (64 bit), or cmp reg, 0 */
	FORM_TEST_SLOT,	      /* cmp qword [rsp + disp], 0 */
	FORM_TEST_MASK,	      /* test byte [reg + disp], immediate */
	FORM_ADDRESS,	      /* lea reg, [base + disp] */
	FORM_TABLE_LOAD,      /* movslq reg, [base + index * 4] */
	FORM_SET,	      /* mov reg, immediate, or xor reg, reg */
	FORM_ADD,	      /* add or sub reg, immediate (64 bit) */
	FORM_COPY_LOW,	      /* mov reg, reg (32 bit) */
	FORM_LOAD_LOW,	      /* mov reg, [rsp + disp] (32 bit) */
	FORM_STORE_LOW,	      /* mov [rsp + disp], reg (32 bit) */
	FORM_FAR_LOAD,	      /* mov reg, [base + disp] (64 bit), base not rsp */
	FORM_FAR_STORE,	      /* mov [base + disp], reg (64 bit), base not rsp */
	FORM_STORE_IMMEDIATE, /* mov qword [base + disp], immediate; not FORM_STORE_ZERO */
	FORM_WIDE_LOAD,	      /* movups and the like: xmm reg, [base + disp] */
	FORM_WIDE_STORE,      /* the same to memory */
	FORM_PUSH,	      /* push reg */
	FORM_MOVE_STRING,     /* rep movsq */
	FORM_TEST_BITS,	      /* test base, immediate, or bt with the immediate's one bit */
	FORM_FAR_TEST_SLOT,   /* cmp qword [base + disp], 0, base not rsp */
	FORM_JCC,
	FORM_JMP,
	FORM_CALL,   /* base and disp, or reg, say where the pointer is, if it is called through one */
	FORM_SWITCH, /* jmp through a jump table */
	FORM_END,    /* ret, ud2, hlt, int3, a call that never returns, any other jmp through a register or memory */
};

struct insn {
	uint64_t address;
	uint64_t target; /* of a direct jump or call; 0 for none */
	uint64_t slot;	 /* absolute memory operand: the pointer called through, or the address computed by lea */
	uint64_t callee; /* of a call, direct or through a pointer that the dynamic linker fills in; 0 if not known */
	int32_t disp;	 /* of the form's memory operand */
	int32_t immediate;
	int64_t stack_change; /* bytes added to rsp */
	int32_t store_disp;   /* rsp-relative memory written, store_size bytes; 0 for none */
	uint16_t store_size;
	int32_t far_disp; /* memory written through the register far_base, far_size bytes; 0 for none */
	uint16_t far_size;
	uint16_t written;      /* general registers changed, one bit each */
	uint16_t written_wide; /* the same of xmm registers */
	uint8_t form;
	uint8_t length;
	uint8_t reg;  /* destination, or the register tested or stored */
	uint8_t base; /* source or memory base */
	uint8_t far_base;
	bool sets_flags;
	bool jumps_if_set; /* jne rather than je; meaningful for FORM_JCC on those two */
	bool is_equality;  /* the jcc is je or jne */
	bool breaks_stack; /* changes rsp in a way that is not followed */
	bool aligns_stack; /* breaks it by making rsp a multiple of something */
	bool copies;	   /* a call of memcpy or memmove */
	bool leaves;	   /* ret, or jmp through a register or memory: control goes to somebody else */
};

/* An edge that only a jump table knows, by index into the instructions. */
struct flow_edge {
	size_t from, to;
};

struct flow {
	struct insn *insns; /* by rising address */
	size_t count;
	struct flow_edge *edges; /* by rising `from` */
	size_t edge_count, edge_room;
};

struct code_range {
	uint64_t address, size;
};

/*
 * Decodes the fragments of a function (a compiler built with BOLT has each in up to four places); ranges[0] starts at
 * the entry. *flow is filled and owned by the caller (flow_free). -EILSEQ where the bytes do not decode.
 */
int flow_decode(const struct image *image, const struct code_range *ranges, size_t range_count, struct flow *flow,
		struct error *err);
void flow_free(struct flow *flow);

/* Calls `visit` for each instruction that may run directly behind the one at `index`, until it returns false. */
bool flow_successors(const struct flow *flow, size_t index, bool (*visit)(size_t next, void *context), void *context);

/* Whether control goes from the instruction at `index` to the next one, and nowhere else but to a function. */
bool flow_runs_on(const struct flow *flow, size_t index);

/* The next instruction in a straight line, following direct jumps; SIZE_MAX at the end of one. */
size_t flow_next_in_line(const struct flow *flow, size_t index);

/* The je or jne that consumes the flags set at `index`, or SIZE_MAX. */
size_t flow_jump_of_test(const struct flow *flow, size_t index);

/* The index of the instruction that starts at `address`, or SIZE_MAX. */
size_t flow_find(const struct flow *flow, uint64_t address);

/*
 * Whether the kernel runs the instruction at `bytes` by emulation when a uprobe sits on it: push, nop, direct jmp, jcc
 * and call without an operand-size prefix. Everything else is single-stepped, at up to sixty times the cost.
 * Source: arch/x86/kernel/uprobes.c, branch_setup_xol_ops() and push_setup_xol_ops().
 */
bool kernel_emulates(const uint8_t *bytes, size_t available);

#endif
