/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/moved.h"

/* Registers that a called function leaves as they are, but for rsp. */
#define KEPT_BY_CALLS 0xf028

enum { NEAR = 24 /* instructions from the call to the last copy */ };

bool moved_find(const struct values *values, size_t index, int64_t offset, uint8_t *reg)
{
	const struct flow *flow = values->flow;
	uint16_t kept = KEPT_BY_CALLS;
	uint8_t source = REGISTER_NONE;
	struct values_state state;

	if (!values_at(values, index, &state))
		return false;
	for (int i = 0; i < NEAR; i++) {
		const struct insn *insn = &flow->insns[index];

		if (insn->form == FORM_MOVE_STRING) {
			struct value from = state.registers[REG_RSI], to = state.registers[REG_RDI];
			struct value words = state.registers[REG_RCX];

			if (from.kind == VALUE_STACK && words.kind == VALUE_NUMBER && offset >= from.number &&
			    offset < from.number + words.number * 8) {
				*reg = source;
				if (to.kind != VALUE_STACK)
					return source != REGISTER_NONE && offset == from.number;
				offset += to.number - from.number;
			}
		}
		kept &= (uint16_t)~insn->written;
		if (insn->form == FORM_COPY && insn->reg == REG_RDI)
			source = kept & (1u << insn->base) ? insn->base : REGISTER_NONE;
		else if (insn->written & (1u << REG_RDI) && insn->form != FORM_MOVE_STRING)
			source = REGISTER_NONE;
		values_step(&state, insn);
		index = flow_next_in_line(flow, index);
		if (index == SIZE_MAX || flow->insns[index].form == FORM_JCC)
			return false;
	}
	return false;
}

const char *moved_find_ends(const struct flow *flow, const struct guard_callees *callees, struct guard *guard)
{
	for (size_t i = 0; i < flow->count; i++) {
		const struct insn *insn = &flow->insns[i];

		if (insn->form != FORM_CALL || guard_callee_at(callees, insn->callee) != CALLEE_DROP_VERBOSE)
			continue;
		if (!insn->target)
			return "its end is no direct call";
		if (guard->exit_count == GUARD_EXITS)
			return "it ends in too many places";
		guard->exits[guard->exit_count++] = insn->address;
	}
	return NULL;
}
