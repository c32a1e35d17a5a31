/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/off_cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int out_of_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory while summing up absences");
}

/* Makes room for one more item, zeroed. Returns false if memory runs out. */
static bool grow(void **items, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	char *grown;

	if (count < *room)
		return true;
	grown = reallocarray(*items, more, size);
	if (!grown)
		return false;
	memset(grown + count * size, 0, (more - count) * size);
	*items = grown;
	*room = more;
	return true;
}

/* The index of the label's row; INTERN_FAILED if memory runs out. */
static uint32_t row_of(struct off_cpu *sums, const char *label)
{
	uint32_t number;

	if (!grow((void **)&sums->rows, sums->row_count, &sums->row_room, sizeof(*sums->rows)))
		return INTERN_FAILED;
	number = intern_text(&sums->labels, label);
	if (number != INTERN_FAILED && number == sums->row_count)
		sums->rows[sums->row_count++].label = intern_get(&sums->labels, number);
	return number;
}

int off_cpu_add_profile(struct off_cpu *sums, const struct summary *summary, struct error *err)
{
	for (size_t i = 0; i < summary->row_count; i++) {
		uint32_t row = row_of(sums, summary->rows[i].label);

		if (row == INTERN_FAILED)
			return out_of_memory(err);
		sums->rows[row].self_ns += summary->rows[i].self_ns;
		sums->rows[row].total_ns += summary->rows[i].total_ns;
		sums->rows[row].invocations += summary->rows[i].invocations;
	}
	return 0;
}

/* ---- absences ---- */

/* The samples in hand. */
struct pass {
	const struct samples *samples;
	uint32_t *rows;			     /* of each frame; INTERN_FAILED until it is asked for */
	uint64_t (*stacks)[SAMPLES_REASONS]; /* what each stack was off the CPU */
	size_t *seen;			     /* the last stack that each row was counted for, as a total */
};

bool off_cpu_in_scope(const struct samples *samples, uint32_t thread, uint64_t time, const struct off_cpu_scope *scope)
{
	time += samples->began;
	return samples->threads[thread].pid == scope->pid && time >= scope->from && time < scope->to;
}

/* The row of a frame: profiles have what else happens with a query under the query's own label. */
static uint32_t row_of_frame(struct off_cpu *sums, const struct samples_frame *frame)
{
	const char *behind = frame->kind == SAMPLES_ACTIVITY ? strstr(frame->name, " (") : NULL;
	uint32_t row = INTERN_FAILED;
	char *label;

	if (!behind)
		return row_of(sums, frame->name);
	label = strndup(frame->name, (size_t)(behind - frame->name));
	if (label)
		row = row_of(sums, label);
	free(label);
	return row;
}

static bool find_rows(struct off_cpu *sums, struct pass *pass, uint32_t stack)
{
	const struct samples *samples = pass->samples;

	for (; stack; stack = samples->stacks[stack].parent) {
		uint32_t *row = &pass->rows[samples->stacks[stack].frame];

		if (*row == INTERN_FAILED)
			*row = row_of_frame(sums, &samples->frames[samples->stacks[stack].frame]);
		if (*row == INTERN_FAILED)
			return false;
	}
	return true;
}

static void add(uint64_t to[SAMPLES_REASONS], const uint64_t off[SAMPLES_REASONS])
{
	for (size_t i = 0; i < SAMPLES_REASONS; i++)
		to[i] += off[i];
}

/* Hands a stack's absences to its rows, which are there. */
static void add_stack(struct off_cpu *sums, struct pass *pass, uint32_t number)
{
	const struct samples *samples = pass->samples;
	const uint64_t *off = pass->stacks[number];

	add(number ? sums->rows[pass->rows[samples->stacks[number].frame]].self_off : sums->outside, off);
	for (uint32_t stack = number; stack; stack = samples->stacks[stack].parent) {
		uint32_t row = pass->rows[samples->stacks[stack].frame];

		if (pass->seen[row] != number)
			add(sums->rows[row].total_off, off);
		pass->seen[row] = number;
	}
}

static bool add_stacks(struct off_cpu *sums, struct pass *pass)
{
	const struct samples *samples = pass->samples;

	for (uint32_t i = 1; i < samples->stack_count; i++)
		if (off_cpu_all(pass->stacks[i]) && !find_rows(sums, pass, i))
			return false;
	pass->seen = calloc(sums->row_count + 1, sizeof(*pass->seen));
	for (uint32_t i = 0; pass->seen && i < samples->stack_count; i++)
		if (off_cpu_all(pass->stacks[i]))
			add_stack(sums, pass, i);
	return pass->seen;
}

static bool add_threads(struct off_cpu *sums, const struct samples *samples, const struct off_cpu_scope *scope)
{
	for (size_t i = 0; i < samples->times_count; i++) {
		const struct samples_times *times = &samples->times[i];

		if (!off_cpu_in_scope(samples, times->thread, times->start, scope))
			continue;
		if (!grow((void **)&sums->threads, sums->thread_count, &sums->thread_room, sizeof(*sums->threads)))
			return false;
		sums->threads[sums->thread_count++] = (struct off_cpu_thread){&samples->threads[times->thread], times};
	}
	return true;
}

int off_cpu_add_absences(struct off_cpu *sums, const struct samples *samples, const struct off_cpu_scope *scope,
			 struct error *err)
{
	struct pass pass = {.samples = samples};
	bool done = false;

	pass.rows = malloc((samples->frame_count + 1) * sizeof(*pass.rows));
	pass.stacks = calloc(samples->stack_count, sizeof(*pass.stacks));
	if (pass.rows && pass.stacks) {
		memset(pass.rows, 0xff, (samples->frame_count + 1) * sizeof(*pass.rows));
		for (size_t i = 0; i < samples->absence_count; i++) {
			const struct samples_absence *absence = &samples->absences[i];

			if (off_cpu_in_scope(samples, absence->thread, absence->time, scope))
				pass.stacks[absence->stack][absence->reason] += absence->length;
		}
		done = add_stacks(sums, &pass) && add_threads(sums, samples, scope);
	}
	sums->lost = samples->absences_lost;
	free(pass.rows);
	free(pass.stacks);
	free(pass.seen);
	return done ? 0 : out_of_memory(err);
}

/* ---- the whole ---- */

static int by_self(const void *left, const void *right)
{
	const struct off_cpu_row *a = left, *b = right;

	if (a->self_ns != b->self_ns)
		return a->self_ns < b->self_ns ? 1 : -1;
	return strcmp(a->label, b->label);
}

static int by_length(const void *left, const void *right)
{
	const struct off_cpu_thread *a = left, *b = right;
	uint64_t first = a->times->end - a->times->start, second = b->times->end - b->times->start;

	if (first != second)
		return first < second ? 1 : -1;
	return (a->thread->tid > b->thread->tid) - (a->thread->tid < b->thread->tid);
}

void off_cpu_sort(struct off_cpu *sums)
{
	if (sums->row_count)
		qsort(sums->rows, sums->row_count, sizeof(*sums->rows), by_self);
	if (sums->thread_count)
		qsort(sums->threads, sums->thread_count, sizeof(*sums->threads), by_length);
}

uint64_t off_cpu_all(const uint64_t off[SAMPLES_REASONS])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SAMPLES_REASONS; i++)
		sum += off[i];
	return sum;
}

uint64_t off_cpu_asleep(const uint64_t off[SAMPLES_REASONS])
{
	return off[SAMPLES_ASLEEP];
}

uint64_t off_cpu_preempted(const uint64_t off[SAMPLES_REASONS])
{
	return off[SAMPLES_PREEMPTED];
}

uint64_t off_cpu_blocked(const uint64_t off[SAMPLES_REASONS])
{
	return off_cpu_all(off) - off_cpu_asleep(off) - off_cpu_preempted(off);
}

uint64_t off_cpu_rest(uint64_t time, const uint64_t off[SAMPLES_REASONS])
{
	uint64_t absent = off_cpu_all(off);

	return time > absent ? time - absent : 0;
}

void off_cpu_free(struct off_cpu *sums)
{
	free(sums->rows);
	free(sums->threads);
	intern_free(&sums->labels);
	*sums = (struct off_cpu){0};
}
