/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * stacks PLACE [PLUGIN]: computes for a while in a stack, most of which are hard to unwind, and says what that is: a
 * line "PLACE PID FUNCTION;FUNCTION;...", of the functions named stacks_*, outermost first, by glibc's backtrace().
 * Built with -rdynamic, so that functions have names, and without frame pointers; with -DPLUGIN it is a library with
 * one more function.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
/* Keeps a call from becoming a jump. */
#define STAY() __asm__ volatile("" ::: "memory")

enum { DEPTH = 2000, MAX_FRAMES = DEPTH + 100, STACK = 1 << 20, COMPUTE_MS = 500 };

void stacks_compute(void);

#ifdef PLUGIN

void stacks_plugin(void);

NOINLINE void stacks_plugin(void)
{
	stacks_compute();
	STAY();
}

#else

static volatile uint64_t sink;
static const char *place;

static uint64_t used_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void stacks_clock(void);

static void say_stack(void)
{
	static void *frames[MAX_FRAMES];
	int count = backtrace(frames, MAX_FRAMES);

	printf("%s %d ", place, (int)getpid());
	for (int i = count - 1, said = 0; i >= 0; i--) {
		Dl_info info;

		/* A return address may be the first one behind its function. */
		if (!dladdr((char *)frames[i] - 1, &info) || !info.dli_sname ||
		    strncmp(info.dli_sname, "stacks_", 7) != 0)
			continue;
		printf("%s%s", said++ ? ";" : "", info.dli_sname);
	}
	printf("\n");
	fflush(stdout);
}

NOINLINE void stacks_compute(void)
{
	uint64_t end = used_ms() + COMPUTE_MS;

	say_stack();
	while (used_ms() < end)
		for (int i = 0; i < 3000000; i++)
			sink += (uint64_t)i;
	STAY();
}

void stacks_plain(int with), stacks_deep(int depth), stacks_handler(int number),
    stacks_aligned(int, int, int, int, int, int, int *, int), stacks_coroutine(void), stacks_elsewhere(void),
    stacks_signalled(void), *stacks_thread(void *unused);

/* Most of the time in the vdso, and from there in the kernel. */
NOINLINE void stacks_clock(void)
{
	uint64_t end = used_ms() + COMPUTE_MS;

	say_stack();
	while (used_ms() < end)
		;
	STAY();
}

NOINLINE void stacks_plain(int with)
{
	char room[1000];

	memset(room, with, sizeof(room));
	__asm__ volatile("" ::"r"(room) : "memory");
	stacks_compute();
	STAY();
}

NOINLINE void stacks_deep(int depth)
{
	if (depth > 1)
		stacks_deep(depth - 1);
	else
		stacks_compute();
	STAY();
}

void stacks_handler(int number)
{
	(void)number;
	stacks_compute();
	STAY();
}

NOINLINE void stacks_signalled(void)
{
	raise(SIGUSR1);
	STAY();
}

/* Aligns its stack, and has arguments on it: the CFA is no longer at a fixed distance of rsp. */
NOINLINE void stacks_aligned(int a, int b, int c, int d, int e, int f, int *out, int room)
{
	_Alignas(128) char aligned[256];
	char *more = __builtin_alloca((size_t)room);

	memset(aligned, a + b + c + d + e + f, sizeof(aligned));
	__asm__ volatile("" ::"r"(aligned), "r"(more) : "memory");
	stacks_compute();
	*out = aligned[3];
}

static ucontext_t here, there;

NOINLINE void stacks_coroutine(void)
{
	stacks_compute();
	swapcontext(&there, &here);
}

/* Calls a function on another stack, as Rust's stacker does. */
void call_on(void *stack, void (*function)(void));
__asm__(".globl call_on\n.type call_on,@function\ncall_on:\n.cfi_startproc\npush %rbp\n.cfi_def_cfa_offset 16\n"
	".cfi_offset %rbp,-16\nmov %rsp,%rbp\n.cfi_def_cfa_register %rbp\nmov %rdi,%rsp\ncall *%rsi\nmov %rbp,%rsp\n"
	"pop %rbp\n.cfi_def_cfa %rsp,8\nret\n.cfi_endproc\n.size call_on,.-call_on\n");

static char *above, *below;

static void compute_twice_removed(void)
{
	stacks_plain(1);
}

static void go_below(void)
{
	call_on(below + STACK, compute_twice_removed);
	STAY();
}

/* On a stack that lies higher, and from there on one that lies lower. */
NOINLINE void stacks_elsewhere(void)
{
	call_on(above + STACK, go_below);
	STAY();
}

void *stacks_thread(void *unused)
{
	stacks_compute();
	return unused;
}

static int compute_in_coroutine(void)
{
	getcontext(&there);
	there.uc_stack.ss_sp = below;
	there.uc_stack.ss_size = STACK;
	there.uc_link = &here;
	makecontext(&there, stacks_coroutine, 0);
	return swapcontext(&here, &there);
}

static int compute_in_thread(void)
{
	pthread_t thread;
	int code = pthread_create(&thread, NULL, stacks_thread, NULL);

	return code ? code : pthread_join(thread, NULL);
}

static int compute_in_plugin(const char *path)
{
	void *library = path ? dlopen(path, RTLD_NOW) : NULL;
	void (*plugin)(void) = library ? (void (*)(void))(uintptr_t)dlsym(library, "stacks_plugin") : NULL;

	if (!plugin)
		return 1;
	plugin();
	return 0;
}

int main(int argc, char **argv)
{
	int code = 0;

	if (argc < 2)
		return 2;
	place = argv[1];
	below = malloc(2 * STACK);
	above = below + STACK;
	if (!strcmp(place, "plain"))
		stacks_plain(argc);
	else if (!strcmp(place, "clock"))
		stacks_clock();
	else if (!strcmp(place, "deep"))
		stacks_deep(DEPTH);
	else if (!strcmp(place, "signal") && signal(SIGUSR1, stacks_handler) != SIG_ERR)
		stacks_signalled();
	else if (!strcmp(place, "aligned"))
		stacks_aligned(1, 2, 3, 4, 5, 6, &code, argc * 100);
	else if (!strcmp(place, "elsewhere"))
		stacks_elsewhere();
	else if (!strcmp(place, "coroutine"))
		code = compute_in_coroutine();
	else if (!strcmp(place, "thread"))
		code = compute_in_thread();
	else
		code = compute_in_plugin(argv[2]);
	return code && strcmp(place, "aligned") != 0;
}

#endif
