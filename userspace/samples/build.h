/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Puts a struct samples together, with each frame, stack and thread in it once. */
#ifndef QUERYTAP_SAMPLES_BUILD_H
#define QUERYTAP_SAMPLES_BUILD_H

#include "samples/samples.h"

struct samples_builder;

/* NULL if memory runs out. Where it runs out later, what was asked for is 0, and samples_build_end says so. */
struct samples_builder *samples_build_begin(void);

/* The indices of such a frame, stack and thread, made if they are not there. Texts are copied. */
uint32_t samples_build_frame(struct samples_builder *builder, enum samples_frame_kind kind, const char *name,
			     const char *object);
uint32_t samples_build_stack(struct samples_builder *builder, uint32_t parent, uint32_t frame);
uint32_t samples_build_thread(struct samples_builder *builder, uint32_t pid, uint32_t tid, const char *process,
			      const char *name);

/* Add one, in any order of times. */
void samples_build_sample(struct samples_builder *builder, const struct samples_sample *sample);
void samples_build_absence(struct samples_builder *builder, const struct samples_absence *absence);
void samples_build_times(struct samples_builder *builder, const struct samples_times *times);

/*
 * Ends the building and frees the builder. *out, which is the caller's, has samples and absences by time, and zeros
 * where nothing was said of it here. Returns 0 or -ENOMEM.
 */
int samples_build_end(struct samples_builder *builder, struct samples **out);

#endif
