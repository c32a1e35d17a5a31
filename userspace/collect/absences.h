/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* When and why threads of compilers were off the CPU, as the kernel tells it. */
#ifndef QUERYTAP_COLLECT_ABSENCES_H
#define QUERYTAP_COLLECT_ABSENCES_H

#include <bpf/libbpf.h>

#include "build/bpf/querytap.skel.h"
#include "collect/collect.h"
#include "collect/sampled.h"

struct absences;

/* Before the programs are loaded: sets up what tells of absences, or leaves its map out. */
void absences_configure(struct querytap_bpf *bpf, bool on);

/* NULL if memory runs out. */
struct absences *absences_new(void);

/* What the kernel tells will come through `ring`, to `absences`, which is borrowed until the ring is freed. */
int absences_listen(struct absences *absences, const struct querytap_bpf *bpf, struct ring_buffer *ring,
		    struct error *err);

/* Takes what the kernel has sent: a struct wire_absence or wire_times; any other record is passed over. */
void absences_take(struct absences *absences, const void *record);

/* `lost`: how many the kernel had no room for. */
void absences_totals(const struct absences *absences, uint64_t lost, struct collect_absences *totals);

/*
 * Adds all of it to what is built, with times since `began`, CLOCK_MONOTONIC nanoseconds. Of the names only those of
 * frames are asked for. Returns 0 or -ENOMEM.
 */
int absences_build(const struct absences *absences, uint64_t began, const struct sampled_names *names,
		   struct samples_builder *builder);

/* Accepts NULL. */
void absences_free(struct absences *absences);

#endif
