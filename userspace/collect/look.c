/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What compilers are in at this moment. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/internal.h"
#include "collect/items.h"
#include "collect/look.h"
#include "collect/sink.h"

enum { READ_BYTES = 64 * 1024 };

struct bytes {
	char *data;
	size_t size, room;
};

/* Reads what a run of the iterator writes. */
static int read_all(int fd, struct bytes *bytes, struct error *err)
{
	for (;;) {
		ssize_t got;

		if (bytes->room - bytes->size < READ_BYTES) {
			char *grown = realloc(bytes->data, bytes->room + 2 * READ_BYTES);

			if (!grown)
				return error_set(err, ENOMEM, "out of memory");
			bytes->data = grown;
			bytes->room += 2 * READ_BYTES;
		}
		got = read(fd, bytes->data + bytes->size, READ_BYTES);
		if (got == 0)
			return 0;
		if (got > 0)
			bytes->size += (size_t)got;
		else if (errno != EAGAIN && errno != EINTR)
			return error_set(err, errno, "cannot read what threads are in: %s", strerror(errno));
	}
}

static int read_threads(struct collector *collector, struct bytes *bytes, struct error *err)
{
	int fd, code;

	if (!collector->looking)
		collector->looking = bpf_program__attach_iter(collector->bpf->progs.show_threads, NULL);
	fd = collector->looking ? bpf_iter_create(bpf_link__fd(collector->looking)) : -errno;
	if (fd < 0)
		return error_set(err, -fd, "cannot ask the kernel what threads are in (bpf_iter_create): %s",
				 strerror(-fd));
	code = read_all(fd, bytes, err);
	close(fd);
	return code;
}

static const struct profile *profile_of(const struct collector *collector, uint32_t tgid)
{
	for (size_t i = 0; i < collector->live_count; i++)
		if (profile_tgid(collector->live[i]) == tgid)
			return collector->live[i];
	return NULL;
}

/* What follows a struct wire_thread, and what is made of it. */
struct picture {
	struct wire_thread thread;
	struct wire_frame frames[WIRE_MAX_DEPTH];
	struct wire_interval intervals[WIRE_BATCH];
	struct collect_frame taken_frames[WIRE_MAX_DEPTH];
	struct collect_interval taken_intervals[WIRE_BATCH];
	/* The pending intervals that are in none of the others. */
	struct {
		uint64_t start, length;
	} ended[WIRE_BATCH];
	size_t ended_count;
};

/*
 * Takes what has ended and was not sent, with its self times as if it had come. What came before and is in one of them
 * is in no other.
 */
static size_t take_intervals(const struct collector *collector, const struct profile *profile, struct picture *picture)
{
	const struct wire_thread *thread = &picture->thread;
	uint64_t claimed = UINT64_MAX; /* what came before and began from here on is in one of them */
	size_t count = 0;

	for (size_t i = 0; i < thread->count; i++) {
		struct collect_interval *told = &picture->taken_intervals[count];
		uint64_t start = picture->intervals[i].start_and_number & WIRE_TIME_MASK;
		uint64_t length = picture->intervals[i].length_and_flags & WIRE_TIME_MASK, inside = 0;

		while (picture->ended_count && picture->ended[picture->ended_count - 1].start >= start)
			inside += picture->ended[--picture->ended_count].length;
		if (start < claimed) {
			inside += selftime_inside(collector->selftime, thread->tgid, thread->tid, start, claimed);
			claimed = start;
		}
		picture->ended[picture->ended_count].start = start;
		picture->ended[picture->ended_count++].length = length;
		told->pid = (pid_t)thread->tgid;
		told->tid = (pid_t)thread->tid;
		count += sink_interval(collector, profile, &picture->intervals[i],
				       length > inside ? length - inside : 0, told);
	}
	return count;
}

/* How long what began within these times, and has ended, took. */
static uint64_t ended_inside(const struct collector *collector, const struct picture *picture, uint64_t from,
			     uint64_t to)
{
	uint64_t inside = 0, first = to;

	for (size_t i = 0; i < picture->ended_count; i++) {
		if (picture->ended[i].start < from || picture->ended[i].start >= to)
			continue;
		inside += picture->ended[i].length;
		if (picture->ended[i].start < first)
			first = picture->ended[i].start;
	}
	return inside + selftime_inside(collector->selftime, picture->thread.tgid, picture->thread.tid, from, first);
}

static uint64_t start_of(const struct wire_frame *frame)
{
	return frame->start_and_number & WIRE_TIME_MASK;
}

size_t look_whole_frames(const struct wire_thread *thread, const struct wire_frame *frames)
{
	uint64_t before = 0;
	size_t whole = 0;

	while (whole < thread->depth && start_of(&frames[whole]) >= before && start_of(&frames[whole]) <= thread->last)
		before = start_of(&frames[whole++]);
	return whole;
}

static size_t take_frames(const struct collector *collector, const struct plan *plan, struct picture *picture)
{
	size_t whole = look_whole_frames(&picture->thread, picture->frames), depth = 0;
	uint64_t now = picture->thread.time;

	for (size_t i = 0; i < whole; i++) {
		uint64_t start = start_of(&picture->frames[i]), self;
		uint64_t end = i + 1 < whole ? start_of(&picture->frames[i + 1]) : now > start ? now : start;
		size_t item = item_of(plan, picture->frames[i].start_and_number >> 48);

		if (item == SIZE_MAX || !(collector->place.events & COLLECT_EVENT(item_event(plan, item))))
			continue;
		self = ended_inside(collector, picture, start, end);
		picture->taken_frames[depth++] =
		    (struct collect_frame){.event = item_event(plan, item),
					   .label = item_label(plan, item),
					   .elapsed = now > start ? now - start : 0,
					   .self = end - start > self ? end - start - self : 0};
	}
	return depth;
}

static void show(const struct collector *collector, struct picture *picture,
		 void (*take)(void *context, const struct collect_thread *thread), void *context)
{
	const struct wire_thread *thread = &picture->thread;
	const struct profile *profile = profile_of(collector, thread->tgid);
	char name[WIRE_COMM + 1] = "";
	struct collect_thread shown = {.pid = (pid_t)thread->tgid,
				       .tid = (pid_t)thread->tid,
				       .name = name,
				       .waits = thread->waits != 0,
				       .run_time = thread->run_time,
				       .run_time_gone = thread->run_time_gone,
				       .frames = picture->taken_frames,
				       .pending = picture->taken_intervals};

	if (!profile)
		return;
	memcpy(name, thread->comm, WIRE_COMM);
	picture->ended_count = 0;
	shown.pending_count = take_intervals(collector, profile, picture);
	shown.depth = take_frames(collector, collector->compilers[profile_compiler(profile)].plan, picture);
	take(context, &shown);
}

/* Takes so many bytes off. Returns false if there are fewer. */
static bool take_bytes(const struct bytes *bytes, size_t *at, void *to, size_t size)
{
	if (size > bytes->size - *at)
		return false;
	memcpy(to, bytes->data + *at, size);
	*at += size;
	return true;
}

int collector_look(struct collector *collector, void (*take)(void *context, const struct collect_thread *thread),
		   void *context, struct error *err)
{
	struct picture *picture = malloc(sizeof(*picture));
	struct bytes bytes = {0};
	int code = picture ? read_threads(collector, &bytes, err) : error_set(err, ENOMEM, "out of memory");
	size_t at = 0;

	while (code == 0 && take_bytes(&bytes, &at, &picture->thread, sizeof(picture->thread))) {
		const struct wire_thread *thread = &picture->thread;

		if (thread->depth > WIRE_MAX_DEPTH || thread->count > WIRE_BATCH ||
		    !take_bytes(&bytes, &at, picture->frames, thread->depth * sizeof(*picture->frames)) ||
		    !take_bytes(&bytes, &at, picture->intervals, thread->count * sizeof(*picture->intervals)))
			break;
		show(collector, picture, take, context);
	}
	free(bytes.data);
	free(picture);
	return code;
}
