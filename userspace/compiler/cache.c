/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Plans on disk, one text file a build id: header lines, a line for each row of the plan, and a CRC-32 of all before
 * it. A plan says where probes are put, so nothing of it is believed unchecked: each site's instruction is looked at
 * again, and all numbers are such as index what is there.
 */
#include "compiler/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "bpf/wire.h"
#include "compiler/elf.h"
#include "compiler/flow.h"
#include "util/path.h"

#define FORMAT "querytap-plan 10"

enum { MAX_FILE = 4 * 1024 * 1024, MAX_ROWS = 65536 };

char *plan_cache_directory(const struct identity *user)
{
	const char *given = user->behind_sudo ? NULL : getenv("XDG_CACHE_HOME");
	bool has_home = access(user->home, F_OK) == 0;
	char *base = given && *given == '/' ? strdup(given) : has_home ? path_join(user->home, ".cache") : NULL;
	char *directory = base ? path_join(base, "querytap") : NULL;

	free(base);
	return directory;
}

static char *plan_file(const char *cache, const char *build_id)
{
	char *file = NULL;

	return asprintf(&file, "%s/%s.plan", cache, build_id) < 0 ? NULL : file;
}

/* ---- writing ---- */

char *plan_to_text(const struct plan *plan, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	unsigned long crc;

	if (!out)
		return NULL;
	fprintf(out, FORMAT "\nbuild-id %s\nversion %s\ngeneration %s\nsize %" PRIu64 "\n", plan->build_id,
		plan->version, plan->generation, plan->size);
	fprintf(out, "groups %zu\n", plan->group_count);
	fprintf(out, "queries %zu\n", plan->query_count);
	for (size_t i = 0; i < plan->query_count; i++) {
		const struct plan_query *query = &plan->queries[i];

		fprintf(out, "%" PRIu32 " %" PRIu32 " %d %s %s\n", query->vtable_offset, query->group,
			query->names_loads, query->name, query->refusal ? query->refusal : "");
	}
	fprintf(out, "activities %zu\n", plan->activity_count);
	for (size_t i = 0; i < plan->activity_count; i++)
		fprintf(out, "%" PRIu32 " %s\n", plan->activities[i].group, plan->activities[i].label);
	fprintf(out, "omissions %zu\n", plan->omission_count);
	for (size_t i = 0; i < plan->omission_count; i++)
		fprintf(out, "%s\t%s\n", plan->omissions[i].label, plan->omissions[i].refusal);
	fprintf(out, "passes %zu\n", plan->pass_count);
	for (size_t i = 0; i < plan->pass_count; i++)
		fprintf(out, "%" PRIx64 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", plan->passes[i].vtable,
			plan->passes[i].selector, plan->passes[i].count, plan->passes[i].first);
	fprintf(out, "sites %zu\n", plan->site_count);
	for (size_t i = 0; i < plan->site_count; i++)
		fprintf(out, "%d %d %" PRIu32 " %" PRIu64 " %" PRIx64 "\n", (int)plan->sites[i].kind,
			(int)plan->sites[i].event, plan->sites[i].group, plan->sites[i].offset, plan->sites[i].cookie);
	fprintf(out, "calls %zu\n", plan->call_count);
	for (size_t i = 0; i < plan->call_count; i++)
		fprintf(out, "%" PRIu64 " %" PRIu16 "\n", plan->calls[i].offset, plan->calls[i].number);
	fprintf(out, "spans %zu\n", plan->span_count);
	for (size_t i = 0; i < plan->span_count; i++)
		fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu16 "\n", plan->spans[i].offset, plan->spans[i].size,
			plan->spans[i].number);
	fprintf(out, "bodies %zu\n", plan->body_count);
	for (size_t i = 0; i < plan->body_count; i++)
		fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu16 "\n", plan->bodies[i].offset, plan->bodies[i].size,
			plan->bodies[i].number);
	fprintf(out, "callers %zu\n", plan->caller_count);
	for (size_t i = 0; i < plan->caller_count; i++)
		fprintf(out, "%" PRIu16 " %" PRIu8 " %" PRId32 " %" PRId64 "\n", plan->callers[i].table,
			plan->callers[i].reg, plan->callers[i].displacement, plan->callers[i].distance);
	if (fflush(out) == 0) {
		crc = crc32(0, (const unsigned char *)text, (unsigned int)*size);
		fprintf(out, "crc32 %08lx\n", crc);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* A cache that cannot be written costs a fraction of a second the next time; it is no reason to fail. */
static void cache_store(const struct plan *plan, const char *cache, const struct identity *owner)
{
	size_t size = 0;
	char *file = plan_file(cache, plan->build_id);
	char *text = plan_to_text(plan, &size);

	if (file && text && path_make_directory(cache, owner, NULL) == 0)
		path_write_file(file, text, size, owner, NULL);
	free(file);
	free(text);
}

/* ---- reading ---- */

static char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	char *text = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 && status.st_size <= MAX_FILE)
		text = malloc((size_t)status.st_size + 1);
	if (text && read(fd, text, (size_t)status.st_size) != status.st_size) {
		free(text);
		text = NULL;
	}
	close(fd);
	if (text) {
		*size = (size_t)status.st_size;
		text[*size] = '\0';
	}
	return text;
}

/* Checks the last line's CRC and cuts the line off. */
static bool crc_fits(char *text, size_t size)
{
	char *line = text && size > 1 ? memrchr(text, '\n', size - 1) : NULL;
	char expected[32];

	if (!line || strlen(text) != size)
		return false;
	snprintf(expected, sizeof(expected), "crc32 %08lx\n",
		 crc32(0, (const unsigned char *)text, (unsigned int)(line + 1 - text)));
	if (strcmp(line + 1, expected) != 0)
		return false;
	line[1] = '\0';
	return true;
}

static char *next_line(char **at)
{
	return strsep(at, "\n");
}

/* The rest of the next line if it begins with `key` and a space; else NULL. */
static char *next_value(char **at, const char *key)
{
	char *line = *at ? next_line(at) : NULL;
	size_t length = strlen(key);

	return line && !strncmp(line, key, length) && line[length] == ' ' ? line + length + 1 : NULL;
}

static bool next_number(char **at, const char *key, uint64_t *number)
{
	char *value = next_value(at, key), *end;

	if (!value)
		return false;
	errno = 0;
	*number = strtoull(value, &end, 10);
	return errno == 0 && end != value && *end == '\0';
}

/* Takes a number that is at most `most` off the front of the line. */
static bool take_number(char **line, uint64_t most, uint32_t *number)
{
	char *word = *line ? strsep(line, " ") : NULL, *end;
	unsigned long long value;

	if (!word || *word < '0' || *word > '9')
		return false;
	value = strtoull(word, &end, 10);
	*number = (uint32_t)value;
	return !*end && value <= most;
}

/* A vtable's offset indexes a table later on, so that it has to be one that plan_make could have found. */
static bool parse_query(char *line, const struct plan *plan, struct plan_query *query)
{
	uint32_t loads;
	char *name;

	if (!take_number(&line, UINT32_MAX, &query->vtable_offset) ||
	    !take_number(&line, plan->group_count - 1, &query->group) || !take_number(&line, 1, &loads))
		return false;
	name = line ? strsep(&line, " ") : NULL;
	if (!name || !*name || !line ||
	    (!*line && (query->vtable_offset % 8 || query->vtable_offset / 8 >= WIRE_VTABLE_SLOTS)))
		return false;
	query->names_loads = loads;
	query->name = strdup(name);
	query->refusal = *line ? strdup(line) : NULL;
	return query->name && (!*line || query->refusal);
}

static bool parse_activity(char *line, const struct plan *plan, struct plan_activity *activity)
{
	if (!take_number(&line, plan->group_count - 1, &activity->group) || !line || !*line || strpbrk(line, " \t"))
		return false;
	activity->label = strdup(line);
	return activity->label != NULL;
}

static bool parse_omission(char *line, struct plan_omission *omission)
{
	char *label = line ? strsep(&line, "\t") : NULL;

	if (!label || !*label || !line || !*line)
		return false;
	omission->label = strdup(label);
	omission->refusal = strdup(line);
	return omission->label && omission->refusal;
}

static bool parse_pass(const char *line, const struct plan *plan, struct plan_pass *pass)
{
	int used = 0;

	return line &&
	       sscanf(line, "%" SCNx64 " %" SCNu32 " %" SCNu32 " %" SCNu32 "%n", &pass->vtable, &pass->selector,
		      &pass->count, &pass->first, &used) == 4 &&
	       !line[used] && pass->count >= 1 && pass->count <= plan->activity_count &&
	       pass->first <= plan->activity_count - pass->count;
}

/* The class of the numbers that events of a kind have; activities have none. */
static unsigned int wire_class(enum event_class event)
{
	static const unsigned int classes[] = {[EVENT_INCREMENTAL_LOAD] = WIRE_CLASS_LOAD,
					       [EVENT_RESULT_HASHING] = WIRE_CLASS_HASHING,
					       [EVENT_QUERY_BLOCKED] = WIRE_CLASS_BLOCKED};

	return classes[event];
}

static bool is_activity(const struct plan *plan, unsigned int number)
{
	return number >= WIRE_ACTIVITIES && number - WIRE_ACTIVITIES < plan->activity_count;
}

/* Whether a guard's begin has a number that its event can have. */
static bool number_fits(const struct plan *plan, const struct site *site)
{
	unsigned int number = GUARD_NUMBER(site->cookie);

	if (site->event == EVENT_ACTIVITY)
		return is_activity(plan, number);
	if (GUARD_NAMING(site->cookie) != GUARD_FIXED)
		return number == WIRE_NUMBER(wire_class(site->event), 0);
	return number >> 12 == wire_class(site->event) && (number & 0xfff) <= plan->query_count;
}

static bool begin_fits(const struct plan *plan, const struct site *site)
{
	bool has_id = GUARD_ID(site->cookie) != 0;

	switch (GUARD_NAMING(site->cookie)) {
	case GUARD_FIXED:
		return has_id && number_fits(plan, site);
	case GUARD_ARGUMENT:
		return has_id && site->event == EVENT_ACTIVITY && number_fits(plan, site);
	case GUARD_QUERY_REGISTER:
	case GUARD_QUERY_STACK:
	case GUARD_QUERY_RUNNING:
		return has_id && site->event != EVENT_ACTIVITY && number_fits(plan, site);
	case GUARD_QUERY_CALLER:
		return has_id && site->event == EVENT_INCREMENTAL_LOAD &&
		       GUARD_NUMBER(site->cookie) >> 12 == WIRE_CLASS_LOAD;
	case GUARD_PASS:
		return has_id && site->event == EVENT_ACTIVITY;
	default:
		return false;
	}
}

/* Whether a site's cookie is one that plan_make could have made. */
static bool cookie_fits(const struct plan *plan, const struct site *site)
{
	if (COOKIE_COMPILER(site->cookie) != 0)
		return false;
	if (site->kind != SITE_BEGIN && site->kind != SITE_END)
		return site->event == EVENT_QUERY;
	if (site->event == EVENT_QUERY)
		return false;
	return site->kind == SITE_BEGIN
		   ? begin_fits(plan, site)
		   : GUARD_ID(site->cookie) != 0 && site->cookie == GUARD_MAKE(0, GUARD_ID(site->cookie), 0, 0);
}

static bool parse_site(const char *line, const struct plan *plan, struct site *site)
{
	int kind, event, used = 0;

	if (!line ||
	    sscanf(line, "%d %d %" SCNu32 " %" SCNu64 " %" SCNx64 "%n", &kind, &event, &site->group, &site->offset,
		   &site->cookie, &used) != 5 ||
	    line[used] || site->group >= plan->group_count || kind < 0 || kind >= SITE_KINDS || event < 0 ||
	    event >= EVENT_CLASSES)
		return false;
	site->kind = (enum site_kind)kind;
	site->event = (enum event_class)event;
	return cookie_fits(plan, site);
}

/* The number of rows of a kind, and zeroed room for them; NULL if the line is not that of the kind. */
static void *next_rows(char **at, const char *key, uint64_t most, size_t size, uint64_t *count)
{
	if (!next_number(at, key, count) || *count > most)
		return NULL;
	return calloc(*count + 1, size);
}

static bool parse_queries(char **at, struct plan *plan)
{
	uint64_t count;

	plan->queries = next_rows(at, "queries", WIRE_MAX_QUERIES, sizeof(*plan->queries), &count);
	for (uint64_t i = 0; plan->queries && i < count; i++, plan->query_count++)
		if (!parse_query(*at ? next_line(at) : NULL, plan, &plan->queries[i]))
			return false;
	return plan->queries;
}

static bool parse_activities(char **at, struct plan *plan)
{
	uint64_t count;

	plan->activities = next_rows(at, "activities", WIRE_MAX_ACTIVITIES, sizeof(*plan->activities), &count);
	for (uint64_t i = 0; plan->activities && i < count; i++, plan->activity_count++)
		if (!parse_activity(*at ? next_line(at) : NULL, plan, &plan->activities[i]))
			return false;
	return plan->activities;
}

static bool parse_omissions(char **at, struct plan *plan)
{
	uint64_t count;

	plan->omissions = next_rows(at, "omissions", MAX_ROWS, sizeof(*plan->omissions), &count);
	for (uint64_t i = 0; plan->omissions && i < count; i++) {
		plan->omission_count++;
		if (!parse_omission(*at ? next_line(at) : NULL, &plan->omissions[i]))
			return false;
	}
	return plan->omissions;
}

static bool parse_passes(char **at, struct plan *plan)
{
	uint64_t count;

	plan->passes = next_rows(at, "passes", MAX_ROWS, sizeof(*plan->passes), &count);
	for (uint64_t i = 0; plan->passes && i < count; i++, plan->pass_count++)
		if (!parse_pass(*at ? next_line(at) : NULL, plan, &plan->passes[i]))
			return false;
	return plan->passes;
}

static bool parse_sites(char **at, struct plan *plan)
{
	uint64_t count;

	plan->sites = next_rows(at, "sites", MAX_ROWS, sizeof(*plan->sites), &count);
	for (uint64_t i = 0; plan->sites && i < count; i++, plan->site_count++)
		if (!parse_site(*at ? next_line(at) : NULL, plan, &plan->sites[i]))
			return false;
	return plan->sites;
}

/* Calls are searched by their offsets. */
static bool parse_call(const char *line, const struct plan *plan, uint64_t least, struct plan_call *call)
{
	int used = 0;

	return line && sscanf(line, "%" SCNu64 " %" SCNu16 "%n", &call->offset, &call->number, &used) == 2 &&
	       !line[used] && call->offset >= least &&
	       (call->number <= plan->query_count || call->number == PLAN_CALL_OF_PASS);
}

static bool parse_calls(char **at, struct plan *plan)
{
	uint64_t count, least = 0;

	plan->calls = next_rows(at, "calls", MAX_ROWS, sizeof(*plan->calls), &count);
	for (uint64_t i = 0; plan->calls && i < count; i++, plan->call_count++) {
		if (!parse_call(*at ? next_line(at) : NULL, plan, least, &plan->calls[i]))
			return false;
		least = plan->calls[i].offset;
	}
	return plan->calls;
}

/* So are spans, and those that overlap are the same code. */
static bool parse_span(const char *line, const struct plan *plan, const struct plan_span *last, struct plan_span *span)
{
	int used = 0;

	return line &&
	       sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu16 "%n", &span->offset, &span->size, &span->number,
		      &used) == 3 &&
	       !line[used] && span->size && span->size <= UINT64_MAX - span->offset &&
	       (!last || span->offset >= last->offset + last->size ||
		(span->offset == last->offset && span->size == last->size)) &&
	       is_activity(plan, span->number);
}

static bool parse_spans(char **at, struct plan *plan)
{
	uint64_t count;

	plan->spans = next_rows(at, "spans", MAX_ROWS, sizeof(*plan->spans), &count);
	for (uint64_t i = 0; plan->spans && i < count; i++, plan->span_count++)
		if (!parse_span(*at ? next_line(at) : NULL, plan, i ? &plan->spans[i - 1] : NULL, &plan->spans[i]))
			return false;
	return plan->spans;
}

/* A place is in one body at most. */
static bool parse_body(const char *line, const struct plan *plan, uint64_t least, struct plan_body *body)
{
	int used = 0;

	return line &&
	       sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu16 "%n", &body->offset, &body->size, &body->number,
		      &used) == 3 &&
	       !line[used] && body->offset >= least && body->size && body->size <= UINT64_MAX - body->offset &&
	       is_activity(plan, body->number);
}

static bool parse_bodies(char **at, struct plan *plan)
{
	uint64_t count, least = 0;

	plan->bodies = next_rows(at, "bodies", MAX_ROWS, sizeof(*plan->bodies), &count);
	for (uint64_t i = 0; plan->bodies && i < count; i++, plan->body_count++) {
		if (!parse_body(*at ? next_line(at) : NULL, plan, least, &plan->bodies[i]))
			return false;
		least = plan->bodies[i].offset + plan->bodies[i].size;
	}
	return plan->bodies;
}

static bool parse_caller(const char *line, struct plan_caller *caller)
{
	int used = 0;

	return line &&
	       sscanf(line, "%" SCNu16 " %" SCNu8 " %" SCNd32 " %" SCNd64 "%n", &caller->table, &caller->reg,
		      &caller->displacement, &caller->distance, &used) == 4 &&
	       !line[used] && caller->table && caller->table <= WIRE_MAX_QUERIES && caller->reg <= WIRE_ON_STACK;
}

static bool parse_callers(char **at, struct plan *plan)
{
	uint64_t count;

	plan->callers = next_rows(at, "callers", MAX_ROWS, sizeof(*plan->callers), &count);
	for (uint64_t i = 0; plan->callers && i < count; i++, plan->caller_count++)
		if (!parse_caller(*at ? next_line(at) : NULL, &plan->callers[i]))
			return false;
	return plan->callers;
}

static bool parse_group_count(char **at, struct plan *plan)
{
	uint64_t count;

	if (!next_number(at, "groups", &count) || count < GROUP_FIRST || count > MAX_ROWS)
		return false;
	plan->group_count = count;
	return true;
}

static bool parse_rows(char **at, struct plan *plan)
{
	return parse_group_count(at, plan) && parse_queries(at, plan) && parse_activities(at, plan) &&
	       parse_omissions(at, plan) && parse_passes(at, plan) && parse_sites(at, plan) && parse_calls(at, plan) &&
	       parse_spans(at, plan) && parse_bodies(at, plan) && parse_callers(at, plan) && *at && !**at;
}

static bool copy_value(char *to, size_t size, const char *value)
{
	return value && snprintf(to, size, "%s", value) < (int)size;
}

static bool parse_plan(char *text, struct plan *plan)
{
	char *at = text, *line = next_line(&at);

	return line && !strcmp(line, FORMAT) &&
	       copy_value(plan->build_id, sizeof(plan->build_id), next_value(&at, "build-id")) &&
	       copy_value(plan->version, sizeof(plan->version), next_value(&at, "version")) &&
	       copy_value(plan->generation, sizeof(plan->generation), next_value(&at, "generation")) &&
	       next_number(&at, "size", &plan->size) && parse_rows(&at, plan);
}

int plan_from_text(char *text, size_t size, const char *path, struct plan **out, struct error *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	*out = NULL;
	if (plan)
		plan->path = strdup(path);
	if (!plan || !plan->path || !crc_fits(text, size) || !parse_plan(text, plan)) {
		plan_free(plan);
		return error_set(err, EINVAL, "the plan for %s is damaged", path);
	}
	*out = plan;
	return 0;
}

/* As many sites as are looked at before the pages around them, up to 64 KiB a site, are given back. */
enum { SITES_AT_ONCE = 128 };

/* Whether each site still holds an instruction that may be probed, in the file as it is now. */
static bool sites_fit(const struct image *image, const struct plan *plan)
{
	for (size_t i = 0; i < plan->site_count; i++) {
		size_t available;
		const uint8_t *bytes = image_file_code(image, plan->sites[i].offset, &available);

		if (!bytes || (!site_is_rare(plan->sites[i].kind) && !kernel_emulates(bytes, available)))
			return false;
		if (i % SITES_AT_ONCE == SITES_AT_ONCE - 1)
			image_drop(image);
	}
	return plan_timed(plan) > 0;
}

static struct plan *cache_load(const char *cache, const char *path, const struct image *image, const char *build_id)
{
	char *file = plan_file(cache, build_id);
	size_t size = 0;
	char *text = file ? read_file(file, &size) : NULL;
	struct plan *plan = text ? calloc(1, sizeof(*plan)) : NULL;
	struct stat status;
	bool good = plan && stat(path, &status) == 0 && crc_fits(text, size) && parse_plan(text, plan) &&
		    !strcmp(plan->build_id, build_id) && plan->size == (uint64_t)status.st_size &&
		    sites_fit(image, plan);

	if (good) {
		plan->path = strdup(path);
		plan->from_cache = true;
	}
	if (plan && !plan->path) {
		plan_free(plan);
		plan = NULL;
	}
	free(text);
	free(file);
	return plan;
}

int plan_get(const char *path, const char *cache, const struct identity *owner, struct plan **out, struct error *err)
{
	struct image *image;
	char build_id[65];
	int code;

	*out = NULL;
	if (!cache)
		return plan_make(path, out, err);
	code = image_open(path, &image, err);
	if (code < 0)
		return code;
	image_build_id(image, build_id);
	*out = cache_load(cache, path, image, build_id);
	image_close(image);
	if (*out)
		return 0;
	code = plan_make(path, out, err);
	if (code == 0)
		cache_store(*out, cache, owner);
	return code;
}
