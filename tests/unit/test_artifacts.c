/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which of the files that a compilation writes are artifacts, and under which names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "collect/artifacts.h"

enum { COMPILER = 100, THREAD = 103, LINKER = 200 };

/* A compilation and what was found in it: "label [argument] size thread" of each artifact, one a line. */
struct compilation {
	struct artifacts *artifacts;
	char found[4096];
};

static int set_up(void **state)
{
	static struct compilation compilation;

	memset(&compilation, 0, sizeof(compilation));
	compilation.artifacts = artifacts_new();
	*state = &compilation;
	return compilation.artifacts ? 0 : -1;
}

static int tear_down(void **state)
{
	struct compilation *compilation = *state;

	artifacts_free(compilation->artifacts);
	return 0;
}

static struct wire_file file_record(uint32_t writer, const char *name, uint64_t size)
{
	struct wire_file record = {
	    .header = {WIRE_FILE, COMPILER, writer == COMPILER ? THREAD : COMPILER, 0}, .size = size, .writer = writer};

	snprintf(record.name, sizeof(record.name), "%s", name);
	return record;
}

static void closes(struct compilation *compilation, uint32_t writer, const char *name, uint64_t size)
{
	struct wire_file record = file_record(writer, name, size);

	artifacts_note_file(compilation->artifacts, &record);
}

static void copies_into(struct compilation *compilation, const char *name)
{
	struct wire_file record = file_record(COMPILER, name, 0);

	record.header.count = 1;
	artifacts_note_file(compilation->artifacts, &record);
}

static void renames(struct compilation *compilation, const char *from, const char *to)
{
	static struct wire_rename record;

	record.header = (struct wire_header){WIRE_RENAME, COMPILER, COMPILER, 0};
	snprintf(record.from, sizeof(record.from), "%s", from);
	snprintf(record.to, sizeof(record.to), "%s", to);
	artifacts_note_rename(compilation->artifacts, &record);
}

static void add_line(void *context, const struct artifact *artifact)
{
	struct compilation *compilation = context;
	size_t used = strlen(compilation->found);

	snprintf(compilation->found + used, sizeof(compilation->found) - used, "%s [%s] %llu %u\n", artifact->label,
		 artifact->argument, (unsigned long long)artifact->size, artifact->thread);
}

/* What is found after `command`, whose arguments are separated by spaces, has ended. */
static const char *found_after(struct compilation *compilation, const char *command, bool succeeded)
{
	char args[512];
	size_t length = strlen(command) + 1;

	assert_true(length <= sizeof(args));
	for (size_t i = 0; i < length; i++)
		args[i] = command[i] == ' ' ? '\0' : command[i];
	compilation->found[0] = '\0';
	artifacts_find(compilation->artifacts, args, length, succeeded, add_line, compilation);
	return compilation->found;
}

static const char *found(struct compilation *compilation, const char *command)
{
	return found_after(compilation, command, true);
}

/* Whether a file of this name, which the linker writes, is taken for the linked artifact of the command. */
static bool links(const char *command, const char *name)
{
	struct compilation compilation = {.artifacts = artifacts_new()};
	bool linked;

	assert_non_null(compilation.artifacts);
	closes(&compilation, LINKER, name, 7);
	linked = *found(&compilation, command) != '\0';
	artifacts_free(compilation.artifacts);
	return linked;
}

static void codegen_units_are_named_by_their_ends(void **state)
{
	struct compilation *compilation = *state;

	closes(compilation, COMPILER, "b.b.1f-cgu.0.rcgu.o", 1);
	closes(compilation, COMPILER, "b.b.1f-cgu.0.rcgu.s", 2);
	closes(compilation, COMPILER, "b.b.1f-cgu.0.rcgu.bc", 3);
	closes(compilation, COMPILER, "b.b.1f-cgu.0.rcgu.ll", 4);
	closes(compilation, COMPILER, "b.b.1f-cgu.0.rcgu.dwo", 5);
	closes(compilation, COMPILER, "b.b.1f-cgu.0.rcgu.indexing.o", 6);
	closes(compilation, COMPILER, "b.b.1f-cgu.0.rcgu.no-opt.bc", 7);
	closes(compilation, COMPILER, "1f-cgu.0.o", 8);
	closes(compilation, COMPILER, "b.o", 9);
	closes(compilation, COMPILER, ".rcgu.o", 10);
	closes(compilation, LINKER, "b.other.rcgu.o", 11);
	assert_string_equal(found(compilation, "rustc b.rs"),
			    "object_file [b.b.1f-cgu.0.rcgu.o] 1 103\n"
			    "assembly_file [b.b.1f-cgu.0.rcgu.s] 2 103\n"
			    "llvm_bitcode [b.b.1f-cgu.0.rcgu.bc] 3 103\n"
			    "llvm_ir [b.b.1f-cgu.0.rcgu.ll] 4 103\n"
			    "dwo_file [b.b.1f-cgu.0.rcgu.dwo] 5 103\n"
			    "llvm_bitcode_summary [b.b.1f-cgu.0.rcgu.indexing.o] 6 103\n");
}

static void the_last_size_counts(void **state)
{
	struct compilation *compilation = *state;

	closes(compilation, COMPILER, "query-cache.bin", 10);
	closes(compilation, COMPILER, "work-products.bin", 3);
	closes(compilation, COMPILER, "query-cache.bin", 20);
	assert_string_equal(found(compilation, "rustc b.rs"), "query_cache [query-cache.bin] 20 103\n"
							      "work_product_index [work-products.bin] 3 103\n");
}

static void a_rename_gives_the_name(void **state)
{
	struct compilation *compilation = *state;

	closes(compilation, COMPILER, "dep-graph.part.bin", 50);
	assert_string_equal(found(compilation, "rustc b.rs"), "");
	renames(compilation, "/inc/s-working/dep-graph.part.bin", "/inc/s-working/dep-graph.bin");
	closes(compilation, COMPILER, "tmp.a", 60);
	renames(compilation, "/out/.tmp1.temp-archive/tmp.a", "out/libb.rlib");
	closes(compilation, COMPILER, "tmp.a", 70);
	renames(compilation, "/out/.tmp2.temp-archive/tmp.a", "libb.a");
	closes(compilation, LINKER, "b.tmp4711", 80);
	renames(compilation, "out/b.tmp4711", "out/b");
	assert_string_equal(found(compilation, "rustc b.rs"), "dep_graph [dep-graph.bin] 50 103\n"
							      "linked_artifact [libb.rlib] 60 103\n"
							      "linked_artifact [libb.a] 70 103\n"
							      "linked_artifact [b] 80 100\n");
}

static void a_file_that_was_only_renamed_is_none(void **state)
{
	struct compilation *compilation = *state;

	renames(compilation, "elsewhere/libb.rlib", "out/libb.rlib");
	copies_into(compilation, "old");
	renames(compilation, "old", "dep-graph.bin");
	assert_string_equal(found(compilation, "rustc b.rs"), "");
}

static void a_copy_is_none(void **state)
{
	struct compilation *compilation = *state;

	copies_into(compilation, "b.1.rcgu.o");
	copies_into(compilation, "b.1.rcgu.o");
	closes(compilation, COMPILER, "b.1.rcgu.o", 5);
	copies_into(compilation, "query-cache.bin");
	closes(compilation, COMPILER, "query-cache.bin", 6);
	closes(compilation, COMPILER, "query-cache.bin", 7);
	assert_string_equal(found(compilation, "rustc b.rs"), "query_cache [query-cache.bin] 7 103\n");
}

static void metadata_is_measured_before_its_footer(void **state)
{
	struct compilation *compilation = *state;

	closes(compilation, COMPILER, "full.rmeta", 0);
	assert_string_equal(found(compilation, "rustc b.rs"), "");
	closes(compilation, COMPILER, "full.rmeta", 2337);
	renames(compilation, "rmeta1/full.rmeta", "libb.rmeta");
	assert_string_equal(found(compilation, "rustc b.rs"), "crate_metadata [crate_metadata] 2324 103\n");
}

static void a_failed_link_is_none(void **state)
{
	struct compilation *compilation = *state;

	closes(compilation, COMPILER, "b.1.rcgu.o", 5);
	closes(compilation, LINKER, "b", 6);
	assert_string_equal(found_after(compilation, "rustc b.rs", false), "object_file [b.1.rcgu.o] 5 103\n");
}

static void linked_names_follow_the_command_line(void **state)
{
	static const char *const forms[] = {"b", "libb.rlib", "libb.so", "libb.a", "b.exe", "b.wasm", "b.dll"};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		assert_true(links("rustc b.rs", forms[i]));
	assert_false(links("rustc b.rs", "b.o"));
	assert_false(links("rustc b.rs", "b.d"));
	assert_false(links("rustc b.rs", "libb.rmeta"));
	assert_false(links("rustc b.rs", "b.tmp4711"));
	assert_false(links("rustc b.rs", "symbols.o"));
	assert_false(links("rustc b.rs", "lib.so"));
	assert_false(links("rustc b.rs", "libbb.so"));
	assert_true(links("rustc --crate-name a b.rs", "a"));
	assert_true(links("rustc a-b.rs", "a_b"));
	assert_false(links("rustc --crate-name a b.rs", "b"));
}

static void an_extra_belongs_to_the_name(void **state)
{
	(void)state;
	assert_true(links("rustc --crate-name b -C extra-filename=-12 b.rs", "libb-12.rlib"));
	assert_true(links("rustc --crate-name b -Cextra-filename=-12 b.rs", "b-12"));
	assert_true(links("rustc --crate-name b --codegen extra_filename=-12 b.rs", "b-12"));
	assert_true(links("rustc --crate-name b --codegen=extra-filename=-12 b.rs", "b-12"));
	assert_false(links("rustc --crate-name b -C extra-filename=-12 b.rs", "b"));
	assert_false(links("rustc --crate-name b -C extra-filename=-12 b.rs", "libb-13.rlib"));
	/* Not an option, but the value of one. */
	assert_true(links("rustc --cfg -Cextra-filename=-12 b.rs", "b"));
}

static void an_output_may_have_its_own_name(void **state)
{
	(void)state;
	assert_true(links("rustc -o out/x.y.z b.rs", "x.y.z"));
	assert_true(links("rustc -oout/x b.rs", "x"));
	assert_false(links("rustc -o out/x b.rs", "b"));
	assert_false(links("rustc -o out/x b.rs", "libx.so"));
	assert_true(links("rustc --emit=link=out/y,metadata=z -o x b.rs", "y"));
	assert_false(links("rustc --emit=link=out/y,metadata=z -o x b.rs", "x"));
	/* One name for several outputs gives their stem, but a library is called after its crate. */
	assert_true(links("rustc --emit link,asm -o out/x.y.z b.rs", "x.y"));
	assert_true(links("rustc --emit=link --emit=asm -Cextra-filename=-12 -o out/x b.rs", "x-12"));
	assert_true(links("rustc --emit link,asm -Cextra-filename=-12 -o out/x b.rs", "libb-12.so"));
	assert_false(links("rustc --emit link,asm -o out/x.y.z b.rs", "x.y.z"));
}

static void nothing_is_linked_that_was_not_asked_for(void **state)
{
	(void)state;
	assert_false(links("rustc --emit=obj b.rs", "b"));
	assert_false(links("rustc --emit obj -o b b.rs", "b"));
	assert_false(links("rustc --emit=dep-info,metadata b.rs", "libb.rlib"));
	assert_true(links("rustc --emit=dep-info,metadata,link b.rs", "libb.rlib"));
}

static void codegen_units_tell_a_name_that_is_not_on_the_command_line(void **state)
{
	struct compilation *compilation = *state;

	closes(compilation, COMPILER, "inside-12.1f-cgu.0.rcgu.o", 5);
	closes(compilation, LINKER, "libinside-12.so", 6);
	closes(compilation, LINKER, "libinside.so", 7);
	closes(compilation, LINKER, "inside-1", 8);
	assert_string_equal(found(compilation, "rustc @arguments"), "object_file [inside-12.1f-cgu.0.rcgu.o] 5 103\n"
								    "linked_artifact [libinside-12.so] 6 100\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(codegen_units_are_named_by_their_ends, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_last_size_counts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_rename_gives_the_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_file_that_was_only_renamed_is_none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_copy_is_none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(metadata_is_measured_before_its_footer, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_failed_link_is_none, set_up, tear_down),
	    cmocka_unit_test(linked_names_follow_the_command_line),
	    cmocka_unit_test(an_extra_belongs_to_the_name),
	    cmocka_unit_test(an_output_may_have_its_own_name),
	    cmocka_unit_test(nothing_is_linked_that_was_not_asked_for),
	    cmocka_unit_test_setup_teardown(codegen_units_tell_a_name_that_is_not_on_the_command_line, set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
