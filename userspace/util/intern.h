/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Texts, each of them once, by number. */
#ifndef QUERYTAP_UTIL_INTERN_H
#define QUERYTAP_UTIL_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct interned;

/* Zero it to begin; free it with intern_free. */
struct intern {
	struct interned **list; /* private, as the next two */
	struct interned *table;
	size_t room;
	size_t count;
};

#define INTERN_FAILED UINT32_MAX

/* The number of the text, below `count`, which it gets if it is a new one; INTERN_FAILED if memory runs out. */
uint32_t intern_text(struct intern *intern, const char *text);

/* The same for any bytes; they are copied. */
uint32_t intern_bytes(struct intern *intern, const void *bytes, size_t size);

/* The text with a number; borrowed. Behind bytes stands a NUL. */
const char *intern_get(const struct intern *intern, uint32_t number);

/* Frees what it holds, and zeroes it. */
void intern_free(struct intern *intern);

#endif
