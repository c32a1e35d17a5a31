/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What symbols of rustc 1.95 and 1.97 are taken for, by names as those compilers have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/wire.h"
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
	assert_int_equal(plain.key, KEY_DEF_ID);
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

#define COLD_CALL "_RINvNvMNtCs3MG2ofusW15_21rustc_data_structures9profilingNtB5_15SelfProfilerRef4exec9cold_call"
#define DROP(name, type)                                                                                 \
	"_RINvNtCsgEmfK2I1SDS_4core3ptr" name "NtNtCs3MG2ofusW15_21rustc_data_structures9profiling" type \
	"ECs1JQOruJCR77_18rustc_hir_analysis"
#define PASS "_RNvXNtCs3LGw5nGcjh2_19rustc_mir_transform9copy_propNtB2_8CopyPropNtNtB4_12pass_manager7MirPass"

static void test_guards(void **state)
{
	static const struct {
		const char *symbol;
		enum guard_callee callee;
	} cases[] = {
	    {COLD_CALL "NCNvB4_16generic_activity0EB7_", CALLEE_ACTIVITY},
	    {COLD_CALL "NCINvB4_25generic_activity_with_argReE0ECs5FxD4tM6viY_14rustc_metadata",
	     CALLEE_ACTIVITY_ARGUMENT},
	    {COLD_CALL "NCINvB4_34generic_activity_with_arg_recorderNCNvNtCs59TyybOfEHA_18rustc_codegen_llvm4base"
		       "14module_codegen0E0EB1k_",
	     CALLEE_ACTIVITY_RECORDER},
	    {COLD_CALL "NCNvB4_18incr_cache_loading0ECsfhTr2ijyTAe_16rustc_query_impl", CALLEE_LOAD},
	    {COLD_CALL "NCNvB4_19incr_result_hashing0EB7_", CALLEE_HASHING},
	    {COLD_CALL "NCNvB4_13query_blocked0EB7_", CALLEE_BLOCKED},
	    {COLD_CALL "NCNvB4_14query_provider0EB7_", CALLEE_OTHER},
	    {COLD_CALL "NCNvB4_16another_activity0EB7_", CALLEE_UNKNOWN},
	    {"_RNvMNtCs3MG2ofusW15_21rustc_data_structures9profilingNtB2_15SelfProfilerRef24verbose_generic_activity",
	     CALLEE_ACTIVITY_VERBOSE},
	    {DROP("13drop_in_place", "11TimingGuard"), CALLEE_DROP},
	    {DROP("9drop_glue", "11TimingGuard"), CALLEE_DROP},
	    {DROP("13drop_in_place", "18VerboseTimingGuard"), CALLEE_DROP_VERBOSE},
	    {DROP("9drop_glue", "18VerboseTimingGuard") ".llvm.2602044765471857163", CALLEE_DROP_VERBOSE},
	    {"_RINvNtCsfhTr2ijyTAe_16rustc_query_impl8plumbing18try_load_from_diskbEB4_", CALLEE_SHARED_LOAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct recognised found = what(cases[i].symbol);

		if (found.role != ROLE_GUARD || found.callee != cases[i].callee)
			fail_msg("%s is taken for %d, %d", cases[i].symbol, found.role, found.callee);
		assert_false(found.fragment);
	}
	assert_true(what(DROP("13drop_in_place", "11TimingGuard") ".cold").fragment);
	/* Of vectors of guards. */
	assert_none("_RINvNtCsgEmfK2I1SDS_4core3ptr13drop_in_placeINtNtCslNYArtu3iFV_5alloc3vec3VecNtNtCs3MG2ofusW15_21"
		    "rustc_data_structures9profiling11TimingGuardEECs59TyybOfEHA_18rustc_codegen_llvm");
}

static void test_passes(void **state)
{
	(void)state;
	assert_int_equal(what(PASS "4name").role, ROLE_PASS_NAME);
	assert_int_equal(what(PASS "8run_pass").role, ROLE_PASS_RUN);
	assert_int_equal(what("_RNvYNtNtCs3LGw5nGcjh2_19rustc_mir_transform9copy_prop8CopyPropNtNtB6_12pass_manager"
			      "7MirPass4nameB6_")
			     .role,
			 ROLE_PASS_NAME);
	assert_none(
	    "_RNvXNtCs3LGw5nGcjh2_19rustc_mir_transform9copy_propNtB2_8CopyPropNtNtB4_12pass_manager7MirLint4name");
}

static void test_closures(void **state)
{
	static const char closure[] =
	    "_RNvYNCNvNtNtCsfhTr2ijyTAe_16rustc_query_impl10query_impl16is_mir_available17make_query_vtables1_"
	    "0INtNtNtCs"
	    "gEmfK2I1SDS_4core3ops8function6FnOnceTNtNtNtCsdadwybgsbvk_12rustc_middle2ty7context6TyCtxtEE9call_onceBa_";
	char query[SYMBOL_QUERY];

	(void)state;
	assert_true(symbol_query_closure(closure, query));
	assert_string_equal(query, "is_mir_available");
	assert_false(
	    symbol_query_closure("_RNvNtNtCsfhTr2ijyTAe_16rustc_query_impl10query_impl17make_query_vtable", query));
	assert_false(symbol_query_closure("_R17make_query_vtable", query));
	assert_false(symbol_query_closure(IMPL "10crate_name22execute_query_non_incr" BACKTRACE, query));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_guards),
	    cmocka_unit_test(test_passes),
	    cmocka_unit_test(test_closures),
	    cmocka_unit_test(test_entrances),
	    cmocka_unit_test(test_runners),
	    cmocka_unit_test(test_session),
	    cmocka_unit_test(test_fragments_belong_to_their_function),
	    cmocka_unit_test(test_relatives_are_not_taken),
	    cmocka_unit_test(test_names_that_are_no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
