/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/guard.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/spans.h"

enum {
	RUN = 16,	    /* instructions from where the cold part begins to the call that starts the timer */
	RUNS = 8,	    /* straight lines that end in one such call */
	FILTER_NEAR = 8,    /* how far apart the test of the filter and its jump may stand */
	CLEAR_NEAR = 12,    /* how far behind the jump the timer is cleared */
	COMPARED_NEAR = 24, /* how far before a guard the address of its function is compared */
	POINTER_SIZE = 8,
};

enum guard_callee guard_callee_at(const struct guard_callees *callees, uint64_t address)
{
	size_t low = 0, high = callees->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (callees->items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < callees->count && callees->items[low].address == address ? callees->items[low].callee
									      : CALLEE_NONE;
}

/* Whether the jump at `index` depends on one bit of something: of the profiler's filter, or a copy of it. */
static bool tests_filter(const struct flow *flow, size_t index)
{
	for (int i = 0; i < FILTER_NEAR && index > 0 && flow_runs_on(flow, index - 1); i++) {
		const struct insn *insn = &flow->insns[--index];

		if (insn->form == FORM_TEST_MASK || insn->form == FORM_TEST_BITS)
			return __builtin_popcount((unsigned int)insn->immediate) == 1;
		if (insn->sets_flags || insn->form == FORM_CALL)
			return false;
	}
	return false;
}

/* The straight lines that end in the call that starts a timer, and the guarding jumps that lead to them. */
struct cold_part {
	const struct flow *flow;
	size_t starts[RUNS], ends[RUNS];
	size_t runs;
	size_t jump; /* SIZE_MAX while none is known */
	size_t jumps;
	bool taken; /* whether the jump is taken to get there */
};

static void add_jump(struct cold_part *part, size_t index, bool taken)
{
	if (!tests_filter(part->flow, index))
		return;
	part->jump = index;
	part->taken = taken;
	part->jumps++;
}

static void add_run(struct cold_part *part, size_t end)
{
	size_t start = end;

	for (size_t i = 0; i < part->runs; i++)
		if (part->starts[i] <= end && end <= part->ends[i])
			return;
	if (part->runs == RUNS)
		return;
	for (int i = 0; i < RUN && start > 0 && flow_runs_on(part->flow, start - 1) &&
			part->flow->insns[start - 1].form != FORM_CALL;
	     i++)
		start--;
	part->starts[part->runs] = start;
	part->ends[part->runs++] = end;
	if (start > 0 && part->flow->insns[start - 1].form == FORM_JCC &&
	    part->flow->insns[start - 1].address + part->flow->insns[start - 1].length ==
		part->flow->insns[start].address)
		add_jump(part, start - 1, false);
}

static void find_cold_part(const struct flow *flow, size_t call, struct cold_part *part)
{
	*part = (struct cold_part){.flow = flow, .jump = SIZE_MAX};
	add_run(part, call);
	for (size_t run = 0; run < part->runs; run++) {
		uint64_t first = flow->insns[part->starts[run]].address, last = flow->insns[part->ends[run]].address;

		for (size_t i = 0; i < flow->count; i++) {
			const struct insn *insn = &flow->insns[i];

			if ((insn->form != FORM_JCC && insn->form != FORM_JMP) || insn->target < first ||
			    insn->target > last)
				continue;
			if (insn->form == FORM_JCC)
				add_jump(part, i, true);
			else
				add_run(part, i);
		}
	}
}

size_t guard_jump(const struct flow *flow, size_t index)
{
	struct cold_part part;

	find_cold_part(flow, index, &part);
	return part.jumps == 1 ? part.jump : SIZE_MAX;
}

/* Whether anything between the jump and the call writes to `size` bytes of the stack at `offset`. */
static bool is_written(const struct values *values, const struct cold_part *part, int64_t offset, int64_t size)
{
	for (size_t run = 0; run < part->runs; run++) {
		for (size_t i = part->starts[run]; i < part->ends[run]; i++) {
			const struct insn *insn = &values->flow->insns[i];
			struct values_state state;
			int64_t to;

			if (!insn->store_size && !insn->far_size)
				continue;
			if (!values_at(values, i, &state))
				return true;
			if (insn->store_size)
				to = state.stack + insn->store_disp;
			else if (!values_stack_address(&state, insn->far_base, insn->far_disp, &to))
				continue;
			if (to < offset + size && offset < to + (insn->store_size ? insn->store_size : insn->far_size))
				return true;
		}
	}
	return false;
}

static bool copy_label(const struct image *image, struct value pointer, struct value length, char label[GUARD_LABEL])
{
	size_t available;
	const uint8_t *text;

	if (pointer.kind != VALUE_NUMBER || length.kind != VALUE_NUMBER || length.number <= 0 ||
	    length.number >= GUARD_LABEL)
		return false;
	text = image_bytes(image, (uint64_t)pointer.number, &available);
	if (!text || (size_t)length.number > available)
		return false;
	for (int64_t i = 0; i < length.number; i++)
		if (!isalnum(text[i]) && text[i] != '_')
			return false;
	memcpy(label, text, (size_t)length.number);
	label[length.number] = '\0';
	return true;
}

/* The string whose pointer and length lie on the stack at `offset`, as a label. */
static bool copy_label_at(const struct image *image, const struct values_state *state, int64_t offset,
			  char label[GUARD_LABEL])
{
	return copy_label(image, values_slot(state, offset), values_slot(state, offset + POINTER_SIZE), label);
}

/* Reads label and argument from the stack as it is at the entry. */
static void read_closure(const struct image *image, const struct values *values, const struct cold_part *part,
			 const struct values_state *at_entry, int64_t closure, struct guard *out)
{
	struct value inner;
	int64_t argument = closure + POINTER_SIZE - at_entry->stack;

	if (out->callee != CALLEE_ACTIVITY_ARGUMENT) {
		copy_label_at(image, at_entry, closure, out->label);
		return;
	}
	inner = values_slot(at_entry, closure);
	if (inner.kind == VALUE_STACK)
		copy_label_at(image, at_entry, inner.number, out->label);
	if (argument >= 0 && argument % 8 == 0 && argument / 8 <= INT16_MAX &&
	    !is_written(values, part, closure + POINTER_SIZE, 2 * POINTER_SIZE)) {
		out->has_argument = true;
		out->argument = (int32_t)argument;
	}
}

/* The instruction behind which the timer in `slot` is known to be none, if rustc does not profile itself. */
static size_t find_clearing(const struct values *values, const struct cold_part *part, int64_t slot)
{
	const struct flow *flow = values->flow;
	const struct insn *jump = &flow->insns[part->jump];
	size_t at = flow_find(flow, part->taken ? jump->address + jump->length : jump->target);

	for (int i = 0; i < CLEAR_NEAR && at != SIZE_MAX; i++, at = flow_next_in_line(flow, at)) {
		const struct insn *insn = &flow->insns[at];
		struct values_state state;

		if (insn->form == FORM_JCC || !values_at(values, at, &state))
			return SIZE_MAX;
		values_step(&state, insn);
		if ((insn->store_size || insn->far_size) && values_slot(&state, slot).kind == VALUE_NUMBER &&
		    values_slot(&state, slot).number == 0)
			return at;
	}
	return SIZE_MAX;
}

static bool is_argument(struct value value, int argument)
{
	return value.kind == VALUE_ARGUMENT && value.argument == argument && value.number == 0;
}

/* Whether anything jumps to one of the instructions behind the one at `from`, up to the one at `to`. */
static bool is_jumped_into(const struct flow *flow, size_t from, size_t to)
{
	for (size_t i = 0; i < flow->count; i++)
		if ((flow->insns[i].form == FORM_JCC || flow->insns[i].form == FORM_JMP) &&
		    flow->insns[i].target > flow->insns[from].address &&
		    flow->insns[i].target <= flow->insns[to].address)
			return true;
	for (size_t i = 0; i < flow->edge_count; i++)
		if (flow->edges[i].to > from && flow->edges[i].to <= to)
			return true;
	return false;
}

/*
 * Where BOLT has guessed which function a pointer leads to, and made its code part of the caller, a comparison with the
 * function's address stands before it.
 */
static uint64_t find_compared(const struct flow *flow, size_t jump)
{
	for (size_t i = jump; i-- > 0 && jump - i <= COMPARED_NEAR;) {
		const struct insn *insn = &flow->insns[i];

		if ((!flow_runs_on(flow, i) && insn->form != FORM_JCC) || insn->form == FORM_CALL ||
		    insn[1].address != insn->address + insn->length)
			return 0;
		if (insn->form == FORM_ADDRESS && insn->slot)
			return is_jumped_into(flow, i, jump) ? 0 : insn->slot;
	}
	return 0;
}

/* A guard whose timer is only started if rustc profiles itself. */
static const char *find_conditional(const struct guarded *function, size_t call, struct guard *out)
{
	const struct values *values = function->values;
	struct values_state at_call, at_entry;
	struct cold_part part;
	struct timer_life life;
	size_t starts[2];

	if (!values_at(values, call, &at_call))
		return "the code that starts its timer is not reached";
	find_cold_part(values->flow, call, &part);
	if (!part.jumps)
		return "its test of the profiler's filter was not found";
	if (part.jumps > 1)
		return "it shares the code that starts its timer";
	if (!values_at(values, part.jump, &at_entry))
		return "its test of the profiler's filter is not reached";
	out->entry = values->flow->insns[part.jump].address;
	out->stack = at_entry.stack;
	out->compared = find_compared(values->flow, part.jump);
	out->vtable = guard_find_vtable(&at_entry, function->vtable);
	if (at_call.registers[REG_RDX].kind == VALUE_STACK)
		read_closure(function->image, values, &part, &at_entry, at_call.registers[REG_RDX].number, out);
	if (at_call.registers[REG_RDI].kind != VALUE_STACK)
		return "its timer's place is not known";
	starts[0] = find_clearing(values, &part, at_call.registers[REG_RDI].number);
	starts[1] = call;
	if (starts[0] == SIZE_MAX)
		return "the clearing of its timer was not found";
	life = (struct timer_life){.values = values,
				   .callees = function->callees,
				   .timer = at_call.registers[REG_RDI].number,
				   .stack = at_entry.stack,
				   .entry = part.jump,
				   .starts = starts,
				   .start_count = 2};
	return spans_find(&life, out);
}

/*
 * The push at a function's start from which a straight line leads to the call at `call`, or SIZE_MAX. It may be probed
 * in place of a call through a pointer, which may not.
 */
static size_t find_push(const struct flow *flow, size_t call)
{
	for (size_t i = call; i-- > 0 && call - i <= RUN && flow_runs_on(flow, i) && flow->insns[i].form != FORM_CALL;)
		if (flow->insns[i].form == FORM_PUSH)
			return is_jumped_into(flow, i, call) ? SIZE_MAX : i;
	return SIZE_MAX;
}

/* A verbose guard is always made, by a call which is the entry. */
static const char *find_verbose(const struct guarded *function, size_t call, struct guard *out)
{
	const struct values *values = function->values;
	const struct insn *insn = &values->flow->insns[call];
	struct values_state state, at_entry;
	struct timer_life life;
	size_t entry;

	if (!values_at(values, call, &state))
		return "its begin is not reached";
	copy_label(function->image, state.registers[REG_RDX], state.registers[REG_RCX], out->label);
	entry = insn->form == FORM_CALL && insn->target ? call : find_push(values->flow, call);
	if (entry == SIZE_MAX || !values_at(values, entry, &at_entry) || (state.stack - at_entry.stack) % 8 ||
	    (state.stack - at_entry.stack) / 8 < INT16_MIN)
		return "its begin is no direct call";
	out->entry = values->flow->insns[entry].address;
	out->stack = at_entry.stack;
	out->frame = (int32_t)(state.stack - at_entry.stack);
	if (state.registers[REG_RDI].kind != VALUE_STACK || function->callees->verbose_timer < 0)
		return "its timer's place is not known";
	life = (struct timer_life){.values = values,
				   .callees = function->callees,
				   .timer = state.registers[REG_RDI].number + function->callees->verbose_timer,
				   .stack = state.stack,
				   .entry = entry,
				   .starts = &call,
				   .start_count = 1};
	return spans_find(&life, out);
}

struct vtable_place guard_find_vtable(const struct values_state *state, int vtable)
{
	struct vtable_place place = {0};

	for (unsigned int i = 0; i < FLOW_REGISTERS && vtable >= 0; i++)
		if (is_argument(state->registers[i], vtable))
			return (struct vtable_place){.known = true, .reg = (uint8_t)i};
	for (unsigned int i = 0; i < state->slot_count && vtable >= 0; i++) {
		int64_t displacement = state->offsets[i] - state->stack;

		if (is_argument(state->slots[i], vtable) && displacement >= 0 && displacement % 8 == 0 &&
		    displacement / 8 <= INT16_MAX)
			return (struct vtable_place){
			    .known = true, .on_stack = true, .displacement = (int32_t)displacement};
	}
	return place;
}

int guard_vtable_argument(const struct values *values, int32_t filter_offset)
{
	const struct flow *flow = values->flow;

	for (size_t i = 0; i < flow->count; i++) {
		const struct insn *insn = &flow->insns[i];
		struct values_state state;

		if (insn->form != FORM_TEST_MASK || insn->disp != filter_offset || insn->base >= FLOW_REGISTERS ||
		    !values_at(values, i, &state))
			continue;
		if (state.registers[insn->base].kind == VALUE_ARGUMENT && state.registers[insn->base].number == 0)
			return state.registers[insn->base].argument - 1;
	}
	return -1;
}

void guard_find(const struct guarded *function, size_t index, struct guard *out)
{
	const struct insn *insn = &function->values->flow->insns[index];

	memset(out, 0, sizeof(*out));
	out->call = insn->address;
	out->callee = guard_callee_at(function->callees, insn->callee ? insn->callee : insn->target);
	if (out->callee == CALLEE_ACTIVITY_VERBOSE)
		out->refusal = find_verbose(function, index, out);
	else
		out->refusal = find_conditional(function, index, out);
}

void guard_free(struct guard *guard)
{
	free(guard->live);
	guard->live = NULL;
	guard->live_count = 0;
}
