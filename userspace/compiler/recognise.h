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
	ROLE_GUARD,	    /* called by a guard of the self-profiler, at its begin or its end */
	ROLE_PASS_NAME,	    /* says the name of a MIR pass */
	ROLE_PASS_RUN,	    /* runs one */
	ROLE_VTABLES,	    /* fills the vtables of all queries */
	ROLE_SESSION,	    /* runs once for each compilation, before the first query */
};

enum { SYMBOL_QUERY = 96 }; /* room for a query's name */

/* What a function that guards call, or are in, does. */
enum guard_callee {
	CALLEE_NONE,
	CALLEE_ACTIVITY, /* starts a timer: rdi the guard, rsi the profiler, rdx a closure that holds the label */
	CALLEE_ACTIVITY_ARGUMENT, /* likewise; the closure holds a pointer to the label, and a string */
	CALLEE_ACTIVITY_RECORDER, /* likewise; rdx is a pointer to the label */
	CALLEE_ACTIVITY_VERBOSE,  /* always called: rdi the guard, rsi the profiler, rdx and rcx the label */
	CALLEE_LOAD,		  /* likewise, for what its name says; there is no label */
	CALLEE_HASHING,
	CALLEE_BLOCKED,
	CALLEE_OTHER,	     /* likewise, for what is recorded otherwise */
	CALLEE_UNKNOWN,	     /* likewise, for what rustc has got since */
	CALLEE_HASH_RESULT,  /* holds a CALLEE_HASHING guard of the query that is running, if a query called it */
	CALLEE_SHARED_LOAD,  /* holds a CALLEE_LOAD guard of one of several queries */
	CALLEE_LENDER,	     /* starts a guard in memory that its caller gives it */
	CALLEE_DROP,	     /* ends a guard: rdi the guard */
	CALLEE_DROP_VERBOSE, /* likewise of CALLEE_ACTIVITY_VERBOSE */
};

struct recognised {
	enum symbol_role role;
	enum guard_callee callee; /* ROLE_GUARD */
	bool incremental;	  /* the twin used under -Cincremental */
	bool fragment;		  /* a split-off part (.cold, .warm), not the entry */
	unsigned int key;	  /* ROLE_TRY_EXECUTE: what keys it has, enum key_kind of bpf/wire.h */
	char query[SYMBOL_QUERY]; /* ROLE_EXECUTE_QUERY: the query's name */
	size_t base_length;	  /* bytes of the mangled name without fragment suffixes: equal names, equal function */
	const char *generation;
};

/*
 * The length of `symbol` without the suffixes that LLVM and BOLT put on parts (.cold, .warm, .llvm.123, .4). *fragment
 * is set if it is a part split off a function.
 */
size_t symbol_base_length(const char *symbol, bool *fragment);

/* The demangled path of `symbol` without suffixes and crate hashes; allocated, NULL if it is none. */
char *symbol_path(const char *symbol);

/* Whether `symbol` is one of the closures in a query's vtable, and of which query. */
bool symbol_query_closure(const char *symbol, char query[SYMBOL_QUERY]);

/* Says what the mangled `symbol` is; role ROLE_NONE for the hundred thousand others. */
void recognise(const char *symbol, struct recognised *out);

#endif
