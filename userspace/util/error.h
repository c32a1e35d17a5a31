/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Errors as sentences for the user: what failed, on which file, symbol or system call, and the way out. */
#ifndef QUERYTAP_UTIL_ERROR_H
#define QUERYTAP_UTIL_ERROR_H

/* The sentence of the last failure; empty text means no error. Plain data, owned by whoever declares it. */
struct error {
	char text[1024];
};

/*
 * Formats the sentence into *err (which may be NULL) and returns the negative errno -|code|, never 0,
 * so that a caller can write `return error_set(err, ENOENT, ...)`.
 */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence already in *err. Returns code unchanged. */
int error_prefix(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
