/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is said of a profile in its metadata. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "collect/items.h"
#include "collect/profile_private.h"

/* The command line as rustc's own profiles have it. Free with free(). */
static int command_text(const struct profile *profile, char **text, struct mmp_error *error)
{
	size_t count = 0, at = 0;
	const char **arguments = calloc(profile->args_length + 1, sizeof(*arguments));
	int code;

	if (!arguments)
		return -ENOMEM;
	while (at < profile->args_length) {
		arguments[count++] = profile->args + at;
		at += strlen(profile->args + at) + 1;
	}
	code = mmp_quote_command(count, arguments, text, error);
	free(arguments);
	return code;
}

/* The labels of what was asked for and has this state. */
static json_t *labels_with(const struct profile *profile, enum timing_state state)
{
	json_t *labels = json_array();

	for (size_t i = 0; i < item_count(profile->plan); i++)
		if (item_group(profile->plan, i) && timing_state(profile->timing, i) == state &&
		    (profile->place->events & COLLECT_EVENT(item_event(profile->plan, i))))
			json_array_append_new(labels, json_string(item_label(profile->plan, i)));
	return labels;
}

/* How much was timed, and what was not. */
static json_t *overhead_metadata(const struct profile *profile)
{
	static const char *const modes[] = {
	    [OVERHEAD_EXACT] = "exact", [OVERHEAD_AUTO] = "auto", [OVERHEAD_COUNTS] = "counts"};
	const struct overhead *overhead = &profile->place->overhead;
	struct untimed_share share = timing_untimed_share(profile->timing);
	json_t *object = json_pack("{s:s}", "mode", modes[overhead->mode]);

	if (overhead->queries)
		json_object_set_new(object, "queries", json_string(overhead->queries));
	if (overhead->mode != OVERHEAD_AUTO)
		return object;
	json_object_set_new(object, "budget", json_real(overhead->budget));
	json_object_set_new(object, "untimed", labels_with(profile, TIMING_UNTIMED));
	json_object_set_new(object, "let_go", labels_with(profile, TIMING_LET_GO));
	json_object_set_new(object, "untimed_events", json_real(share.events));
	json_object_set_new(object, "untimed_self_time", json_real(share.self));
	return object;
}

static char *own_metadata(const struct profile *profile, const struct wire_counts *counts)
{
	json_t *left_out = json_array(), *without = json_array();
	json_t *object;
	char *text;

	for (size_t i = 0; i < profile->plan->query_count; i++)
		if (profile->plan->queries[i].refusal)
			json_array_append_new(left_out, json_string(profile->plan->queries[i].name));
	for (size_t i = 0; i < profile->plan->omission_count; i++)
		json_array_append_new(without, json_string(profile->plan->omissions[i].label));
	object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:o}", "version",
			   QUERYTAP_VERSION, "compiler", profile->plan->version, "build_id", profile->plan->build_id,
			   "queries", (json_int_t)profile->queries, "others", (json_int_t)profile->others, "lost",
			   (json_int_t)counts->lost, "missed", (json_int_t)counts->missed, "unwound",
			   (json_int_t)counts->unwound, "truncated", (json_int_t)counts->truncated, "too_deep",
			   (json_int_t)counts->too_deep, "joined_running", profile->joined, "begun_before",
			   (json_int_t)profile->before, "left_out", left_out, "activities_left_out", without);
	if (object && profile->place->cpu_time)
		json_object_set_new(object, "unseen_switches", json_integer((json_int_t)counts->unseen));
	if (object)
		json_object_set_new(object, "overhead", overhead_metadata(profile));
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static const struct mmp_unit time_units[] = {{"ns", 1}, {"\xCE\xBCs", 1000}, {"ms", 1000000}, {"s", 1000000000}};

int profile_metadata(const struct profile *profile, const struct wire_counts *counts, char **text,
		     struct mmp_error *error)
{
	struct mmp_metadata metadata = {.start_time = profile->place->realtime_offset + profile->start,
					.process_id = profile->tgid};
	char *command = NULL, *own = own_metadata(profile, counts);
	int code = own ? command_text(profile, &command, error) : -ENOMEM;

	if (profile->place->cpu_time)
		metadata.counter = (struct mmp_counter){MMP_COUNTER_CPU_TIME, time_units, 4};
	if (code == 0) {
		metadata.cmd = command;
		metadata.querytap = own;
		code = mmp_metadata_text(&metadata, NULL, 0, text, error);
	}
	free(command);
	free(own);
	return code;
}
