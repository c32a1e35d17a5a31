/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a compiler's symbols mean, by generation of rustc's query system. */
#ifndef QUERYTAP_COMPILER_RECOGNISE_H
#define QUERYTAP_COMPILER_RECOGNISE_H

#include <stdbool.h>
#include <stddef.h>

enum symbol_role {
	ROLE_NONE,
	ROLE_TRY_EXECUTE,   /* runs a provider under the self-profiler's guard; one for each cache type, twice */
	ROLE_EXECUTE_QUERY, /* a query's own way to ROLE_TRY_EXECUTE; names the query's vtable */
	ROLE_CAUGHT,	    /* called by whoever has caught a panic */
	ROLE_SESSION,	    /* runs once for each compilation, before the first query */
};

struct recognised {
	enum symbol_role role;
	bool incremental;   /* the twin used under -Cincremental */
	bool fragment;	    /* a split-off part (.cold, .warm), not the entry */
	char query[96];	    /* ROLE_EXECUTE_QUERY: the query's name */
	size_t base_length; /* bytes of the mangled name without fragment suffixes: equal names, equal function */
	const char *generation;
};

/* Says what the mangled `symbol` is; role ROLE_NONE for the hundred thousand others. */
void recognise(const char *symbol, struct recognised *out);

#endif
