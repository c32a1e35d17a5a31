/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/*
 * Collects the addresses that are stored, once for each store. The code is a long list of stores, so that it is read in
 * the order in which it stands. Registers keep an address until they are written to.
 */
static size_t stored(const struct flow *flow, uint64_t *addresses)
{
	uint64_t registers[FLOW_REGISTERS] = {0};
	size_t count = 0;

	for (size_t i = 0; i < flow->count; i++) {
		const struct insn *insn = &flow->insns[i];

		if ((insn->form == FORM_STORE || insn->form == FORM_FAR_STORE) && registers[insn->reg])
			addresses[count++] = registers[insn->reg];
		for (unsigned int reg = 0; reg < FLOW_REGISTERS; reg++)
			if (insn->written & (1u << reg))
				registers[reg] = 0;
		if (insn->form == FORM_ADDRESS && insn->reg < FLOW_REGISTERS)
			registers[insn->reg] = insn->slot;
	}
	return count;
}

int shared_find(const struct image *image, const struct code_range *ranges, size_t range_count, struct shared *out)
{
	struct flow flow;
	size_t count;
	int code = flow_decode(image, ranges, range_count, &flow, NULL);

	if (code < 0)
		return code == -ENOMEM ? code : 0;
	out->addresses = calloc(flow.count + 1, sizeof(*out->addresses));
	if (!out->addresses) {
		flow_free(&flow);
		return -ENOMEM;
	}
	count = stored(&flow, out->addresses);
	flow_free(&flow);
	qsort(out->addresses, count, sizeof(*out->addresses), by_value);
	for (size_t i = 1; i < count; i++)
		if (out->addresses[i] == out->addresses[i - 1] &&
		    (!out->count || out->addresses[out->count - 1] != out->addresses[i]))
			out->addresses[out->count++] = out->addresses[i];
	return 0;
}

bool shared_has(const struct shared *shared, uint64_t address)
{
	return shared->count && bsearch(&address, shared->addresses, shared->count, sizeof(address), by_value);
}

void shared_free(struct shared *shared)
{
	free(shared->addresses);
	memset(shared, 0, sizeof(*shared));
}
