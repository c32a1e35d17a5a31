/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which functions the code that fills vtables stores more than once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "compiler/shared.h"
#include "tests/unit/elf_bytes.h"

/* One stored once, one twice from two registers, one twice from a register that is kept, one that is overwritten. */
CODE(fill, "lea fill+0x100(%rip), %rax\n"
	   "mov %rax, 0x10(%r15)\n"
	   "lea fill+0x200(%rip), %rcx\n"
	   "mov %rcx, 0x20(%r15)\n"
	   "lea fill+0x200(%rip), %rdx\n"
	   "mov %rdx, 0x30(%rsp)\n"
	   "lea fill+0x300(%rip), %r12\n"
	   "mov %r12, 0x40(%r15)\n"
	   "mov $1, %eax\n"
	   "mov %rax, 0x50(%r15)\n"
	   "mov %r12, 0x60(%r15)\n"
	   "lea fill+0x400(%rip), %rbx\n"
	   "mov %rbx, 0x70(%r15)\n"
	   "xor %ebx, %ebx\n"
	   "mov %rbx, 0x80(%r15)\n"
	   "ret");

static void test_shared(void **state)
{
	struct elf_piece piece = {"fill", fill, fill_end, ELF_CODE};
	struct elf_file file = {.pieces = &piece, .piece_count = 1};
	struct code_range range = {ELF_CODE, (uint64_t)(fill_end - fill)};
	struct shared shared = {0};
	struct error err = {{0}};
	struct image *image;

	(void)state;
	if (image_open(elf_put_file(&file), &image, &err) < 0 || image_read_symbols(image, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(shared_find(image, &range, 1, &shared), 0);
	assert_int_equal(shared.count, 2);
	assert_false(shared_has(&shared, ELF_CODE + 0x100));
	assert_true(shared_has(&shared, ELF_CODE + 0x200));
	assert_true(shared_has(&shared, ELF_CODE + 0x300));
	assert_false(shared_has(&shared, ELF_CODE + 0x400));
	shared_free(&shared);
	image_close(image);
}

static void test_nothing_known(void **state)
{
	const struct shared shared = {0};

	(void)state;
	assert_false(shared_has(&shared, 0));
	assert_false(shared_has(&shared, ELF_CODE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_shared), cmocka_unit_test(test_nothing_known)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
