/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Call frame information as .eh_frame has it: the Linux Standard Base's exception frames
 * (https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/ehframechpt.html) with the
 * instructions of section 6.4.2 of DWARF 5. Only what finds the CFA, rbp and the return address is followed.
 */
#ifndef QUERYTAP_UNWIND_CFI_H
#define QUERYTAP_UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes at an address of the object. Reading beyond the end gives 0 and sets `bad`. */
struct cfi_bytes {
	const uint8_t *at, *end;
	uint64_t address; /* of `at` */
	bool bad;
};

/* The bytes at `address`, up to the end of what is known of them; NULL in `at` if there are none. */
typedef struct cfi_bytes cfi_find(const void *object, uint64_t address);

/* An FDE: the code that it is about, and the instructions that hold there. */
struct cfi_function {
	uint64_t start, size; /* addresses */
	struct cfi_bytes initial, instructions;
	uint64_t code_factor;
	int64_t data_factor;
	uint8_t encoding; /* of addresses */
	bool augmented;	  /* the FDE has data that says how long it is */
	bool signal_frame;
	bool known; /* whether the return address is in the column where it should be */
};

enum cfi_entry {
	CFI_FUNCTION,
	CFI_COMMON, /* a CIE, which is read where functions refer to it */
	CFI_LAST,   /* the end of the section */
	CFI_BAD,
};

/* Takes one entry of .eh_frame off the front of `bytes`. Fills *function if that is what it is. */
enum cfi_entry cfi_read(struct cfi_bytes *bytes, cfi_find *find, const void *object, struct cfi_function *function);

/* Reads a pointer as `encoding` (DW_EH_PE_*) says; `data` is what DW_EH_PE_datarel is relative to. */
uint64_t cfi_pointer(struct cfi_bytes *bytes, uint8_t encoding, uint64_t data);

/* Called for each change: from `address` on the rule (bpf/table.h) is this. */
typedef void cfi_row(void *context, uint64_t address, uint64_t rule);

/* Runs a function's instructions. Returns whether they are well-formed; rows may have been given out if not. */
bool cfi_run(const struct cfi_function *function, cfi_row *row, void *context);

#endif
