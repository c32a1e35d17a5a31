/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The BPF programs that pair entries and exits, compiled as ordinary C. A made-up thread enters and leaves queries and
 * guards at stack pointers of the test's choosing; what comes out is the list of intervals. Include cmocka.h first, and
 * define WITH_CPU_TIME as 1 for clocks that stand still while the thread is off the CPU, and WITH_OFF_CPU as 1 for
 * records of when it is.
 */
#ifndef TESTS_BPF_WORLD_H
#define TESTS_BPF_WORLD_H

#include <string.h>

#include "bpf/guard.bpf.c"
#include "bpf/pair.bpf.c"
#include "bpf/switch.bpf.c"

#ifndef WITH_CPU_TIME
#define WITH_CPU_TIME 0
#endif

#ifndef WITH_OFF_CPU
#define WITH_OFF_CPU 0
#endif

const volatile __u8 trace_all = 0;
const volatile __u32 only_uid = WIRE_ANY_UID;
const volatile __u8 counts_only = 0;
const volatile __u8 cpu_time = WITH_CPU_TIME;
const volatile __u8 off_cpu = WITH_OFF_CPU;
const volatile __u64 wake_bytes = 1;
volatile __u8 letting_go;
__u64 texts;
volatile __u64 query_cost, usual_pace;
volatile __u64 lost_absences;
struct processes_map processes;
struct threads_map threads;
const volatile __u8 with_texts = 1;
const volatile __u8 with_keys = 1;
struct queries_map queries;
struct passes_map passes;
struct callers_map callers;
struct records_map records;
struct absences_map absences;

enum { MAX_INTERVALS = 4096, PID = 42, STACK_TOP = 0x800000, SEGMENT_SIZE = 0x100000 };

/* Two stack segments above and below the thread's own stack, each a memory area of its own. */
static const struct area areas[] = {
    {0x100000, 0x100000 + SEGMENT_SIZE},
    {0x400000, STACK_TOP},
    {0x900000, 0x900000 + SEGMENT_SIZE},
};

static struct world {
	bool followed, has_thread, ring_full, no_memory, no_areas;
	struct wire_process process;
	struct thread thread;
	struct query_table table;
	struct wire_pass_key pass_key;
	struct wire_pass pass;
	struct wire_caller_key caller_key;
	struct wire_caller caller;
	bool has_memory; /* what is read of the compiler's memory is the test's own; else it is slot_value */
	__u64 now, cookie, slot_value;
	__u64 reading; /* nanoseconds that go by with each reading of the clock */
	struct wire_interval intervals[MAX_INTERVALS];
	size_t count;
	struct wire_absence absences[16];
	size_t absence_count;
	struct pt_regs regs; /* with which the thread went to the kernel */
	char reserved[sizeof(struct wire_args)];
} world;

void *bpf_map_lookup_elem(void *map, const void *key)
{
	if (map == &processes)
		return world.followed && *(const __u32 *)key == PID ? &world.process : NULL;
	if (map == &passes)
		return memcmp(key, &world.pass_key, sizeof(world.pass_key)) == 0 ? &world.pass : NULL;
	if (map == &callers)
		return memcmp(key, &world.caller_key, sizeof(world.caller_key)) == 0 ? &world.caller : NULL;
	return map == &queries && *(const __u32 *)key == 0 ? &world.table : NULL;
}

long bpf_map_update_elem(void *map, const void *key, const void *value, unsigned long long flags)
{
	(void)map, (void)key, (void)value, (void)flags;
	return 0;
}

void *bpf_task_storage_get(void *map, void *task, void *value, unsigned long long flags)
{
	(void)map, (void)task, (void)value;
	if (flags && !world.no_memory)
		world.has_thread = true;
	return world.has_thread ? &world.thread : NULL;
}

void *bpf_get_current_task_btf(void)
{
	return &world;
}

unsigned long long bpf_get_current_pid_tgid(void)
{
	return (unsigned long long)PID << 32 | PID;
}

unsigned long long bpf_get_attach_cookie(void *ctx)
{
	(void)ctx;
	return world.cookie;
}

unsigned long long bpf_ktime_get_ns(void)
{
	__u64 now = world.now;

	world.now += world.reading;
	return now;
}

long bpf_task_pt_regs(void *task)
{
	(void)task;
	return (long)&world.regs;
}

long bpf_probe_read_kernel(void *to, unsigned int size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}

long bpf_probe_read_user(void *to, unsigned int size, const void *from)
{
	if (world.has_memory)
		memcpy(to, from, size);
	else
		memcpy(to, &world.slot_value, size < sizeof(world.slot_value) ? size : sizeof(world.slot_value));
	return 0;
}

long bpf_ringbuf_output(void *ring, void *data, unsigned long long size, unsigned long long flags)
{
	const struct wire_intervals *record = data;

	(void)flags;
	if (world.ring_full)
		return -1;
	if (ring == &absences) {
		assert_true(world.absence_count < sizeof(world.absences) / sizeof(*world.absences));
		memcpy(&world.absences[world.absence_count++], data, size);
		return 0;
	}
	assert_int_equal(size, sizeof(record->header) + record->header.count * sizeof(record->intervals[0]));
	memcpy(&world.intervals[world.count], record->intervals, record->header.count * sizeof(record->intervals[0]));
	world.count += record->header.count;
	return 0;
}

void *bpf_ringbuf_reserve(void *ring, unsigned long long size, unsigned long long flags)
{
	(void)ring, (void)flags;
	return size <= sizeof(world.reserved) ? world.reserved : NULL;
}

void bpf_ringbuf_submit(void *data, unsigned long long flags)
{
	(void)data, (void)flags;
}

unsigned long long bpf_ringbuf_query(void *ring, unsigned long long what)
{
	(void)ring, (void)what;
	return 0;
}

long shim_find_vma(void *task, unsigned long long address, long (*callback)(void *, void *, void *), void *context)
{
	for (size_t i = 0; !world.no_areas && i < sizeof(areas) / sizeof(*areas); i++) {
		struct vm_area_struct vma = {.vm_start = areas[i].start, .vm_end = areas[i].end};

		if (address >= vma.vm_start && address < vma.vm_end)
			return callback(task, &vma, context);
	}
	return -2;
}

long shim_loop(unsigned int count, long (*callback)(unsigned int, void *), void *context)
{
	unsigned int i = 0;

	while (i < count && callback(i, context) == 0)
		i++;
	return (long)i;
}

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.followed = true;
	world.now = 1000;
	query_cost = usual_pace = 0;
	for (unsigned int i = 1; i < 100; i++)
		world.table.numbers[i] = (__u16)i;
	return 0;
}

/* Enters the query `number` 10 ns later with its stack pointer at `sp`. */
static void enter(unsigned int number, __u64 sp)
{
	struct pt_regs regs = {.sp = sp, .di = 0x7000, .si = 0x7000 + 8 * number};

	world.now += 10;
	world.cookie = COOKIE_MAKE(7, 6, 0, 0);
	query_enter(&regs);
}

static void leave(__u64 sp)
{
	struct pt_regs regs = {.sp = sp};

	world.now += 10;
	query_exit(&regs);
}

static void expect_interval(size_t at, unsigned int number, __u64 start, __u64 length, __u64 flags)
{
	assert_true(at < world.count);
	assert_int_equal(world.intervals[at].start_and_number >> 48, number);
	assert_int_equal(world.intervals[at].start_and_number & WIRE_TIME_MASK, start);
	assert_int_equal(world.intervals[at].length_and_flags & WIRE_TIME_MASK, length);
	assert_int_equal(world.intervals[at].length_and_flags & ~WIRE_TIME_MASK, flags);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

#endif
