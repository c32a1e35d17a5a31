/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Probes on a compiler, and letting go of them. Private to collect/. */
#ifndef QUERYTAP_COLLECT_PROBING_H
#define QUERYTAP_COLLECT_PROBING_H

#include "collect/internal.h"

/*
 * Attaches the probes that probed->timing asks for to the compiler, which has this number, and puts them into
 * probed->probes. Returns 0, or a negative errno with nothing attached.
 */
int probes_attach(struct collector *collector, struct probed *probed, size_t number, struct error *err);

/* Lets go of everything and frees the probes; some 0.1 s. Accepts NULL. */
void probes_detach(struct probes *probes);

/*
 * Lets go of groups, in a thread of its own since it takes a while. What is running meanwhile may never end and is then
 * found gone.
 */
void probes_let_go(struct probes *probes, const uint32_t *groups, size_t count);

#endif
