/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Plans for the stand-in compiler (tests/fixtures/standin): what is probed in it, what is refused, and what is said of
 * files that cannot be used.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/elf.h"
#include "tests/fixtures/standin/names.h"
#include "tests/unit/standin_bytes.h"

struct query {
	const char *name;
	uint32_t vtable;
};

#define ROW(name, ident, offset, runner, entrance, provider) {#name, offset},
static const struct query queries[] = {STANDIN_QUERIES(ROW)};
enum { QUERIES = sizeof(queries) / sizeof(*queries) };

static const struct plan_query *find_query(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->query_count; i++)
		if (!strcmp(plan->queries[i].name, name))
			return &plan->queries[i];
	fail_msg("no query %s", name);
	return NULL;
}

static const char *refusal_of(const struct plan *plan, const char *name)
{
	const char *refusal = find_query(plan, name)->refusal;

	return refusal ? refusal : "none";
}

/* The plan for the bytes as they are now. */
static struct plan *plan_of_bytes(void)
{
	struct error err = {{0}};
	struct plan *plan;

	if (plan_make(elf_put(bytes, size), &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

static void assert_no_plan(int code, const char *sentence)
{
	struct error err = {{0}};
	struct plan *plan = (struct plan *)&err;

	assert_int_equal(plan_make(elf_put(bytes, size), &plan, &err), code);
	assert_null(plan);
	if (!strstr(err.text, sentence) || !strstr(err.text, elf_path))
		fail_msg("'%s' lacks '%s' or the path", err.text, sentence);
}

/* Where the function `name` lies in the file. */
static uint8_t *function_at(const char *name)
{
	const struct image_symbol *symbols;
	struct error err = {{0}};
	struct image *image;
	uint64_t offset = UINT64_MAX;
	size_t count;

	if (image_open(driver, &image, &err) < 0 || image_read_symbols(image, &err) < 0)
		fail_msg("%s", err.text);
	symbols = image_symbols(image, &count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(symbols[i].name, name))
			offset = image_file_offset(image, symbols[i].address);
	image_close(image);
	if (offset == UINT64_MAX)
		fail_msg("no function %s", name);
	return bytes + offset;
}

#define QUOTE(text) #text
#define SYMBOL(name) QUOTE(name)

/* ---- whole ---- */

static void test_every_query_is_known(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	assert_int_equal(plan->query_count, QUERIES);
	assert_int_equal(plan_timed(plan), QUERIES - 1);
	for (size_t i = 0; i < QUERIES; i++) {
		const struct plan_query *query = find_query(plan, queries[i].name);

		assert_int_equal(query->vtable_offset, queries[i].vtable);
		if (strcmp(query->name, "untimed_query") != 0)
			assert_null(query->refusal);
	}
	assert_string_equal(refusal_of(plan, "untimed_query"),
			    "the query's vtable is not at hand at the profiler's guard");
	assert_non_null(strstr(plan->version, "0.0.0-standin"));
	assert_string_equal(plan->generation, "1.95");
	assert_int_equal(plan->size, size);
	assert_false(plan->from_cache);
	plan_free(plan);
}

/* Eleven of the runners' twelve instances are probed; one of them has two guards and exits. */
static void test_sites_are_conditional_jumps(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	assert_int_equal(plan_sites(plan, SITE_ENTER), 11);
	assert_int_equal(plan_sites(plan, SITE_EXIT), 11);
	assert_int_equal(plan_sites(plan, SITE_SESSION), 1);
	assert_int_equal(plan_sites(plan, SITE_CAUGHT), 1);
	for (size_t i = 0; i < plan->site_count; i++) {
		const struct site *site = &plan->sites[i];
		const uint8_t *at = bytes + site->offset;

		assert_true(site->offset + 8 < size);
		if (site->kind != SITE_ENTER && site->kind != SITE_EXIT)
			continue;
		assert_true((at[0] & 0xfe) == 0x74 || (at[0] == 0x0f && (at[1] & 0xfe) == 0x84));
		if (site->kind == SITE_EXIT)
			assert_int_equal(site->cookie, 0);
	}
	plan_free(plan);
}

/* The calls of a query's own functions that name it, in one mode or both. */
static size_t calls_of(const struct plan *plan, const char *name)
{
	size_t number = (size_t)(find_query(plan, name) - plan->queries) + 1, count = 0;

	for (size_t i = 0; i < plan->call_count; i++)
		count += plan->calls[i].number == number;
	return count;
}

/* Through a register, the vtable that a register points to or the table of imports, or direct. */
static bool is_call(const struct plan_call *call)
{
	const uint8_t *last = bytes + call->offset;

	return last[-1] == 0xff || last[-4] == 0xe8 || (last[-5] == 0xff && last[-4] == 0x15) ||
	       ((last[-2] == 0xff || last[-3] == 0xff) && (last[0] == VTABLE_PROVIDER || last[0] == VTABLE_LOADER));
}

/* Where its function calls what runs it, a query can be told from a stack; where it jumps there, it cannot. */
static void test_calls(void **state)
{
	size_t providers = 0, passes = 0;
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	assert_int_equal(calls_of(plan, "typeck"), 2);
	assert_int_equal(calls_of(plan, "analysis"), 2);
	assert_int_equal(calls_of(plan, "fn_sig"), 0);
	for (size_t i = 0; i < plan->call_count; i++) {
		assert_true(i == 0 || plan->calls[i].offset >= plan->calls[i - 1].offset);
		passes += plan->calls[i].number == PLAN_CALL_OF_PASS;
		if (plan->calls[i].number != WIRE_QUERY_NONE)
			continue;
		if (!is_call(&plan->calls[i]))
			fail_msg("no call ends at %llx", (unsigned long long)plan->calls[i].offset);
		providers++;
	}
	assert_in_range(providers, 11, 40);
	assert_int_equal(passes, 1);
	plan_free(plan);
}

/* An entry's cookie says where the query's vtable and the TyCtxt are, in each shape. */
static void test_cookies(void **state)
{
	static const char type_runner[] = SYMBOL(NAME_TYPE(0));
	size_t at, slots = 0;
	struct plan *plan;

	TAKE_COPY();
	plan = plan_of_bytes();
	at = (size_t)(function_at(type_runner) - bytes);
	for (size_t i = 0; i < plan->site_count; i++) {
		const struct site *site = &plan->sites[i];

		if (site->kind != SITE_ENTER)
			continue;
		assert_int_equal(COOKIE_COMPILER(site->cookie), 0);
		slots += COOKIE_VTABLE_ON_STACK(site->cookie);
		if (site->offset < at || site->offset > at + 0x80)
			continue;
		assert_int_equal(COOKIE_VTABLE_ON_STACK(site->cookie), 1);
		assert_int_equal(COOKIE_VTABLE_DISPLACEMENT(site->cookie), 0x18);
		assert_int_equal(COOKIE_TCX_REGISTER(site->cookie), REG_RAX);
	}
	assert_int_equal(slots, 2);
	plan_free(plan);
}

/* ---- what cannot be used, or only in part ---- */

/* Takes .symtab away by making it a section that nobody reads. */
static void strip_bytes(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
	Elf64_Shdr *sections = (Elf64_Shdr *)(bytes + header->e_shoff);

	for (unsigned int i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_SYMTAB)
			sections[i].sh_type = SHT_PROGBITS;
}

static void test_stripped(void **state)
{
	TAKE_COPY();
	strip_bytes();
	assert_no_plan(-ENODATA, "rustup");
}

/* Replaces a text of the file everywhere by one of the same length. Returns how often. */
static size_t replace(const char *from, const char *to)
{
	size_t length = strlen(from), count = 0;
	uint8_t *at = bytes;

	assert_int_equal(length, strlen(to));
	while ((at = memmem(at, size - (size_t)(at - bytes), from, length))) {
		memcpy(at, to, length);
		count++;
	}
	return count;
}

static void test_unknown_shape(void **state)
{
	TAKE_COPY();
	assert_true(replace("17try_execute_query", "17try_answer_query_") > 0);
	assert_no_plan(-ENOTSUP, "0.0.0-standin");
	memcpy(bytes, original, size);
	assert_true(replace("22execute_query_non_incr", "22execute_query_new_way_") > 0);
	assert_no_plan(-ENOTSUP, "no query has a safe place");
}

/* A filter in another bit: the functions are there, but no place for a probe. */
static void test_no_safe_place(void **state)
{
	static const uint8_t from[] = {0x50, 0xef, 0x01, 0x00, 0x02};
	uint8_t *at;

	TAKE_COPY();
	for (at = bytes; (at = memmem(at, size - (size_t)(at - bytes), from, sizeof(from)));)
		at[4] = 0x04;
	assert_no_plan(-ENOTSUP, "no query has a safe place");
}

/* Makes a query's entrance compute the vtable of another: nothing tells the two apart then. */
static void test_twins_are_refused(void **state)
{
	static const uint8_t type_of[] = {0x50, 0x85, 0x00, 0x00}, predicates_of[] = {0x70, 0x89, 0x00, 0x00};
	struct plan *plan;
	uint8_t *at;

	TAKE_COPY();
	at = function_at(SYMBOL(NAME_ENTRANCE(13predicates_of)));
	at = memmem(at, 64, predicates_of, sizeof(predicates_of));
	assert_non_null(at);
	memcpy(at, type_of, sizeof(type_of));
	plan = plan_of_bytes();
	assert_string_equal(refusal_of(plan, "type_of"), "its vtable was taken for another query's");
	assert_string_equal(refusal_of(plan, "predicates_of"), "its vtable was taken for another query's");
	assert_string_equal(refusal_of(plan, "generics_of"), "none");
	assert_int_equal(plan_timed(plan), QUERIES - 3);
	plan_free(plan);
}

/* A query whose incremental runner may not be probed is left out in both modes: it would be missing in one. */
static void test_a_refused_incremental_twin(void **state)
{
	struct plan *plan;
	uint8_t *at;

	TAKE_COPY();
	at = function_at(SYMBOL(NAME_TYPE(1)));
	at[0] = 0x06; /* no instruction of this machine */
	plan = plan_of_bytes();
	assert_string_equal(refusal_of(plan, "layout_of"), "its code cannot be decoded");
	assert_string_equal(refusal_of(plan, "codegen_select_candidate"), "its code cannot be decoded");
	assert_string_equal(refusal_of(plan, "typeck"), "none");
	plan_free(plan);
}

static void test_entrance_without_its_twin(void **state)
{
	struct plan *plan;

	TAKE_COPY();
	assert_true(replace("6fn_sig18execute_query_incr", "6fn_sog18execute_query_incr") > 0);
	plan = plan_of_bytes();
	assert_string_equal(refusal_of(plan, "fn_sig"), "its incremental twin has no symbol");
	plan_free(plan);
}

static void test_vtable_out_of_range(void **state)
{
	static const uint32_t offsets[] = {0x7ffffff8, WIRE_VTABLE_SLOTS * 8, 0x8553, 0};
	static const uint8_t type_of[] = {0x50, 0x85, 0x00, 0x00};

	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		struct plan *plan;
		uint8_t *at;

		TAKE_COPY();
		at = memmem(function_at(SYMBOL(NAME_ENTRANCE(7type_of))), 64, type_of, sizeof(type_of));
		assert_non_null(at);
		memcpy(at, &offsets[i], sizeof(offsets[i]));
		plan = plan_of_bytes();
		assert_string_equal(refusal_of(plan, "type_of"), "its vtable was not found");
		plan_free(plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_query_is_known),
	    cmocka_unit_test(test_sites_are_conditional_jumps),
	    cmocka_unit_test(test_calls),
	    cmocka_unit_test(test_cookies),
	    cmocka_unit_test(test_stripped),
	    cmocka_unit_test(test_unknown_shape),
	    cmocka_unit_test(test_no_safe_place),
	    cmocka_unit_test(test_twins_are_refused),
	    cmocka_unit_test(test_a_refused_incremental_twin),
	    cmocka_unit_test(test_entrance_without_its_twin),
	    cmocka_unit_test(test_vtable_out_of_range),
	};

	return cmocka_run_group_tests(tests, read_standin, forget_standin);
}
