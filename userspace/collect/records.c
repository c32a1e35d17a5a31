/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/budget.h"
#include "collect/sink.h"

static void note_failure(struct collector *collector, const struct error *err)
{
	collector->totals.failed++;
	if (!collector->totals.failure[0])
		snprintf(collector->totals.failure, sizeof(collector->totals.failure), "%.*s",
			 (int)sizeof(collector->totals.failure) - 1, err->text);
}

size_t live_index(const struct collector *collector, uint32_t tgid)
{
	for (size_t i = 0; i < collector->live_count; i++)
		if (profile_tgid(collector->live[i]) == tgid)
			return i;
	return SIZE_MAX;
}

static void add_counts(struct collect_totals *totals, const struct wire_counts *counts)
{
	totals->lost += counts->lost;
	totals->missed += counts->missed;
	totals->unwound += counts->unwound;
	totals->truncated += counts->truncated;
	totals->too_deep += counts->too_deep;
	totals->unseen += counts->unseen;
}

/* Writes the rest of a profile and gives it its name. */
static void write_profile(struct collector *collector, struct profile *profile, const struct wire_counts *counts,
			  bool succeeded)
{
	uint64_t others = profile_others(profile);
	struct error err = {0};

	if (profile_write_artifacts(profile, succeeded, &err) < 0)
		note_failure(collector, &err);
	collector->totals.others += profile_others(profile) - others;
	err.text[0] = '\0';
	if (profile_finish(profile, counts, &err) == 0) {
		collector->totals.files++;
		processes_add_profile(collector->processes, profile);
	} else if (err.text[0]) {
		note_failure(collector, &err);
	}
}

void finish_profile(struct collector *collector, size_t index, struct wire_counts counts, bool succeeded)
{
	struct profile *profile = collector->live[index];

	budget_end(collector, profile);
	profile_settle(profile, &counts);
	add_counts(&collector->totals, &counts);
	if (collector->sink)
		sink_end(collector, profile, succeeded);
	else
		write_profile(collector, profile, &counts, succeeded);
	profile_free(profile);
	collector->live[index] = collector->live[--collector->live_count];
}

/* Whether the compiler was at work already when it was probed, so that queries may be missing. */
static bool joined_midway(const struct plan *plan, const struct wire_compiler *record)
{
	return !record->from_start && (record->joined || plan_sites(plan, SITE_SESSION));
}

void begin_profile(struct collector *collector, const struct wire_compiler *record)
{
	struct wire_compiler begun = *record;
	struct wire_counts none = {0};
	size_t index = live_index(collector, record->header.tgid);
	struct probed *probed = &collector->compilers[record->compiler % COLLECT_MAX_COMPILERS];
	struct profile *profile;

	if (index != SIZE_MAX && profile_start(collector->live[index]) == record->start) {
		/* By collector_join. */
		if (collector->sink)
			return;
		profile_free(collector->live[index]);
		collector->live[index] = collector->live[--collector->live_count];
	} else if (index != SIZE_MAX) {
		finish_profile(collector, index, none, false);
	}
	if (record->compiler >= collector->compiler_count)
		return;
	if (collector->live_count == collector->live_room) {
		size_t room = collector->live_room ? collector->live_room * 2 : 16;
		struct profile **grown = realloc(collector->live, room * sizeof(*grown));

		if (!grown)
			return;
		collector->live = grown;
		collector->live_room = room;
	}
	begun.joined = joined_midway(probed->plan, record);
	profile = profile_new(&collector->place, probed->plan, probed->timing, &begun);
	if (profile)
		collector->live[collector->live_count++] = profile;
}

static void write_intervals(struct collector *collector, struct profile *profile, const struct wire_intervals *record)
{
	uint64_t queries = profile_queries(profile), others = profile_others(profile);
	struct error err = {0};

	if (profile_add_intervals(profile, record, record->header.count, &collector->totals.unnamed, &err) < 0)
		note_failure(collector, &err);
	collector->totals.queries += profile_queries(profile) - queries;
	collector->totals.others += profile_others(profile) - others;
}

static void take_intervals(struct collector *collector, const struct wire_intervals *record)
{
	size_t index = live_index(collector, record->header.tgid);
	uint64_t self[WIRE_BATCH];

	if (collector->measuring) {
		collector->own_intervals += record->header.count;
		return;
	}
	if (index == SIZE_MAX) {
		collector->totals.lost += record->header.count;
		return;
	}
	budget_note(collector, collector->live[index], record, self);
	if (collector->sink)
		sink_intervals(collector, collector->live[index], record, self);
	else
		write_intervals(collector, collector->live[index], record);
}

/* Whether anything was recorded that only a compilation does. */
static bool has_compiled(const struct collector *collector, const struct profile *profile)
{
	if (profile_joined_crate(profile))
		return true;
	if (collector->place.events & COLLECT_EVENT(EVENT_QUERY))
		return profile_queries(profile) > 0;
	return profile_others(profile) > 0 || profile_has_files(profile);
}

void take_end(struct collector *collector, const struct wire_end *record)
{
	size_t index = live_index(collector, record->header.tgid);

	if (index == SIZE_MAX) {
		add_counts(&collector->totals, &record->counts);
		return;
	}
	/* A rustc that ends well without a query has compiled nothing: cargo has asked it for the names of files. */
	if (!collector->sink && !record->exit_code && !record->counts.lost &&
	    !has_compiled(collector, collector->live[index])) {
		add_counts(&collector->totals, &record->counts);
		profile_free(collector->live[index]);
		collector->live[index] = collector->live[--collector->live_count];
	} else {
		finish_profile(collector, index, record->counts, !record->exit_code);
	}
}

static void take_args(struct collector *collector, struct profile *profile, const struct wire_args *record)
{
	profile_add_args(profile, record->bytes, record->header.count);
	if (collector->sink)
		sink_begin(collector, profile);
}

int take_record(void *context, void *data, size_t size)
{
	struct collector *collector = context;
	const struct wire_header *header = data;
	size_t index;

	(void)size;
	if (!collector->measuring && !collector->sink)
		processes_take(collector->processes, header);
	switch (header->kind) {
	case WIRE_INTERVALS:
		take_intervals(collector, data);
		break;
	case WIRE_COMPILER:
		begin_profile(collector, data);
		break;
	case WIRE_ARGS:
		index = live_index(collector, header->tgid);
		if (index != SIZE_MAX)
			take_args(collector, collector->live[index], data);
		break;
	case WIRE_TEXT:
		index = live_index(collector, header->tgid);
		if (index != SIZE_MAX)
			profile_add_text(collector->live[index], data);
		break;
	case WIRE_FILE:
		index = live_index(collector, header->tgid);
		if (index != SIZE_MAX)
			profile_add_file(collector->live[index], data);
		break;
	case WIRE_RENAME:
		index = live_index(collector, header->tgid);
		if (index != SIZE_MAX)
			profile_add_rename(collector->live[index], data);
		break;
	case WIRE_EXEC:
		if (collector->on_exec && !collector->measuring)
			collector->on_exec(collector->context, (pid_t)header->tgid);
		break;
	case WIRE_END:
		take_end(collector, data);
		break;
	default:
		break;
	}
	return 0;
}
