/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Private to the room: a large buffer in front of a stream, for output of hundreds of megabytes in small pieces. The
 * stream's errors are the stream's own: its owner asks for them.
 */
#ifndef QUERYTAP_RENDER_SINK_H
#define QUERYTAP_RENDER_SINK_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/error.h"

/* Bytes that a piece put without looking (sink_need) may have at most. */
#define SINK_PIECE 4096

/* Longest text of sink_number. */
#define SINK_NUMBER 20

struct sink_writer;

/* Set up by sink_open. */
struct sink {
	struct sink_writer *writer; /* private */
	char *bytes, *at, *end;	    /* the buffer that is filled now */
	uint64_t flushes;	    /* how often the buffer was handed on */
};

/* Borrows the stream until sink_close: meanwhile a thread of the sink's writes to it. Fails with -ENOMEM. */
int sink_open(struct sink *sink, FILE *out, struct error *err);

/* Hands on to the stream what is in the buffer but for less than SINK_PIECE bytes. */
void sink_flush(struct sink *sink);

/* Hands on all of it and frees the buffer. Accepts a sink that is zeroed. */
void sink_close(struct sink *sink);

/* Writes text of any size. */
void sink_put(struct sink *sink, const char *text, size_t size);

/* Writes text as the inside of a JSON string: what may not stand in one is escaped. */
void sink_json(struct sink *sink, const char *text, size_t size);

/* Makes room for `size` bytes, at most SINK_PIECE, which may then be added with the functions below. */
static inline void sink_need(struct sink *sink, size_t size)
{
	if ((size_t)(sink->end - sink->at) < size)
		sink_flush(sink);
}

static inline void sink_add(struct sink *sink, const char *text, size_t size)
{
	memcpy(sink->at, text, size);
	sink->at += size;
}

#define sink_add_literal(sink, literal) sink_add(sink, literal, sizeof(literal) - 1)

/* Writes a number in decimal at `to`, without a NUL; returns its end. */
char *sink_number(char *to, uint64_t number);

static inline void sink_add_number(struct sink *sink, uint64_t number)
{
	sink->at = sink_number(sink->at, number);
}

/* Adds six digits of a number below a million. */
void sink_add_six(struct sink *sink, uint32_t number);

#endif
