/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A build's processes in time: lanes, the longest chain, how many ran at once, and sums over all of them. */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A process and when it starts or ends, to be sorted. */
struct moment {
	uint64_t time;
	size_t process;
	bool is_end;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory while laying out the build");
}

/* By time; what ends leaves before what starts. Every process has a length. */
static int by_time(const void *left, const void *right)
{
	const struct moment *a = left, *b = right;

	if (a->time != b->time)
		return a->time > b->time ? 1 : -1;
	if (a->is_end != b->is_end)
		return a->is_end ? -1 : 1;
	return (a->process > b->process) - (a->process < b->process);
}

/* The starts and ends of all processes in the order of time; NULL if out of memory. */
static struct moment *make_moments(const struct build *build)
{
	struct moment *moments = calloc(2 * build->process_count + 1, sizeof(*moments));

	if (!moments)
		return NULL;
	for (size_t i = 0; i < build->process_count; i++) {
		moments[2 * i] = (struct moment){build->processes[i].start_ns, i, false};
		moments[2 * i + 1] = (struct moment){build->processes[i].end_ns, i, true};
	}
	qsort(moments, 2 * build->process_count, sizeof(*moments), by_time);
	return moments;
}

/* Gives each process the lowest lane that is free. */
static int choose_lanes(struct build *build, const struct moment *moments)
{
	bool *taken = calloc(build->process_count + 1, sizeof(*taken));

	if (!taken)
		return -ENOMEM;
	for (size_t i = 0; i < 2 * build->process_count; i++) {
		struct build_process *process = &build->processes[moments[i].process];
		size_t lane = 0;

		if (moments[i].is_end) {
			taken[process->lane] = false;
			continue;
		}
		while (taken[lane])
			lane++;
		taken[lane] = true;
		process->lane = lane;
		if (lane >= build->lane_count)
			build->lane_count = lane + 1;
	}
	free(taken);
	return 0;
}

static int count_running(struct build *build, const struct moment *moments)
{
	size_t running = 0;

	build->steps = calloc(2 * build->process_count + 1, sizeof(*build->steps));
	if (!build->steps)
		return -ENOMEM;
	for (size_t i = 0; i < 2 * build->process_count; i++) {
		running += moments[i].is_end ? -1 : 1;
		if (!build->step_count || build->steps[build->step_count - 1].time_ns != moments[i].time)
			build->step_count++;
		build->steps[build->step_count - 1] = (struct build_step){moments[i].time, running};
	}
	return 0;
}

/* What is known of the chains that end with a process. */
struct link {
	size_t previous; /* process_count: none */
	uint64_t covered_ns;
};

/* Walking through time, the longest chain that has ended is what a process that starts may follow. */
static int find_chain(struct build *build, const struct moment *moments)
{
	size_t none = build->process_count, best = none;
	struct link *links = calloc(none + 1, sizeof(*links));

	build->chain = calloc(none + 1, sizeof(*build->chain));
	if (!build->chain || !links) {
		free(links);
		return -ENOMEM;
	}
	for (size_t i = 0; i < 2 * build->process_count; i++) {
		size_t process = moments[i].process;
		const struct build_process *place = &build->processes[process];

		if (!moments[i].is_end)
			links[process] = (struct link){best, links[best].covered_ns + place->end_ns - place->start_ns};
		else if (links[process].covered_ns > links[best].covered_ns)
			best = process;
	}
	build->chain_ns = links[best].covered_ns;
	for (size_t process = best; process != none; process = links[process].previous)
		build->chain_count++;
	for (size_t process = best, i = build->chain_count; process != none; process = links[process].previous) {
		build->chain[--i] = process;
		build->processes[process].in_chain = true;
	}
	free(links);
	return 0;
}

static int by_label(const void *left, const void *right)
{
	return strcmp(((const struct build_total *)left)->label, ((const struct build_total *)right)->label);
}

static int by_self_time(const void *left, const void *right)
{
	const struct build_total *a = left, *b = right;

	if (a->self_ns != b->self_ns)
		return a->self_ns > b->self_ns ? -1 : 1;
	return strcmp(a->label, b->label);
}

static int add_up(struct build *build, const struct build_input *inputs)
{
	size_t count = 0, distinct = 0;
	struct build_total *totals;

	for (size_t i = 0; i < build->process_count; i++)
		count += inputs[i].summary->row_count;
	totals = build->totals = calloc(count + 1, sizeof(*totals));
	if (!totals)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < build->process_count; i++) {
		const struct summary *summary = inputs[i].summary;

		build->cpu_ns += summary->cpu_ns;
		for (size_t j = 0; j < summary->row_count; j++) {
			const struct summary_row *row = &summary->rows[j];

			totals[count++] = (struct build_total){
			    row->label, row->self_ns, row->total_ns, row->invocations, row->cache_hits, 1, 0};
		}
	}
	qsort(totals, count, sizeof(*totals), by_label);
	for (size_t i = 0; i < count; i++) {
		struct build_total *last = &totals[distinct - 1];

		if (!distinct || strcmp(last->label, totals[i].label) != 0) {
			totals[distinct++] = totals[i];
			continue;
		}
		last->self_ns += totals[i].self_ns;
		last->total_ns += totals[i].total_ns;
		last->invocations += totals[i].invocations;
		last->cache_hits += totals[i].cache_hits;
		last->processes++;
	}
	for (size_t i = 0; i < distinct && build->cpu_ns; i++)
		totals[i].share = (double)totals[i].self_ns / (double)build->cpu_ns * 100;
	qsort(totals, distinct, sizeof(*totals), by_self_time);
	build->total_count = distinct;
	return 0;
}

/* Times since the build's start. A process without events is given a nanosecond, so that it has a place. */
static int take_inputs(const struct build_input *inputs, size_t count, struct build *build, struct error *err)
{
	build->processes = calloc(count + 1, sizeof(*build->processes));
	if (!build->processes)
		return -ENOMEM;
	build->start_ns = count ? inputs[0].start_ns : 0;
	for (size_t i = 0; i < count; i++) {
		if (inputs[i].end_ns < inputs[i].start_ns)
			return error_set(err, EINVAL, "process %zu of the build ends before it starts", i);
		if (inputs[i].start_ns < build->start_ns)
			build->start_ns = inputs[i].start_ns;
	}
	for (size_t i = 0; i < count; i++) {
		struct build_process *process = &build->processes[i];
		uint64_t length = inputs[i].end_ns - inputs[i].start_ns;

		process->start_ns = inputs[i].start_ns - build->start_ns;
		process->end_ns = process->start_ns + (length ? length : 1);
		build->busy_ns += process->end_ns - process->start_ns;
		if (process->end_ns > build->wall_ns)
			build->wall_ns = process->end_ns;
	}
	build->process_count = count;
	return 0;
}

int build_lay_out(const struct build_input *inputs, size_t count, struct build *build, struct error *err)
{
	struct moment *moments = NULL;
	int rc;

	*build = (struct build){0};
	rc = take_inputs(inputs, count, build, err);
	if (!rc) {
		moments = make_moments(build);
		rc = moments ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = choose_lanes(build, moments);
	if (!rc)
		rc = count_running(build, moments);
	if (!rc)
		rc = find_chain(build, moments);
	if (!rc)
		rc = add_up(build, inputs);
	free(moments);
	if (rc == -ENOMEM)
		out_of_memory(err);
	if (rc)
		build_free(build);
	return rc;
}

void build_widen(struct build *build, const struct recorded_build *recorded)
{
	uint64_t shift;

	if (!recorded->count)
		return;
	if (recorded->start_ns < build->start_ns) {
		shift = build->start_ns - recorded->start_ns;
		build->start_ns = recorded->start_ns;
		build->wall_ns += shift;
		for (size_t i = 0; i < build->process_count; i++) {
			build->processes[i].start_ns += shift;
			build->processes[i].end_ns += shift;
		}
		for (size_t i = 0; i < build->step_count; i++)
			build->steps[i].time_ns += shift;
	}
	if (recorded->end_ns > build->start_ns + build->wall_ns)
		build->wall_ns = recorded->end_ns - build->start_ns;
}

void build_free(struct build *build)
{
	free(build->processes);
	free(build->chain);
	free(build->steps);
	free(build->totals);
	*build = (struct build){0};
}
