/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Plans on disk: given back as they were made, and not believed when they are damaged, forged or of another file. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "tests/unit/standin_bytes.h"

static char cache[] = "/tmp/querytap-plan-XXXXXX";

static int make_cache(void **state)
{
	return mkdtemp(cache) ? read_standin(state) : -1;
}

static int remove_cache(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", cache);
	return forget_standin(state) || system(command);
}

/* Empties the cache: a plan in it is good for every file with the same build id and size. */
static void clear_cache(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s/*.plan", cache);
	assert_int_equal(system(command), 0);
}

static struct identity owner;

/* The plan that plan_get has for the bytes, and whether it was in the cache. */
static struct plan *get_plan(void)
{
	struct error err = {{0}};
	struct plan *plan;

	owner = (struct identity){.uid = getuid(), .gid = getgid()};
	if (plan_get(elf_put(bytes, size), cache, &owner, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

static char *cached_text(const char *build_id, char path[256])
{
	char *text = calloc(1, 1 << 16);
	FILE *file;

	snprintf(path, 256, "%s/%s.plan", cache, build_id);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

static void put_text(const char *path, const char *text, size_t length)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fwrite(text, 1, length, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_equal_plans(const struct plan *a, const struct plan *b)
{
	assert_string_equal(a->path, b->path);
	assert_string_equal(a->build_id, b->build_id);
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->generation, b->generation);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->query_count, b->query_count);
	assert_int_equal(a->site_count, b->site_count);
	for (size_t i = 0; i < a->query_count; i++) {
		assert_string_equal(a->queries[i].name, b->queries[i].name);
		assert_int_equal(a->queries[i].vtable_offset, b->queries[i].vtable_offset);
		assert_int_equal(!a->queries[i].refusal, !b->queries[i].refusal);
		if (a->queries[i].refusal)
			assert_string_equal(a->queries[i].refusal, b->queries[i].refusal);
	}
	assert_int_equal(a->activity_count, b->activity_count);
	for (size_t i = 0; i < a->activity_count; i++)
		assert_string_equal(a->activities[i].label, b->activities[i].label);
	assert_int_equal(a->omission_count, b->omission_count);
	for (size_t i = 0; i < a->omission_count; i++) {
		assert_string_equal(a->omissions[i].label, b->omissions[i].label);
		assert_string_equal(a->omissions[i].refusal, b->omissions[i].refusal);
	}
	assert_int_equal(a->pass_count, b->pass_count);
	for (size_t i = 0; i < a->pass_count; i++) {
		assert_int_equal(a->passes[i].vtable, b->passes[i].vtable);
		assert_int_equal(a->passes[i].selector, b->passes[i].selector);
		assert_int_equal(a->passes[i].count, b->passes[i].count);
		assert_int_equal(a->passes[i].first, b->passes[i].first);
	}
	assert_int_equal(a->call_count, b->call_count);
	for (size_t i = 0; i < a->call_count; i++) {
		assert_int_equal(a->calls[i].offset, b->calls[i].offset);
		assert_int_equal(a->calls[i].number, b->calls[i].number);
	}
	assert_int_equal(a->span_count, b->span_count);
	for (size_t i = 0; i < a->span_count; i++) {
		assert_int_equal(a->spans[i].offset, b->spans[i].offset);
		assert_int_equal(a->spans[i].size, b->spans[i].size);
		assert_int_equal(a->spans[i].number, b->spans[i].number);
	}
	assert_int_equal(a->body_count, b->body_count);
	for (size_t i = 0; i < a->body_count; i++) {
		assert_int_equal(a->bodies[i].offset, b->bodies[i].offset);
		assert_int_equal(a->bodies[i].size, b->bodies[i].size);
		assert_int_equal(a->bodies[i].number, b->bodies[i].number);
	}
	for (size_t i = 0; i < a->site_count; i++) {
		assert_int_equal(a->sites[i].event, b->sites[i].event);
		assert_int_equal(a->sites[i].offset, b->sites[i].offset);
		assert_int_equal(a->sites[i].cookie, b->sites[i].cookie);
		assert_int_equal(a->sites[i].kind, b->sites[i].kind);
	}
}

static void test_cache_gives_back_what_it_took(void **state)
{
	struct plan *made, *cached;

	TAKE_COPY();
	clear_cache();
	made = get_plan();
	cached = get_plan();
	assert_true(cached->from_cache);
	assert_equal_plans(made, cached);
	plan_free(made);
	plan_free(cached);
}

/* What a plan made from a descriptor says goes through text as it is, and half a text is no plan. */
static void test_plan_goes_through_text(void **state)
{
	struct plan *made, *read;
	struct error err = {{0}};
	char *text, *half;
	size_t length;
	int fd;

	TAKE_COPY();
	fd = open(elf_put(bytes, size), O_RDONLY | O_CLOEXEC);
	assert_int_equal(plan_make_fd(fd, elf_path, &made, &err), 0);
	assert_int_equal(close(fd), 0);
	text = plan_to_text(made, &length);
	assert_non_null(text);
	half = strndup(text, length / 2);
	assert_int_equal(plan_from_text(half, length / 2, elf_path, &read, &err), -EINVAL);
	assert_null(read);
	assert_int_equal(plan_from_text(text, length, elf_path, &read, &err), 0);
	assert_equal_plans(made, read);
	plan_free(made);
	plan_free(read);
	free(half);
	free(text);
}

/* The code is not what it was, though everything that is compared is: sites are looked at again. */
static void test_cache_of_another_file(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	clear_cache();
	plan_free(get_plan());
	plan = get_plan();
	assert_true(plan->from_cache);
	memset(bytes + plan->sites[0].offset, 0xc3, 1);
	plan_free(plan);
	plan = get_plan();
	assert_false(plan->from_cache);
	plan_free(plan);
}

static void test_damaged_cache(void **state)
{
	struct plan *made, *plan;
	char path[256];
	char *text;
	size_t length;

	TAKE_COPY();
	clear_cache();
	made = get_plan();
	text = cached_text(made->build_id, path);
	length = strlen(text);
	for (size_t at = 0; at < length; at += 13) {
		char kept = text[at];

		put_text(path, text, at); /* cut */
		plan = get_plan();
		assert_false(plan->from_cache);
		assert_equal_plans(made, plan);
		plan_free(plan);
		text[at] = (char)(kept ^ 0x10);
		put_text(path, text, length);
		plan = get_plan();
		assert_false(plan->from_cache);
		plan_free(plan);
		text[at] = kept;
	}
	put_text(path, text, length);
	plan = get_plan();
	assert_true(plan->from_cache);
	plan_free(plan);
	plan_free(made);
	free(text);
}

/* Replaces `from` by `to` in a cached plan, and gives it the CRC that fits. */
static void forge(const char *path, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from), *end = strstr(text, "\ncrc32 ");
	char forged[1 << 16];
	int length;

	assert_non_null(at);
	assert_non_null(end);
	length = snprintf(forged, sizeof(forged), "%.*s%s%.*s\n", (int)(at - text), text, to,
			  (int)(end - at - (ptrdiff_t)strlen(from)), at + strlen(from));
	length += snprintf(forged + length, sizeof(forged) - (size_t)length, "crc32 %08lx\n",
			   crc32(0, (const unsigned char *)forged, (unsigned int)length));
	put_text(path, forged, (size_t)length);
}

/* Somebody has written a plan of his own: what it says must not be believed where it can do harm. */
static void test_forged_cache(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"querytap-plan 10", "querytap-plan 9"},
	    {"\n34128 23 1 type_of", "\n4294967288 23 1 type_of"}, /* a vtable far behind the table's end */
	    {"\n34128 23 1 type_of", "\n262144 23 1 type_of"},	   /* just behind it */
	    {"\n34128 23 1 type_of", "\n34129 23 1 type_of"},
	    {"\n34128 23 1 type_of", "\n-8 23 1 type_of"},
	    {"\n34128 23 1 type_of", "\nnone 23 1 type_of"},
	    {"\n34128 23 1 type_of", "\n34128 23 1 "},
	    {"\n34128 23 1 type_of", "\n34128 23 2 type_of"},
	    {"\n34128 23 1 type_of", "\n34128 31 1 type_of"}, /* a group that there is not */
	    {"\n34128 23 1 type_of", "\n34160 23 1 type_of"}, /* not more than a lie */
	    {"groups 31", "groups 4"},
	    {"groups 31", "groups 20"},
	    {"groups 31", "groups 99999999999"},
	    {"queries 15", "queries 14"},
	    {"queries 15", "queries 16"},
	    {"queries 15", "queries 99999999999"},
	    {"sites 68", "sites 66"},
	    {"sites 68", "sites 69"},
	    {"sites 68", "sites 0"},
	    {"\n2 ", "\n4 "},
	    {"\n2 ", "\n-1 "},
	    {"\n1 0 ", "\n1 0 9"},
	    {"\n1 0 19 ", "\n1 0 19 9"},
	    {"\n1 0 19 ", "\n1 0 19 18446744073709551615"},
	    {"\n1 0 ", "\n1 1 "},
	    {"\n1 0 ", "\n1 5 "},
	    {"\n1 0 ", "\n1 -1 "},
	    {"activities 14", "activities 15"},
	    {"activities 14", "activities 99999999999"},
	    {"omissions 1", "omissions 2"},
	    {"passes 2", "passes 3"},
	    {"bodies 1", "bodies 0"},
	    {"bodies 1", "bodies 2"},
	    {"callers 1", "callers 0"},
	    {"callers 1", "callers 2"},
	};
	struct plan *made;
	char path[256];
	char *text;

	TAKE_COPY();
	clear_cache();
	made = get_plan();
	text = cached_text(made->build_id, path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct plan *plan;

		forge(path, text, cases[i].from, cases[i].to);
		plan = get_plan();
		check_plan(plan);
		if (plan->from_cache && strcmp(cases[i].to, "\n34160 23 1 type_of") != 0)
			fail_msg("believed: '%s' instead of '%s'", cases[i].to, cases[i].from);
		plan_free(plan);
	}
	plan_free(made);
	free(text);
}

enum { PASSES, CALLS, SPANS, BODIES, CALLERS, ROW_KINDS };

static const char *const plain_rows[ROW_KINDS] = {
    [PASSES] = "passes 1\n4e29380 4 2 0",
    [CALLS] = "calls 0",
    [SPANS] = "spans 0",
    [BODIES] = "bodies 0",
    [CALLERS] = "callers 0",
};

/*
 * Puts into the plan in the cache, in the place of its own, two activities, a site whose kind, event and cookie are
 * given, and, but for the kind `changed`, the plain rows.
 */
static void forge_guard(const char *path, const char *text, const struct site *site, int changed, const char *rows)
{
	const char *activities = strstr(text, "\nactivities "), *all[ROW_KINDS];
	static char forged[1 << 16];
	int length;

	assert_non_null(activities);
	memcpy(all, plain_rows, sizeof(all));
	all[changed] = rows;
	length = snprintf(forged, sizeof(forged),
			  "%.*s\nactivities 2\n5 linking\n6 expansion\nomissions 1\nelsewhere\ta reason\n%s\nsites 1\n"
			  "%d %d %u %llu %llx\n%s\n%s\n%s\n%s\n",
			  (int)(activities - text), text, all[PASSES], (int)site->kind, (int)site->event, site->group,
			  (unsigned long long)site->offset, (unsigned long long)site->cookie, all[CALLS], all[SPANS],
			  all[BODIES], all[CALLERS]);
	length += snprintf(forged + length, sizeof(forged) - (size_t)length, "crc32 %08lx\n",
			   crc32(0, (const unsigned char *)forged, (unsigned int)length));
	put_text(path, forged, (size_t)length);
}

#define ACTIVITY(naming, id, number) GUARD_MAKE(naming, id, 0, 0) | GUARD_WITH_NUMBER(number, 0)
#define LOAD(naming, id, query) GUARD_MAKE(naming, id, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, query), 0)

static const struct guard_case {
	enum site_kind kind;
	enum event_class event;
	uint64_t cookie;
	bool fits;
} guard_cases[] = {
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_FIXED, 1, WIRE_ACTIVITIES), true},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_ARGUMENT, 4095, WIRE_ACTIVITIES + 1), true},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_FIXED, 1, WIRE_ACTIVITIES + 2), false},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_FIXED, 1, WIRE_ACTIVITIES - 1), false},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_FIXED, 0, WIRE_ACTIVITIES), false},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_FIXED, 1, WIRE_ACTIVITIES) | 3, false},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(0, 1, WIRE_ACTIVITIES), false},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_PASS + 1, 1, WIRE_ACTIVITIES), false},
    {SITE_BEGIN, EVENT_ACTIVITY, ACTIVITY(GUARD_QUERY_RUNNING, 1, WIRE_ACTIVITIES), false},
    {SITE_BEGIN, EVENT_ACTIVITY, GUARD_MAKE(GUARD_PASS, 1, 15, 13) | 0xffffffffULL << 32, true},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, GUARD_MAKE(GUARD_PASS, 1, 15, 13), false},
    {SITE_BEGIN, EVENT_QUERY, ACTIVITY(GUARD_FIXED, 1, WIRE_ACTIVITIES), false},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_FIXED, 1, 15), true},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_FIXED, 1, 16), false},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_ARGUMENT, 1, 0), false},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_QUERY_REGISTER, 1, 0), true},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_QUERY_REGISTER, 1, 1), false},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_QUERY_STACK, 1, 0), true},
    {SITE_BEGIN, EVENT_QUERY_BLOCKED, LOAD(GUARD_QUERY_STACK, 1, 0), false},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_QUERY_CALLER, 1, 4095), true},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_QUERY_CALLER, 0, 1), false},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, ACTIVITY(GUARD_QUERY_CALLER, 1, WIRE_ACTIVITIES), false},
    {SITE_BEGIN, EVENT_QUERY_BLOCKED, LOAD(GUARD_QUERY_CALLER, 1, 1), false},
    {SITE_BEGIN, EVENT_INCREMENTAL_LOAD, LOAD(GUARD_QUERY_CALLER + 1, 1, 0), false},
    {SITE_END, EVENT_ACTIVITY, GUARD_MAKE(0, 1, 0, 0), true},
    {SITE_END, EVENT_ACTIVITY, GUARD_MAKE(0, 0, 0, 0), false},
    {SITE_END, EVENT_ACTIVITY, ACTIVITY(GUARD_FIXED, 1, WIRE_ACTIVITIES), false},
    {SITE_END, EVENT_QUERY, GUARD_MAKE(0, 1, 0, 0), false},
    {SITE_ENTER, EVENT_ACTIVITY, 0, false},
    {SITE_EXIT, EVENT_CLASSES, 0, false},
};

static const struct row_case {
	int kind;
	const char *rows;
	bool fits;
} row_cases[] = {
    {PASSES, "passes 1\n4e29380 4 2 0", true},
    {PASSES, "passes 1\n4e29380 0 1 1", true},
    {PASSES, "passes 1\n4e29380 0 2 1", false},
    {PASSES, "passes 1\n4e29380 0 0 0", false},
    {PASSES, "passes 1\n4e29380 0 1 2", false},
    {PASSES, "passes 1\n4e29380 0 3 0", false},
    {PASSES, "passes 1\n4e29380 0 1", false},
    {PASSES, "passes 1\n4e29380 0 1 -1", false},
    {PASSES, "passes 1\n4e29380 0 1 4294967295", false},
    {CALLS, "calls 0", true},
    {CALLS, "calls 3\n5 0\n5 4096\n6 15", true},
    {CALLS, "calls 1\n5 4097", false},
    {CALLS, "calls 2\n6 0\n5 0", false},
    {CALLS, "calls 1\n5 16", false},
    {CALLS, "calls 1\n5 16384", false},
    {CALLS, "calls 1\n5", false},
    {CALLS, "calls 1\n5 0 1", false},
    {CALLS, "calls 2\n5 0", false},
    {SPANS, "spans 0", true},
    {SPANS, "spans 4\n5 10 16384\n5 10 16385\n15 1 16385\n20 18446744073709551595 16384", true},
    {SPANS, "spans 2\n15 1 16385\n5 10 16384", false},
    {SPANS, "spans 2\n5 10 16384\n14 2 16385", false},
    {SPANS, "spans 2\n5 10 16384\n5 9 16385", false},
    {SPANS, "spans 2\n5 10 16384\n5 11 16385", false},
    {SPANS, "spans 1\n5 0 16384", false},
    {SPANS, "spans 1\n5 18446744073709551611 16384", false},
    {SPANS, "spans 1\n5 10 16386", false},
    {SPANS, "spans 1\n5 10 16383", false},
    {SPANS, "spans 1\n5 10 4096", false},
    {SPANS, "spans 1\n5 10 1", false},
    {SPANS, "spans 1\n5 10", false},
    {SPANS, "spans 2\n5 10 16384", false},
    {SPANS, "spans 1\n5 10 16384 1", false},
    {BODIES, "bodies 0", true},
    {BODIES, "bodies 3\n5 10 16384\n15 1 16385\n20 18446744073709551595 16384", true},
    {BODIES, "bodies 2\n15 1 16385\n5 10 16384", false},
    {BODIES, "bodies 2\n5 10 16384\n14 1 16385", false},
    {BODIES, "bodies 1\n5 0 16384", false},
    {BODIES, "bodies 1\n5 18446744073709551611 16384", false},
    {BODIES, "bodies 1\n5 10 16386", false},
    {BODIES, "bodies 1\n5 10 16383", false},
    {BODIES, "bodies 1\n5 10 1", false},
    {BODIES, "bodies 1\n5 10", false},
    {BODIES, "bodies 2\n5 10 16384", false},
    {BODIES, "bodies 1\n5 10 16384 1", false},
    {CALLERS, "callers 2\n1 16 -128 -9223372036854775808\n4095 0 0 9223372036854775807", true},
    {CALLERS, "callers 1\n0 16 8 5", false},
    {CALLERS, "callers 1\n4096 16 8 5", false},
    {CALLERS, "callers 1\n1 17 8 5", false},
    {CALLERS, "callers 1\n1 16 8", false},
    {CALLERS, "callers 1\n1 16 8 5 1", false},
    {CALLERS, "callers 2\n1 16 8 5", false},
};

/* Numbers index tables, and cookies are trusted in the kernel: none is taken over that a plan could not have. */
static void test_forged_guards(void **state)
{
	struct site site = {.group = GROUP_FIRST};
	struct plan *plan;
	char path[256];
	char *text;

	TAKE_COPY();
	clear_cache();
	plan = get_plan();
	text = cached_text(plan->build_id, path);
	site.offset = plan->sites[0].offset;
	plan_free(plan);
	for (size_t i = 0; i < sizeof(guard_cases) / sizeof(*guard_cases); i++) {
		site.kind = guard_cases[i].kind;
		site.event = guard_cases[i].event;
		site.cookie = guard_cases[i].cookie;
		forge_guard(path, text, &site, PASSES, plain_rows[PASSES]);
		plan = get_plan();
		if (plan->from_cache != guard_cases[i].fits)
			fail_msg("case %zu is %sbelieved", i, plan->from_cache ? "" : "not ");
		plan_free(plan);
	}
	site = (struct site){site.offset, guard_cases[0].cookie, SITE_BEGIN, EVENT_ACTIVITY, GROUP_FIRST};
	for (size_t i = 0; i < sizeof(row_cases) / sizeof(*row_cases); i++) {
		forge_guard(path, text, &site, row_cases[i].kind, row_cases[i].rows);
		plan = get_plan();
		if (plan->from_cache != row_cases[i].fits)
			fail_msg("'%s' is %sbelieved", row_cases[i].rows, plan->from_cache ? "" : "not ");
		if (row_cases[i].fits) {
			assert_int_equal(plan->pass_count, 1);
			assert_string_equal(plan->activities[1].label, "expansion");
			assert_string_equal(plan->omissions[0].label, "elsewhere");
			assert_string_equal(plan->omissions[0].refusal, "a reason");
		}
		plan_free(plan);
	}
	site.offset++; /* is none that may be probed */
	forge_guard(path, text, &site, PASSES, plain_rows[PASSES]);
	plan = get_plan();
	assert_false(plan->from_cache);
	plan_free(plan);
	free(text);
}

static void test_cache_that_cannot_be_used(void **state)
{
	struct error err = {{0}};
	struct plan *plan;
	char path[256];

	TAKE_COPY();
	clear_cache();
	owner = (struct identity){.uid = getuid(), .gid = getgid()};
	elf_put(bytes, size);
	assert_int_equal(plan_get(elf_path, NULL, &owner, &plan, &err), 0);
	plan_free(plan);
	assert_int_equal(plan_get(elf_path, "/proc/nowhere", &owner, &plan, &err), 0);
	assert_false(plan->from_cache);
	snprintf(path, sizeof(path), "%s/%s.plan", cache, plan->build_id);
	plan_free(plan);
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(plan_get(elf_path, cache, &owner, &plan, &err), 0);
	assert_false(plan->from_cache);
	plan_free(plan);
	assert_int_equal(plan_get("/proc/nowhere", cache, &owner, &plan, &err), -ENOENT);
	assert_null(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cache_gives_back_what_it_took),
	    cmocka_unit_test(test_plan_goes_through_text),
	    cmocka_unit_test(test_cache_of_another_file),
	    cmocka_unit_test(test_damaged_cache),
	    cmocka_unit_test(test_forged_cache),
	    cmocka_unit_test(test_forged_guards),
	    cmocka_unit_test(test_cache_that_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, make_cache, remove_cache);
}
