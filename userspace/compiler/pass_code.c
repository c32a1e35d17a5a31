/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/pass_code.h"

#include <string.h>

#include "compiler/values.h"

enum {
	NEAR = 8,     /* instructions between the two stores */
	LEA_SIZE = 7, /* bytes of lea reg, [rip + distance] */
};

static bool is_lea_of(const uint8_t *bytes, uint64_t address, uint64_t target)
{
	int32_t distance;

	if ((bytes[0] & 0xfb) != 0x48 || bytes[1] != 0x8d || (bytes[2] & 0xc7) != 0x05)
		return false;
	memcpy(&distance, bytes + 3, sizeof(distance));
	return address + LEA_SIZE + (uint64_t)(int64_t)distance == target;
}

/* The index of the store to `disp` of rsp among the instructions around `index`, or SIZE_MAX. */
static size_t find_store(const struct flow *flow, size_t index, int32_t disp)
{
	size_t from = index > NEAR ? index - NEAR : 0;

	for (size_t i = from; i < flow->count && i <= index + NEAR; i++)
		if (flow->insns[i].form == FORM_STORE && flow->insns[i].disp == disp)
			return i;
	return SIZE_MAX;
}

/* The pass that is stored below the vtable whose address the instruction at `index` computes; 0 if that is not known.
 */
static uint64_t pass_at(const struct values *values, size_t index)
{
	const struct flow *flow = values->flow;
	uint8_t vtable = flow->insns[index].reg;
	struct values_state state;
	size_t store;

	for (size_t i = index + 1; i < flow->count && i <= index + NEAR; i++) {
		const struct insn *insn = &flow->insns[i];

		if (insn->form != FORM_STORE || insn->reg != vtable)
			continue;
		store = find_store(flow, i, insn->disp - 8);
		if (store == SIZE_MAX || !values_at(values, store, &state) ||
		    state.registers[flow->insns[store].reg].kind != VALUE_NUMBER)
			return 0;
		return (uint64_t)state.registers[flow->insns[store].reg].number;
	}
	return 0;
}

static uint64_t pass_in(const struct image *image, const struct image_symbol *symbol, uint64_t address)
{
	struct code_range range = {symbol->address, symbol->size};
	struct values values;
	struct flow flow;
	uint64_t pass = 0;

	if (flow_decode(image, &range, 1, &flow, NULL) < 0)
		return 0;
	if (values_follow(&flow, symbol->address, &values) == 0) {
		size_t index = flow_find(&flow, address);

		pass = index == SIZE_MAX ? 0 : pass_at(&values, index);
		values_free(&values);
	}
	flow_free(&flow);
	return pass;
}

void pass_code_each(const struct image *image, uint64_t vtable, bool (*visit)(uint64_t pass, void *context),
		    void *context)
{
	size_t count;
	const struct image_symbol *symbols = image_symbols(image, &count);

	for (size_t i = 0; i < count; i++) {
		size_t available;
		const uint8_t *bytes = image_bytes(image, symbols[i].address, &available);

		if (!bytes || symbols[i].size > available || !strstr(symbols[i].name, "19rustc_mir_transform"))
			continue;
		for (uint64_t at = 0; at + LEA_SIZE <= symbols[i].size; at++)
			if (is_lea_of(bytes + at, symbols[i].address + at, vtable) &&
			    !visit(pass_in(image, &symbols[i], symbols[i].address + at), context))
				return;
	}
}
