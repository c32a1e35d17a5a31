/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * threads FILE: writes a million events from eight threads at once with libmmprofdata. Each thread records as many,
 * half of them intervals of the query "shared" and of a query of its own in turn, the others cache hits of "shared",
 * with arguments, virtual ids and strings stored in between.
 */
#include <mmprofdata.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, EVENTS = 125000 };

static struct mmp_writer *writer;
static uint64_t query, hit, shared;

static void check(int rc, const struct mmp_error *err)
{
	if (rc) {
		fprintf(stderr, "threads: %s\n", err->text);
		exit(1);
	}
}

static uint64_t store(const char *text)
{
	struct mmp_error err;
	uint64_t id;

	check(mmp_alloc_string(writer, text, strlen(text), &id, &err), &err);
	return id;
}

static void *work(void *argument)
{
	uint64_t number = (uint64_t)(uintptr_t)argument, own, id, virtual_ids[2] = {2 * number, 2 * number + 1};
	struct mmp_timing timing;
	struct mmp_error err;
	char text[32];

	snprintf(text, sizeof(text), "own_%llu", (unsigned long long)number);
	own = store(text);
	check(mmp_map_virtual(writer, virtual_ids, 2, own, &err), &err);
	for (uint64_t i = 0; i < EVENTS; i += 4) {
		uint64_t key;

		snprintf(text, sizeof(text), "key %llu", (unsigned long long)i);
		key = store(text);
		check(mmp_alloc_event_id(writer, shared, &key, 1, &id, &err), &err);
		timing = mmp_start(writer, query, id, (uint32_t)number);
		check(mmp_record_instant(writer, hit, shared, (uint32_t)number, mmp_now(writer), &err), &err);
		check(mmp_finish(writer, &timing, &err), &err);
		timing = mmp_start(writer, query, virtual_ids[i / 4 % 2], (uint32_t)number);
		check(mmp_record_instant(writer, hit, shared, (uint32_t)number, mmp_now(writer), &err), &err);
		check(mmp_finish(writer, &timing, &err), &err);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	struct mmp_error err;

	if (argc != 2)
		return 2;
	check(mmp_writer_create(argv[1], NULL, &writer, &err), &err);
	query = store(MMP_KIND_QUERY);
	hit = store(MMP_KIND_CACHE_HIT);
	shared = store("shared");
	for (uintptr_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			return 1;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check(mmp_writer_finish(writer, NULL, &err), &err);
	return 0;
}
