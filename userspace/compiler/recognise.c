/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/recognise.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"

/*
 * One row for each shape that rustc's query system has had in a released compiler. Paths are demangled, without crate
 * hashes. The row's `hint` is a part of the mangled name, so that most symbols are passed over without demangling.
 */
struct recogniser {
	const char *generation;
	enum symbol_role role;
	const char *hint;
	const char *prefix;
	const char *suffix;
	bool incremental;
	enum guard_callee callee;
};

#define PROFILER "<rustc_data_structures::profiling::SelfProfilerRef>::"
#define COLD_CALL_OF PROFILER "exec::cold_call::"
#define COLD_CALL COLD_CALL_OF "<" PROFILER
#define GUARD(hint, prefix, suffix, callee)                             \
	{                                                               \
		"1.95", ROLE_GUARD, hint, prefix, suffix, false, callee \
	}

static const struct recogniser recognisers[] = {
    {"1.95", ROLE_TRY_EXECUTE, "17try_execute_query", "rustc_query_impl::execution::try_execute_query::<", ", false>",
     false, CALLEE_NONE},
    {"1.95", ROLE_TRY_EXECUTE, "17try_execute_query", "rustc_query_impl::execution::try_execute_query::<", ", true>",
     true, CALLEE_NONE},
    {"1.95", ROLE_EXECUTE_QUERY, "22execute_query_non_incr",
     "rustc_query_impl::query_impl::", "::execute_query_non_incr::__rust_end_short_backtrace", false, CALLEE_NONE},
    {"1.95", ROLE_EXECUTE_QUERY, "18execute_query_incr",
     "rustc_query_impl::query_impl::", "::execute_query_incr::__rust_end_short_backtrace", true, CALLEE_NONE},
    {"1.95", ROLE_SESSION, "13build_session", "rustc_session::session::build_session", "", false, CALLEE_NONE},
    {"1.95", ROLE_CAUGHT, "20___rust_panic_cleanup", "__rustc::__rust_panic_cleanup", "", false, CALLEE_NONE},
    {"1.95", ROLE_VTABLES, "18make_query_vtables", "rustc_query_impl::make_query_vtables", "", false, CALLEE_NONE},
    {"1.95", ROLE_VTABLES, "18make_query_vtables", "rustc_query_impl::query_impl::make_query_vtables", "", false,
     CALLEE_NONE},
    {"1.95", ROLE_PASS_NAME, "7MirPass4name", "<", " as rustc_mir_transform::pass_manager::MirPass>::name", false,
     CALLEE_NONE},
    {"1.95", ROLE_PASS_RUN, "7MirPass8run_pass", "<", " as rustc_mir_transform::pass_manager::MirPass>::run_pass",
     false, CALLEE_NONE},
    GUARD("9cold_call", COLD_CALL "generic_activity::", "{closure#0}>", CALLEE_ACTIVITY),
    GUARD("9cold_call", COLD_CALL "generic_activity_with_arg<&str>::", "{closure#0}>", CALLEE_ACTIVITY_ARGUMENT),
    GUARD("9cold_call", COLD_CALL "generic_activity_with_arg_recorder<", ">::{closure#0}>", CALLEE_ACTIVITY_RECORDER),
    GUARD("9cold_call", COLD_CALL "incr_cache_loading::", "{closure#0}>", CALLEE_LOAD),
    GUARD("9cold_call", COLD_CALL "incr_result_hashing::", "{closure#0}>", CALLEE_HASHING),
    GUARD("9cold_call", COLD_CALL "query_blocked::", "{closure#0}>", CALLEE_BLOCKED),
    GUARD("9cold_call", COLD_CALL "artifact_size<", "", CALLEE_OTHER),
    GUARD("9cold_call", COLD_CALL "query_provider::", "{closure#0}>", CALLEE_OTHER),
    GUARD("9cold_call", COLD_CALL_OF "<", "", CALLEE_UNKNOWN),
    GUARD("24verbose_generic_activity", PROFILER "verbose_generic_activity", "", CALLEE_ACTIVITY_VERBOSE),
    GUARD("26hash_result_and_alloc_node",
	  "<rustc_middle::dep_graph::graph::DepGraphData>::hash_result_and_alloc_node::<", "", CALLEE_HASH_RESULT),
    GUARD("18try_load_from_disk", "rustc_query_impl::plumbing::try_load_from_disk::<", "", CALLEE_SHARED_LOAD),
    GUARD("10spawn_work", "rustc_codegen_ssa::back::write::spawn_work::<", "", CALLEE_LENDER),
    GUARD("9profiling11TimingGuard", "core::ptr::drop_in_place::<rustc_data_structures::profiling::TimingGuard>", "",
	  CALLEE_DROP),
    GUARD("9profiling11TimingGuard", "core::ptr::drop_glue::<rustc_data_structures::profiling::TimingGuard>", "",
	  CALLEE_DROP),
    GUARD("9profiling18VerboseTimingGuard",
	  "core::ptr::drop_in_place::<rustc_data_structures::profiling::VerboseTimingGuard>", "", CALLEE_DROP_VERBOSE),
    GUARD("9profiling18VerboseTimingGuard",
	  "core::ptr::drop_glue::<rustc_data_structures::profiling::VerboseTimingGuard>", "", CALLEE_DROP_VERBOSE),
};

size_t symbol_base_length(const char *symbol, bool *fragment)
{
	size_t length = strlen(symbol);
	const char *dot = strchr(symbol, '.');

	*fragment = dot && (strstr(dot, ".cold") || strstr(dot, ".warm"));
	return dot ? (size_t)(dot - symbol) : length;
}

char *symbol_path(const char *symbol)
{
	bool fragment;
	char *base = strndup(symbol, symbol_base_length(symbol, &fragment));
	char *path = base ? rust_demangle(base, DMGL_NO_OPTS) : NULL;

	free(base);
	return path;
}

/* The keys of the queries that a try_execute_query runs, by the type of the cache that it is made for. */
static enum key_kind key_kind(const char *cache)
{
	static const struct {
		const char *cache;
		enum key_kind kind;
	} caches[] = {
	    {"rustc_middle::query::caches::SingleCache<", KEY_UNIT},
	    {"rustc_middle::query::caches::DefIdCache<", KEY_DEF_ID},
	    {"rustc_data_structures::vec_cache::VecCache<rustc_span::def_id::LocalDefId,", KEY_LOCAL},
	    {"rustc_data_structures::vec_cache::VecCache<rustc_hir_id::OwnerId,", KEY_LOCAL},
	    {"rustc_data_structures::vec_cache::VecCache<rustc_span::def_id::CrateNum,", KEY_CRATE},
	    {"rustc_middle::query::caches::DefaultCache<rustc_span::def_id::LocalModDefId,", KEY_LOCAL},
	};

	for (size_t i = 0; i < sizeof(caches) / sizeof(*caches); i++)
		if (!strncmp(cache, caches[i].cache, strlen(caches[i].cache)))
			return caches[i].kind;
	return KEY_UNKNOWN;
}

static bool matches(const struct recogniser *row, const char *path, struct recognised *out)
{
	size_t length = strlen(path), prefix = strlen(row->prefix), suffix = strlen(row->suffix);
	size_t middle;

	if (length < prefix + suffix || strncmp(path, row->prefix, prefix) != 0 ||
	    strcmp(path + length - suffix, row->suffix) != 0)
		return false;
	middle = length - prefix - suffix;
	if (row->role == ROLE_SESSION || row->role == ROLE_CAUGHT || row->role == ROLE_VTABLES)
		return middle == 0;
	if (row->role == ROLE_GUARD)
		return middle == 0 || row->prefix[prefix - 1] == '<';
	if (row->role == ROLE_TRY_EXECUTE)
		out->key = key_kind(path + prefix);
	if (row->role != ROLE_EXECUTE_QUERY)
		return true;
	if (!middle || middle >= sizeof(out->query))
		return false;
	for (size_t i = 0; i < middle; i++)
		if (!isalnum((unsigned char)path[prefix + i]) && path[prefix + i] != '_')
			return false;
	memcpy(out->query, path + prefix, middle);
	out->query[middle] = '\0';
	return true;
}

bool symbol_query_closure(const char *symbol, char query[SYMBOL_QUERY])
{
	static const char before[] = "<rustc_query_impl::query_impl::", after[] = "::make_query_vtable::";
	char *path = strstr(symbol, "17make_query_vtable") ? symbol_path(symbol) : NULL;
	bool found = path && !strncmp(path, before, sizeof(before) - 1);

	if (found) {
		const char *name = path + sizeof(before) - 1;
		size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

		found = length && length < SYMBOL_QUERY && !strncmp(name + length, after, sizeof(after) - 1);
		if (found)
			snprintf(query, SYMBOL_QUERY, "%.*s", (int)length, name);
	}
	free(path);
	return found;
}

void recognise(const char *symbol, struct recognised *out)
{
	char *path = NULL;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < sizeof(recognisers) / sizeof(*recognisers); i++) {
		const struct recogniser *row = &recognisers[i];

		if (!strstr(symbol, row->hint))
			continue;
		if (!path) {
			out->base_length = symbol_base_length(symbol, &out->fragment);
			path = symbol_path(symbol);
			if (!path)
				return;
		}
		if (matches(row, path, out)) {
			out->role = row->role;
			out->callee = row->callee;
			out->incremental = row->incremental;
			out->generation = row->generation;
			break;
		}
	}
	free(path);
}
