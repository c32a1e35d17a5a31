/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/recognise.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

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
};

static const struct recogniser recognisers[] = {
    {"1.95", ROLE_TRY_EXECUTE, "17try_execute_query", "rustc_query_impl::execution::try_execute_query::<", ", false>",
     false},
    {"1.95", ROLE_TRY_EXECUTE, "17try_execute_query", "rustc_query_impl::execution::try_execute_query::<", ", true>",
     true},
    {"1.95", ROLE_EXECUTE_QUERY, "22execute_query_non_incr",
     "rustc_query_impl::query_impl::", "::execute_query_non_incr::__rust_end_short_backtrace", false},
    {"1.95", ROLE_EXECUTE_QUERY, "18execute_query_incr",
     "rustc_query_impl::query_impl::", "::execute_query_incr::__rust_end_short_backtrace", true},
    {"1.95", ROLE_SESSION, "13build_session", "rustc_session::session::build_session", "", false},
    {"1.95", ROLE_CAUGHT, "20___rust_panic_cleanup", "__rustc::__rust_panic_cleanup", "", false},
};

/* The length of `symbol` without the suffixes that LLVM and BOLT put on parts: .cold, .warm, .llvm.123, .4. */
static size_t base_length(const char *symbol, bool *fragment)
{
	size_t length = strlen(symbol);
	const char *dot = strchr(symbol, '.');

	*fragment = dot && (strstr(dot, ".cold") || strstr(dot, ".warm"));
	return dot ? (size_t)(dot - symbol) : length;
}

static bool matches(const struct recogniser *row, const char *path, struct recognised *out)
{
	size_t length = strlen(path), prefix = strlen(row->prefix), suffix = strlen(row->suffix);
	size_t middle;

	if (length < prefix + suffix || strncmp(path, row->prefix, prefix) != 0 ||
	    strcmp(path + length - suffix, row->suffix) != 0)
		return false;
	middle = length - prefix - suffix;
	if (row->role == ROLE_SESSION || row->role == ROLE_CAUGHT)
		return middle == 0;
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

void recognise(const char *symbol, struct recognised *out)
{
	char *path = NULL;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < sizeof(recognisers) / sizeof(*recognisers); i++) {
		const struct recogniser *row = &recognisers[i];

		if (!strstr(symbol, row->hint))
			continue;
		if (!path) {
			char *base;

			out->base_length = base_length(symbol, &out->fragment);
			base = strndup(symbol, out->base_length);
			path = base ? rust_demangle(base, DMGL_NO_OPTS) : NULL;
			free(base);
			if (!path)
				return;
		}
		if (matches(row, path, out)) {
			out->role = row->role;
			out->incremental = row->incremental;
			out->generation = row->generation;
			break;
		}
	}
	free(path);
}
