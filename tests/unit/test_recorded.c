/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is read of build.json, where its processes are drawn, and what becomes of them in a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "render/render.h"

#define BEGIN                                                                                                     \
	"{\"format\": 1, \"start_realtime_ns\": \"1000\", \"stopped_ns\": 900, \"complete\": true, \"lost\": 2, " \
	"\"processes\": ["
#define END "]}"

/* A process with these pid, parent, start and end; `programs` is a list of JSON objects. */
#define PROCESS(pid, parent, start, end, programs)                                                                  \
	"{\"pid\": " #pid ", \"parent\": " #parent ", \"joined\": false, \"complete\": true, \"start_ns\": " #start \
	", \"end_ns\": " #end ", \"exit_code\": 0, \"signal\": null, \"user_ns\": 30, \"system_ns\": 4, "           \
	"\"peak_bytes\": 4096, \"comm\": \"forked\", \"programs\": [" programs "]}"

#define PROGRAM(command) "{\"command\": [" command "]}"
#define COMPILER(command, profile) "{\"command\": [" command "], \"profile\": \"" profile "\"}"

static int read_text(const char *text, struct recorded_build *recorded, struct error *err)
{
	char path[] = "/tmp/querytap-test-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = recorded_read(path, recorded, err);
	unlink(path);
	return rc;
}

static struct recorded_build read_good(const char *text)
{
	struct recorded_build recorded;
	struct error err = {""};

	if (read_text(text, &recorded, &err))
		fail_msg("%s", err.text);
	return recorded;
}

#define CARGO PROCESS(10, null, 0, 800, PROGRAM("\"/usr/bin/cargo\", \"build\""))
#define ONE_PROGRAMS PROGRAM("\"sh\"") "," COMPILER("\"/opt/rustc\", \"-\"", "one-0000011.mm_profdata")
#define ONE PROCESS(11, 0, 10, 300, ONE_PROGRAMS)
#define TWO PROCESS(12, 0, 20, 400, COMPILER("\"rustc\"", "two-0000012.mm_profdata"))
#define LINKER PROCESS(13, 1, 200, 290, PROGRAM("\"/usr/bin/cc\", \"-o\", \"x\""))
#define COLLECT PROCESS(14, 3, 210, 280, PROGRAM("\"collect2\""))
#define SCRIPT_PATH "/t/debug/build/a-dash-0123456789abcdef/build-script-build"
#define SCRIPT PROCESS(15, 0, 300, 500, PROGRAM("\"" SCRIPT_PATH "\""))
#define COMPILED PROCESS(16, 5, 310, 320, PROGRAM("\"cc\""))
#define FORKED PROCESS(17, 5, 330, 331, "")

#define BUILD CARGO "," ONE "," TWO "," LINKER "," COLLECT "," SCRIPT "," COMPILED "," FORKED
static const char build_text[] = BEGIN BUILD END;

static void names_and_kinds(void **state)
{
	static const struct {
		const char *name;
		enum recorded_kind kind;
		const char *command;
	} expected[] = {
	    {"cargo", RECORDED_CARGO, "/usr/bin/cargo build"},
	    {"rustc", RECORDED_COMPILER, "/opt/rustc -"},
	    {"rustc", RECORDED_COMPILER, "rustc"},
	    {"cc", RECORDED_LINKER, "/usr/bin/cc -o x"},
	    {"collect2", RECORDED_LINKER, "collect2"},
	    {"a-dash’s build script", RECORDED_BUILD_SCRIPT, SCRIPT_PATH},
	    /* It compiles something for the build script. */
	    {"cc", RECORDED_OTHER, "cc"},
	    {"forked", RECORDED_OTHER, ""},
	};
	struct recorded_build recorded = read_good(build_text);

	(void)state;
	assert_int_equal(recorded.count, 8);
	assert_int_equal(recorded.lost, 2);
	assert_int_equal(recorded.start_ns, 1000);
	assert_int_equal(recorded.end_ns, 1800);
	for (size_t i = 0; i < recorded.count; i++) {
		assert_string_equal(recorded.processes[i].name, expected[i].name);
		assert_int_equal(recorded.processes[i].kind, expected[i].kind);
		assert_string_equal(recorded.processes[i].command, expected[i].command);
	}
	assert_string_equal(recorded.processes[1].profile, "one-0000011.mm_profdata");
	assert_null(recorded.processes[3].profile);
	assert_int_equal(recorded.processes[0].parent, RECORDED_NONE);
	assert_int_equal(recorded.processes[4].parent, 3);
	assert_int_equal(recorded.processes[4].start_ns, 1210);
	assert_int_equal(recorded.processes[4].end_ns, 1280);
	assert_int_equal(recorded.processes[4].user_ns, 30);
	assert_int_equal(recorded.processes[4].exit_code, 0);
	assert_int_equal(recorded.processes[4].signal, RECORDED_UNKNOWN);
	recorded_free(&recorded);
}

static void lanes_are_below_the_parent(void **state)
{
	/* The second compiler stands below the lanes that the first one's linker needs; what comes later has them back.
	 */
	static const size_t lanes[] = {0, 1, 4, 2, 3, 1, 2, 2};
	struct recorded_build recorded = read_good(build_text);

	(void)state;
	for (size_t i = 0; i < recorded.count; i++)
		assert_int_equal(recorded.processes[i].lane, lanes[i]);
	assert_int_equal(recorded.lane_count, 5);
	recorded_free(&recorded);
}

static void a_child_that_lives_on_keeps_its_lane(void **state)
{
	struct recorded_build recorded = read_good(BEGIN PROCESS(1, null, 0, 10, "") "," PROCESS(
	    2, 0, 5, 100, "") "," PROCESS(3, null, 20, 30, "") "," PROCESS(4, null, 100, 101, "") END);
	static const size_t lanes[] = {0, 1, 2, 0};

	(void)state;
	for (size_t i = 0; i < recorded.count; i++)
		assert_int_equal(recorded.processes[i].lane, lanes[i]);
	recorded_free(&recorded);
}

static void what_is_not_known(void **state)
{
	struct recorded_build recorded = read_good(
	    BEGIN
	    "{\"pid\": 7, \"parent\": null, \"joined\": true, \"complete\": false, \"start_ns\": 100, \"end_ns\": "
	    "null, "
	    "\"exit_code\": null, \"signal\": null, \"user_ns\": null, \"system_ns\": null, \"peak_bytes\": null, "
	    "\"comm\": \"a\", \"programs\": [], \"later\": 1}" END);

	(void)state;
	/* It ran until the recording stopped. */
	assert_int_equal(recorded.processes[0].end_ns, 1900);
	assert_true(recorded.processes[0].joined);
	assert_false(recorded.processes[0].complete);
	assert_int_equal(recorded.processes[0].exit_code, RECORDED_UNKNOWN);
	assert_int_equal(recorded.processes[0].user_ns, RECORDED_UNKNOWN);
	assert_int_equal(recorded.processes[0].peak_bytes, RECORDED_UNKNOWN);
	recorded_free(&recorded);
}

static void what_is_damaged_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "[]",
	    "{}",
	    "{\"format\": \"1\"}",
	    "{\"format\": 1}",
	    "{\"format\": 1, \"start_realtime_ns\": \"1000\", \"stopped_ns\": 9, \"complete\": true, \"lost\": 0}",
	    "{\"format\": 1, \"start_realtime_ns\": \"1x\", \"stopped_ns\": 9, \"complete\": true, \"lost\": 0, "
	    "\"processes\": []}",
	    "{\"format\": 1, \"start_realtime_ns\": \"99999999999999999999\", \"stopped_ns\": 9, \"complete\": true, "
	    "\"lost\": 0, \"processes\": []}",
	    BEGIN "7" END,
	    BEGIN "{}" END,
	    /* Its own parent, one behind it, one that is not there. */
	    BEGIN PROCESS(1, 0, 0, 1, "") END,
	    BEGIN PROCESS(1, 1, 0, 1, "") "," PROCESS(2, null, 0, 1, "") END,
	    BEGIN PROCESS(1, 8, 0, 1, "") END,
	    BEGIN PROCESS(1, -2, 0, 1, "") END,
	    BEGIN PROCESS(1, null, 5, 1, "") END,
	    BEGIN PROCESS(-1, null, 0, 1, "") END,
	    BEGIN PROCESS(5000000000, null, 0, 1, "") END,
	    BEGIN PROCESS(1, null, 0, 9000000000000000000, "") END,
	    BEGIN PROCESS(1, null, 0, 1, "7") END,
	    BEGIN PROCESS(1, null, 0, 1, PROGRAM("7")) END,
	    BEGIN PROCESS(1, null, 0, 1, "{\"command\": [], \"profile\": 7}") END,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct recorded_build recorded;
		struct error err = {""};

		if (read_text(texts[i], &recorded, &err) != -EINVAL)
			fail_msg("it took %s", texts[i]);
		assert_non_null(strstr(err.text, "/tmp/querytap-test-"));
	}
}

static void another_format_is_named(void **state)
{
	struct recorded_build recorded;
	struct error err = {""};

	(void)state;
	assert_int_equal(read_text("{\"format\": 2}", &recorded, &err), -EINVAL);
	assert_non_null(strstr(err.text, "format 2"));
	assert_int_equal(recorded_read("/nonexistent/build.json", &recorded, &err), -ENOENT);
}

static void a_build_grows(void **state)
{
	static const struct summary nothing;
	const struct build_input inputs[] = {{1100, 1200, &nothing}, {1150, 1300, &nothing}};
	struct recorded_build recorded = read_good(build_text), none = {0};
	struct error err = {""};
	struct build build;

	(void)state;
	assert_int_equal(build_lay_out(inputs, 2, &build, &err), 0);
	build_widen(&build, &none);
	assert_int_equal(build.start_ns, 1100);
	assert_int_equal(build.wall_ns, 200);
	build_widen(&build, &recorded);
	assert_int_equal(build.start_ns, 1000);
	assert_int_equal(build.wall_ns, 800);
	assert_int_equal(build.processes[1].start_ns, 150);
	assert_int_equal(build.processes[1].end_ns, 300);
	assert_int_equal(build.steps[0].time_ns, 100);
	build_free(&build);
	recorded_free(&recorded);
}

static void processes_become_events(void **state)
{
	static const struct trace_options options = {false, 0};
	struct recorded_build recorded =
	    read_good(BEGIN PROCESS(10, null, 1000, 901000, COMPILER("\"rustc\"", "a-0000010.mm_profdata")) "," PROCESS(
		11, 0, 5000, 12000, PROGRAM("\"/bin/cc\", \"\\\"\"")) END);
	struct trace_writer *writer;
	struct error err = {""};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(trace_open(out, &writer, &err), 0);
	trace_add_processes(writer, &recorded, &options);
	trace_close(writer);
	fclose(out);
	assert_string_equal(
	    text,
	    "[{\"name\":\"cc\",\"cat\":\"Process\",\"args\":{\"command\":\"/bin/cc "
	    "\\\"\",\"kind\":\"linker\",\"parent\":10,"
	    "\"exit_code\":0,\"user_ns\":30,\"system_ns\":4,\"peak_bytes\":4096},\"ph\":\"X\",\"ts\":6,\"dur\":7,"
	    "\"pid\":11,"
	    "\"tid\":11},\n"
	    "{\"name\":\"process_name\",\"cat\":\"\",\"ph\":\"M\",\"ts\":0,\"tid\":0,\"pid\":11,\"args\":{\"name\":"
	    "\"cc\"}},\n"
	    "{\"name\":\"process_labels\",\"cat\":\"\",\"ph\":\"M\",\"ts\":0,\"tid\":0,\"pid\":11,\"args\":{\"labels\":"
	    "\"started by rustc 10\"}},\n"
	    "{\"name\":\"process_sort_index\",\"cat\":\"\",\"ph\":\"M\",\"ts\":0,\"tid\":0,\"pid\":11,\"args\":{\"sort_"
	    "index\":6}}]\n");
	free(text);
	recorded_free(&recorded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_and_kinds),
	    cmocka_unit_test(lanes_are_below_the_parent),
	    cmocka_unit_test(a_child_that_lives_on_keeps_its_lane),
	    cmocka_unit_test(what_is_not_known),
	    cmocka_unit_test(what_is_damaged_is_refused),
	    cmocka_unit_test(another_format_is_named),
	    cmocka_unit_test(a_build_grows),
	    cmocka_unit_test(processes_become_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
