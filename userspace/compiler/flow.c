/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/flow_private.h"

/* The System V ABI's registers that a call may change. */
#define CALL_CLOBBERS 0x0fc7

enum {
	PANIC_SIZE = 512, /* bytes: functions that only panic are smaller */
	FLAGS_NEAR = 6,	  /* how far apart a test and its jump may stand */
};

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
		insn_classify(insn, &raw, operands);
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

/* The same, remembered: the answer is asked for at each call. */
static bool is_panic(const struct image *image, uint64_t address)
{
	enum { UNKNOWN, RETURNS, PANICS };
	uint8_t *mark = image_mark(image, address);

	if (!mark)
		return false;
	if (*mark == UNKNOWN)
		*mark = never_returns(image, address) ? PANICS : RETURNS;
	return *mark == PANICS;
}

static void follow_calls(const struct image *image, struct flow *flow)
{
	for (size_t i = 0; i < flow->count; i++) {
		struct insn *insn = &flow->insns[i];
		const char *import;

		if (insn->form != FORM_CALL)
			continue;
		import = insn->slot ? image_import(image, insn->slot) : NULL;
		insn->callee = insn->target ? insn->target : image_pointer(image, insn->slot);
		insn->copies = import && (!strcmp(import, "memcpy") || !strcmp(import, "memmove"));
		if (insn->callee && is_panic(image, insn->callee))
			insn->form = FORM_END;
	}
}

/* Fragments of a function may stand in any order. */
static void sort_insns(struct flow *flow)
{
	size_t sorted = 1;

	while (sorted < flow->count && flow->insns[sorted - 1].address < flow->insns[sorted].address)
		sorted++;
	if (sorted < flow->count)
		qsort(flow->insns, flow->count, sizeof(*flow->insns), by_address);
}

static int finish_decoding(const struct image *image, uint64_t entry, struct flow *flow)
{
	sort_insns(flow);
	follow_calls(image, flow);
	if (flow_read_tables(image, flow) < 0)
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

bool flow_runs_on(const struct flow *flow, size_t index)
{
	const struct insn *insn = &flow->insns[index];

	return insn->form != FORM_JCC && insn->form != FORM_JMP && insn->form != FORM_SWITCH &&
	       insn->form != FORM_END && index + 1 < flow->count && insn[1].address == insn->address + insn->length;
}

size_t flow_next_in_line(const struct flow *flow, size_t index)
{
	const struct insn *insn = &flow->insns[index];

	if (insn->form == FORM_JMP)
		return flow_find(flow, insn->target);
	if (insn->form == FORM_END || insn->form == FORM_SWITCH || index + 1 >= flow->count ||
	    flow->insns[index + 1].address != insn->address + insn->length)
		return SIZE_MAX;
	return index + 1;
}

size_t flow_jump_of_test(const struct flow *flow, size_t index)
{
	for (int i = 0; i < FLAGS_NEAR; i++) {
		index = flow_next_in_line(flow, index);
		if (index == SIZE_MAX)
			return SIZE_MAX;
		if (flow->insns[index].form == FORM_JCC)
			return flow->insns[index].is_equality ? index : SIZE_MAX;
		if (flow->insns[index].sets_flags || flow->insns[index].form == FORM_CALL)
			return SIZE_MAX;
	}
	return SIZE_MAX;
}

void flow_forget_states(struct flow *flow)
{
	free(flow->states);
	flow->states = NULL;
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
