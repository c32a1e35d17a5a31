/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The JSON that Chrome's tracing and Perfetto read (the "Trace Event Format", its array form), with the values that
 * measureme's crox writes (crox/src/main.rs).
 */
#include <errno.h>
#include <stdlib.h>

#include "render/event_text.h"
#include "render/render.h"

struct trace_writer {
	struct sink sink;
	bool begun; /* something stands in the array */
};

int trace_open(FILE *out, struct trace_writer **writer, struct error *err)
{
	struct trace_writer *opened = calloc(1, sizeof(*opened));
	int rc;

	*writer = NULL;
	if (!opened)
		return error_set(err, ENOMEM, "out of memory for a trace");
	rc = sink_open(&opened->sink, out, err);
	if (rc) {
		free(opened);
		return rc;
	}
	sink_add_literal(&opened->sink, "[");
	*writer = opened;
	return 0;
}

void trace_close(struct trace_writer *writer)
{
	if (!writer)
		return;
	sink_need(&writer->sink, SINK_PIECE);
	sink_add_literal(&writer->sink, "]\n");
	sink_close(&writer->sink);
	free(writer);
}

static void put_arguments(struct sink *sink, struct mmp_text arguments)
{
	struct mmp_text argument;
	uint64_t number = 0;

	for (; mmp_next_argument(&arguments, &argument); number++) {
		sink_need(sink, SINK_PIECE);
		if (number)
			sink_add_literal(sink, ",\"arg");
		else
			sink_add_literal(sink, "{\"arg");
		sink_add_number(sink, number);
		sink_add_literal(sink, "\":\"");
		sink_json(sink, argument.bytes, argument.size);
		sink_put(sink, "\"", 1);
	}
	if (number)
		sink_put(sink, "}", 1);
	else
		sink_put(sink, "null", 4);
}

/* An event up to its times. */
static void put_parts(struct sink *sink, const struct event_parts *parts)
{
	sink_add_literal(sink, "{\"name\":\"");
	sink_json(sink, parts->label.bytes, parts->label.size);
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, "\",\"cat\":\"");
	sink_json(sink, parts->kind.bytes, parts->kind.size);
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, "\",\"args\":");
	put_arguments(sink, parts->arguments);
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, ",\"ph\":\"X\",\"ts\":");
}

/* What stands behind an event's times, for the thread of the last event: thread after thread they come in long runs. */
struct tail {
	uint32_t thread;
	size_t size;
	char text[64];
};

static void make_tail(struct tail *tail, uint32_t process, uint32_t thread, uint32_t shown_thread)
{
	tail->thread = thread;
	tail->size =
	    (size_t)snprintf(tail->text, sizeof(tail->text), ",\"pid\":%u,\"tid\":%u},\n", process, shown_thread);
}

/* The seconds of the last time that was written, as text: they change rarely. */
struct seconds {
	uint64_t number;
	size_t size;
	char text[SINK_NUMBER];
};

/* Writes a time in microseconds. */
static void put_time(struct sink *sink, struct seconds *seconds, uint64_t microseconds)
{
	uint64_t number = microseconds / 1000000;

	if (seconds->number != number || !seconds->size) {
		seconds->number = number;
		seconds->size = (size_t)(sink_number(seconds->text, number) - seconds->text);
	}
	if (number == 0) {
		sink_add_number(sink, microseconds);
		return;
	}
	memcpy(sink->at, seconds->text, sizeof(seconds->text));
	sink->at += seconds->size;
	sink_add_six(sink, (uint32_t)(microseconds % 1000000));
}

static int put_events(struct trace_writer *writer, const struct mmp_reader *profile,
		      const struct trace_options *options, const struct thread_map *threads, struct error *err)
{
	const struct mmp_metadata *metadata = mmp_metadata(profile);
	/* The start in microseconds, and the nanoseconds that are left over. */
	uint64_t start = metadata->start_time / 1000, rest = metadata->start_time % 1000;
	struct mmp_cursor cursor = mmp_begin(profile);
	struct sink *sink = &writer->sink;
	struct event_texts texts;
	struct mmp_event event;
	struct seconds seconds = {0};
	struct tail tail = {0};
	int rc = event_texts_open(&texts, profile, sink, put_parts, err);

	while (!rc && mmp_next(&cursor, &event)) {
		uint64_t duration = (event.end - event.start) / 1000;

		if (event.type != MMP_INTERVAL || duration < options->minimum_us)
			continue;
		rc = event_texts_put(&texts, &event, err);
		if (rc)
			break;
		if (!tail.size || tail.thread != event.thread)
			make_tail(&tail, metadata->process_id, event.thread, thread_map_find(threads, event.thread));
		sink_need(sink, SINK_PIECE);
		put_time(sink, &seconds, start + (rest + event.start) / 1000);
		sink_add_literal(sink, ",\"dur\":");
		sink_add_number(sink, duration);
		memcpy(sink->at, tail.text, sizeof(tail.text));
		sink->at += tail.size;
	}
	event_texts_close(&texts);
	return rc;
}

/* Begins an event that says something of a process. */
static void begin_metadata(struct sink *sink, const char *name, uint32_t process)
{
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, "{\"name\":\"");
	sink_add(sink, name, strlen(name));
	sink_add_literal(sink, "\",\"cat\":\"\",\"ph\":\"M\",\"ts\":0,\"tid\":0,\"pid\":");
	sink_add_number(sink, process);
	sink_add_literal(sink, ",\"args\":{");
}

static void put_metadata(struct sink *sink, const struct mmp_metadata *metadata)
{
	static const char option[] = " --crate-name ";
	const char *crate = strstr(metadata->cmd, option);

	if (crate) {
		begin_metadata(sink, "process_name", metadata->process_id);
		sink_add_literal(sink, "\"name\":\"");
		crate += strlen(option);
		sink_json(sink, crate, strcspn(crate, " "));
		sink_put(sink, "\"}},\n", 5);
	}
	begin_metadata(sink, "process_sort_index", metadata->process_id);
	sink_add_literal(sink, "\"sort_index\":");
	sink_add_number(sink, metadata->start_time / 1000);
	sink_add_literal(sink, "}}");
}

int trace_add(struct trace_writer *writer, const struct mmp_reader *profile, const struct trace_options *options,
	      struct error *err)
{
	struct thread_map threads = {0};
	int rc = options->collapse_threads ? thread_map_collapse(profile, &threads, err) : 0;

	if (!rc) {
		if (writer->begun)
			sink_put(&writer->sink, ",\n", 2);
		writer->begun = true;
		rc = put_events(writer, profile, options, &threads, err);
	}
	if (!rc)
		put_metadata(&writer->sink, mmp_metadata(profile));
	thread_map_free(&threads);
	return rc;
}

static void put_text(struct sink *sink, const char *text)
{
	sink_json(sink, text, strlen(text));
	sink_need(sink, SINK_PIECE);
}

/* The threads of a trace that absences stand in are numbered from here on; no process id is as high. */
#define ABSENT_THREADS ((uint32_t)1 << 30)

/* Names the track of a thread's absences. */
static void put_absent_thread(struct sink *sink, uint32_t process, uint32_t thread, const char *name)
{
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, ",\n{\"name\":\"thread_name\",\"cat\":\"\",\"ph\":\"M\",\"ts\":0,\"tid\":");
	sink_add_number(sink, ABSENT_THREADS + thread);
	sink_add_literal(sink, ",\"pid\":");
	sink_add_number(sink, process);
	sink_add_literal(sink, ",\"args\":{\"name\":\"off the CPU: ");
	put_text(sink, name);
	sink_add_literal(sink, "\"}}");
}

/* By the clock of the thread's events. */
static void put_absence(struct sink *sink, const struct samples *samples, const struct samples_absence *absence,
			uint32_t process, uint32_t thread)
{
	const char *reason = samples_reason_name(absence->reason);

	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, ",\n{\"name\":\"");
	sink_add(sink, reason, strlen(reason));
	sink_add_literal(sink, "\",\"cat\":\"OffCpu\",\"args\":null,\"ph\":\"X\",\"ts\":");
	sink_add_number(sink, (samples->began + absence->time - absence->skew) / 1000);
	sink_add_literal(sink, ",\"dur\":");
	sink_add_number(sink, absence->length / 1000);
	sink_add_literal(sink, ",\"pid\":");
	sink_add_number(sink, process);
	sink_add_literal(sink, ",\"tid\":");
	sink_add_number(sink, ABSENT_THREADS + thread);
	sink_add_literal(sink, "}");
}

int trace_add_absences(struct trace_writer *writer, const struct mmp_reader *profile, const struct samples *samples,
		       const struct off_cpu_scope *scope, const struct trace_options *options, struct error *err)
{
	bool *named = calloc(samples->thread_count + 1, sizeof(*named));
	struct thread_map threads = {0};
	int rc = named ? 0 : error_set(err, ENOMEM, "out of memory for a trace");

	if (!rc && options->collapse_threads)
		rc = thread_map_collapse(profile, &threads, err);
	for (size_t i = 0; i < samples->absence_count && !rc; i++) {
		const struct samples_absence *absence = &samples->absences[i];
		uint32_t shown = thread_map_find(&threads, samples->threads[absence->thread].tid);

		if (absence->length / 1000 < options->minimum_us ||
		    !off_cpu_in_scope(samples, absence->thread, absence->time, scope))
			continue;
		if (!named[absence->thread])
			put_absent_thread(&writer->sink, scope->pid, shown, samples->threads[absence->thread].name);
		named[absence->thread] = true;
		put_absence(&writer->sink, samples, absence, scope->pid, shown);
	}
	thread_map_free(&threads);
	free(named);
	return rc;
}

/* A number, if it is known. */
static void put_known(struct sink *sink, const char *key, int64_t number)
{
	if (number == RECORDED_UNKNOWN)
		return;
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, ",\"");
	sink_add(sink, key, strlen(key));
	sink_add_literal(sink, "\":");
	sink_add_number(sink, (uint64_t)number);
}

/* The event of a whole process, up to its end. */
static void put_process(struct sink *sink, const struct recorded_process *process,
			const struct recorded_process *parent)
{
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, "{\"name\":\"");
	put_text(sink, process->name);
	sink_add_literal(sink, "\",\"cat\":\"Process\",\"args\":{\"command\":\"");
	put_text(sink, process->command);
	sink_add_literal(sink, "\",\"kind\":\"");
	put_text(sink, recorded_kind_name(process->kind));
	sink_add_literal(sink, "\"");
	put_known(sink, "parent", parent ? (int64_t)parent->pid : RECORDED_UNKNOWN);
	put_known(sink, "exit_code", process->exit_code);
	put_known(sink, "signal", process->signal);
	put_known(sink, "user_ns", process->user_ns);
	put_known(sink, "system_ns", process->system_ns);
	put_known(sink, "peak_bytes", process->peak_bytes);
	sink_need(sink, SINK_PIECE);
	sink_add_literal(sink, "},\"ph\":\"X\",\"ts\":");
	sink_add_number(sink, process->start_ns / 1000);
	sink_add_literal(sink, ",\"dur\":");
	sink_add_number(sink, (process->end_ns - process->start_ns) / 1000);
	sink_add_literal(sink, ",\"pid\":");
	sink_add_number(sink, process->pid);
	sink_add_literal(sink, ",\"tid\":");
	sink_add_number(sink, process->pid);
	sink_add_literal(sink, "},\n");
}

/* What the viewer calls the process, and next to it by whom it was started. */
static void put_process_name(struct sink *sink, const struct recorded_process *process,
			     const struct recorded_process *parent)
{
	begin_metadata(sink, "process_name", process->pid);
	sink_add_literal(sink, "\"name\":\"");
	put_text(sink, process->name);
	sink_add_literal(sink, "\"}},\n");
	if (parent) {
		begin_metadata(sink, "process_labels", process->pid);
		sink_add_literal(sink, "\"labels\":\"started by ");
		put_text(sink, parent->name);
		sink_add_literal(sink, " ");
		sink_add_number(sink, parent->pid);
		sink_add_literal(sink, "\"}},\n");
	}
	begin_metadata(sink, "process_sort_index", process->pid);
	sink_add_literal(sink, "\"sort_index\":");
	sink_add_number(sink, process->start_ns / 1000);
	sink_add_literal(sink, "}}");
}

void trace_add_processes(struct trace_writer *writer, const struct recorded_build *recorded,
			 const struct trace_options *options)
{
	for (size_t i = 0; i < recorded->count; i++) {
		const struct recorded_process *process = &recorded->processes[i];
		const struct recorded_process *parent =
		    process->parent == RECORDED_NONE ? NULL : &recorded->processes[process->parent];

		if (process->kind == RECORDED_COMPILER ||
		    (process->end_ns - process->start_ns) / 1000 < options->minimum_us)
			continue;
		if (writer->begun)
			sink_put(&writer->sink, ",\n", 2);
		writer->begun = true;
		put_process(&writer->sink, process, parent);
		put_process_name(&writer->sink, process, parent);
	}
}
