/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/pass.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"
#include "compiler/pass_body.h"
#include "compiler/pass_code.h"
#include "compiler/pass_name.h"

enum {
	NAME_SLOT = 0x18, /* of a pass's vtable, bytes */
	MAX_LABELS = 64,  /* of one type of pass */
	LABEL = 2 * PASS_NAME + 16,
	BEFORE = 8,  /* instructions from the jump before the call of a pass to the call */
	BEHIND = 3,  /* from the call to the jump behind it */
	AROUND = 48, /* from the jump before it to the guard of the other way */
};

/* ---- their names ---- */

int pass_note_function(struct pass_functions *functions, const struct image_symbol *symbol,
		       const struct recognised *what)
{
	bool is_name = what->role == ROLE_PASS_NAME;
	struct pass_function **items = is_name ? &functions->names : &functions->runs;
	size_t *count = is_name ? &functions->name_count : &functions->run_count;

	if (what->fragment)
		return 0;
	if (rows_grow((void **)items, *count, sizeof(**items)) < 0) {
		*count = 0;
		return -ENOMEM;
	}
	(*items)[(*count)++] = (struct pass_function){symbol->address, symbol->name};
	return 0;
}

void pass_free(struct pass_functions *functions)
{
	free(functions->names);
	free(functions->runs);
	memset(functions, 0, sizeof(*functions));
}

static int by_address(const void *a, const void *b)
{
	const struct pass_function *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

/* The one of `count` functions that starts at `address`, or NULL. */
static const struct pass_function *function_at(const struct pass_function *items, size_t count, uint64_t address)
{
	struct pass_function key = {.address = address};

	return count ? bsearch(&key, items, count, sizeof(key), by_address) : NULL;
}

/* As rustc_mir_transform::pass_manager::to_profiler_name does it. */
static void write_label(const char *name, char label[LABEL])
{
	size_t length = (size_t)(stpcpy(label, "mir_pass") - label);

	for (; *name; name++) {
		if (isupper((unsigned char)*name))
			label[length++] = '_';
		label[length++] = *name == '-' ? '_' : (char)tolower((unsigned char)*name);
	}
	label[length] = '\0';
}

/* A type of passes: its vtable, its name() and what that returns for the bytes 0, 1, ... */
struct pass_type {
	uint64_t vtable, name;
	const char *symbol; /* of name() */
	bool selects;
	uint32_t selector, count;
	uint64_t tables[PASS_TABLES];
	size_t table_count;
	char labels[MAX_LABELS][LABEL];
};

struct pass_types {
	struct pass_type *items;
	size_t count;
};

static int add_type(struct pass_types *types, uint64_t vtable, const struct pass_function *name)
{
	struct pass_type *type;

	for (size_t i = 0; i < types->count; i++)
		if (types->items[i].vtable == vtable)
			return 0;
	if (rows_grow((void **)&types->items, types->count, sizeof(*types->items)) < 0) {
		types->count = 0;
		return -ENOMEM;
	}
	type = &types->items[types->count++];
	memset(type, 0, sizeof(*type));
	type->vtable = vtable;
	type->name = name->address;
	type->symbol = name->symbol;
	return 0;
}

/*
 * Every vtable with both functions in their places. Either alone would not do: the linker makes equal functions one,
 * and a short one may then be in the vtables of things that are no passes.
 */
static int find_types(const struct image *image, const struct pass_functions *functions, struct pass_types *types)
{
	size_t count;
	const struct image_pointer *pointers = image_pointers(image, &count);
	int code = 0;

	for (size_t i = 0; i < count && code == 0; i++) {
		uint64_t vtable = pointers[i].address - NAME_SLOT;
		const struct pass_function *name =
		    function_at(functions->names, functions->name_count, pointers[i].value);

		if (name &&
		    function_at(functions->runs, functions->run_count, image_pointer(image, vtable + PASS_RUN_SLOT)))
			code = add_type(types, vtable, name);
	}
	return code;
}

/* Learns the tables that the type's name() reads. */
static void find_tables(const struct image *image, struct pass_type *type)
{
	struct pass_name name;

	if (!pass_name_run(image, type->name, 0, 0, &name))
		return;
	type->selects = name.selects;
	type->selector = name.selector;
	type->table_count = name.table_count;
	memcpy(type->tables, name.tables, sizeof(type->tables));
	write_label(name.text, type->labels[0]);
	type->count = 1;
}

/* Whether the `index`th entry of any of the type's tables is no longer its own, but the start of another type's. */
static bool leaves_table(const struct pass_types *types, const struct pass_type *type, uint32_t index)
{
	for (size_t i = 0; i < type->table_count; i++)
		for (size_t j = 0; j < types->count; j++)
			for (size_t k = 0; k < types->items[j].table_count; k++)
				if (types->items[j].tables[k] == type->tables[i] + 8 * (uint64_t)index)
					return true;
	return false;
}

/* The labels for the other bytes: as many as a table has, or two where a condition decides. */
static void read_labels(const struct image *image, const struct pass_types *types, struct pass_type *type)
{
	uint32_t most = type->table_count ? MAX_LABELS : 2;
	struct pass_name name;

	while (type->selects && type->count < most && !leaves_table(types, type, type->count) &&
	       pass_name_run(image, type->name, (uint8_t)type->count, 0, &name))
		write_label(name.text, type->labels[type->count++]);
}

/* A type of passes and what one of them is called. */
struct own_name {
	const struct image *image;
	struct pass_type *type;
	bool certain;
};

/* Learns the label of one of the passes. Returns false if they have none in common. */
static bool read_own_name(uint64_t pass, void *context)
{
	struct own_name *own = context;
	struct pass_name name;
	char label[LABEL];

	own->certain = pass && pass_name_run(own->image, own->type->name, 0, pass, &name);
	if (!own->certain)
		return false;
	write_label(name.text, label);
	if (own->type->count && strcmp(own->type->labels[0], label) != 0)
		own->certain = false;
	strcpy(own->type->labels[0], label);
	own->type->count = 1;
	return own->certain;
}

/* The label of a type whose name() reads more of the pass than a byte, if all such passes are called the same. */
static void read_own_names(const struct image *image, struct pass_type *type)
{
	size_t count;
	const struct image_pointer *pointers = image_pointers(image, &count);
	struct own_name own = {image, type, true};

	for (size_t i = 0; i < count && own.certain; i++)
		if (pointers[i].value == type->vtable)
			read_own_name(image_pointer(image, pointers[i].address - 8), &own);
	if (own.certain)
		pass_code_each(image, type->vtable, read_own_name, &own);
	if (!own.certain)
		type->count = 0;
}

/* Whether the labels of a type stand in a row in the plan; *first is where. */
static bool find_labels(const struct plan *plan, const struct pass_type *type, size_t *first)
{
	for (*first = 0; *first + type->count <= plan->activity_count; (*first)++) {
		uint32_t same = 0;

		while (same < type->count && !strcmp(plan->activities[*first + same].label, type->labels[same]))
			same++;
		if (same == type->count)
			return true;
	}
	return false;
}

static int add_pass(struct plan *plan, const struct pass_type *type)
{
	size_t first;
	int code = 0;

	if (!find_labels(plan, type, &first)) {
		if (plan->activity_count + type->count > WIRE_MAX_ACTIVITIES)
			return 0;
		first = plan->activity_count;
		for (uint32_t i = 0; i < type->count && code == 0; i++)
			code = rows_append_activity(plan, type->labels[i]);
	}
	if (code == 0)
		code = rows_grow((void **)&plan->passes, plan->pass_count, sizeof(*plan->passes));
	if (code < 0) {
		plan->pass_count = 0;
		return code;
	}
	plan->passes[plan->pass_count++] =
	    (struct plan_pass){type->vtable, type->selector, type->count, (uint32_t)first};
	return 0;
}

static int add_unnamed(struct plan *plan, const struct pass_type *type)
{
	char *path = symbol_path(type->symbol);
	int code = rows_add_omission(plan, path ? path : type->symbol, "the pass's name is not in its vtable");

	free(path);
	return code;
}

/* Types with several labels come first: theirs stand in a row, which those of others may be part of. */
static int add_passes(const struct pass_types *types, struct plan *plan)
{
	int code = 0;

	for (int several = 1; several >= 0; several--)
		for (size_t i = 0; i < types->count && code == 0; i++)
			if (types->items[i].count && (types->items[i].count > 1) == several)
				code = add_pass(plan, &types->items[i]);
	for (size_t i = 0; i < types->count && code == 0; i++)
		if (!types->items[i].count)
			code = add_unnamed(plan, &types->items[i]);
	return code;
}

static bool is_in_plan(const struct plan *plan, const struct pass_type *type)
{
	for (size_t i = 0; i < plan->pass_count; i++)
		if (plan->passes[i].vtable == type->vtable)
			return true;
	return false;
}

static int add_bodies(const struct image *image, const struct pass_types *types, struct plan *plan)
{
	uint64_t *others = calloc(types->count + 1, sizeof(*others));
	size_t count = 0;
	int code;

	if (!others)
		return -ENOMEM;
	for (size_t i = 0; i < types->count; i++)
		if (!is_in_plan(plan, &types->items[i]))
			others[count++] = image_pointer(image, types->items[i].vtable + PASS_RUN_SLOT);
	code = pass_add_bodies(image, others, count, plan);
	free(others);
	return code;
}

int pass_survey(const struct image *image, struct pass_functions *functions, struct plan *plan)
{
	struct pass_types types = {0};
	int code;

	if (functions->name_count)
		qsort(functions->names, functions->name_count, sizeof(*functions->names), by_address);
	if (functions->run_count)
		qsort(functions->runs, functions->run_count, sizeof(*functions->runs), by_address);
	code = find_types(image, functions, &types);
	for (size_t i = 0; i < types.count; i++)
		find_tables(image, &types.items[i]);
	for (size_t i = 0; i < types.count; i++) {
		if (types.items[i].count)
			read_labels(image, &types, &types.items[i]);
		else
			read_own_names(image, &types.items[i]);
	}
	if (code == 0)
		code = add_passes(&types, plan);
	if (code == 0)
		code = add_bodies(image, &types, plan);
	free(types.items);
	return code;
}

/* ---- where they run ---- */

/* The one jump that leads to the straight line which starts at `start`, and where it leads otherwise. */
static size_t find_jump(const struct flow *flow, size_t start, size_t *otherwise)
{
	uint64_t address = flow->insns[start].address;
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < flow->count; i++) {
		const struct insn *insn = &flow->insns[i];
		bool falls = i + 1 == start && insn->form == FORM_JCC && insn->address + insn->length == address;

		if (!falls && ((insn->form != FORM_JCC && insn->form != FORM_JMP) || insn->target != address))
			continue;
		if (found != SIZE_MAX || insn->form != FORM_JCC)
			return SIZE_MAX;
		found = i;
		*otherwise = falls ? flow_find(flow, insn->target) : flow_find(flow, insn->address + insn->length);
	}
	return found;
}

/* Whether the straight line from `from` on leads to the jump at `to`. */
static bool leads_to(const struct flow *flow, size_t from, size_t to)
{
	for (int i = 0; i < AROUND && from != SIZE_MAX; i++, from = flow_next_in_line(flow, from)) {
		if (from == to)
			return true;
		if (flow->insns[from].form == FORM_JCC)
			return false;
	}
	return false;
}

/* The register that holds the pass at `start`: what is moved to rdi before the call. REGISTER_NONE if it is not one. */
static uint8_t find_self(const struct flow *flow, size_t start, size_t call)
{
	uint8_t self = REG_RDI;

	for (size_t i = call; i-- > start;) {
		const struct insn *insn = &flow->insns[i];

		if (!(insn->written & (1u << self)))
			continue;
		if (insn->form != FORM_COPY)
			return REGISTER_NONE;
		self = insn->base;
	}
	return self;
}

static bool keeps(const struct flow *flow, size_t start, size_t end, uint8_t reg)
{
	for (size_t i = start; i < end; i++)
		if (flow->insns[i].written & (1u << reg))
			return false;
	return true;
}

/* Whether the call of a run_pass() at `call` is the other way around the guard whose jump is at `guard`. */
static bool place_pass(const struct guarded *function, size_t call, size_t guard, struct guard *out)
{
	const struct flow *flow = function->values->flow;
	size_t start = call, entry, exit_index = call, otherwise = SIZE_MAX;
	struct values_state before, behind;

	for (int i = 0; i < BEFORE && start > 0 && flow_runs_on(flow, start - 1); i++) {
		if (flow->insns[start - 1].form == FORM_CALL)
			break;
		start--;
	}
	entry = find_jump(flow, start, &otherwise);
	if (entry == SIZE_MAX || !leads_to(flow, otherwise, guard))
		return false;
	for (int i = 0; i < BEHIND && exit_index != SIZE_MAX; i++) {
		exit_index = flow_next_in_line(flow, exit_index);
		if (exit_index != SIZE_MAX && flow->insns[exit_index].form == FORM_JCC)
			break;
	}
	if (exit_index == SIZE_MAX || flow->insns[exit_index].form != FORM_JCC ||
	    !values_at(function->values, entry, &before) || !values_at(function->values, exit_index, &behind) ||
	    before.stack != behind.stack || !keeps(flow, start, call, flow->insns[call].base))
		return false;
	out->pass_self = find_self(flow, start, call);
	out->pass_vtable = flow->insns[call].base;
	out->entry = flow->insns[entry].address;
	out->exits[0] = flow->insns[exit_index].address;
	out->exit_count = 1;
	out->pass_call = flow->insns[call].address + flow->insns[call].length - 1;
	out->is_pass = out->pass_self < FLOW_REGISTERS && out->entry <= UINT32_MAX;
	return out->is_pass;
}

bool pass_find_guard(const struct guarded *function, size_t index, struct guard *out)
{
	const struct flow *flow = function->values->flow;
	size_t jump = guard_jump(flow, index), found = 0;
	struct guard guard = *out;

	for (size_t i = 0; i < flow->count && jump != SIZE_MAX; i++)
		if (flow->insns[i].form == FORM_CALL && flow->insns[i].base < FLOW_REGISTERS &&
		    flow->insns[i].disp == PASS_RUN_SLOT)
			found += place_pass(function, i, jump, &guard);
	if (found != 1)
		return false;
	guard.refusal = NULL;
	*out = guard;
	return true;
}
