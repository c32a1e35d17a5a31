/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps of sampling. They are made only where that is asked for. */
#ifndef QUERYTAP_BPF_SAMPLING_H
#define QUERYTAP_BPF_SAMPLING_H

#include "bpf/state.h"

#define MAPPINGS 8 /* of which a walk remembers what they are; a power of two */
#define NODE_WORDS 32

/* A mapping of a file. */
struct mapping {
	__u64 start, end;
	__u64 bias;   /* file offset less address */
	__u32 object; /* 0 for none */
	/* Of its table; no pages if there is none. */
	__u32 first_page, pages;
	__u32 index, rows; /* where they begin, words */
};

/* What a walk needs room for, one for each processor. */
struct scratch {
	struct mapping mappings[MAPPINGS];
	__u64 node[NODE_WORDS];
	__u64 vdso; /* where the kernel's own library is mapped */
	struct wire_sample sample;
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
extern __u32 object_count; /* numbers given out so far */

#endif
