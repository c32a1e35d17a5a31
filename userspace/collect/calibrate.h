/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Code of querytap's own to put probes on, and how long they take there. Private to collect/. */
#ifndef QUERYTAP_COLLECT_CALIBRATE_H
#define QUERYTAP_COLLECT_CALIBRATE_H

#include "collect/collect.h"

/* Places in querytap's own code, as offsets in its executable; SITE_OTHER is an instruction that is not emulated. */
enum own_site { OWN_NOP5, OWN_PUSH, OWN_JCC, OWN_CALL, OWN_OTHER, OWN_QUERY_ENTER, OWN_QUERY_EXIT, OWN_SITES };

/* Finds the offsets of all own sites. */
int own_sites_find(uint64_t offsets[OWN_SITES], struct error *err);

/*
 * Runs through a site `times` times, in batches; returns what one passage took, nanoseconds, as the lowest tenth of
 * the batches has it: those in which nothing else got the processor.
 */
uint64_t own_site_run(enum own_site site, unsigned int times);

/*
 * Runs through the query sites as the compiler would, with a vtable 8 bytes behind the TyCtxt: `turns` times a few
 * queries, every second one in the one before it, with the same work between any two sites; and in turn through the
 * same without sites. Returns what a query takes more with them, nanoseconds, as the median of the turns has it; 0
 * without memory.
 */
int64_t own_queries_run(unsigned int turns);

/* The cookie's registers for OWN_QUERY_ENTER: TyCtxt in rdi, vtable in rsi. */
enum { OWN_TCX_REGISTER = 7, OWN_VTABLE_REGISTER = 6 };

#endif
