/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "render/json.h"
#include "render/summary.h"
#include "render/table.h"

/* The hole in percent of the span. */
static double share(const struct thread_times *times)
{
	return times->span_ns ? (double)times->hole_ns / (double)times->span_ns * 100 : 0;
}

static void add_row(struct table *table, const struct thread_times *times)
{
	table_add(table, "%" PRIu64, times->start_ns);
	table_add(table, "%" PRIu64, times->end_ns);
	table_add(table, "%" PRIu64, times->span_ns);
	table_add(table, "%" PRIu64, times->self_ns);
	table_add(table, "%" PRId64, times->hole_ns);
	table_add(table, "%.3f", share(times));
}

int render_threads_text(const struct thread_list *list, FILE *out, struct error *err)
{
	const char *unit = list->unit ? list->unit : "ns";
	struct table table = {.columns = 7};
	int rc;

	table_add(&table, "Thread");
	table_add(&table, "First start");
	table_add(&table, "Last end");
	table_add(&table, "Span %s", unit);
	table_add(&table, "Self %s", unit);
	table_add(&table, "Hole %s", unit);
	table_add(&table, "Hole %%");
	for (size_t i = 0; i < list->count; i++) {
		table_add(&table, "%" PRIu32, list->rows[i].thread);
		add_row(&table, &list->rows[i]);
	}
	table_add(&table, "Total");
	add_row(&table, &list->total);
	rc = table_print(&table, out, err);
	table_free(&table);
	if (!rc && other_time(list->unit, list->counter))
		fprintf(out, "All times are %s.\n", list->counter);
	return rc;
}

static json_t *times_object(const struct thread_times *times)
{
	return json_pack("{sI sI sI sI sI sf}", "start", (json_int_t)times->start_ns, "end", (json_int_t)times->end_ns,
			 "span", (json_int_t)times->span_ns, "self_time", (json_int_t)times->self_ns, "hole",
			 (json_int_t)times->hole_ns, "hole_percent", share(times));
}

int render_threads_json(const struct thread_list *list, FILE *out, struct error *err)
{
	json_t *rows = json_array(), *root;
	int rc = 0;

	for (size_t i = 0; i < list->count && !rc; i++) {
		json_t *row = json_pack("{sI}", "thread", (json_int_t)list->rows[i].thread);

		rc = json_object_update_new(row, times_object(&list->rows[i])) || json_array_append(rows, row);
		json_decref(row);
	}
	root = json_pack("{so so}", "threads", rows, "total", times_object(&list->total));
	if (!rc && root && list->unit)
		rc = json_object_set_new(root, "unit", json_string(list->unit));
	if (!rc && root && other_time(list->unit, list->counter))
		rc = json_object_set_new(root, "counter", json_string(list->counter));
	return json_end(root, rc, out, err);
}
