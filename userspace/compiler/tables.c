/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/flow_private.h"

enum { MAX_SWITCHES = 64 /* jump tables in one function */ };

static int add_edge(struct flow *flow, size_t from, size_t to)
{
	if (flow->edge_count == flow->edge_room) {
		size_t more = flow->edge_room ? flow->edge_room * 2 : 64;
		struct flow_edge *grown = realloc(flow->edges, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		flow->edges = grown;
		flow->edge_room = more;
	}
	flow->edges[flow->edge_count++] = (struct flow_edge){from, to};
	return 0;
}

/* A jump through a table: lea table; movslq (table, index, 4); add; jmp. The lea may stand far before the rest. */
struct table_jump {
	size_t jump;
	uint8_t table;	/* the register that holds the table's address */
	size_t address; /* the lea, or SIZE_MAX while it is not known */
};

/* Looks back from the jump at `jump` along the straight line that leads to it. */
static bool find_table(const struct flow *flow, size_t jump, struct table_jump *out)
{
	uint8_t distance = flow->insns[jump].reg;

	*out = (struct table_jump){jump, REGISTER_NONE, SIZE_MAX};
	if (flow->insns[jump].form != FORM_END || distance == REGISTER_NONE)
		return false;
	for (size_t i = jump; i-- > 0 && out->address == SIZE_MAX;) {
		const struct insn *insn = &flow->insns[i];

		if (insn->form == FORM_JMP || insn->form == FORM_END || insn->form == FORM_CALL ||
		    insn[1].address != insn->address + insn->length)
			break;
		if (insn->form == FORM_TABLE_LOAD && out->table == REGISTER_NONE && insn->reg == distance)
			out->table = insn->base;
		else if (insn->form == FORM_ADDRESS && insn->slot && insn->reg == out->table)
			out->address = i;
	}
	return out->table != REGISTER_NONE;
}

/*
 * Reads a jump table: each entry is the distance of a target from the table. Nothing says how long it is; it ends at
 * the function's next table, or where an entry is no instruction of the function.
 */
static int read_switch(const struct image *image, struct flow *flow, size_t jump, uint64_t table, uint64_t end)
{
	size_t available;
	const uint8_t *entries = image_bytes(image, table, &available);

	for (size_t i = 0; entries && (i + 1) * 4 <= available && table + i * 4 < end; i++) {
		int32_t entry;
		size_t target;
		int code;

		memcpy(&entry, entries + 4 * i, sizeof(entry));
		target = flow_find(flow, table + (uint64_t)(int64_t)entry);
		if (target == SIZE_MAX)
			break;
		code = add_edge(flow, jump, target);
		if (code < 0)
			return code;
		flow->insns[jump].form = FORM_SWITCH;
	}
	return 0;
}

static uint64_t next_table(const struct flow *flow, const struct table_jump *jumps, size_t count, uint64_t table)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < count; i++) {
		uint64_t other = jumps[i].address == SIZE_MAX ? 0 : flow->insns[jumps[i].address].slot;

		if (other > table && other < next)
			next = other;
	}
	return next;
}

static bool is_taken(const struct table_jump *jumps, size_t count, size_t address)
{
	for (size_t i = 0; i < count; i++)
		if (jumps[i].address == address)
			return true;
	return false;
}

/* Where a table's address was computed out of sight, every address that no other jump
 * has claimed and that goes into the right register may be it.
 */
int flow_read_tables(const struct image *image, struct flow *flow)
{
	struct table_jump jumps[MAX_SWITCHES];
	size_t count = 0;
	int code = 0;

	for (size_t i = 0; i < flow->count && count < MAX_SWITCHES; i++)
		count += find_table(flow, i, &jumps[count]);
	for (size_t i = 0; i < count && code == 0; i++) {
		for (size_t j = 0; j < flow->count && code == 0; j++) {
			const struct insn *insn = &flow->insns[j];
			bool mine = jumps[i].address == j;

			if (insn->form != FORM_ADDRESS || !insn->slot || insn->reg != jumps[i].table)
				continue;
			if (mine || (jumps[i].address == SIZE_MAX && !is_taken(jumps, count, j)))
				code = read_switch(image, flow, jumps[i].jump, insn->slot,
						   next_table(flow, jumps, count, insn->slot));
		}
	}
	return code;
}
