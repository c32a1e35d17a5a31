/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collect/cost_cache.h"
#include "util/path.h"

void recording_say(struct recording *recording, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	progress_erase(&recording->progress);
	dprintf(STDERR_FILENO, "querytap: %s\n", text);
}

static char *default_directory(void)
{
	time_t now = time(NULL);
	struct tm parts;
	char stamp[32];
	char *name = NULL;

	localtime_r(&now, &parts);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &parts);
	if (asprintf(&name, "querytap-%s", stamp) < 0)
		return NULL;
	for (int i = 2; name && access(name, F_OK) == 0; i++) {
		free(name);
		if (asprintf(&name, "querytap-%s-%d", stamp, i) < 0)
			return NULL;
	}
	return name;
}

static int make_directory(struct recording *recording, struct error *err)
{
	const char *given = recording->settings->directory;

	recording->directory = given ? strdup(given) : default_directory();
	if (!recording->directory)
		return error_set(err, ENOMEM, "out of memory");
	recording->made_directory = access(recording->directory, F_OK) < 0;
	return path_make_directory(recording->directory, &recording->user, err);
}

static size_t ring_bytes(unsigned long mib)
{
	size_t bytes = mib ? 1024 * 1024 : 0;

	while (mib && bytes < mib * 1024 * 1024)
		bytes *= 2;
	return bytes;
}

static int parse_method(const char *text, enum attach_method *method, struct error *err)
{
	if (!text || !strcmp(text, "auto"))
		*method = ATTACH_AUTO;
	else if (!strcmp(text, "multi"))
		*method = ATTACH_MULTI;
	else if (!strcmp(text, "perf"))
		*method = ATTACH_PERF;
	else
		return error_set(err, EINVAL, "--probes takes auto, multi or perf, not \"%s\"", text);
	return 0;
}

/*
 * The cost of probes, measured once for each kernel and processor and then kept in the cache. A file that does not fit
 * is as good as none.
 */
static int compensate(struct recording *recording, struct error *err)
{
	struct probe_cost cost;

	if (!cost_load(recording->cache, &cost)) {
		int code = collector_measure(recording->collector, &cost, err);

		if (code < 0)
			return code;
		cost_store(recording->cache, &recording->user, &cost);
	}
	collector_compensate(recording->collector, &cost);
	return 0;
}

static void on_exec(void *context, pid_t pid)
{
	recording_probe_process(context, pid);
}

int recording_open(struct recording *recording, const struct recording_settings *settings, bool everything,
		   struct error *err)
{
	struct collect_options options = {
	    .follow_all = everything,
	    .ring_bytes = ring_bytes(settings->buffer_mib),
	    .on_exec = on_exec,
	    .context = recording,
	};
	int code;

	recording->settings = settings;
	progress_start(&recording->progress);
	if (settings->quiet)
		recording->progress.enabled = false;
	code = parse_method(settings->probes, &options.attach, err);
	if (code == 0)
		code = identity_find(&recording->user, err);
	if (code < 0)
		return code;
	recording->cache = plan_cache_directory(&recording->user);
	code = make_directory(recording, err);
	if (code < 0)
		return code;
	options.directory = recording->directory;
	options.uid = recording->user.uid;
	options.gid = recording->user.gid;
	options.set_owner = recording->user.behind_sudo;
	code = collector_open(&options, &recording->collector, err);
	if (code == 0 && !settings->no_compensate)
		code = compensate(recording, err);
	if (code == 0 && collector_method(recording->collector) == ATTACH_PERF && !settings->quiet)
		recording_say(recording, "probes are attached one by one: letting go of them at the end takes up to a "
					 "minute (Linux 6.6 and newer do it at once)");
	return code;
}

static int probe_path(struct recording *recording, const char *path, struct error *err)
{
	struct plan **grown = realloc(recording->plans, (recording->plan_count + 1) * sizeof(*grown));
	struct plan *plan;
	int code;

	if (!grown)
		return error_set(err, ENOMEM, "out of memory");
	recording->plans = grown;
	code = plan_get(path, recording->cache, &recording->user, &plan, err);
	if (code < 0)
		return code;
	recording->plans[recording->plan_count++] = plan;
	return collector_probe(recording->collector, plan, err);
}

int recording_probe(struct recording *recording, const struct found_list *found, struct error *err)
{
	struct error first = {0}, error;
	size_t probed = 0;

	for (size_t i = 0; i < found->count; i++) {
		const struct found_compiler *compiler = &found->items[i];

		if (collector_has(recording->collector, compiler->path) ||
		    probe_path(recording, compiler->path, &error) == 0) {
			probed++;
			continue;
		}
		if (!first.text[0])
			first = error;
		if (compiler->likely && !recording->settings->quiet)
			recording_say(recording, "not profiled (%s): %s", compiler->origin, error.text);
	}
	if (probed)
		return 0;
	if (first.text[0]) {
		*err = first;
		return -ENOTSUP;
	}
	return error_set(err, ENOENT,
			 "no rustc was found: nothing named rustc or cargo on PATH, in RUSTC, or among rustup's "
			 "toolchains; put one on PATH or set RUSTC");
}

void recording_probe_process(struct recording *recording, pid_t pid)
{
	char link[64], exe[4096];
	char *argv[] = {exe, NULL}, *environment[] = {NULL};
	struct find_input input = {argv, environment, "/", "/nonexistent"};
	struct found_list found;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	length = readlink(link, exe, sizeof(exe) - 1);
	if (length <= 0)
		return;
	exe[length] = '\0';
	if (compilers_find(&input, &found, NULL) < 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		struct error error;

		if (!found.items[i].likely || collector_has(recording->collector, found.items[i].path))
			continue;
		if (probe_path(recording, found.items[i].path, &error) < 0 && !recording->settings->quiet)
			recording_say(recording, "process %d is not profiled: %s", (int)pid, error.text);
	}
	found_list_free(&found);
}

void recording_progress(struct recording *recording)
{
	struct collect_totals totals;

	collector_totals(recording->collector, &totals);
	progress_show(&recording->progress,
		      "querytap: %" PRIu64 " profiles done, %" PRIu64 " running, %" PRIu64 " queries%s", totals.files,
		      totals.running, totals.queries, totals.lost ? ", RECORDS LOST" : "");
}

static void print_last_line(struct recording *recording, const struct collect_totals *totals)
{
	char extra[256] = "";
	size_t used = 0;
	const struct {
		uint64_t count;
		const char *name;
	} notes[] = {
	    {totals->unwound, "unwound"},
	    {totals->missed, "missed"},
	    {totals->too_deep, "too deep"},
	    {totals->unnamed, "unnamed"},
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
		if (notes[i].count)
			used += (size_t)snprintf(extra + used, sizeof(extra) - used, ", %" PRIu64 " %s", notes[i].count,
						 notes[i].name);
	if (totals->files)
		recording_say(recording,
			      "%" PRIu64 " profile%s, %" PRIu64 " queries, %" PRIu64 " lost, %" PRIu64
			      " truncated%s, in %s",
			      totals->files, totals->files == 1 ? "" : "s", totals->queries, totals->lost,
			      totals->truncated, extra, recording->directory);
	else
		recording_say(recording, "no profiles: none of the processes compiled anything with a probed rustc");
}

int recording_close(struct recording *recording, int status)
{
	struct collect_totals totals;

	collector_finish(recording->collector);
	collector_totals(recording->collector, &totals);
	if (!totals.files && recording->made_directory)
		rmdir(recording->directory);
	if (totals.failed)
		recording_say(recording, "%" PRIu64 " profile%s not written: %s", totals.failed,
			      totals.failed == 1 ? " was" : "s were", totals.failure);
	if (!recording->settings->quiet)
		print_last_line(recording, &totals);
	if (recording->settings->strict && status == 0 && (totals.lost || totals.failed))
		return EXIT_LOST;
	return status;
}

void recording_free(struct recording *recording)
{
	collector_free(recording->collector);
	for (size_t i = 0; i < recording->plan_count; i++)
		plan_free(recording->plans[i]);
	free(recording->plans);
	free(recording->cache);
	free(recording->directory);
	identity_free(&recording->user);
}
