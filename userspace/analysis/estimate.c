/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "analysis/estimate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sampling.h"
#include "util/intern.h"

#define NO_ITEM UINT32_MAX

/* What can be in a stack: a query or an activity, by its label. */
struct item {
	const char *label;
	const struct summary_row *row; /* NULL if nothing of it was timed */
	bool listed;		       /* as untimed, or as let go of */
	double untimed;		       /* which part of its samples fell where it was not timed: 0 to 1 */
	uint64_t met;		       /* samples with nothing else that was ever timed further in */
	uint64_t self;		       /* samples in which it is the innermost one */
	uint64_t waited_ns;
	double samples; /* that its measured self time is of */
	uint64_t given_ns;
};

/* What a frame says. */
struct place {
	uint32_t item; /* NO_ITEM for functions, and for what was neither timed nor is to be estimated */
	bool timed;    /* it is there because it was */
	bool probed;   /* of a function: queries or activities begin in it */
};

/* What was measured as of `from`, or not at all (NO_ITEM), while samples were in `to`. */
struct portion {
	uint32_t to, from;
	uint64_t met;	/* samples in `to` where that may be so */
	double samples; /* what of them is */
};

struct state {
	const struct estimate_profile *profile;
	const struct samples *samples;
	struct estimates *out;
	struct intern labels;
	struct item *items; /* by the number of the label */
	size_t item_count;
	struct place *places; /* of frames */
	uint32_t *around;     /* for each stack the innermost one of an item in it; 0: none */
	uint64_t *counts;     /* samples of stacks */
	struct portion *portions;
	size_t portion_count, portion_room;
};

/* ---- labels ---- */

static struct item *item_of(struct state *state, const char *label)
{
	uint32_t number = intern_text(&state->labels, label);

	if (number == INTERN_FAILED)
		return NULL;
	if (number == state->item_count)
		state->items[state->item_count++].label = label;
	return &state->items[number];
}

static bool list(struct state *state, const struct estimate_labels *labels, double untimed)
{
	for (size_t i = 0; i < labels->count; i++) {
		struct item *item = item_of(state, labels->labels[i]);

		if (!item)
			return false;
		item->listed = true;
		item->untimed = untimed;
	}
	return true;
}

/* The part of an item that is still to be found out, since it was timed at first. */
#define UNKNOWN_PART (-1.0)

static int make_items(struct state *state)
{
	const struct estimate_profile *profile = state->profile;
	const struct summary *summary = profile->summary;

	state->items =
	    calloc(summary->row_count + profile->untimed.count + profile->let_go.count + 1, sizeof(*state->items));
	if (!state->items)
		return -ENOMEM;
	for (size_t i = 0; i < summary->row_count; i++) {
		struct item *item = item_of(state, summary->rows[i].label);

		if (!item)
			return -ENOMEM;
		item->row = &summary->rows[i];
	}
	return list(state, &profile->untimed, 1) && list(state, &profile->let_go, UNKNOWN_PART) ? 0 : -ENOMEM;
}

/* The item with a label of so many bytes, if there is one already. */
static int find_item(struct state *state, const char *label, size_t size, uint32_t *number)
{
	uint32_t found = intern_bytes(&state->labels, label, size);

	*number = found < state->item_count ? found : NO_ITEM;
	return found == INTERN_FAILED ? -ENOMEM : 0;
}

/* Results that are loaded, hashed and waited for have names of their own in samples, and are told only if timed. */
static size_t query_length(const struct samples_frame *frame)
{
	static const char *const happens[] = {" (load)", " (hashing)", " (blocked)"};
	size_t size = strlen(frame->name);

	for (size_t i = 0; i < sizeof(happens) / sizeof(*happens) && frame->kind == SAMPLES_ACTIVITY; i++) {
		size_t end = strlen(happens[i]);

		if (size > end && strcmp(frame->name + size - end, happens[i]) == 0)
			return size - end;
	}
	return size;
}

static int make_places(struct state *state)
{
	const struct samples *samples = state->samples;

	state->places = calloc(samples->frame_count + 1, sizeof(*state->places));
	if (!state->places)
		return -ENOMEM;
	for (size_t i = 0; i < samples->frame_count; i++) {
		const struct samples_frame *frame = &samples->frames[i];
		struct place *place = &state->places[i];
		size_t size;

		place->item = NO_ITEM;
		if (frame->kind == SAMPLES_FUNCTION)
			continue;
		size = query_length(frame);
		if (find_item(state, frame->name, size, &place->item))
			return -ENOMEM;
		if (place->item == NO_ITEM)
			continue;
		place->timed = size < strlen(frame->name) || !state->items[place->item].listed;
		if (state->items[place->item].row)
			continue;
		if (place->timed)
			place->item = NO_ITEM;
		else
			state->items[place->item].label = frame->name;
	}
	return 0;
}

/* ---- samples ---- */

static bool is_of_process(const struct state *state, uint32_t thread, uint64_t time)
{
	const struct estimate_profile *profile = state->profile;

	time += state->samples->began;
	return state->samples->threads[thread].pid == profile->pid && time >= profile->start_ns &&
	       time <= profile->end_ns;
}

static const struct place *place_of(const struct state *state, uint32_t stack)
{
	return &state->places[state->samples->stacks[stack].frame];
}

/* The next stack further out that ends in an item. */
static uint32_t outward(const struct state *state, uint32_t stack)
{
	return state->around[state->samples->stacks[stack].parent];
}

static double untimed_part(const struct state *state, const struct place *place)
{
	return place->timed ? 0 : state->items[place->item].untimed;
}

/* Says where probes sit: what begins in a function stands behind it. */
static void find_probed(struct state *state)
{
	const struct samples *samples = state->samples;

	for (uint32_t i = 1; i < samples->stack_count; i++) {
		const struct samples_stack *stack = &samples->stacks[i];

		if (stack->parent && samples->frames[stack->frame].kind != SAMPLES_FUNCTION)
			state->places[samples->stacks[stack->parent].frame].probed = true;
	}
}

/*
 * Whether the thread was in a probe: in the kernel, and on its way there in no function further in than one that has
 * some. What probes cost is in no measured time.
 */
static bool is_in_probe(const struct state *state, const struct samples_sample *sample)
{
	const struct samples *samples = state->samples;

	if (!sample->stack || !(sample->flags & SAMPLES_KERNEL))
		return false;
	return samples->frames[samples->stacks[sample->stack].frame].kind != SAMPLES_FUNCTION ||
	       place_of(state, sample->stack)->probed;
}

/*
 * Whether the walk ended before the function in which the innermost item began, so that other items that are not timed
 * may have been left out between: no function stands outside of that item, which is known to be open all the same.
 */
static bool is_cut_inside(const struct state *state, const struct samples_sample *sample)
{
	const struct samples *samples = state->samples;
	uint32_t at = state->around[sample->stack];

	if (!at || !(sample->flags & SAMPLES_INCOMPLETE))
		return false;
	while (at && samples->frames[samples->stacks[at].frame].kind != SAMPLES_FUNCTION)
		at = samples->stacks[at].parent;
	return !at;
}

static int count(struct state *state)
{
	const struct samples *samples = state->samples;

	state->around = calloc(samples->stack_count, sizeof(*state->around));
	state->counts = calloc(samples->stack_count, sizeof(*state->counts));
	if (!state->around || !state->counts)
		return -ENOMEM;
	find_probed(state);
	for (uint32_t i = 1; i < samples->stack_count; i++)
		state->around[i] = place_of(state, i)->item == NO_ITEM ? state->around[samples->stacks[i].parent] : i;
	for (size_t i = 0; i < samples->sample_count; i++) {
		const struct samples_sample *sample = &samples->samples[i];

		if (!is_of_process(state, sample->thread, sample->time) || is_in_probe(state, sample))
			continue;
		state->out->samples++;
		if (!is_cut_inside(state, sample))
			state->counts[sample->stack]++;
	}
	return 0;
}

/* The innermost stack in which an item was timed, now or at first; 0 if there is none. */
static uint32_t ever_timed(const struct state *state, uint32_t stack)
{
	uint32_t at = state->around[stack];

	while (at && untimed_part(state, place_of(state, at)) == 1)
		at = outward(state, at);
	return at;
}

/* Finds what part of that which was let go of was not timed: the samples beyond what was measured. */
static void find_parts(struct state *state)
{
	for (uint32_t i = 1; i < state->samples->stack_count; i++) {
		uint32_t at = state->counts[i] ? ever_timed(state, i) : 0;

		if (at)
			state->items[place_of(state, at)->item].met += state->counts[i];
	}
	for (size_t i = 0; i < state->item_count; i++) {
		struct item *item = &state->items[i];
		double measured = item->row ? (double)item->row->self_ns / 1e9 * state->samples->hz : 0;

		if (item->untimed == UNKNOWN_PART)
			item->untimed = item->met ? fmax(0, 1 - measured / (double)item->met) : 1;
	}
}

/* Waiting is in no sample. What a thread was about to do when another took its processor is like what it did else. */
static void add_waits(struct state *state)
{
	const struct samples *samples = state->samples;
	const char *counter = state->profile->summary->counter;

	if (counter && strcmp(counter, MMP_COUNTER_WALL_TIME) != 0)
		return;
	for (size_t i = 0; i < samples->absence_count; i++) {
		const struct samples_absence *absence = &samples->absences[i];
		uint32_t at;

		if (absence->reason == SAMPLES_PREEMPTED || !is_of_process(state, absence->thread, absence->time))
			continue;
		at = ever_timed(state, absence->stack);
		if (at)
			state->items[place_of(state, at)->item].waited_ns += absence->length;
	}
}

static int add_portion(struct state *state, uint32_t to, uint32_t from, uint64_t met, double part)
{
	if (state->portion_count == state->portion_room) {
		size_t room = state->portion_room ? 2 * state->portion_room : 1024;
		struct portion *grown = realloc(state->portions, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		state->portions = grown;
		state->portion_room = room;
	}
	state->portions[state->portion_count++] = (struct portion){to, from, met, (double)met * part};
	if (from != NO_ITEM)
		state->items[from].samples += (double)met * part;
	return 0;
}

/*
 * Says in whose measured times the samples of a stack are. Of an item that was timed at first that is its own until it
 * was let go of, and from then on that of what is around it: of two such, the one that is untimed for the lesser part
 * was let go of later.
 */
static int divide(struct state *state, uint32_t stack)
{
	uint64_t samples = state->counts[stack];
	double left = 1;
	uint32_t at = state->around[stack], to;
	int code = 0;

	if (!at || !samples)
		return 0;
	to = place_of(state, at)->item;
	state->items[to].self += samples;
	for (; at && left > 0 && code == 0; at = outward(state, at)) {
		const struct place *place = place_of(state, at);
		double untimed = untimed_part(state, place);

		if (untimed >= left)
			continue;
		code = add_portion(state, to, place->item, samples, left - untimed);
		left = untimed;
	}
	return code == 0 && left > 0 ? add_portion(state, to, NO_ITEM, samples, left) : code;
}

static int by_items(const void *left, const void *right)
{
	const struct portion *a = left, *b = right;

	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return (a->from > b->from) - (a->from < b->from);
}

/* Makes one portion of those of the same two, and sees to it that each item with samples has one of itself. */
static int make_portions(struct state *state)
{
	size_t kept = 0;
	int code = 0;

	for (uint32_t i = 1; i < state->samples->stack_count && code == 0; i++)
		code = divide(state, i);
	for (uint32_t i = 0; i < state->item_count && code == 0; i++)
		if (state->items[i].samples > 0)
			code = add_portion(state, i, i, 0, 0);
	if (code)
		return code;
	if (state->portion_count)
		qsort(state->portions, state->portion_count, sizeof(*state->portions), by_items);
	for (size_t i = 0; i < state->portion_count; i++) {
		const struct portion *portion = &state->portions[i];

		if (kept && by_items(&state->portions[kept - 1], portion) == 0) {
			state->portions[kept - 1].met += portion->met;
			state->portions[kept - 1].samples += portion->samples;
		} else {
			state->portions[kept++] = *portion;
		}
	}
	state->portion_count = kept;
	return 0;
}

/* ---- times ---- */

/* The time that a portion is part of, and the samples. */
static void whole_of(const struct state *state, const struct portion *portion, double *ns, double *samples)
{
	const struct item *item;

	if (portion->from == NO_ITEM) {
		*samples = (double)state->out->samples;
		*ns = *samples * 1e9 / state->samples->hz;
		return;
	}
	item = &state->items[portion->from];
	*samples = item->samples;
	*ns = item->row->self_ns > item->waited_ns ? (double)(item->row->self_ns - item->waited_ns) : 0;
}

/* What of the time that was measured as another item's is in the portion. */
static uint64_t taken_of(const struct state *state, const struct portion *portion)
{
	double ns, samples;

	if (portion->to == portion->from)
		return 0;
	whole_of(state, portion, &ns, &samples);
	return (uint64_t)(ns * fmin(1, portion->samples / samples));
}

static int by_time(const void *left, const void *right)
{
	const struct estimate_source *a = left, *b = right;

	if (a->self_ns != b->self_ns)
		return a->self_ns < b->self_ns ? 1 : -1;
	return strcmp(a->label ? a->label : "", b->label ? b->label : "");
}

/*
 * Fills in the row of an item from its portions. The widths of the shares' intervals add up as those of independent
 * shares do, as their squares (Zou and Donner, Statistics in Medicine 27, 2008). What is left of all samples, once
 * those that were timed are taken off, varies as all of them do.
 */
static int fill_row(const struct state *state, const struct portion *portions, size_t count, struct estimate *row)
{
	const struct item *item = &state->items[portions->to];
	double below = 0, above = 0;

	*row = (struct estimate){.label = item->label, .measured = item->row, .samples = item->self};
	row->sources = calloc(count, sizeof(*row->sources));
	if (!row->sources)
		return -ENOMEM;
	row->self_ns = item->row ? item->row->self_ns - item->given_ns : 0;
	for (size_t i = 0; i < count; i++) {
		const struct portion *portion = &portions[i];
		double ns, whole, share, low, high;

		if (portion->from == portion->to && !item->given_ns)
			continue;
		whole_of(state, portion, &ns, &whole);
		sampling_interval(fmin(portion->samples, whole), whole, &share, &low, &high);
		if (portion->samples > 0)
			ns *= sqrt((double)portion->met / portion->samples);
		below += ns * (share - low) * ns * (share - low);
		above += ns * (high - share) * ns * (high - share);
		if (portion->from == portion->to)
			continue;
		row->self_ns += taken_of(state, portion);
		row->sources[row->source_count++] = (struct estimate_source){
		    portion->from == NO_ITEM ? NULL : state->items[portion->from].label, taken_of(state, portion)};
	}
	below = sqrt(below);
	row->low_ns = below < (double)row->self_ns ? row->self_ns - (uint64_t)below : 0;
	row->high_ns = row->self_ns + (uint64_t)sqrt(above);
	if (state->profile->summary->cpu_ns)
		row->share = (double)row->self_ns / (double)state->profile->summary->cpu_ns * 100;
	qsort(row->sources, row->source_count, sizeof(*row->sources), by_time);
	return 0;
}

static int by_self(const void *left, const void *right)
{
	const struct estimate *a = left, *b = right;

	if (a->self_ns != b->self_ns)
		return a->self_ns < b->self_ns ? 1 : -1;
	return strcmp(a->label, b->label);
}

static int make_rows(struct state *state)
{
	struct estimates *out = state->out;
	int code = 0;

	for (size_t i = 0; i < state->portion_count; i++) {
		const struct portion *portion = &state->portions[i];
		struct item *item;

		if (portion->from == NO_ITEM)
			continue;
		item = &state->items[portion->from];
		item->given_ns += taken_of(state, portion);
		/* Rounding must not take more than there is. */
		if (item->given_ns > item->row->self_ns)
			item->given_ns = item->row->self_ns;
	}
	out->rows = calloc(state->item_count + 1, sizeof(*out->rows));
	if (!out->rows)
		return -ENOMEM;
	for (size_t i = 0, next; i < state->portion_count && code == 0; i = next) {
		const struct portion *first = &state->portions[i];

		for (next = i + 1; next < state->portion_count && state->portions[next].to == first->to;)
			next++;
		/* What lost nothing and got nothing is as it was measured. */
		if (next - i > 1 || first->from != first->to || state->items[first->to].given_ns)
			code = fill_row(state, first, next - i, &out->rows[out->row_count++]);
	}
	if (out->row_count)
		qsort(out->rows, out->row_count, sizeof(*out->rows), by_self);
	return code;
}

static void free_state(struct state *state)
{
	intern_free(&state->labels);
	free(state->items);
	free(state->places);
	free(state->around);
	free(state->counts);
	free(state->portions);
}

int estimate_untimed(const struct estimate_profile *profile, const struct samples *samples, struct estimates *out,
		     struct error *err)
{
	struct state state = {.profile = profile, .samples = samples, .out = out};
	int code;

	*out = (struct estimates){0};
	if (!samples->hz)
		return 0;
	code = make_items(&state);
	if (code == 0)
		code = make_places(&state);
	if (code == 0)
		code = count(&state);
	if (code == 0) {
		find_parts(&state);
		add_waits(&state);
		code = make_portions(&state);
	}
	if (code == 0)
		code = make_rows(&state);
	free_state(&state);
	if (code == 0)
		return 0;
	estimates_free(out);
	return error_set(err, ENOMEM, "out of memory while estimating what was not timed");
}

const struct estimate *estimates_find(const struct estimates *estimates, const char *label)
{
	for (size_t i = 0; i < estimates->row_count; i++)
		if (strcmp(estimates->rows[i].label, label) == 0)
			return &estimates->rows[i];
	return NULL;
}

int estimates_apply(const struct estimates *estimates, struct summary *summary, struct error *err)
{
	size_t measured = summary->row_count;
	struct summary_row *rows = realloc(summary->rows, (measured + estimates->row_count + 1) * sizeof(*rows));

	if (!rows)
		return error_set(err, ENOMEM, "out of memory while estimating what was not timed");
	summary->rows = rows;
	for (size_t i = 0; i < measured; i++) {
		const struct estimate *estimate = estimates_find(estimates, rows[i].label);

		if (estimate) {
			rows[i].self_ns = estimate->self_ns;
			rows[i].share = estimate->share;
		}
	}
	for (size_t i = 0; i < estimates->row_count; i++) {
		const struct estimate *estimate = &estimates->rows[i];
		struct summary_row row = {.self_ns = estimate->self_ns, .share = estimate->share};

		if (estimate->measured)
			continue;
		row.label = strdup(estimate->label);
		if (!row.label)
			return error_set(err, ENOMEM, "out of memory while estimating what was not timed");
		rows[summary->row_count++] = row;
	}
	return 0;
}

void estimates_free(struct estimates *estimates)
{
	for (size_t i = 0; i < estimates->row_count; i++)
		free(estimates->rows[i].sources);
	free(estimates->rows);
	*estimates = (struct estimates){0};
}
