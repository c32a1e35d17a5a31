/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What earlier recordings of a compiler have shown: how often each of its queries and activities comes, and how long
 * they take themselves. Kept beside the cached plan; before the first recording it is what is typical of rustc.
 */
#ifndef QUERYTAP_COLLECT_EXPERIENCE_H
#define QUERYTAP_COLLECT_EXPERIENCE_H

#include "compiler/compiler.h"
#include "util/identity.h"

/* What was seen of an item in that many seconds of compiling, for which it was timed. */
struct item_sum {
	double seconds;
	double events;
	double self; /* seconds */
};

/*
 * The experience with the plan's compiler from the folder `cache` (NULL for none) on top of what is typical: an array
 * with an element for each item, to be freed with free(). A file that is damaged is as good as none. NULL if out of
 * memory.
 */
struct item_sum *experience_load(const struct plan *plan, const char *cache);

/*
 * Adds what a recording has seen to the folder's file, owned by `owner`. Older experience fades: no more than ten
 * minutes of compiling count. A file that cannot be written is no error: it is the same work again the next time.
 */
void experience_store(const struct plan *plan, const char *cache, const struct identity *owner,
		      const struct item_sum *seen);

/* What is typical of an item: events in 1,000 seconds of compiling, and self time of one in nanoseconds. */
struct typical {
	enum event_class event;
	const char *label;
	unsigned int rate;
	unsigned int self_ns;
};

extern const struct typical typical_items[];
extern const size_t typical_count;

#endif
