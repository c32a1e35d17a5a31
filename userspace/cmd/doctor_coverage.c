/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/doctor.h"
#include "util/path.h"

const char *const doctor_event_names[EVENT_CLASSES] = {
    [EVENT_QUERY] = MMP_KIND_QUERY,
    [EVENT_ACTIVITY] = MMP_KIND_GENERIC_ACTIVITY,
    [EVENT_INCREMENTAL_LOAD] = MMP_KIND_INCREMENTAL_LOAD,
    [EVENT_RESULT_HASHING] = MMP_KIND_RESULT_HASHING,
    [EVENT_QUERY_BLOCKED] = MMP_KIND_QUERY_BLOCKED,
};

const char *const doctor_artifacts[] = {
    "assembly_file",	    "crate_metadata", "dep_graph",   "dwo_file",    "linked_artifact",	  "llvm_bitcode",
    "llvm_bitcode_summary", "llvm_ir",	      "object_file", "query_cache", "work_product_index", NULL,
};

static const char *artifact_refusal(const char *label)
{
	for (size_t i = 0; doctor_artifacts[i]; i++)
		if (strcmp(doctor_artifacts[i], label) == 0)
			return NULL;
	return "the compiler works it out only while its own profiler runs";
}

/* What rustc loads or hashes after it has written the names of its queries has no label. */
static bool is_nameless(enum coverage_kind kind, const char *label)
{
	return kind != COVERAGE_ACTIVITY && kind != COVERAGE_ARTIFACT && strcmp(label, "<unknown>") == 0;
}

/* A coverage_rule; the recorder is a plan. */
static const char *refusal_of(const void *recorder, enum coverage_kind kind, const char *label)
{
	if (is_nameless(kind, label))
		return "the profile does not say of which queries";
	switch (kind) {
	case COVERAGE_QUERY:
		return plan_refusal(recorder, EVENT_QUERY, label);
	case COVERAGE_ACTIVITY:
		return plan_refusal(recorder, EVENT_ACTIVITY, label);
	case COVERAGE_LOAD:
		return plan_refusal(recorder, EVENT_INCREMENTAL_LOAD, label);
	case COVERAGE_HASHING:
		return plan_refusal(recorder, EVENT_RESULT_HASHING, label);
	case COVERAGE_BLOCKED:
		return plan_refusal(recorder, EVENT_QUERY_BLOCKED, label);
	case COVERAGE_ARTIFACT:
		return artifact_refusal(label);
	default:
		return "events of this kind are not recorded";
	}
}

enum fit { FITS, FITS_NOT, UNKNOWN };

/* What a profile says of the compiler that it is of: build_id is NULL if querytap did not write it. */
struct origin {
	char *build_id;
	char *program; /* the first word of the command line */
};

static void find_origin(const struct mmp_reader *profile, struct origin *origin)
{
	const struct mmp_metadata *metadata = mmp_metadata(profile);
	json_t *querytap = metadata->querytap ? json_loads(metadata->querytap, 0, NULL) : NULL;
	const char *build_id = json_string_value(json_object_get(querytap, "build_id"));

	origin->build_id = build_id ? strdup(build_id) : NULL;
	origin->program = strndup(metadata->cmd, strcspn(metadata->cmd, " "));
	json_decref(querytap);
}

/* A toolchain has its programs in bin/ and the compiler below lib/. */
static bool is_in_toolchain_of(const char *driver, const char *program)
{
	size_t length = (size_t)(path_name(program) - program);

	return length >= strlen("/bin/") &&
	       strncmp(program + length - strlen("/bin/"), "/bin/", strlen("/bin/")) == 0 &&
	       strncmp(driver, program, length - strlen("bin/")) == 0 &&
	       strncmp(driver + length - strlen("bin/"), "lib", strlen("lib")) == 0;
}

static enum fit fit_of(const struct examined *compiler, const struct origin *origin)
{
	char *program;
	bool fits;

	if (origin->build_id)
		return compiler->plan && strcmp(compiler->plan->build_id, origin->build_id) == 0 ? FITS : FITS_NOT;
	if (!origin->program || origin->program[0] != '/')
		return UNKNOWN;
	program = realpath(origin->program, NULL);
	fits = is_in_toolchain_of(compiler->path, origin->program) ||
	       (program && is_in_toolchain_of(compiler->path, program));
	free(program);
	return fits ? FITS : FITS_NOT;
}

static void choose(const struct findings *findings, bool named, const struct origin *origin,
		   struct doctor_coverage *coverage)
{
	const struct examined *chosen = NULL;
	enum fit fit;

	for (size_t i = 0; i < (named ? 0 : findings->compiler_count) && !chosen; i++)
		if (findings->compilers[i].plan && fit_of(&findings->compilers[i], origin) == FITS)
			chosen = &findings->compilers[i];
	for (size_t i = 0; i < findings->compiler_count && !chosen; i++)
		if (findings->compilers[i].plan || named)
			chosen = &findings->compilers[i];
	if (!chosen || !chosen->plan)
		return;
	coverage->compiler = chosen;
	fit = fit_of(chosen, origin);
	if (fit == FITS)
		snprintf(coverage->choice, sizeof(coverage->choice), "the profile is of this compiler");
	else if (fit == UNKNOWN)
		snprintf(coverage->choice, sizeof(coverage->choice),
			 "the profile does not say which compiler it is of");
	else if (origin->build_id)
		snprintf(coverage->choice, sizeof(coverage->choice), "the profile is of another compiler, build id %s",
			 origin->build_id);
	else
		snprintf(coverage->choice, sizeof(coverage->choice),
			 "the profile's command line begins with %s, which may be another compiler", origin->program);
}

int doctor_cover(const struct findings *findings, bool named, const struct mmp_reader *profile,
		 struct doctor_coverage *coverage, struct error *err)
{
	struct origin origin;

	coverage->profile = mmp_path(profile);
	find_origin(profile, &origin);
	choose(findings, named, &origin, coverage);
	free(origin.build_id);
	free(origin.program);
	if (!coverage->compiler)
		return 0;
	return coverage_of_profile(profile, refusal_of, coverage->compiler->plan, &coverage->coverage, err);
}
