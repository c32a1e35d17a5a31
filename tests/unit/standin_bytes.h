/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The stand-in compiler's driver (tests/fixtures/standin), to be read whole or damaged. Include cmocka.h first. */
#ifndef TESTS_STANDIN_BYTES_H
#define TESTS_STANDIN_BYTES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/wire.h"
#include "compiler/compiler.h"
#include "compiler/flow.h"
#include "tests/unit/elf_bytes.h"

/* The stand-in's driver, and its bytes; NULL if it has not been built. */
static char driver[4096];
static uint8_t *original, *bytes;
static size_t size;

static inline int read_standin(void **state)
{
	ssize_t length = readlink("/proc/self/exe", driver, sizeof(driver) - 64);
	char *slash;
	FILE *file;

	(void)state;
	driver[length > 0 ? length : 0] = '\0';
	for (int i = 0; i < 2 && (slash = strrchr(driver, '/')); i++)
		*slash = '\0';
	strcat(driver, "/fixtures/standin/lib/librustc_driver-standin.so");
	file = fopen(driver, "re");
	if (!file)
		return 0;
	original = malloc(1 << 20);
	bytes = malloc(1 << 20);
	if (!original || !bytes)
		return -1;
	size = fread(original, 1, 1 << 20, file);
	fclose(file);
	return 0;
}

static inline int forget_standin(void **state)
{
	(void)state;
	free(original);
	free(bytes);
	return 0;
}

/* A fresh copy in `bytes`; skips the test if there is no stand-in. */
#define TAKE_COPY()                                                           \
	do {                                                                  \
		(void)state;                                                  \
		if (!original) {                                              \
			print_message("# the stand-in has not been built\n"); \
			skip();                                               \
		}                                                             \
		memcpy(bytes, original, size);                                \
	} while (0)

/* What may be asked of any plan. */
static inline void check_plan(const struct plan *plan)
{
	assert_true(plan_timed(plan) > 0);
	for (size_t i = 0; i < plan->query_count; i++)
		if (!plan->queries[i].refusal)
			assert_true(plan->queries[i].vtable_offset % 8 == 0 &&
				    plan->queries[i].vtable_offset / 8 < WIRE_VTABLE_SLOTS);
	for (size_t i = 0; i < plan->body_count; i++)
		if (plan->bodies[i].size == 0 || plan->bodies[i].offset >= size ||
		    plan->bodies[i].size > size - plan->bodies[i].offset ||
		    (i && plan->bodies[i].offset < plan->bodies[i - 1].offset + plan->bodies[i - 1].size) ||
		    plan->bodies[i].number - WIRE_ACTIVITIES >= plan->activity_count)
			fail_msg("a body that cannot be, at %#llx", (unsigned long long)plan->bodies[i].offset);
	for (size_t i = 0; i < plan->span_count; i++) {
		const struct plan_span *span = &plan->spans[i], *last = i ? span - 1 : NULL;

		if (span->size == 0 || span->offset >= size || span->size > size - span->offset ||
		    (last && (span->offset != last->offset || span->size != last->size) &&
		     span->offset < last->offset + last->size) ||
		    span->number - WIRE_ACTIVITIES >= plan->activity_count)
			fail_msg("a span that cannot be, at %#llx", (unsigned long long)span->offset);
	}
	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->sites[i].offset >= size ||
		    (!site_is_rare(plan->sites[i].kind) &&
		     !kernel_emulates(bytes + plan->sites[i].offset, size - plan->sites[i].offset)))
			fail_msg("a site that cannot be probed, at %#llx", (unsigned long long)plan->sites[i].offset);
}

#endif
