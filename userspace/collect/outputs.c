/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/outputs.h"

#include <string.h>

#include "collect/profile.h"

/* The value of option `name` if the argument is that; `following` is the next argument, or NULL. */
static const char *option_value(const char *arg, const char *following, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(arg, name, length) != 0)
		return NULL;
	if (!arg[length])
		return following;
	if (name[1] == '-')
		return arg[length] == '=' ? arg + length + 1 : NULL;
	return arg + length;
}

static struct output_name without_directories(const char *path, size_t length)
{
	const char *slash = memrchr(path, '/', length);
	const char *name = slash ? slash + 1 : path;

	return (struct output_name){name, length - (size_t)(name - path)};
}

/* Reads the value of an --emit. Returns how many kinds of output in it have no name of their own. */
static unsigned int read_emit(const char *list, struct outputs *outputs)
{
	unsigned int unnamed = 0;

	for (;; list++) {
		size_t length = strcspn(list, ",");
		const char *path = memchr(list, '=', length);
		size_t kind = path ? (size_t)(path - list) : length;

		if (kind == 4 && !memcmp(list, "link", 4)) {
			outputs->links = true;
			if (path)
				outputs->link = without_directories(path + 1, length - kind - 1);
		}
		unnamed += !path;
		list += length;
		if (!*list)
			return unnamed;
	}
}

void outputs_read(const char *args, size_t length, struct outputs *outputs)
{
	static const char *const codegen[] = {"-C", "--codegen"};
	const char *end = args + length, *next;
	unsigned int unnamed = 0;
	bool emits = false;

	memset(outputs, 0, sizeof(*outputs));
	crate_name(args, length, outputs->crate, sizeof(outputs->crate));
	for (const char *arg = args; arg < end; arg = next) {
		const char *value;

		next = arg + strlen(arg) + 1;
		value = option_value(arg, next < end ? next : NULL, "--emit");
		if (value) {
			emits = true;
			unnamed += read_emit(value, outputs);
		}
		value = option_value(arg, next < end ? next : NULL, "-o");
		if (value)
			outputs->output = without_directories(value, strlen(value));
		for (size_t i = 0; i < sizeof(codegen) / sizeof(*codegen); i++) {
			value = option_value(arg, next < end ? next : NULL, codegen[i]);
			if (value && (!strncmp(value, "extra-filename=", 15) || !strncmp(value, "extra_filename=", 15)))
				outputs->extra = (struct output_name){value + 15, strlen(value + 15)};
		}
		if (option_takes_value(arg) && next < end)
			next += strlen(next) + 1;
	}
	if (!emits) {
		outputs->links = true;
		unnamed = 1;
	}
	outputs->adapted = unnamed > 1;
}

static bool is_name(const struct output_name *name, const char *text, size_t length)
{
	return name->text && name->length == length && !memcmp(name->text, text, length);
}

/* Whether a text is `stem` and the extra behind it. */
static bool is_stem_with_extra(const struct outputs *outputs, const char *stem, size_t stem_length, const char *text,
			       size_t length)
{
	size_t extra = outputs->extra.text ? outputs->extra.length : 0;

	return length == stem_length + extra && !memcmp(text, stem, stem_length) &&
	       (!extra || !memcmp(text + stem_length, outputs->extra.text, extra));
}

static size_t stem_length(const struct output_name *file)
{
	const char *dot = memrchr(file->text, '.', file->length);

	return dot && dot != file->text ? (size_t)(dot - file->text) : file->length;
}

/* Source: filename_for_input in rustc_session::output; what stands around the stem, by the targets' names of things. */
bool outputs_link(const struct outputs *outputs, const char *name,
		  bool (*is_stem)(const void *context, const char *stem, size_t length), const void *context)
{
	static const struct {
		const char *before, *behind;
	} forms[] = {
	    {"", ""},	       {"", ".exe"}, {"", ".wasm"},    {"", ".efi"},   {"", ".elf"},
	    {"", ".js"},       {"", ".ptx"}, {"lib", ".rlib"}, {"lib", ".so"}, {"lib", ".a"},
	    {"lib", ".dylib"}, {"", ".dll"}, {"", ".lib"},
	};
	size_t length = strlen(name);

	if (!outputs->links)
		return false;
	if (outputs->link.text)
		return is_name(&outputs->link, name, length);
	if (outputs->output.text && !outputs->adapted)
		return is_name(&outputs->output, name, length);
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		size_t before = strlen(forms[i].before), behind = strlen(forms[i].behind);
		const char *stem = name + before;
		size_t left = length - before - behind;

		if (length <= before + behind || memcmp(name, forms[i].before, before) != 0 ||
		    memcmp(stem + left, forms[i].behind, behind) != 0)
			continue;
		if (is_stem_with_extra(outputs, outputs->crate, strlen(outputs->crate), stem, left) ||
		    (outputs->output.text &&
		     is_stem_with_extra(outputs, outputs->output.text, stem_length(&outputs->output), stem, left)) ||
		    is_stem(context, stem, left))
			return true;
	}
	return false;
}
