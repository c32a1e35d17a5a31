/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <string.h>

#include "compiler/flow_private.h"

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

/* Memory at a plain distance from a register other than rsp. */
static bool is_far_memory(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.base != ZYDIS_REGISTER_RSP &&
	       register_number(operand->mem.base) != REGISTER_NONE && operand->mem.index == ZYDIS_REGISTER_NONE &&
	       operand->mem.segment != ZYDIS_REGISTER_FS;
}

static bool is_register32(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->size == 32 &&
	       register_number(operand->reg.value) != REGISTER_NONE;
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
			if (operand->reg.value >= ZYDIS_REGISTER_XMM0 && operand->reg.value <= ZYDIS_REGISTER_XMM15)
				insn->written_wide |= (uint16_t)(1u << (operand->reg.value - ZYDIS_REGISTER_XMM0));
		} else if (is_far_memory(operand)) {
			insn->far_base = register_number(operand->mem.base);
			insn->far_disp = (int32_t)operand->mem.disp.value;
			insn->far_size = operand->size / 8;
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
	insn->aligns_stack = raw->mnemonic == ZYDIS_MNEMONIC_AND;
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
		if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
			insn->reg = register_number(operands[0].reg.value);
		if (is_far_memory(&operands[0])) {
			insn->base = register_number(operands[0].mem.base);
			insn->disp = (int32_t)operands[0].mem.disp.value;
		}
		break;
	}
}

static void classify_constant(struct insn *insn, const ZydisDecodedOperand *to, int32_t value)
{
	if (is_register32(to) || is_register64(to)) {
		insn->form = FORM_SET;
		insn->reg = register_number(to->reg.value);
	} else if (to->size == 64 && (is_stack_memory(to) || is_far_memory(to))) {
		insn->form = FORM_STORE_IMMEDIATE;
		insn->base = register_number(to->mem.base);
		insn->disp = (int32_t)to->mem.disp.value;
	} else {
		return;
	}
	insn->immediate = value;
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
	} else if (is_register64(to) && is_far_memory(from)) {
		insn->form = FORM_FAR_LOAD;
		insn->reg = register_number(to->reg.value);
		insn->base = register_number(from->mem.base);
		insn->disp = (int32_t)from->mem.disp.value;
	} else if (is_far_memory(to) && is_register64(from)) {
		insn->form = FORM_FAR_STORE;
		insn->reg = register_number(from->reg.value);
		insn->base = register_number(to->mem.base);
		insn->disp = (int32_t)to->mem.disp.value;
	} else if (is_register32(to) && is_register32(from)) {
		insn->form = FORM_COPY_LOW;
		insn->reg = register_number(to->reg.value);
		insn->base = register_number(from->reg.value);
	} else if (is_register32(to) && is_stack_memory(from)) {
		insn->form = FORM_LOAD_LOW;
		insn->reg = register_number(to->reg.value);
		insn->disp = (int32_t)from->mem.disp.value;
	} else if (is_stack_memory(to) && is_register32(from)) {
		insn->form = FORM_STORE_LOW;
		insn->reg = register_number(from->reg.value);
		insn->disp = (int32_t)to->mem.disp.value;
	} else if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && from->imm.value.s >= INT32_MIN &&
		   from->imm.value.s <= INT32_MAX) {
		classify_constant(insn, to, (int32_t)from->imm.value.s);
	}
}

/* Sixteen bytes between memory and an xmm register. */
static void classify_wide(struct insn *insn, const ZydisDecodedOperand *to, const ZydisDecodedOperand *from)
{
	bool loads = from->type == ZYDIS_OPERAND_TYPE_MEMORY;
	const ZydisDecodedOperand *memory = loads ? from : to, *reg = loads ? to : from;

	if ((!is_stack_memory(memory) && !is_far_memory(memory)) || memory->size != 128 ||
	    reg->type != ZYDIS_OPERAND_TYPE_REGISTER || reg->reg.value < ZYDIS_REGISTER_XMM0 ||
	    reg->reg.value > ZYDIS_REGISTER_XMM15)
		return;
	insn->form = loads ? FORM_WIDE_LOAD : FORM_WIDE_STORE;
	insn->reg = (uint8_t)(reg->reg.value - ZYDIS_REGISTER_XMM0);
	insn->base = register_number(memory->mem.base);
	insn->disp = (int32_t)memory->mem.disp.value;
}

static void classify_arithmetic(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *a,
				const ZydisDecodedOperand *b)
{
	bool is_register = a->type == ZYDIS_OPERAND_TYPE_REGISTER;

	if (raw->mnemonic == ZYDIS_MNEMONIC_XOR) {
		if (is_register && (is_register32(a) || is_register64(a)) && b->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    b->reg.value == a->reg.value) {
			insn->form = FORM_SET;
			insn->reg = register_number(a->reg.value);
		}
	} else if (is_register64(a) && b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && b->imm.value.s > INT32_MIN) {
		insn->form = FORM_ADD;
		insn->reg = register_number(a->reg.value);
		insn->immediate = (int32_t)(raw->mnemonic == ZYDIS_MNEMONIC_SUB ? -b->imm.value.s : b->imm.value.s);
	}
}

static void classify_bit_test(struct insn *insn, const ZydisDecodedOperand *a, const ZydisDecodedOperand *b)
{
	if (b->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return;
	insn->form = FORM_TEST_BITS;
	insn->base = a->type == ZYDIS_OPERAND_TYPE_REGISTER ? register_number(a->reg.value) : REGISTER_NONE;
	insn->immediate = (int32_t)(1u << (b->imm.value.u & 31));
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
	} else if (is_cmp && is_far_memory(a) && a->size == 64 && is_zero(b)) {
		insn->form = FORM_FAR_TEST_SLOT;
		insn->base = register_number(a->mem.base);
		insn->disp = (int32_t)a->mem.disp.value;
	} else if (!is_cmp && a->type == ZYDIS_OPERAND_TYPE_REGISTER && b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		insn->form = FORM_TEST_BITS;
		insn->base = register_number(a->reg.value);
		insn->immediate = (int32_t)b->imm.value.s;
	}
}

void insn_classify(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *operands)
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
	case ZYDIS_MNEMONIC_PUSH:
		if (is_register64(&operands[0])) {
			insn->form = FORM_PUSH;
			insn->reg = register_number(operands[0].reg.value);
		}
		break;
	case ZYDIS_MNEMONIC_BT:
		classify_bit_test(insn, &operands[0], &operands[1]);
		break;
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
		classify_arithmetic(insn, raw, &operands[0], &operands[1]);
		break;
	case ZYDIS_MNEMONIC_MOVUPS:
	case ZYDIS_MNEMONIC_MOVAPS:
	case ZYDIS_MNEMONIC_MOVUPD:
	case ZYDIS_MNEMONIC_MOVAPD:
	case ZYDIS_MNEMONIC_MOVDQU:
	case ZYDIS_MNEMONIC_MOVDQA:
		classify_wide(insn, &operands[0], &operands[1]);
		break;
	case ZYDIS_MNEMONIC_MOVSQ:
		if (raw->attributes & ZYDIS_ATTRIB_HAS_REP)
			insn->form = FORM_MOVE_STRING;
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
