/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Writing a profile. Three streams share the file page by page, as in measureme/src/serialization.rs: a page goes out
 * when the next item does not fit, so that only what is in the three open pages is in memory.
 */
#include "mmprofdata/format.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An open page, with room in front for its header. */
struct sink {
	uint8_t bytes[MMP_PAGE_HEADER_SIZE + MMP_MAX_PAGE_SIZE];
	size_t size;	  /* of the page's contents */
	uint64_t address; /* in the stream, of the next byte */
};

struct mmp_writer {
	pthread_mutex_t lock;
	char *path, *temporary;
	int fd;
	struct mmp_writer_options options;
	struct mmp_source source;
	int failed; /* the negative errno of the first failed write, with its sentence */
	struct mmp_error failure;
	struct sink sinks[MMP_TAG_COUNT];
};

/* Remembers the failure, so that it is what every later call reports. */
static int fail_for_good(struct mmp_writer *writer, int code, const char *doing)
{
	writer->failed = mmp_fail(&writer->failure, code, "cannot %s the profile %s (as %s): %s", doing, writer->path,
				  writer->temporary, strerror(code));
	return writer->failed;
}

static int write_fully(struct mmp_writer *writer, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(writer->fd, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail_for_good(writer, done < 0 ? errno : EIO, "write");
		bytes += done;
		size -= (size_t)done;
	}
	return 0;
}

static int flush_page(struct mmp_writer *writer, enum mmp_tag tag)
{
	struct sink *sink = &writer->sinks[tag];
	size_t size = sink->size;

	if (!size)
		return 0;
	sink->bytes[0] = (uint8_t)tag;
	mmp_put_u32(sink->bytes + 1, (uint32_t)size);
	sink->size = 0;
	return write_fully(writer, sink->bytes, MMP_PAGE_HEADER_SIZE + size);
}

static void put(struct sink *sink, const void *bytes, size_t size)
{
	memcpy(sink->bytes + MMP_PAGE_HEADER_SIZE + sink->size, bytes, size);
	sink->size += size;
	sink->address += size;
}

/*
 * Makes room for an item of `size` bytes, to be `put` in any number of pieces. One that fits into a page is kept in
 * one; a longer one is spread.
 */
static int begin_item(struct mmp_writer *writer, enum mmp_tag tag, size_t size)
{
	if (writer->failed)
		return writer->failed;
	if (size <= MMP_MAX_PAGE_SIZE && writer->sinks[tag].size + size > MMP_MAX_PAGE_SIZE)
		return flush_page(writer, tag);
	return 0;
}

static int put_piece(struct mmp_writer *writer, enum mmp_tag tag, const void *bytes, size_t size)
{
	struct sink *sink = &writer->sinks[tag];

	while (size) {
		size_t part = MMP_MAX_PAGE_SIZE - sink->size;
		int rc;

		if (part > size)
			part = size;
		put(sink, bytes, part);
		bytes = (const uint8_t *)bytes + part;
		size -= part;
		if (size) {
			rc = flush_page(writer, tag);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* Gives the caller the failure that was remembered; unlocks. */
static int end_call(struct mmp_writer *writer, int rc, struct mmp_error *err)
{
	if (rc && rc == writer->failed && err)
		*err = writer->failure;
	pthread_mutex_unlock(&writer->lock);
	return rc;
}

/* The template for mkostemp: a hidden file in the directory of `path`. */
static char *temporary_for(const char *path)
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash + 1 - path) : 0;
	char *name;

	return asprintf(&name, "%.*s.mm_profdata-XXXXXX", directory, path) < 0 ? NULL : name;
}

static void free_writer(struct mmp_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	pthread_mutex_destroy(&writer->lock);
	mmp_source_close(&writer->source);
	free(writer->path);
	free(writer->temporary);
	free(writer);
}

static void put_header(uint8_t to[MMP_HEADER_SIZE], const char *magic)
{
	memcpy(to, magic, 4);
	mmp_put_u32(to + 4, MMP_VERSION);
}

int mmp_writer_create(const char *path, const struct mmp_writer_options *options, struct mmp_writer **writer,
		      struct mmp_error *err)
{
	/* The pages are not cleared: what is never used is never touched. */
	struct mmp_writer *created = malloc(sizeof(*created));
	uint8_t header[MMP_HEADER_SIZE];
	int rc;

	*writer = NULL;
	if (!created)
		return mmp_fail(err, ENOMEM, "%s: out of memory for writing a profile", path);
	pthread_mutex_init(&created->lock, NULL);
	created->fd = -1;
	created->failed = 0;
	created->options = options ? *options : (struct mmp_writer_options){0};
	created->path = strdup(path);
	created->temporary = temporary_for(path);
	rc = mmp_source_open(&created->source, &created->options, path, err);
	if (rc) {
		free_writer(created);
		return rc;
	}
	if (!created->path || !created->temporary) {
		free_writer(created);
		return mmp_fail(err, ENOMEM, "%s: out of memory for writing a profile", path);
	}
	created->fd = mkostemp(created->temporary, O_CLOEXEC);
	if (created->fd < 0) {
		rc = mmp_fail(err, errno, "cannot create the profile %s (as %s): %s", path, created->temporary,
			      strerror(errno));
		free_writer(created);
		return rc;
	}
	put_header(header, MMP_MAGIC_FILE);
	rc = write_fully(created, header, sizeof(header));
	if (rc) {
		if (err)
			*err = created->failure;
		mmp_writer_abort(created);
		return rc;
	}
	for (int tag = 0; tag < MMP_TAG_COUNT; tag++) {
		created->sinks[tag].size = created->sinks[tag].address = 0;
		put_header(header, mmp_stream_magic[tag]);
		put(&created->sinks[tag], header, sizeof(header));
	}
	*writer = created;
	return 0;
}

/* Whether an id can stand in the file: virtual, invalid, or of a string that is stored. */
static int check_id(const struct mmp_writer *writer, uint64_t id, struct mmp_error *err)
{
	if (id < MMP_FIRST_CONCRETE_ID || (id - MMP_FIRST_CONCRETE_ID >= MMP_HEADER_SIZE &&
					   id - MMP_FIRST_CONCRETE_ID < writer->sinks[MMP_TAG_STRING_DATA].address))
		return 0;
	return mmp_fail(err, EINVAL, "%s: the profile has no string with the id %llu", writer->path,
			(unsigned long long)id);
}

/* Stores a string of parts that are valid UTF-8. The lock is held. */
static int store_string(struct mmp_writer *writer, const struct mmp_component *parts, size_t count, uint64_t *id,
			struct mmp_error *err)
{
	static const uint8_t terminator = MMP_TERMINATOR;
	size_t size = 1;
	uint64_t address;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		size += parts[i].text ? parts[i].size : 1 + sizeof(uint64_t);
		if (!parts[i].text)
			rc = check_id(writer, parts[i].ref, err);
	}
	if (!rc)
		rc = begin_item(writer, MMP_TAG_STRING_DATA, size);
	address = writer->sinks[MMP_TAG_STRING_DATA].address;
	for (size_t i = 0; i < count && !rc; i++) {
		uint8_t ref[1 + sizeof(uint64_t)] = {MMP_REF_TAG};

		mmp_put_u64(ref + 1, parts[i].ref);
		if (parts[i].text)
			rc = put_piece(writer, MMP_TAG_STRING_DATA, parts[i].text, parts[i].size);
		else
			rc = put_piece(writer, MMP_TAG_STRING_DATA, ref, sizeof(ref));
	}
	if (!rc)
		rc = put_piece(writer, MMP_TAG_STRING_DATA, &terminator, 1);
	if (!rc)
		*id = MMP_FIRST_CONCRETE_ID + address;
	return rc;
}

/* A copy of the parts with stray bytes replaced, its texts in *buffer; to be freed. NULL if out of memory. */
static struct mmp_component *clean_parts(const struct mmp_component *parts, size_t count, struct mmp_buffer *buffer)
{
	struct mmp_component *clean = calloc(count, sizeof(*clean));

	if (!clean)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t before = buffer->size;

		clean[i] = parts[i];
		if (parts[i].text && mmp_buffer_append_lossy(buffer, parts[i].text, parts[i].size, NULL)) {
			free(clean);
			return NULL;
		}
		clean[i].size = buffer->size - before;
	}
	for (size_t i = 0, at = 0; i < count; at += clean[i++].size) {
		if (parts[i].text)
			clean[i].text = buffer->bytes + at;
	}
	return clean;
}

int mmp_alloc_composite(struct mmp_writer *writer, const struct mmp_component *parts, size_t count, uint64_t *id,
			struct mmp_error *err)
{
	struct mmp_buffer buffer = {0};
	struct mmp_component *clean = NULL;
	int rc = 0;

	for (size_t i = 0; i < count && !clean && !rc; i++) {
		if (parts[i].text && mmp_utf8_prefix(parts[i].text, parts[i].size) != parts[i].size) {
			clean = clean_parts(parts, count, &buffer);
			if (!clean)
				rc = mmp_fail(err, ENOMEM, "%s: out of memory for a string", writer->path);
		}
	}
	if (!rc) {
		pthread_mutex_lock(&writer->lock);
		rc = end_call(writer, store_string(writer, clean ? clean : parts, count, id, err), err);
	}
	free(clean);
	mmp_buffer_free(&buffer);
	return rc;
}

int mmp_alloc_string(struct mmp_writer *writer, const char *text, size_t size, uint64_t *id, struct mmp_error *err)
{
	return mmp_alloc_composite(writer, &(struct mmp_component){.text = text, .size = size}, 1, id, err);
}

int mmp_alloc_event_id(struct mmp_writer *writer, uint64_t label, const uint64_t *arguments, size_t count, uint64_t *id,
		       struct mmp_error *err)
{
	static const char separator = MMP_SEPARATOR;
	struct mmp_component few[1 + 2 * 4], *parts = few;
	int rc;

	if (count > 4)
		parts = calloc(1 + 2 * count, sizeof(*parts));
	if (!parts)
		return mmp_fail(err, ENOMEM, "%s: out of memory for a string", writer->path);
	parts[0] = (struct mmp_component){.ref = label};
	for (size_t i = 0; i < count; i++) {
		parts[1 + 2 * i] = (struct mmp_component){.text = &separator, .size = 1};
		parts[2 + 2 * i] = (struct mmp_component){.ref = arguments[i]};
	}
	rc = mmp_alloc_composite(writer, parts, 1 + 2 * count, id, err);
	if (parts != few)
		free(parts);
	return rc;
}

/* Maps one virtual id, the metadata's among them. The lock is held. */
static int map_one(struct mmp_writer *writer, uint64_t virtual_id, uint64_t id)
{
	uint8_t entry[16];
	int rc = begin_item(writer, MMP_TAG_STRING_INDEX, sizeof(entry));

	mmp_put_u64(entry, virtual_id);
	mmp_put_u64(entry + 8, id - MMP_FIRST_CONCRETE_ID);
	if (!rc)
		put(&writer->sinks[MMP_TAG_STRING_INDEX], entry, sizeof(entry));
	return rc;
}

int mmp_map_virtual(struct mmp_writer *writer, const uint64_t *virtual_ids, size_t count, uint64_t id,
		    struct mmp_error *err)
{
	int rc;

	for (size_t i = 0; i < count; i++) {
		if (virtual_ids[i] > MMP_MAX_VIRTUAL_ID)
			return mmp_fail(err, EINVAL, "%s: the string id %llu is not virtual", writer->path,
					(unsigned long long)virtual_ids[i]);
	}
	pthread_mutex_lock(&writer->lock);
	rc = check_id(writer, id, err);
	if (!rc && id < MMP_FIRST_CONCRETE_ID)
		rc = mmp_fail(err, EINVAL, "%s: a virtual string id cannot be mapped to another", writer->path);
	for (size_t i = 0; i < count && !rc; i++)
		rc = map_one(writer, virtual_ids[i], id);
	return end_call(writer, rc, err);
}

static int record(struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread, uint64_t first,
		  uint64_t second, struct mmp_error *err)
{
	uint8_t event[32];
	int rc;

	mmp_put_event(event, kind, id, thread, first, second);
	pthread_mutex_lock(&writer->lock);
	rc = check_id(writer, kind, err);
	if (!rc)
		rc = check_id(writer, id, err);
	if (!rc)
		rc = begin_item(writer, MMP_TAG_EVENTS, sizeof(event));
	if (!rc)
		put(&writer->sinks[MMP_TAG_EVENTS], event, sizeof(event));
	return end_call(writer, rc, err);
}

int mmp_record_interval(struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread, uint64_t start,
			uint64_t end, struct mmp_error *err)
{
	if (start > end)
		return mmp_fail(err, EINVAL, "%s: an event starts (%llu ns) after its end (%llu ns)", writer->path,
				(unsigned long long)start, (unsigned long long)end);
	if (end > MMP_MAX_END)
		return mmp_fail(err, ERANGE, "%s: an event's end, %llu ns, does not fit into 48 bits", writer->path,
				(unsigned long long)end);
	return record(writer, kind, id, thread, start, end, err);
}

int mmp_record_instant(struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread, uint64_t time,
		       struct mmp_error *err)
{
	if (time > MMP_MAX_VALUE)
		return mmp_fail(err, ERANGE, "%s: an event's time, %llu ns, does not fit into 48 bits", writer->path,
				(unsigned long long)time);
	return record(writer, kind, id, thread, time, MMP_END_INSTANT, err);
}

int mmp_record_integer(struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread, uint64_t value,
		       struct mmp_error *err)
{
	if (value > MMP_MAX_VALUE)
		return mmp_fail(err, ERANGE, "%s: an event's value, %llu, does not fit into 48 bits", writer->path,
				(unsigned long long)value);
	return record(writer, kind, id, thread, value, MMP_END_INTEGER, err);
}

uint64_t mmp_now(const struct mmp_writer *writer)
{
	return mmp_source_read(&writer->source);
}

const struct mmp_counter *mmp_writer_counter(const struct mmp_writer *writer)
{
	return &writer->source.counter;
}

struct mmp_timing mmp_start(const struct mmp_writer *writer, uint64_t kind, uint64_t id, uint32_t thread)
{
	return (struct mmp_timing){kind, id, thread, mmp_now(writer)};
}

int mmp_finish(struct mmp_writer *writer, const struct mmp_timing *timing, struct mmp_error *err)
{
	return mmp_record_interval(writer, timing->kind, timing->id, timing->thread, timing->start, mmp_now(writer),
				   err);
}

/* Stores the metadata and writes out the pages. */
static int complete(struct mmp_writer *writer, const char *metadata, struct mmp_error *err)
{
	struct mmp_component part = {.text = metadata, .size = strlen(metadata)};
	struct mmp_metadata fields;
	void *memory = NULL;
	uint64_t id;
	int rc = mmp_metadata_parse(metadata, part.size, false, &fields, &memory, err);

	free(memory);
	if (!rc)
		rc = store_string(writer, &part, 1, &id, err);
	if (!rc)
		rc = map_one(writer, MMP_METADATA_ID, id);
	for (int tag = 0; tag < MMP_TAG_COUNT && !rc; tag++)
		rc = flush_page(writer, tag);
	if (rc && rc == writer->failed && err)
		*err = writer->failure;
	return rc;
}

/* Gives the file its owner, permissions and name. */
static int publish(struct mmp_writer *writer, struct mmp_error *err)
{
	const struct mmp_writer_options *options = &writer->options;
	const char *doing = NULL;
	int code;

	if (options->set_owner && fchown(writer->fd, options->uid, options->gid) != 0)
		doing = "set the owner of";
	else if (fchmod(writer->fd, options->mode ? options->mode : 0644) != 0)
		doing = "set the permissions of";
	code = errno;
	if (close(writer->fd) != 0 && !doing) {
		doing = "close";
		code = errno;
	}
	writer->fd = -1;
	if (!doing && rename(writer->temporary, writer->path) != 0) {
		doing = "rename";
		code = errno;
	}
	if (!doing)
		return 0;
	return mmp_fail(err, code, "cannot %s the profile %s (as %s): %s", doing, writer->path, writer->temporary,
			strerror(code));
}

int mmp_writer_finish(struct mmp_writer *writer, const char *metadata, struct mmp_error *err)
{
	char *own = NULL;
	int rc = 0;

	if (!metadata)
		rc = mmp_metadata_of_process(&writer->source.counter, mmp_source_elapsed(&writer->source), &own, err);
	if (!rc)
		rc = complete(writer, metadata ? metadata : own, err);
	free(own);
	if (!rc)
		rc = publish(writer, err);
	if (rc) {
		mmp_writer_abort(writer);
		return rc;
	}
	free_writer(writer);
	return 0;
}

void mmp_writer_abort(struct mmp_writer *writer)
{
	if (!writer)
		return;
	unlink(writer->temporary);
	free_writer(writer);
}
