/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What stands behind summarize --sort and --hits, diff, aggregate and counts, on small profiles. */
#include "tests/unit/profile_bytes.h"

#include <errno.h>
#include <math.h>

#include "analysis/analysis.h"
#include "render/render.h"

/* An event of a small profile; a NULL kind ends the list. */
struct row {
	const char *kind, *label;
	uint32_t thread;
	uint64_t start, end;
};

#define INSTANT UINT64_C(0xFFFFFFFFFFFF)
#define INTEGER UINT64_C(0xFFFFFFFFFFFE)
#define ROWS(...) ((const struct row[]){__VA_ARGS__, {0}})

static struct bytes profile_of(const struct row *rows)
{
	struct parts parts;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	for (; rows->kind; rows++) {
		uint64_t kind = parts_string(&parts, rows->kind), label = parts_string(&parts, rows->label);

		parts_event(&parts, kind, label, rows->thread, rows->start, rows->end);
	}
	return parts_file(&parts, 1000);
}

static struct summary summarize_rows(const struct row *rows)
{
	struct bytes file = profile_of(rows);
	struct mmp_reader *reader = open_bytes(&file);
	struct error err = {""};
	struct summary summary;

	summarize_profile(reader, &summary, &err);
	assert_string_equal(err.text, "");
	mmp_close(reader);
	bytes_free(&file);
	return summary;
}

static const struct summary_row *find_row(const struct summary *summary, const char *label)
{
	for (size_t i = 0; i < summary->row_count; i++) {
		if (strcmp(summary->rows[i].label, label) == 0)
			return &summary->rows[i];
	}
	fail_msg("there is no row %s", label);
	return NULL;
}

/* Text that a FILE collects; free it with free(). */
struct printed {
	char *text;
	size_t size;
	FILE *out;
};

static void print_begin(struct printed *printed)
{
	printed->out = open_memstream(&printed->text, &printed->size);
	assert_non_null(printed->out);
}

static void test_sort(void **state)
{
	struct summary summary = summarize_rows(
	    ROWS({"Query", "a", 0, 0, 10}, {"Query", "b", 0, 10, 40}, {"Query", "b", 0, 40, 41},
		 {"QueryCacheHitCount", "c", 0, 7, INTEGER}, {"QueryBlocked", "d", 0, 50, 55},
		 {"IncrementalLoadResult", "e", 0, 60, 67}, {"IncrementalResultHashing", "f", 0, 70, 72}));
	static const struct {
		enum summary_order order;
		const char *first;
	} rows[] = {
	    {SUMMARY_BY_SELF, "b"},    {SUMMARY_BY_TIME, "b"},	  {SUMMARY_BY_SPAN, "b"},
	    {SUMMARY_BY_COUNT, "b"},   {SUMMARY_BY_HITS, "c"},	  {SUMMARY_BY_LOAD, "e"},
	    {SUMMARY_BY_BLOCKED, "d"}, {SUMMARY_BY_HASHING, "f"}, {SUMMARY_BY_LABEL, "a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		summary_sort(&summary, rows[i].order);
		assert_string_equal(summary.rows[0].label, rows[i].first);
	}
	/* Equal ones by label. */
	summary_sort(&summary, SUMMARY_BY_HITS);
	assert_string_equal(summary.rows[1].label, "a");
	assert_string_equal(summary.rows[5].label, "f");
	summary_free(&summary);
}

static void test_hits(void **state)
{
	struct summary summary =
	    summarize_rows(ROWS({"Query", "q", 0, 0, 10}, {"QueryCacheHitCount", "q", 0, 6, INTEGER},
				{"IncrementalLoadResult", "q", 0, 20, 21}, {"GenericActivity", "pass", 0, 30, 31}));
	struct summary_filter filter = {.hits = true};
	struct printed printed;
	struct hit_rates rates = summary_row_hits(find_row(&summary, "q"));

	(void)state;
	assert_int_equal(rates.requests, 8);
	assert_true(rates.memory == 75 && rates.incremental == 12.5);
	assert_int_equal(summary_row_hits(find_row(&summary, "pass")).requests, 0);
	rates = summary_hits(&summary);
	assert_int_equal(rates.requests, 8);
	print_begin(&printed);
	assert_int_equal(render_summary_text(&summary, &filter, printed.out, NULL), 0);
	fclose(printed.out);
	assert_non_null(strstr(printed.text, "| % hit in memory | % loaded from disk |"));
	assert_non_null(strstr(printed.text, "| 75.00           | 12.50              |"));
	assert_non_null(strstr(printed.text, "|                 |                    |"));
	assert_non_null(strstr(printed.text, "Of 8 requests for a query's result, 75.00% found it in memory, 12.50% "));
	free(printed.text);
	print_begin(&printed);
	assert_int_equal(render_summary_json(&summary, &filter, printed.out, NULL), 0);
	fclose(printed.out);
	assert_non_null(strstr(printed.text, "\"incremental_load_count\":1,\"in_memory_hit_percent\":75.0,"
					     "\"incremental_hit_percent\":12.5}"));
	assert_non_null(strstr(printed.text, "\"in_memory_hit_percent\":null,\"incremental_hit_percent\":null}"));
	free(printed.text);
	summary_free(&summary);
}

/* A profile without hits does not say that nothing was hit. */
static void test_hits_not_recorded(void **state)
{
	struct summary summary = summarize_rows(ROWS({"Query", "q", 0, 0, 10}));
	struct summary_filter filter = {.hits = true};
	struct printed printed;

	(void)state;
	print_begin(&printed);
	assert_int_equal(render_summary_text(&summary, &filter, printed.out, NULL), 0);
	assert_int_equal(render_summary_json(&summary, &filter, printed.out, NULL), 0);
	fclose(printed.out);
	assert_null(strstr(printed.text, "% hit"));
	assert_non_null(strstr(printed.text, "does not record what was found in memory"));
	assert_non_null(strstr(printed.text, "\"in_memory_hit_percent\":null"));
	free(printed.text);
	summary_free(&summary);
}

/* With a filter by percent the rows may be in any order. */
static void test_filter_any_order(void **state)
{
	struct summary summary =
	    summarize_rows(ROWS({"Query", "a", 0, 0, 1}, {"Query", "b", 0, 1, 60}, {"Query", "c", 0, 60, 100}));
	struct summary_filter filter = {.percent_above = 20};
	struct printed printed;

	(void)state;
	summary_sort(&summary, SUMMARY_BY_LABEL);
	print_begin(&printed);
	assert_int_equal(render_summary_text(&summary, &filter, printed.out, NULL), 0);
	fclose(printed.out);
	assert_null(strstr(printed.text, "| a "));
	assert_non_null(strstr(printed.text, "| b "));
	assert_non_null(strstr(printed.text, "| c "));
	assert_non_null(strstr(printed.text, "Filtered results account for 99.000% of total time."));
	free(printed.text);
	summary_free(&summary);
}

static void test_span(void **state)
{
	struct summary summary = summarize_rows(ROWS(
	    /* Directly and indirectly recursive. */
	    {"Query", "q", 1, 20, 30}, {"Query", "r", 1, 15, 35}, {"Query", "q", 1, 10, 40}, {"Query", "q", 1, 0, 50},
	    /* The same time of another thread counts again. */
	    {"Query", "q", 2, 10, 20},
	    /* One behind the other, and overlapping. */
	    {"Query", "q", 1, 60, 70}, {"Query", "q", 1, 65, 80}, {"Query", "q", 1, 80, 90},
	    /* Hashing is no time of its own, loading is. */
	    {"IncrementalResultHashing", "q", 1, 95, 99}, {"IncrementalLoadResult", "q", 1, 100, 107}));

	(void)state;
	assert_int_equal(find_row(&summary, "q")->span_ns, 50 + 10 + 20 + 10 + 7);
	assert_int_equal(find_row(&summary, "q")->total_ns, 10 + 30 + 50 + 10 + 10 + 15 + 10 + 7);
	assert_int_equal(find_row(&summary, "r")->span_ns, 20);
	summary_free(&summary);
}

/* More threads than have a place beside the label, in turns. */
static void test_span_many_threads(void **state)
{
	static struct row rows[401];
	struct summary summary;

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		rows[i] = (struct row){"Query", "q", i % 100, 1000 + i, 1001 + i};
		rows[200 + i] = (struct row){"Query", "q", i % 100, i < 100 ? 900 : 800, 2000};
	}
	summary = summarize_rows(rows);
	assert_int_equal(find_row(&summary, "q")->span_ns, 100 * 1200);
	summary_free(&summary);
}

static void test_counts(void **state)
{
	struct summary summary = summarize_rows(
	    ROWS({"Query", "q", 1, 1000000, 3000000}, {"Query", "q", 1, 0, 12345678},
		 {"GenericActivity", "pass", 1, 20000000, UINT64_C(2020000000)}, {"QueryCacheHit", "q", 1, 5, INSTANT},
		 {"QueryCacheHit", "only hit", 1, 5, INSTANT}, {"ArtifactSize", "file", 1, 5, INTEGER}));
	struct printed printed;

	(void)state;
	summary_sort(&summary, SUMMARY_BY_SPAN);
	print_begin(&printed);
	render_counts(&summary, false, printed.out);
	fclose(printed.out);
	assert_string_equal(printed.text, "pass,1,2.000\nq,2,0.012\n");
	free(printed.text);
	print_begin(&printed);
	render_counts(&summary, true, printed.out);
	fclose(printed.out);
	assert_string_equal(printed.text, "pass,1,2.000\nq,3,0.012\nonly hit,1,0.000\n");
	free(printed.text);
	summary_free(&summary);
}

static void test_diff(void **state)
{
	struct summary base = summarize_rows(
	    ROWS({"Query", "gone", 0, 0, 30}, {"Query", "slower", 0, 30, 40}, {"QueryCacheHit", "hit", 0, 50, INSTANT},
		 {"ArtifactSize", "a", 0, 100, INTEGER}, {"ArtifactSize", "b", 0, 7, INTEGER}));
	struct summary change = summarize_rows(
	    ROWS({"Query", "slower", 0, 0, 25}, {"Query", "new", 0, 25, 30}, {"QueryCacheHit", "hit", 0, 50, INSTANT},
		 {"ArtifactSize", "a", 0, 60, INTEGER}, {"ArtifactSize", "c", 0, 8, INTEGER}));
	struct diff_filter filter = {.limit = 2};
	struct diff diff;
	struct printed printed;

	(void)state;
	assert_int_equal(diff_summaries(&base, &change, &diff, NULL), 0);
	assert_int_equal(diff.row_count, 4);
	assert_string_equal(diff.rows[0].label, "gone");
	assert_true(diff.rows[0].self_ns.negative && diff.rows[0].self_ns.amount == 30);
	/* What is gone is less, even where it was nothing. */
	assert_true(diff.rows[0].load_ns.negative && diff.rows[0].load_ns.amount == 0);
	assert_true(diff.rows[0].self_percent == -100);
	assert_int_equal(diff.rows[0].invocations, -1);
	assert_string_equal(diff.rows[1].label, "slower");
	assert_true(diff.rows[1].self_percent == 150);
	assert_string_equal(diff.rows[2].label, "new");
	assert_true(isinf(diff.rows[2].self_percent));
	assert_string_equal(diff.rows[3].label, "hit");
	assert_true(isnan(diff.rows[3].self_percent));
	assert_true(diff.cpu_ns.negative && diff.cpu_ns.amount == 10);
	assert_int_equal(diff.artifact_count, 3);
	assert_string_equal(diff.artifacts[0].label, "c");
	assert_int_equal(diff.artifacts[1].bytes, -7);
	assert_int_equal(diff.artifacts[2].bytes, -40);

	print_begin(&printed);
	assert_int_equal(render_diff_text(&diff, &filter, printed.out, NULL), 0);
	assert_int_equal(render_diff_json(&diff, &filter, printed.out, NULL), 0);
	fclose(printed.out);
	assert_non_null(strstr(printed.text, "| gone .  | -30ns     | -100.00%         | -30ns | -100.00%    | -1 "));
	assert_non_null(strstr(printed.text, "| slower  | +15ns     | +150.00%         | +15ns | +150.00%    | +0 "));
	assert_null(strstr(printed.text, "new"));
	assert_non_null(strstr(printed.text, "Total cpu time: -10ns\n"));
	assert_non_null(strstr(printed.text, "| b    | -7 bytes             |"));
	assert_non_null(strstr(printed.text,
			       "\"self_time\":{\"duration\":{\"secs\":0,\"nanos\":30},\"is_positive\":false},"
			       "\"self_time_change\":-100.0,"));
	free(printed.text);

	filter = (struct diff_filter){(const char *const[]){"low", "b"}, 2, 0};
	print_begin(&printed);
	assert_int_equal(render_diff_text(&diff, &filter, printed.out, NULL), 0);
	assert_int_equal(render_diff_json(&diff, &filter, printed.out, NULL), 0);
	fclose(printed.out);
	assert_null(strstr(printed.text, "slower"));
	assert_null(strstr(printed.text, "| b "));
	assert_non_null(strstr(printed.text, "+inf%"));
	assert_non_null(strstr(printed.text, "NaN%"));
	assert_non_null(strstr(printed.text, "\"self_time_change\":null"));
	free(printed.text);
	diff_free(&diff);
	summary_free(&base);
	summary_free(&change);
}

/* Aggregates profiles; NULL if that fails. What aggregate prints is to be freed with free(). */
static char *aggregate(const struct row *const *rows, size_t count, struct aggregate *result, struct error *err)
{
	struct bytes files[4];
	struct mmp_reader *readers[4];
	struct printed printed = {0};
	int rc;

	for (size_t i = 0; i < count; i++) {
		files[i] = profile_of(rows[i]);
		readers[i] = open_bytes(&files[i]);
	}
	rc = aggregate_profiles((const struct mmp_reader *const *)readers, count, result, err);
	if (!rc) {
		print_begin(&printed);
		render_aggregate(result, printed.out);
		fclose(printed.out);
		aggregate_free(result);
	} else {
		assert_int_equal(rc, -EINVAL);
	}
	for (size_t i = 0; i < count; i++) {
		mmp_close(readers[i]);
		bytes_free(&files[i]);
	}
	return printed.text;
}

#define VARIANCES                                                                            \
	"  \xC2\xB1"                                                                         \
	"0 ns: in Other `out()`, before `in()`\n"                                            \
	"  \xC2\xB1"                                                                         \
	"0.5 ns: 2 occurrences, or 25.00%\n"                                                 \
	"  \xC2\xB1"                                                                         \
	"1.5 ns: in Other `out()`, after `in()`\n"                                           \
	"  \xC2\xB1"                                                                         \
	"2 ns: in Other `out()`,\n    between QueryCacheHit `hit()`\n        and `in()`\n\n" \
	"  \xC2\xB1"                                                                         \
	"3 ns: `in()`\n"                                                                     \
	"  \xC2\xB1"                                                                         \
	"124.5 ns: `last()`\n"                                                               \
	"  \xC2\xB1"                                                                         \
	"498.5 ns: between Other `out()` and `last()`\n"

static void test_aggregate(void **state)
{
	/* Times differ, thread numbers too, integers do not matter. */
	const struct row *rows[] = {
	    ROWS({"Query", "in", 3, 10, 20}, {"QueryCacheHit", "hit", 3, 25, INSTANT}, {"Query", "in", 3, 32, 40},
		 {"Other", "out", 3, 0, 100}, {"Query", "last", 3, 150, 400}),
	    ROWS({"Query", "in", 7, 10, 21}, {"QueryCacheHit", "hit", 7, 27, INSTANT}, {"Query", "in", 7, 38, 40},
		 {"ArtifactSize", "file", 1, 5, INTEGER}, {"Other", "out", 7, 0, 103},
		 {"Query", "last", 7, 1150, 1151}),
	};
	struct aggregate result;
	struct error err;
	char *text = aggregate(rows, 2, &result, &err);

	(void)state;
	assert_string_equal(text, "Smallest 7 durations:\n"
				  "  1 ns: `last()`\n"
				  "  2 ns: `in()`\n"
				  "  5 ns: in Other `out()`,\n    between `in()`\n        and QueryCacheHit `hit()`\n\n"
				  "  7 ns: in Other `out()`,\n    between QueryCacheHit `hit()`\n        and `in()`\n\n"
				  "  10 ns: 2 occurrences, or 25.00%\n"
				  "  50 ns: between Other `out()` and `last()`\n"
				  "  60 ns: in Other `out()`, after `in()`\n"
				  "\nLargest 7 durations:\n"
				  "  6 ns: in Other `out()`,\n    between `in()`\n        and QueryCacheHit `hit()`\n\n"
				  "  8 ns: `in()`\n"
				  "  10 ns: in Other `out()`, before `in()`\n"
				  "  11 ns: 2 occurrences, or 25.00%\n"
				  "  63 ns: in Other `out()`, after `in()`\n"
				  "  250 ns: `last()`\n"
				  "  1047 ns: between Other `out()` and `last()`\n"
				  "\nSmallest 7 variances:\n" VARIANCES "\nLargest 7 variances:\n" VARIANCES);
	free(text);
}

static void test_aggregate_threads(void **state)
{
	/* The same two threads under other numbers, and one that differs. */
	const struct row *rows[] = {
	    ROWS({"Query", "a", 1, 0, 10}, {"Query", "b", 2, 0, 20}, {"Query", "c", 3, 0, 30},
		 {"Query", "c", 3, 31, 35}),
	    ROWS({"Query", "b", 1, 0, 22}, {"Query", "d", 4, 0, 30}, {"Query", "a", 2, 0, 10}),
	};
	struct aggregate result;
	struct error err;
	char *text = aggregate(rows, 2, &result, &err);

	(void)state;
	assert_non_null(strstr(text, "Largest 2 durations:\n  10 ns: `a()`\n  22 ns: `b()`\n"));
	assert_non_null(strstr(text, "Largest 2 variances:\n  \xC2\xB1"
				     "0 ns: `a()`\n  \xC2\xB1"
				     "1 ns: `b()`\n"));
	assert_int_equal(result.interval_count, 0);
	free(text);
}

static void test_aggregate_differences(void **state)
{
	const struct row *rows[] = {
	    ROWS({"Query", "a", 1, 0, 10}, {"Query", "b", 1, 10, 20}),
	    ROWS({"Query", "a", 1, 0, 10}, {"Query", "c", 1, 10, 20}),
	};
	const struct row *fewer[] = {rows[0], ROWS({"Query", "a", 1, 0, 10})};
	const struct row *nested[] = {rows[0], ROWS({"Query", "a", 1, 5, 10}, {"Query", "b", 1, 0, 20})};
	const struct row *overlap[] = {ROWS({"Query", "a", 1, 0, 10}, {"Query", "b", 1, 5, 20}),
				       ROWS({"Query", "a", 1, 0, 10}, {"Query", "b", 1, 5, 20})};
	struct aggregate result;
	struct error err;

	(void)state;
	assert_null(aggregate(rows, 2, &result, &err));
	assert_string_equal(err.text, "aggregate needs profiles of the same events: the 2. one is `b()` in memory, but "
				      "`c()` in memory");
	assert_null(aggregate(fewer, 2, &result, &err));
	assert_non_null(strstr(err.text, "the 2. one is `b()` in memory, but nothing in memory"));
	assert_null(aggregate(nested, 2, &result, &err));
	assert_non_null(strstr(err.text, "they lie otherwise in each other"));
	assert_null(aggregate(overlap, 2, &result, &err));
	assert_non_null(strstr(err.text, "overlap"));
}

static void test_aggregate_nothing(void **state)
{
	const struct row *rows[] = {(const struct row[]){{0}}};
	struct aggregate result;
	struct error err;
	char *text = aggregate(rows, 1, &result, &err);

	(void)state;
	assert_string_equal(text, "Smallest 0 durations:\n\nLargest 0 durations:\n\nSmallest 0 variances:\n\n"
				  "Largest 0 variances:\n");
	free(text);
}

/* Ten values at most, of the many that there are. */
static void test_aggregate_extremes(void **state)
{
	static struct row list[1001];
	const struct row *rows[] = {list};
	struct aggregate result;
	struct error err;
	uint64_t now = 0;
	char *text;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		uint64_t duration = 1 + i * 7919 % 500;

		list[i] = (struct row){"Query", "q", 1, now, now + duration};
		now += duration;
	}
	text = aggregate(rows, 1, &result, &err);
	/* Between them lies nothing, 999 times; each duration occurs twice. */
	assert_non_null(strstr(text, "Smallest 10 durations:\n  0 ns: 999 occurrences, or 49.97%\n  1 ns: 2 occ"));
	assert_non_null(strstr(text, "  9 ns: 2 occurrences, or 0.10%\n\nLargest 10 durations:\n  491 ns: 2 occ"));
	assert_non_null(strstr(text, "  500 ns: 2 occurrences, or 0.10%\n\n"));
	assert_non_null(strstr(text, "Largest 1 variances:\n  \xC2\xB1"
				     "0 ns: 1999 occurrences, or 100.00%\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sort),
	    cmocka_unit_test(test_hits),
	    cmocka_unit_test(test_hits_not_recorded),
	    cmocka_unit_test(test_filter_any_order),
	    cmocka_unit_test(test_span),
	    cmocka_unit_test(test_span_many_threads),
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_diff),
	    cmocka_unit_test(test_aggregate),
	    cmocka_unit_test(test_aggregate_threads),
	    cmocka_unit_test(test_aggregate_differences),
	    cmocka_unit_test(test_aggregate_nothing),
	    cmocka_unit_test(test_aggregate_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
