/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Unwind tables in the kernel. */
#ifndef QUERYTAP_COLLECT_UPLOAD_H
#define QUERYTAP_COLLECT_UPLOAD_H

#include "unwind/unwind.h"

/*
 * Copies the table into a map, to be put into the map of `tables`. Returns its descriptor, which is the caller's to
 * close, or a negative errno.
 */
int table_upload(const struct unwind_table *table);

#endif
