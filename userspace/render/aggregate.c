/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The form is that of measureme's summarize/src/aggregate.rs, byte for byte. */
#include <inttypes.h>

#include "render/render.h"

static void print_place(const struct extreme *extreme, uint64_t interval_count, FILE *out)
{
	if (extreme->description)
		fprintf(out, ": %s\n", extreme->description);
	else
		fprintf(out, ": %" PRIu64 " occurrences, or %.2f%%\n", extreme->count,
			(double)extreme->count / (double)interval_count * 100);
}

static void print_durations(const char *title, const struct extremes *extremes, const struct aggregate *aggregate,
			    FILE *out)
{
	fprintf(out, "%s %zu durations:\n", title, extremes->count);
	for (size_t i = 0; i < extremes->count; i++) {
		fprintf(out, "  %" PRIu64 " %s", extremes->values[i].ns, aggregate->unit ? aggregate->unit : "ns");
		print_place(&extremes->values[i], aggregate->interval_count, out);
	}
}

/* A variance is printed as the distance from the middle. */
static void print_variances(const char *title, const struct extremes *extremes, const struct aggregate *aggregate,
			    FILE *out)
{
	fprintf(out, "\n%s %zu variances:\n", title, extremes->count);
	for (size_t i = 0; i < extremes->count; i++) {
		uint64_t ns = extremes->values[i].ns;

		fprintf(out, "  \xC2\xB1%" PRIu64 "%s %s", ns / 2, ns % 2 ? ".5" : "",
			aggregate->unit ? aggregate->unit : "ns");
		print_place(&extremes->values[i], aggregate->interval_count, out);
	}
}

void render_aggregate(const struct aggregate *aggregate, FILE *out)
{
	print_durations("Smallest", &aggregate->smallest_durations, aggregate, out);
	fputc('\n', out);
	print_durations("Largest", &aggregate->largest_durations, aggregate, out);
	print_variances("Smallest", &aggregate->smallest_variances, aggregate, out);
	print_variances("Largest", &aggregate->largest_variances, aggregate, out);
}
