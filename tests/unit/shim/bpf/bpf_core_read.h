/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SHIM_BPF_CORE_READ_H
#define SHIM_BPF_CORE_READ_H

#define ARROWS_1(from, a) ((from)->a)
#define ARROWS_2(from, a, b) ((from)->a->b)
#define ARROWS_3(from, a, b, c) ((from)->a->b->c)
#define ARROWS(a, b, c, arrows, ...) arrows

/* The test's task has no memory, no command line and no files: all is 0. */
#define BPF_CORE_READ(from, ...) \
	((__typeof__(ARROWS(__VA_ARGS__, ARROWS_3, ARROWS_2, ARROWS_1, )(from, __VA_ARGS__)))((void)(from), 0L))
#define BPF_CORE_READ_STR_INTO(to, task, ...) ((void)(to), (void)(task))
#define BPF_CORE_READ_BITFIELD(from, field) ((from)->field)

#endif
