/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The self-profiler's guards in a function. rustc times a piece of its own work between a test of the profiler's
 * filter, behind which a cold function starts a timer, and the end of that timer's life: a call that drops it, or a
 * test whether there is one. Both are run whether or not rustc profiles itself.
 */
#ifndef QUERYTAP_COMPILER_GUARD_H
#define QUERYTAP_COMPILER_GUARD_H

#include "compiler/recognise.h"
#include "compiler/values.h"

enum { GUARD_EXITS = 24, GUARD_LABEL = 96 };

/* What guards call, by address. */
struct guard_callees {
	struct guard_function {
		uint64_t address;
		enum guard_callee callee;
	} * items; /* by rising address */
	size_t count, room;
	int64_t verbose_timer; /* the timer's offset in a verbose guard; -1 if that is not known */
};

/* Where a query's vtable is at an instruction. */
struct vtable_place {
	bool known, on_stack;
	uint8_t reg;
	int32_t displacement; /* bytes from rsp, a multiple of 8 */
};

struct guard {
	enum guard_callee callee;
	uint64_t call; /* of the function that starts the timer */
	uint64_t entry;
	uint64_t exits[GUARD_EXITS];
	size_t exit_count;
	struct code_range *live; /* an activity's code: what runs while the timer lives, and only then; in no order */
	size_t live_count;
	char label[GUARD_LABEL]; /* empty if it is not a constant */
	bool has_argument;
	struct vtable_place vtable; /* at the entry */
	uint64_t compared; /* the address that is computed last before the entry, on the only way to it; 0 for none */
	int64_t stack;	   /* rsp at the entry, from its value at the function's entry */
	/* The timer is given to the caller: its place is this far behind what an argument points to. */
	bool lent;
	uint8_t lent_argument;
	int64_t lent_offset;
	bool may_not_begin; /* lent by a function that may return without having begun it */
	int32_t frame;	    /* where the ends' rsp lies, bytes from that at the entry; 0 if they are in one frame */
	bool is_pass;	    /* around a MIR pass, whose vtable and itself are in two registers */
	uint8_t pass_vtable, pass_self;
	uint64_t pass_call;  /* the call of the pass: its last byte */
	int32_t argument;    /* its string's pointer and length, bytes from rsp at the entry */
	const char *refusal; /* why it cannot be timed; NULL if it can */
};

/* Which of `callees` starts at `address`. */
enum guard_callee guard_callee_at(const struct guard_callees *callees, uint64_t address);

/* A followed function that has guards. */
struct guarded {
	const struct image *image;
	const struct values *values;
	const struct guard_callees *callees;
	int vtable; /* which of its arguments is a query's vtable; -1 if none is */
};

/* The jump of the guard whose timer is started by the call at `index`; SIZE_MAX if that is not just one. */
size_t guard_jump(const struct flow *flow, size_t index);

/* Finds the guard whose timer is started by the call at `index`. Free *out with guard_free. */
void guard_find(const struct guarded *function, size_t index, struct guard *out);
void guard_free(struct guard *guard);

/*
 * Which argument of a try_execute_query is the vtable: the one before the TyCtxt, by which it tests the profiler's
 * filter at `filter_offset`. -1 if it does not.
 */
int guard_vtable_argument(const struct values *values, int32_t filter_offset);

/* Where the argument `vtable` is in a state. */
struct vtable_place guard_find_vtable(const struct values_state *state, int vtable);

#endif
