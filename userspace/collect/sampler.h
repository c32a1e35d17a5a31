/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Samples the stacks of followed processes, and gives the kernel the tables that it unwinds them by. */
#ifndef QUERYTAP_COLLECT_SAMPLER_H
#define QUERYTAP_COLLECT_SAMPLER_H

#include <bpf/libbpf.h>

#include "build/bpf/querytap.skel.h"
#include "collect/collect.h"
#include "collect/sampled.h"

struct sampler;

/* Before the programs are loaded: sets up those of sampling; without samples a second, leaves them and their maps out.
 */
void sampler_configure(struct querytap_bpf *bpf, unsigned int hz);

/* Whether this kernel's memory areas can be looked up: Linux 6.1. */
bool sampler_is_possible(void);

/* The same, and whether a perf event can be opened to sample by. */
bool sampler_works(void);

/*
 * Prepares sampling; what is sampled will come through `ring`. `bpf`, `ring` and what the options point at are borrowed
 * until sampler_free, which has to come before `bpf` is destroyed.
 */
int sampler_open(struct querytap_bpf *bpf, struct ring_buffer *ring, const struct collect_options *options,
		 struct sampler **out, struct error *err);

/*
 * Makes the tables of a compiler before it is met (objects_expect), which sampler_start gives to the kernel. Its
 * queries are then told from stacks. The plan, of the compiler with this number, is borrowed until sampler_free.
 */
void sampler_expect(struct sampler *sampler, const struct plan *plan, size_t number);

/* The kernel's copy of an expected file's table, which stays the sampler's; -1 if it has none. */
int sampler_table(const struct sampler *sampler, const char *path);

/*
 * Begins to sample, if that is not done yet, with the tables of what is expected. Fails with a sentence where events
 * cannot be opened.
 */
int sampler_start(struct sampler *sampler, struct error *err);

/* What the times of samples are counted from: CLOCK_MONOTONIC nanoseconds. */
uint64_t sampler_began(const struct sampler *sampler);

/* Stops sampling; samples that were taken can still be drained. */
void sampler_stop(struct sampler *sampler);

/* What share of a thread's time the samples take, about. */
double sampler_share(const struct sampler *sampler);

void sampler_totals(const struct sampler *sampler, struct collect_samples *totals);

/* What was sampled; borrowed. */
const struct sampled *sampler_sampled(const struct sampler *sampler);

/* Names places in the objects that were met; as places_name. */
int sampler_places(const struct sampler *sampler, struct place *list, size_t count);

/* Says of samples when they were taken, how often, and how many are lost. */
void sampler_describe(const struct sampler *sampler, struct samples *samples);

/* Accepts NULL. */
void sampler_free(struct sampler *sampler);

#endif
