/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps of sampling. They are made only where that is asked for. */
#ifndef QUERYTAP_BPF_SAMPLING_H
#define QUERYTAP_BPF_SAMPLING_H

#include "bpf/state.h"

#define MAPPINGS 8 /* of which a walk remembers what they are; a power of two */
#define NODE_WORDS 32
#define KNOWN_RULES_BITS 12 /* the rules that a processor remembers are two to this power */

/* A mapping of a file. */
struct mapping {
	__u64 start, end;
	__u64 bias;   /* file offset less address */
	__u32 object; /* 0 for none */
	/* Of its table; no pages if there is none. */
	__u32 first_page, pages;
	__u32 index, rows; /* where they begin, words */
};

/* A rule that was looked up in its table. */
struct known_rule {
	__u64 place; /* the word of its place in a sample; 0 for none */
	__u64 rule;
};

/* What a walk needs room for, one for each processor. */
struct scratch {
	struct mapping mappings[MAPPINGS];
	__u32 known;   /* mappings remembered so far */
	__u32 current; /* that of the last place */
	/* Of what process and when: its start, its tree, and how often its memory areas were changed. */
	__u64 process, root;
	__u32 changes;
	__u64 node[NODE_WORDS];
	__u64 vdso; /* where the kernel's own library is mapped */
	/* The only file whose code is of interest, and its number; 0 for all. */
	__u64 inode;
	__u32 object;
	/* By hash of the place: callers come again, and to search a table takes several lines of cache. */
	struct known_rule rules[1 << KNOWN_RULES_BITS];
	struct wire_sample sample;
};

/* The same for looking back along a thread's stack when it is first met. */
struct recovery {
	struct scratch scratch;
	__u64 running; /* rsp of the last frame, if it runs a provider or has just done so; else 0 */
	__u32 found;   /* queries, of which the sample holds rsp and number */
	__u32 busy;
};

struct recoveries_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct recovery);
};

struct calls_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WIRE_MAX_CALLS);
	__type(key, __u64); /* WIRE_CALL */
	__type(value, __u16);
};

struct scratches_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
};

struct objects_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_MAX_OBJECTS);
	__type(key, struct wire_object_key);
	__type(value, __u32);
};

struct table_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};

struct tables_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WIRE_MAX_OBJECTS);
	__type(key, __u32);
	__array(values, struct table_map);
};

struct samples_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
};

extern struct scratches_map scratches SEC(".maps");
extern struct objects_map objects SEC(".maps");
extern struct tables_map tables SEC(".maps");
extern struct samples_map samples SEC(".maps");
extern struct recoveries_map recoveries SEC(".maps");
extern struct calls_map calls SEC(".maps");
/* When a compiler had all probes on queries and guards, CLOCK_MONOTONIC ns; 0 before that. Set by the collector. */
extern volatile __u64 armed[WIRE_MAX_COMPILERS];
extern __u32 object_count; /* numbers given out so far */

#endif
