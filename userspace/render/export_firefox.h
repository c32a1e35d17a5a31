/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what is gathered for a profile of the Firefox Profiler before it is written. */
#ifndef QUERYTAP_RENDER_EXPORT_FIREFOX_H
#define QUERYTAP_RENDER_EXPORT_FIREFOX_H

#include <stdbool.h>

#include "render/render.h"
#include "render/sampled_stacks.h"
#include "util/intern.h"

/* Stands for no stack. */
#define FIREFOX_NONE UINT32_MAX

/* Those of a sample's flags that give it a stack of its own. */
enum { FIREFOX_FLAGS = SAMPLES_KERNEL | SAMPLES_INCOMPLETE };

/* The categories, by their place in the profile. */
enum firefox_category {
	FIREFOX_OTHER,
	FIREFOX_QUERY,
	FIREFOX_ACTIVITY,
	FIREFOX_RUST,
	FIREFOX_LLVM,
	FIREFOX_KERNEL,
};

/* The kinds of markers, each with a schema. */
enum firefox_schema { FIREFOX_MARK_QUERY, FIREFOX_MARK_ACTIVITY };

struct firefox_frame {
	uint32_t name, resource; /* a string; an object's number, or FIREFOX_NONE */
	enum firefox_category category;
};

struct firefox_stack {
	uint32_t parent, frame; /* parent: FIREFOX_NONE if there is none */
};

/* Times in nanoseconds since the recording began. */
struct firefox_marker {
	uint32_t thread, name;
	uint32_t kind, arguments; /* strings; arguments: or INTERN_FAILED */
	enum firefox_schema schema;
	int64_t start, end;
};

/* One with its process and thread id; what has changed its program, and so its name, is still the same. */
struct firefox_thread {
	uint32_t pid, tid;
	uint32_t process, name;
	uint32_t crate; /* of its process, or INTERN_FAILED */
	/* Of all samples and markers, once those are in the order of threads. */
	size_t first_sample, sample_count;
	size_t first_marker, marker_count;
};

struct firefox {
	const struct samples *samples;
	struct intern strings, objects;
	uint32_t *object_names;	      /* the objects' numbers among all strings */
	struct firefox_frame *frames; /* those of the samples, and two */
	size_t frame_count;
	struct firefox_stack *stacks;
	size_t stack_count;
	/* A stack's number here, by a sample's FIREFOX_FLAGS and its number there. */
	uint32_t *numbers[FIREFOX_FLAGS + 1];
	struct firefox_thread *threads;
	size_t thread_count, thread_room;
	struct firefox_thread_key *table; /* threads by their ids */
	uint32_t *of_thread;		  /* the thread here, by its number there */
	size_t *order;			  /* of samples: by thread, then by time */
	struct firefox_marker *markers;
	size_t marker_count, marker_room;
};

/* Puts markers into the order of threads and then of their start, what lies in another one behind that. */
void firefox_order_markers(struct firefox *firefox);

#endif
