/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Unwind tables as the BPF programs search them: for each place in an object's code, where the caller's frame is.
 *
 * A table is an array of 64-bit words, the same on disk and in a BPF map:
 *
 *	header	TABLE_HEADER_WORDS words, see enum table_word
 *	rules	one word each, see TABLE_RULE; no two are the same
 *	index	32 bits for each page of code and one more: the number of the first row in the page or behind it
 *	rows	32 bits each by rising place: the place within its page, TABLE_ROW_PLACE, and the rule from there on
 *
 * Index and rows each begin at a word. Places are file offsets, counted from the first page.
 */
#ifndef QUERYTAP_BPF_TABLE_H
#define QUERYTAP_BPF_TABLE_H

enum table_word {
	TABLE_FIRST_PAGE, /* file offset of the first page, in pages */
	TABLE_PAGES,
	TABLE_RULES,
	TABLE_ROWS,
	TABLE_HEADER_WORDS,
};

#define TABLE_PAGE_BITS 10
#define TABLE_PAGE (1u << TABLE_PAGE_BITS)

/* A row. */
#define TABLE_ROW(place, rule) ((unsigned int)(place) << 16 | (rule))
#define TABLE_ROW_PLACE(row) ((row) >> 16)
#define TABLE_ROW_RULE(row) ((row)&0xffff)
#define TABLE_MAX_RULES 0x10000

/* How the canonical frame address is found: rsp as it was before the return address was pushed. */
enum cfa_kind {
	CFA_NOTHING, /* nothing is known of this place */
	CFA_END,     /* there is no caller: the start of a thread */
	CFA_RSP,     /* rsp + offset */
	CFA_RBP,     /* rbp + offset */
	CFA_AT_RBP,  /* the word at rbp + offset */
	CFA_PLT,     /* rsp + offset, and 8 more if the low four bits of rip are at least the other offset */
	CFA_SIGNAL,  /* the kernel's signal frame at rsp: all registers are in its ucontext */
	CFA_OTHER,   /* a way that is not known here */
};

/* Where the caller's rbp is. */
enum rbp_kind {
	RBP_SAME,   /* in rbp */
	RBP_AT_CFA, /* in memory at the CFA + offset */
	RBP_AT_RBP, /* in memory at rbp + offset */
};

/* The return address is always at the CFA - 8. */
#define TABLE_RULE(cfa, cfa_offset, rbp, rbp_offset)                                               \
	((unsigned long long)(unsigned int)(cfa_offset) << 32 |                                    \
	 (unsigned long long)(unsigned short)(rbp_offset) << 16 | (unsigned long long)(rbp) << 8 | \
	 (unsigned long long)(cfa))
#define TABLE_RULE_CFA(rule) ((unsigned int)((rule)&0xff))
#define TABLE_RULE_RBP(rule) ((unsigned int)((rule) >> 8 & 0xff))
#define TABLE_RULE_CFA_OFFSET(rule) ((int)((rule) >> 32))
#define TABLE_RULE_RBP_OFFSET(rule) ((int)(short)((rule) >> 16))

#endif
