/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Private to the room: a trace's nodes as the page trace.html reads them, in chunks that it unpacks when it needs them.
 *
 * A chunk is a run of whole blocks of siblings, at least CHUNK_NODES nodes unless it is the last. It is text: base64 of
 * zlib's format of a row of numbers, each little-endian in groups of 7 bits, the last without the top bit; a signed one
 * is zigzag-coded (0, -1, 1, -2 ...). The row: the counts of nodes and blocks; the sizes of nine columns in bytes; the
 * columns:
 *
 *   blocks     for each: its count of nodes; its parent + 1 (0: none) less that of the block before, signed; the start
 *              of its first node less that of the block before, signed; its nodes' depth less the block's before,
 * signed labels     for each node kinds      for each node, a byte gaps       for each node but a block's first: its
 * start less the end of the one before, signed durations  for each node but hits extents    for each node depths for
 * each node with an extent: how many nodes lie deeper in it than its children selves     for each node with an extent:
 * its duration less its children's, signed arguments  for each node: size in bytes and text of its event's arguments,
 * ", " between them; empty if the chunk has none at all
 */
#ifndef QUERYTAP_RENDER_TRACE_CHUNKS_H
#define QUERYTAP_RENDER_TRACE_CHUNKS_H

#include <stdint.h>
#include <stdio.h>

#include "analysis/analysis.h"
#include "util/error.h"

/* Few enough to be unpacked in a blink. */
#define CHUNK_NODES 16384

/*
 * The node that the chunk beginning with node `first` ends before. There is a chunk for each `first` from 0 on that is
 * less than the trace's count of nodes.
 */
uint32_t chunk_end(const struct trace *trace, uint32_t first);

/* Writes the chunk of the nodes from `first` to before `end`; `profile` is what the trace was built from. */
int chunk_write(const struct trace *trace, const struct mmp_reader *profile, uint32_t first, uint32_t end, FILE *out,
		struct error *err);

#endif
