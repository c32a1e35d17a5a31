/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/doctor.h"
#include "render/render.h"

/* Where the events begin that are no queries. */
static void print_events(const struct plan *plan)
{
	printf("    activities  %zu labels can be timed, at %zu places; %zu types of MIR passes are known\n",
	       plan->activity_count, plan_guards(plan, EVENT_ACTIVITY), plan->pass_count);
	printf("    of queries  loading of results at %zu places, hashing at %zu, waiting for other threads at %zu\n",
	       plan_guards(plan, EVENT_INCREMENTAL_LOAD), plan_guards(plan, EVENT_RESULT_HASHING),
	       plan_guards(plan, EVENT_QUERY_BLOCKED));
	if (plan->omission_count)
		printf("    guards      %zu left out, as said below\n", plan->omission_count);
}

static bool is_same(const struct plan_omission *a, const struct plan_omission *b)
{
	return strcmp(a->label, b->label) == 0 && strcmp(a->refusal, b->refusal) == 0;
}

/* One line for all guards that are left out under the same name for the same reason. */
static void print_omissions(const struct plan *plan)
{
	const struct plan_omission *omissions = plan->omissions;

	for (size_t i = 0; i < plan->omission_count; i++) {
		size_t first = 0, same = 0;

		while (!is_same(&omissions[first], &omissions[i]))
			first++;
		if (first < i)
			continue;
		for (size_t j = i; j < plan->omission_count; j++)
			same += is_same(&omissions[j], &omissions[i]);
		printf("    left out    %s: %s", omissions[i].label, omissions[i].refusal);
		if (same > 1)
			printf(" (at %zu places)", same);
		printf("\n");
	}
}

static void print_labels(const struct plan *plan)
{
	for (size_t i = 0; i < plan->query_count; i++)
		if (!plan->queries[i].refusal)
			printf("    %-15s %s\n", MMP_KIND_QUERY, plan->queries[i].name);
	for (size_t i = 0; i < plan->activity_count; i++)
		printf("    %-15s %s\n", MMP_KIND_GENERIC_ACTIVITY, plan->activities[i].label);
	for (size_t i = 0; doctor_artifacts[i]; i++)
		printf("    %-15s %s\n", MMP_KIND_ARTIFACT_SIZE, doctor_artifacts[i]);
}

static void print_compiler(const struct examined *compiler, bool labels)
{
	const struct plan *plan = compiler->plan;

	printf("  %s\n", compiler->path);
	if (!plan) {
		printf("    cannot be profiled: %s\n", compiler->err.text);
		return;
	}
	printf("    rustc       %s\n    build id    %s%s\n", plan->version, plan->build_id,
	       plan->from_cache ? " (plan from the cache)" : "");
	printf("    queries     %zu of %zu can be timed\n", plan_timed(plan), plan->query_count);
	printf("    sites       %zu entries and %zu exits, all on conditional jumps that the kernel emulates\n",
	       plan_sites(plan, SITE_ENTER), plan_sites(plan, SITE_EXIT));
	print_events(plan);
	for (size_t i = 0; i < plan->query_count; i++)
		if (plan->queries[i].refusal)
			printf("    left out    %s: %s\n", plan->queries[i].name, plan->queries[i].refusal);
	print_omissions(plan);
	if (labels)
		print_labels(plan);
}

static int print_coverage(const struct doctor_coverage *coverage, struct error *err)
{
	printf("\nCoverage of %s\n", coverage->profile);
	if (!coverage->compiler) {
		printf("  cannot be told: there is no compiler to compare it with that can be profiled\n");
		return 0;
	}
	printf("  by rustc %s, %s\n  (%s)\n", coverage->compiler->plan->version, coverage->compiler->path,
	       coverage->choice);
	return render_coverage_text(&coverage->coverage, stdout, err);
}

int doctor_print_text(const struct findings *findings, bool labels, struct error *err)
{
	printf("Kernel\n");
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature *feature = &findings->features[i];

		printf("  %-8s %s%s%s\n",
		       feature->present	   ? "yes"
		       : feature->required ? "MISSING"
					   : "no",
		       feature->name, feature->present ? "" : ": ", feature->present ? "" : feature->without);
	}
	printf("\nCost of a probe here, nanoseconds a hit\n");
	if (findings->measured) {
		printf("  %8" PRIu64 " on a nop of 5 bytes\n  %8" PRIu64 " on a push\n  %8" PRIu64
		       " on a conditional jump\n  %8" PRIu64 " on a call\n  %8" PRIu64
		       " on anything else (single-stepped; never used for queries)\n",
		       findings->instructions.nop5, findings->instructions.push, findings->instructions.jcc,
		       findings->instructions.call, findings->instructions.other);
		printf("  %8" PRIu64 " for a query, entry and exit with all that is recorded\n", findings->cost);
	} else {
		printf("  not measured: %s\n", findings->measure_error.text);
	}
	printf("\nCompilers\n");
	for (size_t i = 0; i < findings->compiler_count; i++)
		print_compiler(&findings->compilers[i], labels);
	if (!findings->compiler_count)
		printf("  none found: put rustc on PATH, set RUSTC, or name one: querytap doctor RUSTC\n");
	return findings->coverage ? print_coverage(findings->coverage, err) : 0;
}
