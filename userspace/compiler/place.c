/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/timer.h"

/* How far apart a guard and the clearing of its timer may stand. */
enum { NEAR = 6 };

/* Where the jump at `index` leads if the tested bits were clear. */
static size_t clear_branch(const struct flow *flow, size_t index)
{
	const struct insn *jump = &flow->insns[index];

	if (!jump->jumps_if_set)
		return flow_find(flow, jump->target);
	return flow_find(flow, jump->address + jump->length);
}

/* Whether the instruction at `index` tests a byte of what may be the TyCtxt. Then *state is what holds there. */
static bool is_filter_test(const struct values *values, size_t index, struct values_state *state)
{
	const struct insn *insn = &values->flow->insns[index];
	struct value base;

	if (insn->form != FORM_TEST_MASK || insn->immediate != FILTER_QUERY_PROVIDERS || insn->base >= FLOW_REGISTERS ||
	    !values_at(values, index, state))
		return false;
	base = state->registers[insn->base];
	return base.kind == VALUE_ARGUMENT && base.number == 0 && (base.argument == 1 || base.argument == 2);
}

size_t place_filter_candidates(const struct values *values, int32_t *offsets, size_t room)
{
	struct values_state state;
	size_t count = 0;

	for (size_t i = 0; i < values->flow->count && count < room; i++)
		if (is_filter_test(values, i, &state))
			offsets[count++] = values->flow->insns[i].disp;
	return count;
}

static const char *add_exits(struct placement *out, const struct guard *guard)
{
	for (size_t i = 0; i < guard->exit_count; i++) {
		size_t at = 0;

		while (at < out->exit_count && out->exits[at] != guard->exits[i])
			at++;
		if (at == MAX_EXITS)
			return "the timer is tested in too many places";
		out->exits[at] = guard->exits[i];
		out->exit_count += at == out->exit_count;
	}
	return NULL;
}

static void add_calls(const struct flow *flow, const bool *live, struct placement *out)
{
	for (size_t i = 0; i < flow->count; i++) {
		if (!live[i] || flow->insns[i].form != FORM_CALL)
			continue;
		if (out->call_count == MAX_CALLS)
			out->has_more_calls = true;
		else
			out->calls[out->call_count++] = flow->insns[i].address + flow->insns[i].length - 1;
	}
}

/* Finds every test of the timer that is cleared behind the guard's jump. */
static const char *find_exits(const struct values *values, size_t jump, int64_t stack, bool *live,
			      struct placement *out)
{
	/* No call ends this timer. */
	static const struct guard_callees none = {.verbose_timer = -1};
	const struct flow *flow = values->flow;
	size_t at = clear_branch(flow, jump);
	struct timer_life life = {.values = values,
				  .callees = &none,
				  .stack = stack,
				  .entry = jump,
				  .starts = &at,
				  .start_count = 1,
				  .live = live};
	struct values_state state;
	struct guard guard = {0};
	const char *refusal;

	for (int i = 0; at != SIZE_MAX && flow->insns[at].form != FORM_STORE_ZERO; i++)
		at = i + 1 < NEAR ? flow_next_in_line(flow, at) : SIZE_MAX;
	if (at == SIZE_MAX || !values_at(values, at, &state))
		return "the timer's slot was not found";
	life.timer = state.stack + flow->insns[at].disp;
	refusal = timer_find_exits(&life, &guard);
	if (!refusal && guard.lent)
		refusal = "its end is not in one function";
	return refusal ? refusal : add_exits(out, &guard);
}

static const char *place_guard(const struct values *values, size_t test, const struct values_state *at_test, bool *live,
			       struct placement *out)
{
	uint8_t reg = values->flow->insns[test].base;
	struct value tcx = at_test->registers[reg], at_hand;
	size_t jump = flow_jump_of_test(values->flow, test);
	struct values_state state;
	struct vtable_place vtable;

	if (jump == SIZE_MAX || !values_at(values, jump, &state))
		return "the profiler's guard has no jump";
	vtable = guard_find_vtable(&state, tcx.argument - 1);
	at_hand = state.registers[reg];
	if (!vtable.known)
		return "the query's vtable is not at hand at the profiler's guard";
	if (at_hand.kind != tcx.kind || at_hand.argument != tcx.argument || at_hand.number != tcx.number)
		return "the TyCtxt is not at hand at the profiler's guard";
	if (out->guard_count == MAX_GUARDS)
		return "the profiler's guard stands in too many places";
	out->guards[out->guard_count++] = (struct guard_site){.address = values->flow->insns[jump].address,
							      .tcx_register = reg,
							      .vtable_on_stack = vtable.on_stack,
							      .vtable_register = vtable.reg,
							      .vtable_displacement = vtable.displacement};
	return find_exits(values, jump, state.stack, live, out);
}

void place_sites(const struct values *values, int32_t filter_offset, struct placement *out)
{
	bool *live = calloc(values->flow->count + 1, sizeof(*live));
	struct values_state state;

	memset(out, 0, sizeof(*out));
	if (!live)
		out->refusal = "out of memory";
	for (size_t i = 0; i < values->flow->count && !out->refusal; i++)
		if (values->flow->insns[i].disp == filter_offset && is_filter_test(values, i, &state))
			out->refusal = place_guard(values, i, &state, live, out);
	if (!out->refusal && !out->guard_count)
		out->refusal = "the profiler's guard was not found";
	if (!out->refusal)
		add_calls(values->flow, live, out);
	free(live);
}

int place_vtable(const struct flow *flow, bool (*callee_known)(uint64_t address, const void *context),
		 const void *context, int32_t *offset, uint64_t *callee)
{
	int32_t found = 0;

	*callee = 0;
	for (size_t i = 0; i < flow->count; i++) {
		const struct insn *insn = &flow->insns[i];

		if ((insn->form == FORM_CALL || insn->form == FORM_JMP) && insn->target &&
		    callee_known(insn->target, context))
			*callee = insn->target;
		if (insn->form != FORM_ADDRESS || insn->base == REG_RSP || insn->base == REGISTER_NONE ||
		    insn->disp <= 0)
			continue;
		if (found && found != insn->disp)
			return -ENOENT;
		found = insn->disp;
	}
	*offset = found;
	return found && *callee ? 0 : -ENOENT;
}
