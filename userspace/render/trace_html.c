/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The page trace.html: its data are an overview as JSON, which it reads at once, and the chunks of nodes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/data.h"
#include "render/page.h"
#include "render/render.h"
#include "render/trace_chunks.h"

struct page {
	const struct trace *trace;
	const struct mmp_reader *profile;
};

/* The crate's name as the command line has it, or the profile's file name without its extension. */
static struct mmp_text name_of(const struct mmp_reader *profile)
{
	static const char option[] = " --crate-name ";
	const char *found = strstr(mmp_metadata(profile)->cmd, option);
	const char *path = mmp_path(profile), *slash = strrchr(path, '/');
	struct mmp_text name;

	if (found) {
		name.bytes = found + strlen(option);
		name.size = strcspn(name.bytes, " ");
		return name;
	}
	name.bytes = slash ? slash + 1 : path;
	name.size = strlen(name.bytes);
	if (name.size > strlen(MMP_EXTENSION) &&
	    strcmp(name.bytes + name.size - strlen(MMP_EXTENSION), MMP_EXTENSION) == 0)
		name.size -= strlen(MMP_EXTENSION);
	return name;
}

static int write_title(void *context, FILE *out, struct error *err)
{
	struct mmp_text name = name_of(((const struct page *)context)->profile);

	(void)err;
	page_put_html(name.bytes, name.size, out);
	return 0;
}

static void put_member(const char *key, const char *text, size_t size, FILE *out)
{
	fprintf(out, "\"%s\":", key);
	page_put_json(text, size, out);
	fputc(',', out);
}

/* For each label: text, nodes of each kind, hits, total and self time, longest node (-1 without one), its duration. */
static void put_labels(const struct trace *trace, FILE *out)
{
	for (uint32_t i = 0; i < trace->label_count; i++) {
		const struct trace_label *label = &trace->labels[i];

		fputs(i ? ",\n[" : "\n[", out);
		page_put_json(label->text, strlen(label->text), out);
		for (int kind = 0; kind < TRACE_KINDS; kind++)
			fprintf(out, ",%" PRIu64, label->counts[kind]);
		fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", label->hits, label->total_ns, label->self_ns);
		if (label->longest == TRACE_NONE)
			fputs("-1,0]", out);
		else
			fprintf(out, "%" PRIu32 ",%" PRIu64 "]", label->longest, trace->nodes[label->longest].duration);
	}
}

static int write_overview(void *context, FILE *out, struct error *err)
{
	const struct page *page = context;
	const struct trace *trace = page->trace;
	const struct mmp_metadata *metadata = mmp_metadata(page->profile);
	struct mmp_text name = name_of(page->profile);
	const char *unit = profile_unit(page->profile);

	(void)err;
	unit = unit ? unit : "";
	fputc('{', out);
	put_member("name", name.bytes, name.size, out);
	put_member("command", metadata->cmd, strlen(metadata->cmd), out);
	put_member("unit", unit, strlen(unit), out);
	fprintf(out, "\"nodes\":%" PRIu32 ",\"whole\":%" PRIu64 ",\"threads\":[", trace->node_count, trace->whole_ns);
	for (uint32_t i = 0; i < trace->thread_count; i++) {
		const struct trace_thread *thread = &trace->threads[i];

		fprintf(out, "%s[%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
			i ? "," : "", thread->id, thread->first, thread->roots, thread->count, thread->root_ns,
			thread->start, thread->end);
	}
	fputs("],\"chunks\":[", out);
	for (uint32_t first = 0; first < trace->node_count; first = chunk_end(trace, first))
		fprintf(out, "%s%" PRIu32, first ? "," : "", first);
	fputs("],\"labels\":[", out);
	put_labels(trace, out);
	fputs("]}", out);
	return 0;
}

static int write_chunks(void *context, FILE *out, struct error *err)
{
	const struct page *page = context;
	uint32_t end;
	int rc = 0;

	for (uint32_t first = 0, i = 0; first < page->trace->node_count && !rc; first = end, i++) {
		end = chunk_end(page->trace, first);
		fprintf(out, "<script type=\"text/plain\" id=\"chunk-%" PRIu32 "\">", i);
		rc = chunk_write(page->trace, page->profile, first, end, out, err);
		fputs("</script>\n", out);
	}
	return rc;
}

static int write_policy(void *context, FILE *out, struct error *err)
{
	static const char *const files[] = {"base.css",	     "trace.css",     "trace_print.css", "trace_data.js",
					    "trace_rows.js", "trace_view.js", "trace.js",	 NULL};

	(void)context;
	(void)err;
	policy_put(files, out);
	return 0;
}

int render_trace_html(const struct trace *trace, const struct mmp_reader *profile, FILE *out, struct error *err)
{
	static const struct page_slot slots[] = {
	    {"title", write_title},
	    {"overview", write_overview},
	    {"chunks", write_chunks},
	    {"policy", write_policy},
	    {0},
	};
	struct page page = {trace, profile};

	return page_write("trace.html", slots, &page, out, err);
}
