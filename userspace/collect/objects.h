/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The files that samples are in, which are objects with numbers to the kernel, and the tables that it unwinds them by.
 */
#ifndef QUERYTAP_COLLECT_OBJECTS_H
#define QUERYTAP_COLLECT_OBJECTS_H

#include "bpf/wire.h"
#include "build/bpf/querytap.skel.h"
#include "collect/collect.h"
#include "collect/places.h"
#include "collect/telling.h"

struct objects;

/*
 * Expects the C library and the vdso. `bpf`, whose programs are loaded, and what the options point at are borrowed
 * until objects_free. NULL if memory runs out.
 */
struct objects *objects_new(struct querytap_bpf *bpf, const struct collect_options *options);

/*
 * Makes the tables of a compiler before it is met: of the file with its code, the LLVM that lies beside it, and its
 * program. The plan, of the compiler with this number, is borrowed until objects_free.
 */
void objects_expect(struct objects *objects, const struct plan *plan, size_t number);

/*
 * Gives the kernel the tables of all that is expected, so that the first samples too can be unwound, however late the
 * collector looks at what they have met. Waits for the kernel, some 10 ms.
 */
void objects_load(struct objects *objects);

/* Takes the kernel's word that code of a file was met: gives it the file's table. */
void objects_take(struct objects *objects, const struct wire_object *record);

/* The kernel's copy of an expected file's table, which stays the objects'; -1 if it has none. */
int objects_table(struct objects *objects, const char *path);

/* By the number of an object, the compiler whose code it is, or NULL. */
const struct told_compiler *const *objects_compilers(const struct objects *objects);

/* Names places in the objects that were met; as places_name. */
int objects_places(const struct objects *objects, struct place *list, size_t count);

/* Adds how many there are, and what their tables took. */
void objects_totals(const struct objects *objects, struct collect_samples *totals);

/* Accepts NULL. */
void objects_free(struct objects *objects);

#endif
