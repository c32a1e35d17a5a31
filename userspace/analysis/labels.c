/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LABEL_BYTES ((size_t)256 << 20)

void labels_begin(struct labels *labels, const struct mmp_reader *profile, const char *purpose,
		  const struct label *blank, size_t size, struct error *err)
{
	labels->profile = profile;
	labels->purpose = purpose;
	labels->blank = blank;
	labels->size = size;
	labels->err = err;
}

int labels_out_of_memory(const struct labels *labels)
{
	return error_set(labels->err, ENOMEM, "%s: out of memory %s", mmp_path(labels->profile), labels->purpose);
}

/* NULL if out of memory. */
static struct label *add_label(struct labels *labels, const struct mmp_text *text)
{
	struct label *label = malloc(labels->size);

	if (!label)
		return NULL;
	memcpy(label, labels->blank, labels->size);
	label->text = strndup(text->bytes, text->size);
	label->index = (uint32_t)labels_count(labels);
	if (label->text)
		HASH_ADD_KEYPTR(hh, labels->first, label->text, text->size, label);
	if (!label->hh.tbl) {
		free(label->text);
		free(label);
		return NULL;
	}
	labels->bytes += text->size;
	return label;
}

struct label *labels_look_up(struct labels *labels, uint64_t key, int *rc)
{
	struct label *label = NULL;
	struct mmp_error err;
	struct mmp_text text;

	*rc = mmp_label_of(labels->profile, key, &labels->buffer, &text, &err);
	if (*rc) {
		error_set(labels->err, *rc, "%s", err.text);
		return NULL;
	}
	HASH_FIND(hh, labels->first, text.bytes, text.size, label);
	if (!label && labels->bytes > MAX_LABEL_BYTES) {
		*rc = error_set(labels->err, E2BIG, "%s: its labels need more than %zu MiB; it may be damaged",
				mmp_path(labels->profile), MAX_LABEL_BYTES >> 20);
		return NULL;
	}
	if (!label)
		label = add_label(labels, &text);
	if (!label)
		*rc = labels_out_of_memory(labels);
	return label;
}

void labels_free(struct labels *labels)
{
	struct label *label = labels->first, *next;

	/* Clearing a table leaves its elements linked. */
	HASH_CLEAR(hh, labels->first);
	for (; label; label = next) {
		next = label->hh.next;
		free(label->text);
		free(label);
	}
	mmp_buffer_free(&labels->buffer);
}
