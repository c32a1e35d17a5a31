/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/frames.h"

#include <errno.h>
#include <string.h>

#include "compiler/event.h"
#include "compiler/spans.h"

/* The calls of the function at `address`. Returns how many; more than there is room for if that many. */
static size_t find_callers(const struct guard_survey *survey, uint64_t address,
			   const struct guard_call *callers[FRAMES_CALLERS])
{
	size_t count = 0;

	for (size_t i = 0; i < survey->calls.call_count; i++) {
		if (survey->calls.calls[i].target != address)
			continue;
		if (count < FRAMES_CALLERS)
			callers[count] = &survey->calls.calls[i];
		count++;
	}
	return count;
}

/* Sets the distance of an end's rsp from the begin's. Both frames are given by rsp at the lender's entry. */
static const char *set_frame(int64_t distance, int32_t *frame)
{
	if (distance % 8 || distance / 8 < INT16_MIN || distance / 8 > INT16_MAX)
		return "the frame in which it ends is too far away";
	*frame = (int32_t)distance;
	return NULL;
}

static const char *find_ends(const struct guard_survey *survey, const struct values *values,
			     const struct guard_call *const *callers, size_t count, struct guard *guard)
{
	struct timer_life life = {.values = values, .callees = survey->callees, .any_stack = true, .entry = SIZE_MAX};
	size_t starts[FRAMES_CALLERS];
	int64_t stack = 0, timer = 0;
	const char *refusal;

	for (size_t i = 0; i < count; i++) {
		size_t index = flow_find(values->flow, callers[i]->address);
		struct values_state state;
		struct value given;

		if (index == SIZE_MAX || !values_at(values, index, &state) ||
		    values->flow->insns[index].form != FORM_CALL)
			return "its function is not called in a known way";
		given = values_passed(&state, guard->lent_argument);
		if (given.kind != VALUE_STACK || (i && (given.number != timer || state.stack != stack)))
			return "its timer's place in the caller is not known";
		timer = given.number;
		stack = state.stack;
		starts[life.start_count++] = index;
	}
	life.timer = timer + guard->lent_offset;
	life.starts = starts;
	guard->lent = false;
	refusal = spans_find(&life, guard);
	/* The return address lies between the frames. */
	return refusal ? refusal : set_frame(life.stack - stack + 8 - guard->stack, &guard->frame);
}

int frames_find_ends(const struct guard_survey *survey, const struct holder *holder, struct guard *guard)
{
	const struct guard_call *callers[FRAMES_CALLERS];
	size_t count = find_callers(survey, holder->ranges[0].address, callers);
	struct survey_function function;
	int code;

	guard->refusal = "its end is not in one function";
	if (!count || count > FRAMES_CALLERS)
		return 0;
	for (size_t i = 1; i < count; i++)
		if (callers[i]->holder != callers[0]->holder)
			return 0;
	code = survey_follow(survey, &survey->calls.holders[callers[0]->holder], &function, &guard->refusal);
	if (code < 0)
		return code == -ENOMEM ? code : 0;
	guard->refusal = find_ends(survey, function.guarded.values, callers, count, guard);
	survey_leave(&function);
	return 0;
}

/* Names the query of a call in a function that runs queries. */
static int name_in_runner(const struct guard_survey *survey, const struct holder *holder, uint64_t address,
			  struct frames_begin *begin)
{
	struct survey_function function;
	struct values_state state;
	struct vtable_place place;
	const char *refusal;
	int code;

	begin->query = event_query_of_runner(survey, holder);
	if (begin->query)
		return 0;
	code = survey_follow(survey, holder, &function, &refusal);
	if (code < 0)
		return code;
	code = -ENOENT;
	if (values_at(function.guarded.values, flow_find(function.guarded.values->flow, address), &state)) {
		place = guard_find_vtable(&state, function.guarded.vtable);
		begin->vtable = place.reg;
		begin->runner = holder->ranges[0].address;
		begin->has_vtable = place.known && !place.on_stack;
		code = begin->has_vtable ? 0 : -ENOENT;
	}
	survey_leave(&function);
	return code;
}

int frames_find_begins(const struct guard_survey *survey, const struct holder *holder, struct guard *guard,
		       struct frames_begin begins[FRAMES_CALLERS], size_t *count)
{
	const struct guard_call *callers[FRAMES_CALLERS];
	const char *refusal;
	int code = 0;

	*count = find_callers(survey, holder->ranges[0].address, callers);
	if (!*count || *count > FRAMES_CALLERS) {
		guard->refusal = "the function that it is in is not called in a known way";
		return 0;
	}
	for (size_t i = 0; i < *count && code == 0 && !guard->refusal; i++) {
		const struct holder *caller = &survey->calls.holders[callers[i]->holder];

		begins[i] = (struct frames_begin){.address = callers[i]->address, .caller = caller};
		/* The call puts the return address between the frames. */
		refusal = set_frame(guard->stack - 8, &begins[i].frame);
		begins[i].query = event_query_of_closure(survey, caller);
		if (!begins[i].query && survey_is_runner(survey, caller))
			code = name_in_runner(survey, caller, callers[i]->address, &begins[i]);
		if (code == -ENOENT || refusal) {
			guard->refusal = refusal ? refusal : "a call of the function that it is in names no query";
			code = 0;
		}
	}
	return code;
}
