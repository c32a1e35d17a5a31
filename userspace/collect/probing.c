/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Probes on a compiler, and letting go of them. */
#include "collect/probing.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collect/recovery.h"
#include "compiler/compiler.h"
#include "util/clock.h"

/* The first slot has all groups that are let go of together, at the end; each of the others has one. */
#define SHARED_SLOT 0

struct slot {
	uint32_t group;
	struct attachment sites[SITE_KINDS];
};

struct probes {
	const struct plan *plan;
	struct slot *slots;
	size_t slot_count;
	uint32_t *slot_of; /* by group */
	pthread_t letting_go;
	bool is_letting_go;
};

/* ---- tables ---- */

static int fill_query_table(const struct collector *collector, const struct plan *plan, uint32_t number,
			    struct error *err)
{
	uint16_t *numbers = calloc(WIRE_VTABLE_SLOTS, sizeof(*numbers));
	int code;

	if (!numbers)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < plan->query_count && i < WIRE_MAX_QUERIES; i++)
		if (!plan->queries[i].refusal)
			numbers[plan->queries[i].vtable_offset / 8] = (uint16_t)(i + 1);
	code = bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.queries), &number, numbers, BPF_ANY);
	free(numbers);
	return code < 0 ? error_set(err, code, "cannot write the table of queries: %s", strerror(-code)) : 0;
}

static int fill_pass_table(const struct collector *collector, const struct plan *plan, uint32_t number,
			   struct error *err)
{
	for (size_t i = 0; i < plan->pass_count; i++) {
		const struct plan_pass *pass = &plan->passes[i];
		struct wire_pass_key key = {number, (uint32_t)pass->vtable};
		struct wire_pass value = {pass->selector, (uint16_t)(WIRE_ACTIVITIES + pass->first),
					  (uint16_t)pass->count};
		int code = bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.passes), &key, &value, BPF_ANY);

		if (code < 0)
			return error_set(err, code, "cannot write the table of passes: %s", strerror(-code));
	}
	return 0;
}

static int fill_caller_table(const struct collector *collector, const struct plan *plan, uint32_t number,
			     struct error *err)
{
	for (size_t i = 0; i < plan->caller_count; i++) {
		const struct plan_caller *caller = &plan->callers[i];
		struct wire_caller_key key = {number, caller->table, caller->distance};
		struct wire_caller value = {caller->reg, caller->displacement};
		int code = bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.callers), &key, &value, BPF_ANY);

		if (code < 0)
			return error_set(err, code, "cannot write the table of callers: %s", strerror(-code));
	}
	return 0;
}

/* ---- attaching ---- */

/* Queries are watched too where the names of other events depend on them. */
static bool is_wanted(const struct collector *collector, const struct timing *timing, const struct site *site)
{
	static const unsigned int named_by_query = COLLECT_EVENT(EVENT_INCREMENTAL_LOAD) |
						   COLLECT_EVENT(EVENT_RESULT_HASHING) |
						   COLLECT_EVENT(EVENT_QUERY_BLOCKED);
	unsigned int events = collector->place.events;
	bool has_end = collector->overhead.mode != OVERHEAD_COUNTS;

	if (site->kind == SITE_SESSION)
		return true;
	if (!has_end && (site->kind == SITE_EXIT || site->kind == SITE_END || site->kind == SITE_CAUGHT))
		return false;
	if (site->kind == SITE_CAUGHT)
		return true;
	return ((events & COLLECT_EVENT(site->event)) || (site->event == EVENT_QUERY && (events & named_by_query))) &&
	       timing_probes(timing, site->group);
}

static int attach_kind(struct collector *collector, const struct probed *probed, size_t number, struct slot *slot,
		       enum site_kind kind, struct error *err)
{
	const struct querytap_bpf *bpf = collector->bpf;
	bool joins = recovery_is_on(bpf);
	const struct bpf_program *const programs[SITE_KINDS] = {
	    [SITE_ENTER] = joins ? bpf->progs.query_enter_joined : bpf->progs.query_enter,
	    [SITE_EXIT] = joins ? bpf->progs.query_exit_joined : bpf->progs.query_exit,
	    [SITE_SESSION] = bpf->progs.session_start,
	    [SITE_CAUGHT] = bpf->progs.panic_caught,
	    [SITE_BEGIN] = joins ? bpf->progs.guard_begin_joined : bpf->progs.guard_begin,
	    [SITE_END] = bpf->progs.guard_end,
	};
	const struct probes *probes = probed->probes;
	const struct plan *plan = probes->plan;
	uint64_t *offsets = calloc(plan->site_count + 1, sizeof(*offsets));
	uint64_t *cookies = calloc(plan->site_count + 1, sizeof(*cookies));
	size_t count = 0;
	int code;

	for (size_t i = 0; offsets && cookies && i < plan->site_count; i++) {
		const struct site *site = &plan->sites[i];

		if (site->kind != kind || &probes->slots[probes->slot_of[site->group]] != slot ||
		    !is_wanted(collector, probed->timing, site))
			continue;
		offsets[count] = site->offset;
		cookies[count++] = site->cookie | number;
	}
	if (offsets && cookies)
		code = attachment_open(bpf_program__fd(programs[kind]), collector->multi, plan->path, offsets, cookies,
				       count, &slot->sites[kind], err);
	else
		code = error_set(err, ENOMEM, "out of memory");
	free(offsets);
	free(cookies);
	return code;
}

/* Gives each group that may be let go of alone a slot of its own. Only uprobe_multi links can be let go of quickly. */
static struct probes *make_slots(const struct collector *collector, const struct plan *plan,
				 const struct timing *timing)
{
	struct probes *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return NULL;
	probes->plan = plan;
	probes->slots = calloc(plan->group_count + 1, sizeof(*probes->slots));
	probes->slot_of = calloc(plan->group_count, sizeof(*probes->slot_of));
	probes->slot_count = 1;
	if (!probes->slots || !probes->slot_of) {
		probes_detach(probes);
		return NULL;
	}
	for (uint32_t group = 0; group < plan->group_count && collector->multi; group++) {
		if (!timing_probes(timing, group) || !timing_may_let_go(timing, group))
			continue;
		probes->slot_of[group] = (uint32_t)probes->slot_count;
		probes->slots[probes->slot_count++].group = group;
	}
	return probes;
}

int probes_attach(struct collector *collector, struct probed *probed, size_t number, struct error *err)
{
	/*
	 * Exits first: an entry without its exit would stay on the shadow stack. The start of the compilation last:
	 * whoever is seen there has all probes ahead.
	 */
	static const enum site_kind order[] = {SITE_EXIT, SITE_END, SITE_CAUGHT, SITE_ENTER, SITE_BEGIN, SITE_SESSION};
	int code = fill_query_table(collector, probed->plan, (uint32_t)number, err);

	if (code == 0)
		code = fill_caller_table(collector, probed->plan, (uint32_t)number, err);
	if (code == 0)
		code = fill_pass_table(collector, probed->plan, (uint32_t)number, err);
	if (code < 0)
		return code;
	probed->probes = make_slots(collector, probed->plan, probed->timing);
	if (!probed->probes)
		return error_set(err, ENOMEM, "out of memory");
	recovery_add(collector, probed, number);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order) && code == 0; i++) {
		if (order[i] == SITE_SESSION)
			collector->bpf->bss->armed[number] = clock_now(CLOCK_MONOTONIC);
		for (size_t j = 0; j < probed->probes->slot_count && code == 0; j++)
			code = attach_kind(collector, probed, number, &probed->probes->slots[j], order[i], err);
	}
	if (code < 0) {
		probes_detach(probed->probes);
		probed->probes = NULL;
	}
	return code;
}

/* ---- letting go ---- */

static void *close_attachment(void *attachment)
{
	attachment_close(attachment);
	return NULL;
}

/*
 * Lets go of many attachments side by side: the kernel waits some 50 ms for each, until nobody is in its programs.
 */
static void close_all(struct attachment *const *attachments, size_t count)
{
	pthread_t *threads = calloc(count + 1, sizeof(*threads));
	size_t started = 0;

	while (threads && started < count &&
	       pthread_create(&threads[started], NULL, close_attachment, attachments[started]) == 0)
		started++;
	for (size_t i = started; i < count; i++)
		attachment_close(attachments[i]);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

static bool is_attached(const struct attachment *attachment)
{
	return attachment->count > 0;
}

void probes_detach(struct probes *probes)
{
	struct attachment **attachments;
	size_t count = 0;

	if (!probes)
		return;
	if (probes->is_letting_go)
		pthread_join(probes->letting_go, NULL);
	attachments = calloc(probes->slot_count * SITE_KINDS + 1, sizeof(*attachments));
	for (size_t i = 0; probes->slots && i < probes->slot_count; i++) {
		for (int kind = 0; kind < SITE_KINDS; kind++) {
			struct attachment *attachment = &probes->slots[i].sites[kind];

			if (attachments && is_attached(attachment))
				attachments[count++] = attachment;
			else
				attachment_close(attachment);
		}
	}
	if (attachments)
		close_all(attachments, count);
	free(attachments);
	free(probes->slots);
	free(probes->slot_of);
	free(probes);
}

/* What a thread of its own lets go of. */
struct leaving {
	size_t count;
	struct slot *slots[];
};

static void leave_kinds(const struct leaving *leaving, enum site_kind first, enum site_kind second)
{
	struct attachment **attachments = calloc(2 * leaving->count + 1, sizeof(*attachments));
	size_t count = 0;

	for (size_t i = 0; attachments && i < leaving->count; i++) {
		struct slot *slot = leaving->slots[i];

		if (is_attached(&slot->sites[first]))
			attachments[count++] = &slot->sites[first];
		if (is_attached(&slot->sites[second]))
			attachments[count++] = &slot->sites[second];
	}
	if (attachments)
		close_all(attachments, count);
	free(attachments);
}

/* Entries first, so that most of what is running can still end. */
static void *leave(void *data)
{
	struct leaving *leaving = data;

	leave_kinds(leaving, SITE_ENTER, SITE_BEGIN);
	leave_kinds(leaving, SITE_EXIT, SITE_END);
	free(leaving);
	return NULL;
}

void probes_let_go(struct probes *probes, const uint32_t *groups, size_t count)
{
	struct leaving *leaving = calloc(1, sizeof(*leaving) + count * sizeof(*leaving->slots));

	if (!leaving)
		return;
	for (size_t i = 0; i < count; i++)
		if (probes->slot_of[groups[i]] != SHARED_SLOT)
			leaving->slots[leaving->count++] = &probes->slots[probes->slot_of[groups[i]]];
	if (probes->is_letting_go)
		pthread_join(probes->letting_go, NULL);
	probes->is_letting_go = pthread_create(&probes->letting_go, NULL, leave, leaving) == 0;
	if (!probes->is_letting_go)
		leave(leaving);
}
