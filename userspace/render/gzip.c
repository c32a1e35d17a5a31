/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/gzip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

enum {
	WINDOW_BITS = 15 + 16, /* the largest window, and gzip's header and end in place of zlib's */
	MEMORY_LEVEL = 8,      /* zlib's default */
	PIECE = 64 << 10,
};

struct gzip {
	FILE *out;
	z_stream zlib;
	unsigned char bytes[PIECE];
};

/* Compresses what zlib was given; false if it could not be written. */
static bool compress_all(struct gzip *gzip, int flush)
{
	int code;

	do {
		size_t size;

		gzip->zlib.next_out = gzip->bytes;
		gzip->zlib.avail_out = sizeof(gzip->bytes);
		code = deflate(&gzip->zlib, flush);
		size = sizeof(gzip->bytes) - gzip->zlib.avail_out;
		if (fwrite(gzip->bytes, 1, size, gzip->out) < size)
			return false;
	} while (gzip->zlib.avail_out == 0);
	return flush != Z_FINISH || code == Z_STREAM_END;
}

static ssize_t put(void *cookie, const char *bytes, size_t size)
{
	struct gzip *gzip = cookie;

	gzip->zlib.next_in = (unsigned char *)bytes;
	gzip->zlib.avail_in = (unsigned int)size;
	return compress_all(gzip, Z_NO_FLUSH) ? (ssize_t)size : 0;
}

static int finish(void *cookie)
{
	struct gzip *gzip = cookie;
	bool complete = compress_all(gzip, Z_FINISH);

	deflateEnd(&gzip->zlib);
	free(gzip);
	return complete ? 0 : EOF;
}

int gzip_open(FILE *out, FILE **stream, struct error *err)
{
	static const cookie_io_functions_t functions = {.write = put, .close = finish};
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	*stream = NULL;
	if (gzip && deflateInit2(&gzip->zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
				 Z_DEFAULT_STRATEGY) == Z_OK) {
		gzip->out = out;
		*stream = fopencookie(gzip, "w", functions);
		if (*stream)
			return 0;
		deflateEnd(&gzip->zlib);
	}
	free(gzip);
	return error_set(err, ENOMEM, "out of memory to compress");
}
