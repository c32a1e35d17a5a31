/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where a process is drawn: below its parent, in lanes that are its own as long as it or what it started runs. */
#include <errno.h>
#include <stdlib.h>

#include "analysis/recorded.h"

/* A process with all that it has started, and how many lanes they need. */
struct block {
	uint64_t end_ns;
	size_t height;
	size_t offset;		  /* from the parent's lane */
	size_t first_child, next; /* RECORDED_NONE behind the last */
};

/* Puts a block below those that begin no later; free_at says of the lanes when they are free. */
static void place(struct block *block, uint64_t start, uint64_t *free_at, size_t *lanes)
{
	size_t offset = 0, fits = 0;

	while (fits < block->height) {
		size_t lane = offset + fits;

		if (lane < *lanes && free_at[lane] > start) {
			offset = lane + 1;
			fits = 0;
		} else {
			fits++;
		}
	}
	for (size_t lane = *lanes; lane < offset; lane++)
		free_at[lane] = 0;
	for (size_t lane = offset; lane < offset + block->height; lane++)
		free_at[lane] = block->end_ns;
	if (offset + block->height > *lanes)
		*lanes = offset + block->height;
	block->offset = offset;
}

/* Places a list of siblings. Returns how many lanes they need. */
static size_t pack(const struct recorded_build *recorded, struct block *blocks, size_t first, uint64_t *free_at)
{
	size_t lanes = 0;

	for (size_t i = first; i != RECORDED_NONE; i = blocks[i].next)
		place(&blocks[i], recorded->processes[i].start_ns, free_at, &lanes);
	return lanes;
}

int recorded_lay_out(struct recorded_build *recorded)
{
	size_t count = recorded->count, roots = RECORDED_NONE;
	struct block *blocks = calloc(count + 1, sizeof(*blocks));
	uint64_t *free_at = calloc(count + 1, sizeof(*free_at));

	if (!blocks || !free_at) {
		free(blocks);
		free(free_at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		blocks[i] = (struct block){.end_ns = recorded->processes[i].end_ns, .first_child = RECORDED_NONE};
	/* From the last on: what a process has started comes behind it. The lists come out by start. */
	for (size_t i = count; i-- > 0;) {
		const struct recorded_process *process = &recorded->processes[i];
		size_t *list = process->parent == RECORDED_NONE ? &roots : &blocks[process->parent].first_child;

		blocks[i].height = 1 + pack(recorded, blocks, blocks[i].first_child, free_at);
		blocks[i].next = *list;
		*list = i;
		if (process->parent != RECORDED_NONE && blocks[process->parent].end_ns < blocks[i].end_ns)
			blocks[process->parent].end_ns = blocks[i].end_ns;
	}
	recorded->lane_count = pack(recorded, blocks, roots, free_at);
	for (size_t i = 0; i < count; i++) {
		size_t parent = recorded->processes[i].parent;

		recorded->processes[i].lane = blocks[i].offset;
		if (parent != RECORDED_NONE)
			recorded->processes[i].lane += recorded->processes[parent].lane + 1;
	}
	free(blocks);
	free(free_at);
	return 0;
}
