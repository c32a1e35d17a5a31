/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Plans for the stand-in compiler (tests/fixtures/standin): what is probed in it, what is refused, what is said of
 * files that cannot be used, and that no damaged file does harm. QUERYTAP_TEST_ROUNDS sets how many damaged ones are
 * tried.
 */
#include <elf.h>
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

#include "bpf/wire.h"
#include "compiler/compiler.h"
#include "compiler/elf.h"
#include "compiler/flow.h"
#include "tests/fixtures/standin/names.h"
#include "tests/unit/elf_bytes.h"

struct query {
	const char *name;
	uint32_t vtable;
};

#define ROW(name, ident, offset, runner, entrance, provider) {#name, offset},
static const struct query queries[] = {STANDIN_QUERIES(ROW)};
enum { QUERIES = sizeof(queries) / sizeof(*queries) };

/* The stand-in's driver, and its bytes; NULL if it has not been built. */
static char driver[4096];
static uint8_t *original, *bytes;
static size_t size;
static char cache[] = "/tmp/querytap-plan-XXXXXX";

static int read_standin(void **state)
{
	ssize_t length = readlink("/proc/self/exe", driver, sizeof(driver) - 64);
	char *slash;
	FILE *file;

	(void)state;
	driver[length > 0 ? length : 0] = '\0';
	for (int i = 0; i < 2 && (slash = strrchr(driver, '/')); i++)
		*slash = '\0';
	strcat(driver, "/fixtures/standin/lib/librustc_driver-standin.so");
	file = fopen(driver, "re");
	if (!file)
		return 0;
	original = malloc(1 << 20);
	bytes = malloc(1 << 20);
	if (!original || !bytes || !mkdtemp(cache))
		return -1;
	size = fread(original, 1, 1 << 20, file);
	fclose(file);
	return 0;
}

static int forget_standin(void **state)
{
	char command[128];

	(void)state;
	free(original);
	free(bytes);
	snprintf(command, sizeof(command), "rm -rf %s", cache);
	return bytes ? system(command) : 0;
}

/* Empties the cache: a plan in it is good for every file with the same build id and size. */
static void clear_cache(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s/*.plan", cache);
	assert_int_equal(system(command), 0);
}

/* A fresh copy in `bytes`; skips the test if there is no stand-in. */
#define TAKE_COPY()                            \
	do {                                   \
		(void)state;                   \
		if (!original)                 \
			skip();                \
		memcpy(bytes, original, size); \
	} while (0)

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
	assert_int_equal(plan->site_count, 23);
	for (size_t i = 0; i < plan->site_count; i++) {
		const struct site *site = &plan->sites[i];
		const uint8_t *at = bytes + site->offset;

		assert_true(site->offset + 8 < size);
		if (site->kind == SITE_SESSION)
			continue;
		assert_true((at[0] & 0xfe) == 0x74 || (at[0] == 0x0f && (at[1] & 0xfe) == 0x84));
		if (site->kind == SITE_EXIT)
			assert_int_equal(site->cookie, 0);
	}
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

/* ---- damaged files ---- */

/* What may be asked of any plan. */
static void check_plan(const struct plan *plan)
{
	assert_true(plan_timed(plan) > 0);
	for (size_t i = 0; i < plan->query_count; i++)
		if (!plan->queries[i].refusal)
			assert_true(plan->queries[i].vtable_offset % 8 == 0 &&
				    plan->queries[i].vtable_offset / 8 < WIRE_VTABLE_SLOTS);
	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->sites[i].offset >= size ||
		    (plan->sites[i].kind != SITE_SESSION &&
		     !kernel_emulates(bytes + plan->sites[i].offset, size - plan->sites[i].offset)))
			fail_msg("a site that cannot be probed, at %#llx", (unsigned long long)plan->sites[i].offset);
}

static void plan_damaged(void)
{
	struct error err = {{0}};
	struct plan *plan;

	if (plan_make(elf_put(bytes, size), &plan, &err) == 0) {
		check_plan(plan);
		plan_free(plan);
	} else {
		assert_null(plan);
		assert_true(strlen(err.text) > 0);
	}
}

static void test_cut_files(void **state)
{
	size_t whole;

	TAKE_COPY();
	whole = size;
	for (size = 0; size < whole; size += size < 1024 ? 61 : 1499)
		plan_damaged();
	size = whole;
}

static unsigned int rounds(unsigned int usual)
{
	const char *given = getenv("QUERYTAP_TEST_ROUNDS");

	return given ? (unsigned int)strtoul(given, NULL, 10) : usual;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Overwrites something between `start` and `end` with what does harm, or with what stands elsewhere. */
static void damage(uint64_t *seed, size_t start, size_t end)
{
	static const uint64_t values[] = {0, 1, 0xff, 0x7fffffff, 0x80000000, UINT64_MAX, INT64_MAX, 0x1000};
	size_t at = start + next_random(seed) % (end - start - 8);
	uint64_t value = values[next_random(seed) % (sizeof(values) / sizeof(*values))];

	switch (next_random(seed) % 4) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << next_random(seed) % 8);
		break;
	case 1:
		bytes[at] = (uint8_t)next_random(seed);
		break;
	case 2:
		memcpy(bytes + at, &value, (size_t)1 << next_random(seed) % 4);
		break;
	default:
		memmove(bytes + at, bytes + start + next_random(seed) % (end - start - 8), 1 + next_random(seed) % 8);
		break;
	}
}

/* Damages one part of the file after another, a little or a lot, always in the same way. */
static void damage_part(size_t start, size_t end, unsigned int usual)
{
	uint64_t seed = 0x9e3779b97f4a7c15 ^ start;

	for (unsigned int round = 0; round < rounds(usual); round++) {
		unsigned int times = 1u << next_random(&seed) % 6;

		memcpy(bytes, original, size);
		while (times--)
			damage(&seed, start, end);
		plan_damaged();
	}
}

static void test_damaged_code(void **state)
{
	const Elf64_Phdr *segments;
	const Elf64_Ehdr *header;

	TAKE_COPY();
	header = (const Elf64_Ehdr *)original;
	segments = (const Elf64_Phdr *)(original + header->e_phoff);
	for (unsigned int i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X) && segments[i].p_filesz > 0x1000)
			damage_part(segments[i].p_offset, segments[i].p_offset + segments[i].p_filesz, 500);
}

static void test_damaged_tables(void **state)
{
	const Elf64_Shdr *sections;
	const Elf64_Ehdr *header;

	TAKE_COPY();
	header = (const Elf64_Ehdr *)original;
	sections = (const Elf64_Shdr *)(original + header->e_shoff);
	for (unsigned int i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_SYMTAB || sections[i].sh_type == SHT_STRTAB ||
		    sections[i].sh_type == SHT_RELA)
			damage_part(sections[i].sh_offset, sections[i].sh_offset + sections[i].sh_size, 80);
}

static void test_damaged_headers(void **state)
{
	const Elf64_Ehdr *header;

	TAKE_COPY();
	header = (const Elf64_Ehdr *)original;
	damage_part(0, header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr), 300);
	damage_part(header->e_shoff, size, 300);
}

/* ---- the cache ---- */

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
	for (size_t i = 0; i < a->site_count; i++) {
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
	for (size_t at = 0; at <= length; at += 13) {
		char kept = text[at];

		put_text(path, text, at); /* cut */
		plan = get_plan();
		assert_false(plan->from_cache);
		assert_equal_plans(made, plan);
		plan_free(plan);
		if (at == length)
			break;
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
	    {"querytap-plan 2", "querytap-plan 1"},
	    {"\n34128 type_of", "\n4294967288 type_of"}, /* a vtable far behind the table's end */
	    {"\n34128 type_of", "\n262144 type_of"},	 /* just behind it */
	    {"\n34128 type_of", "\n34129 type_of"},
	    {"\n34128 type_of", "\n-8 type_of"},
	    {"\n34128 type_of", "\nnone type_of"},
	    {"\n34128 type_of", "\n34128 "},
	    {"\n34128 type_of", "\n34160 type_of"}, /* not more than a lie */
	    {"queries 15", "queries 14"},
	    {"queries 15", "queries 16"},
	    {"queries 15", "queries 99999999999"},
	    {"sites 23", "sites 22"},
	    {"sites 23", "sites 24"},
	    {"sites 23", "sites 0"},
	    {"\n2 ", "\n3 "},
	    {"\n2 ", "\n-1 "},
	    {"\n1 ", "\n1 9"},
	    {"\n1 ", "\n1 18446744073709551615"},
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
		if (plan->from_cache && strcmp(cases[i].to, "\n34160 type_of") != 0)
			fail_msg("believed: '%s' instead of '%s'", cases[i].to, cases[i].from);
		plan_free(plan);
	}
	plan_free(made);
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
	    cmocka_unit_test(test_every_query_is_known),
	    cmocka_unit_test(test_sites_are_conditional_jumps),
	    cmocka_unit_test(test_cookies),
	    cmocka_unit_test(test_stripped),
	    cmocka_unit_test(test_unknown_shape),
	    cmocka_unit_test(test_no_safe_place),
	    cmocka_unit_test(test_twins_are_refused),
	    cmocka_unit_test(test_a_refused_incremental_twin),
	    cmocka_unit_test(test_entrance_without_its_twin),
	    cmocka_unit_test(test_vtable_out_of_range),
	    cmocka_unit_test(test_cut_files),
	    cmocka_unit_test(test_damaged_code),
	    cmocka_unit_test(test_damaged_tables),
	    cmocka_unit_test(test_damaged_headers),
	    cmocka_unit_test(test_cache_gives_back_what_it_took),
	    cmocka_unit_test(test_cache_of_another_file),
	    cmocka_unit_test(test_damaged_cache),
	    cmocka_unit_test(test_forged_cache),
	    cmocka_unit_test(test_cache_that_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, read_standin, forget_standin);
}
