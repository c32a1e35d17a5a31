/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which sites belong together. */
#ifndef QUERYTAP_COMPILER_GROUPS_H
#define QUERYTAP_COMPILER_GROUPS_H

#include "compiler/compiler.h"

/*
 * Gives all of a plan's sites, queries and activities their groups. Before, the group of each query, and of each site
 * that is a query's, is the number of the function that runs it, from 1 to `runners`; 0 for a query that nothing runs.
 */
void groups_assign(struct plan *plan, size_t runners);

#endif
