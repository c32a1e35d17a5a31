/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/sampling.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/intern.h"

#define NO_FRAME UINT32_MAX

/* The standard normal distribution's quantile for 95 %. */
#define QUANTILE 1.959964

/* How many samples of a row, the last for those in none, are in a function. */
struct use {
	uint32_t row, frame;
	uint64_t samples;
};

struct counts {
	uint64_t self, kernel, faults;
};

/* What the pid and the name of a process say of it. */
struct process {
	const char *name;
	bool compiles;
};

struct state {
	const struct samples *samples;
	struct sampling *out;
	uint32_t *around;      /* for each stack the innermost one of a query or activity in it; 0: none */
	uint32_t *functions;   /* ... and the frame of its innermost function, or NO_FRAME */
	uint32_t *rows;	       /* of frames that are queries or activities */
	struct counts *counts; /* of stacks, for compilers */
	uint32_t *met;	       /* of rows: the last stack that was added to their totals */
	uint32_t *processes;   /* of threads */
	struct process *known; /* processes by number */
	struct intern names;   /* what tells them apart */
	struct use *uses;
	size_t use_count;
};

static bool is_compiler(const char *name)
{
	static const char *const compilers[] = {"rustc", "rustdoc", "clippy-driver"};

	for (size_t i = 0; i < sizeof(compilers) / sizeof(*compilers); i++)
		if (strcmp(name, compilers[i]) == 0)
			return true;
	return false;
}

void sampling_interval(double part, double whole, double *share, double *low, double *high)
{
	double n = whole, p, spread, middle;

	*share = 0;
	*low = 0;
	*high = 1;
	if (whole <= 0)
		return;
	p = part / n;
	middle = (p + QUANTILE * QUANTILE / (2 * n)) / (1 + QUANTILE * QUANTILE / n);
	spread = QUANTILE / (1 + QUANTILE * QUANTILE / n) * sqrt(p * (1 - p) / n + QUANTILE * QUANTILE / (4 * n * n));
	*share = p;
	*low = fmax(0, middle - spread);
	*high = fmin(1, middle + spread);
}

/* ---- what stacks are in ---- */

static int look_at_stacks(struct state *state)
{
	const struct samples *samples = state->samples;

	state->around = calloc(samples->stack_count, sizeof(*state->around));
	state->functions = calloc(samples->stack_count, sizeof(*state->functions));
	state->counts = calloc(samples->stack_count, sizeof(*state->counts));
	if (!state->around || !state->functions || !state->counts)
		return -ENOMEM;
	state->functions[0] = NO_FRAME;
	for (uint32_t i = 1; i < samples->stack_count; i++) {
		const struct samples_stack *stack = &samples->stacks[i];
		bool is_function = samples->frames[stack->frame].kind == SAMPLES_FUNCTION;

		state->around[i] = is_function ? state->around[stack->parent] : i;
		state->functions[i] = is_function ? stack->frame : state->functions[stack->parent];
	}
	return 0;
}

/* Gives each query and activity a row. */
static int make_rows(struct state *state)
{
	const struct samples *samples = state->samples;
	struct sampling *out = state->out;
	struct intern labels = {0};
	bool failed;

	state->rows = calloc(samples->frame_count + 1, sizeof(*state->rows));
	out->rows = calloc(samples->frame_count + 1, sizeof(*out->rows));
	state->met = calloc(samples->frame_count + 1, sizeof(*state->met));
	failed = !state->rows || !out->rows || !state->met;
	for (size_t i = 0; i < samples->frame_count && !failed; i++) {
		const struct samples_frame *frame = &samples->frames[i];
		char *key;

		if (frame->kind == SAMPLES_FUNCTION)
			continue;
		failed = asprintf(&key, "%d %s", frame->kind, frame->name) < 0;
		if (failed)
			break;
		state->rows[i] = intern_text(&labels, key);
		free(key);
		failed = state->rows[i] == INTERN_FAILED;
		if (!failed && state->rows[i] == out->row_count)
			out->rows[out->row_count++] = (struct sampled_row){.kind = frame->kind, .label = frame->name};
	}
	intern_free(&labels);
	return failed ? -ENOMEM : 0;
}

/* ---- processes ---- */

/* Says of each thread which process it is of. */
static int make_processes(struct state *state)
{
	const struct samples *samples = state->samples;

	state->processes = calloc(samples->thread_count + 1, sizeof(*state->processes));
	state->known = calloc(samples->thread_count + 1, sizeof(*state->known));
	if (!state->processes || !state->known)
		return -ENOMEM;
	for (size_t i = 0; i < samples->thread_count; i++) {
		const struct samples_thread *thread = &samples->threads[i];
		uint32_t number;
		char *key;

		if (asprintf(&key, "%u %s", thread->pid, thread->process) < 0)
			return -ENOMEM;
		number = intern_text(&state->names, key);
		free(key);
		if (number == INTERN_FAILED)
			return -ENOMEM;
		state->processes[i] = number;
		state->known[number] = (struct process){thread->process, is_compiler(thread->process)};
	}
	for (size_t i = 0; i < samples->sample_count; i++)
		if (state->around[samples->samples[i].stack])
			state->known[state->processes[samples->samples[i].thread]].compiles = true;
	return 0;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(((const struct sampled_process *)left)->name, ((const struct sampled_process *)right)->name);
}

static int by_samples(const void *left, const void *right)
{
	const struct sampled_process *a = left, *b = right;

	return a->samples != b->samples ? (a->samples < b->samples ? 1 : -1) : by_name(a, b);
}

/* Makes one of the processes that have the same name. */
static void merge_others(struct sampling *out)
{
	size_t kept = 0;

	qsort(out->others, out->other_count, sizeof(*out->others), by_name);
	for (size_t i = 0; i < out->other_count; i++) {
		struct sampled_process *other = &out->others[i];

		if (kept && strcmp(out->others[kept - 1].name, other->name) == 0) {
			out->others[kept - 1].samples += other->samples;
			out->others[kept - 1].kernel += other->kernel;
			out->others[kept - 1].faults += other->faults;
		} else if (other->samples) {
			out->others[kept++] = *other;
		}
	}
	out->other_count = kept;
	for (size_t i = 0; i < kept; i++)
		sampling_interval((double)out->others[i].samples, (double)out->samples, &out->others[i].share,
				  &out->others[i].low, &out->others[i].high);
	qsort(out->others, kept, sizeof(*out->others), by_samples);
}

/* Counts the samples: those of compilers by stack, others by process. */
static int count(struct state *state)
{
	const struct samples *samples = state->samples;
	struct sampling *out = state->out;

	out->other_count = state->names.count;
	out->others = calloc(out->other_count + 1, sizeof(*out->others));
	if (!out->others)
		return -ENOMEM;
	for (size_t i = 0; i < out->other_count; i++)
		out->others[i].name = state->known[i].name;
	for (size_t i = 0; i < samples->sample_count; i++) {
		const struct samples_sample *sample = &samples->samples[i];
		uint32_t process = state->processes[sample->thread];
		bool kernel = sample->flags & SAMPLES_KERNEL, fault = sample->flags & SAMPLES_FAULT;

		out->samples++;
		if (state->known[process].compiles) {
			out->compiling++;
			state->counts[sample->stack].self++;
			state->counts[sample->stack].kernel += kernel;
			state->counts[sample->stack].faults += fault;
		} else {
			out->others[process].samples++;
			out->others[process].kernel += kernel;
			out->others[process].faults += fault;
		}
	}
	merge_others(out);
	return 0;
}

/* ---- rows ---- */

/* Adds the samples of a stack to the rows of what it is in. */
static void add_stack(struct state *state, uint32_t stack)
{
	const struct samples *samples = state->samples;
	const struct counts *counts = &state->counts[stack];
	struct sampling *out = state->out;
	uint32_t at = state->around[stack],
		 row = at ? state->rows[samples->stacks[at].frame] : (uint32_t)out->row_count;
	struct sampled_row *self = at ? &out->rows[row] : &out->none;

	self->self += counts->self;
	self->kernel += counts->kernel;
	self->faults += counts->faults;
	state->uses[state->use_count++] = (struct use){row, state->functions[stack], counts->self};
	if (!at)
		out->none.total += counts->self;
	for (; at; at = state->around[samples->stacks[at].parent]) {
		row = state->rows[samples->stacks[at].frame];
		if (state->met[row] != stack)
			out->rows[row].total += counts->self;
		state->met[row] = stack;
	}
}

static int by_function(const void *left, const void *right)
{
	const struct use *a = left, *b = right;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return (a->frame > b->frame) - (a->frame < b->frame);
}

static int by_row_and_samples(const void *left, const void *right)
{
	const struct use *a = left, *b = right;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	if (a->samples != b->samples)
		return a->samples < b->samples ? 1 : -1;
	return (a->frame > b->frame) - (a->frame < b->frame);
}

/* Makes one use of those of the same function in the same row, and sorts them. */
static void merge_uses(struct state *state)
{
	size_t kept = 0;

	qsort(state->uses, state->use_count, sizeof(*state->uses), by_function);
	for (size_t i = 0; i < state->use_count; i++) {
		if (kept && by_function(&state->uses[kept - 1], &state->uses[i]) == 0)
			state->uses[kept - 1].samples += state->uses[i].samples;
		else
			state->uses[kept++] = state->uses[i];
	}
	state->use_count = kept;
	qsort(state->uses, kept, sizeof(*state->uses), by_row_and_samples);
}

/* Gives each row its functions. */
static int hand_out_uses(struct state *state)
{
	const struct samples *samples = state->samples;
	struct sampling *out = state->out;

	for (size_t i = 0, next; i < state->use_count; i = next) {
		uint32_t number = state->uses[i].row;
		struct sampled_row *row = number < out->row_count ? &out->rows[number] : &out->none;

		for (next = i; next < state->use_count && state->uses[next].row == number;)
			next++;
		row->functions = calloc(next - i, sizeof(*row->functions));
		if (!row->functions)
			return -ENOMEM;
		row->function_count = next - i;
		for (size_t k = i; k < next; k++) {
			const struct use *use = &state->uses[k];
			bool has = use->frame != NO_FRAME;

			row->functions[k - i] =
			    (struct sampled_function){has ? samples->frames[use->frame].name : "",
						      has ? samples->frames[use->frame].object : "", use->samples};
		}
	}
	return 0;
}

static int by_self(const void *left, const void *right)
{
	const struct sampled_row *a = left, *b = right;
	int order;

	if (a->self != b->self)
		return a->self < b->self ? 1 : -1;
	if (a->total != b->total)
		return a->total < b->total ? 1 : -1;
	order = strcmp(a->label, b->label);
	return order ? order : (a->kind > b->kind) - (a->kind < b->kind);
}

/* Leaves out rows of other files' frames, of which there is no sample. */
static void end_rows(struct sampling *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->row_count; i++)
		if (out->rows[i].total)
			out->rows[kept++] = out->rows[i];
	out->row_count = kept;
	for (size_t i = 0; i < kept; i++)
		sampling_interval((double)out->rows[i].self, (double)out->compiling, &out->rows[i].share,
				  &out->rows[i].low, &out->rows[i].high);
	sampling_interval((double)out->none.self, (double)out->compiling, &out->none.share, &out->none.low,
			  &out->none.high);
	qsort(out->rows, kept, sizeof(*out->rows), by_self);
}

static int fill_rows(struct state *state)
{
	const struct samples *samples = state->samples;
	int code;

	state->uses = calloc(samples->stack_count, sizeof(*state->uses));
	if (!state->uses)
		return -ENOMEM;
	for (uint32_t i = 0; i < samples->stack_count; i++)
		if (state->counts[i].self)
			add_stack(state, i);
	merge_uses(state);
	code = hand_out_uses(state);
	if (code == 0)
		end_rows(state->out);
	return code;
}

static void free_state(struct state *state)
{
	free(state->around);
	free(state->functions);
	free(state->rows);
	free(state->counts);
	free(state->met);
	free(state->processes);
	free(state->known);
	free(state->uses);
	intern_free(&state->names);
}

int sampling_sum(const struct samples *samples, struct sampling *out, struct error *err)
{
	struct state state = {.samples = samples, .out = out};
	int code;

	*out = (struct sampling){.none = {.label = ""}, .sample_ns = samples->hz ? 1000000000 / samples->hz : 0};
	code = look_at_stacks(&state);
	if (code == 0)
		code = make_rows(&state);
	if (code == 0)
		code = make_processes(&state);
	if (code == 0)
		code = count(&state);
	if (code == 0)
		code = fill_rows(&state);
	free_state(&state);
	if (code == 0)
		return 0;
	sampling_free(out);
	return error_set(err, ENOMEM, "out of memory while counting samples");
}

void sampling_free(struct sampling *sampling)
{
	for (size_t i = 0; i < sampling->row_count; i++)
		free(sampling->rows[i].functions);
	free(sampling->rows);
	free(sampling->none.functions);
	free(sampling->others);
	*sampling = (struct sampling){0};
}
