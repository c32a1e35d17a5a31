/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The whole build: DIR/build.json beside the profiles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/internal.h"
#include "util/clock.h"
#include "util/path.h"

/* How long the kernel takes to free a process that was waited for, at most: an RCU grace period and its callbacks. */
enum { FREEING_MS = 200 };

void await_freed(struct collector *collector)
{
	for (int i = 0; i < FREEING_MS && processes_leaving(collector->processes); i++) {
		usleep(1000);
		collector_drain(collector);
	}
}

int collector_write_build(const struct collector *collector, const struct identity *owner, struct error *err)
{
	struct processes_summary summary = {.stopped = clock_now(CLOCK_MONOTONIC),
					    .realtime_offset = collector->place.realtime_offset,
					    .lost = collector->bpf->bss->lost_lives};
	char *path = path_join(collector->directory, COLLECT_BUILD_FILE);
	char *text = processes_text(collector->processes, &summary);
	int code;

	if (path && text)
		code = path_write_file(path, text, strlen(text), owner, err);
	else
		code = error_set(err, ENOMEM, "%s: out of memory", COLLECT_BUILD_FILE);
	free(path);
	free(text);
	return code;
}
