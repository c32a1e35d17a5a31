/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a recording's samples are written as. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/internal.h"
#include "util/path.h"

void collector_samples(const struct collector *collector, struct collect_samples *samples)
{
	memset(samples, 0, sizeof(*samples));
	if (collector->sampler)
		sampler_totals(collector->sampler, samples);
}

/* What a frame of the shadow stack is called: its label, and what happens with the query if it does not run. */
static char *frame_name(void *context, unsigned int compiler, unsigned int number)
{
	static const char *const happens[] = {"", " (load)", " (hashing)", " (blocked)"};
	const struct collector *collector = context;
	const struct plan *plan = compiler < collector->compiler_count ? collector->compilers[compiler].plan : NULL;
	const char *label = "unknown", *what = "";
	unsigned int query = number & 0xfff;
	char *name = NULL;

	if (plan && number >= WIRE_ACTIVITIES && number - WIRE_ACTIVITIES < plan->activity_count)
		label = plan->activities[number - WIRE_ACTIVITIES].label;
	if (number < WIRE_ACTIVITIES)
		what = happens[number >> 12];
	if (plan && number < WIRE_ACTIVITIES && query > 0 && query <= plan->query_count)
		label = plan->queries[query - 1].name;
	return asprintf(&name, "[%s%s]", label, what) < 0 ? NULL : name;
}

static char *place_name(void *context, unsigned int object, uint64_t offset)
{
	const struct collector *collector = context;

	return sampler_place(collector->sampler, object, offset);
}

int collector_write_samples(const struct collector *collector, const struct identity *owner, struct error *err)
{
	struct sampled_names names = {place_name, frame_name, (void *)collector};
	char *path = path_join(collector->directory, COLLECT_SAMPLES_FILE), *text = NULL;
	size_t size = 0;
	FILE *out = path ? open_memstream(&text, &size) : NULL;
	int code = out ? sampled_write(sampler_sampled(collector->sampler), &names, out) : -ENOMEM;

	if (out && fclose(out) != 0)
		code = -ENOMEM;
	if (code < 0)
		error_set(err, ENOMEM, "out of memory naming the functions of samples");
	else
		code = path_write_file(path, text, size, owner, err);
	free(text);
	free(path);
	return code;
}
