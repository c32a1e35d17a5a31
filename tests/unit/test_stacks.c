/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Merged stacks: the tree of small profiles, what is pruned, and that a real profile's times all find their place. */
#include "tests/unit/profile_bytes.h"

#include "analysis/analysis.h"

struct row {
	const char *label;
	uint32_t thread;
	uint64_t start, end;
};

#define INSTANT UINT64_C(0xFFFFFFFFFFFF)

static struct stacks merge(const struct row *rows, double prune)
{
	struct mmp_reader *reader;
	struct error err = {""};
	struct stacks stacks;
	struct parts parts;
	struct bytes file;
	uint64_t kind;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	kind = parts_string(&parts, "Query");
	for (; rows->label; rows++)
		parts_event(&parts, kind, parts_string(&parts, rows->label), rows->thread, rows->start, rows->end);
	file = parts_file(&parts, 1000);
	reader = open_bytes(&file);
	assert_int_equal(stacks_merge(reader, prune, &stacks, &err), 0);
	mmp_close(reader);
	bytes_free(&file);
	return stacks;
}

static void expect_node(const struct stacks *stacks, size_t i, size_t parent, const char *label, uint64_t total,
			uint64_t self, uint64_t count)
{
	const struct stack_node *node = &stacks->nodes[i];

	assert_true(i < stacks->node_count);
	assert_int_equal(node->parent, parent);
	assert_string_equal(stacks->labels[node->label], label);
	assert_int_equal(node->total_ns, total);
	assert_int_equal(node->self_ns, self);
	assert_int_equal(node->count, count);
}

/* Two calls of a, from two threads, each with b in it; b of its own is another node. */
static const struct row rows[] = {{"c", 1, 12, 14},  {"b", 1, 10, 20},	 {"a", 1, 0, 50},	   {"b", 2, 100, 140},
				  {"a", 2, 90, 150}, {"b", 2, 160, 161}, {"hit", 2, 170, INSTANT}, {0}};

static void equal_stacks_are_merged(void **state)
{
	struct stacks stacks = merge(rows, 0);

	(void)state;
	assert_int_equal(stacks.node_count, 5);
	assert_int_equal(stacks.nodes[0].total_ns, 111);
	assert_int_equal(stacks.nodes[0].parent, 0);
	expect_node(&stacks, 1, 0, "a", 110, 60, 2);
	expect_node(&stacks, 2, 0, "b", 1, 1, 1);
	expect_node(&stacks, 3, 1, "b", 50, 48, 2);
	expect_node(&stacks, 4, 3, "c", 2, 2, 1);
	assert_int_equal(stacks.pruned_count, 0);
	assert_int_equal(stacks.end_ns, 170);
	stacks_free(&stacks);
}

static void small_nodes_are_pruned(void **state)
{
	struct stacks stacks = merge(rows, 0.1);

	(void)state;
	assert_int_equal(stacks.node_count, 3);
	expect_node(&stacks, 1, 0, "a", 110, 60, 2);
	/* What c took is still not b's own. */
	expect_node(&stacks, 2, 1, "b", 50, 48, 2);
	assert_int_equal(stacks.pruned_count, 2);
	assert_int_equal(stacks.label_count, 2);
	stacks_free(&stacks);
}

static void recursion_is_kept(void **state)
{
	struct stacks stacks = merge((const struct row[]){{"a", 0, 2, 3}, {"a", 0, 1, 4}, {"a", 0, 0, 5}, {0}}, 0);

	(void)state;
	assert_int_equal(stacks.node_count, 4);
	expect_node(&stacks, 1, 0, "a", 5, 2, 1);
	expect_node(&stacks, 2, 1, "a", 3, 2, 1);
	expect_node(&stacks, 3, 2, "a", 1, 1, 1);
	stacks_free(&stacks);
}

/* Two calls of b within a overlap, so that they take longer than a does; totals stay what the events took. */
static void overlapping_events_leave_no_self_time(void **state)
{
	struct stacks stacks = merge((const struct row[]){{"b", 0, 0, 9}, {"b", 0, 1, 10}, {"a", 0, 0, 10}, {0}}, 0);

	(void)state;
	assert_int_equal(stacks.node_count, 3);
	assert_int_equal(stacks.nodes[0].total_ns, 10);
	expect_node(&stacks, 1, 0, "a", 10, 0, 1);
	expect_node(&stacks, 2, 1, "b", 18, 18, 2);
	stacks_free(&stacks);
}

static void a_profile_without_events(void **state)
{
	struct stacks stacks = merge((const struct row[]){{0}}, 0.5);

	(void)state;
	assert_int_equal(stacks.node_count, 1);
	assert_int_equal(stacks.nodes[0].total_ns, 0);
	assert_int_equal(stacks.end_ns, 0);
	stacks_free(&stacks);
	stacks_free(&stacks);
}

/* The nodes' self times by label are summarize's. */
static void a_real_profile_adds_up(void **state)
{
	static const char *const names[] = {"tiny-195", "tiny-197-args", "tiny-197-threads4", "tiny-197-incremental"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct summary summary;
		struct stacks stacks;
		struct bytes file;
		struct mmp_reader *reader;
		char name[64];

		snprintf(name, sizeof(name), "%s.mm_profdata.gz", names[i]);
		file = read_golden(name);
		reader = open_bytes(&file);
		assert_int_equal(summarize_profile(reader, &summary, NULL), 0);
		assert_int_equal(stacks_merge(reader, 0, &stacks, NULL), 0);
		for (size_t j = 0; j < summary.row_count; j++) {
			uint64_t self_ns = 0;

			for (size_t k = 1; k < stacks.node_count; k++) {
				if (strcmp(stacks.labels[stacks.nodes[k].label], summary.rows[j].label) == 0)
					self_ns += stacks.nodes[k].self_ns;
			}
			assert_int_equal(self_ns, summary.rows[j].self_ns);
		}
		for (size_t k = 1; k < stacks.node_count; k++) {
			assert_true(stacks.nodes[k].parent < k);
			assert_true(stacks.nodes[k].total_ns <= stacks.nodes[stacks.nodes[k].parent].total_ns);
		}
		stacks_free(&stacks);
		summary_free(&summary);
		mmp_close(reader);
		bytes_free(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_stacks_are_merged),
	    cmocka_unit_test(small_nodes_are_pruned),
	    cmocka_unit_test(recursion_is_kept),
	    cmocka_unit_test(a_profile_without_events),
	    cmocka_unit_test(overlapping_events_leave_no_self_time),
	    cmocka_unit_test(a_real_profile_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
