/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/page.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* page_list.h is made by the Makefile: PAGE(symbol, "name") for each file. */
#define PAGE(symbol, name)                                                                                       \
	__asm__(".pushsection .rodata\n" #symbol "_start:\n.incbin \"userspace/render/page/" name "\"\n" #symbol \
		"_end:\n.popsection\n");                                                                         \
	extern const char symbol##_start[], symbol##_end[];
#include "page_list.h"
#undef PAGE

#define PAGE(symbol, name) {name, symbol##_start, symbol##_end},
static const struct page_file files[] = {
#include "page_list.h"
};
#undef PAGE

/* Files include others no deeper than this: a loop of them ends here. */
enum { INCLUDES_MAX = 8, MARK_MAX = 64 };

const struct page_file *page_find(const char *name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	}
	return NULL;
}

/* If a mark {{name}} is at `at`, copies its name and returns where it ends, otherwise NULL. */
static const char *read_mark(const char *at, const char *end, char name[MARK_MAX])
{
	size_t size = 0;

	if (end - at < 5 || at[0] != '{' || at[1] != '{')
		return NULL;
	at += 2;
	while (at + size < end && size < MARK_MAX - 1 &&
	       (strchr("._-", at[size]) ? at[size] != '\0' : at[size] >= 'a' && at[size] <= 'z'))
		size++;
	if (size == 0 || end - at < (ptrdiff_t)size + 2 || at[size] != '}' || at[size + 1] != '}')
		return NULL;
	memcpy(name, at, size);
	name[size] = '\0';
	return at + size + 2;
}

static int write_file(const char *name, const struct page_slot *slots, void *context, int depth, FILE *out,
		      struct error *err);

static int fill_mark(const char *name, const struct page_slot *slots, void *context, int depth, FILE *out,
		     struct error *err)
{
	for (; slots->name; slots++) {
		if (strcmp(slots->name, name) == 0)
			return slots->write(context, out, err);
	}
	return write_file(name, slots, context, depth + 1, out, err);
}

static int write_file(const char *name, const struct page_slot *slots, void *context, int depth, FILE *out,
		      struct error *err)
{
	const struct page_file *file = page_find(name);
	const char *at, *copied;
	char mark[MARK_MAX];

	if (!file || depth > INCLUDES_MAX)
		return error_set(err, ENOENT, "there is no page file '%s'", name);
	at = copied = file->start;
	while ((at = memchr(at, '{', (size_t)(file->end - at)))) {
		const char *behind = read_mark(at, file->end, mark);
		int rc;

		if (!behind) {
			at++;
			continue;
		}
		fwrite(copied, 1, (size_t)(at - copied), out);
		rc = fill_mark(mark, slots, context, depth, out, err);
		if (rc)
			return rc;
		at = copied = behind;
	}
	fwrite(copied, 1, (size_t)(file->end - copied), out);
	return 0;
}

int page_write(const char *name, const struct page_slot *slots, void *context, FILE *out, struct error *err)
{
	return write_file(name, slots, context, 0, out, err);
}

void page_put_html(const char *text, size_t size, FILE *out)
{
	for (size_t i = 0; i < size; i++) {
		switch (text[i]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(text[i], out);
		}
	}
}

/* Whether a byte can't stand in a JSON string, or could end or open something in the HTML around it. */
static bool needs_escape(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7F || strchr("\"\\<>&'", byte) != NULL;
}

void page_put_json(const char *text, size_t size, FILE *out)
{
	fputc('"', out);
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (needs_escape(byte))
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}
