/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/timer.h"

#include <stdlib.h>
#include <string.h>

/* Registers that a called function leaves as they are. */
#define KEPT_BY_CALLS 0xf038

enum { PLACES = 8 };

/* Where the timer may be: registers, halves of xmm registers (one bit each) and stack slots. */
struct whereabouts {
	uint16_t registers, low, high;
	uint8_t count;
	int64_t slots[PLACES];
};

struct search {
	struct timer_life *life;
	const struct flow *flow;
	size_t *queue; /* of straight lines' first instructions */
	size_t length;
	bool *queued;		    /* by line */
	struct whereabouts *places; /* at the head of each line */
	struct whereabouts now;
	struct guard *out;
};

static bool is_anywhere(const struct whereabouts *places)
{
	return places->registers || places->low || places->high || places->count;
}

static bool holds(const struct whereabouts *places, int64_t slot)
{
	for (unsigned int i = 0; i < places->count; i++)
		if (places->slots[i] == slot)
			return true;
	return false;
}

/* Returns false if there is no room. */
static bool put(struct whereabouts *places, int64_t slot)
{
	if (holds(places, slot))
		return true;
	if (places->count == PLACES)
		return false;
	places->slots[places->count++] = slot;
	return true;
}

static void overwrite(struct whereabouts *places, int64_t offset, int64_t size)
{
	for (unsigned int i = places->count; i-- > 0;)
		if (places->slots[i] < offset + size && offset < places->slots[i] + 8)
			places->slots[i] = places->slots[--places->count];
}

/* What is called, and what is left, uses the stack below. */
static void overwrite_below(struct whereabouts *places, int64_t offset)
{
	for (unsigned int i = places->count; i-- > 0;)
		if (places->slots[i] < offset)
			places->slots[i] = places->slots[--places->count];
}

/* Adds to *places what is in `more`. *changed is set if that was anything new. Returns false if there is no room. */
static bool merge(struct whereabouts *places, const struct whereabouts *more, bool *changed)
{
	struct whereabouts before = *places;

	places->registers |= more->registers;
	places->low |= more->low;
	places->high |= more->high;
	for (unsigned int i = 0; i < more->count; i++)
		if (!put(places, more->slots[i]))
			return false;
	*changed = places->registers != before.registers || places->low != before.low || places->high != before.high ||
		   places->count != before.count;
	return true;
}

static bool search_from(size_t index, void *context)
{
	struct search *search = context;
	size_t line = search->life->values->lines[index] - 1;
	bool changed;

	if (!merge(&search->places[line], &search->now, &changed))
		return false;
	if (changed && !search->queued[line]) {
		search->queued[line] = true;
		search->queue[search->length++] = index;
	}
	return true;
}

/* Notes that the timer goes into memory that an argument points to: it ends in the caller. */
static void lend(struct search *search, struct value to, struct value from, int64_t size)
{
	struct guard *out = search->out;

	for (unsigned int i = 0; i < search->now.count; i++) {
		int64_t slot = search->now.slots[i];

		if (slot < from.number || slot + 8 > from.number + size)
			continue;
		out->lent = true;
		out->lent_argument = to.argument;
		out->lent_offset = to.number + slot - from.number;
	}
}

/* Copies places along when `size` bytes of stack are copied. Returns false if there is no room. */
static bool copy_slots(struct search *search, const struct values_state *state, int64_t size)
{
	struct value to = state->registers[REG_RDI], from = state->registers[REG_RSI];
	struct whereabouts *places = &search->now, before = *places;

	if (to.kind == VALUE_ARGUMENT && from.kind == VALUE_STACK && size > 0)
		lend(search, to, from, size);
	if (to.kind != VALUE_STACK || size < 0)
		return true;
	overwrite(places, to.number, size);
	for (unsigned int i = 0; from.kind == VALUE_STACK && i < before.count; i++)
		if (before.slots[i] >= from.number && before.slots[i] + 8 <= from.number + size &&
		    !put(places, before.slots[i] - from.number + to.number))
			return false;
	return true;
}

static int64_t number_in(const struct values_state *state, uint8_t reg)
{
	const struct value *value = &state->registers[reg];

	return value->kind == VALUE_NUMBER && value->number >= 0 && value->number < 4096 ? value->number : -1;
}

/* Follows the timer through a call. */
static bool move_by_call(struct search *search, const struct insn *insn, const struct values_state *state)
{
	struct whereabouts *now = &search->now;
	enum guard_callee callee = guard_callee_at(search->life->callees, insn->callee);
	struct value first = state->registers[REG_RDI];

	if (insn->copies && !copy_slots(search, state, number_in(state, REG_RDX)))
		return false;
	now->registers &= KEPT_BY_CALLS;
	now->low = now->high = 0;
	overwrite_below(now, state->stack);
	/* Another timer is started in the same place. */
	if (callee == CALLEE_ACTIVITY_VERBOSE && first.kind == VALUE_STACK)
		overwrite(now, first.number + search->life->callees->verbose_timer, 8);
	else if (callee != CALLEE_NONE && callee != CALLEE_DROP && callee != CALLEE_DROP_VERBOSE &&
		 first.kind == VALUE_STACK)
		overwrite(now, first.number, 8);
	return true;
}

/* Follows the timer through one instruction. Returns false if it is in too many places. */
static bool move(struct search *search, const struct insn *insn, const struct values_state *state)
{
	struct whereabouts *now = &search->now, before = *now;
	uint16_t reg = (uint16_t)(1u << (insn->reg & 15));
	bool held = before.registers & reg, on_stack;
	int64_t memory = 0, far;

	if (insn->form == FORM_CALL)
		return move_by_call(search, insn, state);
	if (insn->form == FORM_MOVE_STRING)
		return copy_slots(search, state, number_in(state, REG_RCX) < 0 ? -1 : number_in(state, REG_RCX) * 8);
	now->registers &= (uint16_t)~insn->written;
	now->low &= (uint16_t)~insn->written_wide;
	now->high &= (uint16_t)~insn->written_wide;
	if (insn->store_size)
		overwrite(now, state->stack + insn->store_disp, insn->store_size);
	else if (insn->far_size && values_stack_address(state, insn->far_base, insn->far_disp, &far))
		overwrite(now, far, insn->far_size);
	on_stack = values_stack_address(
	    state, insn->form == FORM_LOAD || insn->form == FORM_STORE ? REG_RSP : insn->base, insn->disp, &memory);
	switch (insn->form) {
	case FORM_COPY:
		if (before.registers & (1u << insn->base))
			now->registers |= reg;
		return true;
	case FORM_LOAD:
	case FORM_FAR_LOAD:
		if (on_stack && holds(&before, memory))
			now->registers |= reg;
		return true;
	case FORM_STORE:
	case FORM_FAR_STORE:
		return !held || !on_stack || put(now, memory);
	case FORM_WIDE_LOAD:
		if (on_stack && holds(&before, memory))
			now->low |= reg;
		if (on_stack && holds(&before, memory + 8))
			now->high |= reg;
		return true;
	case FORM_WIDE_STORE:
		return !on_stack ||
		       ((!(before.low & reg) || put(now, memory)) && (!(before.high & reg) || put(now, memory + 8)));
	default:
		return true;
	}
}

static const char *add_exit(struct search *search, size_t index, int64_t stack)
{
	struct guard *out = search->out;
	uint64_t address = search->flow->insns[index].address;

	if (search->life->any_stack && !out->exit_count)
		search->life->stack = stack;
	if (stack != search->life->stack)
		return "the stack pointer differs between its begin and its end";
	for (size_t i = 0; i < out->exit_count; i++)
		if (out->exits[i] == address)
			return NULL;
	if (out->exit_count == GUARD_EXITS)
		return "it ends in too many places";
	out->exits[out->exit_count++] = address;
	return NULL;
}

static bool drops_timer(const struct search *search, const struct insn *insn, const struct values_state *state)
{
	const struct guard_callees *callees = search->life->callees;
	enum guard_callee callee = guard_callee_at(callees, insn->form == FORM_JMP ? insn->target : insn->callee);
	struct value guard = state->registers[REG_RDI];

	if ((callee != CALLEE_DROP && callee != CALLEE_DROP_VERBOSE) || guard.kind != VALUE_STACK)
		return false;
	return holds(&search->now, guard.number + (callee == CALLEE_DROP_VERBOSE ? callees->verbose_timer : 0));
}

static bool tests_timer(const struct search *search, const struct insn *insn, const struct values_state *state)
{
	int64_t slot;

	if (insn->form == FORM_TEST_SELF)
		return search->now.registers & (1u << insn->reg);
	if (insn->form != FORM_TEST_SLOT && insn->form != FORM_FAR_TEST_SLOT)
		return false;
	return values_stack_address(state, insn->form == FORM_TEST_SLOT ? REG_RSP : insn->base, insn->disp, &slot) &&
	       holds(&search->now, slot);
}

/* Whether the timer's life ends at the instruction at `index`. Then *refusal says whether that is a usable exit. */
static bool ends_life(struct search *search, size_t index, const struct values_state *state, const char **refusal)
{
	const struct insn *insn = &search->flow->insns[index];
	struct values_state at_jump;
	size_t jump;

	if (drops_timer(search, insn, state)) {
		*refusal = insn->target ? add_exit(search, index, state->stack) : "its end is no direct call";
		return true;
	}
	if (!tests_timer(search, insn, state))
		return false;
	jump = flow_jump_of_test(search->flow, index);
	if (jump == SIZE_MAX || !values_at(search->life->values, jump, &at_jump))
		*refusal = "its timer is tested without a jump";
	else
		*refusal = add_exit(search, jump, at_jump.stack);
	return true;
}

/* Searches the rest of a straight line, and queues those behind it. */
static const char *search_line(struct search *search, size_t index, struct values_state *state)
{
	static const char crowded[] = "its timer is in too many places";
	const struct flow *flow = search->flow;
	const char *refusal = NULL;

	for (;; index++) {
		const struct insn *insn = &flow->insns[index];
		bool branches = insn->form == FORM_JCC || insn->form == FORM_JMP || insn->form == FORM_SWITCH ||
				insn->form == FORM_END;

		if (index == search->life->entry || ends_life(search, index, state, &refusal))
			return refusal;
		search->life->live[index] = true;
		if (!move(search, insn, state))
			return crowded;
		values_step(state, insn);
		if (!is_anywhere(&search->now) || !state->sound)
			return NULL;
		if (branches)
			return flow_successors(flow, index, search_from, search) ? NULL : crowded;
		if (index + 1 >= flow->count || flow->insns[index + 1].address != insn->address + insn->length)
			return NULL;
		if (search->life->values->lines[index + 1])
			return search_from(index + 1, search) ? NULL : crowded;
	}
}

/* Searches from behind the instruction at `index`, with the timer in its place. */
static const char *search_behind(struct search *search, size_t index)
{
	const struct timer_life *life = search->life;
	const struct insn *insn = &search->flow->insns[index];
	struct values_state state;

	search->now = (struct whereabouts){.count = 1, .slots = {life->timer}};
	if (!values_at(life->values, index, &state) || index + 1 >= search->flow->count ||
	    insn[1].address != insn->address + insn->length)
		return "the code behind it was not found";
	values_step(&state, insn);
	if (life->values->lines[index + 1])
		return search_from(index + 1, search) ? NULL : "out of memory";
	return search_line(search, index + 1, &state);
}

static const char *search_all(struct search *search)
{
	const struct timer_life *life = search->life;
	const char *refusal = NULL;

	for (size_t i = 0; i < life->start_count && !refusal; i++)
		refusal = search_behind(search, life->starts[i]);
	while (!refusal && search->length) {
		size_t index = search->queue[--search->length], line = life->values->lines[index] - 1;
		struct values_state state;

		search->queued[line] = false;
		search->now = search->places[line];
		if (values_at(life->values, index, &state))
			refusal = search_line(search, index, &state);
	}
	if (refusal)
		return refusal;
	if (search->out->lent && search->out->exit_count)
		return "it ends in two functions";
	return search->out->lent || search->out->exit_count ? NULL : "its end was not found";
}

const char *timer_find_exits(struct timer_life *life, struct guard *out)
{
	struct search search = {.life = life, .flow = life->values->flow, .out = out};
	const char *refusal = "out of memory";

	search.queue = calloc(life->values->count + 1, sizeof(*search.queue));
	search.queued = calloc(life->values->count + 1, sizeof(*search.queued));
	search.places = calloc(life->values->count + 1, sizeof(*search.places));
	if (search.queue && search.queued && search.places)
		refusal = search_all(&search);
	free(search.queue);
	free(search.queued);
	free(search.places);
	return refusal;
}
