/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/counter.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mmprofdata/mmprofdata.h"

/* Tries whether the processor counts instructions, which all of these counters do. 0 or a negative errno. */
static int try_instructions(void)
{
	struct perf_event_attr attributes = {
	    .size = sizeof(attributes),
	    .type = PERF_TYPE_HARDWARE,
	    .config = PERF_COUNT_HW_INSTRUCTIONS,
	    .exclude_kernel = 1,
	    .exclude_hv = 1,
	};
	long file = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (file < 0)
		return -errno;
	close((int)file);
	return 0;
}

int counter_refuse(const char *name, int code, struct error *err)
{
	if (code)
		return error_set(err, ENOTSUP,
				 "--counter %s: the processor has no such counter here (perf_event_open: %s), and "
				 "querytap could not record it if it had; it records " MMP_COUNTER_WALL_TIME
				 " and " MMP_COUNTER_CPU_TIME,
				 name, strerror(-code));
	return error_set(err, ENOTSUP,
			 "--counter %s: the processor has it, but querytap does not support recording it; it "
			 "records " MMP_COUNTER_WALL_TIME " and " MMP_COUNTER_CPU_TIME,
			 name);
}

int counter_parse(const char *name, bool *cpu_time, struct error *err)
{
	static const char *const of_processor[] = {MMP_COUNTER_INSTRUCTIONS, MMP_COUNTER_INSTRUCTIONS_MINUS_IRQS,
						   MMP_COUNTER_INSTRUCTIONS_MINUS_R0420};

	*cpu_time = name && strcmp(name, MMP_COUNTER_CPU_TIME) == 0;
	if (*cpu_time || !name || strcmp(name, MMP_COUNTER_WALL_TIME) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(of_processor) / sizeof(*of_processor); i++)
		if (strcmp(name, of_processor[i]) == 0)
			return counter_refuse(name, try_instructions(), err);
	return error_set(err, EINVAL,
			 "--counter does not know \"%s\"; it takes " MMP_COUNTER_WALL_TIME " or " MMP_COUNTER_CPU_TIME,
			 name);
}
