/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What joined compilers were in before: the queries on their threads' stacks are found by the BPF programs of
 * bpf/recover.bpf.c, which are given here what they need to know of a compiler. Where that cannot be had, such queries
 * are counted as missed when they end.
 */
#ifndef QUERYTAP_COLLECT_RECOVERY_H
#define QUERYTAP_COLLECT_RECOVERY_H

#include "collect/internal.h"

/* Before the programs are loaded: sets up those of recovery, or leaves them and their maps out. */
void recovery_configure(struct querytap_bpf *bpf, const struct collect_options *options);

/* Whether they are set up. */
bool recovery_is_on(const struct querytap_bpf *bpf);

/* Tells the kernel how stacks of the compiler with this number are walked, and what is to be looked for on them. */
void recovery_add(const struct collector *collector, const struct probed *probed, size_t number);

/* From here on, queries of these groups are not looked for. */
void recovery_forget(const struct collector *collector, const struct probed *probed, const uint32_t *groups,
		     size_t count);

#endif
