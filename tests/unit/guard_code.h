/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Functions with guards of the self-profiler, as tests write them, and the guards found in them. The functions that
 * guards call lie behind the one at hand; the labels are in the read-only data.
 */
#ifndef QUERYTAP_TESTS_GUARD_CODE_H
#define QUERYTAP_TESTS_GUARD_CODE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/guard.h"
#include "tests/unit/elf_bytes.h"

enum { AT_FUNCTION = ELF_CODE + 0x400 };

static struct guard_function functions[] = {
    {AT_FUNCTION + 0x800, CALLEE_ACTIVITY},
    {AT_FUNCTION + 0x810, CALLEE_ACTIVITY_ARGUMENT},
    {AT_FUNCTION + 0x820, CALLEE_ACTIVITY_RECORDER},
    {AT_FUNCTION + 0x830, CALLEE_ACTIVITY_VERBOSE},
    {AT_FUNCTION + 0x840, CALLEE_DROP},
    {AT_FUNCTION + 0x850, CALLEE_DROP_VERBOSE},
    {AT_FUNCTION + 0x860, CALLEE_BLOCKED},
    {AT_FUNCTION + 0x870, CALLEE_OTHER},
};
static const struct guard_callees callees = {functions, sizeof(functions) / sizeof(*functions),
					     sizeof(functions) / sizeof(*functions), 0x40};

CODE(panics, "sub $8, %rsp\nud2");
static const uint8_t labels[] = "type_checking no label";

static struct image *image;

/* The guard that was found last, whose live code is there until the next one is. */
static struct guard found_last;

static inline int close_image(void **state)
{
	(void)state;
	image_close(image);
	image = NULL;
	guard_free(&found_last);
	return 0;
}

static inline void follow(const uint8_t *code, const uint8_t *end, struct flow *flow, struct values *values)
{
	struct elf_piece pieces[] = {{"function", code, end, AT_FUNCTION},
				     {"panics", panics, panics_end, AT_FUNCTION + 0x900},
				     {NULL, labels, labels + sizeof(labels), ELF_DATA}};
	struct elf_pointer pointers[] = {{ELF_DATA + 0x100, AT_FUNCTION + 0x830},
					 {ELF_DATA + 0x108, AT_FUNCTION + 0x840}};
	struct elf_file file = {.pieces = pieces, .piece_count = 3, .pointers = pointers, .pointer_count = 2};
	struct code_range range = {AT_FUNCTION, (uint64_t)(end - code)};
	struct error err = {{0}};

	assert_true(range.size <= 0x800);
	image_close(image);
	if (image_open(elf_put_file(&file), &image, &err) < 0 || image_read_symbols(image, &err) < 0 ||
	    flow_decode(image, &range, 1, flow, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(values_follow(flow, AT_FUNCTION, values), 0);
}

/* Finds the guard whose timer is started by the function's call number `which` of such a kind. */
static inline void find_one(const uint8_t *code, const uint8_t *end, int which, int vtable, struct guard *out)
{
	struct flow flow;
	struct values values;
	struct guarded function = {NULL, &values, &callees, vtable};
	bool found = false;

	follow(code, end, &flow, &values);
	function.image = image;
	for (size_t i = 0; i < flow.count && !found; i++) {
		enum guard_callee callee = guard_callee_at(&callees, flow.insns[i].callee);

		if (callee == CALLEE_NONE || callee == CALLEE_DROP || callee == CALLEE_DROP_VERBOSE ||
		    callee == CALLEE_OTHER || which--)
			continue;
		found = true;
		guard_free(&found_last);
		guard_find(&function, i, out);
		found_last = *out;
	}
	values_free(&values);
	flow_free(&flow);
	assert_true(found);
}

static inline void find(const uint8_t *code, const uint8_t *end, struct guard *out)
{
	find_one(code, end, 0, -1, out);
}

#define AT(code, label) (AT_FUNCTION + (uint64_t)((label) - (code)))

/* ---- pieces of functions; the labels lie 0x2fec00 behind a function ---- */

#define START         \
	"push %rbx\n" \
	"sub $0x200, %rsp\n"
#define FINISH               \
	"add $0x200, %rsp\n" \
	"pop %rbx\n"         \
	"ret\n"
#define LABEL_TO(name, reg) "lea " #name " + 0x2fec00(%rip), %" #reg "\n"
#define PUT_LABEL(name)                                                \
	LABEL_TO(name, rax)                                            \
	"mov %rax, 0x50(%rsp)\n"                                       \
	"movq $13, 0x58(%rsp)\n"                                       \
	"testb $1, 0x500(%rdi)\n" #name "_entry: jne " #name "_cold\n" \
	"movq $0, 0x28(%rsp)\n" #name "_back: "
#define COLD(name, callee)              \
#name "_cold: lea 0x28(%rsp), " \
	      "%rdi\n"                  \
	      "lea 0x50(%rsp), %rdx\n"  \
	      "call " #name " + " #callee "\njmp " #name "_back\n"
#define DROP(name) "lea 0x28(%rsp), %rdi\n" #name "_exit: call " #name " + 0x840\n"

#define SITES(name)          \
	LABEL(name##_entry); \
	LABEL(name##_exit)

#endif
