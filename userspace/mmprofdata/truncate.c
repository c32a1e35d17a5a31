/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Cutting a profile short, as measureme's mmedit/src/main.rs does, which keeps the first page of events. */
#include "mmprofdata/reader.h"

size_t mmp_first_page_events(const struct mmp_reader *reader)
{
	const struct mmp_stream *stream = &reader->streams[MMP_TAG_EVENTS];
	size_t event_size = mmp_event_size(reader->version);

	for (size_t i = 0; i < stream->page_count; i++) {
		uint64_t end = stream->pages[i].address + stream->pages[i].size;

		if (end >= MMP_HEADER_SIZE + event_size)
			return (size_t)(end - MMP_HEADER_SIZE) / event_size;
	}
	return 0;
}

void mmp_write_truncated(const struct mmp_reader *reader, size_t event_count, FILE *out)
{
	size_t offset = MMP_HEADER_SIZE;
	uint64_t left = UINT64_MAX;

	if (event_count < reader->event_count)
		left = MMP_HEADER_SIZE + event_count * mmp_event_size(reader->version);
	fwrite(reader->bytes, 1, offset, out);
	while (offset < reader->size) {
		uint8_t header[MMP_PAGE_HEADER_SIZE] = {reader->bytes[offset]};
		uint32_t size = mmp_get_u32(reader->bytes + offset + 1), kept = size;

		offset += MMP_PAGE_HEADER_SIZE;
		if (header[0] == MMP_TAG_EVENTS) {
			kept = size < left ? size : (uint32_t)left;
			left -= kept;
		}
		/* There are no empty pages. */
		if (kept) {
			mmp_put_u32(header + 1, kept);
			fwrite(header, 1, sizeof(header), out);
			fwrite(reader->bytes + offset, 1, kept, out);
		}
		offset += size;
	}
}
