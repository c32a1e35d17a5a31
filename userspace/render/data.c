/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/data.h"

#include <jansson.h>
#include <string.h>

#include "render/page.h"

/* page_hashes.h is made by the Makefile: HASH("name", "sha256-...") for each script and style sheet. */
#define HASH(name, hash) {name, hash},
static const struct {
	const char *name, *hash;
} hashes[] = {
#include "page_hashes.h"
};
#undef HASH

void data_put_text(const char *text, FILE *out)
{
	page_put_json(text, strlen(text), out);
}

void data_put_name(const char *name, FILE *out)
{
	json_t *valid = json_string(name);
	char *copy;

	if (valid) {
		data_put_text(name, out);
		json_decref(valid);
		return;
	}
	copy = strdup(name);
	for (char *at = copy; at && *at; at++) {
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	}
	data_put_text(copy ? copy : "?", out);
	free(copy);
}

static void put_sources(const char *directive, const char *extension, const char *const *files, FILE *out)
{
	fprintf(out, "; %s", directive);
	for (; *files; files++) {
		if (strcmp(strrchr(*files, '.'), extension) != 0)
			continue;
		for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
			if (strcmp(hashes[i].name, *files) == 0)
				fprintf(out, " '%s'", hashes[i].hash);
		}
	}
}

void policy_put(const char *const *files, FILE *out)
{
	fputs("default-src 'none'; base-uri 'none'; form-action 'none'", out);
	put_sources("script-src", ".js", files, out);
	put_sources("style-src", ".css", files, out);
}
