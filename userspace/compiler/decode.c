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
