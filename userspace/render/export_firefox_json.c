/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The JSON of the Firefox Profiler: the "processed profile format" as its src/types/profile.ts describes it, in the
 * version that has one table of stacks for all threads; newer profilers read older versions
 * (docs-developer/CHANGELOG-formats.md there). Its tables are written column by column.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "render/export_firefox.h"
#include "render/gzip.h"
#include "render/sink.h"

/* Of the format, and of what Firefox itself writes, which is not read. */
enum { FORMAT_VERSION = 60, GECKO_VERSION = 24 };

/* The kind of a resource that is a library, and the phase of a marker that has a start and an end. */
#define RESOURCE_LIBRARY "1"
#define PHASE_INTERVAL "1"

/* Stands for null in a column. */
#define NONE INT64_MIN

/* What a column's cells are made of. */
struct cells {
	struct sink *sink;
	const struct firefox *firefox;
	const struct firefox_thread *thread; /* in tables of a thread */
};

typedef int64_t cell(const struct cells *cells, size_t row);

/* ---- pieces of JSON ---- */

static void put_literal(struct sink *sink, const char *text)
{
	sink_put(sink, text, strlen(text));
}

static void put_number(struct sink *sink, int64_t number)
{
	sink_need(sink, SINK_PIECE);
	if (number < 0)
		sink_add_literal(sink, "-");
	sink_add_number(sink, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

/* The inside of a string. */
static void put_text(struct sink *sink, const char *text)
{
	sink_json(sink, text, strlen(text));
}

static void put_string(struct sink *sink, const char *text)
{
	put_literal(sink, "\"");
	put_text(sink, text);
	put_literal(sink, "\"");
}

/* Nanoseconds as milliseconds. */
static void put_time(struct sink *sink, int64_t ns)
{
	uint64_t amount = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	sink_need(sink, SINK_PIECE);
	if (ns < 0)
		sink_add_literal(sink, "-");
	sink_add_number(sink, amount / 1000000);
	sink_add_literal(sink, ".");
	sink_add_six(sink, (uint32_t)(amount % 1000000));
}

static void begin_column(struct sink *sink, const char *name)
{
	put_string(sink, name);
	put_literal(sink, ":[");
}

static void put_column(const struct cells *cells, const char *name, size_t rows, cell *cell)
{
	begin_column(cells->sink, name);
	for (size_t i = 0; i < rows; i++) {
		int64_t value = cell(cells, i);

		if (i)
			put_literal(cells->sink, ",");
		if (value == NONE)
			put_literal(cells->sink, "null");
		else
			put_number(cells->sink, value);
	}
	put_literal(cells->sink, "],");
}

static void put_times(const struct cells *cells, const char *name, size_t rows, cell *cell)
{
	begin_column(cells->sink, name);
	for (size_t i = 0; i < rows; i++) {
		if (i)
			put_literal(cells->sink, ",");
		put_time(cells->sink, cell(cells, i));
	}
	put_literal(cells->sink, "],");
}

/* A column that says the same in each row. */
static void put_same(const struct cells *cells, const char *name, size_t rows, const char *value)
{
	begin_column(cells->sink, name);
	for (size_t i = 0; i < rows; i++) {
		if (i)
			put_literal(cells->sink, ",");
		put_literal(cells->sink, value);
	}
	put_literal(cells->sink, "],");
}

/* Ends a table. */
static void put_length(struct sink *sink, size_t rows)
{
	put_literal(sink, "\"length\":");
	put_number(sink, (int64_t)rows);
	put_literal(sink, "}");
}

/* ---- tables of all threads ---- */

static int64_t known(uint32_t number)
{
	return number == FIREFOX_NONE ? NONE : (int64_t)number;
}

static int64_t stack_frame(const struct cells *cells, size_t row)
{
	return cells->firefox->stacks[row].frame;
}

static int64_t stack_parent(const struct cells *cells, size_t row)
{
	return known(cells->firefox->stacks[row].parent);
}

static int64_t frame_category(const struct cells *cells, size_t row)
{
	return cells->firefox->frames[row].category;
}

static int64_t row_number(const struct cells *cells, size_t row)
{
	(void)cells;
	return (int64_t)row;
}

static int64_t function_name(const struct cells *cells, size_t row)
{
	return cells->firefox->frames[row].name;
}

static int64_t function_resource(const struct cells *cells, size_t row)
{
	uint32_t resource = cells->firefox->frames[row].resource;

	return resource == FIREFOX_NONE ? -1 : (int64_t)resource;
}

static int64_t resource_name(const struct cells *cells, size_t row)
{
	return cells->firefox->object_names[row];
}

static void put_frames(const struct cells *cells)
{
	size_t rows = cells->firefox->frame_count;

	put_literal(cells->sink, "\"frameTable\":{");
	put_same(cells, "address", rows, "-1");
	put_same(cells, "inlineDepth", rows, "0");
	put_column(cells, "category", rows, frame_category);
	put_same(cells, "subcategory", rows, "0");
	put_column(cells, "func", rows, row_number);
	put_same(cells, "nativeSymbol", rows, "null");
	put_same(cells, "innerWindowID", rows, "0");
	put_same(cells, "line", rows, "null");
	put_same(cells, "column", rows, "null");
	put_length(cells->sink, rows);
	/* A function for each frame. */
	put_literal(cells->sink, ",\"funcTable\":{");
	put_column(cells, "name", rows, function_name);
	put_same(cells, "isJS", rows, "false");
	put_same(cells, "relevantForJS", rows, "false");
	put_column(cells, "resource", rows, function_resource);
	put_same(cells, "source", rows, "null");
	put_same(cells, "lineNumber", rows, "null");
	put_same(cells, "columnNumber", rows, "null");
	put_length(cells->sink, rows);
}

static void put_shared(const struct cells *cells)
{
	const struct firefox *firefox = cells->firefox;
	struct sink *sink = cells->sink;

	put_literal(sink, "\"shared\":{\"stackTable\":{");
	put_column(cells, "frame", firefox->stack_count, stack_frame);
	put_column(cells, "prefix", firefox->stack_count, stack_parent);
	put_length(sink, firefox->stack_count);
	put_literal(sink, ",");
	put_frames(cells);
	put_literal(sink, ",\"resourceTable\":{");
	put_column(cells, "name", firefox->objects.count, resource_name);
	put_same(cells, "lib", firefox->objects.count, "null");
	put_same(cells, "host", firefox->objects.count, "null");
	put_same(cells, "type", firefox->objects.count, RESOURCE_LIBRARY);
	put_length(sink, firefox->objects.count);
	put_literal(sink,
		    ",\"nativeSymbols\":{\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[],\"length\":0},"
		    "\"sources\":{\"uuid\":[],\"filename\":[],\"length\":0},\"stringArray\":[");
	for (size_t i = 0; i < firefox->strings.count; i++) {
		if (i)
			put_literal(sink, ",");
		put_string(sink, intern_get(&firefox->strings, (uint32_t)i));
	}
	put_literal(sink, "]}");
}

/* ---- tables of a thread ---- */

static const struct samples_sample *sample_at(const struct cells *cells, size_t row)
{
	return &cells->firefox->samples->samples[cells->firefox->order[cells->thread->first_sample + row]];
}

static int64_t sample_stack(const struct cells *cells, size_t row)
{
	const struct samples_sample *sample = sample_at(cells, row);

	return known(cells->firefox->numbers[sample->flags & FIREFOX_FLAGS][sample->stack]);
}

static int64_t sample_time(const struct cells *cells, size_t row)
{
	return (int64_t)sample_at(cells, row)->time;
}

/* What a thread ran since its last sample: that which a sample stands for, or all of a shorter time. */
static int64_t sample_ran(const struct cells *cells, size_t row)
{
	uint64_t period = sampled_period(cells->firefox->samples), past;

	if (!row)
		return 0;
	past = sample_at(cells, row)->time - sample_at(cells, row - 1)->time;
	return (int64_t)(past < period ? past : period);
}

static void put_samples(const struct cells *cells)
{
	size_t rows = cells->thread->sample_count;

	put_literal(cells->sink, "\"samples\":{");
	put_column(cells, "stack", rows, sample_stack);
	put_times(cells, "time", rows, sample_time);
	put_column(cells, "threadCPUDelta", rows, sample_ran);
	put_literal(cells->sink, "\"weight\":null,\"weightType\":\"samples\",");
	put_length(cells->sink, rows);
}

static const struct firefox_marker *marker_at(const struct cells *cells, size_t row)
{
	return &cells->firefox->markers[cells->thread->first_marker + row];
}

static int64_t marker_name(const struct cells *cells, size_t row)
{
	return marker_at(cells, row)->name;
}

static int64_t marker_start(const struct cells *cells, size_t row)
{
	return marker_at(cells, row)->start;
}

static int64_t marker_end(const struct cells *cells, size_t row)
{
	return marker_at(cells, row)->end;
}

static int64_t marker_category(const struct cells *cells, size_t row)
{
	return marker_at(cells, row)->schema == FIREFOX_MARK_QUERY ? FIREFOX_QUERY : FIREFOX_ACTIVITY;
}

static void put_marker_data(const struct cells *cells, const struct firefox_marker *marker)
{
	struct sink *sink = cells->sink;

	put_literal(sink, marker->schema == FIREFOX_MARK_QUERY ? "{\"type\":\"Query\",\"kind\":"
							       : "{\"type\":\"Activity\",\"kind\":");
	put_number(sink, marker->kind);
	if (marker->arguments != INTERN_FAILED) {
		put_literal(sink, ",\"arguments\":");
		put_number(sink, marker->arguments);
	}
	put_literal(sink, "}");
}

static void put_markers(const struct cells *cells)
{
	size_t rows = cells->thread->marker_count;

	put_literal(cells->sink, "\"markers\":{");
	begin_column(cells->sink, "data");
	for (size_t i = 0; i < rows; i++) {
		if (i)
			put_literal(cells->sink, ",");
		put_marker_data(cells, marker_at(cells, i));
	}
	put_literal(cells->sink, "],");
	put_column(cells, "name", rows, marker_name);
	put_times(cells, "startTime", rows, marker_start);
	put_times(cells, "endTime", rows, marker_end);
	put_same(cells, "phase", rows, PHASE_INTERVAL);
	put_column(cells, "category", rows, marker_category);
	put_length(cells->sink, rows);
}

/* When a thread was first seen. */
static int64_t first_seen(const struct cells *cells)
{
	const struct firefox_thread *thread = cells->thread;
	int64_t first = thread->sample_count ? sample_time(cells, 0) : INT64_MAX;

	if (thread->marker_count && marker_start(cells, 0) < first)
		first = marker_start(cells, 0);
	return first;
}

static void put_thread(const struct cells *cells)
{
	const struct firefox_thread *thread = cells->thread;
	const struct intern *strings = &cells->firefox->strings;
	struct sink *sink = cells->sink;

	put_literal(sink, "{\"processType\":\"default\",\"processStartupTime\":");
	put_time(sink, first_seen(cells));
	put_literal(sink, ",\"processShutdownTime\":null,\"registerTime\":");
	put_time(sink, first_seen(cells));
	put_literal(sink, ",\"unregisterTime\":null,\"pausedRanges\":[],\"showMarkersInTimeline\":true,\"name\":");
	put_string(sink, intern_get(strings, thread->name));
	put_literal(sink, thread->pid == thread->tid ? ",\"isMainThread\":true" : ",\"isMainThread\":false");
	put_literal(sink, ",\"processName\":\"");
	put_text(sink, intern_get(strings, thread->process));
	if (thread->crate != INTERN_FAILED) {
		put_literal(sink, " ");
		put_text(sink, intern_get(strings, thread->crate));
	}
	put_literal(sink, "\",\"pid\":\"");
	put_number(sink, thread->pid);
	put_literal(sink, "\",\"tid\":");
	put_number(sink, thread->tid);
	put_literal(sink, ",");
	put_samples(cells);
	put_literal(sink, ",");
	put_markers(cells);
	put_literal(sink, "}");
}

/* ---- what is said of the profile as a whole ---- */

/* In the order of enum firefox_category. The first grey one stands for what has none. */
static json_t *make_categories(void)
{
	static const char *const categories[][2] = {
	    [FIREFOX_OTHER] = {"Other", "grey"},	 [FIREFOX_QUERY] = {"Query", "blue"},
	    [FIREFOX_ACTIVITY] = {"Activity", "purple"}, [FIREFOX_RUST] = {"Rust compiler", "orange"},
	    [FIREFOX_LLVM] = {"LLVM", "green"},		 [FIREFOX_KERNEL] = {"Kernel", "red"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:[s]}", "name", categories[i][0], "color",
						      categories[i][1], "subcategories", "Other"));
	return list;
}

/* How markers of a type are shown: `table` is what a table says of them behind their name. */
static json_t *make_schema(const char *type, const char *table, const char *description)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[s, s, s], s:b, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}", "name",
			 type, "tooltipLabel", "{marker.name}", "tableLabel", table, "chartLabel", "{marker.name}",
			 "display", "marker-chart", "marker-table", "timeline-overview", "isStackBased", 1,
			 "description", description, "fields", "key", "kind", "label", "Kind", "format",
			 "unique-string", "key", "arguments", "label", "Arguments", "format", "unique-string");
}

static json_t *make_meta(const struct samples *samples)
{
	json_t *meta = json_pack(
	    "{s:f, s:f, s:f, s:f, s:i, s:s, s:i, s:i, s:i, s:b, s:b, s:b, s:b, s:s, s:{s:s, s:s, s:s}}", "interval",
	    (double)sampled_period(samples) / 1e6, "startTime", (double)samples->began / 1e6, "profilingStartTime", 0.0,
	    "profilingEndTime", (double)samples->duration / 1e6, "processType", 0, "product", "querytap", "stackwalk",
	    1, "version", GECKO_VERSION, "preprocessedProfileVersion", FORMAT_VERSION, "symbolicated", 1,
	    "symbolicationNotSupported", 1, "usesOnlyOneStackType", 1, "sourceCodeIsNotOnSearchfox", 1, "importedFrom",
	    "querytap " QUERYTAP_VERSION, "sampleUnits", "time", "ms", "eventDelay", "ms", "threadCPUDelta", "ns");
	json_t *said = json_pack("[{s:s, s:s, s:I}, {s:s, s:s, s:s}]", "label", "Samples lost", "format", "integer",
				 "value", (json_int_t)samples->lost, "label", "Queries in stacks", "format", "string",
				 "value", samples->estimated ? "found by their functions" : "found by probes");

	json_object_set_new(meta, "categories", make_categories());
	json_object_set_new(meta, "markerSchema",
			    json_pack("[o, o]", make_schema("Query", "{marker.data.arguments}", "A query that ran."),
				      make_schema("Activity", "{marker.data.kind} {marker.data.arguments}",
						  "Anything else that -Zself-profile shows.")));
	json_object_set_new(meta, "extra", json_pack("[{s:s, s:o}]", "label", "querytap", "entries", said));
	return meta;
}

static int put_to_sink(const char *text, size_t size, void *sink)
{
	sink_put(sink, text, size);
	return 0;
}

static int put_meta(struct sink *sink, const struct samples *samples, struct error *err)
{
	json_t *meta = make_meta(samples);
	int rc = meta ? json_dump_callback(meta, put_to_sink, sink, JSON_COMPACT) : -1;

	json_decref(meta);
	return rc ? error_set(err, ENOMEM, "out of memory for a profile") : 0;
}

static int write_profile(const struct firefox *firefox, FILE *out, struct error *err)
{
	struct sink sink;
	struct cells cells = {.sink = &sink, .firefox = firefox};
	int rc = sink_open(&sink, out, err);

	if (rc)
		return rc;
	put_literal(&sink, "{\"meta\":");
	rc = put_meta(&sink, firefox->samples, err);
	put_literal(&sink, ",\"libs\":[],\"threads\":[");
	for (size_t i = 0; i < firefox->thread_count; i++) {
		if (i)
			put_literal(&sink, ",");
		cells.thread = &firefox->threads[i];
		put_thread(&cells);
	}
	put_literal(&sink, "],");
	put_shared(&cells);
	put_literal(&sink, "}\n");
	sink_close(&sink);
	return rc;
}

int firefox_write(struct firefox *firefox, bool compressed, FILE *out, struct error *err)
{
	FILE *stream = out;
	int rc = compressed ? gzip_open(out, &stream, err) : 0;

	if (rc)
		return rc;
	firefox_order_markers(firefox);
	rc = write_profile(firefox, stream, err);
	if (compressed)
		fclose(stream);
	return rc;
}
