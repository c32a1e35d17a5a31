/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Which toolchain a rustup proxy stands for (https://rust-lang.github.io/rustup/overrides.html), read from rustup's
 * files: RUSTUP_HOME/settings.toml, RUSTUP_HOME/toolchains/NAME, rust-toolchain and rust-toolchain.toml.
 */
#include "compiler/find_private.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/path.h"
#include "util/toml.h"

/* What rustup completes a toolchain's name with, if settings.toml doesn't say otherwise. */
static const char *const hosts[] = {"x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"};

bool find_is_rustup_proxy(struct find *find, const char *path)
{
	char *directory = strndup(path, (size_t)(path_name(path) - path));
	char *rustup = directory ? find_join(find, directory, "rustup") : NULL;
	struct stat ours, theirs;
	bool proxy;

	/* Proxies are symbolic or hard links to rustup, which tells by the name it is called by what to run. */
	proxy = strcmp(path_name(path), "rustup") == 0 || strcmp(path_name(path), "rustup-init") == 0 ||
		(rustup && stat(path, &ours) == 0 && stat(rustup, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
		 ours.st_ino == theirs.st_ino);
	free(rustup);
	free(directory);
	return proxy;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Adds the compiler of a sysroot (may be NULL). Returns whether there is such a directory. */
static bool add_sysroot(struct find *find, const char *directory, struct clue clue)
{
	char *compiler;

	if (!directory || !is_directory(directory))
		return false;
	compiler = find_join(find, directory, "bin/rustc");
	if (compiler && access(compiler, F_OK) == 0)
		find_executable(find, compiler, clue);
	else
		find_driver_in_sysroot(find, directory, clue);
	free(compiler);
	return true;
}

/* settings.toml's text; NULL if there is none. */
static char *read_settings(struct find *find)
{
	char *path = find_join(find, find->rustup_home, "settings.toml");
	char *text = path ? find_read_text(find, path) : NULL;

	free(path);
	return text;
}

static bool add_installed(struct find *find, const char *name, const char *host, struct clue clue)
{
	char *base = find_join(find, find->rustup_home, "toolchains");
	char *full = NULL;
	char *directory = NULL;
	bool found;

	if (base && asprintf(&full, "%s%s%s", name, host ? "-" : "", host ? host : "") >= 0)
		directory = find_join(find, base, full);
	found = add_sysroot(find, directory, clue);
	free(directory);
	free(full);
	free(base);
	return found;
}

bool find_toolchain(struct find *find, const char *name, struct clue clue)
{
	char *origin = NULL;
	char *settings = NULL;
	char *host;
	bool found;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (asprintf(&origin, "toolchain %s", name) < 0)
		return false;
	clue.origin = origin;
	if (strchr(name, '/')) {
		char *directory = find_join(find, find->in->cwd, name);

		found = add_sysroot(find, directory, clue);
		free(directory);
		free(origin);
		return found;
	}
	settings = read_settings(find);
	host = settings ? toml_string(settings, NULL, "default_host_triple") : NULL;
	found = add_installed(find, name, NULL, clue) || (host && add_installed(find, name, host, clue));
	for (size_t i = 0; !found && i < sizeof(hosts) / sizeof(*hosts); i++)
		found = add_installed(find, name, hosts[i], clue);
	free(host);
	free(settings);
	free(origin);
	return found;
}

/* The name in a text that is a toolchain file of the old form: one line, nothing else; allocated, else NULL. */
static char *bare_name(const char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strcspn(text, " \t\r\n");
	if (!length || text[length + strspn(text + length, " \t\r\n")])
		return NULL;
	return strndup(text, length);
}

/* Adds the toolchain that DIRECTORY/file names. Returns whether the file names one, installed or not. */
static bool add_by_file(struct find *find, const char *directory, const char *file, struct clue clue)
{
	char *path = find_join(find, directory, file);
	char *text = path ? find_read_text(find, path) : NULL;
	char *channel = text ? toml_string(text, "toolchain", "channel") : NULL;
	char *sysroot = text && !channel ? toml_string(text, "toolchain", "path") : NULL;
	bool named;

	if (text && !channel && !sysroot)
		channel = bare_name(text);
	named = channel || sysroot;
	if (channel) {
		find_toolchain(find, channel, clue);
	} else if (sysroot) {
		char *absolute = find_join(find, directory, sysroot);

		if (absolute)
			find_toolchain(find, absolute, clue);
		free(absolute);
	}
	free(sysroot);
	free(channel);
	free(text);
	free(path);
	return named;
}

/* Adds what is set for the working directory or the nearest one above it. Returns whether something is. */
static bool add_by_directory(struct find *find, const char *settings, struct clue clue)
{
	char *directory = strdup(find->in->cwd);
	bool named = false;

	while (directory && *directory && !named) {
		char *override = settings ? toml_string(settings, "overrides", directory) : NULL;
		char *slash = strrchr(directory, '/');

		named = override != NULL;
		if (override)
			find_toolchain(find, override, clue);
		free(override);
		named = named || add_by_file(find, directory, "rust-toolchain", clue) ||
			add_by_file(find, directory, "rust-toolchain.toml", clue);
		if (!slash || !slash[1])
			break;
		slash[slash == directory] = '\0';
	}
	free(directory);
	return named;
}

void find_active_toolchain(struct find *find, struct clue clue)
{
	const char *variable = find_variable(find, "RUSTUP_TOOLCHAIN");
	char *settings;
	char *standard;

	if (find->toolchain && find_toolchain(find, find->toolchain, clue))
		return;
	if (variable) {
		find_toolchain(find, variable, clue);
		return;
	}
	settings = read_settings(find);
	if (!add_by_directory(find, settings, clue)) {
		standard = settings ? toml_string(settings, NULL, "default_toolchain") : NULL;
		if (standard)
			find_toolchain(find, standard, clue);
		free(standard);
	}
	free(settings);
}

void find_all_toolchains(struct find *find)
{
	char *path = find_join(find, find->rustup_home, "toolchains");
	struct dirent **entries = NULL;
	int count = path ? scandir(path, &entries, NULL, alphasort) : 0;

	for (int i = 0; i < count; i++) {
		find_toolchain(find, entries[i]->d_name, (struct clue){0});
		free(entries[i]);
	}
	free(entries);
	free(path);
}
