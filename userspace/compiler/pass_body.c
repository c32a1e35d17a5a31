/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/pass_body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "compiler/flow.h"
#include "compiler/plan_rows.h"
#include "compiler/recognise.h"

enum {
	MAX_PARTS = 16,	   /* of one function */
	MAX_NAMES = 8,	   /* that the linker has given to one */
	MAX_BODIES = 1024, /* functions that are looked at */
	SEVERAL = 0,	   /* in place of an activity's number */
};

/* A function in which a pass may be found running, in the frame above the one that called the pass. */
struct body {
	const struct image_symbol *symbol; /* one of its parts, the first that was met */
	unsigned int number;		   /* the pass's, as in the plan's bodies, or SEVERAL */
	bool is_whole;			   /* all parts are known */
	bool is_followed;		   /* so are the functions that it jumps to */
	struct code_range parts[MAX_PARTS];
	size_t part_count;
};

struct bodies {
	const struct image *image;
	size_t *lengths; /* of the image's symbols, as of symbol_base_length */
	struct body *items;
	size_t count;
	bool has_more; /* than MAX_BODIES */
};

static bool has_address(const struct body *body, uint64_t address)
{
	for (size_t i = 0; i < body->part_count; i++)
		if (address - body->parts[i].address < body->parts[i].size)
			return true;
	return false;
}

/* Notes that the pass with the number may run in the function around `address`. Returns 0 or -ENOMEM. */
static int note_body(struct bodies *bodies, uint64_t address, unsigned int number)
{
	const struct image_symbol *symbol;
	struct body *body;

	for (size_t i = 0; i < bodies->count; i++) {
		body = &bodies->items[i];
		if (!has_address(body, address))
			continue;
		if (body->number != number && body->number != SEVERAL) {
			body->number = SEVERAL;
			body->is_followed = false;
		}
		return 0;
	}
	symbol = image_function_at(bodies->image, image_file_offset(bodies->image, address));
	bodies->has_more |= bodies->count == MAX_BODIES;
	if (!symbol || bodies->has_more)
		return 0;
	if (rows_grow((void **)&bodies->items, bodies->count, sizeof(*bodies->items)) < 0) {
		bodies->count = 0;
		return -ENOMEM;
	}
	body = &bodies->items[bodies->count++];
	memset(body, 0, sizeof(*body));
	body->symbol = symbol;
	body->number = number;
	body->parts[body->part_count++] = (struct code_range){symbol->address, symbol->size};
	return 0;
}

/* A name of a function whose parts are looked for. */
struct wanted {
	struct body *body;
	const char *name;
	size_t length;
};

/* Adds the names of a function, which is several where the linker has made equal ones one, to `wanted`. */
static size_t add_names(const struct bodies *bodies, struct body *body, struct wanted *wanted)
{
	size_t count, added = 0;
	const struct image_symbol *symbols = image_symbols(bodies->image, &count), *symbol = body->symbol;

	while (symbol > symbols && symbol[-1].address == body->symbol->address)
		symbol--;
	for (; symbol < symbols + count && symbol->address == body->symbol->address && added < MAX_NAMES; symbol++)
		wanted[added++] = (struct wanted){body, symbol->name, bodies->lengths[symbol - symbols]};
	return added;
}

static void add_part(struct body *body, const struct image_symbol *symbol)
{
	if (has_address(body, symbol->address) || body->part_count == MAX_PARTS)
		return;
	body->parts[body->part_count++] = (struct code_range){symbol->address, symbol->size};
}

/* Finds the parts of all functions that are new. Returns 0 or -ENOMEM. */
static int complete(struct bodies *bodies)
{
	struct wanted *wanted = calloc(bodies->count * MAX_NAMES + 1, sizeof(*wanted));
	size_t count, wanted_count = 0;
	const struct image_symbol *symbols = image_symbols(bodies->image, &count);

	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < bodies->count; i++) {
		if (!bodies->items[i].is_whole)
			wanted_count += add_names(bodies, &bodies->items[i], wanted + wanted_count);
		bodies->items[i].is_whole = true;
	}
	for (size_t i = 0; i < count && wanted_count; i++)
		for (size_t j = 0; j < wanted_count; j++)
			if (wanted[j].length == bodies->lengths[i] &&
			    !memcmp(wanted[j].name, symbols[i].name, wanted[j].length))
				add_part(wanted[j].body, &symbols[i]);
	free(wanted);
	return 0;
}

/* Notes the functions to which one jumps: they then have its place on the stack. Returns 0 or -ENOMEM. */
static int follow(struct bodies *bodies, size_t index)
{
	struct body body = bodies->items[index];
	struct flow flow;
	int code = 0;

	bodies->items[index].is_followed = true;
	if (flow_decode(bodies->image, body.parts, body.part_count, &flow, NULL) < 0) {
		bodies->items[index].number = SEVERAL;
		return 0;
	}
	for (size_t i = 0; i < flow.count && code == 0; i++) {
		const struct insn *insn = &flow.insns[i];
		uint64_t target = insn->leaves && insn->slot ? image_pointer(bodies->image, insn->slot) : insn->target;

		if (insn->form != FORM_CALL && target && !has_address(&body, target))
			code = note_body(bodies, target, body.number);
	}
	flow_free(&flow);
	return code;
}

static int follow_all(struct bodies *bodies)
{
	bool is_done = false;
	int code = 0;

	while (!is_done && code == 0) {
		size_t count = bodies->count;

		is_done = true;
		code = complete(bodies);
		for (size_t i = 0; i < count && code == 0; i++) {
			if (bodies->items[i].is_followed)
				continue;
			is_done = false;
			code = follow(bodies, i);
		}
	}
	return code;
}

static int compare_bodies(const void *a, const void *b)
{
	const struct plan_body *left = a, *right = b;

	if (left->offset != right->offset)
		return left->offset < right->offset ? -1 : 1;
	return (left->size > right->size) - (left->size < right->size);
}

/* Adds what is in the file of a function. Returns 0 or -ENOMEM. */
static int add_parts(const struct image *image, const struct body *body, struct plan *plan)
{
	for (size_t i = 0; i < body->part_count; i++) {
		uint64_t offset = image_file_offset(image, body->parts[i].address), size = body->parts[i].size;

		if (offset >= image_size(image) || size > image_size(image) - offset)
			continue;
		if (rows_grow((void **)&plan->bodies, plan->body_count, sizeof(*plan->bodies)) < 0) {
			plan->body_count = 0;
			return -ENOMEM;
		}
		plan->bodies[plan->body_count++] = (struct plan_body){offset, size, (uint16_t)body->number};
	}
	return 0;
}

/* Makes what overlaps one if it is of one pass; what is of several is taken out. */
static void settle_rows(struct plan *plan)
{
	struct plan_body *rows = plan->bodies;
	size_t merged = 0, kept = 0;

	if (plan->body_count)
		qsort(rows, plan->body_count, sizeof(*rows), compare_bodies);
	for (size_t i = 0; i < plan->body_count; i++) {
		struct plan_body *last = merged ? &rows[merged - 1] : NULL;
		uint64_t end = rows[i].offset + rows[i].size;

		if (!last || rows[i].offset >= last->offset + last->size) {
			rows[merged++] = rows[i];
			continue;
		}
		if (rows[i].number != last->number)
			last->number = SEVERAL;
		if (end > last->offset + last->size)
			last->size = end - last->offset;
	}
	for (size_t i = 0; i < merged; i++)
		if (rows[i].number != SEVERAL)
			rows[kept++] = rows[i];
	plan->body_count = kept;
}

int pass_add_bodies(const struct image *image, const uint64_t *others, size_t other_count, struct plan *plan)
{
	size_t count;
	const struct image_symbol *symbols = image_symbols(image, &count);
	struct bodies bodies = {.image = image, .lengths = calloc(count + 1, sizeof(*bodies.lengths))};
	int code = bodies.lengths ? 0 : -ENOMEM;
	bool fragment;

	for (size_t i = 0; i < count && bodies.lengths; i++)
		bodies.lengths[i] = symbol_base_length(symbols[i].name, &fragment);
	for (size_t i = 0; i < plan->pass_count && code == 0; i++) {
		const struct plan_pass *pass = &plan->passes[i];

		code = note_body(&bodies, image_pointer(image, pass->vtable + PASS_RUN_SLOT),
				 pass->count == 1 ? WIRE_ACTIVITIES + pass->first : SEVERAL);
	}
	for (size_t i = 0; i < other_count && code == 0; i++)
		code = note_body(&bodies, others[i], SEVERAL);
	if (code == 0)
		code = follow_all(&bodies);
	for (size_t i = 0; i < bodies.count && code == 0 && !bodies.has_more; i++)
		code = add_parts(image, &bodies.items[i], plan);
	settle_rows(plan);
	free(bodies.lengths);
	free(bodies.items);
	return code;
}
