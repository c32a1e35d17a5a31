/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the fuzzer of unwind tables starts from: most instructions of call frame information. */
	.text
	.globl one, two, three
	.hidden one, two, three
one:
	.cfi_startproc
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	.cfi_remember_state
	leave
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	ret
	.cfi_restore_state
	.skip	300, 0x90
	.cfi_undefined %rip
	.skip	1000, 0x90
	.cfi_same_value %rbp
	nop
	.cfi_register %rbp, %rax
	nop
	.cfi_escape 0x0f, 0x03, 0x76, 0x78, 0x06
	.cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00
	nop
	.cfi_escape 0x0f, 0x0b, 0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22
	nop
	.cfi_escape 0x2e, 0x10, 0x2f, 0x06, 0x02, 0x05, 0x06, 0x02, 0x11, 0x06, 0x7e, 0x12, 0x07, 0x7f, 0x13, 0x7e
	nop
	.cfi_escape 0x14, 0x06, 0x02, 0x15, 0x06, 0x7e, 0x16, 0x06, 0x01, 0x50, 0x06, 0x06
	nop
	.cfi_endproc
two:
	.cfi_startproc
	.cfi_signal_frame
	nop
	.cfi_endproc
three:
	.cfi_startproc
	.cfi_personality 0x1b, one
	.cfi_lsda 0x1b, two
	nop
	.cfi_adjust_cfa_offset 32
	nop
	.cfi_endproc
	.section .note.GNU-stack, "", @progbits
