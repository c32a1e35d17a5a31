/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/calibrate.h"

#include <errno.h>
#include <stdlib.h>

#include "compiler/elf.h"
#include "util/clock.h"

/*
 * Each function holds one instruction of its kind, at the label that ends in _at. The jumps go to the next instruction
 * whether taken or not.
 */
__asm__(".text\n"
	".macro own_function name\n"
	".globl \\name\n"
	".hidden \\name\n"
	".hidden \\name\\()_at\n"
	".type \\name, @function\n"
	".balign 64\n"
	"\\name:\n"
	".endm\n"
	".macro own_end name\n"
	".size \\name, . - \\name\n"
	".endm\n"
	"own_function own_nop5\n.globl own_nop5_at\nown_nop5_at: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\nret\n"
	"own_end own_nop5\n"
	"own_function own_push\n.globl own_push_at\nown_push_at: push %rbp\npop %rbp\nret\n"
	"own_end own_push\n"
	"own_function own_jcc\ntest %edi, %edi\n.globl own_jcc_at\nown_jcc_at: jne 1f\n1: ret\n"
	"own_end own_jcc\n"
	"own_function own_call\nsub $8, %rsp\n.globl own_call_at\nown_call_at: call own_nop5\nadd $8, %rsp\nret\n"
	"own_end own_call\n"
	"own_function own_other\n.globl own_other_at\nown_other_at: mov %rdi, %rax\nret\n"
	"own_end own_other\n"
	"own_function own_query\ntest %edx, %edx\n.globl own_query_at\nown_query_at: jne 1f\n1: test %edx, %edx\n"
	".globl own_query_exit_at\n.hidden own_query_exit_at\nown_query_exit_at: jne 2f\n2: ret\n"
	"own_end own_query\n"
	"own_function own_code\nown_code_at:\n.rept 1024\n.balign 32\n"
	"imul $0x41c64e6d, %edi, %eax\nadd $0x3039, %eax\ntest $0x10000, %eax\njz 1f\nadd $3, %eax\n1: ret\n"
	".endr\n"
	"own_end own_code\n"
	"own_function own_no_query\ntest %edx, %edx\nown_no_query_at: jne 1f\n1: test %edx, %edx\njne 2f\n2: ret\n"
	"own_end own_no_query\n");

extern const char own_code[];
void own_nop5(long argument);
void own_push(long argument);
void own_jcc(long argument);
void own_call(long argument);
void own_other(long argument);
void own_query(const void *tcx, const void *vtable, int recording);
void own_no_query(const void *tcx, const void *vtable, int recording);

extern const char own_nop5_at[], own_push_at[], own_jcc_at[], own_call_at[], own_other_at[], own_query_at[],
    own_query_exit_at[];
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

int own_sites_find(uint64_t offsets[OWN_SITES], struct error *err)
{
	static const char *const places[OWN_SITES] = {own_nop5_at,  own_push_at,  own_jcc_at,	    own_call_at,
						      own_other_at, own_query_at, own_query_exit_at};
	struct image *image;
	int code = image_open("/proc/self/exe", &image, err);

	for (int i = 0; code == 0 && i < OWN_SITES; i++) {
		offsets[i] = image_file_offset(image, (uint64_t)(places[i] - __ehdr_start));
		if (offsets[i] == UINT64_MAX)
			code = error_set(err, ENOEXEC, "querytap cannot find its own code to measure probes on");
	}
	if (code == 0)
		image_close(image);
	return code;
}

/* What the work goes through: functions in own_code, and half a cache line of memory for each. */
enum { FUNCTIONS = 1024, FUNCTION_BYTES = 32, WORDS = 4 };
enum { BATCHES = 100, TURN = 40, CALLS = 128 };

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int compare_differences(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static void pass_site(enum own_site site)
{
	static void (*const functions[])(long) = {
	    [OWN_NOP5] = own_nop5, [OWN_PUSH] = own_push,   [OWN_JCC] = own_jcc,
	    [OWN_CALL] = own_call, [OWN_OTHER] = own_other,
	};

	functions[site](1);
}

/*
 * What a compiler does between most probes: a fraction of a microsecond in code and memory that it has used before,
 * as much of both as the first caches hold. A trap costs more than its own time there, because the kernel's code takes
 * the place of the program's in caches and branch predictors; in an empty loop that part would not show.
 */
static void work_like_a_compiler(void)
{
	static uint64_t memory[FUNCTIONS * WORDS];
	static uint32_t at;

	for (unsigned int i = 0; i < CALLS; i++) {
		uint32_t (*function)(uint32_t) = (uint32_t(*)(uint32_t))(own_code + (size_t)FUNCTION_BYTES * at);

		memory[(size_t)WORDS * at + function(at) % WORDS]++;
		at = (at + 1) % FUNCTIONS;
	}
}

/* What a turn of passages takes, nanoseconds. */
static uint64_t run_turn(void (*query)(const void *, const void *, int))
{
	static const uint64_t tcx[2];
	uint64_t begun = clock_now(CLOCK_MONOTONIC);

	for (int i = 0; i < TURN; i++) {
		work_like_a_compiler();
		query(&tcx[0], &tcx[1], 0);
	}
	return clock_now(CLOCK_MONOTONIC) - begun;
}

uint64_t own_queries_run(unsigned int times)
{
	unsigned int turns = times / TURN;
	int64_t *more = calloc(turns + 1, sizeof(*more));
	uint64_t median;

	if (!more)
		return 0;
	for (unsigned int i = 0; i < turns; i++) {
		uint64_t without = run_turn(own_no_query);

		more[i] = (int64_t)run_turn(own_query) - (int64_t)without;
	}
	qsort(more, turns, sizeof(*more), compare_differences);
	median = more[turns / 2] > 0 ? (uint64_t)more[turns / 2] / TURN : 0;
	free(more);
	return median;
}

uint64_t own_site_run(enum own_site site, unsigned int times)
{
	unsigned int batch = times / BATCHES ? times / BATCHES : 1;
	uint64_t taken[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		uint64_t begun = clock_now(CLOCK_MONOTONIC);

		for (unsigned int j = 0; j < batch; j++)
			pass_site(site);
		taken[i] = clock_now(CLOCK_MONOTONIC) - begun;
	}
	qsort(taken, BATCHES, sizeof(*taken), compare_numbers);
	return taken[BATCHES / 10] / batch;
}
