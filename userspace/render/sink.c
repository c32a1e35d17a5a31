/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * For larger writes the kernel looks for larger pieces of memory for its page cache. Where memory is in small pieces,
 * as it is behind other programs' output, writes of 256 KiB took twice as long as these, and those of 1 MiB three
 * times.
 */
enum { WRITE_SIZE = 64 << 10, SINK_SIZE = WRITE_SIZE + SINK_PIECE, BLOCK = 4096, BUFFERS = 64, WORTHWHILE = 16 };

/*
 * The thread that writes, since copying to the page cache takes about as long as making the text. Its buffers form a
 * ring: `queued` of them from `first` on wait to be written, and the sink fills the one behind these.
 */
struct sink_writer {
	FILE *out;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *buffers[BUFFERS];
	size_t sizes[BUFFERS];
	size_t first, queued;
	bool finished; /* nothing more will be queued */
	int error;     /* the errno of a write that failed, or 0 */
};

static void *write_queued(void *argument)
{
	struct sink_writer *writer = argument;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		size_t taken;

		while (writer->queued < WORTHWHILE && !writer->finished)
			pthread_cond_wait(&writer->changed, &writer->lock);
		taken = writer->queued;
		if (!taken)
			break;
		pthread_mutex_unlock(&writer->lock);
		for (size_t i = 0; i < taken; i++) {
			size_t at = (writer->first + i) % BUFFERS;

			if (fwrite(writer->buffers[at], 1, writer->sizes[at], writer->out) < writer->sizes[at])
				writer->error = errno;
		}
		pthread_mutex_lock(&writer->lock);
		writer->first = (writer->first + taken) % BUFFERS;
		writer->queued -= taken;
		pthread_cond_signal(&writer->changed);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

static void free_writer(struct sink_writer *writer)
{
	for (size_t i = 0; i < BUFFERS; i++)
		free(writer->buffers[i]);
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

int sink_open(struct sink *sink, FILE *out, struct error *err)
{
	struct sink_writer *writer = calloc(1, sizeof(*writer));
	bool complete = writer != NULL;

	*sink = (struct sink){0};
	if (!writer)
		return error_set(err, ENOMEM, "out of memory for an output buffer");
	writer->out = out;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->changed, NULL);
	for (size_t i = 0; i < BUFFERS; i++) {
		writer->buffers[i] = malloc(SINK_SIZE);
		complete = complete && writer->buffers[i];
	}
	if (!complete || pthread_create(&writer->thread, NULL, write_queued, writer) != 0) {
		free_writer(writer);
		return error_set(err, ENOMEM, "out of memory for an output buffer and its thread");
	}
	*sink = (struct sink){.writer = writer, .bytes = writer->buffers[0], .at = writer->buffers[0]};
	sink->end = sink->bytes + SINK_SIZE;
	return 0;
}

/* Hands on the first `size` bytes; what is behind them moves to the buffer that is filled next. */
static void hand_on(struct sink *sink, size_t size)
{
	struct sink_writer *writer = sink->writer;
	size_t rest = (size_t)(sink->at - sink->bytes) - size;
	char *next;

	pthread_mutex_lock(&writer->lock);
	/* One has to be left to be filled. */
	while (writer->queued == BUFFERS - 1)
		pthread_cond_wait(&writer->changed, &writer->lock);
	writer->sizes[(writer->first + writer->queued) % BUFFERS] = size;
	writer->queued++;
	next = writer->buffers[(writer->first + writer->queued) % BUFFERS];
	if (writer->queued == WORTHWHILE)
		pthread_cond_signal(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	memcpy(next, sink->bytes + size, rest);
	sink->bytes = next;
	sink->at = next + rest;
	sink->end = next + SINK_SIZE;
	sink->flushes++;
}

/* Whole blocks, so that the stream has nothing left over to write by itself. */
void sink_flush(struct sink *sink)
{
	hand_on(sink, (size_t)(sink->at - sink->bytes) / BLOCK * BLOCK);
}

void sink_close(struct sink *sink)
{
	struct sink_writer *writer = sink->writer;

	if (!writer)
		return;
	hand_on(sink, (size_t)(sink->at - sink->bytes));
	pthread_mutex_lock(&writer->lock);
	writer->finished = true;
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	/* As if it had been written here. */
	if (writer->error)
		errno = writer->error;
	free_writer(writer);
	*sink = (struct sink){0};
}

void sink_put(struct sink *sink, const char *text, size_t size)
{
	size_t room = (size_t)(sink->end - sink->at);

	while (size > room) {
		sink_add(sink, text, room);
		hand_on(sink, (size_t)(sink->at - sink->bytes));
		text += room;
		size -= room;
		room = (size_t)(sink->end - sink->at);
	}
	if (size)
		sink_add(sink, text, size);
}

static void put_escaped(struct sink *sink, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";

	sink_need(sink, 6);
	sink_add_literal(sink, "\\");
	if (byte == '"' || byte == '\\') {
		*sink->at++ = (char)byte;
	} else {
		sink_add_literal(sink, "u00");
		*sink->at++ = hex[byte >> 4];
		*sink->at++ = hex[byte & 15];
	}
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Whether one of eight bytes is zero, by Mycroft's test: exact where it says no, and where it says yes of any byte. */
static inline bool has_zero(uint64_t word)
{
	return (word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80);
}

/* Whether one of eight bytes may not stand in a JSON string: a control character, a quote or a backslash. */
static inline bool has_special(uint64_t word)
{
	return ((word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80)) || has_zero(word ^ EACH_BYTE('"')) ||
	       has_zero(word ^ EACH_BYTE('\\'));
}

/* How many bytes at the front may stand in a JSON string. */
static size_t plain_prefix(const char *text, size_t size)
{
	size_t plain = 0;
	uint64_t word;

	for (; size - plain >= sizeof(word); plain += sizeof(word)) {
		memcpy(&word, text + plain, sizeof(word));
		if (has_special(word))
			break;
	}
	while (plain < size && (unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
		plain++;
	return plain;
}

void sink_json(struct sink *sink, const char *text, size_t size)
{
	for (;;) {
		size_t plain = plain_prefix(text, size);

		sink_put(sink, text, plain);
		if (plain == size)
			return;
		put_escaped(sink, (unsigned char)text[plain]);
		text += plain + 1;
		size -= plain + 1;
	}
}

/* The numbers below a hundred, two digits each. */
static const char pairs[] = "0001020304050607080910111213141516171819"
			    "2021222324252627282930313233343536373839"
			    "4041424344454647484950515253545556575859"
			    "6061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

char *sink_number(char *to, uint64_t number)
{
	char digits[SINK_NUMBER], *first = digits + sizeof(digits);
	size_t size;

	while (number >= 100) {
		uint64_t rest = number / 100;

		first -= 2;
		memcpy(first, pairs + 2 * (number - 100 * rest), 2);
		number = rest;
	}
	if (number >= 10) {
		first -= 2;
		memcpy(first, pairs + 2 * number, 2);
	} else {
		*--first = (char)('0' + number);
	}
	size = (size_t)(digits + sizeof(digits) - first);
	memcpy(to, first, size);
	return to + size;
}

void sink_add_six(struct sink *sink, uint32_t number)
{
	memcpy(sink->at, pairs + 2 * (number / 10000), 2);
	memcpy(sink->at + 2, pairs + 2 * (number / 100 % 100), 2);
	memcpy(sink->at + 4, pairs + 2 * (number % 100), 2);
	sink->at += 6;
}
