/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where probes go. rustc times a provider between two tests of its own: "is the self-profiler recording providers?"
 * before the call, and "did I start a timer?" behind it. Both end in a conditional jump that runs exactly once a call,
 * is in the same stack frame, and is emulated by the kernel. Those two jumps are the entry and the exit site.
 */
#ifndef QUERYTAP_COMPILER_PLACE_H
#define QUERYTAP_COMPILER_PLACE_H

#include "compiler/guard.h"

enum { MAX_GUARDS = 8, MAX_EXITS = 24, MAX_CALLS = 384 };

struct guard_site {
	uint64_t address; /* of the conditional jump */
	uint8_t tcx_register;
	bool vtable_on_stack;
	uint8_t vtable_register;
	int32_t vtable_displacement; /* from rsp at the site */
};

/* The sites of one try_execute_query. Where `refusal` is set, none of them may be used. */
struct placement {
	struct guard_site guards[MAX_GUARDS];
	size_t guard_count;
	uint64_t exits[MAX_EXITS];
	size_t exit_count;
	uint64_t calls[MAX_CALLS]; /* last bytes of those that are made between them */
	size_t call_count;
	bool has_more_calls; /* than there was room for */
	const char *refusal; /* why the function cannot be probed; NULL if it can */
};

/* The event filter's bit for query providers. Source: rustc_data_structures::profiling::EventFilter. */
enum { FILTER_QUERY_PROVIDERS = 1 << 1 };

/*
 * Collects the offsets, from the TyCtxt, of bytes in which a function tests FILTER_QUERY_PROVIDERS. At most `room` are
 * written; returns how many. The offset that nearly all functions agree on is that of the self-profiler's filter.
 */
size_t place_filter_candidates(const struct values *values, int32_t *offsets, size_t room);

/* Finds entry and exit sites in a followed function whose filter byte lies `filter_offset` behind the TyCtxt. */
void place_sites(const struct values *values, int32_t filter_offset, struct placement *out);

/*
 * For a query's own function outside incremental mode: the offset of its vtable from the TyCtxt. It is the one address
 * that such a function computes from a pointer it was given. Returns 0 and fills *offset and *callee, the function of
 * those `callee_known` knows that is called; -ENOENT where either is missing or not the only one.
 */
int place_vtable(const struct flow *flow, bool (*callee_known)(uint64_t address, const void *context),
		 const void *context, int32_t *offset, uint64_t *callee);

#endif
