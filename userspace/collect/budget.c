/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/budget.h"

#include <stdlib.h>

#include "collect/items.h"
#include "collect/probing.h"
#include "collect/recovery.h"
#include "util/clock.h"

#define REVIEW_EVERY 100000000ULL /* ns */

static uint64_t age(const struct profile *profile, uint64_t now)
{
	return now > profile_start(profile) ? now - profile_start(profile) : 0;
}

/* The seconds for which processes of a compiler have compiled so far. */
static double compiled_seconds(const struct collector *collector, const struct probed *probed)
{
	uint64_t now = clock_now(CLOCK_MONOTONIC), total = probed->compiled;

	for (size_t i = 0; i < collector->live_count; i++)
		if (&collector->compilers[profile_compiler(collector->live[i])] == probed)
			total += age(collector->live[i], now);
	return (double)total / 1e9;
}

void budget_note(struct collector *collector, const struct profile *profile, const struct wire_intervals *record,
		 uint64_t self[WIRE_BATCH])
{
	struct timing *timing = collector->compilers[profile_compiler(profile)].timing;
	size_t step;

	for (size_t i = 0; i < record->header.count; i += step) {
		const struct wire_interval *interval = &record->intervals[i];

		step = interval->length_and_flags & INTERVAL_ARGUMENT ? 2 : 1;
		self[i] = selftime_add(collector->selftime, record->header.tgid, record->header.tid,
				       interval->start_and_number & WIRE_TIME_MASK,
				       interval->length_and_flags & WIRE_TIME_MASK);
		timing_note(timing, interval, self[i]);
	}
}

void budget_end(struct collector *collector, const struct profile *profile)
{
	struct probed *probed = &collector->compilers[profile_compiler(profile)];

	timing_advance(probed->timing, compiled_seconds(collector, probed));
	probed->compiled += age(profile, clock_now(CLOCK_MONOTONIC));
	selftime_forget(collector->selftime, profile_tgid(profile));
}

static void review(struct collector *collector, struct probed *probed)
{
	uint32_t *groups = probed->probes ? calloc(probed->plan->group_count, sizeof(*groups)) : NULL;
	size_t count;

	/* What comes when all probes are gone is drained too. */
	if (!groups)
		return;
	timing_advance(probed->timing, compiled_seconds(collector, probed));
	count = timing_review(probed->timing, groups, probed->plan->group_count);
	if (count) {
		collector->bpf->bss->letting_go = 1;
		recovery_forget(collector, probed, groups, count);
		probes_let_go(probed->probes, groups, count);
	}
	free(groups);
}

void budget_review(struct collector *collector)
{
	uint64_t now = clock_now(CLOCK_MONOTONIC);

	if (collector->overhead.mode != OVERHEAD_AUTO || !collector->multi || now - collector->reviewed < REVIEW_EVERY)
		return;
	collector->reviewed = now;
	for (size_t i = 0; i < collector->compiler_count; i++)
		review(collector, &collector->compilers[i]);
}

void budget_learn(const struct collector *collector)
{
	for (size_t i = 0; i < collector->compiler_count; i++) {
		const struct probed *probed = &collector->compilers[i];
		struct item_sum *seen = timing_seen(probed->timing);

		if (seen && collector->cache)
			experience_store(probed->plan, collector->cache, collector->owner, seen);
		free(seen);
	}
}

void collector_untimed(const struct collector *collector, struct collect_untimed *untimed)
{
	const struct probed *longest = NULL;
	struct untimed_share share;

	*untimed = (struct collect_untimed){0};
	for (size_t i = 0; i < collector->compiler_count; i++)
		if (!longest || collector->compilers[i].compiled > longest->compiled)
			longest = &collector->compilers[i];
	if (!longest || collector->overhead.mode != OVERHEAD_AUTO)
		return;
	for (size_t i = 0; i < item_count(longest->plan); i++) {
		enum timing_state state = timing_state(longest->timing, i);

		untimed->labels += (state == TIMING_UNTIMED || state == TIMING_LET_GO) &&
				   (collector->place.events & COLLECT_EVENT(item_event(longest->plan, i)));
	}
	share = timing_untimed_share(longest->timing);
	untimed->events = share.events;
	untimed->self = share.self;
}
