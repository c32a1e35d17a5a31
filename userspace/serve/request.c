/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "serve/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/wire.h"
#include "serve/message.h"

enum { MAX_PATTERNS = 4096, MAX_BUDGET = 1000, MAX_MASK = 0777 };

/* The kernel's memory for a ring buffer is the daemon's, not the user's. */
#define MAX_RING (64ULL << 20)
#define ALL_EVENTS ((COLLECT_EVENT(EVENT_CLASSES) - 1) | COLLECT_TEXTS | COLLECT_KEYS | COLLECT_SIZES)

/* ---- the request ---- */

json_t *request_message(const struct request *request)
{
	const struct client_options *options = &request->options;
	json_t *record =
	    json_pack("{s:b, s:b, s:b, s:b, s:b, s:I, s:i, s:I, s:i, s:f, s:i}", "all", options->follow_all, "cpu_time",
		      options->cpu_time, "compensate", options->compensate, "quiet", options->quiet, "progress",
		      options->progress, "ring", (json_int_t)options->ring_bytes, "probes", (int)options->attach,
		      "events", (json_int_t)options->events, "overhead", (int)options->overhead.mode, "budget",
		      options->overhead.budget, "umask", (int)request->mask);

	if (options->overhead.queries)
		json_object_set_new(record, "queries", message_text(options->overhead.queries));
	if (options->comm)
		json_object_set_new(record, "comm", message_text(options->comm));
	return json_pack("{s:i, s:o}", "querytap", REQUEST_VERSION, "record", record);
}

static int check_numbers(const struct client_options *options, struct error *err)
{
	size_t ring = options->ring_bytes;

	if (ring > MAX_RING)
		return error_set(err, EINVAL, "the daemon records with a --buffer of at most %llu MiB", MAX_RING >> 20);
	if (ring && (ring < 4096 || (ring & (ring - 1))))
		return error_set(err, EBADMSG, "the message's \"ring\" is not what it has to be");
	if (options->attach == ATTACH_PERF)
		return error_set(
		    err, ENOTSUP,
		    "the daemon attaches all probes of a compiler at once: one by one takes CAP_SYS_ADMIN, "
		    "which it does without");
	if (options->events & ~ALL_EVENTS)
		return error_set(err, EBADMSG, "the message's \"events\" is not what it has to be");
	return 0;
}

static int read_record(json_t *record, struct request *request, struct error *err)
{
	struct client_options *options = &request->options;
	uint64_t ring = 0, probes = ATTACH_AUTO, events = 0, mode = OVERHEAD_AUTO;
	const struct field fields[] = {
	    {"all", FIELD_BOOL, true, &options->follow_all, 0},
	    {"comm", FIELD_TEXT, false, &options->comm, WIRE_COMM - 1},
	    {"cpu_time", FIELD_BOOL, true, &options->cpu_time, 0},
	    {"compensate", FIELD_BOOL, true, &options->compensate, 0},
	    {"quiet", FIELD_BOOL, true, &options->quiet, 0},
	    {"progress", FIELD_BOOL, true, &options->progress, 0},
	    {"ring", FIELD_UINT, true, &ring, UINT32_MAX},
	    {"probes", FIELD_UINT, true, &probes, ATTACH_PERF},
	    {"events", FIELD_UINT, true, &events, UINT32_MAX},
	    {"overhead", FIELD_UINT, true, &mode, OVERHEAD_COUNTS},
	    {"budget", FIELD_REAL, true, &options->overhead.budget, MAX_BUDGET},
	    {"queries", FIELD_TEXT, false, &options->overhead.queries, MAX_PATTERNS},
	    {"umask", FIELD_UINT, true, &request->mask, MAX_MASK},
	    {0},
	};
	int code = message_fields(record, fields, err);

	options->ring_bytes = ring;
	options->attach = (enum attach_method)probes;
	options->events = (unsigned int)events;
	options->overhead.mode = (enum overhead_mode)mode;
	return code < 0 ? code : check_numbers(options, err);
}

int request_read(json_t *message, struct request *request, struct error *err)
{
	uint64_t version;
	json_t *record;
	const struct field fields[] = {
	    {"querytap", FIELD_UINT, true, &version, UINT32_MAX},
	    {"record", FIELD_OBJECT, true, &record, 0},
	    {0},
	};
	int code = message_fields(message, fields, err);

	*request = (struct request){.options = {.directory = -1, .cache = -1}};
	return code < 0 ? code : read_record(record, request, err);
}

/* ---- totals ---- */

#define TOTALS(X)  \
	X(files)   \
	X(running) \
	X(queries) X(others) X(lost) X(missed) X(unwound) X(truncated) X(too_deep) X(unnamed) X(unseen) X(failed)

json_t *totals_message(const struct collect_totals *totals)
{
	json_t *object = json_object();

#define PUT(name) json_object_set_new(object, #name, json_integer((json_int_t)totals->name));
	TOTALS(PUT)
#undef PUT
	json_object_set_new(object, "failure", message_text(totals->failure));
	return object;
}

int totals_read(json_t *object, struct collect_totals *totals, struct error *err)
{
	const char *failure = "";
	const struct field fields[] = {
#define FIELD(name) {#name, FIELD_UINT, true, &totals->name, INT64_MAX},
	    TOTALS(FIELD)
#undef FIELD
		{"failure", FIELD_TEXT, true, &failure, sizeof(totals->failure) - 1},
	    {0},
	};
	int code = message_fields(object, fields, err);

	snprintf(totals->failure, sizeof(totals->failure), "%s", code < 0 ? "" : failure);
	return code;
}

/* ---- the result ---- */

json_t *result_message(const struct client_result *result)
{
	return json_pack("{s:{s:o, s:I, s:f, s:f, s:o, s:o}}", "finished", "totals", totals_message(&result->totals),
			 "untimed", (json_int_t)result->untimed.labels, "untimed_events", result->untimed.events,
			 "untimed_self", result->untimed.self, "build", message_text(result->build.text), "broken",
			 message_text(result->broken.text));
}

int result_read(json_t *finished, struct client_result *result, struct error *err)
{
	const char *build = "", *broken = "";
	json_t *totals = NULL;
	uint64_t labels = 0;
	const struct field fields[] = {
	    {"totals", FIELD_OBJECT, true, &totals, 0},
	    {"untimed", FIELD_UINT, true, &labels, SIZE_MAX},
	    {"untimed_events", FIELD_REAL, true, &result->untimed.events, 2},
	    {"untimed_self", FIELD_REAL, true, &result->untimed.self, 2},
	    {"build", FIELD_TEXT, true, &build, 0},
	    {"broken", FIELD_TEXT, true, &broken, 0},
	    {0},
	};
	int code = message_fields(finished, fields, err);

	if (code < 0)
		return code;
	result->untimed.labels = labels;
	snprintf(result->build.text, sizeof(result->build.text), "%s", build);
	snprintf(result->broken.text, sizeof(result->broken.text), "%s", broken);
	return totals_read(totals, &result->totals, err);
}
