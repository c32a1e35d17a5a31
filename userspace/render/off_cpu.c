/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "render/json.h"
#include "render/render.h"
#include "render/table.h"

static void add_time(struct table *table, uint64_t ns)
{
	char text[RENDER_DURATION_SIZE];

	render_amount(text, ns, NULL, 2);
	table_add(table, "%s", text);
}

/* A time and its parts. */
static void add_parts(struct table *table, uint64_t time, const uint64_t off[SAMPLES_REASONS])
{
	add_time(table, time);
	add_time(table, off_cpu_rest(time, off));
	add_time(table, off_cpu_asleep(off));
	add_time(table, off_cpu_blocked(off));
	add_time(table, off_cpu_preempted(off));
}

static void add_titles(struct table *table)
{
	table_add(table, "On CPU");
	table_add(table, "Asleep");
	table_add(table, "Blocked");
	table_add(table, "Pre-empted");
}

static int end_text(struct table *table, const struct off_cpu *sums, FILE *out, struct error *err)
{
	int rc = table_print(table, out, err);

	table_free(table);
	if (!rc && sums->lost)
		fprintf(out, "%" PRIu64 " absences were lost: what they took is counted as on the CPU.\n", sums->lost);
	return rc;
}

int render_off_cpu_text(const struct off_cpu *sums, size_t limit, FILE *out, struct error *err)
{
	struct table table = {.columns = 7};
	size_t longest = 0, shown = limit && limit < sums->row_count ? limit : sums->row_count;
	uint64_t outside = off_cpu_all(sums->outside);
	char text[RENDER_DURATION_SIZE];
	int rc;

	table_add(&table, "Item");
	table_add(&table, "Self time");
	add_titles(&table);
	table_add(&table, "Item count");
	for (size_t i = 0; i < sums->row_count; i++)
		if (strlen(sums->rows[i].label) > longest)
			longest = strlen(sums->rows[i].label);
	for (size_t i = 0; i < shown; i++) {
		const struct off_cpu_row *row = &sums->rows[i];

		table_add_label(&table, row->label, longest);
		add_parts(&table, row->self_ns, row->self_off);
		table_add(&table, "%" PRIu64, row->invocations);
	}
	rc = end_text(&table, sums, out, err);
	if (rc || !outside)
		return rc;
	render_amount(text, outside, NULL, 2);
	fprintf(out, "Off the CPU outside of all items: %s\n", text);
	return 0;
}

int render_off_cpu_threads_text(const struct off_cpu *sums, FILE *out, struct error *err)
{
	struct table table = {.columns = 8};

	table_add(&table, "Process");
	table_add(&table, "Thread");
	table_add(&table, "Name");
	table_add(&table, "Time");
	add_titles(&table);
	for (size_t i = 0; i < sums->thread_count; i++) {
		const struct off_cpu_thread *thread = &sums->threads[i];

		table_add(&table, "%" PRIu32, thread->thread->pid);
		table_add(&table, "%" PRIu32, thread->thread->tid);
		table_add(&table, "%s", thread->thread->name);
		add_parts(&table, thread->times->end - thread->times->start, thread->times->off);
	}
	return end_text(&table, sums, out, err);
}

static json_t *reasons_object(const uint64_t off[SAMPLES_REASONS])
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < SAMPLES_REASONS; i++)
		json_object_set_new(object, samples_reason_name((enum samples_reason)i),
				    json_integer((json_int_t)off[i]));
	return object;
}

int render_off_cpu_json(const struct off_cpu *sums, size_t limit, FILE *out, struct error *err)
{
	json_t *items = json_array();
	size_t shown = limit && limit < sums->row_count ? limit : sums->row_count;
	int rc = 0;

	for (size_t i = 0; i < shown && !rc; i++) {
		const struct off_cpu_row *row = &sums->rows[i];

		rc = json_array_append_new(
		    items, json_pack("{ss sI sI sI so sI so}", "label", row->label, "invocation_count",
				     (json_int_t)row->invocations, "self_time", (json_int_t)row->self_ns, "self_on_cpu",
				     (json_int_t)off_cpu_rest(row->self_ns, row->self_off), "self_off_cpu",
				     reasons_object(row->self_off), "time", (json_int_t)row->total_ns, "off_cpu",
				     reasons_object(row->total_off)));
	}
	return json_end(json_pack("{so so sI}", "items", items, "outside", reasons_object(sums->outside), "lost",
				  (json_int_t)sums->lost),
			rc, out, err);
}

int render_off_cpu_threads_json(const struct off_cpu *sums, FILE *out, struct error *err)
{
	json_t *threads = json_array();
	int rc = 0;

	for (size_t i = 0; i < sums->thread_count && !rc; i++) {
		const struct samples_thread *thread = sums->threads[i].thread;
		const struct samples_times *times = sums->threads[i].times;
		uint64_t time = times->end - times->start;

		rc = json_array_append_new(
		    threads, json_pack("{sI sI ss ss sI sI sI sI so}", "pid", (json_int_t)thread->pid, "tid",
				       (json_int_t)thread->tid, "process", thread->process, "name", thread->name,
				       "start", (json_int_t)times->start, "time", (json_int_t)time, "on_cpu",
				       (json_int_t)off_cpu_rest(time, times->off), "scheduler_run_time",
				       (json_int_t)times->ran, "off_cpu", reasons_object(times->off)));
	}
	return json_end(json_pack("{so sI}", "threads", threads, "lost", (json_int_t)sums->lost), rc, out, err);
}
