/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/pass_name.h"

#include <Zydis/Zydis.h>
#include <ctype.h>
#include <string.h>

/* A pass that is nowhere: an address that is in no image. */
#define NOWHERE 0x4000000000000000ULL

enum { STEPS = 32, REGISTERS = 16, RAX = 0, RDX = 2, RDI = 7 };

struct machine {
	const struct image *image;
	uint64_t registers[REGISTERS];
	bool known[REGISTERS];
	uint64_t ip;
	uint8_t byte;
	bool zero, flags_known;
	struct pass_name *out;
};

static int number_of(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	return whole >= ZYDIS_REGISTER_RAX && whole <= ZYDIS_REGISTER_R15 ? (int)(whole - ZYDIS_REGISTER_RAX) : -1;
}

static uint64_t cut(uint64_t value, unsigned int bits)
{
	return bits >= 64 ? value : value & ((1ULL << bits) - 1);
}

static bool get_register(const struct machine *machine, ZydisRegister reg, uint64_t *value)
{
	int number = number_of(reg);

	if (number < 0 || !machine->known[number])
		return false;
	*value = machine->registers[number];
	return true;
}

static bool address_of(struct machine *machine, const ZydisDecodedOperand *operand, uint64_t next, uint64_t *address)
{
	uint64_t part;

	*address = (uint64_t)operand->mem.disp.value;
	if (operand->mem.base == ZYDIS_REGISTER_RIP) {
		*address += next;
	} else if (operand->mem.base != ZYDIS_REGISTER_NONE) {
		if (!get_register(machine, operand->mem.base, &part))
			return false;
		*address += part;
	}
	if (operand->mem.index == ZYDIS_REGISTER_NONE)
		return true;
	if (!get_register(machine, operand->mem.index, &part))
		return false;
	*address += part * operand->mem.scale;
	return true;
}

/* Notes the table that a load with two registers is from: the one that holds an address in the image. */
static void note_table(struct machine *machine, const ZydisDecodedOperand *operand)
{
	struct pass_name *out = machine->out;
	ZydisRegister parts[] = {operand->mem.base, operand->mem.index};
	size_t available;

	for (int i = 0; i < 2 && operand->mem.index != ZYDIS_REGISTER_NONE; i++) {
		uint64_t value;

		if (get_register(machine, parts[i], &value) && value >= 4096 &&
		    image_bytes(machine->image, value, &available) && out->table_count < PASS_TABLES)
			out->tables[out->table_count++] = value;
	}
}

static bool load(struct machine *machine, uint64_t address, unsigned int bits, uint64_t *value)
{
	struct pass_name *out = machine->out;
	size_t available;
	const uint8_t *bytes;

	if (address >= NOWHERE && address - NOWHERE < 4096) {
		if (bits != 8 || (out->selects && out->selector != address - NOWHERE))
			return false;
		out->selects = true;
		out->selector = (uint32_t)(address - NOWHERE);
		*value = machine->byte;
		return true;
	}
	*value = bits == 64 ? image_pointer(machine->image, address) : 0;
	if (*value)
		return true;
	bytes = image_bytes(machine->image, address, &available);
	if (!bytes || available < bits / 8 || bits > 64)
		return false;
	memcpy(value, bytes, bits / 8);
	return true;
}

static bool read_operand(struct machine *machine, const ZydisDecodedOperand *operand, uint64_t next, uint64_t *value)
{
	uint64_t address;

	switch (operand->type) {
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*value = operand->imm.value.u;
		return true;
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (!get_register(machine, operand->reg.value, value))
			return false;
		*value = cut(*value, operand->size);
		return true;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		if (!address_of(machine, operand, next, &address))
			return false;
		note_table(machine, operand);
		return load(machine, address, operand->size, value);
	default:
		return false;
	}
}

/* Writes of 32 bits clear the upper half. */
static bool write_register(struct machine *machine, const ZydisDecodedOperand *operand, uint64_t value)
{
	int number = operand->type == ZYDIS_OPERAND_TYPE_REGISTER ? number_of(operand->reg.value) : -1;

	if (number < 0 || operand->size < 32)
		return false;
	machine->registers[number] = cut(value, operand->size);
	machine->known[number] = true;
	return true;
}

static bool set_flags(struct machine *machine, uint64_t result, unsigned int bits)
{
	machine->zero = cut(result, bits) == 0;
	machine->flags_known = true;
	return true;
}

/* The instructions that have two operands and change the first. */
static bool compute(struct machine *machine, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *operands,
		    uint64_t next)
{
	uint64_t a = 0, b;

	if (!read_operand(machine, &operands[1], next, &b))
		return false;
	switch (raw->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVZX:
		return write_register(machine, &operands[0], b);
	case ZYDIS_MNEMONIC_CMOVZ:
	case ZYDIS_MNEMONIC_CMOVNZ:
		if (!machine->flags_known || !read_operand(machine, &operands[0], next, &a))
			return false;
		return write_register(machine, &operands[0],
				      machine->zero == (raw->mnemonic == ZYDIS_MNEMONIC_CMOVZ) ? b : a);
	default:
		break;
	}
	if (raw->mnemonic == ZYDIS_MNEMONIC_XOR && operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER && operands[0].reg.value == operands[1].reg.value)
		return set_flags(machine, 0, 64) && write_register(machine, &operands[0], 0);
	if (!read_operand(machine, &operands[0], next, &a))
		return false;
	switch (raw->mnemonic) {
	case ZYDIS_MNEMONIC_TEST:
		return set_flags(machine, a & b, operands[0].size);
	case ZYDIS_MNEMONIC_CMP:
		return set_flags(machine, a - b, operands[0].size);
	case ZYDIS_MNEMONIC_SHL:
		a <<= b & 63;
		break;
	case ZYDIS_MNEMONIC_XOR:
		a ^= b;
		break;
	case ZYDIS_MNEMONIC_ADD:
		a += b;
		break;
	default:
		return false;
	}
	return set_flags(machine, a, operands[0].size) && write_register(machine, &operands[0], a);
}

/* Runs one instruction. *ends is set where the function returns. */
static bool step(struct machine *machine, const ZydisDecoder *decoder, bool *ends)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction raw;
	size_t available;
	const uint8_t *bytes = image_bytes(machine->image, machine->ip, &available);
	uint64_t address;

	if (!bytes || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, bytes, available, &raw, operands)))
		return false;
	machine->ip += raw.length;
	switch (raw.mnemonic) {
	case ZYDIS_MNEMONIC_RET:
		*ends = true;
		return true;
	case ZYDIS_MNEMONIC_JMP:
		if (operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return false;
		machine->ip += (uint64_t)operands[0].imm.value.s;
		return true;
	case ZYDIS_MNEMONIC_LEA:
		return address_of(machine, &operands[1], machine->ip, &address) &&
		       write_register(machine, &operands[0], address);
	default:
		return raw.operand_count_visible == 2 && compute(machine, &raw, operands, machine->ip);
	}
}

static bool copy_name(const struct machine *machine)
{
	uint64_t length = machine->registers[RDX];
	size_t available;
	const uint8_t *text = image_bytes(machine->image, machine->registers[RAX], &available);

	if (!machine->known[RAX] || !machine->known[RDX] || !text || !length || length >= PASS_NAME ||
	    length > available)
		return false;
	for (uint64_t i = 0; i < length; i++)
		if (!isalnum(text[i]) && text[i] != '-' && text[i] != '_')
			return false;
	memcpy(machine->out->text, text, length);
	machine->out->text[length] = '\0';
	return true;
}

bool pass_name_run(const struct image *image, uint64_t address, uint8_t byte, uint64_t self, struct pass_name *out)
{
	struct machine machine = {.image = image, .ip = address, .byte = byte, .out = out};
	ZydisDecoder decoder;
	bool ends = false;

	memset(out, 0, sizeof(*out));
	if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return false;
	machine.registers[RDI] = self ? self : NOWHERE;
	machine.known[RDI] = true;
	for (int i = 0; i < STEPS && !ends; i++)
		if (!step(&machine, &decoder, &ends))
			return false;
	return ends && copy_name(&machine);
}
