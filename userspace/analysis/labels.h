/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: the labels of a profile's events, and whatever an analysis keeps of each. */
#ifndef QUERYTAP_ANALYSIS_LABELS_H
#define QUERYTAP_ANALYSIS_LABELS_H

#include "analysis/analysis.h"

/* uthash exits when out of memory unless told otherwise; an element that could not be added has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define RECENT_LABELS 1024

/* What an analysis keeps of a label begins with this. */
struct label {
	char *text;	/* an analysis that takes it over leaves NULL */
	uint32_t index; /* labels are counted as they are found */
	UT_hash_handle hh;
};

/* Begun with labels_begin, freed with labels_free; zeroed, it may be freed too. */
struct labels {
	const struct mmp_reader *profile;
	const char *purpose;
	const struct label *blank;
	size_t size;
	struct error *err;
	struct label *first; /* of all, in the order of their indices; hh.next of each is the next one */
	size_t bytes;	     /* of all texts */
	struct mmp_buffer buffer;
	/* Labels found lately, by their key. */
	struct {
		uint64_t key;
		struct label *label;
	} recent[RECENT_LABELS];
};

/*
 * `purpose` says what memory is needed for, as in "while summarizing". A new label is a copy of `blank`, which has
 * `size` bytes, but for what is in struct label. Borrows all but the numbers; *labels is zeroed before.
 */
void labels_begin(struct labels *labels, const struct mmp_reader *profile, const char *purpose,
		  const struct label *blank, size_t size, struct error *err);

/* Sets the error of an analysis that is out of memory, and returns -ENOMEM. */
int labels_out_of_memory(const struct labels *labels);

/* The label with a key (mmp_label_key) that is not among the recent ones. Otherwise as labels_find. */
struct label *labels_look_up(struct labels *labels, uint64_t key, int *rc);

/*
 * The label of an event id. NULL on failure: then *rc is -EINVAL on a damaged string, -ENOMEM, or -E2BIG if the labels
 * need more than 256 MiB.
 */
static inline struct label *labels_find(struct labels *labels, uint64_t id, int *rc)
{
	uint64_t key = mmp_label_key(labels->profile, id);
	size_t slot = (key >> 3 ^ key >> 13) % RECENT_LABELS;

	if (labels->recent[slot].label && labels->recent[slot].key == key)
		return labels->recent[slot].label;
	labels->recent[slot].label = labels_look_up(labels, key, rc);
	labels->recent[slot].key = key;
	return labels->recent[slot].label;
}

static inline size_t labels_count(const struct labels *labels)
{
	return HASH_COUNT(labels->first);
}

/* Frees the labels with their texts, not the struct. */
void labels_free(struct labels *labels);

#endif
