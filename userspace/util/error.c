/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...)
{
	if (err) {
		va_list args;

		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return code ? -abs(code) : -EIO;
}

int error_prefix(struct error *err, int code, const char *format, ...)
{
	if (err) {
		struct error rest = *err;
		size_t used;
		va_list args;

		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %.*s", (int)sizeof(rest.text) - 1, rest.text);
	}
	return code;
}
