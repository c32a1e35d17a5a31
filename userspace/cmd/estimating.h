/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what was not timed, estimated from the samples that lie beside a profile. */
#ifndef QUERYTAP_CMD_ESTIMATING_H
#define QUERYTAP_CMD_ESTIMATING_H

#include "analysis/estimate.h"
#include "mmprofdata/mmprofdata.h"

/* To be freed with estimating_free. */
struct estimating {
	struct estimates estimates;
	struct samples *samples; /* what the estimates borrow */
};

/*
 * Estimates what the profile says was left untimed. No rows if that is nothing, if there are no samples in the
 * profile's folder, or none of its process. Samples that cannot be read are ignored with a warning. Borrows the
 * profile and the summary.
 */
int estimating_begin(const struct mmp_reader *profile, const struct summary *summary, struct estimating *out,
		     struct error *err);

/* Frees what it holds, not the struct. Accepts one that is zeroed. */
void estimating_free(struct estimating *estimating);

#endif
