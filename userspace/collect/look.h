/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Of what looking at threads reads. Private to collect/. */
#ifndef QUERYTAP_COLLECT_LOOK_H
#define QUERYTAP_COLLECT_LOOK_H

#include <stddef.h>

#include "bpf/wire.h"

/*
 * How many of a thread's frames, from the outermost on, are of one moment: up to the first that was entered while they
 * were read, which is in none of those before it. What it has replaced is not known.
 */
size_t look_whole_frames(const struct wire_thread *thread, const struct wire_frame *frames);

#endif
