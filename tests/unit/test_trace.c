/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The trace: which event lies in which, on small profiles by hand; on real ones, that it agrees with summarize. */
#include "tests/unit/profile_bytes.h"

#include <errno.h>

#include "analysis/analysis.h"
#include "render/render.h"
#include "render/trace_chunks.h"

/* An event of a small profile; a NULL kind ends the list. */
struct row {
	const char *kind, *label;
	uint32_t thread;
	uint64_t start, end;
};

#define INSTANT UINT64_C(0xFFFFFFFFFFFF)
#define INTEGER UINT64_C(0xFFFFFFFFFFFE)

static struct trace trace_of(const struct row *rows)
{
	struct mmp_reader *reader;
	struct error err = {""};
	struct trace trace;
	struct parts parts;
	struct bytes file;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	for (; rows->kind; rows++) {
		uint64_t kind = parts_string(&parts, rows->kind), label = parts_string(&parts, rows->label);

		parts_event(&parts, kind, label, rows->thread, rows->start, rows->end);
	}
	file = parts_file(&parts, 1000);
	reader = open_bytes(&file);
	trace_build(reader, &trace, &err);
	assert_string_equal(err.text, "");
	mmp_close(reader);
	bytes_free(&file);
	return trace;
}

static const struct trace_label *find_label(const struct trace *trace, const char *text)
{
	for (uint32_t i = 0; i < trace->label_count; i++) {
		if (strcmp(trace->labels[i].text, text) == 0)
			return &trace->labels[i];
	}
	fail_msg("there is no label %s", text);
	return NULL;
}

static const char *label_at(const struct trace *trace, uint32_t node)
{
	assert_in_range(node, 0, trace->node_count - 1);
	return trace->labels[trace->nodes[node].label].text;
}

static void siblings_lie_side_by_side(void **state)
{
	struct trace trace = trace_of((const struct row[]){{"Query", "a1x", 0, 12, 14},
							   {"Query", "a1", 0, 11, 15},
							   {"Query", "a2", 0, 16, 18},
							   {"Query", "a", 0, 10, 20},
							   {"GenericActivity", "b1", 0, 31, 35},
							   {"GenericActivity", "b", 0, 30, 40},
							   {0}});
	static const char *const order[] = {"a", "b", "a1", "a2", "a1x", "b1"};

	(void)state;
	assert_int_equal(trace.node_count, 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_string_equal(label_at(&trace, i), order[i]);
	assert_int_equal(trace.nodes[0].extent, 2);
	assert_int_equal(trace.nodes[0].below, 3);
	assert_int_equal(trace.nodes[0].first, 2);
	assert_int_equal(trace.nodes[0].parent, TRACE_NONE);
	assert_int_equal(trace.nodes[0].depth, 0);
	assert_int_equal(trace.nodes[0].kind, TRACE_MISS);
	assert_int_equal(trace.nodes[1].first, 5);
	assert_int_equal(trace.nodes[1].kind, TRACE_PASS);
	assert_int_equal(trace.nodes[2].first, 4);
	assert_int_equal(trace.nodes[4].parent, 2);
	assert_int_equal(trace.nodes[4].depth, 2);
	assert_int_equal(trace.nodes[4].extent, 0);
	assert_int_equal(trace.nodes[5].parent, 1);
	assert_int_equal(trace.thread_count, 1);
	assert_int_equal(trace.threads[0].roots, 2);
	assert_int_equal(trace.threads[0].count, 6);
	assert_int_equal(trace.threads[0].root_ns, 20);
	assert_int_equal(trace.threads[0].start, 10);
	assert_int_equal(trace.threads[0].end, 40);
	trace_free(&trace);
}

static void the_whole_is_the_time_of_all_roots(void **state)
{
	struct trace trace = trace_of((const struct row[]){{"Query", "inside", 0, 0, 9},
							   {"Query", "large", 0, 0, 900},
							   {"QueryCacheHit", "hit", 0, 900, INSTANT},
							   {"Query", "other", 1, 400, 500},
							   {0}});

	(void)state;
	assert_int_equal(trace.whole_ns, 1000);
	assert_int_equal(trace.threads[0].root_ns, 900);
	assert_int_equal(trace.threads[1].root_ns, 100);
	trace_free(&trace);
}

static void hits_are_leaves(void **state)
{
	struct trace trace = trace_of((const struct row[]){{"QueryCacheHit", "early", 0, 2, INSTANT},
							   {"QueryCacheHit", "h", 0, 11, INSTANT},
							   {"Query", "inner", 0, 12, 14},
							   {"QueryCacheHit", "h", 0, 14, INSTANT},
							   {"Query", "outer", 0, 10, 20},
							   {"QueryCacheHit", "h", 0, 20, INSTANT},
							   {0}});

	(void)state;
	assert_int_equal(trace.threads[0].roots, 3);
	assert_string_equal(label_at(&trace, 0), "early");
	assert_string_equal(label_at(&trace, 1), "outer");
	assert_string_equal(label_at(&trace, 2), "h");
	assert_int_equal(trace.nodes[2].kind, TRACE_HIT);
	assert_int_equal(trace.nodes[2].parent, TRACE_NONE);
	assert_int_equal(trace.nodes[1].extent, 3);
	for (uint32_t i = 3; i < 6; i++)
		assert_int_equal(trace.nodes[i].parent, 1);
	assert_string_equal(label_at(&trace, 4), "inner");
	assert_int_equal(trace.nodes[4].extent, 0);
	assert_int_equal(trace.nodes[5].duration, 0);
	assert_int_equal(find_label(&trace, "h")->counts[TRACE_HIT], 3);
	assert_int_equal(find_label(&trace, "h")->hits, 3);
	assert_int_equal(trace.threads[0].start, 2);
	trace_free(&trace);
}

static void counted_hits_have_no_place(void **state)
{
	struct trace trace = trace_of((const struct row[]){{"Query", "q", 0, 0, 5},
							   {"QueryCacheHit", "q", 0, 6, INSTANT},
							   {"QueryCacheHitCount", "q", 0, 40, INTEGER},
							   {"QueryCacheHitCount", "never run", 0, 2, INTEGER},
							   {"ArtifactSize", "object_file", 0, 2, INTEGER},
							   {0}});

	(void)state;
	assert_int_equal(trace.node_count, 2);
	assert_int_equal(find_label(&trace, "q")->hits, 40);
	assert_int_equal(find_label(&trace, "q")->counts[TRACE_HIT], 1);
	assert_int_equal(find_label(&trace, "never run")->hits, 2);
	assert_int_equal(find_label(&trace, "never run")->longest, TRACE_NONE);
	assert_int_equal(trace.label_count, 2);
	trace_free(&trace);
}

static void recursion_nests(void **state)
{
	struct trace trace = trace_of((const struct row[]){
	    {"Query", "r", 0, 3, 4}, {"Query", "r", 0, 2, 6}, {"Query", "r", 0, 1, 9}, {"Query", "r", 0, 9, 10}, {0}});
	const struct trace_label *label = find_label(&trace, "r");

	(void)state;
	assert_int_equal(trace.nodes[0].below, 2);
	assert_int_equal(trace.nodes[3].depth, 2);
	assert_int_equal(label->counts[TRACE_MISS], 4);
	assert_int_equal(label->total_ns, 1 + 4 + 8 + 1);
	assert_int_equal(label->self_ns, 9);
	assert_int_equal(label->longest, 0);
	trace_free(&trace);
}

static void threads_are_apart(void **state)
{
	struct trace trace = trace_of((const struct row[]){{"Query", "b1", 7, 1, 2},
							   {"Query", "a1", 3, 1, 3},
							   {"Query", "b", 7, 0, 4},
							   {"Query", "a", 3, 0, 5},
							   {"Query", "b'", 7, 5, 6},
							   {0}});

	(void)state;
	assert_int_equal(trace.thread_count, 2);
	assert_int_equal(trace.threads[0].id, 3);
	assert_int_equal(trace.threads[0].first, 0);
	assert_int_equal(trace.threads[0].count, 2);
	assert_int_equal(trace.threads[1].id, 7);
	assert_int_equal(trace.threads[1].first, 2);
	assert_int_equal(trace.threads[1].roots, 2);
	assert_int_equal(trace.threads[1].count, 3);
	assert_string_equal(label_at(&trace, 3), "b'");
	assert_string_equal(label_at(&trace, 4), "b1");
	assert_int_equal(trace.nodes[4].parent, 2);
	assert_int_equal(trace.whole_ns, 5 + 4 + 1);
	trace_free(&trace);
}

static void events_that_overlap_are_no_parents(void **state)
{
	struct trace trace = trace_of(
	    (const struct row[]){{"Query", "a", 0, 0, 10}, {"Query", "b", 0, 5, 15}, {"Query", "c", 0, 0, 20}, {0}});

	(void)state;
	assert_int_equal(trace.nodes[0].extent, 2);
	assert_int_equal(trace.nodes[1].extent, 0);
	/* 20 less 10 less 10. */
	assert_int_equal(find_label(&trace, "c")->self_ns, 0);
	trace_free(&trace);
}

static void a_profile_without_events_is_an_empty_trace(void **state)
{
	struct trace trace = trace_of((const struct row[]){{0}});

	(void)state;
	assert_int_equal(trace.node_count, 0);
	assert_int_equal(trace.thread_count, 0);
	assert_int_equal(trace.label_count, 0);
	assert_int_equal(chunk_end(&trace, 0), 0);
	trace_free(&trace);
}

/* The chunks hold all nodes, each but the last at least CHUNK_NODES, and part no siblings. */
static void check_chunks(const struct trace *trace)
{
	uint32_t first = 0, end;

	for (; first < trace->node_count; first = end) {
		end = chunk_end(trace, first);
		assert_true(end - first >= CHUNK_NODES || end == trace->node_count);
		assert_true(end <= trace->node_count);
		if (end < trace->node_count && trace->nodes[end].parent != TRACE_NONE)
			assert_int_equal(trace->nodes[trace->nodes[end].parent].first, end);
	}
	assert_int_equal(first, trace->node_count);
}

/* Everything that is said of a node twice agrees. */
static void check_nodes(const struct trace *trace)
{
	uint64_t roots = 0, nodes = 0;

	for (uint32_t i = 0; i < trace->node_count; i++) {
		const struct trace_node *node = &trace->nodes[i];
		uint32_t below = 0;

		for (uint32_t j = node->first; j < node->first + node->extent; j++) {
			const struct trace_node *child = &trace->nodes[j];

			assert_int_equal(child->parent, i);
			assert_int_equal(child->depth, node->depth + 1);
			assert_true(child->start >= node->start);
			assert_true(child->start + child->duration <= node->start + node->duration);
			below += 1 + child->below;
		}
		assert_int_equal(below, node->below);
		roots += node->parent == TRACE_NONE;
	}
	for (uint32_t i = 0; i < trace->thread_count; i++) {
		roots -= trace->threads[i].roots;
		nodes += trace->threads[i].count;
	}
	assert_int_equal(roots, 0);
	assert_int_equal(nodes, trace->node_count);
}

static void check_labels(const struct trace *trace, const struct summary *summary)
{
	size_t rows = 0;

	for (uint32_t i = 0; i < trace->label_count; i++)
		rows += trace->labels[i].text != NULL;
	assert_int_equal(rows, summary->row_count);
	for (size_t i = 0; i < summary->row_count; i++) {
		const struct summary_row *row = &summary->rows[i];
		const struct trace_label *label = find_label(trace, row->label);

		assert_int_equal(label->self_ns, row->self_ns);
		assert_int_equal(label->total_ns, row->total_ns);
		assert_int_equal(label->hits, row->cache_hits);
		assert_int_equal(label->counts[TRACE_MISS] + label->counts[TRACE_PASS], row->cache_misses);
	}
}

static void real_profiles_agree_with_summarize(void **state)
{
	static const char *const names[] = {"tiny-195", "tiny-197-args", "tiny-197-cache-hits", "tiny-197-incremental",
					    "tiny-197-threads4"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64];
		struct mmp_reader *reader;
		struct summary summary;
		struct trace trace;
		struct bytes file;

		snprintf(name, sizeof(name), "%s.mm_profdata.gz", names[i]);
		file = read_golden(name);
		reader = open_bytes(&file);
		assert_int_equal(summarize_profile(reader, &summary, NULL), 0);
		assert_int_equal(trace_build(reader, &trace, NULL), 0);
		assert_true(trace.node_count > 20000);
		check_nodes(&trace);
		check_chunks(&trace);
		check_labels(&trace, &summary);
		trace_free(&trace);
		summary_free(&summary);
		mmp_close(reader);
		bytes_free(&file);
	}
}

/* Names from a profile stand in the page as text, whatever they look like. */
static void names_are_no_markup(void **state)
{
	static const char metadata[] = "{\"start_time\":1,\"process_id\":2,\"cmd\":\"rustc --crate-name <script>&x \","
				       "\"counter\":{\"name\":\"wall-time\",\"units\":[[\"ns\",1]]}}";
	char *page = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&page, &size);
	struct mmp_reader *reader;
	struct error err = {""};
	struct trace trace;
	struct parts parts;
	struct bytes file;

	(void)state;
	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	parts_event(&parts, parts_string(&parts, "Query"), parts_string(&parts, "</script><b>"), 0, 1, 2);
	file = parts_file(&parts, 1000);
	reader = open_bytes(&file);
	assert_int_equal(trace_build(reader, &trace, &err), 0);
	assert_int_equal(render_trace_html(&trace, reader, out, &err), 0);
	fclose(out);
	assert_non_null(strstr(page, "<h1>&lt;script&gt;&amp;x</h1>"));
	assert_non_null(strstr(page, "\"\\u003c/script\\u003e\\u003cb\\u003e\""));
	assert_null(strstr(page, "</script><b>"));
	assert_null(strstr(page, "{{"));
	free(page);
	trace_free(&trace);
	mmp_close(reader);
	bytes_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(siblings_lie_side_by_side),
	    cmocka_unit_test(the_whole_is_the_time_of_all_roots),
	    cmocka_unit_test(hits_are_leaves),
	    cmocka_unit_test(counted_hits_have_no_place),
	    cmocka_unit_test(recursion_nests),
	    cmocka_unit_test(threads_are_apart),
	    cmocka_unit_test(events_that_overlap_are_no_parents),
	    cmocka_unit_test(a_profile_without_events_is_an_empty_trace),
	    cmocka_unit_test(real_profiles_agree_with_summarize),
	    cmocka_unit_test(names_are_no_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
