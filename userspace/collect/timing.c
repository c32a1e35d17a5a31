/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/timing.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collect/items.h"

/* Of the time of a compile: what costs less is never worth leaving out, or need not be let go of alone. */
#define NOTHING 0.00001
#define LITTLE 0.0002
/*
 * Seconds of compiling by which the budget may be ahead, at first and once something was let go of: a short compile
 * begins with what is called most.
 */
#define GRACE 0.2
#define LATER_GRACE 0.1
/* What is chosen, at first and by letting go, is to cost this much of the budget. */
#define AIM 0.6
/* The part of the time that is not taken for probes' whatever they are expected to cost: in a loop they cost less. */
#define LEAST 0.1

struct seen {
	uint64_t events, self;
};

/* What a group's events are worth and cost. Sums for a second of compiling. */
struct worth {
	uint32_t group;
	double events, self;
};

struct timing {
	const struct plan *plan;
	struct timing_options options;
	struct item_sum *known;
	struct seen *seen; /* by item */
	bool *wanted;	   /* by item */
	uint8_t *states;   /* by group: enum timing_state */
	double *let_go_at; /* by group: seconds of compiling */
	uint64_t event_count;
	double seconds; /* of compiling so far */
	/* Since something was let go of last. */
	struct seen *recent; /* by item */
	uint64_t recent_events;
	double recent_from; /* seconds of compiling */
};

static bool matches(const char *patterns, const char *label)
{
	char *copy = strdup(patterns), *at = copy, *pattern;
	bool found = false;

	while (!found && (pattern = strsep(&at, ",")))
		found = fnmatch(pattern, label, 0) == 0;
	free(copy);
	return found;
}

/* What earlier recordings have seen of an item. */
static struct worth item_worth(const struct timing *timing, size_t item)
{
	const struct item_sum *known = &timing->known[item];

	if (known->seconds <= 0)
		return (struct worth){0};
	return (struct worth){0, known->events / known->seconds, known->self / known->seconds};
}

/* Adds up what the groups are worth, by group. NULL if out of memory. */
static struct worth *known_worths(const struct timing *timing)
{
	struct worth *worths = calloc(timing->plan->group_count, sizeof(*worths));

	for (uint32_t i = 0; worths && i < timing->plan->group_count; i++)
		worths[i].group = i;
	for (size_t i = 0; worths && i < item_count(timing->plan); i++) {
		struct worth worth = item_worth(timing, i);
		uint32_t group = item_group(timing->plan, i);

		worths[group].events += worth.events;
		worths[group].self += worth.self;
	}
	return worths;
}

static double cost_of(const struct timing *timing, const struct worth *worth)
{
	return worth->events * timing->options.cost;
}

/* What never came is worth the most: it costs nothing. */
static double self_of_event(const struct worth *worth)
{
	return worth->events > 0 ? worth->self / worth->events : INFINITY;
}

/* The most self time for an event comes first. */
static int by_worth(const void *a, const void *b)
{
	double left = self_of_event(a), right = self_of_event(b);

	return left > right ? -1 : left < right;
}

/*
 * Results that are hashed are named by the query that the thread is in: where not all queries are timed, they are not
 * either. Returns whether that changes anything.
 */
static bool keep_hashing_named(struct timing *timing)
{
	for (size_t i = 0; i < timing->plan->query_count; i++) {
		uint32_t group = timing->plan->queries[i].group;

		if (timing->states[group] == TIMING_TIMED || timing->states[GROUP_HASHING] != TIMING_TIMED)
			continue;
		timing->states[GROUP_HASHING] = timing->states[group];
		timing->let_go_at[GROUP_HASHING] = timing->let_go_at[group];
		return true;
	}
	return false;
}

/* What probes may cost, as a share of the time without them. Some of it goes to samples, but not nearly all. */
static double budget_of(const struct timing *timing)
{
	double budget = timing->options.overhead.budget;

	return fmax(budget - timing->options.sampling, budget / 4);
}

/* Leaves alone what would go beyond the budget, beginning with what has the least self time for an event. */
static int choose_by_experience(struct timing *timing)
{
	struct worth *worths = known_worths(timing);
	double spent = 0;

	if (!worths)
		return -ENOMEM;
	qsort(worths, timing->plan->group_count, sizeof(*worths), by_worth);
	for (size_t i = 0; i < timing->plan->group_count; i++) {
		double cost = cost_of(timing, &worths[i]);

		if (timing->states[worths[i].group] != TIMING_TIMED)
			continue;
		if (cost > NOTHING && spent + cost > AIM * budget_of(timing))
			timing->states[worths[i].group] = TIMING_UNTIMED;
		else
			spent += cost;
	}
	free(worths);
	return 0;
}

/* Asks for the groups that have wanted items. Returns whether there are any. */
static bool ask(struct timing *timing)
{
	const struct plan *plan = timing->plan;
	const char *patterns = timing->options.overhead.queries;
	bool any = false;

	memset(timing->states, TIMING_NOT_ASKED, plan->group_count);
	for (size_t i = 0; i < item_count(plan); i++) {
		bool of_queries = i < ITEM_FIRST;

		timing->wanted[i] = !patterns || of_queries || matches(patterns, item_label(plan, i));
		if (!timing->wanted[i])
			continue;
		any |= !of_queries;
		timing->states[item_group(plan, i)] = TIMING_TIMED;
	}
	timing->states[GROUP_NONE] = TIMING_TIMED;
	return any;
}

int timing_new(const struct timing_options *options, const struct plan *plan, struct item_sum *experience,
	       struct timing **out, struct error *err)
{
	struct timing *timing = calloc(1, sizeof(*timing));
	size_t items = item_count(plan);
	int code = -ENOMEM;

	*out = NULL;
	if (!timing || !experience) {
		free(timing);
		free(experience);
		return error_set(err, ENOMEM, "out of memory");
	}
	*timing = (struct timing){.plan = plan,
				  .options = *options,
				  .known = experience,
				  .seen = calloc(items, sizeof(*timing->seen)),
				  .recent = calloc(items, sizeof(*timing->recent)),
				  .wanted = calloc(items, sizeof(*timing->wanted)),
				  .states = calloc(plan->group_count, sizeof(*timing->states)),
				  .let_go_at = calloc(plan->group_count, sizeof(*timing->let_go_at))};
	if (timing->seen && timing->recent && timing->wanted && timing->states && timing->let_go_at)
		code = ask(timing) ? 0 : -ENOENT;
	if (code == 0 && options->overhead.mode == OVERHEAD_AUTO)
		code = choose_by_experience(timing);
	if (code < 0) {
		timing_free(timing);
		return code == -ENOENT ? error_set(err, ENOENT,
						   "rustc %s has no query and no activity that \"%s\" names (querytap "
						   "doctor --labels lists them)",
						   plan->version, options->overhead.queries)
				       : error_set(err, ENOMEM, "out of memory");
	}
	keep_hashing_named(timing);
	*out = timing;
	return 0;
}

void timing_free(struct timing *timing)
{
	if (!timing)
		return;
	free(timing->known);
	free(timing->seen);
	free(timing->recent);
	free(timing->wanted);
	free(timing->states);
	free(timing->let_go_at);
	free(timing);
}

bool timing_probes(const struct timing *timing, uint32_t group)
{
	return timing->states[group] == TIMING_TIMED;
}

bool timing_may_let_go(const struct timing *timing, uint32_t group)
{
	double events = 0;

	if (timing->options.overhead.mode != OVERHEAD_AUTO || group == GROUP_NONE)
		return false;
	if (group == GROUP_HASHING)
		return true;
	for (size_t i = 0; i < item_count(timing->plan); i++)
		if (item_group(timing->plan, i) == group)
			events += item_worth(timing, i).events;
	return events == 0 || events * timing->options.cost > LITTLE;
}

void timing_note(struct timing *timing, const struct wire_interval *interval, uint64_t self)
{
	size_t item = item_of(timing->plan, interval->start_and_number >> 48);

	timing->event_count++;
	timing->recent_events++;
	if (item == SIZE_MAX)
		return;
	timing->seen[item].events++;
	timing->seen[item].self += self;
	timing->recent[item].events++;
	timing->recent[item].self += self;
}

bool timing_keeps(const struct timing *timing, const struct wire_interval *interval)
{
	uint64_t number = interval->start_and_number >> 48;
	size_t item = item_of(timing->plan, number);
	bool was_open = interval->length_and_flags & (INTERVAL_UNWOUND | INTERVAL_TRUNCATED);

	if (item == SIZE_MAX)
		return true;
	if (was_open && timing->states[item_group(timing->plan, item)] == TIMING_LET_GO)
		return false;
	if (item >= ITEM_FIRST || !timing->options.overhead.queries)
		return timing->wanted[item];
	item = item_of(timing->plan, number & WIRE_MAX_QUERIES);
	return item != SIZE_MAX && timing->wanted[item];
}

/*
 * What the groups that may be let go of were worth lately, the least first, for a second of `seconds`. Returns how
 * many.
 */
static size_t recent_worths(const struct timing *timing, double seconds, struct worth *worths)
{
	size_t count = 0;

	for (uint32_t group = GROUP_NONE + 1; group < timing->plan->group_count; group++) {
		struct worth worth = {.group = group};

		if (!timing_probes(timing, group) || !timing_may_let_go(timing, group))
			continue;
		for (size_t i = 0; i < item_count(timing->plan); i++) {
			if (item_group(timing->plan, i) != group)
				continue;
			worth.events += (double)timing->recent[i].events / seconds;
			worth.self += (double)timing->recent[i].self / 1e9 / seconds;
		}
		if (worth.events > 0)
			worths[count++] = worth;
	}
	qsort(worths, count, sizeof(*worths), by_worth);
	for (size_t i = 0; i < count / 2; i++) {
		struct worth first = worths[i];

		worths[i] = worths[count - 1 - i];
		worths[count - 1 - i] = first;
	}
	return count;
}

void timing_advance(struct timing *timing, double seconds)
{
	timing->seconds = seconds;
}

size_t timing_review(struct timing *timing, uint32_t *groups, size_t room)
{
	double budget = budget_of(timing), grace = timing->recent_from > 0 ? LATER_GRACE : GRACE;
	double spent = (double)timing->recent_events * timing->options.cost;
	double elapsed = timing->seconds - timing->recent_from, without = fmax(elapsed - spent, elapsed * LEAST), rate;
	struct worth *worths;
	size_t count, chosen = 0;

	if (timing->options.overhead.mode != OVERHEAD_AUTO || without <= 0 || spent <= budget * (without + grace))
		return 0;
	rate = spent / without;
	worths = calloc(timing->plan->group_count, sizeof(*worths));
	count = worths ? recent_worths(timing, without, worths) : 0;
	for (size_t i = 0; i < count && chosen + 1 < room && rate > AIM * budget; i++) {
		rate -= cost_of(timing, &worths[i]);
		timing->states[worths[i].group] = TIMING_LET_GO;
		timing->let_go_at[worths[i].group] = timing->seconds;
		groups[chosen++] = worths[i].group;
	}
	free(worths);
	if (chosen < room && keep_hashing_named(timing))
		groups[chosen++] = GROUP_HASHING;
	if (chosen) {
		memset(timing->recent, 0, item_count(timing->plan) * sizeof(*timing->recent));
		timing->recent_events = 0;
		timing->recent_from = timing->seconds;
	}
	return chosen;
}

enum timing_state timing_state(const struct timing *timing, size_t item)
{
	return timing->wanted[item] ? timing->states[item_group(timing->plan, item)] : TIMING_NOT_ASKED;
}

/* For how many seconds of compiling an item was timed. */
static double timed_seconds(const struct timing *timing, size_t item)
{
	uint32_t group = item_group(timing->plan, item);

	switch (timing->states[group]) {
	case TIMING_TIMED:
		return timing->seconds;
	case TIMING_LET_GO:
		return timing->let_go_at[group];
	default:
		return 0;
	}
}

struct untimed_share timing_untimed_share(const struct timing *timing)
{
	struct untimed_share share = {0};
	double events = 0, self = 0;

	for (size_t i = 0; i < item_count(timing->plan); i++) {
		double missing = timing->seconds - timed_seconds(timing, i);
		struct worth worth = item_worth(timing, i);

		if (timing_state(timing, i) == TIMING_NOT_ASKED)
			continue;
		share.events += worth.events * missing;
		share.self += worth.self * missing;
		events += (double)timing->seen[i].events;
		self += (double)timing->seen[i].self / 1e9;
	}
	/* The missing self time is in that of the callers. */
	share.self = share.self < self ? share.self / self : self > 0;
	share.events = events > 0 ? share.events / (share.events + events) : 0;
	return share;
}

struct item_sum *timing_seen(const struct timing *timing)
{
	double spent = (double)timing->event_count * timing->options.cost;
	double without = timing->seconds > spent ? (timing->seconds - spent) / timing->seconds : 1;
	struct item_sum *sums;

	if (timing->options.overhead.mode == OVERHEAD_COUNTS || timing->options.overhead.mode == OVERHEAD_SAMPLE ||
	    timing->options.overhead.queries || timing->seconds <= 0)
		return NULL;
	sums = calloc(item_count(timing->plan), sizeof(*sums));
	for (size_t i = 0; sums && i < item_count(timing->plan); i++)
		sums[i] = (struct item_sum){timed_seconds(timing, i) * without, (double)timing->seen[i].events,
					    (double)timing->seen[i].self / 1e9};
	return sums;
}
