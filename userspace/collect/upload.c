/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/upload.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As much of a table as is mapped at once: what is mapped counts as this process's memory. */
enum { WINDOW = 1024 * 1024 };

/* Copies a table into a map of that size. Returns 0 or a negative errno. */
static int fill(int map, const struct unwind_table *table)
{
	size_t size = table->count * sizeof(*table->words);

	for (size_t at = 0; at < size; at += WINDOW) {
		size_t part = size - at < WINDOW ? size - at : WINDOW;
		void *window = mmap(NULL, part, PROT_READ | PROT_WRITE, MAP_SHARED, map, (off_t)at);

		if (window == MAP_FAILED)
			return -errno;
		memcpy(window, (const char *)table->words + at, part);
		munmap(window, part);
	}
	return 0;
}

int table_upload(const struct unwind_table *table)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unwind_table", sizeof(uint32_t), sizeof(*table->words),
				 (uint32_t)table->count, &options);
	int code = map < 0 ? map : fill(map, table);

	if (map >= 0 && code < 0)
		close(map);
	return code < 0 ? code : map;
}
