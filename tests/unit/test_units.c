/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Profiles of another counter than wall time: the tables name what they count, and never call it a time. */
#include "tests/unit/profile_bytes.h"

#include <errno.h>

#include "analysis/analysis.h"
#include "render/render.h"

#define COUNTED(counter) "{ \"start_time\": 1, \"process_id\": 4, \"cmd\": \"rustc \", \"counter\": " counter " }"
#define INSTRUCTIONS COUNTED("{ \"name\": \"instructions:u\", \"units\": [[\"instructions\", 1]] }")
#define CPU_TIME COUNTED("{ \"name\": \"cpu-time\", \"units\": [[\"ns\", 1], [\"s\", 1000000000]] }")

static struct bytes profile_of(const char *metadata, uint64_t amount)
{
	struct parts parts;
	uint64_t kind;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	kind = parts_string(&parts, "Query");
	parts_event(&parts, kind, parts_string(&parts, "query"), 1, 0, amount);
	parts_event(&parts, parts_string(&parts, "QueryBlocked"), kind, 1, amount, amount + 5000000);
	return parts_file(&parts, 1000);
}

static struct summary summarize(const char *metadata, uint64_t amount)
{
	struct bytes file = profile_of(metadata, amount);
	struct mmp_reader *reader = open_bytes(&file);
	struct summary summary;

	assert_int_equal(summarize_profile(reader, &summary, NULL), 0);
	mmp_close(reader);
	bytes_free(&file);
	return summary;
}

static void test_unit(void **state)
{
	static const struct {
		const char *metadata, *unit;
	} rows[] = {
	    {METADATA, NULL},
	    {COUNTED("{ \"name\": \"wall-time\", \"units\": [[\"ns\", 1], [\"s\", 1000000000]] }"), NULL},
	    {CPU_TIME, NULL},
	    {INSTRUCTIONS, "instructions"},
	    {COUNTED("{ \"name\": \"joules\", \"units\": [] }"), "joules"},
	    {COUNTED("{ \"name\": \"pages\", \"units\": [[\"KiB\", 1024]] }"), "pages"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct summary summary = summarize(rows[i].metadata, 1000);

		if (rows[i].unit)
			assert_string_equal(summary.unit, rows[i].unit);
		else
			assert_null(summary.unit);
		summary_free(&summary);
	}
}

static void test_tables(void **state)
{
	struct summary base = summarize(INSTRUCTIONS, 1500000), change = summarize(INSTRUCTIONS, 2500000);
	struct summary_filter all = {.percent_above = 1};
	struct diff_filter none = {0};
	struct error err = {""};
	struct diff diff;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(diff_summaries(&base, &change, &diff, &err), 0);
	assert_int_equal(render_summary_text(&base, &all, out, &err), 0);
	assert_int_equal(render_summary_json(&base, &all, out, &err), 0);
	assert_int_equal(render_diff_text(&diff, &none, out, &err), 0);
	assert_int_equal(render_diff_json(&diff, &none, out, &err), 0);
	render_counts(&base, false, out);
	fclose(out);
	assert_null(strstr(text, " time"));
	assert_null(strstr(text, "ms"));
	assert_non_null(strstr(text, "| Self instructions | % of total instructions | instructions | Item count | "
				     "Blocked instructions |"));
	assert_non_null(strstr(text, "| 1500000           | 23.077                  | 1500000      | 1          | 0 "));
	assert_non_null(strstr(text, "Total instructions: 6500000\n"));
	assert_non_null(strstr(text, "of total instructions.\n"));
	assert_non_null(strstr(text, ",\"unit\":\"instructions\"}"));
	assert_non_null(strstr(text, "| +1000000          | +66.67%                  |"));
	assert_non_null(strstr(text, "Total instructions: +1000000\n"));
	assert_non_null(strstr(text, "\nquery,1,1500000\n"));
	free(text);
	diff_free(&diff);
	summary_free(&base);
	summary_free(&change);
}

/* Another counter of nanoseconds is a time like any other, but not the same. */
static void test_another_time(void **state)
{
	struct summary cpu = summarize(CPU_TIME, 1500000), wall = summarize(METADATA, 1500000);
	struct summary_filter all = {0};
	struct error err = {""};
	struct diff diff;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(render_summary_text(&cpu, &all, out, &err), 0);
	assert_int_equal(render_summary_json(&cpu, &all, out, &err), 0);
	fflush(out);
	assert_non_null(strstr(text, "| 1.50ms    | 23.077          | 1.50ms "));
	assert_non_null(strstr(text, "Total cpu time: 6.5ms\nAll times are cpu-time.\n"));
	assert_non_null(strstr(text, ",\"counter\":\"cpu-time\"}\n"));
	assert_int_equal(fseek(out, 0, SEEK_SET), 0);
	assert_int_equal(render_summary_text(&wall, &all, out, &err), 0);
	assert_int_equal(render_summary_json(&wall, &all, out, &err), 0);
	fclose(out);
	assert_null(strstr(text, "All times"));
	assert_null(strstr(text, "\"counter\""));
	free(text);
	assert_int_equal(diff_summaries(&cpu, &cpu, &diff, &err), 0);
	diff_free(&diff);
	assert_int_equal(diff_summaries(&cpu, &wall, &diff, &err), -EINVAL);
	assert_string_equal(err.text, "the profiles cannot be compared: one counts cpu-time, the other wall-time");
	summary_free(&cpu);
	summary_free(&wall);
}

static void test_different_units(void **state)
{
	struct bytes files[] = {profile_of(INSTRUCTIONS, 100), profile_of(METADATA, 100)};
	struct mmp_reader *readers[] = {open_bytes(&files[0]), open_bytes(&files[1])};
	struct summary base = summarize(INSTRUCTIONS, 100), change = summarize(METADATA, 100);
	struct aggregate aggregate;
	struct error err;
	struct diff diff;

	(void)state;
	assert_int_equal(diff_summaries(&base, &change, &diff, &err), -EINVAL);
	assert_string_equal(err.text,
			    "the profiles cannot be compared: one counts instructions:u, the other wall-time");
	assert_int_equal(aggregate_profiles((const struct mmp_reader *const *)readers, 2, &aggregate, &err), -EINVAL);
	assert_string_equal(err.text, "aggregate needs profiles of the same counter: memory counts instructions:u, but "
				      "memory wall-time");
	summary_free(&base);
	summary_free(&change);
	for (size_t i = 0; i < 2; i++) {
		mmp_close(readers[i]);
		bytes_free(&files[i]);
	}
}

static void test_aggregate(void **state)
{
	struct bytes file = profile_of(INSTRUCTIONS, 100);
	const struct mmp_reader *readers[1];
	struct mmp_reader *reader = open_bytes(&file);
	struct aggregate aggregate;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	readers[0] = reader;
	assert_int_equal(aggregate_profiles(readers, 1, &aggregate, NULL), 0);
	render_aggregate(&aggregate, out);
	fclose(out);
	assert_non_null(strstr(text, "  100 instructions: `query()`\n"));
	assert_non_null(strstr(text, "0 instructions: 3 occurrences, or 100.00%\n"));
	assert_null(strstr(text, " ns"));
	free(text);
	aggregate_free(&aggregate);
	mmp_close(reader);
	bytes_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unit),	 cmocka_unit_test(test_tables),
	    cmocka_unit_test(test_another_time), cmocka_unit_test(test_different_units),
	    cmocka_unit_test(test_aggregate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
