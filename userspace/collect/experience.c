/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/experience.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/items.h"
#include "util/path.h"

#define FORMAT "querytap-experience 1"
#define MOST_SECONDS 600.0
#define TYPICAL_SECONDS 5.0 /* of compiling that what is typical counts for */

enum { MAX_LABEL = 256 };

static char *experience_file(const struct plan *plan, const char *cache)
{
	char *file = NULL;

	if (!cache || !plan->build_id[0])
		return NULL;
	return asprintf(&file, "%s/%s.experience", cache, plan->build_id) < 0 ? NULL : file;
}

static void add(struct item_sum *to, const struct item_sum *what)
{
	to->seconds += what->seconds;
	to->events += what->events;
	to->self += what->self;
}

static bool is_sound(double value)
{
	return isfinite(value) && value >= 0;
}

/* Adds a line of the file to the item that it is about, if this compiler has it. Returns whether it is one. */
static bool take_line(const struct plan *plan, const char *line, struct item_sum *sums)
{
	char label[MAX_LABEL];
	struct item_sum sum;
	int event, used = 0;
	size_t item;

	if (sscanf(line, "%d %lf %lf %lf %255s %n", &event, &sum.seconds, &sum.events, &sum.self, label, &used) != 5 ||
	    line[used] || event < 0 || event >= EVENT_CLASSES || !is_sound(sum.seconds) || !is_sound(sum.events) ||
	    !is_sound(sum.self))
		return false;
	item = item_find(plan, (enum event_class)event, label);
	if (item != SIZE_MAX)
		add(&sums[item], &sum);
	return true;
}

/* Adds what the file says. Returns whether it is one from beginning to end. */
static bool read_sums(const struct plan *plan, FILE *file, struct item_sum *sums)
{
	char line[MAX_LABEL + 128];
	bool ended = false;

	if (!fgets(line, sizeof(line), file) || strcmp(line, FORMAT "\n") != 0)
		return false;
	while (!ended && fgets(line, sizeof(line), file)) {
		ended = !strcmp(line, "end\n");
		if (!ended && !take_line(plan, line, sums))
			return false;
	}
	return ended;
}

/* What the file says; zeroes if there is none or it is damaged. NULL if out of memory. */
static struct item_sum *load_sums(const struct plan *plan, const char *cache)
{
	size_t count = item_count(plan);
	struct item_sum *sums = calloc(count, sizeof(*sums));
	char *path = sums ? experience_file(plan, cache) : NULL;
	FILE *file = path ? fopen(path, "re") : NULL;

	free(path);
	if (!file)
		return sums;
	if (!read_sums(plan, file, sums))
		memset(sums, 0, count * sizeof(*sums));
	fclose(file);
	return sums;
}

struct item_sum *experience_load(const struct plan *plan, const char *cache)
{
	struct item_sum *sums = load_sums(plan, cache);

	if (!sums)
		return NULL;
	for (size_t i = 0; i < item_count(plan); i++)
		sums[i].seconds += TYPICAL_SECONDS;
	for (size_t i = 0; i < typical_count; i++) {
		const struct typical *typical = &typical_items[i];
		size_t item = item_find(plan, typical->event, typical->label);
		double events = TYPICAL_SECONDS * typical->rate / 1000;

		if (item != SIZE_MAX)
			add(&sums[item], &(struct item_sum){0, events, events * typical->self_ns / 1e9});
	}
	return sums;
}

static char *sums_text(const struct plan *plan, const struct item_sum *sums, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		return NULL;
	fprintf(out, FORMAT "\n");
	for (size_t i = 0; i < item_count(plan); i++) {
		double fade = sums[i].seconds > MOST_SECONDS ? MOST_SECONDS / sums[i].seconds : 1;

		if (sums[i].seconds > 0)
			fprintf(out, "%d %.3f %.0f %.9f %s\n", (int)item_event(plan, i), sums[i].seconds * fade,
				sums[i].events * fade, sums[i].self * fade, item_label(plan, i));
	}
	fprintf(out, "end\n");
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void experience_store(const struct plan *plan, const char *cache, const struct identity *owner,
		      const struct item_sum *seen)
{
	struct item_sum *sums = load_sums(plan, cache);
	char *path = experience_file(plan, cache), *text = NULL;
	size_t size = 0;

	if (sums && path) {
		for (size_t i = 0; i < item_count(plan); i++)
			add(&sums[i], &seen[i]);
		text = sums_text(plan, sums, &size);
	}
	if (text && path_make_directory(cache, owner, NULL) == 0)
		path_write_file(path, text, size, owner, NULL);
	free(text);
	free(path);
	free(sums);
}
