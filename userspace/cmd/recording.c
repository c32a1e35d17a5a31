/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bpf/wire.h"
#include "cmd/counter.h"
#include "cmd/events.h"
#include "cmd/overhead.h"
#include "collect/running.h"
#include "samples/samples.h"
#include "util/path.h"

/* Samples a second, by default: not in step with anything that is done a thousand times a second. */
enum { USUAL_HZ = 997 };
/* Samples a second beside probes with a budget, for each percent of that. */
enum { AUTO_HZ_FOR_PERCENT = 150 };

void recording_say(struct recording *recording, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (recording->say) {
		recording->say(recording->say_context, text);
		return;
	}
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
	recording->made_directory |= missing;
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

static void say(void *context, const char *sentence)
{
	recording_say(context, "%s", sentence);
}

static int get_plan(void *context, const char *path, struct plan **out, struct error *err)
{
	const struct recording *recording = context;

	return plan_get(path, recording->cache, &recording->user, out, err);
}

static void on_exec(void *context, pid_t pid)
{
	struct recording *recording = context;

	compilers_meet_process(&recording->compilers, pid);
}

/* ---- by the daemon ---- */

static int open_directory(const char *path)
{
	return path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

static int open_cache(const struct recording *recording)
{
	if (!recording->cache || path_make_directory(recording->cache, &recording->user, NULL) < 0)
		return -1;
	return open_directory(recording->cache);
}

static int open_client(struct recording *recording, const struct collect_options *options, struct error *err)
{
	const struct recording_settings *settings = recording->settings;
	struct client_options asked = {
	    .follow_all = options->follow_all,
	    .comm = options->comm,
	    .cpu_time = options->cpu_time,
	    .compensate = !settings->no_compensate,
	    .quiet = settings->quiet,
	    .progress = recording->progress.enabled,
	    .ring_bytes = options->ring_bytes,
	    .attach = options->attach,
	    .events = options->events,
	    .overhead = options->overhead,
	    .say = say,
	    .context = recording,
	};
	int code;

	if (options->sample_hz && !options->sample_if_possible)
		return error_set(err, ENOTSUP, "the daemon takes no samples: record with --sample as root, by sudo");
	if (options->off_cpu)
		return error_set(
		    err, ENOTSUP,
		    "the daemon does not note when threads are off the CPU: record with --off-cpu as root, by sudo");
	code = recording_make_directory(recording, err);
	if (code < 0)
		return code;
	asked.directory = open_directory(recording->directory);
	if (asked.directory < 0)
		return error_set(err, errno, "cannot open the directory %s: %s", recording->directory, strerror(errno));
	asked.cache = open_cache(recording);
	code = client_open(&asked, &recording->client, err);
	close(asked.directory);
	if (asked.cache >= 0)
		close(asked.cache);
	return code;
}

static bool has_daemon(void)
{
	return access(client_socket(), F_OK) == 0;
}

static void add_way_out(struct error *err)
{
	size_t used = strlen(err->text);

	snprintf(err->text + used, sizeof(err->text) - used,
		 "; or have root start querytap daemon, for which there is no socket %s now", client_socket());
}

static int open_collector(struct recording *recording, const struct collect_options *options, struct error *err)
{
	/* The daemon writes profiles, and does not tell what threads are in. */
	bool by_daemon = !options->sink && has_daemon();
	int code;

	if (client_is_needed() && by_daemon)
		return open_client(recording, options, err);
	code = collector_begin(options, !recording->settings->no_compensate, recording->settings->quiet ? NULL : say,
			       &recording->collector, err);
	if (code == -EPERM && by_daemon)
		return open_client(recording, options, err);
	if (code == -EPERM && !options->sink)
		add_way_out(err);
	recording->compilers = (struct compilers){.collector = recording->collector,
						  .plan = get_plan,
						  .say = recording->settings->quiet ? NULL : say,
						  .context = recording};
	return code;
}

/* ---- by whichever way ---- */

/* How many samples a second fit into three quarters of the budget, not in step with what happens every so many
 * milliseconds.
 */
static unsigned int auto_hz(double budget)
{
	double hz = budget * 100 * AUTO_HZ_FOR_PERCENT;

	if (hz > USUAL_HZ)
		return USUAL_HZ;
	return hz > 2 ? (unsigned int)hz - 1 : 1;
}

/* Where nothing is probed, nothing can be chosen of what probes would show. */
static int set_up_sampling(const struct recording_settings *settings, struct collect_options *options,
			   struct error *err)
{
	const char *given = settings->events	? "--events"
			    : settings->queries ? "--queries"
			    : options->cpu_time ? "--counter=cpu-time"
			    : options->off_cpu	? "--off-cpu"
			    : options->sink	? "top"
						: NULL;

	if (settings->no_sample && (settings->sample_hz || options->overhead.mode == OVERHEAD_SAMPLE))
		return error_set(err, EINVAL, "%s takes samples and --no-sample does not: leave one of them out",
				 settings->sample_hz ? "--sample" : "--overhead sample");
	/* What is left untimed is estimated. */
	if (options->overhead.mode == OVERHEAD_AUTO && !options->sample_hz && !settings->no_sample && !options->sink) {
		options->sample_hz = auto_hz(options->overhead.budget);
		options->sample_if_possible = true;
	}
	if (options->overhead.mode != OVERHEAD_SAMPLE)
		return 0;
	if (given)
		return error_set(err, EINVAL, "--overhead sample probes nothing, which %s needs: leave one of them out",
				 given);
	if (!options->sample_hz)
		options->sample_hz = USUAL_HZ;
	return 0;
}

int recording_open(struct recording *recording, const struct recording_settings *settings, bool everything,
		   const char *comm, struct error *err)
{
	struct collect_options options = {
	    .joins = recording->joins,
	    .follow_all = everything,
	    .comm = comm,
	    .sink = recording->sink,
	    .ring_bytes = ring_bytes(settings->buffer_mib),
	    .on_exec = on_exec,
	    .sample_hz = settings->sample_hz == ULONG_MAX ? USUAL_HZ : (unsigned int)settings->sample_hz,
	    .off_cpu = settings->off_cpu && !recording->sink,
	    .context = recording,
	};
	int code;

	recording->settings = settings;
	recording->follows_all = everything;
	recording->comm = comm;
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
		code = set_up_sampling(settings, &options, err);
	if (code == 0)
		code = identity_find(&recording->user, err);
	if (code < 0)
		return code;
	options.overhead.queries = settings->queries;
	recording->cache = plan_cache_directory(&recording->user);
	if (!recording->sink)
		recording->directory = settings->directory ? strdup(settings->directory) : default_directory();
	if (!recording->sink && !recording->directory)
		return error_set(err, ENOMEM, "out of memory");
	recording->samples_asked = options.sample_hz && !options.sample_if_possible;
	recording->only_samples = options.overhead.mode == OVERHEAD_SAMPLE;
	options.directory = recording->directory;
	options.cache = recording->cache;
	options.owner = &recording->user;
	options.uid = recording->user.uid;
	options.gid = recording->user.gid;
	options.set_owner = recording->user.behind_sudo;
	return open_collector(recording, &options, err);
}

int recording_probe(struct recording *recording, const struct found_list *found, struct error *err)
{
	int code = recording->client ? client_probe(recording->client, found, err)
				     : compilers_probe(&recording->compilers, found, err);

	if (code < 0 && recording->compilers.probed)
		return 0;
	if (code != -ENOENT)
		return code;
	return error_set(err, ENOENT,
			 "no rustc was found: nothing named rustc or cargo on PATH, in RUSTC, or among rustup's "
			 "toolchains; put one on PATH or set RUSTC%s",
			 recording->user.behind_sudo ? " (sudo hides your PATH: sudo env \"PATH=$PATH\" querytap ...)"
						     : "");
}

static int follow_running(void *context, pid_t pid, struct error *err)
{
	const struct recording *recording = context;

	if (recording->follows_all)
		return 0;
	if (recording->comm && !running_is_below_named(pid, recording->comm))
		return 1;
	return collector_follow(recording->collector, pid, FOLLOW_TREE, err);
}

int recording_follow(struct recording *recording, pid_t pid, enum follow how, struct error *err)
{
	int code;

	if (recording->client)
		return client_follow(recording->client, pid, how, err);
	if (how == FOLLOW_TREE)
		return compilers_meet_running(&recording->compilers, pid, follow_running, err);
	code = collector_follow(recording->collector, pid, how, err);
	if (code == 0 && how == FOLLOW_ALONE)
		code = compilers_probe_process(&recording->compilers, pid, err);
	return code;
}

int recording_fd(const struct recording *recording)
{
	return recording->client ? client_fd(recording->client) : collector_fd(recording->collector);
}

void recording_take(struct recording *recording)
{
	if (recording->client)
		client_take(recording->client);
	else
		collector_drain(recording->collector);
}

bool recording_is_over(const struct recording *recording)
{
	if (recording->client)
		return client_is_over(recording->client);
	return !recording->follows_all && !recording->comm && !collector_follows_any(recording->collector);
}

void recording_progress(struct recording *recording)
{
	struct collect_totals totals;

	if (recording->client)
		client_totals(recording->client, &totals);
	else
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
static void print_untimed(struct recording *recording, const struct collect_untimed *untimed, bool sampled)
{
	if (untimed->labels)
		recording_say(recording,
			      "left untimed to keep the overhead low: %zu queries and activities, up to %.0f%% of the "
			      "events and %.0f%% of the self time%s (--overhead exact times all)",
			      untimed->labels, 100 * untimed->events, 100 * untimed->self,
			      sampled ? ", which querytap summarize estimates from samples" : "");
}

static void finish(struct recording *recording, struct client_result *result, struct collect_samples *samples)
{
	*samples = (struct collect_samples){0};
	if (recording->client) {
		client_finish(recording->client, result);
		return;
	}
	*result = (struct client_result){0};
	collector_finish(recording->collector);
	collector_totals(recording->collector, &result->totals);
	collector_untimed(recording->collector, &result->untimed);
	collector_samples(recording->collector, samples);
	/* Without profiles there is nothing that they would be needed for. */
	if (!result->totals.files && !recording->samples_asked)
		*samples = (struct collect_samples){0};
	if (result->totals.files || samples->samples)
		collector_write_build(recording->collector, &recording->user, &result->build);
}

static void print_samples(struct recording *recording, const struct collect_samples *samples)
{
	uint64_t whole = samples->ends[0][SAMPLE_WHOLE] + samples->ends[1][SAMPLE_WHOLE];

	recording_say(recording,
		      "%" PRIu64 " samples, %.1f%% of them whole stacks, %" PRIu64 " lost, in %s/" SAMPLES_FILE
		      "; querytap samples %s shows them",
		      samples->samples, 100.0 * (double)whole / (double)samples->samples, samples->lost,
		      recording->directory, recording->directory);
}

static void print_absences(struct recording *recording, const struct collect_absences *absences)
{
	char cut[64] = "";

	if (absences->cut)
		snprintf(cut, sizeof(cut), ", %" PRIu64 " without their outermost queries", absences->cut);
	recording_say(recording,
		      "%" PRIu64 " absences of %" PRIu64 " threads from the CPU%s, %" PRIu64
		      " lost, in %s/" SAMPLES_FILE "; querytap summarize --off-cpu %s shows them",
		      absences->absences, absences->threads, cut, absences->lost, recording->directory,
		      recording->directory);
}

/*
 * Writes the samples, and absences if there are profiles that they are of, and says how many there are. Returns 0, or a
 * negative errno if any could not be written.
 */
static int close_samples(struct recording *recording, const struct collect_samples *samples, bool profiles)
{
	struct collect_absences absences;
	struct error err;
	int code = 0;

	if (recording->client)
		return 0;
	collector_absences(recording->collector, &absences);
	if (!profiles)
		absences = (struct collect_absences){0};
	if (samples->samples || absences.threads)
		code = collector_write_samples(recording->collector, &recording->user, &err);
	if (code < 0)
		recording_say(recording, "samples were not written: %s", err.text);
	if (code == 0 && samples->samples && !recording->settings->quiet && recording->samples_asked)
		print_samples(recording, samples);
	if (code == 0 && absences.threads && !recording->settings->quiet)
		print_absences(recording, &absences);
	return code < 0 ? code : (samples->lost && recording->samples_asked) || absences.lost ? -ENOBUFS : 0;
}

int recording_close(struct recording *recording, int status)
{
	struct client_result result;
	const struct collect_totals *totals = &result.totals;
	struct collect_samples samples;
	bool incomplete;
	int code;

	finish(recording, &result, &samples);
	code = close_samples(recording, &samples, totals->files > 0);
	incomplete = totals->lost || totals->failed || result.build.text[0] || result.broken.text[0] || code < 0;
	if (!totals->files)
		recording_drop_directory(recording);
	if (result.broken.text[0])
		recording_say(recording, "the recording ended early: %s", result.broken.text);
	if (totals->failed)
		recording_say(recording, "%" PRIu64 " profile%s not written: %s", totals->failed,
			      totals->failed == 1 ? " was" : "s were", totals->failure);
	if (result.build.text[0])
		recording_say(recording, "the build as a whole was not written: %s", result.build.text);
	if (!recording->settings->quiet && totals->files)
		print_untimed(recording, &result.untimed, samples.samples > 0);
	if (!recording->settings->quiet && !recording->only_samples)
		print_last_line(recording, totals);
	else if (!recording->settings->quiet && !samples.samples)
		recording_say(recording, "no samples: nothing ran");
	return recording->settings->strict && status == 0 && incomplete ? EXIT_LOST : status;
}

void recording_free(struct recording *recording)
{
	client_free(recording->client);
	collector_free(recording->collector);
	compilers_free(&recording->compilers);
	free(recording->cache);
	free(recording->directory);
	identity_free(&recording->user);
}
