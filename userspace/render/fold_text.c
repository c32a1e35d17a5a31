/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Folded stacks, as measureme's stack_collapse and the scripts of flame graphs know them. */
#include <errno.h>
#include <stdlib.h>

#include "render/render.h"
#include "render/sink.h"

#define MAX_BYTES ((size_t)1 << 30)

/* Behind a stack's labels: a space and its time. */
enum { TIME_SIZE = 1 + SINK_NUMBER };

/* A line, without the line's end. Borrows the lines' memory. */
struct line {
	char *text;
	size_t size;
	uint64_t self_ns;
};

static int by_text(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);

	return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* Sets the lines' sizes to those of their stacks without a time, and *total to what they need with it. */
static int measure(const struct fold *fold, struct line *lines, size_t *total, struct error *err)
{
	*total = 0;
	for (size_t i = 0; i < fold->node_count; i++) {
		const struct fold_node *node = &fold->nodes[i];

		lines[i].size =
		    i ? lines[node->parent].size + 1 + strlen(fold->labels[node->label]) : sizeof(FOLD_ROOT) - 1;
		lines[i].self_ns = node->self_ns;
		*total += lines[i].size + TIME_SIZE;
		if (*total > MAX_BYTES)
			return error_set(err, E2BIG, "its stacks are so deep that their text needs more than %zu MiB",
					 MAX_BYTES >> 20);
	}
	return 0;
}

static void fill_in(const struct fold *fold, struct line *lines, char *memory)
{
	for (size_t i = 0; i < fold->node_count; i++) {
		const struct fold_node *node = &fold->nodes[i];
		const struct line *parent = &lines[node->parent];

		lines[i].text = memory;
		memory += lines[i].size + TIME_SIZE;
		if (i == 0) {
			memcpy(lines[i].text, FOLD_ROOT, lines[i].size);
			continue;
		}
		memcpy(lines[i].text, parent->text, parent->size);
		lines[i].text[parent->size] = ';';
		memcpy(lines[i].text + parent->size + 1, fold->labels[node->label], lines[i].size - parent->size - 1);
	}
}

/* Makes one line of those that read the same, which happens where a label has a semicolon in it. Returns the count. */
static size_t merge_equal(struct line *lines, size_t count)
{
	size_t kept = 0;

	for (size_t i = 1; i < count; i++) {
		if (by_text(&lines[kept], &lines[i]) == 0)
			lines[kept].self_ns += lines[i].self_ns;
		else
			lines[++kept] = lines[i];
	}
	return kept + 1;
}

int render_fold(const struct fold *fold, FILE *out, struct error *err)
{
	struct line *lines = calloc(fold->node_count, sizeof(*lines));
	size_t total = 0, count;
	struct sink sink = {0};
	char *memory = NULL;
	int rc = lines ? measure(fold, lines, &total, err) : -ENOMEM;

	if (!rc) {
		memory = malloc(total);
		rc = memory ? sink_open(&sink, out, err) : -ENOMEM;
	}
	if (rc == -ENOMEM)
		error_set(err, ENOMEM, "out of memory for folded stacks");
	if (!rc) {
		fill_in(fold, lines, memory);
		qsort(lines, fold->node_count, sizeof(*lines), by_text);
		count = merge_equal(lines, fold->node_count);
		/* With its time behind it, a stack may come to stand on another side of a longer one. */
		for (size_t i = 0; i < count; i++) {
			lines[i].text[lines[i].size] = ' ';
			lines[i].size =
			    (size_t)(sink_number(lines[i].text + lines[i].size + 1, lines[i].self_ns) - lines[i].text);
		}
		qsort(lines, count, sizeof(*lines), by_text);
		for (size_t i = 0; i < count; i++) {
			sink_put(&sink, lines[i].text, lines[i].size);
			sink_put(&sink, "\n", 1);
		}
	}
	sink_close(&sink);
	free(memory);
	free(lines);
	return rc;
}

int render_fold_counts(const struct fold *fold, FILE *out, struct error *err)
{
	uint32_t *path = calloc(fold->node_count, sizeof(*path));
	struct sink sink = {0};
	int rc = path ? sink_open(&sink, out, err) : error_set(err, ENOMEM, "out of memory for folded stacks");

	for (size_t i = 1; i < fold->node_count && !rc; i++) {
		size_t depth = 0;

		if (!fold->nodes[i].self_ns)
			continue;
		for (uint32_t at = (uint32_t)i; at; at = fold->nodes[at].parent)
			path[depth++] = fold->nodes[at].label;
		while (depth--) {
			sink_put(&sink, fold->labels[path[depth]], strlen(fold->labels[path[depth]]));
			sink_put(&sink, depth ? ";" : " ", 1);
		}
		sink_need(&sink, SINK_NUMBER + 1);
		sink_add_number(&sink, fold->nodes[i].self_ns);
		sink_add_literal(&sink, "\n");
	}
	sink_close(&sink);
	free(path);
	return rc;
}
