/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/key.h"

#include "compiler/guard.h"

/* The arguments of try_execute_query: the vtable, the TyCtxt, a span, the key. A DefId is two arguments. */
enum { KEY_BEHIND_VTABLE = 3 };

static bool is_low_half(struct value value, unsigned int argument)
{
	return (value.kind == VALUE_ARGUMENT || value.kind == VALUE_ARGUMENT_LOW) && value.argument == argument &&
	       value.number == 0;
}

/* The register that holds an argument of 32 bits, or WIRE_ON_STACK and the place from rsp. False if there is none. */
static bool find_part(const struct values_state *state, unsigned int argument, unsigned int *where,
		      int64_t *displacement)
{
	for (*where = 0; *where < FLOW_REGISTERS; (*where)++)
		if (is_low_half(state->registers[*where], argument))
			return true;
	*where = WIRE_ON_STACK;
	for (unsigned int i = 0; i < state->slot_count; i++) {
		*displacement = state->offsets[i] - state->stack;
		if (is_low_half(state->slots[i], argument) && *displacement >= 0 && *displacement % 4 == 0 &&
		    *displacement / 4 <= UINT16_MAX)
			return true;
	}
	return false;
}

uint64_t key_cookie(const struct values *values, uint64_t address, enum key_kind kind, int32_t filter_offset)
{
	int vtable = guard_vtable_argument(values, filter_offset);
	size_t index = flow_find(values->flow, address);
	unsigned int first = 0, second = 0, argument;
	int64_t at = 0, behind = 0;
	struct values_state state;

	if (kind == KEY_UNKNOWN || vtable < 0 || index == SIZE_MAX || !values_at(values, index, &state))
		return 0;
	argument = (unsigned int)vtable + KEY_BEHIND_VTABLE;
	if (kind == KEY_UNIT)
		return COOKIE_WITH_KEY(kind, 0, 0, 0);
	if (!find_part(&state, argument, &first, &at))
		return 0;
	if (kind != KEY_DEF_ID)
		return COOKIE_WITH_KEY(kind, first, 0, at);
	if (!find_part(&state, argument + 1, &second, &behind))
		return 0;
	if (first == WIRE_ON_STACK && second == WIRE_ON_STACK && behind != at + 4)
		return 0;
	return COOKIE_WITH_KEY(kind, first, second, first == WIRE_ON_STACK ? at : behind);
}
