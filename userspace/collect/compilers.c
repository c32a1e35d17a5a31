/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/compilers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/running.h"

static int probe_file(struct compilers *compilers, const char *path, struct error *err)
{
	struct plan **grown = realloc(compilers->plans, (compilers->plan_count + 1) * sizeof(*grown));
	struct plan *plan;
	int code;

	if (!grown)
		return error_set(err, ENOMEM, "out of memory");
	compilers->plans = grown;
	code = compilers->plan(compilers->context, path, &plan, err);
	if (code < 0)
		return code;
	compilers->plans[compilers->plan_count++] = plan;
	code = collector_probe(compilers->collector, plan, err);
	compilers->probed += code == 0;
	return code;
}

static struct refusal *refusal_of(const struct compilers *compilers, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return NULL;
	for (size_t i = 0; i < compilers->refusal_count; i++)
		if (compilers->refusals[i].device == status.st_dev && compilers->refusals[i].inode == status.st_ino)
			return &compilers->refusals[i];
	return NULL;
}

static void note_refusal(struct compilers *compilers, const char *path, const struct error *why)
{
	struct refusal *grown = realloc(compilers->refusals, (compilers->refusal_count + 1) * sizeof(*grown));
	struct stat status;

	if (!grown)
		return;
	compilers->refusals = grown;
	if (stat(path, &status) == 0)
		grown[compilers->refusal_count++] =
		    (struct refusal){.device = status.st_dev, .inode = status.st_ino, .why = *why};
}

/* Probes a compiler. One that is probed is left as it is, and one that could not be is not tried again. */
static int probe_path(struct compilers *compilers, const char *path, struct error *err)
{
	const struct refusal *refusal = refusal_of(compilers, path);
	int code;

	if (collector_has(compilers->collector, path))
		return 0;
	if (refusal) {
		*err = refusal->why;
		return -ENOTSUP;
	}
	code = probe_file(compilers, path, err);
	if (code < 0)
		note_refusal(compilers, path, err);
	return code;
}

/* Says, once for each compiler, that it is not profiled. */
static void say_refused(struct compilers *compilers, const char *path, const char *who, const struct error *why)
{
	struct refusal *refusal = refusal_of(compilers, path);

	char sentence[sizeof(why->text) + 64];

	if (!compilers->say || (refusal && refusal->said))
		return;
	if (refusal)
		refusal->said = true;
	snprintf(sentence, sizeof(sentence), "%s (%s): %s",
		 collector_only_samples(compilers->collector) ? "queries are not known" : "not profiled", who,
		 why->text);
	compilers->say(compilers->context, sentence);
}

int compilers_probe(struct compilers *compilers, const struct found_list *found, struct error *err)
{
	struct error first = {0}, error;
	size_t probed = 0;

	for (size_t i = 0; i < found->count; i++) {
		/* One by one, letting go takes so long that compilers that are merely installed are left until met. */
		if (probed && !found->items[i].likely && collector_method(compilers->collector) == ATTACH_PERF)
			break;
		if (probe_path(compilers, found->items[i].path, &error) == 0)
			probed++;
		else if (!first.text[0])
			first = error;
	}
	for (size_t i = 0;
	     (probed || collector_only_samples(compilers->collector)) && i < found->count && found->items[i].likely;
	     i++) {
		const struct refusal *refusal = refusal_of(compilers, found->items[i].path);

		if (refusal)
			say_refused(compilers, found->items[i].path, found->items[i].origin, &refusal->why);
	}
	if (probed || collector_only_samples(compilers->collector))
		return 0;
	*err = first;
	return first.text[0] ? -ENOTSUP : -ENOENT;
}

struct process_probing {
	struct compilers *compilers;
	pid_t pid;
	size_t probed;
	struct error first;
};

static void probe_compiler(void *context, const char *path)
{
	struct process_probing *probing = context;
	struct error error = {0};

	if (probe_path(probing->compilers, path, &error) == 0)
		probing->probed++;
	else if (!probing->first.text[0])
		probing->first = error;
}

static void join_compiler(void *context, const char *path)
{
	const struct process_probing *probing = context;

	collector_join(probing->compilers->collector, probing->pid, path);
}

int compilers_probe_process(struct compilers *compilers, pid_t pid, struct error *err)
{
	struct process_probing probing = {.compilers = compilers, .pid = pid};
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
	if (probe_path(probing->compilers, path, &error) < 0)
		say_refused(probing->compilers, path, who, &error);
}

void compilers_meet_process(struct compilers *compilers, pid_t pid)
{
	struct process_probing probing = {.compilers = compilers, .pid = pid};

	running_compilers(pid, probe_if_possible, &probing);
}

int compilers_meet_running(struct compilers *compilers, pid_t root,
			   int (*follow)(void *context, pid_t pid, struct error *err), struct error *err)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int code = 0;

	if (!proc)
		return error_set(err, errno, "cannot read /proc: %s", strerror(errno));
	while (code >= 0 && (entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid <= 0 || pid == getpid() || (root && !running_is_below(pid, root)))
			continue;
		code = follow(compilers->context, pid, err);
		if (code == 0) {
			struct process_probing probing = {.compilers = compilers, .pid = pid};

			compilers_meet_process(compilers, pid);
			running_mapped_compilers(pid, join_compiler, &probing);
		}
	}
	closedir(proc);
	return code < 0 ? code : 0;
}

void compilers_free(struct compilers *compilers)
{
	for (size_t i = 0; i < compilers->plan_count; i++)
		plan_free(compilers->plans[i]);
	free(compilers->plans);
	free(compilers->refusals);
}
