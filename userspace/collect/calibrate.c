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
	"own_function own_query\nsub $8, %rsp\ntest %edx, %edx\n.globl own_query_at\nown_query_at: jne 1f\n"
	"1: call *%rcx\ntest %eax, %eax\n"
	".globl own_query_exit_at\n.hidden own_query_exit_at\nown_query_exit_at: jne 2f\n2: add $8, %rsp\nret\n"
	"own_end own_query\n"
	"own_function own_code\nown_code_at:\n.rept 4096\n.balign 32\n"
	"imul $0x41c64e6d, %edi, %eax\nadd $0x3039, %eax\ntest $0x10000, %eax\njz 1f\nadd $3, %eax\n1: ret\n"
	".endr\n"
	"own_end own_code\n"
	"own_function own_no_query\nsub $8, %rsp\ntest %edx, %edx\nown_no_query_at: jne 1f\n"
	"1: call *%rcx\ntest %eax, %eax\njne 2f\n2: add $8, %rsp\nret\n"
	"own_end own_no_query\n");

/* Runs the provider between its two sites. */
typedef void query_function(const void *tcx, const void *vtable, int recording, int (*provider)(void));

extern const char own_code[];
void own_nop5(long argument);
void own_push(long argument);
void own_jcc(long argument);
void own_call(long argument);
void own_other(long argument);
query_function own_query, own_no_query;

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

/* What the work goes through: functions in own_code, and a cache line of memory for each. */
enum { FUNCTIONS = 4096, FUNCTION_BYTES = 32, CALLS = 20 };
/* A turn runs that many queries that have another one in them. */
enum { BATCHES = 100, TURN = 4 };

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

/* Numbers that look random, by a linear congruential generator (Knuth and Lewis). */
static uint32_t next_number(void)
{
	static uint32_t state;

	state = state * 1664525 + 1013904223;
	return state >> 12;
}

/*
 * What a compiler does between most probes: a fraction of a microsecond, here and there in code and memory that it has
 * used before, of both more than the first caches hold. A trap costs more than its own time there, because the kernel's
 * code takes the place of the program's in caches and branch predictors, and the other way round.
 */
static int work_like_a_compiler(void)
{
	static uint64_t memory[FUNCTIONS][8];

	for (unsigned int i = 0; i < CALLS; i++) {
		uint32_t at = next_number() % FUNCTIONS;
		uint32_t (*function)(uint32_t) = (uint32_t(*)(uint32_t))(own_code + (size_t)FUNCTION_BYTES * at);

		memory[at][function(at) % 8]++;
	}
	return 0;
}

static query_function *query;

static void run_query(int (*provider)(void))
{
	static const uint64_t tcx[2];

	query(&tcx[0], &tcx[1], 0, provider);
}

static int query_another(void)
{
	work_like_a_compiler();
	run_query(work_like_a_compiler);
	return work_like_a_compiler();
}

/* What a turn takes, nanoseconds. */
static int64_t run_turn(query_function *function)
{
	uint64_t begun = clock_now(CLOCK_MONOTONIC);

	query = function;
	for (int i = 0; i < TURN; i++) {
		run_query(query_another);
		work_like_a_compiler();
	}
	return (int64_t)(clock_now(CLOCK_MONOTONIC) - begun);
}

int64_t own_queries_run(unsigned int turns)
{
	int64_t *more = calloc(turns, sizeof(*more)), median;

	if (!more)
		return 0;
	run_turn(own_no_query);
	run_turn(own_query);
	for (unsigned int i = 0; i < turns; i++) {
		int64_t without = run_turn(own_no_query);

		more[i] = run_turn(own_query) - without;
	}
	qsort(more, turns, sizeof(*more), compare_differences);
	median = more[turns / 2] / (2 * TURN);
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
