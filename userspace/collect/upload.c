/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/upload.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int table_upload(const struct unwind_table *table)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	size_t size = table->count * sizeof(*table->words);
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unwind_table", sizeof(uint32_t), sizeof(*table->words),
				 (uint32_t)table->count, &options);
	void *words;

	if (map < 0)
		return map;
	words = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (words == MAP_FAILED) {
		int code = -errno;

		close(map);
		return code;
	}
	memcpy(words, table->words, size);
	munmap(words, size);
	return map;
}
