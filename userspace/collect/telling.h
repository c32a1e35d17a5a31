/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Which queries and activities a sampled stack is in: queries are told by the calls that are on it, MIR passes by what
 * is called as well, other activities by the code that its places are in.
 */
#ifndef QUERYTAP_COLLECT_TELLING_H
#define QUERYTAP_COLLECT_TELLING_H

#include "bpf/wire.h"
#include "compiler/compiler.h"

/* A compiler whose code samples may be in. */
struct told_compiler {
	const struct plan *plan; /* borrowed */
	unsigned int number;	 /* as in the cookies */
};

/*
 * Copies a sample, and puts a WORD_FRAME before the place where each query or activity began that its plan's calls and
 * spans tell of and that has none there yet. `compilers` has the compiler for each object's number, or NULL. What does
 * not fit is left out.
 */
void tell_queries(const struct told_compiler *const compilers[WIRE_MAX_OBJECTS], const struct wire_sample *sample,
		  struct wire_sample *out);

#endif
