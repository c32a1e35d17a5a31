/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "util/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
	INTERVAL_NS = 100 * 1000 * 1000,
	WIDTH_UNKNOWN = 80,
	WIDTH_MAX = 240,
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Writes all of it in one system call; a terminal that is gone is no reason to fail. */
static void put(const char *text, size_t length)
{
	ssize_t written = write(STDERR_FILENO, text, length);

	(void)written;
}

void progress_start(struct progress *progress)
{
	const char *terminal = getenv("TERM");

	*progress = (struct progress){
	    .enabled = isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0,
	};
}

void progress_show(struct progress *progress, const char *format, ...)
{
	static const char erase[] = "\r\033[K";
	char line[sizeof(erase) + WIDTH_MAX + 1];
	struct winsize size = {0};
	size_t width = WIDTH_UNKNOWN;
	size_t length;
	uint64_t now;
	va_list args;

	/* Writing from the background would stop us where the terminal is set to "tostop". */
	if (!progress->enabled || tcgetpgrp(STDERR_FILENO) != getpgrp())
		return;
	now = now_ns();
	if (now < progress->next_ns)
		return;
	progress->next_ns = now + INTERVAL_NS;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col;
	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	memcpy(line, erase, sizeof(erase));
	va_start(args, format);
	vsnprintf(line + sizeof(erase) - 1, width, format, args);
	va_end(args);
	length = strlen(line);
	line[length++] = '\r';
	put(line, length);
	progress->shown = true;
}

void progress_erase(struct progress *progress)
{
	if (!progress->shown)
		return;
	progress->shown = false;
	if (tcgetpgrp(STDERR_FILENO) == getpgrp())
		put("\r\033[K", 4);
}
