/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "collect/telling.h"

#include <stddef.h>
#include <string.h>

/* The calls of a plan at one place. */
struct calls {
	const struct plan_call *first;
	size_t count;
};

static struct calls calls_at(const struct told_compiler *compiler, uint64_t word)
{
	const struct plan *plan = compiler ? compiler->plan : NULL;
	size_t low = 0, high = plan ? plan->call_count : 0, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (plan->calls[middle].offset < WORD_VALUE(word))
			low = middle + 1;
		else
			high = middle;
	}
	end = low;
	while (plan && end < plan->call_count && plan->calls[end].offset == WORD_VALUE(word))
		end++;
	return (struct calls){plan ? &plan->calls[low] : NULL, end - low};
}

/* The spans of a plan around one place, the outermost first. */
struct spans {
	const struct plan_span *first;
	size_t count;
};

static struct spans spans_at(const struct told_compiler *compiler, uint64_t word)
{
	const struct plan *plan = compiler ? compiler->plan : NULL;
	size_t low = 0, high = plan ? plan->span_count : 0, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct plan_span *span = &plan->spans[middle];

		if (WORD_VALUE(word) >= span->offset && WORD_VALUE(word) - span->offset >= span->size)
			low = middle + 1;
		else
			high = middle;
	}
	end = low;
	while (plan && end < plan->span_count && plan->spans[end].offset <= WORD_VALUE(word))
		end++;
	return (struct spans){plan ? &plan->spans[low] : NULL, end - low};
}

static const struct told_compiler *compiler_of(const struct told_compiler *const compilers[WIRE_MAX_OBJECTS],
					       uint64_t word)
{
	return WORD_KIND(word) < WIRE_MAX_OBJECTS ? compilers[WORD_KIND(word)] : NULL;
}

/* The query that is run by a caller at the next place of the sample behind index `at`; WIRE_QUERY_NONE for none. */
static unsigned int query_behind(const struct told_compiler *const compilers[WIRE_MAX_OBJECTS],
				 const struct wire_sample *sample, size_t at)
{
	struct calls calls;

	while (++at < sample->header.count && WORD_KIND(sample->words[at]) == WORD_FRAME)
		;
	if (at >= sample->header.count)
		return WIRE_QUERY_NONE;
	calls = calls_at(compiler_of(compilers, sample->words[at]), sample->words[at]);
	return calls.count == 1 && calls.first->number <= WIRE_MAX_QUERIES ? calls.first->number : WIRE_QUERY_NONE;
}

/* The pass that a caller at index `at` of the sample runs; WIRE_QUERY_NONE if that is not known. */
static unsigned int pass_before(const struct told_compiler *compiler, const struct wire_sample *sample, size_t at)
{
	unsigned int object = WORD_KIND(sample->words[at]);
	size_t low = 0, high = compiler->plan->body_count;
	uint64_t offset;

	do {
		if (at == 0)
			return WIRE_QUERY_NONE;
	} while (WORD_KIND(sample->words[--at]) == WORD_FRAME);
	if (WORD_KIND(sample->words[at]) != object)
		return WIRE_QUERY_NONE;
	offset = WORD_VALUE(sample->words[at]);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct plan_body *body = &compiler->plan->bodies[middle];

		if (offset < body->offset)
			high = middle;
		else if (offset - body->offset >= body->size)
			low = middle + 1;
		else
			return body->number;
	}
	return WIRE_QUERY_NONE;
}

static void put(struct wire_sample *out, uint64_t word)
{
	if (out->header.count < WIRE_MAX_WORDS)
		out->words[out->header.count++] = word;
}

/* Whether one of the frames that stand last is that of `number`. */
static bool has_frame(const struct wire_sample *out, unsigned int number)
{
	for (size_t i = out->header.count; i > 0 && WORD_KIND(out->words[i - 1]) == WORD_FRAME; i--)
		if (WORD_VALUE(out->words[i - 1]) == number)
			return true;
	return false;
}

/* Puts the frame of what runs, if it is known and is not there yet. */
static void put_frame(struct wire_sample *out, const struct told_compiler *compiler, unsigned int number)
{
	if (number == WIRE_QUERY_NONE || has_frame(out, number))
		return;
	put(out, WORD_MAKE(WORD_FRAME, number));
	out->compiler = compiler->number;
}

void tell_queries(const struct told_compiler *const compilers[WIRE_MAX_OBJECTS], const struct wire_sample *sample,
		  struct wire_sample *out)
{
	memcpy(out, sample, offsetof(struct wire_sample, words));
	out->header.count = 0;
	for (size_t i = 0; i < sample->header.count && i < WIRE_MAX_WORDS; i++) {
		const struct told_compiler *compiler = compiler_of(compilers, sample->words[i]);
		struct calls calls = calls_at(compiler, sample->words[i]);
		struct spans spans = spans_at(compiler, sample->words[i]);

		/* The innermost one stands first in a sample: what a call has begun, and then the last of the spans. */
		for (size_t k = 0; k < calls.count; k++)
			if (calls.first[k].number == WIRE_QUERY_NONE)
				put_frame(out, compiler, query_behind(compilers, sample, i));
			else if (calls.first[k].number == PLAN_CALL_OF_PASS)
				put_frame(out, compiler, pass_before(compiler, sample, i));
		for (size_t k = spans.count; k > 0; k--)
			put_frame(out, compiler, spans.first[k - 1].number);
		put(out, sample->words[i]);
	}
}
