/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "render/json.h"

#include <errno.h>

int json_end(json_t *root, int rc, FILE *out, struct error *err)
{
	if (rc || !root) {
		json_decref(root);
		return error_set(err, ENOMEM, "out of memory for JSON");
	}
	json_dumpf(root, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(root);
	return 0;
}
