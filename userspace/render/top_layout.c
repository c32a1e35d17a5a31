/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/top.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "render/top_cells.h"

enum {
	AROUND = 5,	    /* lines that are neither compilers nor queries: two titles, two headers, the keys */
	LEAST = 8,	    /* lines for queries, at least */
	LONGEST_CRATE = 30, /* columns in the title of an opened compiler; more on a wider terminal */
	WITH_RATES = 100,   /* columns from which compilers have one for their events */
	DEEPEST = 24,	    /* deeper frames are not indented further, but numbered */
	ALL_LINES = INT_MAX / 2,
};

struct layout {
	struct top_page *page;
	const struct live *live;
	struct top_view *view;
	const struct top_facts *facts;
	struct live_summary summary;
	int width, height; /* 0: as high as it gets */
};

static const char *const order_names[LIVE_ORDERS] = {
    [LIVE_BY_SELF] = "self", [LIVE_BY_COUNT] = "count", [LIVE_BY_RATE] = "rate",
    [LIVE_BY_SHARE] = "now", [LIVE_BY_MEAN] = "mean",	[LIVE_BY_LABEL] = "label",
};

const char *top_order_name(enum live_order order)
{
	return order_names[order];
}

/* Puts a cell. Returns the column behind it and the blank that follows. */
__attribute__((format(printf, 6, 7))) static int put(const struct layout *layout, struct top_line *line, int column,
						     int width, enum cell_side side, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	page_put(layout->page, line, column, width, side, "%s", text);
	return column + width + 1;
}

static int put_rest(const struct layout *layout, struct top_line *line, int column, const char *text)
{
	return page_put(layout->page, line, column, layout->width - column, CELL_LEFT, "%s", text);
}

/* Lines that are there for two tables, and those that the upper one gets of them if it wants as many. */
static int body_of(const struct layout *layout)
{
	return layout->height ? layout->height - AROUND : ALL_LINES;
}

static int upper_room(const struct layout *layout)
{
	int body = body_of(layout);

	return body - LEAST > body / 2 ? body - LEAST : body / 2;
}

/* ---- titles and the keys ---- */

static void put_title(const struct layout *layout)
{
	const struct live_summary *summary = &layout->summary;
	const struct live_compiler **compilers;
	size_t running = live_compilers(layout->live, LIVE_COMPILER_BY_PID, NULL, &compilers);
	struct top_line *line = page_line(layout->page, layout->facts->lost ? TOP_WARNING : TOP_TITLE);
	char text[256], failed[64] = "", clock[16], rate[SHORT_SIZE], lost[SHORT_SIZE];
	struct tm parts;

	free(compilers);
	localtime_r(&layout->facts->time, &parts);
	strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
	if (summary->failed)
		snprintf(failed, sizeof(failed), ", %" PRIu64 " failed", summary->failed);
	snprintf(text, sizeof(text), "%s  %zu compiler%s, %" PRIu64 " ended%s  %.0f%% CPU  %s events/s  %s lost", clock,
		 running, running == 1 ? "" : "s", summary->ended, failed, 100 * summary->cpu,
		 short_count(rate, summary->rate), short_count(lost, (double)layout->facts->lost));
	put_rest(layout, line, 0, text);
}

/* What the user has chosen, and what is missing. */
static void put_state(const struct layout *layout)
{
	const struct top_view *view = layout->view;
	struct top_line *line = page_line(layout->page, layout->facts->message ? TOP_WARNING : TOP_PLAIN);
	char text[512], time[SHORT_SIZE], count[SHORT_SIZE];
	size_t used;

	if (layout->facts->message) {
		put_rest(layout, line, 0, layout->facts->message);
		return;
	}
	used = (size_t)snprintf(text, sizeof(text), "%s%s events in %s", view->paused ? "PAUSED  " : "",
				short_count(count, (double)layout->summary.events),
				short_time(time, layout->summary.elapsed));
	if (layout->facts->untimed)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ", %zu labels untimed (%.0f%% of self)",
					 layout->facts->untimed, 100 * layout->facts->untimed_self);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "  by %s", top_order_name(view->order));
	if (view->filter[0])
		used +=
		    (size_t)snprintf(text + used, sizeof(text) - used, "  queries \"%.*s\"", TOP_FILTER, view->filter);
	if (view->crates[0])
		snprintf(text + used, sizeof(text) - used, "  crates \"%.*s\"", TOP_FILTER, view->crates);
	put_rest(layout, line, 0, text);
}

/* The last line. */
static void put_keys(const struct layout *layout)
{
	const struct top_view *view = layout->view;
	struct top_line *line;
	char text[256];

	while (layout->page->count + 1 < (size_t)layout->height && page_line(layout->page, TOP_PLAIN))
		;
	line = page_line(layout->page, TOP_HEADER);
	switch (view->prompt) {
	case TOP_ASKS_ORDER:
		snprintf(text, sizeof(text),
			 "Queries by: s self c count r rate n now m mean l label  Compilers: a age u cpu e events p "
			 "pid k crate");
		break;
	case TOP_ASKS_FILTER:
		snprintf(text, sizeof(text), "Queries that contain: %s_  (Enter: done, Esc: all)", view->filter);
		break;
	case TOP_ASKS_CRATES:
		snprintf(text, sizeof(text), "Crates that contain: %s_  (Enter: done, Esc: all)", view->crates);
		break;
	default:
		snprintf(text, sizeof(text), "q quit  s sort  / queries  %s  p pause  %s  h help",
			 view->opened ? "Esc back" : "c crates", view->opened ? "arrows scroll" : "arrows, Enter open");
		break;
	}
	put_rest(layout, line, 0, text);
}

/* ---- compilers ---- */

/* How wide the columns of compilers are; 0 for one that is left out. The last one takes what is left. */
struct columns {
	int pid, crate, age, cpu, threads, rate, since;
};

static struct columns columns_of(const struct layout *layout)
{
	int more = (layout->width - TOP_WIDTH) / 4;

	return (struct columns){7, 14 + (more > 26 ? 26 : more), 6, 5, 3, layout->width < WITH_RATES ? 0 : 6, 6};
}

static void put_compilers_header(const struct layout *layout)
{
	struct columns columns = columns_of(layout);
	struct top_line *line = page_line(layout->page, TOP_HEADER);
	int at = 1;

	at = put(layout, line, at, columns.pid, CELL_RIGHT, "PID");
	at = put(layout, line, at, columns.crate, CELL_LEFT, "CRATE");
	at = put(layout, line, at, columns.age, CELL_RIGHT, "AGE");
	at = put(layout, line, at, columns.cpu, CELL_RIGHT, "CPU%%");
	at = put(layout, line, at, columns.threads, CELL_RIGHT, "THR");
	if (columns.rate)
		at = put(layout, line, at, columns.rate, CELL_RIGHT, "EVENTS");
	at = put(layout, line, at, columns.since, CELL_RIGHT, "SINCE");
	put_rest(layout, line, at, layout->page->wide_letters ? "IN \u2039 ASKED FOR BY" : "IN < ASKED FOR BY");
}

/* What a thread is in, the innermost first, and since when. Recursion is drawn together. */
static void put_stack(const struct layout *layout, struct top_line *line, int column, const struct live_thread *thread)
{
	const char *between = layout->page->wide_letters ? " \u2039 " : " < ";
	char text[1024], time[SHORT_SIZE];
	size_t used = 0, times;

	if (!thread || !thread->depth) {
		put(layout, line, column, 6, CELL_RIGHT, "-");
		return;
	}
	column =
	    put(layout, line, column, 6, CELL_RIGHT, "%s", short_time(time, thread->frames[thread->depth - 1].elapsed));
	for (size_t i = thread->depth; i > 0 && used < sizeof(text) / 2; i -= times) {
		const char *label = thread->frames[i - 1].label;

		for (times = 1; times < i && !strcmp(thread->frames[i - 1 - times].label, label); times++)
			;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.200s", used ? between : "", label);
		if (times > 1)
			used += (size_t)snprintf(text + used, sizeof(text) - used, " x%zu", times);
	}
	put_rest(layout, line, column, text);
}

static void put_compiler(const struct layout *layout, const struct live_compiler *compiler)
{
	struct columns columns = columns_of(layout);
	bool selected = layout->height && compiler->pid == layout->view->selected;
	struct top_line *line = page_line(layout->page, selected ? TOP_SELECTED : TOP_PLAIN);
	char text[SHORT_SIZE];
	int at = 1;

	page_put(layout->page, line, 0, 1, CELL_LEFT, "%s", selected ? ">" : " ");
	at = put(layout, line, at, columns.pid, CELL_RIGHT, "%d", (int)compiler->pid);
	at = put(layout, line, at, columns.crate, CELL_LEFT, "%s", compiler->crate);
	at = put(layout, line, at, columns.age, CELL_RIGHT, "%s%s", compiler->joined ? ">" : "",
		 short_time(text, compiler->age));
	at = put(layout, line, at, columns.cpu, CELL_RIGHT, "%.0f", 100 * compiler->cpu);
	at = put(layout, line, at, columns.threads, CELL_RIGHT, "%zu", compiler->thread_count);
	if (columns.rate)
		at = put(layout, line, at, columns.rate, CELL_RIGHT, "%s", short_count(text, compiler->rate));
	put_stack(layout, line, at, compiler->thread_count ? &compiler->threads[0] : NULL);
}

/* A further thread of a compiler. */
static void put_thread(const struct layout *layout, const struct live_thread *thread)
{
	struct columns columns = columns_of(layout);
	struct top_line *line = page_line(layout->page, TOP_FAINT);
	int at = 2 + columns.pid;

	at = put(layout, line, at, columns.crate, CELL_LEFT, "  %s", thread->name);
	at += columns.age + 1;
	at = put(layout, line, at, columns.cpu, CELL_RIGHT, "%.0f", 100 * thread->cpu);
	put_stack(layout, line, at + columns.threads + 1 + (columns.rate ? columns.rate + 1 : 0), thread);
}

/* The compiler that is selected; of none that is there, the first becomes it. */
static size_t selected_index(struct top_view *view, const struct live_compiler *const *compilers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (compilers[i]->pid == view->selected)
			return i;
	view->selected = count ? compilers[0]->pid : 0;
	return 0;
}

/* The first of `count` lines to show in `room`, so that the one `wanted` is among them. */
static size_t first_shown(size_t count, size_t room, size_t wanted)
{
	if (count <= room || wanted < room / 2)
		return 0;
	return wanted - room / 2 < count - room ? wanted - room / 2 : count - room;
}

static void put_compilers(const struct layout *layout)
{
	const struct live_compiler **compilers;
	size_t count = live_compilers(layout->live, layout->view->compiler_order, layout->view->crates, &compilers);
	size_t room = (size_t)upper_room(layout), half = (size_t)body_of(layout) / 2;
	size_t spare = half > count ? half - count : 0;
	size_t selected = selected_index(layout->view, compilers, count), first;
	bool cut = count > room;

	put_compilers_header(layout);
	if (!count)
		put_rest(layout, page_line(layout->page, TOP_FAINT), 2,
			 layout->view->crates[0] ? "no compiler of such a crate is running" : "no compiler is running");
	room -= cut;
	first = first_shown(count, room, selected);
	for (size_t i = first; i < count && i < first + room; i++) {
		put_compiler(layout, compilers[i]);
		for (size_t j = 1; j < compilers[i]->thread_count && compilers[i]->threads[j].depth && spare; j++) {
			put_thread(layout, &compilers[i]->threads[j]);
			spare--;
		}
	}
	if (cut)
		page_put(layout->page, page_line(layout->page, TOP_FAINT), 2, layout->width - 2, CELL_LEFT,
			 "and %zu more", count - room);
	free(compilers);
}

/* ---- queries ---- */

static void put_rows_header(const struct layout *layout)
{
	static const struct {
		enum live_order order;
		const char *name;
	} columns[] = {{LIVE_BY_SELF, "SELF"},	 {LIVE_ORDERS, "%"},   {LIVE_BY_SHARE, "NOW%"},
		       {LIVE_BY_COUNT, "COUNT"}, {LIVE_BY_RATE, "/S"}, {LIVE_BY_MEAN, "MEAN"}};
	struct top_line *line = page_line(layout->page, TOP_HEADER);
	int at = 1;

	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		at = put(layout, line, at, 6, CELL_RIGHT, "%s%s", columns[i].order == layout->view->order ? "*" : "",
			 columns[i].name);
	put_rest(layout, line, at, layout->view->order == LIVE_BY_LABEL ? "*QUERY OR ACTIVITY" : "QUERY OR ACTIVITY");
}

static void put_row(const struct layout *layout, const struct live_row *row, uint64_t all)
{
	struct top_line *line = page_line(layout->page, TOP_PLAIN);
	char text[SHORT_SIZE];
	int at = 1;

	at = put(layout, line, at, 6, CELL_RIGHT, "%s", short_time(text, row->self));
	at = put(layout, line, at, 6, CELL_RIGHT, "%.1f", all ? 100 * (double)row->self / (double)all : 0);
	at = put(layout, line, at, 6, CELL_RIGHT, "%.0f", 100 * row->share);
	at = put(layout, line, at, 6, CELL_RIGHT, "%s", short_count(text, (double)row->count));
	at = put(layout, line, at, 6, CELL_RIGHT, "%s", short_count(text, row->rate));
	at = put(layout, line, at, 6, CELL_RIGHT, "%s", short_time(text, row->mean));
	put_rest(layout, line, at, row->label);
}

static uint64_t self_of_all(const struct layout *layout)
{
	struct live_row *rows;
	size_t count;
	uint64_t all = 0;

	if (!layout->view->opened)
		return layout->summary.self;
	count = live_rows(layout->live, layout->view->opened, LIVE_BY_SELF, NULL, &rows);
	for (size_t i = 0; i < count; i++)
		all += rows[i].self;
	free(rows);
	return all;
}

static void put_rows(const struct layout *layout)
{
	struct top_view *view = layout->view;
	struct live_row *rows;
	size_t count = live_rows(layout->live, view->opened, view->order, view->filter, &rows), room = SIZE_MAX;
	uint64_t all = self_of_all(layout);

	put_rows_header(layout);
	if (layout->height)
		room = (size_t)layout->height - 1 - layout->page->count;
	else if (view->limit)
		room = view->limit;
	if (!layout->height || count <= room)
		view->first_row = 0;
	else if (view->first_row > count - room)
		view->first_row = count - room;
	if (!count)
		put_rest(layout, page_line(layout->page, TOP_FAINT), 2,
			 view->filter[0] ? "no query or activity of such a name has come" : "none has come yet");
	for (size_t i = view->first_row; i < count && i - view->first_row < room; i++)
		put_row(layout, &rows[i], all);
	free(rows);
}

/* ---- one compiler ---- */

static void put_opened_title(const struct layout *layout, const struct live_compiler *compiler)
{
	struct top_line *line = page_line(layout->page, TOP_TITLE);
	char text[512], age[SHORT_SIZE], rate[SHORT_SIZE];
	const char *state = !compiler->ended ? "" : compiler->succeeded ? "  ENDED" : "  FAILED";
	int at = page_put(layout->page, line, 0, layout->width - TOP_WIDTH + LONGEST_CRATE, CELL_LEFT, "%s",
			  compiler->crate);

	snprintf(text, sizeof(text), "  pid %d  %s%s%s  %.0f%% CPU  %s events/s%s  rustc %.100s", (int)compiler->pid,
		 compiler->joined ? "joined " : "", short_time(age, compiler->age), compiler->joined ? " ago" : "",
		 100 * compiler->cpu, short_count(rate, compiler->rate), state, compiler->version);
	put_rest(layout, line, at, text);
}

static void put_frames_header(const struct layout *layout)
{
	struct top_line *line = page_line(layout->page, TOP_HEADER);
	int at = 1;

	at = put(layout, line, at, 6, CELL_RIGHT, "SINCE");
	at = put(layout, line, at, 6, CELL_RIGHT, "SELF");
	put_rest(layout, line, at, "THREADS AND THEIR QUERY STACKS");
}

static void put_frame(const struct layout *layout, const struct live_thread *thread, size_t depth)
{
	struct top_line *line = page_line(layout->page, TOP_PLAIN);
	const struct live_frame *frame = &thread->frames[depth];
	char text[SHORT_SIZE];
	int at = 1;

	at = put(layout, line, at, 6, CELL_RIGHT, "%s", short_time(text, frame->elapsed));
	at = put(layout, line, at, 6, CELL_RIGHT, "%s", short_time(text, frame->self));
	at += 1 + (depth < DEEPEST ? (int)depth : DEEPEST);
	if (depth > DEEPEST)
		at = page_put(layout->page, line, at, 8, CELL_LEFT, "(%zu) ", depth);
	put_rest(layout, line, at, frame->label);
}

/* A thread's first line. */
static void put_thread_title(const struct layout *layout, const struct live_thread *thread)
{
	struct top_line *line = page_line(layout->page, thread->depth ? TOP_SELECTED : TOP_FAINT);
	char text[128];

	snprintf(text, sizeof(text), "%s %d, %.0f%% CPU%s%s", thread->name, (int)thread->tid, 100 * thread->cpu,
		 thread->waits ? ", waits" : "", thread->depth ? "" : ", in no query");
	put_rest(layout, line, 15, text);
}

static void put_frames(const struct layout *layout, const struct live_compiler *compiler)
{
	struct top_view *view = layout->view;
	size_t room = (size_t)upper_room(layout), count = 0, at = 0;

	put_frames_header(layout);
	for (size_t i = 0; i < compiler->thread_count; i++)
		count += 1 + compiler->threads[i].depth;
	if (count <= room)
		view->first_line = 0;
	else if (view->first_line > count - room)
		view->first_line = count - room;
	for (size_t i = 0; i < compiler->thread_count; i++)
		for (size_t j = 0; j <= compiler->threads[i].depth; j++, at++) {
			if (at < view->first_line || at - view->first_line >= room)
				continue;
			if (j)
				put_frame(layout, &compiler->threads[i], j - 1);
			else
				put_thread_title(layout, &compiler->threads[i]);
		}
	if (!count)
		put_rest(layout, page_line(layout->page, TOP_FAINT), 2,
			 compiler->ended ? "it has ended" : "its threads were not seen yet");
}

static void lay_out_opened(const struct layout *layout)
{
	const struct live_compiler *compiler = live_compiler_of(layout->live, layout->view->opened);

	if (!compiler) {
		put_rest(layout, page_line(layout->page, TOP_TITLE), 0, "This compiler is gone.");
		return;
	}
	put_opened_title(layout, compiler);
	put_state(layout);
	put_frames(layout, compiler);
	put_rows(layout);
}

/* ---- whole pages ---- */

static void lay_out_help(const struct layout *layout)
{
	static const char *const lines[] = {
	    "querytap top: what the compilers on this machine are doing",
	    "",
	    "  q, Ctrl-C        quit; nothing stays behind in the compilers",
	    "  s                sort: then the letter of a column",
	    "  /                show the queries and activities that contain a text",
	    "  c                show the compilers whose crate contains a text",
	    "  p, space         pause: the picture stands still, recording goes on",
	    "  up, down         choose a compiler; in an opened one, scroll its stacks",
	    "  Enter            open the chosen compiler: its threads, what each of them is in,",
	    "                   and its own queries",
	    "  Esc, Backspace   back to all compilers",
	    "  PgUp, PgDn, Home, End  scroll the queries",
	    "  h, ?             this help",
	    "",
	    "  SINCE  how long the thread has been in the innermost query",
	    "  EVENTS queries and activities that ended, a second",
	    "  SELF   time that was spent in it and not in what it asked for, in all compilers",
	    "  NOW%   of a second, since the picture before; above 100 on several threads",
	    "  MEAN   self time of one",
	    "  >1.2s  the compiler ran already when it was joined, that long ago",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		put_rest(layout, page_line(layout->page, i ? TOP_PLAIN : TOP_TITLE), 0, lines[i]);
	while (layout->page->count + 1 < (size_t)layout->height && page_line(layout->page, TOP_PLAIN))
		;
	put_rest(layout, page_line(layout->page, TOP_HEADER), 0, "Any key: back");
}

static void lay_out_too_small(const struct layout *layout)
{
	char text[128];

	snprintf(text, sizeof(text), "%dx%d is too small: top needs %dx%d", layout->width, layout->height, TOP_WIDTH,
		 TOP_HEIGHT);
	put_rest(layout, page_line(layout->page, TOP_WARNING), 0, text);
	if (layout->height > 1)
		put_rest(layout, page_line(layout->page, TOP_PLAIN), 0, "q quits");
}

void top_layout(struct top_page *page, const struct live *live, struct top_view *view, const struct top_facts *facts,
		int width, int height)
{
	struct layout layout = {page, live, view, facts, {0}, width, height};

	live_summarize(live, &layout.summary);
	page_begin(page, width);
	if (height && (width < TOP_WIDTH || height < TOP_HEIGHT)) {
		lay_out_too_small(&layout);
		return;
	}
	if (view->help) {
		lay_out_help(&layout);
		return;
	}
	if (view->opened) {
		lay_out_opened(&layout);
	} else {
		put_title(&layout);
		put_state(&layout);
		put_compilers(&layout);
		put_rows(&layout);
	}
	if (height)
		put_keys(&layout);
}

void top_print(const struct top_page *page, FILE *out)
{
	for (size_t i = 0; i < page->count; i++)
		fprintf(out, "%ls\n", page->lines[i].text);
	fputc('\n', out);
}
