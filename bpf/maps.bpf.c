/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps and settings; the other files declare them extern. */
#include "bpf/sampling.h"

const volatile __u8 trace_all = 0;
const volatile char trace_comm[WIRE_COMM] = "";
const volatile __u32 only_uid = WIRE_ANY_UID;
const volatile __u8 counts_only = 0;
const volatile __u8 with_texts = 0;
const volatile __u8 with_keys = 0;
const volatile __u8 cpu_time = 0;
const volatile __u8 off_cpu = 0;
const volatile __u64 wake_bytes = 1024 * 1024;
const volatile __u64 sample_wake_bytes = 1024 * 1024;
volatile __u8 letting_go = 0;
volatile __u64 query_cost = 0, usual_pace = 0;
volatile __u64 lost_lives = 0, lost_samples = 0, lost_absences = 0;
volatile __u64 armed[WIRE_MAX_COMPILERS] = {0};
__u32 object_count = 0;
__u64 texts = 0;

struct processes_map processes SEC(".maps");
struct leaving_map leaving SEC(".maps");
struct threads_map threads SEC(".maps");
struct queries_map queries SEC(".maps");
struct passes_map passes SEC(".maps");
struct callers_map callers SEC(".maps");
struct records_map records SEC(".maps");
struct scratches_map scratches SEC(".maps");
struct objects_map objects SEC(".maps");
struct tables_map tables SEC(".maps");
struct samples_map samples SEC(".maps");
struct recoveries_map recoveries SEC(".maps");
struct calls_map calls SEC(".maps");
struct absences_map absences SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
