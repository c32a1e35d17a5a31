/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/counter.h"
#include "cmd/events.h"
#include "cmd/overhead.h"
#include "cmd/running.h"
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

int recording_make_directory(struct recording *recording, struct error *err)
{
	bool missing = access(recording->directory, F_OK) < 0;
	int code = path_make_directory(recording->directory, &recording->user, err);

	if (code < 0)
		return code;
	recording->made_directory = missing;
	if (access(recording->directory, W_OK | X_OK) < 0)
		return error_set(err, errno, "cannot write to the directory %s: %s", recording->directory,
				 strerror(errno));
	return 0;
}

void recording_drop_directory(const struct recording *recording)
{
	if (recording->made_directory)
		rmdir(recording->directory);
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
 * is as good as none. Where it cannot be measured, for a machine that is too busy, times include it.
 */
static int compensate(struct recording *recording, struct error *err)
{
	struct probe_cost cost;

	if (!cost_load(recording->cache, &cost)) {
		int code = collector_measure(recording->collector, &cost, err);

		if (code == -EIO) {
			if (!recording->settings->quiet)
				recording_say(recording, "%s: times include it", err->text);
			return 0;
		}
		if (code < 0)
			return code;
		cost_store(recording->cache, &recording->user, &cost);
	}
	collector_compensate(recording->collector, &cost);
	return 0;
}

static void on_exec(void *context, pid_t pid)
{
	recording_meet_process(context, pid);
}

int recording_open(struct recording *recording, const struct recording_settings *settings, bool everything,
		   const char *comm, struct error *err)
{
	struct collect_options options = {
	    .follow_all = everything,
	    .comm = comm,
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
		code = events_parse(settings->events, &options.events, err);
	if (code == 0)
		code = counter_parse(settings->counter, &options.cpu_time, err);
	if (code == 0)
		code = overhead_parse(settings->overhead, &options.overhead, err);
	if (code == 0)
		code = identity_find(&recording->user, err);
	if (code < 0)
		return code;
	options.overhead.queries = settings->queries;
	recording->cache = plan_cache_directory(&recording->user);
	recording->directory = settings->directory ? strdup(settings->directory) : default_directory();
	if (!recording->directory)
		return error_set(err, ENOMEM, "out of memory");
	options.directory = recording->directory;
	options.cache = recording->cache;
	options.owner = &recording->user;
	options.uid = recording->user.uid;
	options.gid = recording->user.gid;
	options.set_owner = recording->user.behind_sudo;
	code = collector_open(&options, &recording->collector, err);
	if (code == 0 && collector_events(recording->collector) != options.events && !settings->quiet)
		recording_say(recording, "sizes of artifacts are not recorded: this kernel does not show system calls "
					 "(CONFIG_FTRACE_SYSCALLS)");
	if (code == 0 && !settings->no_compensate)
		code = compensate(recording, err);
	if (code == 0 && collector_method(recording->collector) == ATTACH_PERF && !settings->quiet)
		recording_say(recording, "probes are attached one by one: letting go of them at the end takes up to a "
					 "minute (Linux 6.6 and newer do it at once)");
	return code;
}

static int probe_file(struct recording *recording, const char *path, struct error *err)
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

static struct refusal *refusal_of(const struct recording *recording, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return NULL;
	for (size_t i = 0; i < recording->refusal_count; i++)
		if (recording->refusals[i].device == status.st_dev && recording->refusals[i].inode == status.st_ino)
			return &recording->refusals[i];
	return NULL;
}

static void note_refusal(struct recording *recording, const char *path, const struct error *why)
{
	struct refusal *grown = realloc(recording->refusals, (recording->refusal_count + 1) * sizeof(*grown));
	struct stat status;

	if (!grown)
		return;
	recording->refusals = grown;
	if (stat(path, &status) == 0)
		grown[recording->refusal_count++] =
		    (struct refusal){.device = status.st_dev, .inode = status.st_ino, .why = *why};
}

/* Probes a compiler. One that is probed is left as it is, and one that could not be is not tried again. */
static int probe_path(struct recording *recording, const char *path, struct error *err)
{
	const struct refusal *refusal = refusal_of(recording, path);
	int code;

	if (collector_has(recording->collector, path))
		return 0;
	if (refusal) {
		*err = refusal->why;
		return -ENOTSUP;
	}
	code = probe_file(recording, path, err);
	if (code < 0)
		note_refusal(recording, path, err);
	return code;
}

/* Says, once for each compiler, that it is not profiled. */
static void say_refused(struct recording *recording, const char *path, const char *who, const struct error *why)
{
	struct refusal *refusal = refusal_of(recording, path);

	if (recording->settings->quiet || (refusal && refusal->said))
		return;
	if (refusal)
		refusal->said = true;
	recording_say(recording, "not profiled (%s): %s", who, why->text);
}

int recording_probe(struct recording *recording, const struct found_list *found, struct error *err)
{
	struct error first = {0}, error;
	size_t probed = 0;

	for (size_t i = 0; i < found->count; i++) {
		/* One by one, letting go takes so long that compilers that are merely installed are left until met. */
		if (probed && !found->items[i].likely && collector_method(recording->collector) == ATTACH_PERF)
			break;
		if (probe_path(recording, found->items[i].path, &error) == 0)
			probed++;
		else if (!first.text[0])
			first = error;
	}
	for (size_t i = 0; probed && i < found->count && found->items[i].likely; i++) {
		const struct refusal *refusal = refusal_of(recording, found->items[i].path);

		if (refusal)
			say_refused(recording, found->items[i].path, found->items[i].origin, &refusal->why);
	}
	if (probed)
		return 0;
	if (first.text[0]) {
		*err = first;
		return -ENOTSUP;
	}
	return error_set(err, ENOENT,
			 "no rustc was found: nothing named rustc or cargo on PATH, in RUSTC, or among rustup's "
			 "toolchains; put one on PATH or set RUSTC%s",
			 recording->user.behind_sudo ? " (sudo hides your PATH: sudo env \"PATH=$PATH\" querytap ...)"
						     : "");
}

struct process_probing {
	struct recording *recording;
	pid_t pid;
	size_t probed;
	struct error first;
};

static void probe_compiler(void *context, const char *path)
{
	struct process_probing *probing = context;
	struct error error = {0};

	if (probe_path(probing->recording, path, &error) == 0)
		probing->probed++;
	else if (!probing->first.text[0])
		probing->first = error;
}

static void join_compiler(void *context, const char *path)
{
	const struct process_probing *probing = context;

	collector_join(probing->recording->collector, probing->pid, path);
}

int recording_probe_process(struct recording *recording, pid_t pid, struct error *err)
{
	struct process_probing probing = {.recording = recording, .pid = pid};
	char link[64];

	running_compilers(pid, probe_compiler, &probing);
	running_mapped_compilers(pid, join_compiler, &probing);
	if (probing.probed)
		return 0;
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	if (probing.first.text[0])
		return error_set(err, ENOTSUP, "process %d is not profiled: %s", (int)pid, probing.first.text);
	return error_set(err, ENOENT, "process %d is no rustc%s", (int)pid,
			 access(link, F_OK) == 0 ? ": it has no librustc_driver-*.so loaded" : ", or has just ended");
}

static void probe_if_possible(void *context, const char *path)
{
	struct process_probing *probing = context;
	struct error error = {0};
	char who[32];

	snprintf(who, sizeof(who), "process %d", (int)probing->pid);
	if (probe_path(probing->recording, path, &error) < 0)
		say_refused(probing->recording, path, who, &error);
}

void recording_meet_process(struct recording *recording, pid_t pid)
{
	struct process_probing probing = {.recording = recording, .pid = pid};

	running_compilers(pid, probe_if_possible, &probing);
	running_mapped_compilers(pid, join_compiler, &probing);
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
	char extra[256] = "", others[64] = "";
	size_t used = 0;
	const struct {
		uint64_t count;
		const char *name;
	} notes[] = {
	    {totals->unwound, "unwound"}, {totals->missed, "missed"}, {totals->too_deep, "too deep"},
	    {totals->unnamed, "unnamed"}, {totals->unseen, "unseen"},
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
		if (notes[i].count)
			used += (size_t)snprintf(extra + used, sizeof(extra) - used, ", %" PRIu64 " %s", notes[i].count,
						 notes[i].name);
	if (totals->others)
		snprintf(others, sizeof(others), ", %" PRIu64 " other events", totals->others);
	if (totals->files || totals->failed || totals->lost || totals->missed)
		recording_say(
		    recording,
		    "%" PRIu64 " profile%s, %" PRIu64 " queries%s, %" PRIu64 " lost, %" PRIu64 " truncated%s%s%s",
		    totals->files, totals->files == 1 ? "" : "s", totals->queries, others, totals->lost,
		    totals->truncated, extra, totals->files ? ", in " : "", totals->files ? recording->directory : "");
	else
		recording_say(recording, "no profiles: none of the processes compiled anything with a probed rustc");
}

/* Says what was left untimed, if anything was. */
static void print_untimed(struct recording *recording)
{
	struct collect_untimed untimed;

	collector_untimed(recording->collector, &untimed);
	if (untimed.labels)
		recording_say(recording,
			      "left untimed to keep the overhead low: %zu queries and activities, up to %.0f%% of the "
			      "events and %.0f%% of the self time (--overhead exact times all)",
			      untimed.labels, 100 * untimed.events, 100 * untimed.self);
}

int recording_close(struct recording *recording, int status)
{
	struct collect_totals totals;
	struct error err;
	int code = 0;

	collector_finish(recording->collector);
	collector_totals(recording->collector, &totals);
	if (totals.files)
		code = collector_write_build(recording->collector, &recording->user, &err);
	if (!totals.files)
		recording_drop_directory(recording);
	if (totals.failed)
		recording_say(recording, "%" PRIu64 " profile%s not written: %s", totals.failed,
			      totals.failed == 1 ? " was" : "s were", totals.failure);
	if (code < 0)
		recording_say(recording, "the build as a whole was not written: %s", err.text);
	if (!recording->settings->quiet && totals.files)
		print_untimed(recording);
	if (!recording->settings->quiet)
		print_last_line(recording, &totals);
	if (recording->settings->strict && status == 0 && (totals.lost || totals.failed || code < 0))
		return EXIT_LOST;
	return status;
}

void recording_free(struct recording *recording)
{
	collector_free(recording->collector);
	for (size_t i = 0; i < recording->plan_count; i++)
		plan_free(recording->plans[i]);
	free(recording->plans);
	free(recording->refusals);
	free(recording->cache);
	free(recording->directory);
	identity_free(&recording->user);
}
