/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* querytap doctor: what works here, for the kernel and for a compiler, and what a probe costs. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "collect/collect.h"
#include "collect/features.h"
#include "compiler/find.h"

struct doctor_settings {
	bool json;
};

static const struct option_row options[] = {
    {.name = "json",
     .letter = 'j',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct doctor_settings, json),
     .help = "Print JSON"},
    {0},
};

/* What was found out of one compiler. */
struct examined {
	struct plan *plan; /* NULL where there is none, for the reason in `err` */
	const char *path;
	bool likely;
	struct error err;
};

struct findings {
	struct feature features[FEATURE_COUNT];
	bool usable; /* all required features are there */
	struct found_list found;
	struct examined *compilers;
	size_t compiler_count;
	bool measured;
	struct probe_cost cost;
	struct instruction_costs instructions;
	struct error measure_error;
};

static void measure(struct findings *findings)
{
	struct collect_options options = {.directory = "."};
	struct collector *collector;

	if (collector_open(&options, &collector, &findings->measure_error) < 0)
		return;
	findings->measured =
	    collector_measure(collector, &findings->cost, &findings->measure_error) == 0 &&
	    collector_measure_instructions(collector, &findings->instructions, &findings->measure_error) == 0;
	collector_free(collector);
}

static int examine(struct findings *findings, char **argv, const struct identity *user, struct error *err)
{
	char *cwd = getcwd(NULL, 0);
	struct find_input input = {argv, environ, cwd ? cwd : "/", user->home};
	char *cache = plan_cache_directory(user);
	int code = compilers_find(&input, &findings->found, err);

	if (code == 0)
		findings->compilers = calloc(findings->found.count + 1, sizeof(*findings->compilers));
	for (size_t i = 0; findings->compilers && i < findings->found.count; i++) {
		const struct found_compiler *found = &findings->found.items[i];
		struct examined *compiler = &findings->compilers[findings->compiler_count];

		if (argv[0] && !found->likely)
			continue;
		compiler->path = found->path;
		compiler->likely = found->likely;
		plan_get(found->path, cache, user, &compiler->plan, &compiler->err);
		findings->compiler_count++;
	}
	free(cache);
	free(cwd);
	return code;
}

/* ---- text ---- */

static void print_compiler(const struct examined *compiler)
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
	for (size_t i = 0; i < plan->query_count; i++)
		if (plan->queries[i].refusal)
			printf("    left out    %s: %s\n", plan->queries[i].name, plan->queries[i].refusal);
}

static void print_text(const struct findings *findings)
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
		printf("  %8" PRIu64 " for a query, entry and exit with all that is recorded\n",
		       findings->cost.inside + findings->cost.around);
	} else {
		printf("  not measured: %s\n", findings->measure_error.text);
	}
	printf("\nCompilers\n");
	for (size_t i = 0; i < findings->compiler_count; i++)
		print_compiler(&findings->compilers[i]);
	if (!findings->compiler_count)
		printf("  none found: put rustc on PATH, set RUSTC, or name one: querytap doctor RUSTC\n");
}

/* ---- JSON ---- */

static json_t *compiler_json(const struct examined *compiler)
{
	const struct plan *plan = compiler->plan;
	json_t *object = json_pack("{s:s, s:b}", "path", compiler->path, "likely", compiler->likely);
	json_t *left_out = json_object();

	if (!plan) {
		json_object_set_new(object, "error", json_string(compiler->err.text));
		json_decref(left_out);
		return object;
	}
	for (size_t i = 0; i < plan->query_count; i++)
		if (plan->queries[i].refusal)
			json_object_set_new(left_out, plan->queries[i].name, json_string(plan->queries[i].refusal));
	json_object_set_new(object, "version", json_string(plan->version));
	json_object_set_new(object, "build_id", json_string(plan->build_id));
	json_object_set_new(object, "queries", json_integer((json_int_t)plan->query_count));
	json_object_set_new(object, "timed", json_integer((json_int_t)plan_timed(plan)));
	json_object_set_new(object, "entry_sites", json_integer((json_int_t)plan_sites(plan, SITE_ENTER)));
	json_object_set_new(object, "exit_sites", json_integer((json_int_t)plan_sites(plan, SITE_EXIT)));
	json_object_set_new(object, "left_out", left_out);
	return object;
}

static json_t *cost_json(const struct findings *findings)
{
	const struct instruction_costs *costs = &findings->instructions;

	if (!findings->measured)
		return json_pack("{s:s}", "error", findings->measure_error.text);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "nop5", (json_int_t)costs->nop5, "push",
			 (json_int_t)costs->push, "jcc", (json_int_t)costs->jcc, "call", (json_int_t)costs->call,
			 "other", (json_int_t)costs->other, "query",
			 (json_int_t)(findings->cost.inside + findings->cost.around));
}

static void print_json(const struct findings *findings)
{
	json_t *kernel = json_object(), *compilers = json_array();
	json_t *root;

	for (size_t i = 0; i < FEATURE_COUNT; i++)
		json_object_set_new(kernel, findings->features[i].name, json_boolean(findings->features[i].present));
	for (size_t i = 0; i < findings->compiler_count; i++)
		json_array_append_new(compilers, compiler_json(&findings->compilers[i]));
	root = json_pack("{s:b, s:o, s:o, s:o}", "usable", findings->usable, "kernel", kernel, "cost_ns",
			 cost_json(findings), "compilers", compilers);
	json_dumpf(root, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(root);
}

/* Whether record could work: the kernel's part is there, and one compiler at least can be profiled. */
static bool is_healthy(const struct findings *findings)
{
	for (size_t i = 0; i < findings->compiler_count; i++)
		if (findings->compilers[i].plan)
			return findings->usable;
	return false;
}

static int run(const void *opaque, int argc, char **argv)
{
	const struct doctor_settings *settings = opaque;
	struct findings findings = {.usable = true};
	struct identity user = {0};
	struct error err = {0};
	int status = EXIT_FAILED;

	if (argc > 1) {
		dprintf(STDERR_FILENO, "querytap doctor: takes one compiler at most\n");
		return EXIT_USAGE;
	}
	features_find(findings.features);
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		findings.usable = findings.usable && (findings.features[i].present || !findings.features[i].required);
	measure(&findings);
	if (identity_find(&user, &err) == 0 && examine(&findings, argv, &user, &err) == 0) {
		if (settings->json)
			print_json(&findings);
		else
			print_text(&findings);
		status = is_healthy(&findings) ? EXIT_OK : EXIT_FAILED;
	} else {
		dprintf(STDERR_FILENO, "querytap: %s\n", err.text);
	}
	for (size_t i = 0; i < findings.compiler_count; i++)
		plan_free(findings.compilers[i].plan);
	free(findings.compilers);
	found_list_free(&findings.found);
	identity_free(&user);
	return status;
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "[RUSTC]",
    .summary = "Say what works here: kernel, permissions, compilers, and what a probe costs",
    .details = "Looks for what querytap needs of the kernel, measures on querytap itself what a probe costs on this "
	       "machine, and says for each compiler found, or for the one named, how many of its queries can be timed. "
	       "The exit status is 0 if record would work, 1 if not.",
    .options = options,
    .settings_size = sizeof(struct doctor_settings),
    .run = run,
};
