/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where the key of a query is at the guard of its provider. */
#ifndef QUERYTAP_COMPILER_KEY_H
#define QUERYTAP_COMPILER_KEY_H

#include "bpf/wire.h"
#include "compiler/values.h"

/*
 * What says so in the cookie of the entry at `address` of a try_execute_query whose keys are of this kind; 0 if the key
 * is no plain id or not at hand. `filter_offset` is that of the profiler's filter from the TyCtxt.
 */
uint64_t key_cookie(const struct values *values, uint64_t address, enum key_kind kind, int32_t filter_offset);

#endif
