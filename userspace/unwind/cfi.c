/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "unwind/cfi.h"

#include <dwarf.h>
#include <string.h>

#include "bpf/table.h"

enum { RBP = 6, RSP = 7, RIP = 16, MAX_REMEMBERED = 32 };

/* ---- bytes ---- */

static uint64_t take(struct cfi_bytes *bytes, size_t size)
{
	uint64_t value = 0;

	if (bytes->bad || (size_t)(bytes->end - bytes->at) < size) {
		bytes->bad = true;
		return 0;
	}
	memcpy(&value, bytes->at, size);
	bytes->at += size;
	bytes->address += size;
	return value;
}

/* A LEB128 number, of which bits beyond 64 are dropped; if it `is_signed`, with its sign extended. */
static uint64_t take_leb(struct cfi_bytes *bytes, bool is_signed)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)take(bytes, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= ~0ULL << shift;
	return value;
}

static uint64_t take_uleb(struct cfi_bytes *bytes)
{
	return take_leb(bytes, false);
}

static int64_t take_sleb(struct cfi_bytes *bytes)
{
	return (int64_t)take_leb(bytes, true);
}

/* Takes a block of bytes off the front. */
static struct cfi_bytes take_block(struct cfi_bytes *bytes, uint64_t size)
{
	struct cfi_bytes block = *bytes;

	if (bytes->bad || size > (uint64_t)(bytes->end - bytes->at)) {
		bytes->bad = block.bad = true;
		return block;
	}
	block.end = block.at + size;
	bytes->at += size;
	bytes->address += size;
	return block;
}

uint64_t cfi_pointer(struct cfi_bytes *bytes, uint8_t encoding, uint64_t data)
{
	uint64_t base = 0, value;

	if (encoding == DW_EH_PE_omit)
		return 0;
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr:
		break;
	case DW_EH_PE_pcrel:
		base = bytes->address;
		break;
	case DW_EH_PE_datarel:
		base = data;
		break;
	default:
		bytes->bad = true;
	}
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		value = take(bytes, 8);
		break;
	case DW_EH_PE_udata4:
		value = take(bytes, 4);
		break;
	case DW_EH_PE_sdata4:
		value = (uint64_t)(int64_t)(int32_t)take(bytes, 4);
		break;
	case DW_EH_PE_udata2:
		value = take(bytes, 2);
		break;
	case DW_EH_PE_sdata2:
		value = (uint64_t)(int64_t)(int16_t)take(bytes, 2);
		break;
	case DW_EH_PE_uleb128:
		value = take_uleb(bytes);
		break;
	case DW_EH_PE_sleb128:
		value = (uint64_t)take_sleb(bytes);
		break;
	default:
		bytes->bad = true;
		value = 0;
	}
	return base + value;
}

/* ---- entries ---- */

/* Takes the block of an entry off the front; empty at the end of the section. */
static struct cfi_bytes take_entry(struct cfi_bytes *bytes)
{
	uint64_t size = take(bytes, 4);

	if (size == 0xffffffff)
		size = take(bytes, 8);
	return take_block(bytes, size);
}

/* Reads the augmentation of a CIE, as far as functions depend on it. */
static void read_augmentation(struct cfi_bytes *common, const char *letters, struct cfi_function *function)
{
	struct cfi_bytes data = take_block(common, take_uleb(common));

	for (; *letters; letters++) {
		if (*letters == 'R')
			function->encoding = (uint8_t)take(&data, 1);
		else if (*letters == 'S')
			function->signal_frame = true;
		else if (*letters == 'L')
			take(&data, 1);
		else if (*letters == 'P')
			cfi_pointer(&data, (uint8_t)take(&data, 1), 0);
		else if (*letters != 'B')
			data.bad = true;
	}
	common->bad |= data.bad;
}

/* Reads the CIE at the front of `bytes` into the function that refers to it. */
static bool read_common(struct cfi_bytes bytes, struct cfi_function *function)
{
	struct cfi_bytes common = take_entry(&bytes);
	const char *letters;
	unsigned int version;
	size_t length;

	if (bytes.bad || take(&common, 4) != 0)
		return false;
	version = (unsigned int)take(&common, 1);
	if (version != 1 && version != 3)
		return false;
	letters = (const char *)common.at;
	length = strnlen(letters, (size_t)(common.end - common.at));
	take_block(&common, length + 1);
	if (common.bad || (*letters && *letters != 'z'))
		return false;
	function->code_factor = take_uleb(&common);
	function->data_factor = take_sleb(&common);
	function->known = (version == 1 ? take(&common, 1) : take_uleb(&common)) == RIP;
	function->encoding = DW_EH_PE_absptr;
	function->augmented = *letters == 'z';
	if (function->augmented)
		read_augmentation(&common, letters + 1, function);
	function->initial = common;
	return !common.bad;
}

enum cfi_entry cfi_read(struct cfi_bytes *bytes, cfi_find *find, const void *object, struct cfi_function *function)
{
	struct cfi_bytes entry = take_entry(bytes);
	uint64_t address = entry.address, back;
	struct cfi_bytes common;

	if (bytes->bad)
		return CFI_BAD;
	if (entry.at == entry.end)
		return CFI_LAST;
	back = take(&entry, 4);
	if (entry.bad)
		return CFI_BAD;
	if (!back)
		return CFI_COMMON;
	memset(function, 0, sizeof(*function));
	common = find(object, address - back);
	if (!common.at || !read_common(common, function))
		return CFI_BAD;
	function->start = cfi_pointer(&entry, function->encoding, 0);
	function->size = cfi_pointer(&entry, function->encoding & 0x0f, 0);
	if (function->augmented)
		take_block(&entry, take_uleb(&entry));
	function->instructions = entry;
	return entry.bad ? CFI_BAD : CFI_FUNCTION;
}

/* ---- instructions ---- */

/* What holds at a place: of the CFA its register or expression, and where rbp and the return address are. */
struct state {
	uint64_t cfa_register;
	int64_t cfa_offset;
	enum cfa_kind cfa_expression; /* what it is, if not CFA_NOTHING */
	int64_t plt_from;
	enum rbp_kind rbp;
	int64_t rbp_offset;
	bool rbp_known;
	enum { RIP_AT_CFA, RIP_NONE, RIP_OTHER } rip;
};

struct machine {
	const struct cfi_function *function;
	struct state now, initial, remembered[MAX_REMEMBERED];
	size_t depth;
	uint64_t address;
	cfi_row *row;
	void *context;
};

static bool fits(int64_t value, int bits)
{
	return value >= -(1LL << (bits - 1)) && value < 1LL << (bits - 1);
}

static uint64_t rule_of(const struct machine *machine)
{
	const struct state *now = &machine->now;
	enum cfa_kind kind = now->cfa_expression;
	int64_t rbp_offset = now->rbp_offset;

	if (machine->function->signal_frame)
		return TABLE_RULE(CFA_SIGNAL, 0, RBP_SAME, 0);
	if (now->rip == RIP_NONE)
		return TABLE_RULE(CFA_END, 0, RBP_SAME, 0);
	if (!kind && now->cfa_register == RSP)
		kind = CFA_RSP;
	else if (!kind && now->cfa_register == RBP)
		kind = CFA_RBP;
	if (kind == CFA_PLT && now->rbp == RBP_SAME)
		rbp_offset = now->plt_from;
	if (!kind || kind == CFA_OTHER || (kind == CFA_PLT && now->rbp != RBP_SAME) || now->rip != RIP_AT_CFA ||
	    !now->rbp_known || !machine->function->known || !fits(now->cfa_offset, 32) || !fits(rbp_offset, 16))
		return TABLE_RULE(CFA_OTHER, 0, RBP_SAME, 0);
	return TABLE_RULE(kind, now->cfa_offset, now->rbp, rbp_offset);
}

/* The CFA as linkers describe it for the PLT (rsp + 8 + (((rip & 15) >= N) << 3)), and as gcc does for stacks that it
 * aligns (the word at rbp + N). */
static void set_cfa_expression(struct state *now, struct cfi_bytes code)
{
	uint8_t op = (uint8_t)take(&code, 1);
	int64_t offset = take_sleb(&code);

	now->cfa_expression = CFA_OTHER;
	now->cfa_offset = offset;
	if (op == DW_OP_breg7 && code.end - code.at == 9) {
		uint8_t from = code.at[4];
		const uint8_t plt[] = {DW_OP_breg16, 0,		 DW_OP_lit15, DW_OP_and, from,
				       DW_OP_ge,     DW_OP_lit3, DW_OP_shl,   DW_OP_plus};

		if (memcmp(code.at, plt, sizeof(plt)) == 0 && from >= DW_OP_lit0 && from <= DW_OP_lit15) {
			now->cfa_expression = CFA_PLT;
			now->plt_from = from - DW_OP_lit0;
		}
	} else if (op == DW_OP_breg6 && code.end - code.at == 1 && *code.at == DW_OP_deref) {
		now->cfa_expression = CFA_AT_RBP;
	}
}

/* A register is saved at the CFA plus an offset. */
static void save(struct state *now, uint64_t number, int64_t offset)
{
	if (number == RBP) {
		now->rbp = RBP_AT_CFA;
		now->rbp_offset = offset;
		now->rbp_known = true;
	} else if (number == RIP) {
		now->rip = offset == -8 ? RIP_AT_CFA : RIP_OTHER;
	}
}

/* A register is saved where an expression says; gcc has rbp itself at rbp + N where it aligns the stack. */
static void save_by_expression(struct state *now, uint64_t number, struct cfi_bytes code)
{
	uint8_t op = (uint8_t)take(&code, 1);
	int64_t offset = take_sleb(&code);

	if (number == RBP) {
		now->rbp = RBP_AT_RBP;
		now->rbp_offset = offset;
		now->rbp_known = op == DW_OP_breg6 && code.at == code.end && !code.bad;
	} else if (number == RIP) {
		now->rip = RIP_OTHER;
	}
}

static void restore(struct machine *machine, uint64_t number)
{
	if (number == RBP) {
		machine->now.rbp = machine->initial.rbp;
		machine->now.rbp_offset = machine->initial.rbp_offset;
		machine->now.rbp_known = machine->initial.rbp_known;
	} else if (number == RIP) {
		machine->now.rip = machine->initial.rip;
	}
}

/* The register has its value still, or none that is known of. */
static void leave(struct state *now, uint64_t number, bool same)
{
	if (number == RBP) {
		now->rbp = RBP_SAME;
		now->rbp_offset = 0;
		now->rbp_known = true;
	} else if (number == RIP) {
		now->rip = same ? RIP_OTHER : RIP_NONE;
	}
}

static void set_cfa(struct state *now, uint64_t number, int64_t offset)
{
	now->cfa_expression = CFA_NOTHING;
	now->cfa_register = number;
	now->cfa_offset = offset;
}

/* Takes and does what changes the CFA. Returns whether the instruction was one of these. */
static bool run_cfa(struct machine *machine, uint8_t op, struct cfi_bytes *code)
{
	int64_t factor = machine->function->data_factor;
	struct state *now = &machine->now;
	uint64_t number;

	switch (op) {
	case DW_CFA_def_cfa:
		number = take_uleb(code);
		set_cfa(now, number, (int64_t)take_uleb(code));
		return true;
	case DW_CFA_def_cfa_sf:
		number = take_uleb(code);
		set_cfa(now, number, (int64_t)((uint64_t)take_sleb(code) * (uint64_t)factor));
		return true;
	case DW_CFA_def_cfa_register:
		set_cfa(now, take_uleb(code), now->cfa_offset);
		return true;
	case DW_CFA_def_cfa_offset:
		set_cfa(now, now->cfa_register, (int64_t)take_uleb(code));
		return true;
	case DW_CFA_def_cfa_offset_sf:
		set_cfa(now, now->cfa_register, (int64_t)((uint64_t)take_sleb(code) * (uint64_t)factor));
		return true;
	case DW_CFA_def_cfa_expression:
		set_cfa_expression(now, take_block(code, take_uleb(code)));
		return true;
	default:
		return false;
	}
}

/* The same for what changes where a register is. */
static bool run_register(struct machine *machine, uint8_t op, struct cfi_bytes *code)
{
	uint64_t factor = (uint64_t)machine->function->data_factor, number;
	struct state *now = &machine->now;

	switch (op) {
	case DW_CFA_offset_extended:
		number = take_uleb(code);
		save(now, number, (int64_t)(take_uleb(code) * factor));
		return true;
	case DW_CFA_offset_extended_sf:
		number = take_uleb(code);
		save(now, number, (int64_t)((uint64_t)take_sleb(code) * factor));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		number = take_uleb(code);
		save(now, number, (int64_t)(0 - take_uleb(code) * factor));
		return true;
	case DW_CFA_restore_extended:
		restore(machine, take_uleb(code));
		return true;
	case DW_CFA_undefined:
		leave(now, take_uleb(code), false);
		return true;
	case DW_CFA_same_value:
		leave(now, take_uleb(code), true);
		return true;
	case DW_CFA_expression:
		number = take_uleb(code);
		save_by_expression(now, number, take_block(code, take_uleb(code)));
		return true;
	case DW_CFA_register:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
	case DW_CFA_val_expression:
		number = take_uleb(code);
		if (op == DW_CFA_val_expression)
			take_block(code, take_uleb(code));
		else
			take_uleb(code);
		if (number == RBP)
			now->rbp_known = false;
		else if (number == RIP)
			now->rip = RIP_OTHER;
		return true;
	default:
		return false;
	}
}

/* What holds up to `address` is known now. */
static void advance(struct machine *machine, uint64_t address)
{
	if (address != machine->address)
		machine->row(machine->context, machine->address, rule_of(machine));
	machine->address = address;
}

static bool run_other(struct machine *machine, uint8_t op, struct cfi_bytes *code)
{
	uint64_t factor = machine->function->code_factor;

	switch (op) {
	case DW_CFA_nop:
		return true;
	case DW_CFA_set_loc:
		advance(machine, cfi_pointer(code, machine->function->encoding, 0));
		return true;
	case DW_CFA_advance_loc1:
		advance(machine, machine->address + take(code, 1) * factor);
		return true;
	case DW_CFA_advance_loc2:
		advance(machine, machine->address + take(code, 2) * factor);
		return true;
	case DW_CFA_advance_loc4:
		advance(machine, machine->address + take(code, 4) * factor);
		return true;
	case DW_CFA_remember_state:
		if (machine->depth == MAX_REMEMBERED)
			return false;
		machine->remembered[machine->depth++] = machine->now;
		return true;
	case DW_CFA_restore_state:
		if (!machine->depth)
			return false;
		machine->now = machine->remembered[--machine->depth];
		return true;
	case DW_CFA_GNU_args_size:
		take_uleb(code);
		return true;
	default:
		return false;
	}
}

static bool run(struct machine *machine, struct cfi_bytes code)
{
	const struct cfi_function *function = machine->function;

	while (code.at < code.end && !code.bad) {
		uint8_t op = (uint8_t)take(&code, 1), low = op & 0x3f;

		if ((op & 0xc0) == DW_CFA_advance_loc)
			advance(machine, machine->address + low * function->code_factor);
		else if ((op & 0xc0) == DW_CFA_offset)
			save(&machine->now, low, (int64_t)(take_uleb(&code) * (uint64_t)function->data_factor));
		else if ((op & 0xc0) == DW_CFA_restore)
			restore(machine, low);
		else if (!run_cfa(machine, op, &code) && !run_register(machine, op, &code) &&
			 !run_other(machine, op, &code))
			return false;
	}
	return !code.bad;
}

bool cfi_run(const struct cfi_function *function, cfi_row *row, void *context)
{
	struct machine machine = {
	    .function = function,
	    .now = {.cfa_register = UINT64_MAX, .rbp_known = true, .rip = RIP_OTHER},
	    .address = function->start,
	    .row = row,
	    .context = context,
	};

	if (!run(&machine, function->initial))
		return false;
	machine.initial = machine.now;
	if (!run(&machine, function->instructions))
		return false;
	advance(&machine, function->start + function->size);
	return true;
}
