/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How far apart a guard and the clearing of its timer may stand. */
enum { NEAR = 6 };

/* Where the jump at `index` leads if the tested bits were clear. */
static size_t clear_branch(const struct flow *flow, size_t index)
{
	const struct insn *jump = &flow->insns[index];

	if (!jump->jumps_if_set)
		return flow_find(flow, jump->target);
	return flow_find(flow, jump->address + jump->length);
}

static bool is_filter_test(const struct flow *flow, size_t index)
{
	const struct insn *insn = &flow->insns[index];
	const struct flow_state *state = &flow->states[index];

	return insn->form == FORM_TEST_MASK && insn->immediate == FILTER_QUERY_PROVIDERS && state->reached &&
	       state->sound && insn->base < FLOW_REGISTERS && state->registers[insn->base] > VALUE_ARG0;
}

size_t place_filter_candidates(const struct flow *flow, int32_t *offsets, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < flow->count && count < room; i++)
		if (is_filter_test(flow, i))
			offsets[count++] = flow->insns[i].disp;
	return count;
}

static bool locate_vtable(const struct flow_state *state, uint8_t wanted, struct guard_site *site)
{
	for (unsigned int i = 0; i < FLOW_REGISTERS; i++) {
		if (state->registers[i] == wanted) {
			site->vtable_register = (uint8_t)i;
			return true;
		}
	}
	for (unsigned int i = 0; i < state->slot_count; i++) {
		int64_t displacement = state->slots[i].offset - state->stack;

		if (state->slots[i].value == wanted && displacement >= 0 && displacement <= INT32_MAX) {
			site->vtable_on_stack = true;
			site->vtable_displacement = (int32_t)displacement;
			return true;
		}
	}
	return false;
}

static const char *add_exit(struct placement *out, uint64_t address)
{
	for (size_t i = 0; i < out->exit_count; i++)
		if (out->exits[i] == address)
			return NULL;
	if (out->exit_count == MAX_EXITS)
		return "the timer is tested in too many places";
	out->exits[out->exit_count++] = address;
	return NULL;
}

/* A point of the search for the timer's tests: registers that hold the timer, one bit each. */
struct search_point {
	size_t index;
	uint16_t holders;
};

struct search {
	const struct flow *flow;
	int64_t timer; /* the timer's slot, from rsp at the function's entry */
	int64_t stack; /* rsp at the guard, likewise */
	struct search_point *queue;
	size_t length, room;
	uint16_t holders; /* behind the instruction at hand */
	uint16_t *seen;	  /* holders already searched from, by instruction */
	bool *visited;
	struct placement *out;
};

/* Queues a point unless the search has been there with the same registers. */
static bool search_from(size_t index, void *context)
{
	struct search *search = context;

	if (search->visited[index] && (search->seen[index] & search->holders) == search->holders)
		return true;
	search->visited[index] = true;
	search->seen[index] |= search->holders;
	if (search->length == search->room) {
		size_t more = search->room * 2;
		struct search_point *grown = realloc(search->queue, more * sizeof(*grown));

		if (!grown)
			return false;
		search->queue = grown;
		search->room = more;
	}
	search->queue[search->length++] = (struct search_point){index, search->seen[index]};
	return true;
}

static bool tests_timer(const struct search *search, const struct insn *insn, const struct flow_state *state,
			uint16_t holders)
{
	if (insn->form == FORM_TEST_SELF)
		return holders & (1u << insn->reg);
	return insn->form == FORM_TEST_SLOT && state->stack + insn->disp == search->timer;
}

/* Looks at one point; where the timer is tested the search along this path ends. */
static const char *search_step(struct search *search, struct search_point point)
{
	const struct flow *flow = search->flow;
	const struct insn *insn = &flow->insns[point.index];
	const struct flow_state *state = &flow->states[point.index];
	uint16_t holders = point.holders & (uint16_t)~insn->written;

	if (!state->reached || !state->sound)
		return NULL;
	if (tests_timer(search, insn, state, point.holders)) {
		size_t jump = flow_jump_of_test(flow, point.index);

		if (jump == SIZE_MAX)
			return "the timer is tested without a jump";
		if (flow->states[jump].stack != search->stack)
			return "the stack pointer differs between entry and exit";
		return add_exit(search->out, flow->insns[jump].address);
	}
	if (insn->store_size && state->stack + insn->store_disp < search->timer + 8 &&
	    search->timer < state->stack + insn->store_disp + insn->store_size)
		return NULL;
	if (insn->form == FORM_CALL)
		holders &= 0xf038;
	if (insn->form == FORM_COPY && (point.holders & (1u << insn->base)))
		holders |= (uint16_t)(1u << insn->reg);
	if (insn->form == FORM_LOAD && state->stack + insn->disp == search->timer)
		holders |= (uint16_t)(1u << insn->reg);
	search->holders = holders;
	return flow_successors(flow, point.index, search_from, search) ? NULL : "out of memory";
}

/* Finds every test of the timer that can be reached from `start`. */
static const char *find_exits(const struct flow *flow, size_t start, int64_t timer, int64_t stack,
			      struct placement *out)
{
	struct search search = {.flow = flow, .timer = timer, .stack = stack, .room = 256, .out = out};
	const char *refusal = NULL;
	size_t before = out->exit_count;

	search.queue = calloc(search.room, sizeof(*search.queue));
	search.seen = calloc(flow->count, sizeof(*search.seen));
	search.visited = calloc(flow->count, sizeof(*search.visited));
	if (!search.queue || !search.seen || !search.visited)
		refusal = "out of memory";
	if (!refusal && (start == SIZE_MAX || !search_from(start, &search)))
		refusal = "the code behind the profiler's guard was not found";
	while (!refusal && search.length)
		refusal = search_step(&search, search.queue[--search.length]);
	free(search.queue);
	free(search.seen);
	free(search.visited);
	if (!refusal && out->exit_count == before)
		refusal = "the test that ends the timer was not found";
	return refusal;
}

static const char *place_guard(const struct flow *flow, size_t test, struct placement *out)
{
	const struct insn *insn = &flow->insns[test];
	struct guard_site site = {.tcx_register = insn->base};
	size_t jump = flow_jump_of_test(flow, test);
	size_t at;

	if (jump == SIZE_MAX)
		return "the profiler's guard has no jump";
	if (!locate_vtable(&flow->states[jump], flow->states[test].registers[insn->base] - 1, &site))
		return "the query's vtable is not at hand at the profiler's guard";
	if (flow->states[jump].registers[insn->base] != flow->states[test].registers[insn->base])
		return "the TyCtxt is not at hand at the profiler's guard";
	if (out->guard_count == MAX_GUARDS)
		return "the profiler's guard stands in too many places";
	site.address = flow->insns[jump].address;
	out->guards[out->guard_count++] = site;
	at = clear_branch(flow, jump);
	for (int i = 0; i < NEAR && at != SIZE_MAX; i++, at = flow_next_in_line(flow, at))
		if (flow->insns[at].form == FORM_STORE_ZERO)
			return find_exits(flow, flow_next_in_line(flow, at),
					  flow->states[at].stack + flow->insns[at].disp, flow->states[jump].stack, out);
	return "the timer's slot was not found";
}

void place_sites(const struct flow *flow, int32_t filter_offset, struct placement *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < flow->count && !out->refusal; i++)
		if (is_filter_test(flow, i) && flow->insns[i].disp == filter_offset)
			out->refusal = place_guard(flow, i, out);
	if (!out->refusal && !out->guard_count)
		out->refusal = "the profiler's guard was not found";
}

int place_vtable(const struct flow *flow, bool (*callee_known)(uint64_t address, const void *context),
		 const void *context, int32_t *offset, uint64_t *callee)
{
	int32_t found = 0;

	*callee = 0;
	for (size_t i = 0; i < flow->count; i++) {
		const struct insn *insn = &flow->insns[i];

		if ((insn->form == FORM_CALL || insn->form == FORM_JMP) && insn->target &&
		    callee_known(insn->target, context))
			*callee = insn->target;
		if (insn->form != FORM_ADDRESS || insn->base == REG_RSP || insn->base == REGISTER_NONE ||
		    insn->disp <= 0)
			continue;
		if (found && found != insn->disp)
			return -ENOENT;
		found = insn->disp;
	}
	*offset = found;
	return found && *callee ? 0 : -ENOENT;
}
