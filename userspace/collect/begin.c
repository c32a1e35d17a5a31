/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* How a recording begins. */
#include <errno.h>
#include <stdio.h>

#include "collect/collect.h"
#include "collect/internal.h"

/* Where the cost of probes cannot be measured, for a machine that is too busy, times include it. */
static int compensate_cost(struct collector *collector, const struct collect_options *options,
			   void (*say)(void *context, const char *sentence), struct error *err)
{
	char sentence[sizeof(err->text) + 32];
	struct probe_cost cost;
	int code = cost_find(collector, &cost, err);

	if (code < 0 && code != -EIO)
		return code;
	if (code < 0) {
		snprintf(sentence, sizeof(sentence), "%s: times include it", err->text);
		if (say)
			say(options->context, sentence);
	}
	collector_compensate(collector, &cost);
	return 0;
}

int collector_begin(const struct collect_options *options, bool compensate,
		    void (*say)(void *context, const char *sentence), struct collector **out, struct error *err)
{
	int code = collector_open(options, out, err);

	if (code < 0)
		return code;
	if (!options->sink && collector_events(*out) != options->events && say)
		say(options->context, "sizes of artifacts are not recorded: this kernel does not show system calls "
				      "(CONFIG_FTRACE_SYSCALLS)");
	if (compensate && options->overhead.mode != OVERHEAD_SAMPLE)
		code = compensate_cost(*out, options, say, err);
	if (code == 0 && collector_method(*out) == ATTACH_PERF && say)
		say(options->context, "probes are attached one by one: letting go of them at the end takes up to a "
				      "minute (Linux 6.6 and newer do it at once)");
	if (code < 0) {
		collector_free(*out);
		*out = NULL;
	}
	return code;
}
