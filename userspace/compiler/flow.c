/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/flow_private.h"

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

int flow_decode(const struct image *image, const struct code_range *ranges, size_t range_count, struct flow *flow,
		struct error *err)
{
	size_t room = 0;
	int code = 0;

	memset(flow, 0, sizeof(*flow));
	for (size_t i = 0; i < range_count && code == 0; i++)
		code = decode_range(image, &ranges[i], flow, &room);
	if (code == 0) {
		sort_insns(flow);
		follow_calls(image, flow);
		code = flow_read_tables(image, flow);
	}
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

void flow_free(struct flow *flow)
{
	free(flow->insns);
	free(flow->edges);
	memset(flow, 0, sizeof(*flow));
}

size_t flow_find(const struct flow *flow, uint64_t address)
{
	struct insn key = {.address = address};
	struct insn *found = flow->count ? bsearch(&key, flow->insns, flow->count, sizeof(key), by_address) : NULL;

	return found ? (size_t)(found - flow->insns) : SIZE_MAX;
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
