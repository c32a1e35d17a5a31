/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is known of a compiler binary: which queries it has and where they can be timed. */
#ifndef QUERYTAP_COMPILER_COMPILER_H
#define QUERYTAP_COMPILER_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/identity.h"

enum site_kind {
	SITE_ENTER,   /* the self-profiler's guard before a provider is called */
	SITE_EXIT,    /* the test of its timer behind the call */
	SITE_SESSION, /* the start of a compilation */
	SITE_CAUGHT,  /* a panic was caught */
	SITE_BEGIN,   /* the self-profiler's guard before anything that is no query: an activity, a load, a wait */
	SITE_END,     /* the end of such a guard */
	SITE_KINDS
};

/* What a site's events are, as -Zself-profile classes them. */
enum event_class {
	EVENT_QUERY,
	EVENT_ACTIVITY,		/* GenericActivity */
	EVENT_INCREMENTAL_LOAD, /* IncrementalLoadResult */
	EVENT_RESULT_HASHING,	/* IncrementalResultHashing */
	EVENT_QUERY_BLOCKED,	/* QueryBlocked */
	EVENT_CLASSES
};

/* Whether sites of the kind are hit so rarely that they may lie on an instruction that is single-stepped. */
static inline bool site_is_rare(enum site_kind kind)
{
	return kind == SITE_SESSION || kind == SITE_CAUGHT;
}

struct site {
	uint64_t offset; /* in the file, bytes */
	uint64_t cookie; /* as bpf/wire.h packs it, without the compiler's number */
	enum site_kind kind;
	enum event_class event;
	uint32_t group; /* see below; 0 for sites that are in none */
};

/*
 * Sites are in groups, each of which can be probed or left alone as a whole: the functions that run certain queries,
 * with all of their queries; the guards with one label; and all guards of each of these kinds. Numbered from 1 on.
 */
enum site_group {
	GROUP_NONE,
	GROUP_LOADS,
	GROUP_HASHING,
	GROUP_BLOCKED,
	GROUP_PASSES,
	GROUP_FIRST, /* the first of the others */
};

struct plan_query {
	char *name;
	uint32_t group;
	uint32_t vtable_offset; /* from the TyCtxt, bytes */
	char *refusal;		/* why it is left out; NULL if it is timed */
	bool names_loads;	/* whether results of it that are loaded are known to be its own */
};

/* A generic activity that can be timed; several guards may share it. */
struct plan_activity {
	char *label;
	uint32_t group;
};

/* A guard, or a query's kind of event, that was seen in the compiler and cannot be timed. */
struct plan_omission {
	char *label; /* the activity's label, or where the guard stands if that is not known */
	char *refusal;
};

/*
 * A MIR pass: the guards around passes know it by its vtable, and a few types of passes stand for several, told apart
 * by a byte of the pass itself.
 */
struct plan_pass {
	uint64_t vtable;   /* address in the image */
	uint32_t selector; /* the byte's offset in the pass */
	uint32_t count;	   /* of labels: 1 if no byte matters */
	uint32_t first;	   /* index in `activities` of the label for the byte 0; those for 1, 2, ... follow */
};

/* A call that tells, from a stack on which it is, what runs. */
struct plan_call {
	uint64_t offset; /* of its last byte, in the file */
	/*
	 * The query that the caller is for, as in struct wire_interval, which runs if the frame that is called is in a
	 * call with WIRE_QUERY_NONE, by which a provider is run. Or PLAN_CALL_OF_PASS: a MIR pass runs, the one in
	 * whose body the frame that is called is.
	 */
	uint16_t number;
};

#define PLAN_CALL_OF_PASS 0x1000 /* more than any query's number */

/* Code that runs only between the begin and the end of an activity. If of several, the first is around the others. */
struct plan_span {
	uint64_t offset, size; /* in the file, bytes */
	uint16_t number;       /* the activity, as in struct wire_interval */
};

/* Code that is one MIR pass's alone, if a PLAN_CALL_OF_PASS has called it. */
struct plan_body {
	uint64_t offset, size; /* in the file, bytes */
	uint16_t number;       /* the pass's activity, as in struct wire_interval */
};

/*
 * A function that is in several queries' vtables may be called from here; at the place in it where a guard begins, this
 * is where the vtable lies.
 */
struct plan_caller {
	uint16_t table;	      /* number of that place, from 1 on */
	uint8_t reg;	      /* or WIRE_ON_STACK */
	int32_t displacement; /* bytes from rsp, if it is on the stack */
	int64_t distance;     /* of the return address from that place, bytes */
};

/* Where to probe one compiler. Immutable once made; free with plan_free. */
struct plan {
	char *path; /* the file that holds the compiler's code */
	char build_id[65];
	char version[128]; /* "1.95.0 (59807616e 2026-04-14)" */
	char generation[16];
	uint64_t size; /* of the file, bytes */
	struct plan_query *queries;
	size_t query_count;
	struct plan_activity *activities;
	size_t activity_count;
	struct plan_omission *omissions;
	size_t omission_count;
	struct plan_pass *passes;
	size_t pass_count;
	struct site *sites;
	size_t site_count;
	struct plan_call *calls; /* by rising offset */
	size_t call_count;
	struct plan_span *spans; /* by rising offset; two that overlap are the same code */
	size_t span_count;
	struct plan_body *bodies; /* by rising offset; none overlap */
	size_t body_count;
	struct plan_caller *callers; /* by rising table */
	size_t caller_count;
	size_t group_count; /* one more than the highest group */
	bool from_cache;
};

/*
 * Makes the plan for the compiler code in `path` by reading its symbols and decoding its functions; about a second.
 * *out is owned by the caller. -ENOEXEC if it is no x86-64 ELF file, -ENODATA if the compiler is stripped, -ENOTSUP if
 * its query system is of a shape not known here.
 */
int plan_make(const char *path, struct plan **out, struct error *err);

/* The same for what is open as `fd`, which stays the caller's; the path is for sentences only. */
int plan_make_fd(int fd, const char *path, struct plan **out, struct error *err);

/* The plan as the cache keeps it; *size is the text's length. Free with free(); NULL if out of memory. */
char *plan_to_text(const struct plan *plan, size_t *size);

/*
 * The plan of such a text, which is changed, for the compiler code in `path`. The file is not looked at: the text has
 * to be trusted to be of that file. -EINVAL if it is no plan.
 */
int plan_from_text(char *text, size_t size, const char *path, struct plan **out, struct error *err);

/*
 * The plan for `path` from the folder `cache` (NULL for none), or made and put there, owned by `owner`. A cached plan
 * that is damaged, of another format, or no longer fits the file is made anew. A cache that cannot be written is no
 * error.
 */
int plan_get(const char *path, const char *cache, const struct identity *owner, struct plan **out, struct error *err);

/* The folder for cached plans: querytap/ in XDG_CACHE_HOME or the user's ~/.cache; allocated, NULL without a home or
 * memory. */
char *plan_cache_directory(const struct identity *user);

void plan_free(struct plan *plan);

/* Number of queries that are timed, and of sites of one kind. */
size_t plan_timed(const struct plan *plan);
size_t plan_sites(const struct plan *plan, enum site_kind kind);

/* Number of places where events of the class begin. */
size_t plan_guards(const struct plan *plan, enum event_class event);

/*
 * Why events of the class are not recorded under the label, which is a query's name or an activity's; NULL if they are.
 * Borrows the plan.
 */
const char *plan_refusal(const struct plan *plan, enum event_class event, const char *label);

#endif
