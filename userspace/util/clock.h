/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef QUERYTAP_UTIL_CLOCK_H
#define QUERYTAP_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time by a clock of clock_gettime(2), nanoseconds. */
static inline uint64_t clock_now(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
