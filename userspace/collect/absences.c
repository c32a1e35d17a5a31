/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/absences.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "bpf/wire.h"
#include "util/trie.h"

_Static_assert(ABSENCE_PREEMPTED == (int)SAMPLES_PREEMPTED && ABSENCE_FUTEX == (int)SAMPLES_FUTEX &&
		   ABSENCE_PAGE_IN == (int)SAMPLES_PAGE_IN && ABSENCE_PIPE == (int)SAMPLES_PIPE &&
		   ABSENCE_CHILD == (int)SAMPLES_CHILD && ABSENCE_ASLEEP == (int)SAMPLES_ASLEEP &&
		   ABSENCE_FILE_IO == (int)SAMPLES_FILE_IO && ABSENCE_OTHER == (int)SAMPLES_OTHER &&
		   ABSENCE_REASONS == (int)SAMPLES_REASONS,
	       "one list, two headers");

/* A word of a stack: a frame's number, and its compiler's above it. */
#define WORD(compiler, number) ((uint64_t)(compiler) << 16 | (number))

struct absence {
	uint64_t time, length, skew;
	uint32_t thread;
	uint32_t stack; /* node of the trie */
	enum samples_reason reason;
};

struct thread {
	struct {
		uint32_t tgid, tid;
	} key;
	uint32_t number;
	struct wire_times times; /* all zero until they come */
	UT_hash_handle hh;
};

struct absences {
	struct trie stacks; /* outermost frames first */
	struct absence *list;
	size_t count, room;
	struct thread **threads; /* by number */
	size_t thread_count, thread_room;
	struct thread *running; /* those whose times have not come, by key */
	uint64_t left_out;	/* for which there was no memory */
	uint64_t cut;		/* whose outer frames were not sent */
};

void absences_configure(struct querytap_bpf *bpf, bool on)
{
	bpf_map__set_autocreate(bpf->maps.absences, on);
	bpf->rodata->off_cpu = on;
}

struct absences *absences_new(void)
{
	return calloc(1, sizeof(struct absences));
}

/* Called for each record by libbpf. What querytap does while it measures its own probes is nobody's absence. */
static int take_sent(void *context, void *data, size_t size)
{
	const struct wire_header *header = data;

	(void)size;
	if (header->tgid != (uint32_t)getpid())
		absences_take(context, data);
	return 0;
}

int absences_listen(struct absences *absences, const struct querytap_bpf *bpf, struct ring_buffer *ring,
		    struct error *err)
{
	int code = ring_buffer__add(ring, bpf_map__fd(bpf->maps.absences), take_sent, absences);

	return code < 0 ? error_set(err, code, "cannot map the ring buffer of absences: %s", strerror(-code)) : 0;
}

/* Makes room for one more item. Returns false if memory runs out. */
static bool grow(void **items, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *grown;

	if (count < *room)
		return true;
	grown = reallocarray(*items, more, size);
	if (!grown)
		return false;
	*items = grown;
	*room = more;
	return true;
}

/* The thread that a record is about; NULL if memory runs out. */
static struct thread *thread_of(struct absences *absences, const struct wire_header *header)
{
	struct thread *thread, wanted = {.key = {header->tgid, header->tid}};

	HASH_FIND(hh, absences->running, &wanted.key, sizeof(wanted.key), thread);
	if (thread)
		return thread;
	if (!grow((void **)&absences->threads, absences->thread_count, &absences->thread_room,
		  sizeof(*absences->threads)))
		return NULL;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->key = wanted.key;
	thread->number = (uint32_t)absences->thread_count;
	absences->threads[absences->thread_count++] = thread;
	HASH_ADD(hh, absences->running, key, sizeof(thread->key), thread);
	return thread;
}

static bool take_absence(struct absences *absences, const struct wire_absence *record)
{
	struct thread *thread = thread_of(absences, &record->header);
	uint32_t stack = 0;

	if (!thread || !grow((void **)&absences->list, absences->count, &absences->room, sizeof(*absences->list)))
		return false;
	for (size_t i = record->header.count; i > 0; i--) {
		stack = trie_child(&absences->stacks, stack, WORD(record->compiler, record->frames[i - 1]));
		if (!stack)
			return false;
	}
	absences->list[absences->count++] =
	    (struct absence){record->time, record->length, record->skew, thread->number, stack, record->reason};
	absences->cut += record->depth > record->header.count;
	return true;
}

static bool take_times(struct absences *absences, const struct wire_times *record)
{
	struct thread *thread = thread_of(absences, &record->header);

	if (!thread)
		return false;
	thread->times = *record;
	HASH_DEL(absences->running, thread);
	return true;
}

void absences_take(struct absences *absences, const void *record)
{
	const struct wire_header *header = record;

	if (header->kind == WIRE_ABSENCE)
		absences->left_out += !take_absence(absences, record);
	else if (header->kind == WIRE_TIMES)
		absences->left_out += !take_times(absences, record);
}

void absences_totals(const struct absences *absences, uint64_t lost, struct collect_absences *totals)
{
	*totals = (struct collect_absences){
	    .absences = absences->count,
	    .threads = absences->thread_count,
	    .cut = absences->cut,
	    .lost = lost + absences->left_out,
	};
}

/* ---- handing on ---- */

/* The frame that the word stands for. Returns false if memory runs out. */
static bool add_frame(uint64_t word, const struct sampled_names *names, struct samples_builder *builder,
		      uint32_t *number)
{
	struct samples_frame frame;
	bool named;

	names->frame(names->context, (unsigned int)(word >> 16), word & 0xffff, &frame);
	named = frame.name && frame.object;
	if (named)
		*number = samples_build_frame(builder, frame.kind, frame.name, frame.object);
	free(frame.name);
	free(frame.object);
	return named;
}

/* The stacks of `builder` that those here are, by their numbers. NULL if memory runs out. */
static uint32_t *add_stacks(const struct absences *absences, const struct sampled_names *names,
			    struct samples_builder *builder)
{
	uint32_t *added = calloc(absences->stacks.count + 1, sizeof(*added)), frame = 0;

	for (size_t i = 1; added && i < absences->stacks.count; i++) {
		const struct trie_node *node = &absences->stacks.nodes[i];

		if (!add_frame(node->word, names, builder, &frame)) {
			free(added);
			return NULL;
		}
		added[i] = samples_build_stack(builder, added[node->parent], frame);
	}
	return added;
}

static uint32_t add_thread(const struct thread *thread, struct samples_builder *builder)
{
	char process[WIRE_COMM + 1], name[WIRE_COMM + 1];

	snprintf(process, sizeof(process), "%.*s", WIRE_COMM, thread->times.process);
	snprintf(name, sizeof(name), "%.*s", WIRE_COMM, thread->times.thread);
	return samples_build_thread(builder, thread->key.tgid, thread->key.tid, process, name);
}

static uint64_t since(uint64_t began, uint64_t time)
{
	return time > began ? time - began : 0;
}

static void add_times(const struct wire_times *times, uint32_t thread, uint64_t began, struct samples_builder *builder)
{
	struct samples_times added = {.thread = thread, .ran = times->ran};

	added.start = since(began, times->start);
	added.end = since(began, times->end);
	for (size_t i = 0; i < SAMPLES_REASONS; i++)
		added.off[i] = times->off[i];
	samples_build_times(builder, &added);
}

int absences_build(const struct absences *absences, uint64_t began, const struct sampled_names *names,
		   struct samples_builder *builder)
{
	uint32_t *stacks = add_stacks(absences, names, builder);
	uint32_t *threads = calloc(absences->thread_count + 1, sizeof(*threads));
	bool done = stacks && threads;

	for (size_t i = 0; threads && i < absences->thread_count; i++) {
		threads[i] = add_thread(absences->threads[i], builder);
		if (absences->threads[i]->times.header.kind)
			add_times(&absences->threads[i]->times, threads[i], began, builder);
	}
	for (size_t i = 0; stacks && threads && i < absences->count; i++) {
		const struct absence *absence = &absences->list[i];
		struct samples_absence added = {
		    .time = since(began, absence->time),
		    .length = absence->length,
		    .thread = threads[absence->thread],
		    .stack = stacks[absence->stack],
		    .reason = absence->reason,
		    .skew = absence->skew,
		};

		samples_build_absence(builder, &added);
	}
	free(stacks);
	free(threads);
	return done ? 0 : -ENOMEM;
}

void absences_free(struct absences *absences)
{
	if (!absences)
		return;
	HASH_CLEAR(hh, absences->running);
	for (size_t i = 0; i < absences->thread_count; i++)
		free(absences->threads[i]);
	free(absences->threads);
	free(absences->list);
	trie_free(&absences->stacks);
	free(absences);
}
