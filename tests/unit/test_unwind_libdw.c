/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Unwind tables of real objects, place by place against what elfutils' libdw makes of the same call frame information.
 */
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/table.h"
#include "unwind/unwind.h"

/* Registers and memory made up, to evaluate both sides with. */
enum { RSP = 0x7ff000001000, RBP = 0x7ff000202000, MAX_OPS = 32 };

static uint64_t memory(uint64_t address)
{
	return address * 0x9e3779b97f4a7c15;
}

static uint64_t register_value(uint64_t number, uint64_t rip)
{
	return number == 7 ? RSP : number == 6 ? RBP : number == 16 ? rip : memory(number);
}

/* What a frame of libdw, or a rule, says: the CFA, and where rbp is. */
struct frame {
	bool none, end, signal, other;
	uint64_t cfa, rbp_at; /* 0: in the register */
};

/* Evaluates libdw's operations. *in_memory: the result is an address where the value is. */
static bool evaluate(const Dwarf_Op *ops, size_t count, uint64_t rip, uint64_t cfa, uint64_t *result, bool *in_memory)
{
	uint64_t stack[MAX_OPS] = {0};
	size_t depth = 0;

	*in_memory = true;
	for (size_t i = 0; i < count && depth < MAX_OPS - 1; i++) {
		uint8_t op = ops[i].atom;

		if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
			stack[depth++] = register_value(op - DW_OP_breg0, rip) + ops[i].number;
		} else if (op >= DW_OP_lit0 && op <= DW_OP_lit31) {
			stack[depth++] = op - DW_OP_lit0;
		} else if (op == DW_OP_bregx) {
			stack[depth++] = register_value(ops[i].number, rip) + ops[i].number2;
		} else if (op == DW_OP_call_frame_cfa) {
			stack[depth++] = cfa;
		} else if (op == DW_OP_stack_value) {
			*in_memory = false;
		} else if (!depth) {
			return false;
		} else if (op == DW_OP_plus_uconst) {
			stack[depth - 1] += ops[i].number;
		} else if (op == DW_OP_deref) {
			stack[depth - 1] = memory(stack[depth - 1]);
		} else if (depth < 2) {
			return false;
		} else if (op == DW_OP_plus) {
			depth--;
			stack[depth - 1] += stack[depth];
		} else if (op == DW_OP_and) {
			depth--;
			stack[depth - 1] &= stack[depth];
		} else if (op == DW_OP_shl) {
			depth--;
			stack[depth - 1] <<= stack[depth];
		} else if (op == DW_OP_ge) {
			depth--;
			stack[depth - 1] = (int64_t)stack[depth - 1] >= (int64_t)stack[depth];
		} else {
			return false;
		}
	}
	*result = depth ? stack[depth - 1] : 0;
	return depth == 1;
}

/* Where the return address is, in terms of the CFA: at the CFA - 8 (1), nowhere (0), or elsewhere (-1). */
static int return_address(Dwarf_Frame *frame, uint64_t rip, uint64_t cfa)
{
	Dwarf_Op memory_ops[3], *ops;
	uint64_t at;
	size_t count;
	bool in_memory;

	if (dwarf_frame_register(frame, 16, memory_ops, &ops, &count) != 0)
		return -1;
	if (!count)
		return ops ? 0 : -1;
	return evaluate(ops, count, rip, cfa, &at, &in_memory) && in_memory && at == cfa - 8 ? 1 : -1;
}

static struct frame frame_of_libdw(Dwarf_Frame *found, uint64_t rip)
{
	Dwarf_Op memory_ops[3], *ops;
	struct frame frame = {0};
	bool in_memory;
	size_t count;
	int address;

	dwarf_frame_info(found, NULL, NULL, &frame.signal);
	if (frame.signal)
		return frame;
	frame.other =
	    dwarf_frame_cfa(found, &ops, &count) != 0 || !evaluate(ops, count, rip, 0, &frame.cfa, &in_memory);
	address = return_address(found, rip, frame.cfa);
	frame.end = address == 0;
	frame.other |= address < 0 || dwarf_frame_register(found, 6, memory_ops, &ops, &count) != 0;
	if (!frame.other && count)
		frame.other = !evaluate(ops, count, rip, frame.cfa, &frame.rbp_at, &in_memory) || !in_memory;
	return frame;
}

static struct frame frame_of_rule(uint64_t rule, uint64_t rip)
{
	uint64_t offset = (uint64_t)TABLE_RULE_CFA_OFFSET(rule), saved = (uint64_t)TABLE_RULE_RBP_OFFSET(rule);
	struct frame frame = {0};

	switch ((enum cfa_kind)TABLE_RULE_CFA(rule)) {
	case CFA_NOTHING:
		return (struct frame){.none = true};
	case CFA_END:
		return (struct frame){.end = true};
	case CFA_SIGNAL:
		return (struct frame){.signal = true};
	case CFA_OTHER:
		return (struct frame){.other = true};
	case CFA_RSP:
		frame.cfa = RSP + offset;
		break;
	case CFA_RBP:
		frame.cfa = RBP + offset;
		break;
	case CFA_AT_RBP:
		frame.cfa = memory(RBP + offset);
		break;
	case CFA_PLT:
		frame.cfa = RSP + offset + ((rip & 15) >= saved ? 8 : 0);
		break;
	}
	if (TABLE_RULE_RBP(rule) == RBP_AT_CFA)
		frame.rbp_at = frame.cfa + saved;
	else if (TABLE_RULE_RBP(rule) == RBP_AT_RBP)
		frame.rbp_at = RBP + saved;
	return frame;
}

static bool same_frame(const struct frame *ours, const struct frame *theirs)
{
	if (ours->signal || theirs->signal || ours->end || theirs->end)
		return ours->signal == theirs->signal && ours->end == theirs->end;
	return ours->cfa == theirs->cfa && ours->rbp_at == theirs->rbp_at;
}

struct object {
	Elf *elf;
	Dwarf_CFI *cfi;
	struct unwind_table table;
	GElf_Phdr segments[16];
	size_t segment_count;
	size_t checked, other;
};

static bool is_stub(const struct object *object, uint64_t address)
{
	Elf_Scn *section = NULL;
	size_t names;

	elf_getshdrstrndx(object->elf, &names);
	while ((section = elf_nextscn(object->elf, section))) {
		GElf_Shdr header;

		gelf_getshdr(section, &header);
		if (address - header.sh_addr < header.sh_size && header.sh_flags & SHF_EXECINSTR)
			return strncmp(elf_strptr(object->elf, names, header.sh_name), ".plt", 4) == 0;
	}
	return false;
}

static void check_place(struct object *object, uint64_t address, uint64_t offset, Dwarf_Frame *found)
{
	uint64_t rule = unwind_table_rule(&object->table, offset);
	struct frame ours = frame_of_rule(rule, address), theirs;

	object->checked++;
	/* What nothing describes, libdw does not know. */
	if (!found && !ours.none && !ours.end && !is_stub(object, address))
		fail_msg("0x%llx: rule 0x%llx, but nothing there", (unsigned long long)address,
			 (unsigned long long)rule);
	if (!found)
		return;
	theirs = frame_of_libdw(found, address);
	if (theirs.other || ours.other) {
		object->other++;
		return;
	}
	if (ours.none || !same_frame(&ours, &theirs))
		fail_msg("0x%llx: rule 0x%llx is CFA 0x%llx, rbp 0x%llx; libdw has 0x%llx, 0x%llx (end %d, signal %d)",
			 (unsigned long long)address, (unsigned long long)rule, (unsigned long long)ours.cfa,
			 (unsigned long long)ours.rbp_at, (unsigned long long)theirs.cfa,
			 (unsigned long long)theirs.rbp_at, theirs.end, theirs.signal);
}

static uint32_t half(const uint64_t *words, uint64_t at)
{
	return (uint32_t)(words[at / 2] >> (at & 1 ? 32 : 0));
}

/* The file offsets at which the table's rules change, by the layout in bpf/table.h; to be freed. */
static uint64_t *changes_of(const struct unwind_table *table)
{
	const uint64_t *words = table->words, *index = words + TABLE_HEADER_WORDS + words[TABLE_RULES];
	const uint64_t *rows = index + words[TABLE_PAGES] / 2 + 1;
	uint64_t *changes = malloc((words[TABLE_ROWS] + 1) * sizeof(*changes));

	assert_non_null(changes);
	for (uint64_t page = 0; page < words[TABLE_PAGES]; page++)
		for (uint32_t row = half(index, page); row < half(index, page + 1); row++)
			changes[row] = (words[TABLE_FIRST_PAGE] + page) * TABLE_PAGE + TABLE_ROW_PLACE(half(rows, row));
	changes[words[TABLE_ROWS]] = UINT64_MAX;
	return changes;
}

/*
 * Steps from one change to the next and looks at the first and the last byte of each step. Steps are libdw's frames,
 * within which the table must not change, and where libdw has none those of the table.
 */
static void check_segment(struct object *object, const GElf_Phdr *segment)
{
	uint64_t address = segment->p_vaddr, end = segment->p_vaddr + segment->p_filesz;
	uint64_t to_offset = segment->p_offset - segment->p_vaddr;
	uint64_t *changes = changes_of(&object->table), *change = changes;

	while (address < end) {
		Dwarf_Frame *frame = NULL;
		Dwarf_Addr next;

		while (*change <= address + to_offset)
			change++;
		if (dwarf_cfi_addrframe(object->cfi, address, &frame) != 0)
			next = *change - to_offset;
		else if (dwarf_frame_info(frame, NULL, &next, NULL) < 0 || next <= address)
			fail_msg("0x%llx: libdw's frame ends at 0x%llx", (unsigned long long)address,
				 (unsigned long long)next);
		if (next > end)
			next = end;
		if (*change < next + to_offset)
			fail_msg("0x%llx: the rule changes, but it is libdw's frame from 0x%llx still",
				 (unsigned long long)(*change - to_offset), (unsigned long long)address);
		check_place(object, address, address + to_offset, frame);
		check_place(object, next - 1, next - 1 + to_offset, frame);
		free(frame);
		address = next;
	}
	free(changes);
}

static void check_object(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct object object = {.elf = NULL};
	struct error err = {{0}};
	size_t count;

	elf_version(EV_CURRENT);
	object.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	assert_non_null(object.elf);
	object.cfi = dwarf_getcfi_elf(object.elf);
	assert_non_null(object.cfi);
	if (unwind_table_make(path, &object.table, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(object.table.left_out, 0);
	elf_getphdrnum(object.elf, &count);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(object.elf, (int)i, &header) && header.p_type == PT_LOAD && header.p_flags & PF_X)
			check_segment(&object, &header);
	}
	/* What is neither known here nor of a simple shape is rare. */
	assert_true(object.checked > 1000);
	assert_true(object.other < object.checked / 100);
	unwind_table_free(&object.table);
	dwarf_cfi_end(object.cfi);
	elf_end(object.elf);
	close(fd);
}

static void test_this_program(void **state)
{
	(void)state;
	check_object("/proc/self/exe");
}

/* The object that holds the function, with its path. */
static void test_libc(void **state)
{
	Dl_info info;

	(void)state;
	assert_true(dladdr((void *)(uintptr_t)qsort, &info));
	check_object(info.dli_fname);
}

/* Checks what fits the pattern below the folder where rustc's files are; false if there is nothing. */
static bool check_compiler(const char *pattern)
{
	FILE *rustc = popen("rustc --print sysroot 2>/dev/null", "r");
	char line[1024] = "", path[2048];
	glob_t found;
	bool any;

	if (rustc && !fgets(line, sizeof(line), rustc))
		line[0] = '\0';
	if (rustc)
		pclose(rustc);
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, sizeof(path), "%s/lib/%s", line, pattern);
	any = *line && glob(path, 0, NULL, &found) == 0;
	if (any)
		check_object(found.gl_pathv[0]);
	if (any)
		globfree(&found);
	return any;
}

static void test_compiler(void **state)
{
	bool has_compiler = check_compiler("librustc_driver-*.so");

	(void)state;
	if (!has_compiler)
		skip();
}

static void test_llvm(void **state)
{
	bool has_llvm = check_compiler("libLLVM.so.*");

	(void)state;
	if (!has_llvm)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_this_program),
	    cmocka_unit_test(test_libc),
	    cmocka_unit_test(test_compiler),
	    cmocka_unit_test(test_llvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
