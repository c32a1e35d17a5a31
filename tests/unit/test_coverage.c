/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * How much of a profile a recording would have: querytap doctor --coverage. The sums on small profiles, what a plan
 * says of a label, and which compiler a profile is compared with.
 */
#include "tests/unit/profile_bytes.h"

#include <errno.h>

#include "analysis/analysis.h"
#include "bpf/wire.h"
#include "cmd/doctor.h"
#include "compiler/compiler.h"
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

static struct bytes profile_of(const struct row *rows, const char *metadata)
{
	struct parts parts;

	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, metadata));
	for (; rows->kind; rows++) {
		uint64_t kind = parts_string(&parts, rows->kind), label = parts_string(&parts, rows->label);

		parts_event(&parts, kind, label, rows->thread, rows->start, rows->end);
	}
	return parts_file(&parts, 1000);
}

/* Refuses what its words, each "Kind/label ", name. */
static const char *refuse_listed(const void *recorder, enum coverage_kind kind, const char *label)
{
	char word[128];

	snprintf(word, sizeof(word), "%s/%s ", coverage_kind_name(kind), label);
	return strstr(recorder, word) ? "it is listed" : NULL;
}

static struct coverage cover(const struct row *rows, const char *refused)
{
	struct bytes file = profile_of(rows, METADATA);
	struct mmp_reader *reader = open_bytes(&file);
	struct coverage coverage;
	struct error err = {""};

	coverage_of_profile(reader, refuse_listed, refused, &coverage, &err);
	assert_string_equal(err.text, "");
	mmp_close(reader);
	bytes_free(&file);
	return coverage;
}

/* One label with several kinds of event, each of which is asked for on its own. */
static void test_kinds_of_a_label(void **state)
{
	struct coverage coverage = cover(ROWS({"IncrementalLoadResult", "q", 0, 10, 14},
					      {"IncrementalResultHashing", "q", 0, 30, 33}, {"Query", "q", 0, 20, 40},
					      {"QueryBlocked", "q", 0, 50, 55}, {"GenericActivity", "q", 0, 0, 100}),
					 "IncrementalLoadResult/q GenericActivity/q ");
	static const uint64_t self[] = {
	    [COVERAGE_QUERY] = 17,  [COVERAGE_ACTIVITY] = 100 - 4 - 20 - 5, [COVERAGE_LOAD] = 4, [COVERAGE_HASHING] = 3,
	    [COVERAGE_BLOCKED] = 5,
	};

	(void)state;
	assert_int_equal(coverage.row_count, 5);
	assert_int_equal(coverage.all.self_ns, 100);
	assert_int_equal(coverage.all.covered_ns, 17 + 3 + 5);
	assert_int_equal(coverage.all.labels, 5);
	assert_int_equal(coverage.all.covered_labels, 3);
	assert_int_equal(coverage.all.covered_events, 3);
	assert_true(coverage_share(&coverage.all) == 25);
	for (int kind = 0; kind <= COVERAGE_BLOCKED; kind++) {
		assert_int_equal(coverage.kinds[kind].labels, 1);
		assert_int_equal(coverage.kinds[kind].events, 1);
		assert_int_equal(coverage.kinds[kind].self_ns, self[kind]);
	}
	assert_int_equal(coverage.kinds[COVERAGE_LOAD].covered_labels, 0);
	assert_int_equal(coverage.kinds[COVERAGE_LOAD].covered_ns, 0);
	assert_int_equal(coverage.kinds[COVERAGE_QUERY].covered_ns, 17);
	/* By falling self time. */
	assert_int_equal(coverage.rows[0].kind, COVERAGE_ACTIVITY);
	assert_string_equal(coverage.rows[0].refusal, "it is listed");
	assert_true(coverage.rows[0].share == 71);
	assert_int_equal(coverage.rows[1].kind, COVERAGE_QUERY);
	assert_null(coverage.rows[1].refusal);
	assert_int_equal(coverage.rows[4].kind, COVERAGE_HASHING);
	coverage_free(&coverage);
}

static void test_events_of_a_label_add_up(void **state)
{
	struct coverage coverage = cover(
	    ROWS({"Query", "b", 1, 0, 10}, {"Query", "b", 2, 0, 5}, {"Query", "a", 1, 20, 35}, {"Query", "c", 2, 5, 6}),
	    "Query/b ");

	(void)state;
	assert_int_equal(coverage.row_count, 3);
	/* Of two as long, by label. */
	assert_string_equal(coverage.rows[0].label, "a");
	assert_string_equal(coverage.rows[1].label, "b");
	assert_int_equal(coverage.rows[1].events, 2);
	assert_int_equal(coverage.rows[1].self_ns, 15);
	assert_int_equal(coverage.kinds[COVERAGE_QUERY].events, 4);
	assert_int_equal(coverage.kinds[COVERAGE_QUERY].covered_events, 2);
	coverage_free(&coverage);
}

/* rustc's work for its own profile counts neither as covered nor as not, but what ran within it does. */
static void test_profilers_own_work(void **state)
{
	struct coverage coverage =
	    cover(ROWS({"Query", "q", 0, 10, 20}, {"GenericActivity", "self_profile_alloc_query_strings", 0, 0, 60},
		       {"GenericActivity", "codegen_crate", 0, 0, 100}),
		  "GenericActivity/self_profile_alloc_query_strings Query/q ");

	(void)state;
	assert_int_equal(coverage.row_count, 2);
	assert_int_equal(coverage.profiler_ns, 50);
	assert_int_equal(coverage.all.self_ns, 50);
	assert_int_equal(coverage.all.covered_ns, 40);
	coverage_free(&coverage);
	coverage = cover(ROWS({"Query", "self_profile_alloc_query_strings", 0, 0, 60}), "");
	assert_int_equal(coverage.profiler_ns, 0);
	assert_int_equal(coverage.all.self_ns, 60);
	coverage_free(&coverage);
}

static void test_events_without_a_time(void **state)
{
	struct coverage coverage = cover(
	    ROWS({"QueryCacheHitCount", "q", 0, 7, INTEGER}, {"QueryCacheHit", "r", 0, 5, INSTANT},
		 {"ArtifactSize", "linked_artifact", 0, 4096, INTEGER}, {"ArtifactSize", "llvm_bitcode", 0, 1, INTEGER},
		 {"ArtifactSize", "llvm_bitcode", 1, 9, INTEGER}, {"LLVM Pass", "inline", 0, 0, 10}),
	    "ArtifactSize/llvm_bitcode other/inline ");

	(void)state;
	assert_int_equal(coverage.cache_hits, 8);
	assert_int_equal(coverage.row_count, 3);
	assert_int_equal(coverage.kinds[COVERAGE_ARTIFACT].labels, 2);
	assert_int_equal(coverage.kinds[COVERAGE_ARTIFACT].covered_labels, 1);
	assert_int_equal(coverage.kinds[COVERAGE_ARTIFACT].events, 3);
	assert_int_equal(coverage.kinds[COVERAGE_ARTIFACT].covered_events, 1);
	assert_int_equal(coverage.kinds[COVERAGE_ARTIFACT].self_ns, 0);
	assert_int_equal(coverage.kinds[COVERAGE_OTHER].labels, 1);
	assert_int_equal(coverage.all.covered_ns, 0);
	assert_true(coverage_share(&coverage.all) == 0);
	coverage_free(&coverage);
	coverage = cover(ROWS({"ArtifactSize", "linked_artifact", 0, 4096, INTEGER}), "");
	assert_true(coverage_share(&coverage.all) == 0);
	assert_true(coverage.rows[0].share == 0);
	coverage_free(&coverage);
}

/* What contains two intervals that overlap has less than no time of its own. */
static void test_overlap(void **state)
{
	struct coverage coverage =
	    cover(ROWS({"Query", "a", 0, 0, 8}, {"Query", "b", 0, 2, 10}, {"GenericActivity", "around", 0, 0, 10}), "");

	(void)state;
	for (size_t i = 0; i < coverage.row_count; i++)
		assert_true(coverage.rows[i].self_ns <= 10);
	assert_int_equal(coverage.kinds[COVERAGE_ACTIVITY].self_ns, 0);
	coverage_free(&coverage);
}

static void test_damaged_label(void **state)
{
	struct mmp_reader *reader;
	struct coverage coverage;
	struct error err = {""};
	struct parts parts;
	struct bytes file;
	uint64_t kind, bad;

	(void)state;
	parts_begin(&parts, 9);
	parts_map(&parts, METADATA_ID, parts_string(&parts, METADATA));
	kind = parts_string(&parts, "Query");
	/* A string that contains itself. */
	bad = FIRST_ID + parts.streams[PAGE_STRING_DATA].size;
	assert_int_equal(parts_composite(&parts, bad, "", bad), bad);
	parts_event(&parts, kind, bad, 0, 1, 2);
	file = parts_file(&parts, 1000);
	reader = open_bytes(&file);
	assert_int_equal(coverage_of_profile(reader, refuse_listed, "", &coverage, &err), -EINVAL);
	assert_non_null(strstr(err.text, "memory"));
	assert_null(coverage.rows);
	mmp_close(reader);
	bytes_free(&file);
}

static char *text_of(const struct coverage *coverage)
{
	struct error err = {""};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(render_coverage_text(coverage, out, &err), 0);
	fclose(out);
	return text;
}

static void test_text(void **state)
{
	struct coverage coverage =
	    cover(ROWS({"Query", "typeck", 0, 0, 3000},
		       {"GenericActivity", "self_profile_alloc_query_strings", 0, 6000, 6500},
		       {"GenericActivity", "link", 0, 3000, 4000}, {"QueryCacheHitCount", "typeck", 0, 7, INTEGER},
		       {"ArtifactSize", "llvm_bitcode", 0, 1, INTEGER}),
		  "GenericActivity/link ArtifactSize/llvm_bitcode ");
	char *text = text_of(&coverage);

	(void)state;
	assert_string_equal(
	    text,
	    "+-----------------+--------+----------+--------+----------+-----------+----------+------------+\n"
	    "| Kind            | Labels | recorded | Events | recorded | Self time | recorded | % recorded |\n"
	    "+-----------------+--------+----------+--------+----------+-----------+----------+------------+\n"
	    "| Query           | 1      | 1        | 1      | 1        | 3.00µs    | 3.00µs   | 100.000    |\n"
	    "| GenericActivity | 1      | 0        | 1      | 0        | 1.00µs    | 0.00ns   | 0.000      |\n"
	    "| ArtifactSize    | 1      | 0        | 1      | 0        |           |          |            |\n"
	    "| all             | 3      | 1        | 3      | 1        | 4.00µs    | 3.00µs   | 75.000     |\n"
	    "+-----------------+--------+----------+--------+----------+-----------+----------+------------+\n"
	    "+--------------+-----------------+--------+-----------+----------+--------------+\n"
	    "| Not recorded | Kind            | Events | Self time | % of all | Why          |\n"
	    "+--------------+-----------------+--------+-----------+----------+--------------+\n"
	    "| link         | GenericActivity | 1      | 1.00µs    | 25.000   | it is listed |\n"
	    "| llvm_bitcode | ArtifactSize    | 1      |           |          | it is listed |\n"
	    "+--------------+-----------------+--------+-----------+----------+--------------+\n"
	    "Left out above: 500.00ns of rustc's own profiler, which writes its strings in "
	    "self_profile_alloc_query_strings.\n"
	    "Left out above: 7 cache hits, which cannot be seen from outside: they are loads inlined everywhere.\n");
	free(text);
	coverage_free(&coverage);
}

/* With all covered there is nothing to list. */
static void test_text_without_a_gap(void **state)
{
	struct coverage coverage = cover(ROWS({"Query", "typeck", 0, 0, 3000}), "");
	char *text = text_of(&coverage);

	(void)state;
	assert_non_null(strstr(text, "100.000"));
	assert_null(strstr(text, "Not recorded"));
	assert_null(strstr(text, "Left out"));
	free(text);
	coverage_free(&coverage);
}

static struct plan_query queries[] = {{.name = "typeck", .names_loads = true},
				      {.name = "mir_built", .refusal = "it has an odd shape"},
				      {.name = "optimized_mir"}};
static struct plan_activity activities[] = {{.label = "link"}, {.label = "codegen_crate"}};
static struct plan_omission omissions[] = {{.label = "LLVM_passes", .refusal = "its end is in another function"}};
static struct site sites[] = {
    {.kind = SITE_SESSION},
    {.kind = SITE_ENTER},
    {.kind = SITE_EXIT},
    {.kind = SITE_BEGIN, .event = EVENT_ACTIVITY},
    {.kind = SITE_BEGIN, .event = EVENT_ACTIVITY},
    {.kind = SITE_END, .event = EVENT_ACTIVITY},
    {.kind = SITE_BEGIN, .event = EVENT_INCREMENTAL_LOAD},
    {.kind = SITE_END, .event = EVENT_INCREMENTAL_LOAD},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct plan plan_for(const char *build_id)
{
	struct plan plan = {
	    .queries = queries,
	    .query_count = COUNT(queries),
	    .activities = activities,
	    .activity_count = COUNT(activities),
	    .omissions = omissions,
	    .omission_count = COUNT(omissions),
	    .sites = sites,
	    .site_count = COUNT(sites),
	};

	snprintf(plan.build_id, sizeof(plan.build_id), "%s", build_id);
	return plan;
}

static void test_plan_refusals(void **state)
{
	struct plan plan = plan_for("1");

	(void)state;
	assert_int_equal(plan_guards(&plan, EVENT_QUERY), 1);
	assert_int_equal(plan_guards(&plan, EVENT_ACTIVITY), 2);
	assert_int_equal(plan_guards(&plan, EVENT_INCREMENTAL_LOAD), 1);
	assert_int_equal(plan_guards(&plan, EVENT_QUERY_BLOCKED), 0);

	assert_null(plan_refusal(&plan, EVENT_QUERY, "typeck"));
	assert_string_equal(plan_refusal(&plan, EVENT_QUERY, "mir_built"), "it has an odd shape");
	assert_non_null(strstr(plan_refusal(&plan, EVENT_QUERY, "link"), "no query"));
	assert_null(plan_refusal(&plan, EVENT_ACTIVITY, "link"));
	assert_string_equal(plan_refusal(&plan, EVENT_ACTIVITY, "LLVM_passes"), "its end is in another function");
	assert_non_null(strstr(plan_refusal(&plan, EVENT_ACTIVITY, "typeck"), "no activity"));
	/* Such events need a query that is known, and a place where they begin. */
	assert_null(plan_refusal(&plan, EVENT_INCREMENTAL_LOAD, "typeck"));
	assert_string_equal(plan_refusal(&plan, EVENT_INCREMENTAL_LOAD, "mir_built"), "it has an odd shape");
	assert_non_null(strstr(plan_refusal(&plan, EVENT_INCREMENTAL_LOAD, "optimized_mir"), "<unknown>"));
	assert_null(plan_refusal(&plan, EVENT_QUERY, "optimized_mir"));
	assert_non_null(strstr(plan_refusal(&plan, EVENT_QUERY_BLOCKED, "typeck"), "no place"));
	assert_non_null(strstr(plan_refusal(&plan, EVENT_RESULT_HASHING, "typeck"), "no place"));
}

#define COMPILER(name) "/opt/" name "/lib/librustc_driver-0123.so"

/* The coverage of a profile with such metadata by compilers whose list ends with one without a path. */
static struct doctor_coverage choose(const char *metadata, bool named, struct examined *compilers)
{
	struct bytes file =
	    profile_of(ROWS({"Query", "typeck", 0, 0, 75}, {"GenericActivity", "LLVM_passes", 0, 75, 100}), metadata);
	struct mmp_reader *reader = open_bytes(&file);
	struct findings findings = {.compilers = compilers};
	struct doctor_coverage coverage = {0};
	struct error err = {""};

	while (compilers[findings.compiler_count].path)
		findings.compiler_count++;
	doctor_cover(&findings, named, reader, &coverage, &err);
	assert_string_equal(err.text, "");
	mmp_close(reader);
	bytes_free(&file);
	return coverage;
}

static void assert_choice(const char *metadata, bool named, struct examined *compilers, const char *build_id,
			  const char *choice)
{
	struct doctor_coverage coverage = choose(metadata, named, compilers);

	assert_non_null(coverage.compiler);
	assert_string_equal(coverage.compiler->plan->build_id, build_id);
	assert_string_equal(coverage.choice, choice);
	assert_true(coverage_share(&coverage.coverage.all) == 75);
	coverage_free(&coverage.coverage);
}

#define METADATA_OF(cmd, more) "{ \"start_time\": 1000, \"process_id\": 42, \"cmd\": \"" cmd " a.rs \"" more " }"

static void test_choice_of_compiler(void **state)
{
	struct plan first = plan_for("1"), second = plan_for("2");
	struct examined compilers[] = {
	    {.path = COMPILER("stripped")},
	    {.plan = &first, .path = COMPILER("stable")},
	    {.plan = &second, .path = COMPILER("nightly")},
	    {0},
	};

	(void)state;
	assert_choice(METADATA_OF("/opt/nightly/bin/rustc", ""), false, compilers, "2",
		      "the profile is of this compiler");
	assert_choice(METADATA_OF("/opt/stable/bin/clippy-driver", ""), false, compilers, "1",
		      "the profile is of this compiler");
	assert_choice(METADATA_OF("rustc", ""), false, compilers, "1",
		      "the profile does not say which compiler it is of");
	assert_choice(METADATA_OF("/opt/night/bin/rustc", ""), false, compilers, "1",
		      "the profile's command line begins with /opt/night/bin/rustc, which may be another compiler");
	/* A profile of querytap's own. */
	assert_choice(METADATA_OF("rustc", ", \"querytap\": {\"build_id\":\"2\"}"), false, compilers, "2",
		      "the profile is of this compiler");
	assert_choice(METADATA_OF("/opt/nightly/bin/rustc", ", \"querytap\": {\"build_id\":\"3\"}"), false, compilers,
		      "1", "the profile is of another compiler, build id 3");
	/* The user's word counts, whatever the profile says. */
	assert_choice(METADATA_OF("/opt/nightly/bin/rustc", ""), true, compilers + 1, "1",
		      "the profile's command line begins with /opt/nightly/bin/rustc, which may be another compiler");
}

static void test_no_compiler(void **state)
{
	struct plan plan = plan_for("1");
	struct examined compilers[] = {
	    {.path = COMPILER("a")}, {.path = COMPILER("b")}, {.plan = &plan, .path = COMPILER("c")}, {0}};
	struct doctor_coverage coverage = choose(METADATA_OF("/opt/c/bin/rustc", ""), true, compilers);

	(void)state;
	assert_null(coverage.compiler);
	compilers[2].plan = NULL;
	coverage = choose(METADATA_OF("/opt/c/bin/rustc", ""), false, compilers);
	assert_null(coverage.compiler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds_of_a_label),
	    cmocka_unit_test(test_events_of_a_label_add_up),
	    cmocka_unit_test(test_profilers_own_work),
	    cmocka_unit_test(test_events_without_a_time),
	    cmocka_unit_test(test_overlap),
	    cmocka_unit_test(test_damaged_label),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_text_without_a_gap),
	    cmocka_unit_test(test_plan_refusals),
	    cmocka_unit_test(test_choice_of_compiler),
	    cmocka_unit_test(test_no_compiler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
