/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A recording of a compiler's samples, made in memory: one each millisecond. */
#ifndef QUERYTAP_TESTS_SAMPLED_COMPILER_H
#define QUERYTAP_TESTS_SAMPLED_COMPILER_H

#include "tests/unit/profile_bytes.h"

#include <math.h>

#include "tests/unit/stack_text.h"

#define MS UINT64_C(1000000)

enum { PID = 42, START_MS = 500 };

/* Adds `count` samples of a thread of process `pid`, all at one time. */
static inline void add_flagged(struct samples_builder *builder, unsigned int count, uint32_t pid, uint64_t time_ms,
			       const char *stack, uint32_t flags)
{
	struct samples_sample sample = {
	    .time = time_ms * MS,
	    .thread = samples_build_thread(builder, pid, pid, "rustc", "rustc"),
	    .stack = stack_of(builder, stack),
	    .flags = flags,
	};

	while (count-- > 0)
		samples_build_sample(builder, &sample);
}

static inline void add_at(struct samples_builder *builder, unsigned int count, uint32_t pid, uint64_t time_ms,
			  const char *stack)
{
	add_flagged(builder, count, pid, time_ms, stack, 0);
}

/* A sample each millisecond. */
static inline struct samples *end(struct samples_builder *builder)
{
	struct samples *samples;

	assert_int_equal(samples_build_end(builder, &samples), 0);
	samples->hz = 1000;
	samples->duration = 1000 * MS;
	return samples;
}

static inline void assert_near(double value, double expected)
{
	if (fabs(value - expected) > 10)
		fail_msg("%.0f is not %.0f", value, expected);
}

#endif
