/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Samples as pprof reads them: profile.proto, compressed. The message is written in parts, each a Profile with a few
 * of its fields: put together they read as the one that has them all, so memory need not hold it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profile.pb-c.h"
#include "render/gzip.h"
#include "render/render.h"
#include "render/sampled_stacks.h"
#include "util/intern.h"

typedef Perftools__Profiles__Profile profile_part;
typedef Perftools__Profiles__Label sample_label;

/* A sample has a number of labels: pid, tid, process, thread, query, kernel. */
enum { MAX_LABELS = 6 };

struct pprof {
	ProtobufCBuffer buffer; /* which writes to the stream */
	const struct samples *samples;
	FILE *out; /* compressed */
	struct intern strings;
	struct intern objects; /* mappings are numbered by them, from 1 */
	uint64_t *locations;   /* of the sample that is written */
	size_t room;
	bool out_of_memory;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
	fwrite(bytes, 1, size, ((struct pprof *)buffer)->out);
}

static void put(struct pprof *pprof, const profile_part *part)
{
	protobuf_c_message_pack_to_buffer(&part->base, &pprof->buffer);
}

static int64_t number_of(struct pprof *pprof, const char *text)
{
	uint32_t number = intern_text(&pprof->strings, text);

	pprof->out_of_memory |= number == INTERN_FAILED;
	return number;
}

static Perftools__Profiles__ValueType value_type(struct pprof *pprof, const char *type, const char *unit)
{
	Perftools__Profiles__ValueType made = PERFTOOLS__PROFILES__VALUE_TYPE__INIT;

	made.type = number_of(pprof, type);
	made.unit = number_of(pprof, unit);
	return made;
}

/* What the tools print above their tables. */
static void put_comments(struct pprof *pprof)
{
	const struct samples *samples = pprof->samples;
	profile_part part = PERFTOOLS__PROFILES__PROFILE__INIT;
	int64_t comments[3];
	char text[128];

	part.comment = comments;
	snprintf(text, sizeof(text), "querytap %s, %u samples of each processor in a second", QUERYTAP_VERSION,
		 samples->hz);
	comments[part.n_comment++] = number_of(pprof, text);
	if (samples->lost) {
		snprintf(text, sizeof(text), "%" PRIu64 " samples were lost", samples->lost);
		comments[part.n_comment++] = number_of(pprof, text);
	}
	if (samples->estimated)
		comments[part.n_comment++] = number_of(pprof, "queries were found by their functions, not by probes");
	put(pprof, &part);
}

static void put_header(struct pprof *pprof)
{
	const struct samples *samples = pprof->samples;
	profile_part part = PERFTOOLS__PROFILES__PROFILE__INIT;
	Perftools__Profiles__ValueType count, time, *types[] = {&count, &time};

	/* Number 0 has to be the empty text. */
	number_of(pprof, "");
	count = value_type(pprof, "samples", "count");
	time = value_type(pprof, "cpu", "nanoseconds");
	part.sample_type = types;
	part.n_sample_type = 2;
	part.period_type = &time;
	part.period = (int64_t)sampled_period(samples);
	part.time_nanos = (int64_t)samples->began;
	part.duration_nanos = (int64_t)samples->duration;
	part.default_sample_type = time.type;
	put(pprof, &part);
	put_comments(pprof);
}

/*
 * A function, and a location in it with the same number, in the object unless that is "". It has no system name: where
 * that is the same, pprof takes the name for one of C++ and cuts out what is in angle brackets.
 */
static void put_place(struct pprof *pprof, uint64_t id, const char *name, const char *object)
{
	profile_part part = PERFTOOLS__PROFILES__PROFILE__INIT;
	Perftools__Profiles__Function function = PERFTOOLS__PROFILES__FUNCTION__INIT, *functions[] = {&function};
	Perftools__Profiles__Location location = PERFTOOLS__PROFILES__LOCATION__INIT, *locations[] = {&location};
	Perftools__Profiles__Line line = PERFTOOLS__PROFILES__LINE__INIT, *lines[] = {&line};

	function.id = id;
	function.name = number_of(pprof, name);
	location.id = line.function_id = id;
	location.line = lines;
	location.n_line = 1;
	if (*object) {
		uint32_t number = intern_text(&pprof->objects, object);

		pprof->out_of_memory |= number == INTERN_FAILED;
		location.mapping_id = number + 1;
	}
	part.function = functions;
	part.location = locations;
	part.n_function = part.n_location = 1;
	put(pprof, &part);
}

/* The numbers of the places behind those of the frames, which count from 1. */
static uint64_t kernel_place(const struct samples *samples)
{
	return samples->frame_count + 1;
}

static uint64_t incomplete_place(const struct samples *samples)
{
	return samples->frame_count + 2;
}

static void put_places(struct pprof *pprof)
{
	const struct samples *samples = pprof->samples;

	for (size_t i = 0; i < samples->frame_count; i++) {
		char *name = sampled_frame_name(&samples->frames[i]);

		pprof->out_of_memory |= !name;
		if (name)
			put_place(pprof, i + 1, name, samples->frames[i].object);
		free(name);
	}
	put_place(pprof, kernel_place(samples), SAMPLED_KERNEL, "");
	put_place(pprof, incomplete_place(samples), SAMPLED_INCOMPLETE, "");
}

static void put_mapping(struct pprof *pprof, uint32_t object)
{
	profile_part part = PERFTOOLS__PROFILES__PROFILE__INIT;
	Perftools__Profiles__Mapping mapping = PERFTOOLS__PROFILES__MAPPING__INIT, *mappings[] = {&mapping};

	mapping.id = object + 1;
	mapping.filename = number_of(pprof, intern_get(&pprof->objects, object));
	mapping.has_functions = true;
	part.mapping = mappings;
	part.n_mapping = 1;
	put(pprof, &part);
}

/* The object that the most functions are from: of a compiler, its own code. */
static uint32_t main_object(struct pprof *pprof)
{
	const struct samples *samples = pprof->samples;
	size_t *functions = calloc(pprof->objects.count, sizeof(*functions));
	uint32_t most = 0;

	pprof->out_of_memory |= !functions;
	for (size_t i = 0; functions && i < samples->frame_count; i++) {
		uint32_t object = *samples->frames[i].object ? intern_text(&pprof->objects, samples->frames[i].object)
							     : INTERN_FAILED;

		if (object < pprof->objects.count && ++functions[object] > functions[most])
			most = object;
	}
	free(functions);
	return most;
}

/* The first one gives the profile its name. */
static void put_mappings(struct pprof *pprof)
{
	uint32_t first = pprof->objects.count ? main_object(pprof) : 0;

	if (pprof->objects.count)
		put_mapping(pprof, first);
	for (uint32_t i = 0; i < pprof->objects.count; i++) {
		if (i != first)
			put_mapping(pprof, i);
	}
}

/* ---- samples ---- */

/* What is told of a sample besides its stack. */
enum { SHOWN_FLAGS = SAMPLES_KERNEL | SAMPLES_INCOMPLETE };

/* Samples of one thread in one stack of which the same is told are one here. */
static int by_stack(const void *left, const void *right)
{
	const struct samples_sample *a = left, *b = right;

	if (a->thread != b->thread)
		return a->thread < b->thread ? -1 : 1;
	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	return (int)(a->flags & SHOWN_FLAGS) - (int)(b->flags & SHOWN_FLAGS);
}

static void add_location(struct pprof *pprof, size_t *count, uint64_t id)
{
	if (*count == pprof->room) {
		size_t room = pprof->room ? 2 * pprof->room : 1024;
		uint64_t *grown = reallocarray(pprof->locations, room, sizeof(*grown));

		pprof->out_of_memory |= !grown;
		if (!grown)
			return;
		pprof->locations = grown;
		pprof->room = room;
	}
	pprof->locations[(*count)++] = id;
}

/* Lists a sample's places, innermost first. Returns how many there are; *query is the innermost query's number, or 0.
 */
static size_t list_locations(struct pprof *pprof, const struct samples_sample *sample, int64_t *query)
{
	const struct samples *samples = pprof->samples;
	size_t count = 0;

	*query = 0;
	if (sample->flags & SAMPLES_KERNEL)
		add_location(pprof, &count, kernel_place(samples));
	for (uint32_t stack = sample->stack; stack; stack = samples->stacks[stack].parent) {
		uint32_t number = samples->stacks[stack].frame;
		const struct samples_frame *frame = &samples->frames[number];

		add_location(pprof, &count, number + 1);
		if (!*query && frame->kind == SAMPLES_QUERY)
			*query = number_of(pprof, frame->name);
	}
	if (sample->flags & SAMPLES_INCOMPLETE)
		add_location(pprof, &count, incomplete_place(samples));
	return count;
}

struct label_list {
	sample_label labels[MAX_LABELS], *pointers[MAX_LABELS];
	size_t count;
};

static sample_label *add_label(struct pprof *pprof, struct label_list *list, const char *key)
{
	sample_label *label = &list->labels[list->count];

	perftools__profiles__label__init(label);
	label->key = number_of(pprof, key);
	list->pointers[list->count++] = label;
	return label;
}

static void put_sample(struct pprof *pprof, const struct samples_sample *sample, int64_t times)
{
	const struct samples_thread *thread = &pprof->samples->threads[sample->thread];
	profile_part part = PERFTOOLS__PROFILES__PROFILE__INIT;
	Perftools__Profiles__Sample made = PERFTOOLS__PROFILES__SAMPLE__INIT, *list[] = {&made};
	int64_t values[] = {times, times * (int64_t)sampled_period(pprof->samples)}, query;
	struct label_list labels = {.count = 0};

	made.n_location_id = list_locations(pprof, sample, &query);
	made.location_id = pprof->locations;
	made.value = values;
	made.n_value = 2;
	add_label(pprof, &labels, "pid")->num = thread->pid;
	add_label(pprof, &labels, "tid")->num = thread->tid;
	add_label(pprof, &labels, "process")->str = number_of(pprof, thread->process);
	add_label(pprof, &labels, "thread")->str = number_of(pprof, thread->name);
	if (query)
		add_label(pprof, &labels, "query")->str = query;
	if (sample->flags & SAMPLES_KERNEL)
		add_label(pprof, &labels, "kernel")->str = number_of(pprof, "true");
	made.label = labels.pointers;
	made.n_label = labels.count;
	part.sample = list;
	part.n_sample = 1;
	put(pprof, &part);
}

static void put_samples(struct pprof *pprof)
{
	size_t count = pprof->samples->sample_count, first = 0;
	struct samples_sample *sorted = reallocarray(NULL, count + 1, sizeof(*sorted));

	pprof->out_of_memory |= !sorted;
	if (!sorted)
		return;
	if (count)
		memcpy(sorted, pprof->samples->samples, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_stack);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && by_stack(&sorted[first], &sorted[i]) == 0)
			continue;
		put_sample(pprof, &sorted[first], (int64_t)(i - first));
		first = i;
	}
	free(sorted);
}

static void put_strings(struct pprof *pprof)
{
	for (size_t i = 0; i < pprof->strings.count; i++) {
		profile_part part = PERFTOOLS__PROFILES__PROFILE__INIT;
		char *text = (char *)intern_get(&pprof->strings, (uint32_t)i);

		part.string_table = &text;
		part.n_string_table = 1;
		put(pprof, &part);
	}
}

int render_pprof(const struct samples *samples, FILE *out, struct error *err)
{
	struct pprof pprof = {.buffer = {append}, .samples = samples};
	int rc = gzip_open(out, &pprof.out, err);

	if (rc)
		return rc;
	put_header(&pprof);
	put_places(&pprof);
	put_mappings(&pprof);
	put_samples(&pprof);
	put_strings(&pprof);
	fclose(pprof.out);
	if (pprof.out_of_memory)
		rc = error_set(err, ENOMEM, "out of memory for a profile of %zu samples", samples->sample_count);
	free(pprof.locations);
	intern_free(&pprof.strings);
	intern_free(&pprof.objects);
	return rc;
}
