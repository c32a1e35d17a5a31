/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Reads a file of samples and inflates its contents. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "samples/private.h"
#include "util/path.h"

struct bytes {
	uint8_t *data;
	size_t size;
};

static uint32_t load32(const uint8_t *from)
{
	uint32_t number;

	memcpy(&number, from, sizeof(number));
	return le32toh(number);
}

/* Reads what of the file there is, up to its size now. */
static int read_open_file(int fd, size_t size, const char *path, struct bytes *out, struct error *err)
{
	ssize_t got = 1;

	out->data = malloc(size ? size : 1);
	if (!out->data)
		return error_set(err, ENOMEM, "%s: out of memory", path);
	for (out->size = 0; out->size < size && got > 0; out->size += (size_t)got) {
		got = read(fd, out->data + out->size, size - out->size);
		if (got < 0)
			return error_set(err, errno, "cannot read %s: %s", path, strerror(errno));
	}
	return 0;
}

static int read_file(const char *path, struct bytes *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code;
	struct stat status;

	if (fd < 0 && errno == ENOENT)
		return error_set(err, ENOENT, "there is no %s; querytap record --sample HZ writes one", path);
	if (fd < 0)
		return error_set(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &status) < 0)
		code = error_set(err, errno, "cannot read %s: %s", path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		code = error_set(err, EINVAL, "%s is no ordinary file", path);
	else
		code = read_open_file(fd, (size_t)status.st_size, path, out, err);
	close(fd);
	return code;
}

static int check_header(const struct bytes *file, const char *path, struct error *err)
{
	size_t magic = strlen(FILE_MAGIC);

	if (file->size < magic || memcmp(file->data, FILE_MAGIC, magic) != 0)
		return error_set(err, EINVAL, "%s is no file of samples, as querytap record --sample writes it", path);
	if (file->size < AT_CONTENTS)
		return error_set(err, EINVAL, "%s is damaged: it ends within its header", path);
	if (load32(file->data + AT_VERSION) != FILE_VERSION)
		return error_set(err, EINVAL, "%s has version %u of the format; this querytap reads version %d", path,
				 load32(file->data + AT_VERSION), FILE_VERSION);
	if (load32(file->data + AT_CHECKSUM) != crc32_z(0, file->data + AT_CHECKED, file->size - AT_CHECKED))
		return error_set(err, EINVAL, "%s is damaged: its checksum does not fit, or it is not whole", path);
	return 0;
}

static int inflate_contents(const struct bytes *file, const char *path, struct bytes *out, struct error *err)
{
	uLong deflated = file->size - AT_CONTENTS;
	uint64_t size;
	uLongf inflated;

	memcpy(&size, file->data + AT_SIZE, sizeof(size));
	size = le64toh(size);
	if (size / MAX_RATIO > deflated)
		return error_set(err, EINVAL, "%s is damaged: it cannot hold as much as it says", path);
	inflated = size;
	out->data = malloc(size ? size : 1);
	if (!out->data)
		return error_set(err, ENOMEM, "%s: out of memory", path);
	out->size = size;
	switch (uncompress(out->data, &inflated, file->data + AT_CONTENTS, deflated)) {
	case Z_OK:
		return inflated == size ? 0 : error_set(err, EINVAL, "%s is damaged: it holds less than it says", path);
	case Z_MEM_ERROR:
		return error_set(err, ENOMEM, "%s: out of memory", path);
	default:
		return error_set(err, EINVAL, "%s is damaged: what it holds cannot be inflated", path);
	}
}

static int read_samples(const char *path, struct samples **out, struct error *err)
{
	struct bytes file = {0}, contents = {0};
	int code = read_file(path, &file, err);

	if (code == 0)
		code = check_header(&file, path, err);
	if (code == 0)
		code = inflate_contents(&file, path, &contents, err);
	free(file.data);
	if (code == 0)
		code = samples_parse(contents.data, contents.size, path, out, err);
	free(contents.data);
	return code;
}

int samples_read(const char *path, struct samples **out, struct error *err)
{
	struct stat status;
	bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
	char *file = is_folder ? path_join(path, SAMPLES_FILE) : strdup(path);
	int code = file ? read_samples(file, out, err) : error_set(err, ENOMEM, "%s: out of memory", path);

	if (code < 0)
		*out = NULL;
	free(file);
	return code;
}
