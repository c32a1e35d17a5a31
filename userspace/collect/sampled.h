/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What was sampled, as it came from the kernel: a tree of places, and a list of samples that are in them. */
#ifndef QUERYTAP_COLLECT_SAMPLED_H
#define QUERYTAP_COLLECT_SAMPLED_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "collect/places.h"
#include "samples/build.h"

struct sampled;

/*
 * What places and frames of the shadow stack are called. `places` names all of a list, as places_name; it is called
 * once. `frame` sets the frame, with texts that are to be freed; one that is NULL says that memory ran out.
 */
struct sampled_names {
	int (*places)(void *context, struct place *list, size_t count);
	void (*frame)(void *context, unsigned int compiler, unsigned int number, struct samples_frame *frame);
	void *context;
};

/* `began`, CLOCK_MONOTONIC nanoseconds, is what times are counted from. NULL if memory runs out. */
struct sampled *sampled_new(uint64_t began);

/* Takes a sample. One for which there is no memory is left out, and counted as that. */
void sampled_add(struct sampled *sampled, const struct wire_sample *sample);

/* How many samples were left out. */
uint64_t sampled_left_out(const struct sampled *sampled);

/* Adds all samples to what is built. Returns 0 or -ENOMEM. */
int sampled_build(const struct sampled *sampled, const struct sampled_names *names, struct samples_builder *builder);

/* Accepts NULL. */
void sampled_free(struct sampled *sampled);

#endif
