/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pages put together from files and slots, and text that stands for itself in them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/page.h"

static void a_page_file_is_part_of_the_program(void **state)
{
	const struct page_file *file = page_find("base.css");

	(void)state;
	assert_non_null(file);
	assert_true(file->end - file->start > 100);
	assert_memory_equal(file->start, "/* ", 3);
	assert_null(page_find("missing.css"));
}

static void a_page_that_is_not_there_is_refused(void **state)
{
	struct page_slot none[] = {{0}};
	struct error err;
	FILE *out = tmpfile();

	(void)state;
	assert_int_equal(page_write("missing.html", none, NULL, out, &err), -ENOENT);
	assert_non_null(strstr(err.text, "missing.html"));
	fclose(out);
}

/* What `put` writes of the text. */
static void expect_text(void (*put)(const char *, size_t, FILE *), const char *text, const char *expected)
{
	char *written = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&written, &size);

	assert_non_null(out);
	put(text, strlen(text), out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void text_stands_for_itself_in_html(void **state)
{
	(void)state;
	expect_text(page_put_html, "<b>\"a\" & 'b'</b>", "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;");
	expect_text(page_put_html, "caf\xC3\xA9", "caf\xC3\xA9");
}

static void text_stands_for_itself_in_a_script(void **state)
{
	(void)state;
	expect_text(page_put_json, "</script>", "\"\\u003c/script\\u003e\"");
	expect_text(page_put_json, "<!--\"\\\n", "\"\\u003c!--\\u0022\\u005c\\u000a\"");
	expect_text(page_put_json, "\xCE\xBB", "\"\xCE\xBB\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_page_file_is_part_of_the_program),
	    cmocka_unit_test(a_page_that_is_not_there_is_refused),
	    cmocka_unit_test(text_stands_for_itself_in_html),
	    cmocka_unit_test(text_stands_for_itself_in_a_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
