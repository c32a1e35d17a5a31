/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What can be told from a finished summary: its rows in another order, and the shares of hits; and a profile's counter.
 */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *profile_unit(const struct mmp_reader *profile)
{
	const struct mmp_counter *counter = &mmp_metadata(profile)->counter;

	if (strcmp(profile_counter(profile), MMP_COUNTER_WALL_TIME) == 0)
		return NULL;
	if (!counter->unit_count || counter->units[0].factor != 1)
		return counter->name;
	return strcmp(counter->units[0].name, "ns") == 0 ? NULL : counter->units[0].name;
}

const char *profile_counter(const struct mmp_reader *profile)
{
	const struct mmp_counter *counter = &mmp_metadata(profile)->counter;

	return counter->name ? counter->name : MMP_COUNTER_WALL_TIME;
}

int summary_same_counter(const struct summary *one, const struct summary *other, struct error *err)
{
	const char *counter = one->counter ? one->counter : MMP_COUNTER_WALL_TIME;
	const char *another = other->counter ? other->counter : MMP_COUNTER_WALL_TIME;

	if (strcmp(counter, another) == 0)
		return 0;
	return error_set(err, EINVAL, "the profiles cannot be compared: one counts %s, the other %s", counter, another);
}

static int by_number(uint64_t a, uint64_t b, const struct summary_row *left, const struct summary_row *right)
{
	if (a != b)
		return a > b ? -1 : 1;
	return strcmp(left->label, right->label);
}

#define COMPARE(name, field)                                    \
	static int name(const void *left, const void *right)    \
	{                                                       \
		const struct summary_row *a = left, *b = right; \
                                                                \
		return by_number(a->field, b->field, a, b);     \
	}

COMPARE(compare_self, self_ns)
COMPARE(compare_time, total_ns)
COMPARE(compare_span, span_ns)
COMPARE(compare_count, invocations)
COMPARE(compare_hits, cache_hits)
COMPARE(compare_blocked, blocked_ns)
COMPARE(compare_load, load_ns)
COMPARE(compare_hashing, hashing_ns)

static int compare_label(const void *left, const void *right)
{
	const struct summary_row *a = left, *b = right;

	return strcmp(a->label, b->label);
}

void summary_sort(struct summary *summary, enum summary_order order)
{
	static int (*const compare[])(const void *, const void *) = {
	    [SUMMARY_BY_SELF] = compare_self,	[SUMMARY_BY_TIME] = compare_time,
	    [SUMMARY_BY_SPAN] = compare_span,	[SUMMARY_BY_COUNT] = compare_count,
	    [SUMMARY_BY_HITS] = compare_hits,	[SUMMARY_BY_BLOCKED] = compare_blocked,
	    [SUMMARY_BY_LOAD] = compare_load,	[SUMMARY_BY_HASHING] = compare_hashing,
	    [SUMMARY_BY_LABEL] = compare_label,
	};

	qsort(summary->rows, summary->row_count, sizeof(*summary->rows), compare[order]);
}

static struct hit_rates rates(uint64_t hits, uint64_t loads, uint64_t runs)
{
	struct hit_rates rates = {.requests = hits + loads + runs};

	if (rates.requests) {
		rates.memory = (double)hits / (double)rates.requests * 100;
		rates.incremental = (double)loads / (double)rates.requests * 100;
	}
	return rates;
}

struct hit_rates summary_row_hits(const struct summary_row *row)
{
	return rates(row->cache_hits, row->loads, row->queries);
}

struct hit_rates summary_hits(const struct summary *summary)
{
	uint64_t hits = 0, loads = 0, runs = 0;

	for (size_t i = 0; i < summary->row_count; i++) {
		const struct summary_row *row = &summary->rows[i];

		hits += row->cache_hits;
		loads += row->loads;
		runs += row->queries;
	}
	return rates(hits, loads, runs);
}
