/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/cost_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "util/path.h"

#define FORMAT "querytap-cost 4"

/* Kernel and processor, which is what the cost depends on. */
static void machine_name(char *name, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	struct utsname kernel;
	char line[256], model[128] = "unknown";

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "model name : %127[^\n]", model) == 1)
			break;
	}
	if (file)
		fclose(file);
	uname(&kernel);
	snprintf(name, size, "%.128s %.128s, %s", kernel.release, kernel.version, model);
}

static char *cost_file(const char *cache)
{
	return path_join(cache, "probe-cost");
}

bool cost_load(const char *cache, struct probe_cost *cost)
{
	char *path = cache ? cost_file(cache) : NULL;
	FILE *file = path ? fopen(path, "re") : NULL;
	char machine[512], text[1024];
	int used = 0;
	size_t length;

	free(path);
	if (!file)
		return false;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	machine_name(machine, sizeof(machine));
	return sscanf(text, FORMAT "\nquery %" SCNu64 "\npace %" SCNu64 "\nmachine %n", &cost->query, &cost->pace,
		      &used) == 2 &&
	       used && !strncmp(text + used, machine, strlen(machine)) && text[used + strlen(machine)] == '\n';
}

void cost_store(const char *cache, const struct identity *owner, const struct probe_cost *cost)
{
	char machine[512], text[1024];
	char *path = cache ? cost_file(cache) : NULL;
	int length;

	if (!path)
		return;
	machine_name(machine, sizeof(machine));
	length = snprintf(text, sizeof(text), FORMAT "\nquery %" PRIu64 "\npace %" PRIu64 "\nmachine %s\n", cost->query,
			  cost->pace, machine);
	if (path_make_directory(cache, owner, NULL) == 0)
		path_write_file(path, text, (size_t)length, owner, NULL);
	free(path);
}
