/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/flow.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The System V ABI's registers that a call may change. */
#define CALL_CLOBBERS 0x0fc7

enum {
	PANIC_SIZE = 512,  /* bytes: functions that only panic are smaller */
	MAX_SWITCHES = 64, /* jump tables in one function */
};

static uint8_t register_number(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
		return REGISTER_NONE;
	return (uint8_t)(whole - ZYDIS_REGISTER_RAX);
}

static bool is_stack_memory(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.base == ZYDIS_REGISTER_RSP &&
	       operand->mem.index == ZYDIS_REGISTER_NONE && operand->mem.segment != ZYDIS_REGISTER_FS;
}

static bool is_register64(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->size == 64 &&
	       register_number(operand->reg.value) != REGISTER_NONE;
}

static bool is_zero(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand->imm.value.s == 0;
}

static void note_writes(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *operands)
{
	for (unsigned int i = 0; i < raw->operand_count; i++) {
		const ZydisDecodedOperand *operand = &operands[i];

		if (!(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			uint8_t number = register_number(operand->reg.value);

			if (number != REGISTER_NONE)
				insn->written |= (uint16_t)(1u << number);
		} else if (is_stack_memory(operand) && operand->visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN) {
			insn->store_disp = (int32_t)operand->mem.disp.value;
			insn->store_size = operand->size / 8;
		}
	}
	insn->sets_flags = raw->cpu_flags && (raw->cpu_flags->modified | raw->cpu_flags->set_0 | raw->cpu_flags->set_1 |
					      raw->cpu_flags->undefined);
}

static void note_stack(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *operands)
{
	if (!(insn->written & (1u << REG_RSP)) || raw->meta.category == ZYDIS_CATEGORY_CALL)
		return;
	if (raw->mnemonic == ZYDIS_MNEMONIC_PUSH)
		insn->stack_change = -8;
	else if (raw->mnemonic == ZYDIS_MNEMONIC_POP)
		insn->stack_change = 8;
	else if (raw->mnemonic == ZYDIS_MNEMONIC_SUB && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		insn->stack_change = -operands[1].imm.value.s;
	else if (raw->mnemonic == ZYDIS_MNEMONIC_ADD && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		insn->stack_change = operands[1].imm.value.s;
	else if (raw->mnemonic != ZYDIS_MNEMONIC_RET)
		insn->breaks_stack = true;
}

static uint64_t absolute_address(const struct insn *insn, const ZydisDecodedOperand *operand)
{
	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.base != ZYDIS_REGISTER_RIP)
		return 0;
	return insn->address + insn->length + (uint64_t)operand->mem.disp.value;
}

static void classify_jump(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *operands)
{
	bool direct = operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

	if (direct)
		insn->target = insn->address + raw->length + (uint64_t)operands[0].imm.value.s;
	else
		insn->slot = absolute_address(insn, &operands[0]);
	switch (raw->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		insn->form = FORM_JCC;
		insn->is_equality = raw->mnemonic == ZYDIS_MNEMONIC_JZ || raw->mnemonic == ZYDIS_MNEMONIC_JNZ;
		insn->jumps_if_set = raw->mnemonic == ZYDIS_MNEMONIC_JNZ;
		break;
	case ZYDIS_CATEGORY_UNCOND_BR:
		insn->form = direct ? FORM_JMP : FORM_END;
		insn->leaves = !direct;
		if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
			insn->reg = register_number(operands[0].reg.value);
		break;
	default:
		insn->form = FORM_CALL;
		break;
	}
}

static void classify_mov(struct insn *insn, const ZydisDecodedOperand *to, const ZydisDecodedOperand *from)
{
	if (is_register64(to) && is_register64(from)) {
		insn->form = FORM_COPY;
		insn->reg = register_number(to->reg.value);
		insn->base = register_number(from->reg.value);
	} else if (is_register64(to) && is_stack_memory(from)) {
		insn->form = FORM_LOAD;
		insn->reg = register_number(to->reg.value);
		insn->disp = (int32_t)from->mem.disp.value;
	} else if (is_stack_memory(to) && is_register64(from)) {
		insn->form = FORM_STORE;
		insn->reg = register_number(from->reg.value);
		insn->disp = (int32_t)to->mem.disp.value;
	} else if (is_stack_memory(to) && to->size == 64 && is_zero(from)) {
		insn->form = FORM_STORE_ZERO;
		insn->disp = (int32_t)to->mem.disp.value;
	}
}

static void classify_test(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *a,
			  const ZydisDecodedOperand *b)
{
	bool is_cmp = raw->mnemonic == ZYDIS_MNEMONIC_CMP;

	if (is_register64(a) && ((is_cmp && is_zero(b)) ||
				 (!is_cmp && b->type == ZYDIS_OPERAND_TYPE_REGISTER && b->reg.value == a->reg.value))) {
		insn->form = FORM_TEST_SELF;
		insn->reg = register_number(a->reg.value);
	} else if (is_cmp && is_stack_memory(a) && a->size == 64 && is_zero(b)) {
		insn->form = FORM_TEST_SLOT;
		insn->disp = (int32_t)a->mem.disp.value;
	} else if (!is_cmp && a->type == ZYDIS_OPERAND_TYPE_MEMORY && a->size == 8 &&
		   a->mem.index == ZYDIS_REGISTER_NONE && b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		insn->form = FORM_TEST_MASK;
		insn->base = register_number(a->mem.base);
		insn->disp = (int32_t)a->mem.disp.value;
		insn->immediate = (int32_t)b->imm.value.s;
	}
}

static void classify(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *operands)
{
	insn->reg = insn->base = REGISTER_NONE;
	note_writes(insn, raw, operands);
	note_stack(insn, raw, operands);
	switch (raw->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_CALL:
		classify_jump(insn, raw, operands);
		return;
	case ZYDIS_CATEGORY_RET:
		insn->form = FORM_END;
		insn->leaves = true;
		return;
	default:
		break;
	}
	switch (raw->mnemonic) {
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_HLT:
		insn->form = FORM_END;
		break;
	case ZYDIS_MNEMONIC_MOV:
		classify_mov(insn, &operands[0], &operands[1]);
		break;
	case ZYDIS_MNEMONIC_TEST:
	case ZYDIS_MNEMONIC_CMP:
		classify_test(insn, raw, &operands[0], &operands[1]);
		break;
	case ZYDIS_MNEMONIC_LEA:
		if (operands[1].mem.index == ZYDIS_REGISTER_NONE) {
			insn->form = FORM_ADDRESS;
			insn->reg = register_number(operands[0].reg.value);
			insn->base = register_number(operands[1].mem.base);
			insn->disp = (int32_t)operands[1].mem.disp.value;
			insn->slot = absolute_address(insn, &operands[1]);
		}
		break;
	case ZYDIS_MNEMONIC_MOVSXD:
		if (operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[1].mem.scale == 4 &&
		    operands[1].mem.disp.value == 0) {
			insn->form = FORM_TABLE_LOAD;
			insn->reg = register_number(operands[0].reg.value);
			insn->base = register_number(operands[1].mem.base);
		}
		break;
	default:
		break;
	}
}

static int decode_range(const struct image *image, const struct code_range *range, struct flow *flow, size_t *room)
{
	ZydisDecoder decoder;
	size_t available, at = 0;
	const uint8_t *bytes = image_bytes(image, range->address, &available);

	if (!bytes || range->size > available ||
	    !ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return -EILSEQ;
	while (at < range->size) {
		ZydisDecodedInstruction raw;
		ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
		struct insn *insn;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes + at, range->size - at, &raw, operands)))
			return -EILSEQ;
		if (flow->count == *room) {
			size_t more = *room ? *room * 2 : 1024;
			struct insn *grown = realloc(flow->insns, more * sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			flow->insns = grown;
			*room = more;
		}
		insn = &flow->insns[flow->count++];
		memset(insn, 0, sizeof(*insn));
		insn->address = range->address + at;
		insn->length = raw.length;
		classify(insn, &raw, operands);
		at += raw.length;
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	uint64_t left = ((const struct insn *)a)->address, right = ((const struct insn *)b)->address;

	return left < right ? -1 : left > right;
}

/* Whether the function at `address` is a small one without a way back: a panic. */
static bool never_returns(const struct image *image, uint64_t address)
{
	struct code_range range = {address, image_function_size(image, address)};
	struct flow callee = {0};
	size_t room = 0;
	bool returns = false;

	if (!range.size || range.size > PANIC_SIZE || decode_range(image, &range, &callee, &room) < 0) {
		flow_free(&callee);
		return false;
	}
	for (size_t i = 0; i < callee.count && !returns; i++) {
		uint64_t target = callee.insns[i].form == FORM_CALL ? 0 : callee.insns[i].target;

		returns = callee.insns[i].leaves || (target && (target < address || target - address >= range.size));
	}
	flow_free(&callee);
	return !returns;
}

static void end_at_panics(const struct image *image, struct flow *flow)
{
	for (size_t i = 0; i < flow->count; i++) {
		struct insn *insn = &flow->insns[i];
		uint64_t callee = insn->target ? insn->target : image_pointer(image, insn->slot);

		if (insn->form == FORM_CALL && callee && never_returns(image, callee))
			insn->form = FORM_END;
	}
}

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

/*
 * Reads the tables of all jumps. Where a table's address was computed out of sight, every address that no other jump
 * has claimed and that goes into the right register may be it.
 */
static int read_switches(const struct image *image, struct flow *flow)
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

static int finish_decoding(const struct image *image, uint64_t entry, struct flow *flow)
{
	if (flow->count)
		qsort(flow->insns, flow->count, sizeof(*flow->insns), by_address);
	end_at_panics(image, flow);
	if (read_switches(image, flow) < 0)
		return -ENOMEM;
	flow->states = calloc(flow->count ? flow->count : 1, sizeof(*flow->states));
	if (!flow->states)
		return -ENOMEM;
	for (size_t i = 0; i < flow->count; i++)
		if (flow->insns[i].address == entry)
			flow->states[i] = (struct flow_state){
			    .reached = true,
			    .sound = true,
			    .registers = {[REG_RDI] = VALUE_ARG0, [REG_RSI] = VALUE_ARG1, [REG_RDX] = VALUE_ARG2}};
	return 0;
}

int flow_decode(const struct image *image, const struct code_range *ranges, size_t range_count, struct flow *flow,
		struct error *err)
{
	size_t room = 0;
	int code = 0;

	memset(flow, 0, sizeof(*flow));
	for (size_t i = 0; i < range_count && code == 0; i++)
		code = decode_range(image, &ranges[i], flow, &room);
	if (code == 0)
		code = finish_decoding(image, ranges[0].address, flow);
	if (code < 0) {
		flow_free(flow);
		return error_set(err, code, "cannot decode the function at address 0x%llx",
				 (unsigned long long)ranges[0].address);
	}
	return 0;
}

bool flow_successors(const struct flow *flow, size_t index, bool (*visit)(size_t next, void *context), void *context)
{
	const struct insn *insn = &flow->insns[index];

	if (insn->form == FORM_JCC || insn->form == FORM_JMP) {
		size_t target = flow_find(flow, insn->target);

		if (target != SIZE_MAX && !visit(target, context))
			return false;
	}
	for (size_t i = 0; insn->form == FORM_SWITCH && i < flow->edge_count; i++)
		if (flow->edges[i].from == index && !visit(flow->edges[i].to, context))
			return false;
	if (insn->form == FORM_JMP || insn->form == FORM_SWITCH || insn->form == FORM_END || index + 1 >= flow->count ||
	    flow->insns[index + 1].address != insn->address + insn->length)
		return true;
	return visit(index + 1, context);
}

void flow_free(struct flow *flow)
{
	free(flow->insns);
	free(flow->states);
	free(flow->edges);
	memset(flow, 0, sizeof(*flow));
}

size_t flow_find(const struct flow *flow, uint64_t address)
{
	struct insn key = {.address = address};
	struct insn *found = flow->count ? bsearch(&key, flow->insns, flow->count, sizeof(key), by_address) : NULL;

	return found ? (size_t)(found - flow->insns) : SIZE_MAX;
}

enum flow_value flow_slot(const struct flow_state *state, int64_t offset)
{
	for (unsigned int i = 0; i < state->slot_count; i++)
		if (state->slots[i].offset == offset)
			return state->slots[i].value;
	return VALUE_UNKNOWN;
}

static void drop_slot(struct flow_state *state, unsigned int index)
{
	memmove(&state->slots[index], &state->slots[index + 1],
		(size_t)(state->slot_count - index - 1) * sizeof(state->slots[0]));
	state->slot_count--;
}

static void forget_stored(struct flow_state *state, int64_t offset, int64_t size)
{
	for (unsigned int i = state->slot_count; i-- > 0;)
		if (state->slots[i].offset < offset + size && offset < state->slots[i].offset + 8)
			drop_slot(state, i);
}

/* What is called uses the stack below. */
static void forget_below(struct flow_state *state)
{
	for (unsigned int i = state->slot_count; i-- > 0;)
		if (state->slots[i].offset < state->stack)
			drop_slot(state, i);
}

static void step(struct flow_state *state, const struct insn *insn)
{
	uint8_t moved = VALUE_UNKNOWN;

	if (insn->form == FORM_COPY)
		moved = state->registers[insn->base];
	else if (insn->form == FORM_LOAD)
		moved = flow_slot(state, state->stack + insn->disp);
	else if (insn->form == FORM_STORE)
		moved = state->registers[insn->reg];
	if (insn->form == FORM_CALL)
		forget_below(state);
	if (insn->store_size)
		forget_stored(state, state->stack + insn->store_disp, insn->store_size);
	for (unsigned int i = 0; i < FLOW_REGISTERS; i++)
		if ((insn->written | (insn->form == FORM_CALL ? CALL_CLOBBERS : 0)) & (1u << i))
			state->registers[i] = VALUE_UNKNOWN;
	if (insn->form == FORM_COPY || insn->form == FORM_LOAD) {
		state->registers[insn->reg] = moved;
	} else if (insn->form == FORM_STORE && moved != VALUE_UNKNOWN && state->slot_count < FLOW_SLOTS) {
		state->slots[state->slot_count].offset = state->stack + insn->disp;
		state->slots[state->slot_count++].value = moved;
	}
	if (insn->stack_change < 0)
		forget_stored(state, state->stack + insn->stack_change, -insn->stack_change);
	state->stack += insn->stack_change;
	if (insn->breaks_stack)
		state->sound = false;
}

/* Keeps in *state only what `other` knows too. Returns whether anything changed. */
static bool meet(struct flow_state *state, const struct flow_state *other)
{
	bool changed = false;

	if (!state->reached) {
		*state = *other;
		return true;
	}
	if (state->sound && (!other->sound || state->stack != other->stack)) {
		memset(state, 0, sizeof(*state));
		state->reached = true;
		return true;
	}
	for (unsigned int i = 0; i < FLOW_REGISTERS; i++) {
		if (state->registers[i] != VALUE_UNKNOWN && state->registers[i] != other->registers[i]) {
			state->registers[i] = VALUE_UNKNOWN;
			changed = true;
		}
	}
	for (unsigned int i = state->slot_count; i-- > 0;) {
		if (flow_slot(other, state->slots[i].offset) != state->slots[i].value) {
			drop_slot(state, i);
			changed = true;
		}
	}
	return changed;
}

/* The instructions whose state changed and has not been carried on. */
struct worklist {
	struct flow *flow;
	struct flow_state state; /* behind the instruction at hand */
	size_t *queue;
	size_t length;
	bool *queued;
};

static bool carry_on(size_t next, void *context)
{
	struct worklist *work = context;

	if (meet(&work->flow->states[next], &work->state) && !work->queued[next]) {
		work->queued[next] = true;
		work->queue[work->length++] = next;
	}
	return true;
}

int flow_follow(struct flow *flow)
{
	struct worklist work = {.flow = flow,
				.queue = calloc(flow->count + 1, sizeof(*work.queue)),
				.queued = calloc(flow->count + 1, sizeof(*work.queued))};

	if (!work.queue || !work.queued) {
		free(work.queue);
		free(work.queued);
		return -ENOMEM;
	}
	for (size_t i = 0; i < flow->count; i++) {
		if (flow->states[i].reached) {
			work.queued[i] = true;
			work.queue[work.length++] = i;
		}
	}
	while (work.length) {
		size_t index = work.queue[--work.length];

		work.queued[index] = false;
		work.state = flow->states[index];
		step(&work.state, &flow->insns[index]);
		flow_successors(flow, index, carry_on, &work);
	}
	free(work.queue);
	free(work.queued);
	return 0;
}

bool kernel_emulates(const uint8_t *bytes, size_t available)
{
	static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
	uint8_t first = available > 0 ? bytes[0] : 0, second = available > 1 ? bytes[1] : 0;

	if ((first >= 0x70 && first <= 0x7f) || first == 0xeb || first == 0xe9 || first == 0xe8 || first == 0x90)
		return true;
	if (first == 0x0f && second >= 0x80 && second <= 0x8f)
		return true;
	if (available >= sizeof(nop5) && memcmp(bytes, nop5, sizeof(nop5)) == 0)
		return true;
	return (first >= 0x50 && first <= 0x57) || (first == 0x41 && second >= 0x50 && second <= 0x57);
}
