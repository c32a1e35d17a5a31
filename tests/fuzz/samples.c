/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Fuzzes the reading of files of samples (make fuzz-samples). An input is the inflated contents, so that neither the
 * checksum nor zlib stands before what is read; if its first byte is odd, a whole file follows instead.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analysis/sampling.h"
#include "samples/private.h"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* What is folded has at most so many stacks of threads. */
enum { MAX_FOLDED = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_file(const uint8_t *data, size_t size, struct samples **samples, struct error *err)
{
	static int fd = -1;
	char path[64];

	if (fd < 0)
		fd = memfd_create("samples", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	MUST(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	return samples_read(path, samples, err);
}

/* No sample is lost or counted twice. */
static void use(const struct samples *samples)
{
	struct error err = {""};
	struct sampling sampling;
	uint64_t sum = 0;

	MUST(sampling_sum(samples, &sampling, &err) == 0 && sampling.samples == samples->sample_count);
	for (size_t i = 0; i < sampling.row_count; i++)
		sum += sampling.rows[i].self;
	MUST(sum + sampling.none.self == sampling.compiling);
	sampling_free(&sampling);
	for (int whole = 0; whole < 2 && samples->stack_count * samples->thread_count < MAX_FOLDED; whole++) {
		struct fold fold;

		MUST(samples_fold(samples, whole, &fold, &err) == 0);
		sum = 0;
		for (size_t i = 0; i < fold.node_count; i++)
			sum += fold.nodes[i].self_ns;
		MUST(sum == samples->sample_count);
		fold_free(&fold);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct samples *samples = NULL;
	struct error err = {""};
	int code;

	if (!size)
		return 0;
	code = *data & 1 ? read_file(data + 1, size - 1, &samples, &err)
			 : samples_parse(data + 1, size - 1, "contents", &samples, &err);
	MUST((code == 0) == (samples != NULL) && (code == 0) == !*err.text);
	if (code == 0) {
		MUST(!samples_fault(samples));
		use(samples);
		samples_free(samples);
	}
	return 0;
}
