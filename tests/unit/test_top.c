/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The pages of querytap top, and what keys do to them, on compilers that are made up. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "cmd/top_keys.h"
#include "render/top.h"

#define SECOND UINT64_C(1000000000)
#define LONG_NAME "a_crate_with_a_name_that_is_far_longer_than_anybody_would_like_to_read_or_to_write"

enum { DEEP = 300 };

static const char typeck[] = "typeck", type_of[] = "type_of", analysis[] = "analysis", linking[] = "run_linker";

struct world {
	struct live *live;
	struct top_view view;
	struct top_facts facts;
	struct top_page page;
};

static void add_compiler(struct world *world, pid_t pid, const char *crate)
{
	struct live_beginning beginning = {.pid = pid, .crate = crate, .version = "1.95.0 (abc)", .start = SECOND};

	live_begin(world->live, &beginning);
}

static void add_thread(struct world *world, pid_t pid, pid_t tid, size_t depth, const struct live_frame *frames)
{
	struct live_seen_thread seen = {.pid = pid,
					.tid = tid,
					.name = depth ? "rustc" : "ctrl-c",
					.waits = !depth,
					.run_time = SECOND / 2,
					.depth = depth,
					.frames = frames};

	live_look_thread(world->live, &seen);
}

/* So many compilers, each 2 s old and in typeck within analysis for 0.25 s, with a second thread that waits. */
static struct world world_of(size_t compilers)
{
	static const struct live_frame frames[] = {{EVENT_QUERY, analysis, SECOND / 2, SECOND / 4},
						   {EVENT_QUERY, typeck, SECOND / 4, SECOND / 4}};
	struct world world = {.live = live_new(SECOND)};

	assert_non_null(world.live);
	live_look_begin(world.live, SECOND);
	live_look_end(world.live, 0);
	for (size_t i = 0; i < compilers; i++) {
		char crate[16];

		snprintf(crate, sizeof(crate), "crate%02zu", i);
		add_compiler(&world, 1000 + 10 * (pid_t)i, crate);
		live_event(world.live, 1000 + 10 * (pid_t)i, EVENT_QUERY, type_of, 1000);
	}
	live_event(world.live, 1000, EVENT_ACTIVITY, linking, SECOND);
	live_look_begin(world.live, 3 * SECOND);
	for (size_t i = 0; i < compilers; i++) {
		add_thread(&world, 1000 + 10 * (pid_t)i, 1000 + 10 * (pid_t)i, 0, NULL);
		add_thread(&world, 1000 + 10 * (pid_t)i, 1001 + 10 * (pid_t)i, 2, frames);
	}
	live_look_end(world.live, 0);
	return world;
}

static void world_free(struct world *world)
{
	top_page_free(&world->page);
	live_free(world->live);
}

/* Lays the page out and returns it as text, to be freed. No line may be wider than the page. */
static char *page_of(struct world *world, int width, int height)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	top_layout(&world->page, world->live, &world->view, &world->facts, width, height);
	assert_false(world->page.failed);
	for (size_t i = 0; i < world->page.count; i++)
		assert_in_range(wcslen(world->page.lines[i].text), 0, width);
	top_print(&world->page, out);
	fclose(out);
	return text;
}

static size_t times(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

#define expect(world, width, height, ...) expect_parts(world, width, height, (const char *const[]){__VA_ARGS__, NULL})

/* The page has each part; one that begins with an exclamation mark it has not. */
static void expect_parts(struct world *world, int width, int height, const char *const *parts)
{
	char *text = page_of(world, width, height);

	for (; *parts; parts++)
		if ((**parts == '!') == (strstr(text, *parts + (**parts == '!')) != NULL))
			fail_msg("\"%s\" is not as expected in:\n%s", *parts, text);
	free(text);
}

static void press(struct world *world, const char *keys)
{
	for (; *keys; keys++)
		assert_true(top_take_key(&world->view, world->live, *keys));
}

static void press_key(struct world *world, int key)
{
	assert_true(top_take_key(&world->view, world->live, key));
}

static int use_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static int use_ascii(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C") ? 0 : -1;
}

static void test_one_compiler(void **state)
{
	struct world world = world_of(1);

	(void)state;
	world.facts.lost = 7;
	world.facts.untimed = 12;
	world.facts.untimed_self = 0.06;
	expect(&world, 80, 24, "1 compiler, 0 ended  50% CPU  1 events/s  7 lost\n",
	       "2 events in 2.00s, 12 labels untimed (6% of self)  by self\n",
	       ">   1000 crate00         2.00s    50   2  250ms typeck \u2039 analysis\n",
	       " 1.00s   66.7     50      1      0  1.00s run_linker\n",
	       " 250ms   16.7     12      0      0      0 analysis\n",
	       "1.00us    0.0      0      1      0 1.00us type_of\n", "q quit");
	expect(&world, 120, 24, " EVENTS ");
	world_free(&world);
}

static void test_nothing_runs(void **state)
{
	struct world world = world_of(0);

	(void)state;
	live_look_begin(world.live, 4 * SECOND);
	live_look_end(world.live, 0);
	expect(&world, 80, 24, "0 compilers, 0 ended", "no compiler is running");
	world.view.selected = 5;
	press_key(&world, TOP_KEY_ENTER);
	assert_int_equal(world.view.opened, 0);
	world_free(&world);
}

static void test_twenty_compilers(void **state)
{
	struct world world = world_of(20);
	char *text = page_of(&world, 80, 24);

	(void)state;
	/* 24 lines and the one behind; the title, at least four rows of queries, and what does not fit is said. */
	assert_int_equal(times(text, "\n"), 25);
	assert_int_equal(times(text, "0 crate"), 10);
	assert_non_null(strstr(text, "20 compilers, "));
	assert_non_null(strstr(text, "and 10 more\n"));
	assert_int_equal(times(text, "run_linker\n") + times(text, "analysis\n"), 12);
	free(text);
	text = page_of(&world, 200, 50);
	assert_int_equal(times(text, "\n"), 51);
	assert_int_equal(times(text, "0 crate"), 20);
	free(text);
	world_free(&world);
}

static void test_every_size_fits(void **state)
{
	struct world world = world_of(30);

	(void)state;
	for (int opened = 0; opened <= 1000; opened += 1000) {
		world.view.opened = opened;
		for (int height = 1; height < 60; height++) {
			char *text = page_of(&world, 20 + 3 * height, height);

			assert_in_range(world.page.count, 1, height);
			free(text);
		}
	}
	world_free(&world);
}

static void test_too_small(void **state)
{
	struct world world = world_of(3);

	(void)state;
	expect(&world, 79, 24, "79x24 is too small: top needs 80x24\n", "q quits", "!crate00");
	expect(&world, 80, 23, "80x23 is too small");
	expect(&world, 5, 1, "!q quits");
	world_free(&world);
}

static void test_selection(void **state)
{
	struct world world = world_of(20);

	(void)state;
	expect(&world, 80, 24, "\n>   1000 crate00");
	press_key(&world, TOP_KEY_DOWN);
	press_key(&world, TOP_KEY_DOWN);
	expect(&world, 80, 24, "\n>   1020 crate02", "!\n>   1000");
	press_key(&world, TOP_KEY_UP);
	expect(&world, 80, 24, "\n>   1010 crate01");
	/* It stays in sight. */
	for (int i = 0; i < 30; i++)
		press_key(&world, TOP_KEY_DOWN);
	expect(&world, 80, 24, "\n>   1190 crate19", "!crate00");
	for (int i = 0; i < 30; i++)
		press_key(&world, TOP_KEY_UP);
	expect(&world, 80, 24, "\n>   1000 crate00");
	/* If it ends, the first is selected. */
	press_key(&world, TOP_KEY_DOWN);
	live_end(world.live, 1010, true);
	live_look_begin(world.live, 4 * SECOND);
	live_look_end(world.live, 0);
	expect(&world, 80, 24, "\n>   1000 crate00", "!crate01");
	world_free(&world);
}

static void test_sorting(void **state)
{
	struct world world = world_of(2);

	(void)state;
	press(&world, "s");
	expect(&world, 80, 24, "Queries by: s self");
	press(&world, "c");
	assert_int_equal(world.view.order, LIVE_BY_COUNT);
	expect(&world, 80, 24, "by count", " *COUNT ", "!*SELF", "!Queries by:");
	press(&world, "sk");
	assert_int_equal(world.view.order, LIVE_BY_COUNT);
	assert_int_equal(world.view.compiler_order, LIVE_COMPILER_BY_CRATE);
	/* Any other key leaves all as it is. */
	press(&world, "sx");
	press(&world, "s");
	press_key(&world, TOP_KEY_ESCAPE);
	assert_int_equal(world.view.order, LIVE_BY_COUNT);
	assert_int_equal(world.view.prompt, TOP_ASKS_NOTHING);
	press(&world, "sl");
	expect(&world, 80, 24, " *QUERY OR ACTIVITY");
	world_free(&world);
}

static void test_filtering(void **state)
{
	struct world world = world_of(3);

	(void)state;
	press(&world, "/TYpq");
	expect(&world, 80, 24, "Queries that contain: TYpq_", "no query or activity of such a name");
	press_key(&world, TOP_KEY_BACK);
	press_key(&world, TOP_KEY_ENTER);
	expect(&world, 80, 24, " typeck\n", "type_of\n", "!run_linker", "queries \"TYp\"", "q quit");
	press(&world, "/");
	press_key(&world, TOP_KEY_ESCAPE);
	expect(&world, 80, 24, "run_linker");
	press(&world, "c02");
	press_key(&world, TOP_KEY_ENTER);
	expect(&world, 80, 24, "crate02", "!crate00", "3 compilers", "crates \"02\"");
	press(&world, "cx");
	press_key(&world, TOP_KEY_ENTER);
	expect(&world, 80, 24, "no compiler of such a crate");
	/* There is room for so much. */
	press(&world, "/");
	for (int i = 0; i < 200; i++)
		press(&world, "y");
	assert_int_equal(strlen(world.view.filter), TOP_FILTER - 1);
	for (int i = 0; i < 200; i++)
		press_key(&world, TOP_KEY_BACK);
	assert_string_equal(world.view.filter, "");
	press_key(&world, 0xe9);
	press_key(&world, TOP_KEY_PAGE_DOWN);
	assert_string_equal(world.view.filter, "\xc3\xa9");
	press_key(&world, TOP_KEY_BACK);
	assert_string_equal(world.view.filter, "");
	world_free(&world);
}

static void test_other_keys(void **state)
{
	struct world world = world_of(1);

	(void)state;
	press(&world, "p");
	assert_true(world.view.paused);
	expect(&world, 80, 24, "PAUSED");
	press(&world, " ");
	assert_false(world.view.paused);
	press(&world, "h");
	expect(&world, 80, 24, "Any key: back", "Enter");
	press(&world, "q");
	expect(&world, 80, 24, "crate00", "!Any key");
	world.facts.message = "not profiled";
	expect(&world, 80, 24, "\nnot profiled\n");
	press_key(&world, TOP_KEY_REDRAW);
	assert_false(top_take_key(&world.view, world.live, 'q'));
	world_free(&world);
}

static void test_opened_compiler(void **state)
{
	struct world world = world_of(3);

	(void)state;
	press_key(&world, TOP_KEY_DOWN);
	press_key(&world, TOP_KEY_ENTER);
	assert_int_equal(world.view.opened, 1010);
	/* Its own queries alone; the linker was another's. */
	expect(&world, 80, 24, "crate01  pid 1010  2.00s  50% CPU  0 events/s  rustc 1.95.0 (abc)\n",
	       " rustc 1011, 25% CPU\n  500ms  250ms  analysis\n  250ms  250ms   typeck\n",
	       "\n               ctrl-c 1010, 25% CPU, waits, in no query\n", "1.00us type_of\n", "!run_linker",
	       "Esc back");
	press(&world, "c");
	assert_int_equal(world.view.prompt, TOP_ASKS_NOTHING);
	live_end(world.live, 1010, false);
	live_look_begin(world.live, 4 * SECOND);
	live_look_end(world.live, 1010);
	expect(&world, 80, 24, "FAILED", "type_of", "it has ended");
	press_key(&world, TOP_KEY_ESCAPE);
	expect(&world, 80, 24, "crate00", "run_linker", "!crate01");
	world.view.opened = 5;
	expect(&world, 80, 24, "This compiler is gone.");
	world_free(&world);
}

static void test_deep_stack(void **state)
{
	struct world world = {.live = live_new(0), .view = {.opened = 7}};
	struct live_frame frames[DEEP];

	(void)state;
	for (size_t i = 0; i < DEEP; i++)
		frames[i] = (struct live_frame){EVENT_QUERY, i % 2 ? type_of : typeck, SECOND, 0};
	frames[DEEP - 1] = frames[DEEP - 2] = (struct live_frame){EVENT_QUERY, analysis, SECOND, 0};
	live_look_begin(world.live, SECOND);
	live_look_end(world.live, 0);
	add_compiler(&world, 7, "deep");
	live_look_begin(world.live, 2 * SECOND);
	add_thread(&world, 7, 7, DEEP, frames);
	live_look_end(world.live, 0);
	expect(&world, 80, 24, " rustc 7, 50% CPU\n", " typeck\n", "!analysis\n");
	for (int i = 0; i < DEEP; i++)
		press_key(&world, TOP_KEY_DOWN);
	/* The last frames, which are numbered; not beyond. */
	expect(&world, 80, 24, " (299) analysis\n", " (298) analysis\n", " (290) typeck\n", "! rustc 7,");
	press_key(&world, TOP_KEY_UP);
	expect(&world, 80, 24, " (298) analysis\n", "!(299)");
	press_key(&world, TOP_KEY_HOME);
	expect(&world, 80, 24, " rustc 7, 50% CPU\n");
	/* In the table of all compilers recursion is drawn together. */
	world.view.opened = 0;
	expect(&world, 80, 24, "analysis x2 \u2039 type_of \u2039 ");
	world_free(&world);
}

static void test_scrolling_queries(void **state)
{
	static char names[100][16];
	struct world world = world_of(1);

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(names[i], sizeof(names[i]), "query_%02d", i);
		live_event(world.live, 1000, EVENT_QUERY, names[i], (uint64_t)(1000 - i) * SECOND);
	}
	live_look_begin(world.live, 4 * SECOND);
	live_look_end(world.live, 0);
	expect(&world, 80, 24, "query_00", "!query_30");
	press_key(&world, TOP_KEY_PAGE_DOWN);
	expect(&world, 80, 24, "query_08", "!query_00");
	for (int i = 0; i < 50; i++)
		press_key(&world, TOP_KEY_PAGE_DOWN);
	expect(&world, 80, 24, "query_99", "type_of");
	press_key(&world, TOP_KEY_PAGE_UP);
	expect(&world, 80, 24, "!type_of", "query_90");
	press_key(&world, TOP_KEY_END);
	expect(&world, 80, 24, "query_99", "type_of");
	press_key(&world, TOP_KEY_HOME);
	expect(&world, 80, 24, "query_00");
	/* Where there is no height, so many. */
	world.view.limit = 5;
	expect(&world, 120, 0, "query_04", "!query_05", "!q quit", "! >");
	world.view.limit = 0;
	expect(&world, 120, 0, "query_99", "type_of");
	world_free(&world);
}

static void test_names_are_cut(void **state)
{
	struct world world = world_of(0);

	(void)state;
	add_compiler(&world, 1, LONG_NAME);
	add_compiler(&world, 2, "bad\x1b[31m\xff\xc3\xa9");
	live_look_begin(world.live, 4 * SECOND);
	live_look_end(world.live, 0);
	expect(&world, 80, 24, " a_crate_with_\u2026 ", " bad?[31m?\u00e9 ");
	world.view.opened = 1;
	expect(&world, 80, 24, "a_crate_with_a_name_that_is_f\u2026  pid 1  3.00s  0% CPU");
	expect(&world, 160, 24, LONG_NAME "  pid 1");
	world_free(&world);
}

static void test_names_are_cut_without_utf8(void **state)
{
	struct world world = world_of(1);

	(void)state;
	add_compiler(&world, 1, LONG_NAME);
	add_compiler(&world, 2, "bad\xff\xc3\xa9");
	live_look_begin(world.live, 4 * SECOND);
	live_look_end(world.live, 0);
	expect(&world, 80, 24, " a_crate_wit... ", " bad??? ", "IN < ASKED FOR BY");
	world_free(&world);
}

static void test_json(void **state)
{
	struct world world = world_of(2);
	json_t *root, *compiler, *stack;
	struct error err;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	add_compiler(&world, 5, "not utf-8 \xff");
	live_look_begin(world.live, 5 * SECOND);
	live_look_end(world.live, 0);
	world.view.limit = 1;
	snprintf(world.view.crates, sizeof(world.view.crates), "crate01");
	world.facts.lost = 3;
	assert_int_equal(top_json(world.live, &world.view, &world.facts, out, &err), 0);
	fclose(out);
	assert_int_equal(times(text, "\n"), 1);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "lost")), 3);
	assert_int_equal(json_array_size(json_object_get(root, "compilers")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "queries")), 1);
	json_decref(root);
	free(text);
	world.view = (struct top_view){0};
	out = open_memstream(&text, &size);
	assert_int_equal(top_json(world.live, &world.view, &world.facts, out, &err), 0);
	fclose(out);
	root = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(root, "compilers")), 3);
	compiler = json_array_get(json_object_get(root, "compilers"), 0);
	assert_string_equal(json_string_value(json_object_get(compiler, "crate")), "not utf-8 ?");
	json_decref(root);
	free(text);
	/* A stack, the outermost first. */
	world_free(&world);
	world = world_of(1);
	out = open_memstream(&text, &size);
	assert_int_equal(top_json(world.live, &world.view, &world.facts, out, &err), 0);
	fclose(out);
	root = json_loads(text, 0, NULL);
	compiler = json_array_get(json_object_get(root, "compilers"), 0);
	stack = json_object_get(json_array_get(json_object_get(compiler, "threads"), 0), "stack");
	assert_int_equal(json_array_size(stack), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(stack, 1), "label")), "typeck");
	assert_string_equal(json_string_value(json_object_get(json_array_get(stack, 1), "kind")), "Query");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(stack, 0), "elapsed")), SECOND / 2);
	json_decref(root);
	free(text);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_one_compiler, use_utf8),
	    cmocka_unit_test_setup(test_nothing_runs, use_utf8),
	    cmocka_unit_test_setup(test_twenty_compilers, use_utf8),
	    cmocka_unit_test_setup(test_every_size_fits, use_utf8),
	    cmocka_unit_test_setup(test_too_small, use_utf8),
	    cmocka_unit_test_setup(test_selection, use_utf8),
	    cmocka_unit_test_setup(test_sorting, use_utf8),
	    cmocka_unit_test_setup(test_filtering, use_utf8),
	    cmocka_unit_test_setup(test_other_keys, use_utf8),
	    cmocka_unit_test_setup(test_opened_compiler, use_utf8),
	    cmocka_unit_test_setup(test_deep_stack, use_utf8),
	    cmocka_unit_test_setup(test_scrolling_queries, use_utf8),
	    cmocka_unit_test_setup(test_names_are_cut, use_utf8),
	    cmocka_unit_test_setup(test_names_are_cut_without_utf8, use_ascii),
	    cmocka_unit_test_setup(test_json, use_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
