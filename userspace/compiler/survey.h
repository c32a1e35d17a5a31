/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is known of a compiler when its guards are looked at, and helpers for whoever does. */
#ifndef QUERYTAP_COMPILER_SURVEY_H
#define QUERYTAP_COMPILER_SURVEY_H

#include "compiler/calls.h"
#include "compiler/compiler.h"
#include "compiler/shared.h"

/* A function that runs queries, followed. */
struct survey_runner {
	uint64_t address;
	const struct values *values;
};

/* A call by which a function that runs queries may load a result, and where it has the vtable behind it. */
struct survey_loader_call {
	uint64_t runner, behind; /* addresses */
	struct vtable_place vtable;
};

/* A query and the function that runs it in incremental mode. */
struct survey_query {
	const char *name;
	uint64_t runner;
};

struct guard_survey {
	const struct image *image;
	struct guard_callees *callees;
	const struct survey_runner *runners;
	size_t runner_count;
	const struct survey_query *queries;
	size_t query_count;
	const struct shared *shared;
	int32_t filter_offset; /* of the profiler's filter, from the TyCtxt */
	struct guard_calls calls;
	struct survey_loader_call *loader_calls;
	size_t loader_call_count;
	bool loader_calls_known; /* they are looked for when they are needed first */
	const struct plan *plan; /* with its queries, sorted */
};

/* A function with guards, followed. */
struct survey_function {
	struct guarded guarded;
	/* What guarded.values is of; empty if it is a runner's. */
	struct values values;
	struct flow flow;
};

/* Follows the function around a call. Returns 0, -ENOMEM, or -ENOENT with a reason in *refusal. */
int survey_follow(const struct guard_survey *survey, const struct holder *holder, struct survey_function *out,
		  const char **refusal);
void survey_leave(struct survey_function *function);

/* Whether `holder` is a function that runs queries. */
bool survey_is_runner(const struct guard_survey *survey, const struct holder *holder);

#endif
