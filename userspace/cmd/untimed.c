/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/untimed.h"

#include <string.h>

static void print_overhead(const json_t *overhead, bool estimated, FILE *out)
{
	const char *mode = json_string_value(json_object_get(overhead, "mode"));
	size_t untimed = json_array_size(json_object_get(overhead, "untimed"));
	size_t let_go = json_array_size(json_object_get(overhead, "let_go"));

	if (mode && !strcmp(mode, "counts"))
		fprintf(out, "Events were counted, not timed (--overhead counts).\n");
	if (!untimed && !let_go)
		return;
	fprintf(out, "To keep the overhead low, %zu queries and activities were left untimed%s", untimed + let_go,
		let_go ? ", some of them from a point on: their counts are not whole" : "");
	fprintf(out,
		". Up to %.0f%% of all events and %.0f%% of the self time are theirs%s. --overhead exact times all.\n",
		100 * json_number_value(json_object_get(overhead, "untimed_events")),
		100 * json_number_value(json_object_get(overhead, "untimed_self_time")),
		estimated ? "; --measured leaves that in what called them" : ", which is in what called them");
}

static void add_names(struct untimed_labels *labels, const json_t *names)
{
	size_t i;
	const json_t *name;

	json_array_foreach(names, i, name)
	{
		if (!labels->names)
			labels->names = json_object();
		json_object_set_new(labels->names, json_string_value(name), json_true());
	}
}

void untimed_add(struct untimed_labels *labels, const struct mmp_reader *profile)
{
	const char *text = mmp_metadata(profile)->querytap;
	json_t *own = text ? json_loads(text, 0, NULL) : NULL;
	const json_t *overhead = json_object_get(own, "overhead");

	add_names(labels, json_object_get(overhead, "untimed"));
	add_names(labels, json_object_get(overhead, "let_go"));
	json_decref(own);
}

void untimed_free(struct untimed_labels *labels)
{
	json_decref(labels->names);
	labels->names = NULL;
}

static size_t count_missing(const struct untimed_labels *from, const struct untimed_labels *in)
{
	const char *name;
	json_t *value;
	size_t count = 0;

	json_object_foreach(from->names, name, value) count += !json_object_get(in->names, name);
	return count;
}

void untimed_warn(const struct untimed_labels *base, const struct untimed_labels *change)
{
	size_t count = count_missing(base, change) + count_missing(change, base);

	if (count)
		fprintf(stderr,
			"querytap: %zu queries and activities were timed on one side only, to keep the overhead low: "
			"neither "
			"their times nor those of what calls them compare (record both sides with --overhead exact)\n",
			count);
}

void untimed_print(const struct mmp_reader *profile, bool estimated, FILE *out)
{
	const char *text = mmp_metadata(profile)->querytap;
	json_t *own = text ? json_loads(text, 0, NULL) : NULL;

	print_overhead(json_object_get(own, "overhead"), estimated, out);
	json_decref(own);
}
