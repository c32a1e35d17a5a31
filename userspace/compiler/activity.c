/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/activity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"

enum { MAX_RANGES = 16, BLOOM = 1 << 16, MAX_PATH = 200 };

/* A function with guards in it, and its fragments. */
struct holder {
	const char *symbol;
	size_t base_length;
	uint64_t hash;
	struct code_range ranges[MAX_RANGES];
	size_t range_count;
	bool has_entry;
};

/* A call of a function that guards call. */
struct call {
	uint64_t address;
	size_t holder;
};

/* A guard that was found, and whose function it is in. */
struct finding {
	struct guard guard;
	size_t holder;
};

struct search {
	const struct image *image;
	const struct guard_callees *callees;
	uint8_t bloom[BLOOM / 8]; /* one bit for each value of the low half of a callee's address */
	struct holder *holders;
	size_t holder_count;
	struct call *calls; /* by holder */
	size_t call_count;
	struct finding *findings;
	size_t finding_count;
};

int activity_note_callee(struct guard_callees *callees, const struct image_symbol *symbol,
			 const struct recognised *what)
{
	if (what->fragment)
		return 0;
	if (rows_grow((void **)&callees->items, callees->count, sizeof(*callees->items)) < 0) {
		callees->count = 0;
		return -ENOMEM;
	}
	callees->items[callees->count++] = (struct guard_function){symbol->address, what->callee};
	return 0;
}

static int callees_by_address(const void *a, const void *b)
{
	const struct guard_function *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

static bool starts_guard(enum guard_callee callee)
{
	return callee == CALLEE_ACTIVITY || callee == CALLEE_ACTIVITY_ARGUMENT || callee == CALLEE_ACTIVITY_RECORDER ||
	       callee == CALLEE_ACTIVITY_VERBOSE;
}

/* ---- finding the calls ---- */

static bool in_bloom(const struct search *search, uint64_t address)
{
	uint16_t low = (uint16_t)address;

	return search->bloom[low / 8] & (1u << low % 8);
}

static uint64_t hash_of(const char *name, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)name[i]) * 0x100000001b3;
	return hash;
}

static int holder_of(struct search *search, const struct image_symbol *symbol, size_t *out)
{
	bool fragment;
	size_t length = symbol_base_length(symbol->name, &fragment);
	struct holder *holder;

	for (*out = 0; *out < search->holder_count; (*out)++)
		if (search->holders[*out].base_length == length &&
		    !memcmp(search->holders[*out].symbol, symbol->name, length))
			return 0;
	if (rows_grow((void **)&search->holders, search->holder_count, sizeof(*search->holders)) < 0) {
		search->holder_count = 0;
		return -ENOMEM;
	}
	*out = search->holder_count++;
	holder = &search->holders[*out];
	memset(holder, 0, sizeof(*holder));
	holder->symbol = symbol->name;
	holder->base_length = length;
	holder->hash = hash_of(symbol->name, length);
	return 0;
}

static int add_call(struct search *search, const struct image_symbol *symbol, uint64_t address)
{
	struct call *call;

	if (rows_grow((void **)&search->calls, search->call_count, sizeof(*search->calls)) < 0) {
		search->call_count = 0;
		return -ENOMEM;
	}
	call = &search->calls[search->call_count++];
	call->address = address;
	return holder_of(search, symbol, &call->holder);
}

/* The function that the bytes at `address` would call, if they are a direct call or one through a pointer. */
static uint64_t called(const struct search *search, const uint8_t *bytes, uint64_t address)
{
	int32_t distance;

	if (bytes[0] == 0xe8) {
		memcpy(&distance, bytes + 1, sizeof(distance));
		address += 5 + (uint64_t)(int64_t)distance;
		return in_bloom(search, address) ? address : 0;
	}
	if (bytes[0] != 0xff || bytes[1] != 0x15)
		return 0;
	memcpy(&distance, bytes + 2, sizeof(distance));
	return image_pointer(search->image, address + 6 + (uint64_t)(int64_t)distance);
}

static int scan_function(struct search *search, const struct image_symbol *symbol, uint64_t from)
{
	enum { CALL_SIZE = 6 };
	size_t available, size = symbol->address + symbol->size - from;
	const uint8_t *bytes = image_bytes(search->image, from, &available);

	if (!bytes || available < CALL_SIZE)
		return 0;
	if (size > available - CALL_SIZE)
		size = available - CALL_SIZE;
	for (size_t i = 0; i < size; i++) {
		uint64_t target;
		int code;

		if (bytes[i] != 0xe8 && bytes[i] != 0xff)
			continue;
		target = called(search, bytes + i, from + i);
		if (!target || !starts_guard(guard_callee_at(search->callees, target)))
			continue;
		code = add_call(search, symbol, from + i);
		if (code < 0)
			return code;
	}
	return 0;
}

/* Only what a symbol covers is scanned: BOLT leaves dead copies of the functions that it moved, without symbols. */
static int scan_functions(struct search *search)
{
	size_t count;
	const struct image_symbol *symbols = image_symbols(search->image, &count);
	uint64_t done = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t end = symbols[i].address + symbols[i].size;
		uint64_t from = symbols[i].address > done ? symbols[i].address : done;
		int code = end > from && image_file_offset(search->image, from) != UINT64_MAX
			       ? scan_function(search, &symbols[i], from)
			       : 0;

		if (code < 0)
			return code;
		if (end > done)
			done = end;
	}
	return 0;
}

/* ---- the functions around them ---- */

static void add_range(struct holder *holder, const struct image_symbol *symbol, bool fragment)
{
	struct code_range range = {symbol->address, symbol->size};

	for (size_t i = 0; i < holder->range_count; i++)
		if (holder->ranges[i].address == range.address)
			return;
	if (holder->range_count == MAX_RANGES)
		return;
	holder->ranges[holder->range_count++] = range;
	if (!fragment) {
		holder->ranges[holder->range_count - 1] = holder->ranges[0];
		holder->ranges[0] = range;
		holder->has_entry = true;
	}
}

/* Collects the fragments of all holders, in one pass over the symbols. */
static int find_ranges(struct search *search)
{
	size_t count, buckets = 1;
	const struct image_symbol *symbols = image_symbols(search->image, &count);
	size_t *table, *next;

	while (buckets < 2 * search->holder_count + 2)
		buckets *= 2;
	table = calloc(buckets, sizeof(*table));
	next = calloc(search->holder_count + 1, sizeof(*next));
	if (!table || !next) {
		free(table);
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < search->holder_count; i++) {
		next[i] = table[search->holders[i].hash % buckets];
		table[search->holders[i].hash % buckets] = i + 1;
	}
	for (size_t i = 0; i < count; i++) {
		bool fragment;
		size_t length = symbol_base_length(symbols[i].name, &fragment);
		uint64_t hash = hash_of(symbols[i].name, length);

		for (size_t at = table[hash % buckets]; at; at = next[at - 1]) {
			struct holder *holder = &search->holders[at - 1];

			if (holder->hash == hash && holder->base_length == length &&
			    !memcmp(holder->symbol, symbols[i].name, length))
				add_range(holder, &symbols[i], fragment);
		}
	}
	free(table);
	free(next);
	return 0;
}

/* ---- the guards ---- */

static int add_finding(struct search *search, size_t holder, const struct guard *guard)
{
	if (rows_grow((void **)&search->findings, search->finding_count, sizeof(*search->findings)) < 0) {
		search->finding_count = 0;
		return -ENOMEM;
	}
	search->findings[search->finding_count++] = (struct finding){*guard, holder};
	return 0;
}

static int refuse_call(struct search *search, const struct call *call, const char *refusal)
{
	const struct guard guard = {.call = call->address, .refusal = refusal};

	return add_finding(search, call->holder, &guard);
}

/* Finds the guards of one function, whose calls are `count` of them. */
static int find_guards(struct search *search, const struct call *calls, size_t count)
{
	const struct holder *holder = &search->holders[calls[0].holder];
	struct flow flow = {0};
	struct values values = {0};
	const char *refusal = NULL;
	int code = 0;

	/* What starts a verbose guard has a guard of its own, which is that one's. */
	if (guard_callee_at(search->callees, holder->ranges[0].address) == CALLEE_ACTIVITY_VERBOSE)
		return 0;
	if (!holder->has_entry)
		refusal = "the entry of the function that it is in has no symbol";
	else if (flow_decode(search->image, holder->ranges, holder->range_count, &flow, NULL) < 0)
		refusal = "the function that it is in cannot be decoded";
	else if (values_follow(&flow, holder->ranges[0].address, &values) < 0)
		code = -ENOMEM;
	for (size_t i = 0; i < count && code == 0; i++) {
		size_t index = flow_find(&flow, calls[i].address);
		struct guard guard;

		if (refusal) {
			code = refuse_call(search, &calls[i], refusal);
		} else if (index != SIZE_MAX) {
			guard_find(search->image, &values, search->callees, index, &guard);
			code = add_finding(search, calls[i].holder, &guard);
		}
	}
	values_free(&values);
	flow_free(&flow);
	return code;
}

static int calls_by_holder(const void *a, const void *b)
{
	const struct call *left = a, *right = b;

	if (left->holder != right->holder)
		return left->holder < right->holder ? -1 : 1;
	return left->address < right->address ? -1 : left->address > right->address;
}

static int find_all_guards(struct search *search)
{
	int code = 0;

	if (search->call_count)
		qsort(search->calls, search->call_count, sizeof(*search->calls), calls_by_holder);
	for (size_t i = 0, j; i < search->call_count && code == 0; i = j) {
		for (j = i + 1; j < search->call_count && search->calls[j].holder == search->calls[i].holder; j++)
			;
		code = find_guards(search, &search->calls[i], j - i);
	}
	return code;
}

/* ---- into the plan ---- */

/* A place where something happens, and the guard that it belongs to. */
struct use {
	uint64_t offset;     /* in the file */
	struct guard *guard; /* NULL for a query's site */
};

static void refuse_use(const struct use *use)
{
	if (use->guard)
		use->guard->refusal = "something else begins or ends in the same place";
}

static int uses_by_offset(const void *a, const void *b)
{
	const struct use *left = a, *right = b;

	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Sites that are not one guard's alone would end or begin the wrong one. */
static int refuse_shared_sites(struct search *search, const struct plan *plan)
{
	size_t room = search->finding_count * (GUARD_EXITS + 1) + plan->site_count + 1, count = 0;
	struct use *uses = calloc(room, sizeof(*uses));

	if (!uses)
		return -ENOMEM;
	for (size_t i = 0; i < search->finding_count; i++) {
		struct guard *guard = &search->findings[i].guard;

		if (guard->refusal)
			continue;
		uses[count++] = (struct use){image_file_offset(search->image, guard->entry), guard};
		for (size_t j = 0; j < guard->exit_count; j++)
			uses[count++] = (struct use){image_file_offset(search->image, guard->exits[j]), guard};
	}
	for (size_t i = 0; i < plan->site_count; i++)
		uses[count++] = (struct use){plan->sites[i].offset, NULL};
	qsort(uses, count, sizeof(*uses), uses_by_offset);
	for (size_t i = 1; i < count; i++) {
		if (uses[i].offset != uses[i - 1].offset)
			continue;
		refuse_use(&uses[i]);
		refuse_use(&uses[i - 1]);
	}
	free(uses);
	return 0;
}

static void refuse_unsafe_sites(struct search *search)
{
	for (size_t i = 0; i < search->finding_count; i++) {
		struct guard *guard = &search->findings[i].guard;
		bool safe = guard->refusal || rows_may_probe(search->image, guard->entry, SITE_BEGIN);

		for (size_t j = 0; j < guard->exit_count; j++)
			safe = safe && (guard->refusal || rows_may_probe(search->image, guard->exits[j], SITE_END));
		if (!safe)
			guard->refusal = "its place is not safe to probe";
	}
}

/* Notes a guard that is left out by its label or, if that is not known, by the function that it is in. */
static int add_omission(const struct search *search, const struct finding *finding, struct plan *plan)
{
	char *path;
	int code;

	if (finding->guard.label[0])
		return rows_add_omission(plan, finding->guard.label, finding->guard.refusal);
	path = symbol_path(search->holders[finding->holder].symbol);
	if (path && strlen(path) > MAX_PATH)
		path[MAX_PATH] = '\0';
	code = rows_add_omission(plan, path ? path : "unknown", finding->guard.refusal);
	free(path);
	return code;
}

/* Only -Zincremental-verify-ich runs these. */
static bool is_verification(const struct guard *guard)
{
	static const char prefix[] = "query_key_hash_verify";

	return !strncmp(guard->label, prefix, sizeof(prefix) - 1);
}

static int add_guard(const struct search *search, const struct guard *guard, unsigned int id, struct plan *plan)
{
	enum guard_naming naming = guard->has_argument ? GUARD_ARGUMENT : GUARD_FIXED;
	struct site begin = {.kind = SITE_BEGIN, .event = EVENT_ACTIVITY};
	struct site end = {.kind = SITE_END, .event = EVENT_ACTIVITY, .cookie = GUARD_MAKE(0, id, 0, 0)};
	size_t index;
	int code = rows_add_activity(plan, guard->label, &index);

	begin.cookie = GUARD_MAKE(naming, id, 0, 0) | GUARD_WITH_NUMBER(WIRE_ACTIVITIES + index, guard->argument);
	if (code == 0)
		code = rows_add_site(search->image, plan, guard->entry, begin);
	for (size_t i = 0; i < guard->exit_count && code == 0; i++)
		code = rows_add_site(search->image, plan, guard->exits[i], end);
	return code;
}

static int add_findings(struct search *search, struct plan *plan)
{
	unsigned int id = 0;
	int code = 0;

	for (size_t i = 0; i < search->finding_count && code == 0; i++) {
		const struct finding *finding = &search->findings[i];
		struct guard *guard = &search->findings[i].guard;

		if (is_verification(guard))
			continue;
		if (!guard->refusal && !guard->label[0])
			guard->refusal = "its label is not a constant";
		if (!guard->refusal && (id == WIRE_MAX_GUARDS || plan->activity_count >= WIRE_MAX_ACTIVITIES))
			guard->refusal = "there are too many";
		code = guard->refusal ? add_omission(search, finding, plan) : add_guard(search, guard, ++id, plan);
	}
	return code;
}

static int survey(struct search *search, struct plan *plan)
{
	int code = scan_functions(search);

	if (code == 0)
		code = find_ranges(search);
	if (code == 0)
		code = find_all_guards(search);
	if (code == 0)
		code = refuse_shared_sites(search, plan);
	if (code < 0)
		return code;
	refuse_unsafe_sites(search);
	return add_findings(search, plan);
}

int activity_survey(const struct image *image, struct guard_callees *callees, struct plan *plan)
{
	struct search *search = calloc(1, sizeof(*search));
	int code;

	if (!search)
		return -ENOMEM;
	search->image = image;
	search->callees = callees;
	if (callees->count)
		qsort(callees->items, callees->count, sizeof(*callees->items), callees_by_address);
	for (size_t i = 0; i < callees->count; i++) {
		uint16_t low = (uint16_t)callees->items[i].address;

		if (starts_guard(callees->items[i].callee))
			search->bloom[low / 8] |= (uint8_t)(1u << low % 8);
	}
	callees->verbose_timer = 0x40;
	code = survey(search, plan);
	free(search->holders);
	free(search->calls);
	free(search->findings);
	free(search);
	return code;
}
