/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/find_private.h"
#include "util/path.h"
#include "util/toml.h"

enum { TEXT_MAX = 1 << 20 };

static const char *const compiler_names[] = {"rustc", "rustdoc", "clippy-driver", "cargo"};

/* Settings that name a compiler or a wrapper around one, as variables and as cargo's `--config KEY=VALUE`. */
static const char *const program_settings[] = {
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_RUSTDOC",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "build.rustc",
    "build.rustdoc",
    "build.rustc-wrapper",
    "build.rustc-workspace-wrapper",
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const char *find_variable(const struct find *find, const char *name)
{
	size_t length = strlen(name);

	for (char *const *entry = find->in->environment; *entry; entry++) {
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=' && (*entry)[length + 1])
			return *entry + length + 1;
	}
	return NULL;
}

char *find_join(struct find *find, const char *base, const char *name)
{
	char *path = base ? path_join(base, name) : NULL;

	find->out_of_memory |= base && !path;
	return path;
}

char *find_read_text(struct find *find, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	size_t size, length = 0;
	char *text = NULL;
	ssize_t got = 1;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		size = status.st_size < TEXT_MAX ? (size_t)status.st_size : TEXT_MAX;
		text = malloc(size + 1);
		find->out_of_memory |= !text;
		while (text && length < size && got > 0) {
			got = read(fd, text + length, size - length);
			length += got > 0 ? (size_t)got : 0;
		}
		if (text)
			text[length] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return text;
}

void find_add(struct find *find, const char *path, struct clue clue)
{
	struct found_list *list = find->out;
	struct found_compiler item = {.likely = clue.likely && !find->settled};
	struct found_compiler *items;
	struct stat status;

	if (!path || stat(path, &status) || !S_ISREG(status.st_mode))
		return;
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].device == status.st_dev && list->items[i].inode == status.st_ino) {
			list->items[i].likely |= item.likely;
			return;
		}
	}
	item.path = realpath(path, NULL);
	item.origin = strdup(clue.origin);
	item.device = status.st_dev;
	item.inode = status.st_ino;
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (items)
		list->items = items;
	if (!items || !item.path || !item.origin) {
		find->out_of_memory = true;
		free(item.path);
		free(item.origin);
		return;
	}
	items[list->count++] = item;
}

/* Notes that a file is looked at. Returns false if it was before, with as much likelihood. */
static bool is_new(struct find *find, const char *path, bool likely)
{
	struct find_seen *seen;
	struct stat status;

	if (stat(path, &status) || !S_ISREG(status.st_mode))
		return false;
	for (size_t i = 0; i < find->seen_count; i++) {
		seen = &find->seen[i];
		if (seen->device != status.st_dev || seen->inode != status.st_ino)
			continue;
		if (seen->likely || !likely)
			return false;
		seen->likely = true;
		return true;
	}
	seen = reallocarray(find->seen, find->seen_count + 1, sizeof(*seen));
	if (!seen) {
		find->out_of_memory = true;
		return false;
	}
	find->seen = seen;
	find->seen[find->seen_count++] =
	    (struct find_seen){.device = status.st_dev, .inode = status.st_ino, .likely = likely};
	return true;
}

static void scan_text(struct find *find, const char *text, struct clue clue);

static void scan_script(struct find *find, const char *path, struct clue clue)
{
	char *text = find_read_text(find, path);

	if (text)
		scan_text(find, text, clue);
	free(text);
}

void find_executable(struct find *find, const char *path, struct clue clue)
{
	char *resolved = path ? realpath(path, NULL) : NULL;
	char magic[4] = "";
	int fd;

	if (!resolved || !is_new(find, resolved, clue.likely)) {
		free(resolved);
		return;
	}
	fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && pread(fd, magic, sizeof(magic), 0) == sizeof(magic)) {
		if (find_is_rustup_proxy(find, resolved))
			find_active_toolchain(find, clue);
		else if (memcmp(magic, "\177ELF", 4) == 0)
			find_driver(find, resolved, clue);
		else if (memcmp(magic, "#!", 2) == 0)
			scan_script(find, resolved, clue);
	}
	if (fd >= 0)
		close(fd);
	free(resolved);
}

static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Looks in the directories of a PATH for every compiler, or only for `wanted` and then in the first that has it. */
static void scan_path(struct find *find, const char *path, const char *wanted, struct clue clue)
{
	const char *const *names = wanted ? &wanted : compiler_names;
	size_t count = wanted ? 1 : COUNT(compiler_names);

	for (size_t i = 0; i < count; i++) {
		char *copy = strdup(path);
		char *rest = copy;
		char *directory;
		bool first = true;

		find->out_of_memory |= !copy;
		while ((directory = strsep(&rest, ":")) && (first || !wanted)) {
			char *absolute = find_join(find, find->in->cwd, directory);
			char *program = find_join(find, absolute, names[i]);
			char origin[64];

			snprintf(origin, sizeof(origin), "%s on PATH", names[i]);
			if (program && is_program(program)) {
				find_executable(find, program,
						(struct clue){wanted ? clue.origin : origin, clue.likely && first});
				first = false;
			}
			free(program);
			free(absolute);
		}
		free(copy);
	}
}

/* Follows a program as named on a command line or in a setting: a path, or a name to be found on PATH. */
static void find_program(struct find *find, const char *base, const char *name, struct clue clue)
{
	const char *path = find_variable(find, "PATH");

	if (strchr(name, '/')) {
		char *absolute = find_join(find, base, name);

		find_executable(find, absolute, clue);
		free(absolute);
	} else if (*name) {
		scan_path(find, path ? path : "/bin:/usr/bin", name, clue);
	}
}

/* The value of NAME=VALUE if the word sets `name`, without quotes around it, allocated; else NULL. */
static char *assigned(const char *word, const char *name)
{
	size_t length = strlen(name);
	const char *value = word + length + 1;
	size_t value_length;

	if (strncmp(word, name, length) != 0 || word[length] != '=')
		return NULL;
	value_length = strlen(value);
	if (value_length >= 2 && (*value == '"' || *value == '\'') && value[value_length - 1] == *value)
		return strndup(value + 1, value_length - 2);
	return strdup(value);
}

static void scan_assignment(struct find *find, const char *word, struct clue clue)
{
	char *value;

	for (size_t i = 0; i < COUNT(program_settings); i++) {
		value = assigned(word, program_settings[i]);
		if (value)
			find_program(find, find->in->cwd, value, (struct clue){program_settings[i], clue.likely});
		free(value);
	}
	value = assigned(word, "RUSTUP_TOOLCHAIN");
	if (value)
		find_toolchain(find, value, clue);
	free(value);
	value = assigned(word, "PATH");
	if (value)
		scan_path(find, value, NULL, clue);
	free(value);
}

static bool is_compiler_name(const char *name)
{
	for (size_t i = 0; i < COUNT(compiler_names); i++) {
		if (strcmp(name, compiler_names[i]) == 0)
			return true;
	}
	return false;
}

/* Takes a word of a command line or a script for what it may be; `before` are the two words before it, or NULL. */
static void scan_word(struct find *find, const char *word, const char *const before[2], struct clue clue)
{
	size_t name_length = strcspn(word, "=/");

	if (word[name_length] == '=') {
		scan_assignment(find, word, clue);
		word += name_length + 1;
	}
	if (*word == '+') {
		find_toolchain(find, word + 1, clue);
	} else if (before[0] && before[1] && strcmp(before[0], "run") == 0 &&
		   strcmp(path_name(before[1]), "rustup") == 0) {
		find_toolchain(find, word, clue);
	} else if (strchr(word, '/') && is_compiler_name(path_name(word))) {
		char *expanded = path_expand(word, find->in->home);

		if (expanded)
			find_program(find, find->in->cwd, expanded, clue);
		free(expanded);
	}
}

/* Takes the words of a text, parted as a shell would roughly do it, each for what it may be. */
static void scan_text(struct find *find, const char *text, struct clue clue)
{
	static const char parting[] = " \t\r\n;|&()<>`\"'";
	char *copy = strdup(text);
	char *rest = copy;
	const char *before[2] = {NULL, NULL};
	char *word;

	find->out_of_memory |= !copy;
	while ((word = strsep(&rest, parting))) {
		if (!*word)
			continue;
		scan_word(find, word, before, clue);
		before[1] = before[0];
		before[0] = word;
	}
	free(copy);
}

/* COMMAND itself, and what its arguments say. */
static void scan_command(struct find *find)
{
	char *const *argv = find->in->argv;
	const char *before[2] = {NULL, NULL};
	struct clue clue = {"the command line", true};
	size_t count;

	if (!argv[0])
		return;
	/* "+toolchain" right behind a proxy decides for it; elsewhere it may belong to one of several programs. */
	if (argv[1] && argv[1][0] == '+')
		find->toolchain = argv[1] + 1;
	find_program(find, find->in->cwd, argv[0], (struct clue){argv[0], true});
	count = find->out->count;
	find->settled = count && is_compiler_name(path_name(argv[0])) && strcmp(path_name(argv[0]), "cargo") != 0;
	for (size_t i = 0; argv[i]; i++) {
		scan_word(find, argv[i], before, clue);
		if (argv[i][strcspn(argv[i], " \t\n;|&()")])
			scan_text(find, argv[i], clue);
		before[1] = before[0];
		before[0] = argv[i];
	}
}

static void scan_variables(struct find *find)
{
	for (size_t i = 0; i < COUNT(program_settings); i++) {
		const char *value = find_variable(find, program_settings[i]);

		if (value)
			find_program(find, find->in->cwd, value, (struct clue){program_settings[i], true});
	}
}

/* The [build] settings in FOLDER/file. A relative path in them counts from the directory that the folder is in. */
static void scan_cargo_config(struct find *find, const char *folder, const char *file)
{
	static const char *const keys[] = {"rustc", "rustdoc", "rustc-wrapper", "rustc-workspace-wrapper"};
	char *path = find_join(find, folder, file);
	char *text = path ? find_read_text(find, path) : NULL;
	char *base = strndup(folder, (size_t)(path_name(folder) - folder));

	for (size_t i = 0; text && base && i < COUNT(keys); i++) {
		char *value = toml_string(text, "build", keys[i]);

		if (value)
			find_program(find, base, value, (struct clue){path, true});
		free(value);
	}
	free(base);
	free(text);
	free(path);
}

static void scan_cargo_configs(struct find *find)
{
	char *directory = strdup(find->in->cwd);

	find->out_of_memory |= !directory;
	while (directory && *directory) {
		char *folder = find_join(find, directory, ".cargo");
		char *slash = strrchr(directory, '/');

		if (folder) {
			scan_cargo_config(find, folder, "config");
			scan_cargo_config(find, folder, "config.toml");
		}
		free(folder);
		if (!slash || !slash[1])
			break;
		slash[slash == directory] = '\0';
	}
	free(directory);
	if (find->cargo_home) {
		scan_cargo_config(find, find->cargo_home, "config");
		scan_cargo_config(find, find->cargo_home, "config.toml");
	}
}

/* Puts the likely ones first; the order is else kept. */
static void sort(struct found_list *list)
{
	size_t likely = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct found_compiler item = list->items[i];

		if (!item.likely)
			continue;
		memmove(&list->items[likely + 1], &list->items[likely], (i - likely) * sizeof(item));
		list->items[likely++] = item;
	}
}

/* The directory that a variable names, or else ~/name; allocated. */
static char *home_of(struct find *find, const char *variable, const char *name)
{
	const char *value = find_variable(find, variable);

	return value ? find_join(find, find->in->cwd, value) : find_join(find, find->in->home, name);
}

int compilers_find(const struct find_input *in, struct found_list *out, struct error *err)
{
	struct find find = {.in = in, .out = out};
	const char *path;

	*out = (struct found_list){0};
	find.rustup_home = home_of(&find, "RUSTUP_HOME", ".rustup");
	find.cargo_home = home_of(&find, "CARGO_HOME", ".cargo");
	path = find_variable(&find, "PATH");
	scan_command(&find);
	scan_variables(&find);
	scan_cargo_configs(&find);
	if (path)
		scan_path(&find, path, NULL, (struct clue){"PATH", true});
	find_all_toolchains(&find);
	sort(out);
	free(find.rustup_home);
	free(find.cargo_home);
	free(find.seen);
	return find.out_of_memory ? error_set(err, ENOMEM, "out of memory while looking for compilers") : 0;
}

void found_list_free(struct found_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		free(list->items[i].origin);
	}
	free(list->items);
	*list = (struct found_list){0};
}
