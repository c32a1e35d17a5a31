/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a recording's samples are written as. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/internal.h"
#include "samples/samples.h"
#include "util/path.h"

void collector_samples(const struct collector *collector, struct collect_samples *samples)
{
	memset(samples, 0, sizeof(*samples));
	if (collector->sampler)
		sampler_totals(collector->sampler, samples);
}

void collector_absences(const struct collector *collector, struct collect_absences *absences)
{
	memset(absences, 0, sizeof(*absences));
	if (collector->absences)
		absences_totals(collector->absences, collector->bpf->bss->lost_absences, absences);
}

/* A frame of the shadow stack: a query that runs, what else happens with one, or another activity. */
static void name_frame(void *context, unsigned int compiler, unsigned int number, struct samples_frame *frame)
{
	static const char *const happens[] = {"", " (load)", " (hashing)", " (blocked)"};
	const struct collector *collector = context;
	const struct plan *plan = compiler < collector->compiler_count ? collector->compilers[compiler].plan : NULL;
	const char *label = "unknown", *what = "";
	unsigned int query = number & 0xfff;

	if (plan && number >= WIRE_ACTIVITIES && number - WIRE_ACTIVITIES < plan->activity_count)
		label = plan->activities[number - WIRE_ACTIVITIES].label;
	if (number < WIRE_ACTIVITIES)
		what = happens[number >> 12];
	if (plan && number < WIRE_ACTIVITIES && query > 0 && query <= plan->query_count)
		label = plan->queries[query - 1].name;
	frame->kind = number < WIRE_ACTIVITIES && !*what ? SAMPLES_QUERY : SAMPLES_ACTIVITY;
	frame->object = strdup("");
	if (asprintf(&frame->name, "%s%s", label, what) < 0)
		frame->name = NULL;
}

static int name_places(void *context, struct place *list, size_t count)
{
	const struct collector *collector = context;

	return sampler_places(collector->sampler, list, count);
}

static int build(const struct collector *collector, struct samples **out)
{
	struct sampled_names names = {name_places, name_frame, (void *)collector};
	struct samples_builder *builder = samples_build_begin();
	uint64_t began = collector->sampler ? sampler_began(collector->sampler) : collector->began;
	struct collect_absences absences;
	struct samples *samples;
	int named = 0, code;

	*out = NULL;
	if (!builder)
		return -ENOMEM;
	if (collector->sampler)
		named = sampled_build(sampler_sampled(collector->sampler), &names, builder);
	if (collector->absences && named == 0)
		named = absences_build(collector->absences, began, &names, builder);
	code = samples_build_end(builder, &samples);
	if (named < 0 || code < 0) {
		samples_free(samples);
		return -ENOMEM;
	}
	samples->began = began + collector->place.realtime_offset;
	samples->duration = collector->ended - began;
	if (collector->sampler)
		sampler_describe(collector->sampler, samples);
	if (collector->absences) {
		collector_absences(collector, &absences);
		samples->absences_known = true;
		samples->absences_lost = absences.lost;
	}
	*out = samples;
	return 0;
}

int collector_write_samples(const struct collector *collector, const struct identity *owner, struct error *err)
{
	char *path = path_join(collector->directory, SAMPLES_FILE);
	struct samples *samples = NULL;
	int code = path ? build(collector, &samples) : -ENOMEM;

	if (code < 0)
		error_set(err, ENOMEM, "out of memory naming the functions of samples");
	else
		code = samples_write(samples, path, owner, err);
	samples_free(samples);
	free(path);
	return code;
}
