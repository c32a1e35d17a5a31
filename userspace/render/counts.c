/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The columns are those that the Rust Forge's profile-queries.md describes, with the seconds as rustc printed them
 * (src/librustc_driver/profile/trace.rs, write_counts).
 */
#include <inttypes.h>

#include "render/render.h"

void render_counts(const struct summary *summary, bool hits, FILE *out)
{
	for (size_t i = 0; i < summary->row_count; i++) {
		const struct summary_row *row = &summary->rows[i];
		uint64_t count = row->invocations + (hits ? row->cache_hits + row->loads : 0);

		if (!count && !row->span_ns)
			continue;
		if (summary->unit)
			fprintf(out, "%s,%" PRIu64 ",%" PRIu64 "\n", row->label, count, row->span_ns);
		else
			fprintf(out, "%s,%" PRIu64 ",%.3f\n", row->label, count, (double)row->span_ns / 1e9);
	}
}
