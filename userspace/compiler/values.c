/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/values.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The System V ABI's registers that a call may change, and those that it may not, but for rsp. */
#define CALL_CLOBBERS 0x0fc7
#define CALL_KEEPS 0xf028

enum {
	MAX_COPY = 4096, /* bytes of stack that are followed when they are copied */
	ALIGNED_FRAME =
	    1 << 20, /* an aligned frame's unknown distance from the entry's rsp is given as this much more */
};

static const uint8_t argument_registers[VALUES_ON_STACK] = {REG_RDI, REG_RSI, REG_RDX, REG_RCX, 8, 9};

static const struct value nothing = {0, VALUE_NOTHING, 0};

bool values_same(struct value a, struct value b)
{
	return a.kind == b.kind && a.number == b.number && a.argument == b.argument;
}

/* The index of the first slot at or behind `offset`. */
static unsigned int slot_from(const struct values_state *state, int64_t offset)
{
	unsigned int low = 0, high = state->slot_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (state->offsets[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct value values_slot(const struct values_state *state, int64_t offset)
{
	unsigned int at = slot_from(state, offset);

	return at < state->slot_count && state->offsets[at] == offset ? state->slots[at] : nothing;
}

static void drop_slots(struct values_state *state, unsigned int from, unsigned int to)
{
	if (from >= to)
		return;
	memmove(&state->offsets[from], &state->offsets[to], (state->slot_count - to) * sizeof(*state->offsets));
	memmove(&state->slots[from], &state->slots[to], (state->slot_count - to) * sizeof(*state->slots));
	state->slot_count = (uint16_t)(state->slot_count - (to - from));
}

/* The bytes of a slot that are known. */
static int64_t slot_size(const struct values_state *state, unsigned int at)
{
	return state->slots[at].kind == VALUE_ARGUMENT_LOW ? 4 : 8;
}

/* Forgets what the `size` bytes at `offset` held. */
static void forget(struct values_state *state, int64_t offset, int64_t size)
{
	unsigned int from = slot_from(state, offset - 7);

	while (from < state->slot_count && state->offsets[from] + slot_size(state, from) <= offset)
		from++;
	drop_slots(state, from, slot_from(state, offset + size));
}

static void store(struct values_state *state, int64_t offset, struct value value)
{
	unsigned int at;

	forget(state, offset, value.kind == VALUE_ARGUMENT_LOW ? 4 : 8);
	if (value.kind == VALUE_NOTHING || state->slot_count == VALUES_SLOTS)
		return;
	at = slot_from(state, offset);
	memmove(&state->offsets[at + 1], &state->offsets[at], (state->slot_count - at) * sizeof(*state->offsets));
	memmove(&state->slots[at + 1], &state->slots[at], (state->slot_count - at) * sizeof(*state->slots));
	state->offsets[at] = offset;
	state->slots[at] = value;
	state->slot_count++;
}

bool values_stack_address(const struct values_state *state, uint8_t base, int32_t disp, int64_t *offset)
{
	if (base == REG_RSP) {
		*offset = state->stack + disp;
		return true;
	}
	if (base >= FLOW_REGISTERS || state->registers[base].kind != VALUE_STACK)
		return false;
	*offset = state->registers[base].number + disp;
	return true;
}

static struct value plus(struct value value, int64_t distance)
{
	if (value.kind == VALUE_FIELD)
		return nothing;
	if (value.kind != VALUE_NOTHING)
		value.number = (int64_t)((uint64_t)value.number + (uint64_t)distance);
	return value;
}

/* The address that a lea computes. */
static struct value address_of(const struct values_state *state, const struct insn *insn)
{
	if (insn->slot)
		return (struct value){(int64_t)insn->slot, VALUE_NUMBER, 0};
	if (insn->base == REG_RSP)
		return (struct value){state->stack + insn->disp, VALUE_STACK, 0};
	return insn->base < FLOW_REGISTERS ? plus(state->registers[insn->base], insn->disp) : nothing;
}

/* Copies what is in use of a state. */
static void copy_state(struct values_state *to, const struct values_state *from)
{
	memcpy(to, from, offsetof(struct values_state, offsets));
	memcpy(to->offsets, from->offsets, from->slot_count * sizeof(*to->offsets));
	memcpy(to->slots, from->slots, from->slot_count * sizeof(*to->slots));
}

/* Copies what is known of a piece of the stack, as rep movsq and memcpy do. */
static void copy(struct values_state *state, int64_t size)
{
	struct value to = state->registers[REG_RDI], from = state->registers[REG_RSI];
	struct values_state before;

	if (to.kind != VALUE_STACK)
		return;
	if (size < 0 || size > MAX_COPY) {
		drop_slots(state, slot_from(state, to.number - 7), state->slot_count);
		return;
	}
	copy_state(&before, state);
	forget(state, to.number, size);
	if (from.kind != VALUE_STACK)
		return;
	for (unsigned int i = slot_from(&before, from.number);
	     i < before.slot_count && before.offsets[i] + 8 <= from.number + size; i++)
		store(state, before.offsets[i] - from.number + to.number, before.slots[i]);
}

static int64_t number_in(const struct values_state *state, uint8_t reg)
{
	return state->registers[reg].kind == VALUE_NUMBER ? state->registers[reg].number : -1;
}

/* What the low half of a value is known to be. */
static struct value low_half(struct value value)
{
	if (value.kind == VALUE_ARGUMENT && value.number == 0)
		value.kind = VALUE_ARGUMENT_LOW;
	else if (value.kind != VALUE_ARGUMENT_LOW &&
		 (value.kind != VALUE_NUMBER || value.number < 0 || value.number > UINT32_MAX))
		return nothing;
	return value;
}

/* What a load from behind an argument finds. */
static struct value field(const struct values_state *state, const struct insn *insn)
{
	struct value value = insn->base < FLOW_REGISTERS ? plus(state->registers[insn->base], insn->disp) : nothing;

	if (value.kind != VALUE_ARGUMENT)
		return nothing;
	value.kind = VALUE_FIELD;
	return value;
}

/* The value that the instruction puts into a register or slot. */
static struct value moved(const struct values_state *state, const struct insn *insn)
{
	struct value value;
	int64_t offset;

	switch (insn->form) {
	case FORM_COPY:
		return insn->base == REG_RSP ? (struct value){state->stack, VALUE_STACK, 0}
					     : state->registers[insn->base];
	case FORM_COPY_LOW:
		return low_half(state->registers[insn->base]);
	case FORM_LOAD_LOW:
		value = low_half(values_slot(state, state->stack + insn->disp));
		return value.kind == VALUE_ARGUMENT_LOW ? value : nothing;
	case FORM_STORE_LOW:
		value = low_half(state->registers[insn->reg]);
		return value.kind == VALUE_ARGUMENT_LOW ? value : nothing;
	case FORM_LOAD:
		return values_slot(state, state->stack + insn->disp);
	case FORM_FAR_LOAD:
		return values_stack_address(state, insn->base, insn->disp, &offset) ? values_slot(state, offset)
										    : field(state, insn);
	case FORM_STORE:
	case FORM_FAR_STORE:
	case FORM_PUSH:
		return state->registers[insn->reg];
	case FORM_SET:
	case FORM_STORE_IMMEDIATE:
		return (struct value){insn->immediate, VALUE_NUMBER, 0};
	case FORM_STORE_ZERO:
		return (struct value){0, VALUE_NUMBER, 0};
	case FORM_ADDRESS:
		return address_of(state, insn);
	case FORM_ADD:
		return plus(state->registers[insn->reg], insn->immediate);
	default:
		return nothing;
	}
}

void values_step(struct values_state *state, const struct insn *insn)
{
	bool calls = insn->form == FORM_CALL;
	struct value value = moved(state, insn);
	int64_t target;

	if (insn->form == FORM_MOVE_STRING)
		copy(state, number_in(state, REG_RCX) <= MAX_COPY ? number_in(state, REG_RCX) * 8 : -1);
	else if (calls && insn->copies)
		copy(state, number_in(state, REG_RDX));
	if (calls)
		drop_slots(state, 0, slot_from(state, state->stack));
	if (insn->store_size)
		forget(state, state->stack + insn->store_disp, insn->store_size);
	else if (insn->far_size && insn->form != FORM_MOVE_STRING &&
		 values_stack_address(state, insn->far_base, insn->far_disp, &target))
		forget(state, target, insn->far_size);
	if (insn->form == FORM_STORE || insn->form == FORM_STORE_ZERO ||
	    (insn->form == FORM_STORE_LOW && value.kind == VALUE_ARGUMENT_LOW))
		store(state, state->stack + insn->disp, value);
	else if ((insn->form == FORM_STORE_IMMEDIATE || insn->form == FORM_FAR_STORE) &&
		 values_stack_address(state, insn->base, insn->disp, &target))
		store(state, target, value);
	for (unsigned int i = 0; i < FLOW_REGISTERS; i++)
		if ((insn->written | (calls ? CALL_CLOBBERS : 0)) & (1u << i))
			state->registers[i] = nothing;
	switch (insn->form) {
	case FORM_COPY:
	case FORM_COPY_LOW:
	case FORM_LOAD:
	case FORM_LOAD_LOW:
	case FORM_FAR_LOAD:
	case FORM_SET:
	case FORM_ADDRESS:
	case FORM_ADD:
		if (insn->reg < FLOW_REGISTERS && insn->reg != REG_RSP)
			state->registers[insn->reg] = value;
		break;
	default:
		break;
	}
	if (insn->stack_change < 0)
		forget(state, state->stack + insn->stack_change, -insn->stack_change);
	state->stack += insn->stack_change;
	if (insn->form == FORM_PUSH)
		store(state, state->stack, value);
	if (insn->aligns_stack)
		state->stack -= ALIGNED_FRAME;
	else if (insn->breaks_stack)
		state->sound = false;
}

/* Keeps in *state only what `other` knows too. Returns whether anything changed. */
static bool meet(struct values_state *state, const struct values_state *other)
{
	bool changed = false;
	unsigned int kept = 0;

	if (!state->sound)
		return false;
	if (!other->sound || state->stack != other->stack) {
		state->sound = false;
		state->slot_count = 0;
		return true;
	}
	for (unsigned int i = 0; i < FLOW_REGISTERS; i++) {
		if (state->registers[i].kind != VALUE_NOTHING &&
		    !values_same(state->registers[i], other->registers[i])) {
			state->registers[i] = nothing;
			changed = true;
		}
	}
	for (unsigned int i = 0, j = 0; i < state->slot_count; i++) {
		while (j < other->slot_count && other->offsets[j] < state->offsets[i])
			j++;
		if (j == other->slot_count || other->offsets[j] != state->offsets[i] ||
		    !values_same(other->slots[j], state->slots[i]))
			continue;
		state->offsets[kept] = state->offsets[i];
		state->slots[kept++] = state->slots[i];
	}
	changed |= kept != state->slot_count;
	state->slot_count = (uint16_t)kept;
	return changed;
}

/* The straight lines whose state changed and has not been carried on. */
struct worklist {
	struct values *values;
	struct values_state state; /* behind the instruction at hand */
	size_t waiting;
	bool *queued; /* by state */
};

static void carry_to(struct worklist *work, size_t index)
{
	struct values *values = work->values;
	size_t state = values->lines[index] - 1;
	bool changed;

	if (!values->reached[state]) {
		values->reached[state] = changed = true;
		copy_state(&values->states[state], &work->state);
	} else {
		changed = meet(&values->states[state], &work->state);
	}
	if (changed && !work->queued[state]) {
		work->queued[state] = true;
		work->waiting++;
	}
}

static bool carry_on(size_t next, void *context)
{
	carry_to(context, next);
	return true;
}

static bool ends_line(const struct insn *insn)
{
	return insn->form == FORM_JCC || insn->form == FORM_JMP || insn->form == FORM_SWITCH || insn->form == FORM_END;
}

/* Carries the state at the head of a line to the heads of those behind it. */
static void run_line(struct worklist *work, size_t index)
{
	const struct flow *flow = work->values->flow;

	for (;; index++) {
		const struct insn *insn = &flow->insns[index];

		values_step(&work->state, insn);
		if (!work->state.sound)
			return;
		if (ends_line(insn)) {
			flow_successors(flow, index, carry_on, work);
			return;
		}
		if (index + 1 >= flow->count || flow->insns[index + 1].address != insn->address + insn->length)
			return;
		if (work->values->lines[index + 1]) {
			carry_to(work, index + 1);
			return;
		}
	}
}

static bool start_line(size_t index, void *context)
{
	struct values *values = context;

	if (!values->lines[index])
		values->lines[index] = (uint32_t)++values->count;
	return true;
}

static void find_lines(struct values *values, size_t entry)
{
	const struct flow *flow = values->flow;

	start_line(entry, values);
	for (size_t i = 0; i < flow->count; i++)
		if (ends_line(&flow->insns[i]))
			flow_successors(flow, i, start_line, values);
}

/* Runs each waiting line once, by rising address: most jumps lead forward. */
static void run_lines(struct worklist *work)
{
	struct values *values = work->values;

	for (size_t i = 0; i < values->flow->count && work->waiting; i++) {
		size_t state = values->lines[i] - 1;

		if (!values->lines[i] || !work->queued[state])
			continue;
		work->queued[state] = false;
		work->waiting--;
		copy_state(&work->state, &values->states[state]);
		if (work->state.sound)
			run_line(work, i);
	}
}

/* Behind a call, those on the stack lie above the return address. */
static void pass_argument(struct values_state *state, unsigned int argument)
{
	struct value value = {0, VALUE_ARGUMENT, (uint8_t)argument};

	if (argument < VALUES_ON_STACK)
		state->registers[argument_registers[argument]] = value;
	else
		store(state, 8 * (int64_t)(argument - VALUES_ON_STACK + 1), value);
}

struct value values_passed(const struct values_state *state, unsigned int argument)
{
	return argument < VALUES_ON_STACK
		   ? state->registers[argument_registers[argument]]
		   : values_slot(state, state->stack + 8 * (int64_t)(argument - VALUES_ON_STACK));
}

int values_follow(const struct flow *flow, uint64_t entry, struct values *out)
{
	struct worklist work = {.values = out, .state = {.sound = true}};
	size_t start = flow_find(flow, entry);
	int code = 0;

	*out = (struct values){.flow = flow, .entry = start, .lines = calloc(flow->count + 1, sizeof(*out->lines))};
	if (!out->lines)
		return -ENOMEM;
	if (start == SIZE_MAX)
		return 0;
	find_lines(out, start);
	out->states = malloc(out->count * sizeof(*out->states));
	out->reached = calloc(out->count, sizeof(*out->reached));
	work.queued = calloc(out->count, sizeof(*work.queued));
	if (out->states && out->reached && work.queued) {
		for (unsigned int i = 0; i < VALUES_ARGUMENTS; i++)
			pass_argument(&work.state, i);
		for (unsigned int i = 0; i < FLOW_REGISTERS; i++)
			if (CALL_KEEPS & (1u << i))
				work.state.registers[i] = (struct value){0, VALUE_SAVED, (uint8_t)i};
		carry_to(&work, start);
		while (work.waiting)
			run_lines(&work);
	} else {
		code = -ENOMEM;
		values_free(out);
	}
	free(work.queued);
	return code;
}

void values_free(struct values *values)
{
	free(values->lines);
	free(values->states);
	free(values->reached);
	memset(values, 0, sizeof(*values));
}

bool values_at(const struct values *values, size_t index, struct values_state *out)
{
	const struct flow *flow = values->flow;
	size_t start = index;

	while (!values->lines[start]) {
		if (start == 0 || ends_line(&flow->insns[start - 1]) ||
		    flow->insns[start - 1].address + flow->insns[start - 1].length != flow->insns[start].address)
			return false;
		start--;
	}
	if (!values->reached[values->lines[start] - 1])
		return false;
	copy_state(out, &values->states[values->lines[start] - 1]);
	for (; start < index; start++)
		values_step(out, &flow->insns[start]);
	return out->sound;
}
