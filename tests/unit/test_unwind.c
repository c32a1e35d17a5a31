/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Unwind tables of small objects that are assembled here, damaged ones, and tables on disk. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/table.h"
#include "compiler/elf.h"
#include "unwind/unwind.h"
#include "util/path.h"

static char top[] = "/tmp/querytap-unwind-XXXXXX";

static char *in_top(const char *name)
{
	static char paths[4][128];
	static size_t next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
	char command[2048];
	int length = snprintf(command, sizeof(command), "cd '%s' && ", top);
	va_list args;

	va_start(args, format);
	vsnprintf(command + length, sizeof(command) - (size_t)length, format, args);
	va_end(args);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* Assembles and links a library. Functions in it are global and begin at their labels. */
static const char *assemble(const char *name, const char *text, const char *flags)
{
	FILE *file = fopen(in_top("code.s"), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	shell("cc -shared -nostdlib -Wl,--build-id %s -o %s code.s", flags, name);
	return in_top(name);
}

static void make(const char *path, struct unwind_table *table)
{
	struct error err = {{0}};

	if (unwind_table_make(path, table, &err) < 0)
		fail_msg("%s", err.text);
}

/* The rule `behind` bytes behind a symbol of the object. */
static uint64_t rule_at(const char *path, const struct unwind_table *table, const char *symbol, uint64_t behind)
{
	const struct image_symbol *symbols;
	struct image *image;
	uint64_t rule = UINT64_MAX;
	size_t count;

	assert_int_equal(image_open(path, &image, NULL), 0);
	assert_int_equal(image_read_symbols(image, NULL), 0);
	symbols = image_symbols(image, &count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(symbols[i].name, symbol))
			rule = unwind_table_rule(table, image_file_offset(image, symbols[i].address) + behind);
	image_close(image);
	if (rule == UINT64_MAX)
		fail_msg("no symbol %s", symbol);
	return rule;
}

#define FUNCTION(name, body)                                                                                        \
	".globl " name "\n.type " name ",@function\n" name ":\n.cfi_startproc\n" body "\n.cfi_endproc\n.size " name \
	",.-" name "\n"
#define GAP ".skip 3000, 0xcc\n"

static const char plain[] = FUNCTION(
    "pushes", "push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_offset %rbp,-16\nsub $64,%rsp\n"
	      ".cfi_adjust_cfa_offset 64\ntest %eax,%eax\nje 1f\n.cfi_remember_state\nadd $64,%rsp\n"
	      ".cfi_adjust_cfa_offset -64\npop %rbp\n.cfi_restore %rbp\n.cfi_def_cfa_offset 8\nret\n"
	      "1: .cfi_restore_state\nud2")
    GAP FUNCTION("frame", "push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp,-16\nmov %rsp,%rbp\n"
			  ".cfi_def_cfa_register %rbp\nleave\n.cfi_def_cfa %rsp,8\n.cfi_same_value %rbp\nret")
	GAP FUNCTION("start", ".cfi_undefined %rip\nxor %ebp,%ebp\nhlt") GAP
	    /* As gcc aligns the stack: the CFA is the word at rbp - 8, and rbp at rbp + 0. */
	    FUNCTION("aligned", "nop\n.cfi_escape 0x0f,0x03,0x76,0x78,0x06\n.cfi_escape 0x10,0x06,0x02,0x76,0x00\nnop\n"
				".cfi_def_cfa %r10,0\nnop") GAP
		/* As linkers describe lazily bound stubs. */
		FUNCTION("stub", ".cfi_escape 0x0f,0x0b,0x77,0x08,0x80,0x00,0x3f,0x1a,0x3b,0x2a,0x33,0x24,0x22\nnop")
		    GAP FUNCTION("handler", ".cfi_signal_frame\nnop") GAP FUNCTION(
			"elsewhere",
			".cfi_val_offset %rbp,-16\nnop\n.cfi_same_value %rbp\nnop\n.cfi_offset %rip,-24\nnop")
			GAP FUNCTION("huge",
				     "nop\n.cfi_def_cfa_offset 0x7ffffff0\nnop\n.cfi_offset %rbp,-0x20000\nnop");

static void test_rules(void **state)
{
	const char *path = assemble("plain.so", plain, "");
	struct unwind_table table;
	uint64_t other = TABLE_RULE(CFA_OTHER, 0, RBP_SAME, 0);

	(void)state;
	make(path, &table);
	assert_int_equal(table.left_out, 0);
	assert_int_equal(rule_at(path, &table, "pushes", 0), TABLE_RULE(CFA_RSP, 8, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "pushes", 1), TABLE_RULE(CFA_RSP, 16, RBP_AT_CFA, -16));
	assert_int_equal(rule_at(path, &table, "pushes", 5), TABLE_RULE(CFA_RSP, 80, RBP_AT_CFA, -16));
	assert_int_equal(rule_at(path, &table, "pushes", 14), TABLE_RULE(CFA_RSP, 8, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "pushes", 15), TABLE_RULE(CFA_RSP, 80, RBP_AT_CFA, -16));
	assert_int_equal(rule_at(path, &table, "pushes", 17), 0);
	assert_int_equal(rule_at(path, &table, "frame", 4), TABLE_RULE(CFA_RBP, 16, RBP_AT_CFA, -16));
	assert_int_equal(rule_at(path, &table, "frame", 5), TABLE_RULE(CFA_RSP, 8, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "start", 1), TABLE_RULE(CFA_END, 0, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "aligned", 1), TABLE_RULE(CFA_AT_RBP, -8, RBP_AT_RBP, 0));
	assert_int_equal(rule_at(path, &table, "aligned", 2), other);
	assert_int_equal(rule_at(path, &table, "stub", 0), TABLE_RULE(CFA_PLT, 8, RBP_SAME, 11));
	assert_int_equal(rule_at(path, &table, "handler", 0), TABLE_RULE(CFA_SIGNAL, 0, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "elsewhere", 0), other);
	assert_int_equal(rule_at(path, &table, "elsewhere", 1), TABLE_RULE(CFA_RSP, 8, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "elsewhere", 2), other);
	assert_int_equal(rule_at(path, &table, "huge", 1), TABLE_RULE(CFA_RSP, 0x7ffffff0, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "huge", 2), other);
	/* In the gap between two functions, more than a page behind the last row, and beyond all code. */
	assert_int_equal(rule_at(path, &table, "start", 2900), 0);
	assert_int_equal(unwind_table_rule(&table, 0), 0);
	assert_int_equal(unwind_table_rule(&table, UINT64_MAX), 0);
	unwind_table_free(&table);
}

/* Without the index that says where functions are described, the section is read from end to end. */
static void test_no_index(void **state)
{
	const char *path = assemble("no-index.so", plain, "-Wl,--no-eh-frame-hdr");
	struct unwind_table table;

	(void)state;
	make(path, &table);
	assert_int_equal(rule_at(path, &table, "pushes", 5), TABLE_RULE(CFA_RSP, 80, RBP_AT_CFA, -16));
	assert_int_equal(rule_at(path, &table, "huge", 1), TABLE_RULE(CFA_RSP, 0x7ffffff0, RBP_SAME, 0));
	unwind_table_free(&table);
}

/* Stubs of a linker that does not describe them, and the entry of a program without a description. */
static void test_undescribed(void **state)
{
	const char *path;
	struct unwind_table table;
	uint64_t address, size;
	struct image *image;

	(void)state;
	assemble("callee.so", FUNCTION("callee", "ret"), "");
	assemble("caller.so",
		 ".globl begin\n.type begin,@function\nbegin:\nhlt\n.size begin,.-begin\n" GAP FUNCTION(
		     "caller", "jmp callee@plt"),
		 "-Wl,--no-ld-generated-unwind-info -Wl,-z,lazy -Wl,-e,begin -L. -l:callee.so");
	path = in_top("caller.so");
	make(path, &table);
	assert_int_equal(image_open(path, &image, NULL), 0);
	assert_true(image_section(image, ".plt", &address, &size) && size >= 32);
	assert_int_equal(unwind_table_rule(&table, image_file_offset(image, address + 16)),
			 TABLE_RULE(CFA_PLT, 8, RBP_SAME, 11));
	assert_int_equal(unwind_table_rule(&table, image_file_offset(image, image_entry(image))),
			 TABLE_RULE(CFA_END, 0, RBP_SAME, 0));
	assert_int_equal(unwind_table_rule(&table, image_file_offset(image, image_entry(image) + 2900)), 0);
	image_close(image);
	unwind_table_free(&table);
}

static void assert_refused(const char *path, int code, const char *what)
{
	struct unwind_table table;
	struct error err = {{0}};

	assert_int_equal(unwind_table_make(path, &table, &err), code);
	if (!strstr(err.text, what) || !strstr(err.text, path))
		fail_msg("\"%s\" does not say \"%s\"", err.text, what);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused(in_top("missing.so"), -ENOENT, "No such file");
	shell("echo text that is no object and longer than a header, which is sixty-four bytes >text");
	assert_refused(in_top("text"), -ENOEXEC, "is not an ELF file");
	assemble("bare.so", ".globl f\n.type f,@function\nf: ret\n.size f,.-f\n",
		 "-Wl,--no-eh-frame-hdr -Wl,--no-ld-generated-unwind-info");
	assert_refused(in_top("bare.so"), -ENODATA, "no call frame information");
}

static char *read_file(const char *path, size_t *size)
{
	struct stat status;
	FILE *file = fopen(path, "r");
	char *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*size = (size_t)status.st_size;
	bytes = malloc(*size);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *size, file), *size);
	fclose(file);
	return bytes;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/* One malformed description takes nothing from the others, and is counted. */
static void test_one_malformed(void **state)
{
	static const char text[] = FUNCTION("good", "nop\n.cfi_def_cfa_offset 24\nnop") GAP
	    /* 0x3f is no instruction. */
	    FUNCTION("bad", "nop\n.cfi_def_cfa_offset 16\nnop\n.cfi_escape 0x3f\nnop")
		GAP FUNCTION("unbalanced", "nop\n.cfi_escape 0x0b\nnop")
		    GAP FUNCTION("last", "nop\n.cfi_def_cfa_offset 32\nnop");
	const char *path = assemble("malformed.so", text, "-Wl,--no-eh-frame-hdr");
	struct unwind_table table;

	(void)state;
	make(path, &table);
	assert_int_equal(table.left_out, 2);
	assert_int_equal(rule_at(path, &table, "good", 1), TABLE_RULE(CFA_RSP, 24, RBP_SAME, 0));
	assert_int_equal(rule_at(path, &table, "bad", 0), 0);
	assert_int_equal(rule_at(path, &table, "bad", 1), 0);
	assert_int_equal(rule_at(path, &table, "unbalanced", 0), 0);
	assert_int_equal(rule_at(path, &table, "last", 1), TABLE_RULE(CFA_RSP, 32, RBP_SAME, 0));
	unwind_table_free(&table);
}

/* Cut off at any place, it is refused with a sentence or read as far as it goes. */
static void test_cut_off(void **state)
{
	size_t size;
	char *bytes = read_file(assemble("whole.so", plain, ""), &size);
	const char *path = in_top("cut.so");

	(void)state;
	for (size_t length = 0; length < size; length += 29) {
		struct unwind_table table;
		struct error err = {{0}};
		int code;

		write_file(path, bytes, length);
		code = unwind_table_make(path, &table, &err);
		assert_true(code == 0 || (code < 0 && err.text[0]));
		if (code == 0)
			unwind_table_free(&table);
	}
	free(bytes);
}

/* ---- the cache ---- */

static const char *cache_of(void)
{
	return in_top("cache");
}

/* Assembles a library whose table is worth keeping; `offset` stands in its rules. */
static void assemble_large(const char *name, int offset, const char *flags)
{
	char text[512];

	snprintf(text, sizeof(text),
		 ".globl f\n.type f,@function\nf:\n.rept 150000\n.cfi_startproc\nnop\n.cfi_def_cfa_offset %d\nret\n"
		 ".cfi_endproc\n.endr\n.size f,.-f\n",
		 offset);
	assemble(name, text, flags);
}

static void get(const char *name, bool from_cache, uint64_t expected_rule)
{
	char *path = strdup(in_top(name));
	struct identity owner = {.uid = getuid(), .gid = getgid()};
	struct unwind_table table, made;
	struct error err = {{0}};

	if (unwind_table_get(path, cache_of(), &owner, &table, &err) < 0)
		fail_msg("%s", err.text);
	make(path, &made);
	assert_int_equal(table.from_cache, from_cache);
	assert_int_equal(table.count, made.count);
	assert_int_equal(table.functions, made.functions);
	assert_memory_equal(table.words, made.words, made.count * sizeof(*made.words));
	assert_int_equal(rule_at(path, &table, "f", 1), expected_rule);
	unwind_table_free(&table);
	unwind_table_free(&made);
	free(path);
}

/* The path of the only file in the cache. */
static char *cached_file(void)
{
	glob_t found;
	char *path;

	assert_int_equal(glob(in_top("cache/*.unwind"), 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	path = strdup(found.gl_pathv[0]);
	globfree(&found);
	return path;
}

static void test_cache(void **state)
{
	uint64_t rule = TABLE_RULE(CFA_RSP, 24, RBP_SAME, 0);
	size_t size;
	char *file, *bytes;

	(void)state;
	assemble_large("large.so", 24, "");
	get("large.so", false, rule);
	get("large.so", true, rule);
	file = cached_file();
	bytes = read_file(file, &size);
	/* A flipped bit anywhere, and a file that is cut off: made anew, and put there again. */
	for (size_t at = 0; at < size; at += size / 7) {
		bytes[at] ^= 1;
		write_file(file, bytes, size);
		bytes[at] ^= 1;
		get("large.so", false, rule);
	}
	write_file(file, bytes, size - 8);
	get("large.so", false, rule);
	get("large.so", true, rule);
	free(bytes);
	free(file);
	shell("rm -r cache");
}

/* Two objects with one build id, of which the cache would believe that they are the same. */
static void test_cache_of_another(void **state)
{
	const char *id = "-Wl,--build-id=0x00112233445566778899aabbccddeeff00112233";

	(void)state;
	assemble_large("one.so", 24, id);
	assemble_large("other.so", 32, id);
	get("one.so", false, TABLE_RULE(CFA_RSP, 24, RBP_SAME, 0));
	get("other.so", false, TABLE_RULE(CFA_RSP, 32, RBP_SAME, 0));
	get("other.so", true, TABLE_RULE(CFA_RSP, 32, RBP_SAME, 0));
	shell("rm -r cache");
}

static void test_small_is_not_kept(void **state)
{
	(void)state;
	assemble("small.so", FUNCTION("f", "nop\n.cfi_def_cfa_offset 24\nnop"), "");
	get("small.so", false, TABLE_RULE(CFA_RSP, 24, RBP_SAME, 0));
	get("small.so", false, TABLE_RULE(CFA_RSP, 24, RBP_SAME, 0));
	assert_int_equal(access(cache_of(), F_OK), -1);
}

static int make_top(void **state)
{
	(void)state;
	return mkdtemp(top) ? 0 : -1;
}

static int remove_top(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", top);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_no_index),
	    cmocka_unit_test(test_undescribed),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_one_malformed),
	    cmocka_unit_test(test_cut_off),
	    cmocka_unit_test(test_cache),
	    cmocka_unit_test(test_cache_of_another),
	    cmocka_unit_test(test_small_is_not_kept),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
