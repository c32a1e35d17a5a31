/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/untimed.h"

#include <jansson.h>
#include <string.h>

static void print_overhead(const json_t *overhead, FILE *out)
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
		". Up to %.0f%% of all events and %.0f%% of the self time are theirs, which is in what called them. "
		"--overhead exact times all.\n",
		100 * json_number_value(json_object_get(overhead, "untimed_events")),
		100 * json_number_value(json_object_get(overhead, "untimed_self_time")));
}

void untimed_print(const struct mmp_reader *profile, FILE *out)
{
	const char *text = mmp_metadata(profile)->querytap;
	json_t *own = text ? json_loads(text, 0, NULL) : NULL;

	print_overhead(json_object_get(own, "overhead"), out);
	json_decref(own);
}
