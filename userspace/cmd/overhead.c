/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/overhead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_PERCENT 5.0

static int parse_percent(const char *text, double *budget, struct error *err)
{
	char *end;
	double percent = strtod(text, &end);

	if (end == text || *end || !(percent > 0 && percent <= 1000))
		return error_set(err, EINVAL,
				 "--overhead auto=PERCENT takes a number above 0, at most 1000, not \"%s\"", text);
	*budget = percent / 100;
	return 0;
}

int overhead_parse(const char *text, struct overhead *overhead, struct error *err)
{
	*overhead = (struct overhead){.mode = OVERHEAD_AUTO, .budget = USUAL_PERCENT / 100};
	if (!text || !strcmp(text, "auto"))
		return 0;
	if (!strncmp(text, "auto=", 5))
		return parse_percent(text + 5, &overhead->budget, err);
	if (!strcmp(text, "exact"))
		overhead->mode = OVERHEAD_EXACT;
	else if (!strcmp(text, "counts"))
		overhead->mode = OVERHEAD_COUNTS;
	else if (!strcmp(text, "sample"))
		overhead->mode = OVERHEAD_SAMPLE;
	else
		return error_set(err, EINVAL,
				 "--overhead takes exact, auto, auto=PERCENT, counts or sample, not \"%s\"", text);
	return 0;
}
