/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What symbols of rustc 1.95 and 1.97 are taken for, by names as those compilers have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/recognise.h"

#define IMPL "_RNvNtNtNtCsfhTr2ijyTAe_16rustc_query_impl10query_impl"
#define BACKTRACE "26___rust_end_short_backtrace"
#define RUNNER                                                                                                     \
	"_RINvNtCsfhTr2ijyTAe_16rustc_query_impl9execution17try_execute_queryINtNtNtCsdadwybgsbvk_12rustc_middle5" \
	"query6caches10DefIdCacheINtNtB18_5erase10ErasedDataAhj8_EEKb"

static struct recognised what(const char *symbol)
{
	struct recognised out;

	memset(&out, 0xff, sizeof(out));
	recognise(symbol, &out);
	return out;
}

static void assert_none(const char *symbol)
{
	if (what(symbol).role != ROLE_NONE)
		fail_msg("%s is taken for %d", symbol, what(symbol).role);
}

static void test_entrances(void **state)
{
	struct recognised plain = what(IMPL "10crate_name22execute_query_non_incr" BACKTRACE);
	struct recognised incremental = what(IMPL "10crate_name18execute_query_incr" BACKTRACE);

	(void)state;
	assert_int_equal(plain.role, ROLE_EXECUTE_QUERY);
	assert_false(plain.incremental);
	assert_false(plain.fragment);
	assert_string_equal(plain.query, "crate_name");
	assert_string_equal(plain.generation, "1.95");
	assert_int_equal(incremental.role, ROLE_EXECUTE_QUERY);
	assert_true(incremental.incremental);
	assert_string_equal(incremental.query, "crate_name");
}

static void test_runners(void **state)
{
	struct recognised plain = what(RUNNER "0_EB4_"), incremental = what(RUNNER "1_EB4_");

	(void)state;
	assert_int_equal(plain.role, ROLE_TRY_EXECUTE);
	assert_false(plain.incremental);
	assert_int_equal(plain.base_length, strlen(RUNNER "0_EB4_"));
	assert_int_equal(incremental.role, ROLE_TRY_EXECUTE);
	assert_true(incremental.incremental);
}

static void test_session(void **state)
{
	(void)state;
	assert_int_equal(what("_RNvNtCs3TffaVLKYX7_13rustc_session7session13build_session").role, ROLE_SESSION);
	assert_none("_RNvNtCs3TffaVLKYX7_13rustc_session7session21build_session_globals");
	assert_none("_RNCNvNtCs3TffaVLKYX7_13rustc_session7session13build_session0B5_");
}

static void test_fragments_belong_to_their_function(void **state)
{
	static const struct {
		const char *suffix;
		bool fragment;
	} cases[] = {
	    {".cold", true},
	    {".warm", true},
	    {".cold.1", true},
	    {".llvm.15520300481698896969.cold", true},
	    {".llvm.15520300481698896969", false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char symbol[512];
		struct recognised found;

		snprintf(symbol, sizeof(symbol), "%s%s", RUNNER "1_EB4_", cases[i].suffix);
		found = what(symbol);
		assert_int_equal(found.role, ROLE_TRY_EXECUTE);
		assert_true(found.incremental);
		assert_int_equal(found.fragment, cases[i].fragment);
		assert_int_equal(found.base_length, strlen(RUNNER "1_EB4_"));
	}
}

/* Functions of others that were made for a query or its runner carry their names, too. */
static void test_relatives_are_not_taken(void **state)
{
	(void)state;
	assert_none("_RINvMs6_NtCs7z5WHpSfHQF_9hashbrown3rawINtB6_8RawTableTINtNtCsdadwybgsbvk_12rustc_middle2ty20"
		    "PseudoCanonicalInputINtNtCsdoLGDhjbLAL_13rustc_type_ir9predicate8TraitRefNtNtBT_7context6TyCtxtEEN"
		    "tNtNtBV_5query8plumbing15ActiveKeyStatusEE14reserve_rehashNCINvNtCsfhTr2ijyTAe_16rustc_query_impl9"
		    "execution17try_execute_queryINtNtB35_6caches12DefaultCacheBQ_INtNtB35_5erase10ErasedDataAhj10_EEKb"
		    "0_E0EB45_");
	assert_none(IMPL "10crate_name18invoke_provider_fn28___rust_begin_short_backtrace");
	assert_none("_RNvNtNtCsfhTr2ijyTAe_16rustc_query_impl10query_impl10crate_name22execute_query_non_incr");
	assert_none(
	    "_RNCNvNtNtNtCsfhTr2ijyTAe_16rustc_query_impl10query_impl10crate_name22execute_query_non_incr" BACKTRACE
	    "0B9_");
	assert_none(
	    "_RNvNtNtNtCsfhTr2ijyTAe_16rustc_query_fake10query_impl10crate_name22execute_query_non_incr" BACKTRACE);
	assert_int_equal(what("_RNvCsfLfy6EI15iL_7___rustc20___rust_panic_cleanup").role, ROLE_CAUGHT);
	assert_none("main");
	assert_none("");
}

static void test_names_that_are_no_names(void **state)
{
	char symbol[1024];
	char name[200];

	(void)state;
	assert_none("17try_execute_query");
	assert_none("_RINvNtCsfhTr2ijyTAe_16rustc_query_impl9execution17try_execute_query");
	assert_none("22execute_query_non_incr" BACKTRACE);
	assert_none(IMPL "99crate_name22execute_query_non_incr" BACKTRACE);
	assert_none(".cold");
	assert_none("17try_execute_query.cold");
	memset(name, 'q', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(symbol, sizeof(symbol), IMPL "%zu%s22execute_query_non_incr" BACKTRACE, strlen(name), name);
	assert_none(symbol);
	name[90] = '\0';
	snprintf(symbol, sizeof(symbol), IMPL "%zu%s22execute_query_non_incr" BACKTRACE, strlen(name), name);
	assert_string_equal(what(symbol).query, name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_entrances),
	    cmocka_unit_test(test_runners),
	    cmocka_unit_test(test_session),
	    cmocka_unit_test(test_fragments_belong_to_their_function),
	    cmocka_unit_test(test_relatives_are_not_taken),
	    cmocka_unit_test(test_names_that_are_no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
