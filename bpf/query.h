/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How a query is named: by where its vtable lies behind the TyCtxt. */
#ifndef QUERYTAP_BPF_QUERY_H
#define QUERYTAP_BPF_QUERY_H

#include "bpf/state.h"

/* The number of the query whose vtable this is. */
static __always_inline __u64 query_of(__u32 compiler, __u64 tcx, __u64 vtable)
{
	struct query_table *table = bpf_map_lookup_elem(&queries, &compiler);
	__u64 slot = (vtable - tcx) >> 3;

	return table && slot < WIRE_VTABLE_SLOTS ? table->numbers[slot] : WIRE_QUERY_NONE;
}

#endif
