/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/event.h"
#include "compiler/plan_rows.h"

enum { DEEPEST = 16 }; /* guards around one place */

/* ---- of one guard ---- */

struct walk {
	const struct timer_life *life;
	bool *seen;    /* by instruction */
	size_t *queue; /* of instructions that were seen and not yet left */
	size_t length;
};

static bool is_begin(const struct timer_life *life, size_t index)
{
	for (size_t i = 0; life->entry == SIZE_MAX && i < life->start_count; i++)
		if (life->starts[i] == index)
			return true;
	return life->entry == index;
}

static bool walk_to(size_t index, void *context)
{
	struct walk *walk = context;

	if (!walk->seen[index] && !is_begin(walk->life, index)) {
		walk->seen[index] = true;
		walk->queue[walk->length++] = index;
	}
	return true;
}

/* Marks what is reached from the function's entry without the guard's begin. Returns false if out of memory. */
static bool walk_around(const struct timer_life *life, bool *seen)
{
	const struct values *values = life->values;
	struct walk walk = {life, seen, calloc(values->flow->count + 1, sizeof(*walk.queue)), 0};

	if (!walk.queue)
		return false;
	if (values->entry != SIZE_MAX)
		walk_to(values->entry, &walk);
	while (walk.length)
		flow_successors(values->flow, walk.queue[--walk.length], walk_to, &walk);
	free(walk.queue);
	return true;
}

static bool add_live(struct guard *out, const struct insn *insn)
{
	struct code_range *last = out->live_count ? &out->live[out->live_count - 1] : NULL;

	if (last && last->address + last->size == insn->address) {
		last->size += insn->length;
		return true;
	}
	if (rows_grow((void **)&out->live, out->live_count, sizeof(*out->live)) < 0) {
		out->live_count = 0;
		return false;
	}
	out->live[out->live_count++] = (struct code_range){insn->address, insn->length};
	return true;
}

static bool add_all_live(const struct timer_life *life, const bool *around, struct guard *out)
{
	const struct flow *flow = life->values->flow;
	bool fits = true;

	for (size_t i = 0; i < flow->count && fits; i++)
		if (life->live[i] && !around[i])
			fits = add_live(out, &flow->insns[i]);
	return fits;
}

static bool may_return(const struct flow *flow, const bool *around)
{
	for (size_t i = 0; i < flow->count; i++)
		if (around[i] && flow->insns[i].leaves)
			return true;
	return false;
}

/* Adds the code that runs only while the timer lives. Returns false if out of memory. */
static bool note_live(const struct timer_life *life, bool *around, struct guard *out)
{
	if (!walk_around(life, around))
		return false;
	if (life->entry != SIZE_MAX)
		out->may_not_begin = out->lent && may_return(life->values->flow, around);
	else if (out->may_not_begin)
		return true;
	return add_all_live(life, around, out);
}

const char *spans_find(struct timer_life *life, struct guard *out)
{
	size_t count = life->values->flow->count + 1;
	bool *around = calloc(count, sizeof(*around));
	const char *refusal = "out of memory";

	life->live = calloc(count, sizeof(*life->live));
	if (life->live && around) {
		refusal = timer_find_exits(life, out);
		if (!refusal && event_of(out->callee) == EVENT_ACTIVITY && !note_live(life, around, out))
			refusal = "out of memory";
	}
	free(life->live);
	free(around);
	life->live = NULL;
	return refusal;
}

/* ---- of all ---- */

int spans_add(struct spans *spans, const struct image *image, const struct guard *guard, unsigned int number)
{
	uint64_t within = 0;

	for (size_t i = 0; i < guard->live_count; i++)
		within += guard->live[i].size;
	for (size_t i = 0; i < guard->live_count; i++) {
		uint64_t offset = image_file_offset(image, guard->live[i].address);

		if (offset == UINT64_MAX)
			continue;
		if (rows_grow((void **)&spans->items, spans->count, sizeof(*spans->items)) < 0) {
			spans->count = 0;
			return -ENOMEM;
		}
		spans->items[spans->count++] =
		    (struct span_found){offset, offset + guard->live[i].size, within, (uint16_t)number};
	}
	return 0;
}

static int compare_offsets(const void *a, const void *b)
{
	const struct span_found *left = a, *right = b;

	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* The spans around one place, the outermost first. */
struct around {
	const struct span_found *items[DEEPEST];
	size_t count;
};

static bool is_outside(const struct span_found *one, const struct span_found *other)
{
	return one->within != other->within ? one->within > other->within : one->number < other->number;
}

static void enter(struct around *around, const struct span_found *span)
{
	size_t at = around->count;

	if (around->count == DEEPEST)
		return;
	for (; at > 0 && is_outside(span, around->items[at - 1]); at--)
		around->items[at] = around->items[at - 1];
	around->items[at] = span;
	around->count++;
}

static void leave(struct around *around, uint64_t offset)
{
	size_t kept = 0;

	for (size_t i = 0; i < around->count; i++)
		if (around->items[i]->end > offset)
			around->items[kept++] = around->items[i];
	around->count = kept;
}

/* Whether the last rows of the plan, from `first` on, are those of the same activities, up to `offset`. */
static bool goes_on(const struct plan *plan, size_t first, const struct around *around, uint64_t offset)
{
	if (plan->span_count - first != around->count || !around->count ||
	    plan->spans[first].offset + plan->spans[first].size != offset)
		return false;
	for (size_t i = 0; i < around->count; i++)
		if (plan->spans[first + i].number != around->items[i]->number)
			return false;
	return true;
}

/* Adds the code from `offset` to `end`; the last such code begins at the row *first. */
static int add_rows(struct plan *plan, const struct around *around, uint64_t offset, uint64_t end, size_t *first)
{
	if (goes_on(plan, *first, around, offset)) {
		for (size_t i = 0; i < around->count; i++)
			plan->spans[*first + i].size += end - offset;
		return 0;
	}
	*first = plan->span_count;
	for (size_t i = 0; i < around->count; i++) {
		if (rows_grow((void **)&plan->spans, plan->span_count, sizeof(*plan->spans)) < 0) {
			plan->span_count = 0;
			return -ENOMEM;
		}
		plan->spans[plan->span_count++] = (struct plan_span){offset, end - offset, around->items[i]->number};
	}
	return 0;
}

int spans_to_plan(struct spans *spans, struct plan *plan)
{
	struct around around = {.count = 0};
	size_t next = 0, first = 0;
	uint64_t offset = 0;
	int code = 0;

	if (spans->count)
		qsort(spans->items, spans->count, sizeof(*spans->items), compare_offsets);
	while ((next < spans->count || around.count) && code == 0) {
		uint64_t end = UINT64_MAX;

		if (!around.count)
			offset = spans->items[next].offset;
		for (; next < spans->count && spans->items[next].offset == offset; next++)
			enter(&around, &spans->items[next]);
		if (next < spans->count)
			end = spans->items[next].offset;
		for (size_t i = 0; i < around.count; i++)
			if (around.items[i]->end < end)
				end = around.items[i]->end;
		code = add_rows(plan, &around, offset, end, &first);
		leave(&around, end);
		offset = end;
	}
	return code;
}
