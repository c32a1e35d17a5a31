/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Strings out of TOML, in the forms that cargo and rustup accept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/toml.h"

struct sample {
	const char *text, *table, *key, *value;
};

static void check(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *value = toml_string(samples[i].text, samples[i].table, samples[i].key);

		if (!value != !samples[i].value || (value && strcmp(value, samples[i].value) != 0))
			fail_msg("%s.%s is '%s' in: %s", samples[i].table, samples[i].key, value, samples[i].text);
		free(value);
	}
}

static void finds_strings(void **state)
{
	static const struct sample samples[] = {
	    {"channel = \"nightly\"", NULL, "channel", "nightly"},
	    {"[toolchain]\nchannel = 'nightly' # why\n", "toolchain", "channel", "nightly"},
	    {"[other]\nchannel = 'a'\n[toolchain]\r\nchannel = 'b'\r\n", "toolchain", "channel", "b"},
	    {"toolchain.channel = \"stable\"", "toolchain", "channel", "stable"},
	    {"toolchain = { components = [\"x\", 'y'], channel = \"1.75\" }", "toolchain", "channel", "1.75"},
	    {"  [ toolchain ]\n\"channel\"='b'", "toolchain", "channel", "b"},
	    {"[overrides]\n\"/home/a.b/c d\" = \"beta\"\n", "overrides", "/home/a.b/c d", "beta"},
	    {"version = \"12\"\n\n[overrides]\n[x]\ndefault = 'n'", NULL, "version", "12"},
	    {"a = [\n 1, # ]\n [\"]\"],\n]\nb = 'c'", NULL, "b", "c"},
	    {"a = 1979-05-27T07:32:00Z\nb = 1_000\nc = true\nd = 'e'", NULL, "d", "e"},
	    {"a = \"\"\"\nx = 'no'\n\"\"\"\nx = 'yes'", NULL, "x", "yes"},
	    {"a = \"tab\\tquote\\\"\\u00e9\\U0001F600\"", NULL, "a", "tab\tquote\"\xc3\xa9\xf0\x9f\x98\x80"},
	    {"a = \"\"\"\none \\\n   two\"\"\"\"", NULL, "a", "one two\""},
	    {"a = 'C:\\new'", NULL, "a", "C:\\new"},
	    {"a = ''", NULL, "a", ""},
	    {"\xef\xbb\xbf"
	     "a = 'marked'",
	     NULL, "a", "marked"},
	};

	(void)state;
	check(samples, sizeof(samples) / sizeof(*samples));
}

static void finds_nothing_else(void **state)
{
	static const struct sample samples[] = {
	    {"", NULL, "a", NULL},
	    {"a = 1", NULL, "a", NULL},
	    {"[t]\na = 'x'", NULL, "a", NULL},
	    {"a = 'x'", "t", "a", NULL},
	    {"[t.u]\na = 'x'", "t", "a", NULL},
	    {"[[t]]\na = 'x'", "t", "a", NULL},
	    {"t = [{ a = 'x' }]", "t", "a", NULL},
	    {"# a = 'x'", NULL, "a", NULL},
	    {"nightly-2024-01-01\n", "toolchain", "channel", NULL},
	};

	(void)state;
	check(samples, sizeof(samples) / sizeof(*samples));
}

static void stops_at_what_is_malformed(void **state)
{
	static const struct sample samples[] = {
	    {"a 'x'\nb = 'y'", NULL, "b", NULL},
	    {"a = \"x\nb = 'y'", NULL, "b", NULL},
	    {"a = \"\\q\"\nb = 'y'", NULL, "b", NULL},
	    {"a = \"\\ud", NULL, "a", NULL},
	    {"a = \"\\U00110000\"", NULL, "a", NULL},
	    {"a = 'x' b = 'y'", NULL, "b", NULL},
	    {"[t\na = 'x'", "t", "a", NULL},
	    {"a =\nb = 'y'", NULL, "b", NULL},
	    {"a = [1, 2", NULL, "a", NULL},
	    {"a = {", NULL, "a", NULL},
	    {"a = \"\"\"x", NULL, "a", NULL},
	    {"= 'x'", NULL, "", NULL},
	    {"a. = 'x'", "a", "", NULL},
	};

	(void)state;
	check(samples, sizeof(samples) / sizeof(*samples));
}

static void deep_nesting_is_refused(void **state)
{
	char text[4096] = "a = ";

	(void)state;
	memset(text + 4, '[', sizeof(text) - 5);
	assert_null(toml_string(text, NULL, "a"));
	memset(text, '[', sizeof(text) - 1);
	assert_null(toml_string(text, NULL, "a"));
}

/* Every cut and every changed byte of a document is read without harm; the sanitizers say if not. */
static void damage_does_no_harm(void **state)
{
	static const char document[] =
	    "[t.\"k\"]\na = [\"x\\u00e9\", {b = '''c'''}, 1]\nd.\"e\" = \"\"\"f\\\n g\"\"\"\n[[u]]\nv = 'w'";
	static const char changes[] = "\"'[]{}=.,\\\n#u";
	char text[sizeof(document)];

	(void)state;
	for (size_t at = 0; at < sizeof(document); at++) {
		memcpy(text, document, sizeof(document));
		text[at] = '\0';
		free(toml_string(text, "t", "zz"));
		for (const char *change = changes; *change && at + 1 < sizeof(document); change++) {
			text[at] = *change;
			free(toml_string(text, "t", "zz"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_strings),
	    cmocka_unit_test(finds_nothing_else),
	    cmocka_unit_test(stops_at_what_is_malformed),
	    cmocka_unit_test(deep_nesting_is_refused),
	    cmocka_unit_test(damage_does_no_harm),
	};

	return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
