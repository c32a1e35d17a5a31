/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/sink.h"

#include "collect/items.h"

static const struct probed *probed_of(const struct collector *collector, const struct profile *profile)
{
	return &collector->compilers[profile_compiler(profile)];
}

static void begin(struct collector *collector, struct profile *profile, bool at_once)
{
	struct collect_compiler compiler = {.pid = (pid_t)profile_tgid(profile),
					    .version = probed_of(collector, profile)->plan->version,
					    .start = profile_start(profile),
					    .joined = profile_joined(profile)};
	char crate[128];
	const char *args;
	size_t length;

	if (!profile_begins(profile, at_once))
		return;
	args = profile_args(profile, &length);
	crate_name(args, length, crate, sizeof(crate));
	compiler.crate = crate;
	collector->sink->begin(collector->sink->context, &compiler);
}

void sink_begin(struct collector *collector, struct profile *profile)
{
	begin(collector, profile, false);
}

bool sink_interval(const struct collector *collector, const struct profile *profile,
		   const struct wire_interval *interval, uint64_t self, struct collect_interval *told)
{
	const struct probed *probed = probed_of(collector, profile);
	size_t item = item_of(probed->plan, interval->start_and_number >> 48);

	if (item == SIZE_MAX || !(collector->place.events & COLLECT_EVENT(item_event(probed->plan, item))) ||
	    !timing_keeps(probed->timing, interval))
		return false;
	told->event = item_event(probed->plan, item);
	told->label = item_label(probed->plan, item);
	told->length = interval->length_and_flags & WIRE_TIME_MASK;
	told->self = self;
	return true;
}

void sink_intervals(struct collector *collector, struct profile *profile, const struct wire_intervals *record,
		    const uint64_t self[WIRE_BATCH])
{
	struct collect_interval told = {.pid = (pid_t)record->header.tgid, .tid = (pid_t)record->header.tid};
	size_t step;

	begin(collector, profile, true);
	for (size_t i = 0; i < record->header.count; i += step) {
		step = record->intervals[i].length_and_flags & INTERVAL_ARGUMENT ? 2 : 1;
		if (!sink_interval(collector, profile, &record->intervals[i], self[i], &told))
			continue;
		if (told.event == EVENT_QUERY)
			collector->totals.queries++;
		else
			collector->totals.others++;
		collector->sink->interval(collector->sink->context, &told);
	}
}

void sink_end(struct collector *collector, struct profile *profile, bool succeeded)
{
	begin(collector, profile, true);
	collector->sink->end(collector->sink->context, (pid_t)profile_tgid(profile), succeeded);
}
