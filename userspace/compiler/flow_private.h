/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the files share that make a flow out of a function's bytes. */
#ifndef QUERYTAP_COMPILER_FLOW_PRIVATE_H
#define QUERYTAP_COMPILER_FLOW_PRIVATE_H

#include <Zydis/Zydis.h>

#include "compiler/flow.h"

/* Fills *insn, whose address and length are set and whose rest is zero, from what Zydis says of it. */
void insn_classify(struct insn *insn, const ZydisDecodedInstruction *raw, const ZydisDecodedOperand *operands);

/* Reads the tables of all jumps through one and adds their edges. Returns 0 or -ENOMEM. */
int flow_read_tables(const struct image *image, struct flow *flow);

#endif
