/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/load.h"

#include <errno.h>
#include <string.h>

#include "bpf/wire.h"
#include "compiler/event.h"
#include "compiler/plan_rows.h"

/* Where the callee has what its caller had in the register `reg`. */
static bool find_saved(const struct values_state *state, uint8_t reg, struct plan_caller *row)
{
	const struct value saved = {0, VALUE_SAVED, reg};

	for (unsigned int i = 0; i < FLOW_REGISTERS; i++) {
		if (values_same(state->registers[i], saved)) {
			row->reg = (uint8_t)i;
			return true;
		}
	}
	for (unsigned int i = 0; i < state->slot_count; i++) {
		if (values_same(state->slots[i], saved) && state->offsets[i] >= state->stack) {
			row->reg = WIRE_ON_STACK;
			row->displacement = (int32_t)(state->offsets[i] - state->stack);
			return true;
		}
	}
	return false;
}

static bool find_vtable(const struct values_state *state, const struct vtable_place *at_caller, struct plan_caller *row)
{
	if (!at_caller->on_stack)
		return find_saved(state, at_caller->reg, row);
	/* The return address lies between the frames. */
	row->reg = WIRE_ON_STACK;
	row->displacement = (int32_t)(at_caller->displacement + 8 - state->stack);
	return true;
}

/* Whether a call is through a pointer in the vtable, which is the argument `vtable`. */
static bool is_through(const struct values_state *state, const struct insn *insn, int vtable)
{
	struct value pointer = insn->reg < FLOW_REGISTERS ? state->registers[insn->reg] : (struct value){0};
	struct value base = insn->base < FLOW_REGISTERS ? state->registers[insn->base] : (struct value){0};

	return (pointer.kind == VALUE_FIELD && pointer.argument == vtable) ||
	       (base.kind == VALUE_ARGUMENT && base.argument == vtable);
}

/* Whether a call passes the TyCtxt, the caller's argument behind the vtable, and then the address of a key. */
static bool passes_key(const struct values_state *state, int vtable)
{
	/* The result's place may come first. */
	for (unsigned int i = 0; i < 2; i++) {
		struct value tcx = values_passed(state, i), key = values_passed(state, i + 1);

		if (tcx.kind == VALUE_ARGUMENT && tcx.argument == vtable + 1 && tcx.number == 0 &&
		    key.kind == VALUE_STACK)
			return true;
	}
	return false;
}

static int add_call(struct guard_survey *survey, const struct survey_loader_call *call)
{
	if (rows_grow((void **)&survey->loader_calls, survey->loader_call_count, sizeof(*call)) < 0) {
		survey->loader_call_count = 0;
		return -ENOMEM;
	}
	survey->loader_calls[survey->loader_call_count++] = *call;
	return 0;
}

/* Adds the calls of loaders in a function that runs queries. */
static int find_calls_in(struct guard_survey *survey, const struct survey_runner *runner)
{
	const struct flow *flow = runner->values->flow;
	int vtable = guard_vtable_argument(runner->values, survey->filter_offset), code = 0;

	for (size_t i = 0; vtable >= 0 && i < flow->count && code == 0; i++) {
		const struct insn *insn = &flow->insns[i];
		struct survey_loader_call call = {.runner = runner->address, .behind = insn->address + insn->length};
		struct values_state state;

		if (insn->form != FORM_CALL || insn->callee || !values_at(runner->values, i, &state) ||
		    !is_through(&state, insn, vtable) || !passes_key(&state, vtable))
			continue;
		values_step(&state, insn);
		call.vtable = guard_find_vtable(&state, vtable);
		if (call.vtable.known)
			code = add_call(survey, &call);
	}
	return code;
}

/* Whether the function at `runner` runs queries in incremental mode. */
static bool is_incremental(const struct guard_survey *survey, uint64_t runner)
{
	for (size_t i = 0; i < survey->query_count; i++)
		if (survey->queries[i].runner == runner)
			return true;
	return false;
}

/* Finds the calls of loaders, unless that was done before. */
static int find_calls(struct guard_survey *survey)
{
	int code = 0;

	for (size_t i = 0; i < survey->runner_count && code == 0 && !survey->loader_calls_known; i++)
		if (is_incremental(survey, survey->runners[i].address))
			code = find_calls_in(survey, &survey->runners[i]);
	survey->loader_calls_known = code == 0;
	return code;
}

/* Notes that loads of all queries that the function at `runner` runs are known to be their own. */
static void note_runner(const struct guard_survey *survey, uint64_t runner, struct plan *plan)
{
	for (size_t i = 0; i < survey->query_count; i++)
		for (size_t j = 0; j < plan->query_count && survey->queries[i].runner == runner; j++)
			plan->queries[j].names_loads |= !strcmp(plan->queries[j].name, survey->queries[i].name);
}

/*
 * Adds to the plan where the vtable lies when the instruction at `address`, in the function `holder`, is about to run:
 * one row for each call through a pointer by which it may have been called. -ENOENT if there is none.
 */
static int add_callers(struct guard_survey *survey, const struct holder *holder, uint64_t address, struct plan *plan,
		       uint64_t *cookie)
{
	size_t before = plan->caller_count;
	unsigned int table = before ? plan->callers[before - 1].table + 1 : 1;
	struct survey_function function;
	struct values_state state;
	const char *refusal;
	uint64_t noted = 0;
	int64_t words;
	bool known;
	int code = survey_follow(survey, holder, &function, &refusal);

	if (code < 0)
		return code;
	known = values_at(function.guarded.values, flow_find(function.guarded.values->flow, address), &state);
	survey_leave(&function);
	if (!known)
		return -ENOENT;
	words = -state.stack / 8;
	if (state.stack % 8 || words < 0 || words > GUARD_MAX_WORDS || table > WIRE_MAX_QUERIES)
		return -ENOENT;
	code = find_calls(survey);
	for (size_t i = 0; i < survey->loader_call_count && code == 0; i++) {
		const struct survey_loader_call *call = &survey->loader_calls[i];
		struct plan_caller row = {.table = (uint16_t)table, .distance = (int64_t)(call->behind - address)};

		if (!find_vtable(&state, &call->vtable, &row))
			continue;
		code = rows_add_caller(plan, row);
		if (call->runner != noted)
			note_runner(survey, call->runner, plan);
		noted = call->runner;
	}
	*cookie =
	    GUARD_MAKE(GUARD_QUERY_CALLER, 0, words, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, table), 0);
	return code == 0 && plan->caller_count == before ? -ENOENT : code;
}

/* Names the query, if it is known, by its number; else by whoever calls `holder`, or, as a last resort, not. */
static int name(struct guard_survey *survey, const struct holder *holder, uint64_t address, unsigned int query,
		struct plan *plan, uint64_t *cookie)
{
	int code =
	    query || survey_is_runner(survey, holder) ? -ENOENT : add_callers(survey, holder, address, plan, cookie);

	if (code != -ENOENT)
		return code;
	if (query)
		plan->queries[query - 1].names_loads = true;
	*cookie = GUARD_MAKE(GUARD_FIXED, 0, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, query), 0);
	return 0;
}

int load_cookie(struct guard_survey *survey, const struct holder *holder, const struct guard *guard, struct plan *plan,
		uint64_t *cookie)
{
	unsigned int query = event_query_of_closure(survey, holder);

	if (guard->vtable.known) {
		*cookie = event_cookie_of_vtable(guard);
		note_runner(survey, holder->ranges[0].address, plan);
		return 0;
	}
	if (!query && survey_is_runner(survey, holder)) {
		query = event_query_of_runner(survey, holder);
		if (!query && guard->compared)
			query = event_query_at(survey, guard->compared);
	}
	return name(survey, holder, guard->entry, query, plan, cookie);
}

int load_cookie_at_call(struct guard_survey *survey, const struct frames_begin *begin, struct plan *plan,
			uint64_t *cookie)
{
	int code = 0;

	if (begin->has_vtable) {
		*cookie = GUARD_MAKE(GUARD_QUERY_REGISTER, 0, begin->vtable, 0) |
			  GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, 0), 0);
		note_runner(survey, begin->runner, plan);
	} else {
		code = name(survey, begin->caller, begin->address, begin->query, plan, cookie);
	}
	*cookie |= GUARD_WITH_NUMBER(0, begin->frame);
	return code;
}
