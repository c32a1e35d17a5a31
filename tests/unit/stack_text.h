/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stacks of samples, as text. */
#ifndef TESTS_STACK_TEXT_H
#define TESTS_STACK_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "samples/build.h"

/* The stack of these frames, outermost first, parted by bars: "[NAME]" is a query, "{NAME}" an activity. */
static inline uint32_t stack_of(struct samples_builder *builder, const char *text)
{
	char *copy = strdup(text), *rest = copy, *name;
	uint32_t stack = 0;

	while (*text && (name = strsep(&rest, "|"))) {
		enum samples_frame_kind kind = *name == '[' ? SAMPLES_QUERY : SAMPLES_FUNCTION;

		if (*name == '{')
			kind = SAMPLES_ACTIVITY;
		if (kind != SAMPLES_FUNCTION) {
			name[strlen(name) - 1] = '\0';
			name++;
		}
		stack = samples_build_stack(
		    builder, stack, samples_build_frame(builder, kind, name, kind == SAMPLES_FUNCTION ? "lib" : ""));
	}
	free(copy);
	return stack;
}

#endif
