/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sampled stacks, counted: a tree from the process down to the place that ran. */
#ifndef QUERYTAP_COLLECT_SAMPLED_H
#define QUERYTAP_COLLECT_SAMPLED_H

#include <stdint.h>
#include <stdio.h>

#include "bpf/wire.h"

struct sampled;

/* What places and frames of the shadow stack are called: allocated names, NULL if memory runs out. */
struct sampled_names {
	char *(*place)(void *context, unsigned int object, uint64_t offset);
	char *(*frame)(void *context, unsigned int compiler, unsigned int number);
	void *context;
};

/* NULL if memory runs out. */
struct sampled *sampled_new(void);

/* Counts a sample. One for which there is no memory is left out, and counted as that. */
void sampled_add(struct sampled *sampled, const struct wire_sample *sample);

/* How many samples were left out. */
uint64_t sampled_left_out(const struct sampled *sampled);

/*
 * Writes one line for each stack, "PROCESS-PID;THREAD;OUTERMOST;...;INNERMOST COUNT": queries and activities in
 * brackets behind the function that they began in, [kernel] innermost where the thread was in the kernel, and
 * [incomplete] outermost where the walk did not reach the thread's start. Returns 0 or -ENOMEM.
 */
int sampled_write(const struct sampled *sampled, const struct sampled_names *names, FILE *out);

/* Accepts NULL. */
void sampled_free(struct sampled *sampled);

#endif
