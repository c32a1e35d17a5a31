/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Which of a compiler's events are timed, so that probes cost no more than is allowed. The choice is made by groups of
 * sites, first by experience, then by letting go of some while compilers run.
 */
#ifndef QUERYTAP_COLLECT_TIMING_H
#define QUERYTAP_COLLECT_TIMING_H

#include "bpf/wire.h"
#include "collect/collect.h"
#include "collect/experience.h"

struct timing;

struct timing_options {
	struct overhead overhead;
	unsigned int events; /* COLLECT_EVENT of each class that is asked for */
	double cost;	     /* of an event's probes, seconds */
	double sampling;     /* what samples cost of the time without them: a share */
};

/*
 * Makes the first choice, by `experience`, which is taken over and freed even on failure. -ENOENT if the compiler has
 * nothing of what the user named. Borrows the plan.
 */
int timing_new(const struct timing_options *options, const struct plan *plan, struct item_sum *experience,
	       struct timing **out, struct error *err);

/* Accepts NULL. */
void timing_free(struct timing *timing);

/* Whether the sites of a group are to be probed, and whether they may be let go of while compilers run. */
bool timing_probes(const struct timing *timing, uint32_t group);
bool timing_may_let_go(const struct timing *timing, uint32_t group);

/* Takes note of an interval and of its self time in nanoseconds. */
void timing_note(struct timing *timing, const struct wire_interval *interval, uint64_t self);

/* Whether an interval belongs into the profile: not one that was open when its probes were let go of. */
bool timing_keeps(const struct timing *timing, const struct wire_interval *interval);

/* Says how many seconds compilers have compiled for so far, added up over them. */
void timing_advance(struct timing *timing, double seconds);

/*
 * Looks whether the probes have cost too much of the time of compiling since something was let go of last, and chooses
 * which groups to let go of. Returns how many, at most `room`; they count as let go of from here on.
 */
size_t timing_review(struct timing *timing, uint32_t *groups, size_t room);

/* Why an item's events are not all there. */
enum timing_state {
	TIMING_TIMED, /* they are */
	TIMING_NOT_ASKED,
	TIMING_UNTIMED, /* left alone from the start */
	TIMING_LET_GO,
};

enum timing_state timing_state(const struct timing *timing, size_t item);

/*
 * What share of all events, and of all self time, is missing of the items that were left alone or let go of: what
 * earlier recordings have taught of these, against what was seen in this one. Nothing if nothing was seen.
 */
struct untimed_share {
	double events, self;
};

struct untimed_share timing_untimed_share(const struct timing *timing);

/* What was seen, to be freed with free(); NULL if nothing is to be learned from it. */
struct item_sum *timing_seen(const struct timing *timing);

#endif
