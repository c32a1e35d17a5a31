/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stdlib.h>

#include "mmprofdata/mmprofdata.h"
#include "render/json.h"
#include "render/top.h"

/* As profiles call them. */
static const char *const kinds[EVENT_CLASSES] = {
    [EVENT_QUERY] = MMP_KIND_QUERY,
    [EVENT_ACTIVITY] = MMP_KIND_GENERIC_ACTIVITY,
    [EVENT_INCREMENTAL_LOAD] = MMP_KIND_INCREMENTAL_LOAD,
    [EVENT_RESULT_HASHING] = MMP_KIND_RESULT_HASHING,
    [EVENT_QUERY_BLOCKED] = MMP_KIND_QUERY_BLOCKED,
};

/* Names are what somebody put into a command line, and JSON is UTF-8. */
static json_t *text_json(const char *text)
{
	json_t *string = json_string(text);
	char plain[LIVE_CRATE];
	size_t i;

	if (string)
		return string;
	for (i = 0; text[i] && i + 1 < sizeof(plain); i++)
		plain[i] = (text[i] & 0x80) ? '?' : text[i];
	plain[i] = '\0';
	return json_string(plain);
}

static json_t *stack_json(const struct live_thread *thread)
{
	json_t *stack = json_array();

	for (size_t i = 0; i < thread->depth; i++) {
		const struct live_frame *frame = &thread->frames[i];

		json_array_append_new(stack, json_pack("{s:s, s:s, s:I, s:I}", "kind", kinds[frame->event], "label",
						       frame->label, "elapsed", (json_int_t)frame->elapsed, "self_time",
						       (json_int_t)frame->self));
	}
	return stack;
}

static json_t *threads_json(const struct live_compiler *compiler)
{
	json_t *threads = json_array();

	for (size_t i = 0; i < compiler->thread_count; i++) {
		const struct live_thread *thread = &compiler->threads[i];

		json_array_append_new(threads, json_pack("{s:i, s:o, s:b, s:f, s:o}", "tid", (int)thread->tid, "name",
							 text_json(thread->name), "waits", thread->waits, "cpu",
							 thread->cpu, "stack", stack_json(thread)));
	}
	return threads;
}

static json_t *compilers_json(const struct live *live, const struct top_view *view)
{
	const struct live_compiler **compilers;
	size_t count = live_compilers(live, view->compiler_order, view->crates, &compilers);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct live_compiler *compiler = compilers[i];

		json_array_append_new(array, json_pack("{s:i, s:o, s:s, s:I, s:b, s:f, s:I, s:f, s:o}", "pid",
						       (int)compiler->pid, "crate", text_json(compiler->crate), "rustc",
						       compiler->version, "age", (json_int_t)compiler->age, "joined",
						       compiler->joined, "cpu", compiler->cpu, "events",
						       (json_int_t)compiler->events, "events_per_second",
						       compiler->rate, "threads", threads_json(compiler)));
	}
	free(compilers);
	return array;
}

static json_t *rows_json(const struct live *live, const struct top_view *view)
{
	struct live_row *rows;
	size_t count = live_rows(live, 0, view->order, view->filter, &rows);
	json_t *array = json_array();

	for (size_t i = 0; i < count && (!view->limit || i < view->limit); i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:I, s:f, s:f}", "kind", kinds[rows[i].event],
						       "label", rows[i].label, "count", (json_int_t)rows[i].count,
						       "self_time", (json_int_t)rows[i].self, "events_per_second",
						       rows[i].rate, "self_per_second", rows[i].share));
	free(rows);
	return array;
}

int top_json(const struct live *live, const struct top_view *view, const struct top_facts *facts, FILE *out,
	     struct error *err)
{
	struct live_summary summary;
	json_t *root;

	live_summarize(live, &summary);
	root = json_pack("{s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:o, s:o}", "time", (json_int_t)facts->time,
			 "elapsed", (json_int_t)summary.elapsed, "events", (json_int_t)summary.events,
			 "events_per_second", summary.rate, "cpu", summary.cpu, "lost", (json_int_t)facts->lost,
			 "ended", (json_int_t)summary.ended, "failed", (json_int_t)summary.failed, "untimed",
			 (json_int_t)facts->untimed, "compilers", compilers_json(live, view), "queries",
			 rows_json(live, view));
	return json_end(root, 0, out, err);
}
