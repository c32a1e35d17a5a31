/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Which query a result is loaded for, where the function that loads it is in one query's vtable or in several. The
 * functions are made up, 4 KiB apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/wire.h"
#include "compiler/load.h"
#include "tests/unit/elf_bytes.h"

#define LOADER_OF_TYPECK                                                                                            \
	"_RNvYNCNvNtNtCsfhTr2ijyTAe_16rustc_query_impl10query_impl6typeck17make_query_vtables1_0INtNtNtCsgEmfK2I1S" \
	"DS_4core3ops8function6FnOnceTNtNtNtCsdadwybgsbvk_12rustc_middle2ty7context6TyCtxtEE9call_onceBa_"

enum { FILTER = 0x500 };

/* ---- functions that load ---- */

/* One that saves a register; one that saves none; and one that loses what its caller has there. */
CODE(saves, "push %rbx\nsub $0x20, %rsp\nmov %rdi, %rbx\nsaves_entry: jne saves_entry\nadd $0x20, %rsp\npop %rbx\nret");
CODE(leaf, "leaf_entry: jne leaf_entry\nret");
CODE(loses, "mov %rdi, %rbx\nloses_entry: jne loses_entry\nret");
CODE(unknown_depth, "and $-64, %rdi\nsub %rdi, %rsp\nunknown_depth_entry: jne unknown_depth_entry\nret");
LABEL(saves_entry);
LABEL(leaf_entry);
LABEL(loses_entry);
LABEL(unknown_depth_entry);

/* ---- functions that run queries: (vtable, TyCtxt, ..., key) ---- */

#define RUNS "push %rbx\npush %r12\nsub $0x48, %rsp\nmov %rsi, %r12\nmov %rcx, 0x20(%rsp)\ntestb $2, 0x500(%rsi)\n"
#define RETURNS "add $0x48, %rsp\npop %r12\npop %rbx\nret"

/* The vtable stays in rbx; the loader returns its result in memory. Neither the provider nor what hashes is a loader.
 */
CODE(keeps, RUNS "mov %rdi, %rbx\n"
		 "mov 0x48(%rbx), %rax\n"
		 "lea 0x30(%rsp), %rdi\n"
		 "mov %r12, %rsi\n"
		 "lea 0x20(%rsp), %rdx\n"
		 "call *%rax\n"
		 "keeps_behind: mov %r12, %rdi\n"
		 "mov 0x20(%rsp), %rsi\n"
		 "call *0x40(%rbx)\n"
		 "lea 0x30(%rsp), %rdi\n"
		 "lea 0x20(%rsp), %rsi\n"
		 "call *0x58(%rbx)\n" RETURNS);
/* The vtable stays on the stack. Another pointer is called with the same arguments. */
CODE(spills, RUNS "mov %rdi, 8(%rsp)\n"
		  "mov 8(%rsp), %rax\n"
		  "mov %r12, %rdi\n"
		  "lea 0x20(%rsp), %rsi\n"
		  "call *0x48(%rax)\n"
		  "spills_behind: mov %r12, %rdi\n"
		  "lea 0x20(%rsp), %rsi\n"
		  "call *0x48(%r12)\n" RETURNS);
/* It is given up before the call. */
CODE(gives_up, RUNS "mov %r12, %rax\n"
		    "mov 0x48(%rdi), %rax\n"
		    "mov %r12, %rdi\n"
		    "lea 0x20(%rsp), %rsi\n"
		    "call *%rax\n" RETURNS);
LABEL(keeps_behind);
LABEL(spills_behind);

enum { SAVES, LEAF, LOSES, UNKNOWN_DEPTH, KEEPS, SPILLS, GIVES_UP, FUNCTIONS };

#define PIECE(name, code, index)                                  \
	{                                                         \
		name, code, code##_end, ELF_CODE + 0x1000 * index \
	}
static const struct elf_piece functions[FUNCTIONS] = {
    PIECE(LOADER_OF_TYPECK, saves, SAVES), PIECE("leaf", leaf, LEAF),
    PIECE("loses", loses, LOSES),	   PIECE("unknown_depth", unknown_depth, UNKNOWN_DEPTH),
    PIECE("keeps", keeps, KEEPS),	   PIECE("spills", spills, SPILLS),
    PIECE("gives_up", gives_up, GIVES_UP)};

static struct code_range range_of(size_t function)
{
	return (struct code_range){functions[function].address,
				   (uint64_t)(functions[function].end - functions[function].bytes)};
}

static struct plan_query queries[] = {{.name = "mir_built"}, {.name = "type_of"}, {.name = "typeck"}};

static struct world {
	struct image *image;
	struct flow flows[FUNCTIONS];
	struct values values[FUNCTIONS];
	struct survey_runner runners[FUNCTIONS];
	struct survey_query queries[FUNCTIONS];
	uint64_t shared_address;
	struct shared shared;
	struct plan plan;
	struct guard_survey survey;
} world;

static int make_world(void **state)
{
	struct elf_piece pieces[FUNCTIONS];
	struct elf_file file = {.pieces = pieces, .piece_count = FUNCTIONS};
	struct error err = {{0}};

	(void)state;
	memset(&world, 0, sizeof(world));
	memcpy(pieces, functions, sizeof(pieces));
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++)
		queries[i].names_loads = false;
	world.plan.queries = queries;
	world.plan.query_count = sizeof(queries) / sizeof(*queries);
	world.shared = (struct shared){&world.shared_address, 1};
	if (image_open(elf_put_file(&file), &world.image, &err) < 0 || image_read_symbols(world.image, &err) < 0)
		fail_msg("%s", err.text);
	world.survey = (struct guard_survey){.image = world.image,
					     .runners = world.runners,
					     .queries = world.queries,
					     .shared = &world.shared,
					     .filter_offset = FILTER,
					     .plan = &world.plan};
	return 0;
}

static int forget_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < FUNCTIONS; i++) {
		values_free(&world.values[i]);
		flow_free(&world.flows[i]);
	}
	free(world.plan.callers);
	free(world.survey.loader_calls);
	image_close(world.image);
	return 0;
}

/* The function runs queries: in incremental mode the one that is named, unless that is NULL. */
static void add_runner(size_t function, const char *query)
{
	struct code_range range = range_of(function);

	assert_int_equal(flow_decode(world.image, &range, 1, &world.flows[function], NULL), 0);
	assert_int_equal(values_follow(&world.flows[function], range.address, &world.values[function]), 0);
	world.survey.loader_calls_known = false;
	world.survey.loader_call_count = 0;
	world.runners[world.survey.runner_count++] = (struct survey_runner){range.address, &world.values[function]};
	if (query)
		world.queries[world.survey.query_count++] = (struct survey_query){query, range.address};
}

/* The cookie of a load in the function, whose guard begins at the label. */
static uint64_t cookie_of(size_t function, const uint8_t *label)
{
	struct holder holder = {
	    .symbol = functions[function].name, .ranges = {range_of(function)}, .range_count = 1, .has_entry = true};
	struct guard guard = {.callee = CALLEE_LOAD,
			      .entry = holder.ranges[0].address + (uint64_t)(label - functions[function].bytes)};
	uint64_t cookie = 0;

	assert_int_equal(load_cookie(&world.survey, &holder, &guard, &world.plan, &cookie), 0);
	return cookie;
}

static uint64_t by_caller(unsigned int table, unsigned int words)
{
	return GUARD_MAKE(GUARD_QUERY_CALLER, 0, words, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, table), 0);
}

static uint64_t of_query(unsigned int query)
{
	return GUARD_MAKE(GUARD_FIXED, 0, 0, 0) | GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, query), 0);
}

#define DISTANCE(runner, index, loader, function) \
	(0x1000 * (index) + (runner##_behind - runner) - 0x1000 * (function) - (loader##_entry - loader))

static void assert_caller(size_t row, unsigned int table, unsigned int reg, int displacement, int64_t distance)
{
	assert_true(row < world.plan.caller_count);
	assert_int_equal(world.plan.callers[row].table, table);
	assert_int_equal(world.plan.callers[row].reg, reg);
	assert_int_equal(world.plan.callers[row].displacement, displacement);
	assert_int_equal(world.plan.callers[row].distance, distance);
}

static void test_one_vtable(void **state)
{
	(void)state;
	add_runner(KEEPS, "type_of");
	assert_int_equal(cookie_of(SAVES, saves_entry), of_query(3));
	assert_int_equal(world.plan.caller_count, 0);
	assert_true(queries[2].names_loads);
	assert_false(queries[1].names_loads);
}

static void test_several_vtables(void **state)
{
	(void)state;
	world.shared_address = functions[SAVES].address;
	add_runner(KEEPS, "type_of");
	add_runner(SPILLS, "typeck");
	assert_int_equal(cookie_of(SAVES, saves_entry), by_caller(1, 5));
	assert_int_equal(cookie_of(LEAF, leaf_entry), by_caller(2, 0));
	assert_int_equal(world.plan.caller_count, 4);
	/* What the caller has in rbx lies where it was pushed. */
	assert_caller(0, 1, WIRE_ON_STACK, 0x20, DISTANCE(keeps, KEEPS, saves, SAVES));
	assert_caller(1, 1, WIRE_ON_STACK, 0x28 + 8 + 8, DISTANCE(spills, SPILLS, saves, SAVES));
	assert_caller(2, 2, REG_RBX, 0, DISTANCE(keeps, KEEPS, leaf, LEAF));
	assert_caller(3, 2, WIRE_ON_STACK, 8 + 8, DISTANCE(spills, SPILLS, leaf, LEAF));
	assert_false(queries[0].names_loads);
	assert_true(queries[1].names_loads);
	assert_true(queries[2].names_loads);
}

static void test_callers_without_the_vtable(void **state)
{
	(void)state;
	add_runner(GIVES_UP, "mir_built");
	assert_int_equal(cookie_of(LEAF, leaf_entry), of_query(0));
	/* Only the caller that has it on its own stack still has it. */
	add_runner(KEEPS, "type_of");
	add_runner(SPILLS, "typeck");
	assert_int_equal(cookie_of(LOSES, loses_entry), by_caller(1, 0));
	assert_int_equal(world.plan.caller_count, 1);
	assert_caller(0, 1, WIRE_ON_STACK, 8 + 8, DISTANCE(spills, SPILLS, loses, LOSES));
	assert_false(queries[0].names_loads);
	assert_false(queries[1].names_loads);
	assert_true(queries[2].names_loads);
	assert_int_equal(cookie_of(UNKNOWN_DEPTH, unknown_depth_entry), of_query(0));
}

/* Results are loaded in incremental mode alone. */
static void test_other_mode(void **state)
{
	(void)state;
	add_runner(KEEPS, NULL);
	assert_int_equal(cookie_of(LEAF, leaf_entry), of_query(0));
	assert_int_equal(world.plan.caller_count, 0);
}

/* At the call of what loads for several queries, in a function in several vtables. */
static void test_at_calls(void **state)
{
	struct holder holder = {.symbol = "leaf", .ranges = {range_of(LEAF)}, .range_count = 1, .has_entry = true};
	struct frames_begin begin = {.address = functions[LEAF].address, .caller = &holder, .frame = -0x70};
	uint64_t cookie;

	(void)state;
	add_runner(KEEPS, "type_of");
	assert_int_equal(load_cookie_at_call(&world.survey, &begin, &world.plan, &cookie), 0);
	assert_int_equal(cookie, by_caller(1, 0) | GUARD_WITH_NUMBER(0, -0x70));
	assert_int_equal(GUARD_DISPLACEMENT(cookie), -0x70);
	assert_int_equal(world.plan.caller_count, 1);
	begin.query = 2;
	assert_int_equal(load_cookie_at_call(&world.survey, &begin, &world.plan, &cookie), 0);
	assert_int_equal(cookie, of_query(2) | GUARD_WITH_NUMBER(0, -0x70));
	begin.has_vtable = true;
	begin.vtable = 13;
	begin.runner = functions[KEEPS].address;
	assert_int_equal(load_cookie_at_call(&world.survey, &begin, &world.plan, &cookie), 0);
	assert_int_equal(cookie, GUARD_MAKE(GUARD_QUERY_REGISTER, 0, 13, 0) |
				     GUARD_WITH_NUMBER(WIRE_NUMBER(WIRE_CLASS_LOAD, 0), -0x70));
	assert_int_equal(world.plan.caller_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, forget_world)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_one_vtable), TEST(test_several_vtables),
					   TEST(test_callers_without_the_vtable), TEST(test_other_mode),
					   TEST(test_at_calls)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
