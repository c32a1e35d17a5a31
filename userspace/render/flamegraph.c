/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Flame graphs, after Brendan Gregg's: a frame for each stack, as wide as the time spent in it, below the frame that
 * it lies in. The picture stands by itself; the script in it (page/flamegraph.js) makes it interactive and takes from
 * each frame's attributes what it needs: its parent's number, and its left edge and width in nanoseconds, or
 * in what else is counted.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "render/page.h"
#include "render/render.h"
#include "render/sink.h"

/* In pixels, but FRAMES_LEFT and FRAMES_WIDTH, which are in percent of WIDTH. flamegraph.js knows these, too. */
enum { WIDTH = 1200, HEADER = 92, ROW = 18, FRAME = 17, FOOTER = 12, FRAMES_LEFT = 1, FRAMES_WIDTH = 98 };

/* A label's letter is so wide, and stands so far from its frame's edges. */
#define LETTER 7.3
#define PADDING 3

/* Frames narrower than this are left out. */
#define NARROWEST 0.1

enum { COLOURS = 8 };

/* A stack's place in the picture. */
struct frame {
	uint64_t start_ns, total_ns; /* left edge and width */
	uint64_t next_ns;	     /* where its next child goes */
	uint32_t depth;
	uint32_t number; /* among those that are drawn, from 1; 0 if it is not */
};

struct graph {
	const struct fold *fold;
	struct frame *frames;
	uint32_t *order; /* the stacks without the root by parent, then by label */
	uint32_t depth;	 /* of the deepest frame drawn */
	uint32_t drawn;
	size_t omitted;
	uint64_t omitted_ns; /* of omitted frames in drawn ones */
};

static int by_parent_and_label(const void *left, const void *right, void *context)
{
	const struct fold *fold = context;
	const struct fold_node *a = &fold->nodes[*(const uint32_t *)left], *b = &fold->nodes[*(const uint32_t *)right];

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	return strcmp(fold->labels[a->label], fold->labels[b->label]);
}

/* Time, or how many of what was counted. */
static void write_amount(char text[RENDER_DURATION_SIZE], const struct fold *fold, uint64_t amount)
{
	if (fold->unit)
		snprintf(text, RENDER_DURATION_SIZE, "%llu %s", (unsigned long long)amount, fold->unit);
	else
		render_duration(text, amount, 2);
}

/* A self time below zero, where events overlap without nesting, counts as none. */
static uint64_t self_time(const struct fold_node *node)
{
	return (int64_t)node->self_ns < 0 ? 0 : node->self_ns;
}

static void place_frames(struct graph *graph)
{
	const struct fold_node *nodes = graph->fold->nodes;
	struct frame *frames = graph->frames;
	uint64_t narrowest;

	for (size_t i = graph->fold->node_count; i-- > 0;) {
		frames[i].total_ns += self_time(&nodes[i]);
		if (i)
			frames[nodes[i].parent].total_ns += frames[i].total_ns;
	}
	narrowest = (uint64_t)((double)frames[0].total_ns * NARROWEST / WIDTH);
	frames[0].number = graph->drawn = 1;
	/* Parents come before their children in this order, too. */
	for (size_t i = 0; i + 1 < graph->fold->node_count; i++) {
		struct frame *frame = &frames[graph->order[i]];
		struct frame *parent = &frames[nodes[graph->order[i]].parent];

		frame->start_ns = frame->next_ns = parent->next_ns;
		parent->next_ns += frame->total_ns;
		frame->depth = parent->depth + 1;
		if (parent->number && frame->total_ns > 0 && frame->total_ns >= narrowest) {
			frame->number = ++graph->drawn;
			if (frame->depth > graph->depth)
				graph->depth = frame->depth;
		} else {
			graph->omitted++;
			graph->omitted_ns += parent->number ? frame->total_ns : 0;
		}
	}
}

static int make_graph(const struct fold *fold, struct graph *graph, struct error *err)
{
	*graph = (struct graph){
	    .fold = fold,
	    .frames = calloc(fold->node_count, sizeof(*graph->frames)),
	    .order = calloc(fold->node_count, sizeof(*graph->order)),
	};
	if (!graph->frames || !graph->order)
		return error_set(err, ENOMEM, "out of memory for a flame graph");
	for (size_t i = 1; i < fold->node_count; i++)
		graph->order[i - 1] = (uint32_t)i;
	qsort_r(graph->order, fold->node_count - 1, sizeof(*graph->order), by_parent_and_label, (void *)fold);
	place_frames(graph);
	return 0;
}

/* Length of the UTF-8 sequence at the front, if XML may have the character, otherwise 0. */
static size_t xml_character(const unsigned char *text, size_t size)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;

	if (length > size || text[0] > 0xF4 || (length == 1 && text[0] < 0x20))
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	}
	if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90) ||
	    (text[0] == 0xF4 && text[1] > 0x8F))
		return 0;
	/* Surrogates, U+FFFE and U+FFFF. */
	if ((text[0] == 0xED && text[1] > 0x9F) || (text[0] == 0xEF && text[1] == 0xBF && text[2] > 0xBD))
		return 0;
	return length;
}

/* Writes at most `letters` characters of a text for XML. White space becomes blanks. */
static void put_xml(struct sink *sink, const char *text, size_t letters)
{
	const char *end = text + strlen(text);

	for (; text < end && letters; letters--) {
		size_t length = xml_character((const unsigned char *)text, (size_t)(end - text));

		sink_need(sink, SINK_PIECE);
		if (*text == '&')
			sink_add_literal(sink, "&amp;");
		else if (*text == '<')
			sink_add_literal(sink, "&lt;");
		else if (*text == '>')
			sink_add_literal(sink, "&gt;");
		else if (*text == '"')
			sink_add_literal(sink, "&quot;");
		else if (strchr("\t\n\r", *text))
			sink_add_literal(sink, " ");
		else if (length)
			sink_add(sink, text, length);
		else
			sink_add_literal(sink, "\xEF\xBF\xBD");
		text += length ? length : 1;
		/* The rest of a character that is none. */
		while (!length && ((unsigned char)*text & 0xC0) == 0x80)
			text++;
	}
}

static void put_format(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_format(struct sink *sink, const char *format, ...)
{
	va_list args;

	sink_need(sink, SINK_PIECE);
	va_start(args, format);
	sink->at += vsnprintf(sink->at, SINK_PIECE, format, args);
	va_end(args);
}

/* How many characters of a text there are. */
static size_t count_letters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

/* The label that stands in a frame, as much of it as fits. */
static void put_label(struct sink *sink, const char *label, double width)
{
	double room = (width * WIDTH * FRAMES_WIDTH / 100 - 2 * PADDING) / LETTER;
	size_t letters = room < 3 ? 0 : (size_t)room;

	if (count_letters(label) <= letters) {
		put_xml(sink, label, letters);
	} else if (letters) {
		put_xml(sink, label, letters - 1);
		sink_put(sink, "…", sizeof("…") - 1);
	}
}

/* The same label has the same colour in every graph (FNV-1a). */
static unsigned colour_of(const char *label)
{
	uint32_t hash = 2166136261;

	for (; *label; label++)
		hash = (hash ^ (unsigned char)*label) * 16777619;
	return (hash ^ hash >> 16) % COLOURS;
}

static void put_frame(struct sink *sink, const struct graph *graph, size_t index)
{
	const struct frame *frame = &graph->frames[index], *root = &graph->frames[0];
	const struct fold_node *node = &graph->fold->nodes[index];
	const char *root_label = graph->fold->root ? graph->fold->root : FOLD_ROOT;
	const char *label = index ? graph->fold->labels[node->label] : root_label;
	double whole = root->total_ns ? (double)root->total_ns : 1;
	double start = (double)frame->start_ns / whole, width = index ? (double)frame->total_ns / whole : 1;
	char total[RENDER_DURATION_SIZE], self[RENDER_DURATION_SIZE];
	unsigned y = frame->depth * ROW;

	write_amount(total, graph->fold, frame->total_ns);
	write_amount(self, graph->fold, self_time(node));
	put_format(sink, "<g class=\"c%u\" data-p=\"%u\" data-x=\"%llu\" data-t=\"%llu\"><title>", colour_of(label),
		   index ? graph->frames[node->parent].number - 1 : 0, (unsigned long long)frame->start_ns,
		   (unsigned long long)frame->total_ns);
	put_xml(sink, label, SIZE_MAX);
	put_format(sink,
		   " (%s, %.2f%%; %s of it %s)</title><rect x=\"%.4f%%\" y=\"%u\" width=\"%.4f%%\" height=\"%d\"/>"
		   "<text x=\"%.4f%%\" dx=\"%d\" y=\"%u\">",
		   total, frame->total_ns ? 100 * width : 0, self,
		   index || graph->fold->unit ? "its own" : "in no event", 100 * start, y, 100 * width, FRAME,
		   100 * start, PADDING, y + 13);
	put_label(sink, label, width);
	sink_put(sink, "</text></g>\n", sizeof("</text></g>\n") - 1);
}

static void put_page_file(struct sink *sink, const char *name)
{
	const struct page_file *file = page_find(name);

	if (file)
		sink_put(sink, file->start, (size_t)(file->end - file->start));
}

/* Title, search and the like: HTML within the picture, which programs that know only SVG leave out. */
static void put_header(struct sink *sink, const struct graph *graph, const char *title)
{
	double whole = graph->frames[0].total_ns ? (double)graph->frames[0].total_ns : 1;
	char total[RENDER_DURATION_SIZE];

	write_amount(total, graph->fold, graph->frames[0].total_ns);
	put_format(sink,
		   "<foreignObject x=\"%d%%\" y=\"0\" width=\"%d%%\" height=\"%d\">\n"
		   "<div xmlns=\"http://www.w3.org/1999/xhtml\" id=\"header\">\n<div class=\"bar\"><h1>",
		   FRAMES_LEFT, FRAMES_WIDTH, HEADER);
	put_xml(sink, title, SIZE_MAX);
	put_format(sink,
		   "</h1>\n<span id=\"matched\" role=\"status\"></span>\n"
		   "<input id=\"query\" type=\"search\" placeholder=\"Search: text or regex ( / )\" "
		   "aria-label=\"Search for text or a regular expression\" autocomplete=\"off\" "
		   "spellcheck=\"false\"/>\n"
		   "<button id=\"reset\" type=\"button\" disabled=\"disabled\">Reset zoom</button></div>\n"
		   "<p id=\"details\">%s over all threads. ",
		   total);
	if (graph->omitted)
		put_format(sink,
			   "<span id=\"omitted\">%zu frame%s narrower than %.1f pixels, %.2f%% of the %s, not "
			   "drawn.</span> ",
			   graph->omitted, graph->omitted == 1 ? "" : "s", NARROWEST,
			   100 * (double)graph->omitted_ns / whole, graph->fold->unit ? graph->fold->unit : "time");
	put_format(sink, "Click a frame to zoom, or move with the arrow keys and press Enter; Esc goes back."
			 "</p></div></foreignObject>\n");
}

static void put_graph(struct sink *sink, const struct graph *graph, const char *title)
{
	unsigned height = HEADER + (graph->depth + 1) * ROW + FOOTER;

	put_format(
	    sink,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\">\n<title>",
	    WIDTH, height, WIDTH, height);
	put_xml(sink, title, SIZE_MAX);
	put_format(sink, "</title>\n<style><![CDATA[\n");
	put_page_file(sink, "base.css");
	put_page_file(sink, "flamegraph.css");
	put_format(sink, "]]></style>\n");
	put_header(sink, graph, title);
	put_format(sink,
		   "<svg id=\"frames\" x=\"%d%%\" y=\"%d\" width=\"%d%%\" height=\"%u\" tabindex=\"0\" "
		   "role=\"application\" aria-label=\"Flame graph\" aria-describedby=\"details\">\n",
		   FRAMES_LEFT, HEADER, FRAMES_WIDTH, height - HEADER);
	put_frame(sink, graph, 0);
	for (size_t i = 0; i + 1 < graph->fold->node_count; i++) {
		if (graph->frames[graph->order[i]].number)
			put_frame(sink, graph, graph->order[i]);
	}
	put_format(sink, "</svg>\n<script><![CDATA[\n");
	put_page_file(sink, "flamegraph.js");
	put_format(sink, "]]></script>\n</svg>\n");
}

int render_flamegraph(const struct fold *fold, const char *title, FILE *out, struct error *err)
{
	struct sink sink = {0};
	struct graph graph;
	int rc = make_graph(fold, &graph, err);

	if (!rc)
		rc = sink_open(&sink, out, err);
	if (!rc)
		put_graph(&sink, &graph, title);
	sink_close(&sink);
	free(graph.frames);
	free(graph.order);
	return rc;
}
