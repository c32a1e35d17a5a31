/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What registers and stack slots hold in a decoded function: constants, addresses on its stack, and its arguments. It
 * is kept for the starts of straight lines, and stepped from there.
 */
#ifndef QUERYTAP_COMPILER_VALUES_H
#define QUERYTAP_COMPILER_VALUES_H

#include "compiler/flow.h"

enum { VALUES_SLOTS = 88, VALUES_ON_STACK = 6, VALUES_ARGUMENTS = 10 };

enum value_kind {
	VALUE_NOTHING,
	VALUE_NUMBER,	    /* a number, or an address in the image */
	VALUE_STACK,	    /* an offset from rsp at the function's entry */
	VALUE_ARGUMENT,	    /* an offset from the argument `argument`: 0 for rdi, 1 for rsi, ..., from VALUES_ON_STACK
			       on those that are passed on the stack */
	VALUE_ARGUMENT_LOW, /* 32 bits, the low ones of an argument; those behind them are not known */
	VALUE_FIELD,	    /* what was in the 8 bytes at an offset from such an argument */
	VALUE_SAVED,	    /* an offset from what the caller has in the register `argument`, one of those that a
			       function leaves to it as they were */
};

struct value {
	int64_t number : 52; /* or the offset */
	uint64_t kind : 4;   /* enum value_kind */
	uint64_t argument : 8;
};

struct values_state {
	int64_t stack; /* rsp minus its value at entry */
	bool sound;    /* false if rsp is not known */
	uint16_t slot_count;
	struct value registers[FLOW_REGISTERS];
	int64_t offsets[VALUES_SLOTS]; /* of the slots, rising */
	struct value slots[VALUES_SLOTS];
};

struct values {
	const struct flow *flow;
	size_t entry;	 /* index of the function's first instruction */
	uint32_t *lines; /* by instruction: 0, or 1 + the index of its state if a straight line starts there */
	struct values_state *states;
	bool *reached; /* by state */
	size_t count;
};

/* Follows a decoded function from `entry`, its address. Free *out with values_free. Returns 0 or -ENOMEM. */
int values_follow(const struct flow *flow, uint64_t entry, struct values *out);
void values_free(struct values *values);

/* What holds before the instruction at `index`; false where that is not known, or it is never run. */
bool values_at(const struct values *values, size_t index, struct values_state *out);

/* Runs one instruction. */
void values_step(struct values_state *state, const struct insn *insn);

/* Whether two values are the same, or neither is known. */
bool values_same(struct value a, struct value b);

/* The value in the 8 bytes at `offset` of the entry's rsp. */
struct value values_slot(const struct values_state *state, int64_t offset);

/* What is passed as the argument `argument` where a call is the next instruction. */
struct value values_passed(const struct values_state *state, unsigned int argument);

/* The stack offset that memory at `disp` of register `base` has; false if it is not known to be on the stack. */
bool values_stack_address(const struct values_state *state, uint8_t base, int32_t disp, int64_t *offset);

#endif
