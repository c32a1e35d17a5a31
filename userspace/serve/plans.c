/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "serve/plans.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/compiler.h"
#include "serve/become.h"

enum { SLOTS = 256, SECONDS = 60, MEMORY = 0x7fffffff, TEXT = 8 * 1024 * 1024, FILES = 16 };

/* A file as a user has shown it. The user is part of it: a file system of one's own can pass for any other. */
struct key {
	uid_t uid;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct slot {
	struct key key;
	int text; /* -1: free */
	bool in_making;
};

struct plans {
	struct slot slots[SLOTS];
	size_t next; /* the slot to take next: the oldest */
};

struct plans *plans_new(void)
{
	struct plans *plans = calloc(1, sizeof(*plans));

	for (size_t i = 0; plans && i < SLOTS; i++)
		plans->slots[i].text = -1;
	return plans;
}

void plans_free(struct plans *plans)
{
	if (!plans)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		if (plans->slots[i].text >= 0)
			close(plans->slots[i].text);
	free(plans);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_key(const struct key *a, const struct key *b)
{
	return a->uid == b->uid && a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* The id of the mount that `fd` was opened through, or -1. Asks nothing of the file system. */
static int mount_of(int fd)
{
	char path[64], line[128];
	int id = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && id < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "mnt_id: %d", &id) != 1)
			id = -1;
	if (file)
		fclose(file);
	return id;
}

/* The type of a file system that is mounted where the daemon sees it; false if it is not. */
static bool type_of_mount(int id, char type[32])
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	while (file && !found && getline(&line, &size, file) > 0) {
		const char *behind = strstr(line, " - ");

		found = behind && atoi(line) == id && sscanf(behind, " - %31s", type) == 1;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/*
 * Reading a file of a FUSE file system asks a program of a user's, which can take its time: while a breakpoint is put
 * into such a file, no process on the machine can fork. What is mounted elsewhere may rest on one.
 */
static int check_mount(int fd, const char *name, struct error *err)
{
	char type[32];

	if (!type_of_mount(mount_of(fd), type))
		return error_set(err, ENOTSUP,
				 "%s is on a file system that is not mounted where the daemon sees it, as in a "
				 "container; run querytap there with sudo",
				 name);
	if (!strncmp(type, "fuse", 4))
		return error_set(err, ENOTSUP, "%s is on a FUSE file system, on which the daemon probes nothing", name);
	return 0;
}

static int find_key(uid_t uid, int fd, const char *name, struct key *key, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat status;
	int code = uid ? check_mount(fd, name, err) : 0;

	if (code < 0)
		return code;
	/* Who may only execute a file is not shown where its functions are. */
	if (flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY)
		return error_set(err, EACCES, "%s is not open for reading", name);
	if (fstat(fd, &status) < 0)
		return error_set(err, errno, "cannot stat %s: %s", name, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(err, ENOEXEC, "%s is no regular file", name);
	*key = (struct key){uid, status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
	return 0;
}

/* ---- making one ---- */

static int make(int fd, int text_fd, const char *name, struct error *err)
{
	struct plan *plan;
	size_t size, done = 0;
	char *text;
	int code = plan_make_fd(fd, name, &plan, err);

	if (code < 0)
		return code;
	text = plan_to_text(plan, &size);
	if (!text)
		return error_set(err, ENOMEM, "out of memory reading %s", name);
	while (done < size) {
		ssize_t written = write(text_fd, text + done, size - done);

		if (written <= 0)
			return error_set(err, errno, "the plan for %s is too long", name);
		done += (size_t)written;
	}
	return 0;
}

/* A file that is made to crash the reader, or to keep it busy for ever, harms this process alone. */
static void __attribute__((noreturn)) planner(int fd, int text, int sentence, const char *name)
{
	int fds[] = {fd, text, sentence};
	struct error err = {0};
	int code = keep_descriptors(fds, 3, &err);

	alarm(SECONDS);
	if (code == 0)
		code = limit_resource(RLIMIT_AS, MEMORY, &err);
	if (code == 0)
		code = limit_resource(RLIMIT_CPU, SECONDS, &err);
	if (code == 0)
		code = limit_resource(RLIMIT_FSIZE, TEXT, &err);
	if (code == 0)
		code = limit_resource(RLIMIT_NOFILE, FILES, &err);
	if (code == 0)
		code = limit_resource(RLIMIT_CORE, 0, &err);
	if (code == 0)
		code = become_nobody(&err);
	if (code == 0)
		code = make(fds[0], fds[1], name, &err);
	if (code < 0 && write(fds[2], err.text, strlen(err.text)) < 0)
		_exit(2);
	_exit(code < 0);
}

static int start(struct planning *planning, int fd, const char *name, struct error *err)
{
	int pipe[2];

	planning->text = memfd_create("querytap-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (planning->text < 0)
		return error_set(err, errno, "cannot make a memory file: %s", strerror(errno));
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		close(planning->text);
		return error_set(err, errno, "cannot open a pipe: %s", strerror(errno));
	}
	planning->pid = fork();
	if (planning->pid == 0)
		planner(fd, planning->text, pipe[1], name);
	close(pipe[1]);
	planning->sentence = pipe[0];
	if (planning->pid > 0)
		return -EINPROGRESS;
	close(pipe[0]);
	close(planning->text);
	planning->pid = 0;
	return error_set(err, errno, "cannot fork: %s", strerror(errno));
}

/* The oldest slot that no process works for. */
static struct slot *take_slot(struct plans *plans)
{
	for (size_t tries = 0; tries < SLOTS; tries++) {
		struct slot *slot = &plans->slots[plans->next++ % SLOTS];

		if (slot->in_making)
			continue;
		if (slot->text >= 0)
			close(slot->text);
		slot->text = -1;
		return slot;
	}
	return NULL;
}

int plans_get(struct plans *plans, uid_t uid, int fd, const char *name, struct planning *planning, struct error *err)
{
	struct slot *slot;
	struct key key;
	int code = find_key(uid, fd, name, &key, err);

	if (code < 0)
		return code;
	for (size_t i = 0; i < SLOTS; i++)
		if (plans->slots[i].text >= 0 && same_key(&plans->slots[i].key, &key))
			return plans->slots[i].text;
	slot = take_slot(plans);
	if (!slot)
		return error_set(err, EBUSY, "the daemon is busy with other compilers");
	code = start(planning, fd, name, err);
	if (code == -EINPROGRESS) {
		slot->key = key;
		slot->in_making = true;
		planning->slot = (size_t)(slot - plans->slots);
	}
	return code;
}

static int explain(const struct planning *planning, int status, struct error *err)
{
	struct error said = {0};
	ssize_t length = read(planning->sentence, said.text, sizeof(said.text) - 1);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && length > 0)
		return error_set(err, ENOTSUP, "%s", said.text);
	return error_set(err, ENOTSUP, "reading the compiler's file took too long, or too much, or went wrong");
}

int plans_made(struct plans *plans, struct planning *planning, int status, struct error *err)
{
	struct slot *slot = &plans->slots[planning->slot];
	const unsigned int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int code = 0;

	if (!WIFEXITED(status) || WEXITSTATUS(status))
		code = explain(planning, status, err);
	else if (fcntl(planning->text, F_ADD_SEALS, seals) < 0)
		code = error_set(err, errno, "cannot seal a memory file: %s", strerror(errno));
	close(planning->sentence);
	slot->in_making = false;
	if (code < 0)
		close(planning->text);
	else
		slot->text = planning->text;
	planning->pid = 0;
	return code < 0 ? code : slot->text;
}
