/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Plans on disk, one text file a build id: header lines, a line a query, a line a site, and a CRC-32 of all before it.
 * A plan says where probes are put, so nothing of it is believed unchecked: each site's instruction is looked at again.
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

#define FORMAT "querytap-plan 3"

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

static char *plan_text(const struct plan *plan, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	unsigned long crc;

	if (!out)
		return NULL;
	fprintf(out, FORMAT "\nbuild-id %s\nversion %s\ngeneration %s\nsize %" PRIu64 "\n", plan->build_id,
		plan->version, plan->generation, plan->size);
	fprintf(out, "queries %zu\n", plan->query_count);
	for (size_t i = 0; i < plan->query_count; i++) {
		const struct plan_query *query = &plan->queries[i];

		fprintf(out, "%" PRIu32 " %s %s\n", query->vtable_offset, query->name,
			query->refusal ? query->refusal : "");
	}
	fprintf(out, "sites %zu\n", plan->site_count);
	for (size_t i = 0; i < plan->site_count; i++)
		fprintf(out, "%d %" PRIu64 " %" PRIx64 "\n", (int)plan->sites[i].kind, plan->sites[i].offset,
			plan->sites[i].cookie);
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
	char *text = plan_text(plan, &size);

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
	static const char key[] = "crc32 ";
	char *line = size > 1 ? memrchr(text, '\n', size - 1) : NULL;

	if (!line || strlen(text) != size || strncmp(line + 1, key, sizeof(key) - 1) != 0 ||
	    strtoul(line + sizeof(key), NULL, 16) !=
		crc32(0, (const unsigned char *)text, (unsigned int)(line + 1 - text)))
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

/* A vtable's offset indexes a table later on, so that it has to be one that plan_make could have found. */
static bool parse_query(char *line, struct plan_query *query)
{
	char *offset = line ? strsep(&line, " ") : NULL;
	char *name = line ? strsep(&line, " ") : NULL;
	unsigned long long number;
	char *end;

	if (!name || !*name || !line)
		return false;
	number = strtoull(offset, &end, 10);
	if (end == offset || *end || number > UINT32_MAX || (!*line && (number % 8 || number / 8 >= WIRE_VTABLE_SLOTS)))
		return false;
	query->vtable_offset = (uint32_t)number;
	query->name = strdup(name);
	query->refusal = *line ? strdup(line) : NULL;
	return query->name && (!*line || query->refusal);
}

static bool parse_site(const char *line, struct site *site)
{
	int kind, used = 0;

	if (!line || sscanf(line, "%d %" SCNu64 " %" SCNx64 "%n", &kind, &site->offset, &site->cookie, &used) != 3 ||
	    line[used] || kind < 0 || kind >= SITE_KINDS)
		return false;
	site->kind = (enum site_kind)kind;
	return true;
}

static bool parse_rows(char **at, struct plan *plan)
{
	uint64_t count;

	if (!next_number(at, "queries", &count) || count > MAX_ROWS)
		return false;
	plan->queries = calloc(count + 1, sizeof(*plan->queries));
	for (uint64_t i = 0; plan->queries && i < count; i++, plan->query_count++)
		if (!parse_query(*at ? next_line(at) : NULL, &plan->queries[i]))
			return false;
	if (!plan->queries || !next_number(at, "sites", &count) || count > MAX_ROWS)
		return false;
	plan->sites = calloc(count + 1, sizeof(*plan->sites));
	for (uint64_t i = 0; plan->sites && i < count; i++, plan->site_count++)
		if (!parse_site(*at ? next_line(at) : NULL, &plan->sites[i]))
			return false;
	return plan->sites && *at && !**at;
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

/* Whether each site still holds an instruction that may be probed, in the file as it is now. */
static bool sites_fit(const struct image *image, const struct plan *plan)
{
	for (size_t i = 0; i < plan->site_count; i++) {
		size_t available;
		const uint8_t *bytes = image_file_code(image, plan->sites[i].offset, &available);

		if (!bytes || (!site_is_rare(plan->sites[i].kind) && !kernel_emulates(bytes, available)))
			return false;
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
