/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/path.h"

enum { MAX_VARIABLE = 256 }; /* bytes of a variable that is told at the release, with the NUL */

/* What the child writes to the report pipe if it cannot become COMMAND. */
struct report {
	int error;
	enum { STEP_IDENTITY, STEP_EXEC } step;
};

static const char *environment_get(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment; environment++) {
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	}
	return NULL;
}

static bool has_access(const char *directory, const char *name, int mode)
{
	char *path = path_join(directory, name);
	bool granted = path && access(path, mode) == 0;

	free(path);
	return granted;
}

static bool is_executable(const char *directory, const char *name)
{
	return has_access(directory, name, X_OK);
}

static bool is_there(const char *directory, const char *name)
{
	return has_access(directory, name, F_OK);
}

/* Calls `visit` for each directory of PATH until it returns true; returns whether it did. */
static bool any_path_directory(const char *path, bool (*visit)(const char *directory, const char *what),
			       const char *what)
{
	char *copy = strdup(path);
	char *rest = copy;
	char *directory;
	bool found = false;

	while (!found && (directory = strsep(&rest, ":")))
		found = visit(*directory ? directory : ".", what);
	free(copy);
	return found;
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* The user's cargo directory if it belongs in front of PATH, else NULL; allocated. */
static char *hidden_cargo_directory(const struct identity *user, char *const *environment, const char *command)
{
	const char *path = environment_get(environment, "PATH");
	const char *cargo_home = environment_get(environment, "CARGO_HOME");
	char *base = cargo_home && *cargo_home ? strdup(cargo_home) : path_join(user->home, ".cargo");
	char *directory = base ? path_join(base, "bin") : NULL;
	bool wanted = false;

	free(base);
	if (!path)
		path = "";
	if (directory && !any_path_directory(path, is_same_text, directory)) {
		wanted = is_executable(directory, "cargo") || is_executable(directory, "rustc") ||
			 (!strchr(command, '/') && is_executable(directory, command) &&
			  !any_path_directory(path, is_executable, command));
	}
	if (wanted)
		return directory;
	free(directory);
	return NULL;
}

/* A variable that COMMAND is to have. */
struct variable {
	const char *name;
	char *value; /* allocated; NULL leaves the variable as it is */
};

/* `ours` if the variable is missing or holds root's value, which sudo has put there; else NULL. */
static char *unless_kept(char *const *environment, const char *name, const char *roots, const char *ours)
{
	const char *value = environment_get(environment, name);

	return ours && (!value || (roots && strcmp(value, roots) == 0)) ? strdup(ours) : NULL;
}

/* The environment with the variables set, as one block of memory: the pointers and behind them the texts. */
static char **environment_with(char *const *environment, const struct variable *variables, size_t count)
{
	size_t entries = 0;
	size_t bytes = 0;
	char **result;
	char *text;
	char **next;

	for (char *const *entry = environment; *entry; entry++, entries++)
		bytes += strlen(*entry) + 1;
	for (size_t i = 0; i < count; i++)
		bytes += variables[i].value ? strlen(variables[i].name) + strlen(variables[i].value) + 2 : 0;
	result = malloc((entries + count + 1) * sizeof(*result) + bytes);
	if (!result)
		return NULL;
	next = result;
	text = (char *)(result + entries + count + 1);
	for (char *const *entry = environment; *entry; entry++) {
		bool replaced = false;

		for (size_t i = 0; i < count; i++) {
			size_t length = strlen(variables[i].name);

			replaced |= variables[i].value && strncmp(*entry, variables[i].name, length) == 0 &&
				    (*entry)[length] == '=';
		}
		if (replaced)
			continue;
		*next++ = text;
		text = stpcpy(text, *entry) + 1;
	}
	for (size_t i = 0; i < count; i++) {
		if (!variables[i].value)
			continue;
		*next++ = text;
		text += sprintf(text, "%s=%s", variables[i].name, variables[i].value) + 1;
	}
	*next = NULL;
	return result;
}

char **launch_environment(const struct identity *user, char *const *environment, const char *command)
{
	struct variable variables[] = {
	    {"HOME", NULL}, {"SHELL", NULL}, {"USER", NULL}, {"LOGNAME", NULL}, {"PATH", NULL}};
	const size_t count = sizeof(variables) / sizeof(*variables);
	const struct passwd *root = user->behind_sudo ? getpwuid(0) : NULL;
	char **result;

	if (user->behind_sudo) {
		const char *path = environment_get(environment, "PATH");
		char *cargo = hidden_cargo_directory(user, environment, command);

		variables[0].value = unless_kept(environment, "HOME", root ? root->pw_dir : NULL, user->home);
		variables[1].value = unless_kept(environment, "SHELL", root ? root->pw_shell : NULL, user->shell);
		variables[2].value = unless_kept(environment, "USER", root ? root->pw_name : NULL, user->name);
		variables[3].value = unless_kept(environment, "LOGNAME", root ? root->pw_name : NULL, user->name);
		if (cargo && asprintf(&variables[4].value, "%s:%s", cargo, path ? path : "/usr/bin:/bin") < 0)
			variables[4].value = NULL;
		free(cargo);
	}
	result = environment_with(environment, variables, count);
	for (size_t i = 0; i < count; i++)
		free(variables[i].value);
	return result;
}

/* In the child: gives up root for the user behind sudo, or what a set-user-id querytap has beyond its caller. */
static int become(const struct identity *user)
{
	if (user->behind_sudo) {
		int status = user->name ? initgroups(user->name, user->gid) : setgroups(1, &user->gid);

		if (status)
			return -errno;
	}
	if (setresgid(user->gid, user->gid, user->gid) || setresuid(user->uid, user->uid, user->uid))
		return -errno;
	return 0;
}

/* The environment with NAME=VALUE, which is taken apart; what it was if there is no memory. */
static char *const *with_variable(char *const *environment, char *text)
{
	char *value = strchr(text, '=');
	struct variable variable = {text, value + 1};
	char **result;

	*value = '\0';
	result = environment_with(environment, &variable, 1);
	return result ? result : environment;
}

/* In the child: waits for the release and becomes COMMAND, or reports why not and ends. */
static void __attribute__((noreturn))
child(int gate, int report_fd, const struct identity *user, char *const *argv, char *const *environment)
{
	const char *path = environment_get(environment, "PATH");
	struct report report;
	ssize_t written;
	char variable[MAX_VARIABLE];
	ssize_t got;

	do
		got = read(gate, variable, sizeof(variable));
	while (got < 0 && errno == EINTR);
	if (got < 1)
		_exit(LAUNCH_NOT_FOUND);
	if (*variable)
		environment = with_variable(environment, variable);
	report = (struct report){.error = -become(user), .step = STEP_IDENTITY};
	if (!report.error) {
		/* execvp searches the PATH of the environment in force and hands on that environment. */
		environ = (char **)environment;
		execvp(argv[0], argv);
		report = (struct report){.error = errno, .step = STEP_EXEC};
		/* A PATH directory that the user may not enter, such as one of root's, is no command found. */
		if (errno == EACCES && path && !strchr(argv[0], '/') && !any_path_directory(path, is_there, argv[0]))
			report.error = ENOENT;
	}
	written = write(report_fd, &report, sizeof(report));
	(void)written;
	_exit(report.error == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_NOT_EXECUTABLE);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The signals that would end querytap and are COMMAND's to decide on. */
static sigset_t forwarded_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

/* The signals that querytap blocks. */
static sigset_t taken_signals(void)
{
	sigset_t set = forwarded_signals();

	sigaddset(&set, SIGPIPE);
	return set;
}

/* Blocks the signals in querytap and opens the file that tells of those to forward. */
static int take_signals(struct launch *launch, struct error *err)
{
	sigset_t set = forwarded_signals();

	launch->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (launch->signal_fd < 0)
		return error_set(err, errno, "cannot open a signalfd: %m");
	set = taken_signals();
	sigprocmask(SIG_BLOCK, &set, NULL);
	return 0;
}

int launch_prepare(struct launch *launch, const struct identity *user, char *const *argv, char *const *environment,
		   struct error *err)
{
	int gate[2] = {-1, -1};
	int report[2] = {-1, -1};
	int status;

	*launch = (struct launch){
	    .pid_fd = -1, .signal_fd = -1, .gate_fd = -1, .report_fd = -1, .name = argv[0], .uid = user->uid};
	sigprocmask(SIG_SETMASK, NULL, &launch->mask);
	if (pipe2(gate, O_CLOEXEC) || pipe2(report, O_CLOEXEC)) {
		status = error_set(err, errno, "cannot open a pipe to start %s: %m", argv[0]);
		goto out;
	}
	launch->pid = fork();
	if (launch->pid == 0) {
		close(gate[1]);
		close(report[0]);
		child(gate[0], report[1], user, argv, environment);
	}
	if (launch->pid < 0) {
		status = error_set(err, errno, "cannot fork to start %s: %m", argv[0]);
		launch->pid = 0;
		goto out;
	}
	launch->gate_fd = gate[1];
	launch->report_fd = report[0];
	gate[1] = report[0] = -1;
	launch->pid_fd = pidfd_open(launch->pid, 0);
	if (launch->pid_fd < 0) {
		status =
		    error_set(err, errno, "cannot open a pidfd for %s: %m (Linux 5.3 or later is needed)", argv[0]);
		goto out;
	}
	status = take_signals(launch, err);
out:
	close_fd(&gate[0]);
	close_fd(&gate[1]);
	close_fd(&report[0]);
	close_fd(&report[1]);
	return status;
}

/* Takes the ended child out of the process table; its status as a shell gives it, or a negative errno. */
static int reap(struct launch *launch)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)launch->pid, &info, WEXITED)) {
		if (errno != EINTR)
			return -errno;
	}
	launch->pid = 0;
	return info.si_code == CLD_EXITED ? info.si_status : LAUNCH_SIGNALLED + info.si_status;
}

int launch_release(struct launch *launch, int *exit_status, struct error *err)
{
	const char *variable = launch->variable && strlen(launch->variable) < MAX_VARIABLE ? launch->variable : "";
	struct report report;
	ssize_t got = write(launch->gate_fd, variable, strlen(variable) + 1);

	/* If the child was killed while it waited, that failed and nothing is reported: launch_wait() tells how. */
	(void)got;
	close_fd(&launch->gate_fd);
	do
		got = read(launch->report_fd, &report, sizeof(report));
	while (got < 0 && errno == EINTR);
	close_fd(&launch->report_fd);
	if (got != sizeof(report))
		return 0;
	*exit_status = report.error == ENOENT && report.step == STEP_EXEC ? LAUNCH_NOT_FOUND : LAUNCH_NOT_EXECUTABLE;
	reap(launch);
	errno = report.error;
	if (report.step == STEP_IDENTITY)
		return error_set(err, report.error, "cannot run %s as user %u: %m", launch->name, launch->uid);
	return error_set(err, report.error, "cannot run %s: %m", launch->name);
}

int launch_signal(const struct launch *launch, int number, struct error *err)
{
	if (pidfd_send_signal(launch->pid_fd, number, NULL, 0) == 0 || errno == ESRCH)
		return 0;
	return error_set(err, errno, "cannot send signal %d to process %d: %m", number, launch->pid);
}

int launch_forward(const struct launch *launch, struct error *err)
{
	struct signalfd_siginfo info;
	ssize_t got = read(launch->signal_fd, &info, sizeof(info));
	int status = 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != sizeof(info))
		return error_set(err, got < 0 ? errno : EIO, "cannot read from a signalfd: %m");
	/* What a terminal sends (Ctrl-C, Ctrl-\, hang-up) it sends to the whole process group. */
	if (info.ssi_code != SI_KERNEL)
		status = launch_signal(launch, (int)info.ssi_signo, err);
	return status ? status : (int)info.ssi_signo;
}

int launch_wait(struct launch *launch, struct error *err)
{
	int status = reap(launch);

	if (status < 0)
		return error_set(err, status, "cannot wait for %s: %s", launch->name, strerror(-status));
	return status;
}

void launch_free(struct launch *launch)
{
	static const struct timespec at_once;

	if (!launch->name)
		return;
	if (launch->pid > 0 && launch->gate_fd >= 0) {
		kill(launch->pid, SIGKILL);
		reap(launch);
	}
	close_fd(&launch->gate_fd);
	close_fd(&launch->report_fd);
	close_fd(&launch->pid_fd);
	if (launch->signal_fd >= 0) {
		sigset_t ours = taken_signals();

		while (sigtimedwait(&ours, NULL, &at_once) > 0)
			;
		sigprocmask(SIG_SETMASK, &launch->mask, NULL);
	}
	close_fd(&launch->signal_fd);
	*launch = (struct launch){0};
}
