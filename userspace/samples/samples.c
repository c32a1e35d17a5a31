/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stdlib.h>

#include "samples/private.h"

static const char *const reason_names[] = {
    [SAMPLES_PREEMPTED] = "preempted", [SAMPLES_FUTEX] = "futex", [SAMPLES_PAGE_IN] = "page-in",
    [SAMPLES_PIPE] = "pipe",	       [SAMPLES_CHILD] = "child", [SAMPLES_ASLEEP] = "asleep",
    [SAMPLES_FILE_IO] = "file-io",     [SAMPLES_OTHER] = "other",
};

const char *samples_reason_name(enum samples_reason reason)
{
	return (size_t)reason < SAMPLES_REASONS ? reason_names[reason] : "unknown";
}

static const char *tables_fault(const struct samples *samples)
{
	for (size_t i = 0; i < samples->frame_count; i++)
		if ((unsigned int)samples->frames[i].kind >= SAMPLES_FRAME_KINDS)
			return "a frame is of no known kind";
	if (!samples->stack_count)
		return "there is no empty stack";
	for (size_t i = 1; i < samples->stack_count; i++) {
		if (samples->stacks[i].parent >= i)
			return "a stack's parent does not stand before it";
		if (samples->stacks[i].frame >= samples->frame_count)
			return "a stack has a frame that is not there";
	}
	return NULL;
}

static const char *times_fault(const struct samples_times *times, size_t threads)
{
	uint64_t left;

	if (times->thread >= threads)
		return "times are of a thread that is not there";
	if (times->end < times->start)
		return "a thread ends before it starts";
	left = times->end - times->start;
	for (size_t i = 0; i < SAMPLES_REASONS; i++) {
		if (times->off[i] > left)
			return "a thread is off the CPU for longer than it is there";
		left -= times->off[i];
	}
	return NULL;
}

const char *samples_fault(const struct samples *samples)
{
	const char *fault = tables_fault(samples);

	for (size_t i = 0; i < samples->sample_count && !fault; i++) {
		const struct samples_sample *sample = &samples->samples[i];

		if (i && sample->time < sample[-1].time)
			fault = "samples do not stand in the order of their times";
		else if (sample->thread >= samples->thread_count)
			fault = "a sample is of a thread that is not there";
		else if (sample->stack >= samples->stack_count)
			fault = "a sample has a stack that is not there";
		else if (sample->flags & ~(SAMPLES_KERNEL | SAMPLES_INCOMPLETE | SAMPLES_FAULT) ||
			 (sample->flags & (SAMPLES_KERNEL | SAMPLES_FAULT)) == SAMPLES_FAULT)
			fault = "a sample has a flag that is not known";
	}
	for (size_t i = 0; i < samples->absence_count && !fault; i++) {
		const struct samples_absence *absence = &samples->absences[i];

		if (i && absence->time < absence[-1].time)
			fault = "absences do not stand in the order of their times";
		else if (absence->length > UINT64_MAX - absence->time)
			fault = "an absence does not end";
		else if (absence->thread >= samples->thread_count)
			fault = "an absence is of a thread that is not there";
		else if (absence->stack >= samples->stack_count)
			fault = "an absence has a stack that is not there";
		else if ((unsigned int)absence->reason >= SAMPLES_REASONS)
			fault = "an absence has a reason that is not known";
	}
	for (size_t i = 0; i < samples->times_count && !fault; i++)
		fault = times_fault(&samples->times[i], samples->thread_count);
	return fault;
}

void samples_free(struct samples *samples)
{
	if (!samples)
		return;
	for (size_t i = 0; samples->frames && i < samples->frame_count; i++) {
		free(samples->frames[i].name);
		free(samples->frames[i].object);
	}
	for (size_t i = 0; samples->threads && i < samples->thread_count; i++) {
		free(samples->threads[i].process);
		free(samples->threads[i].name);
	}
	free(samples->frames);
	free(samples->stacks);
	free(samples->threads);
	free(samples->samples);
	free(samples->absences);
	free(samples->times);
	free(samples);
}
