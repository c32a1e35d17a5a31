/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * writer FILE: writes a small profile with libmmprofdata.
 *
 *     cc writer.c $(pkg-config --cflags --libs mmprofdata) -o writer
 *     ./writer example.mm_profdata && querytap summarize example
 */
#include <mmprofdata.h>
#include <stdio.h>
#include <string.h>

static struct mmp_writer *writer;
static struct mmp_error err;

static int fail(void)
{
	fprintf(stderr, "%s\n", err.text);
	mmp_writer_abort(writer);
	return 1;
}

int main(int argc, char **argv)
{
	uint64_t kind, label, argument, id;
	struct mmp_timing timing;

	if (argc != 2) {
		fprintf(stderr, "usage: writer FILE\n");
		return 2;
	}
	if (mmp_writer_create(argv[1], NULL, &writer, &err) ||
	    mmp_alloc_string(writer, MMP_KIND_GENERIC_ACTIVITY, strlen(MMP_KIND_GENERIC_ACTIVITY), &kind, &err) ||
	    mmp_alloc_string(writer, "bake", 4, &label, &err) ||
	    mmp_alloc_string(writer, "an apple pie", 12, &argument, &err) ||
	    mmp_alloc_event_id(writer, label, &argument, 1, &id, &err))
		return fail();
	for (int i = 0; i < 3; i++) {
		timing = mmp_start(writer, kind, id, 1);
		printf("baking...\n");
		if (mmp_finish(writer, &timing, &err))
			return fail();
	}
	/* NULL: the metadata is that of this process. The file appears now, whole. */
	if (mmp_writer_finish(writer, NULL, &err)) {
		writer = NULL;
		return fail();
	}
	return 0;
}
