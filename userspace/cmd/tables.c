/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/tables.h"

int tables_open(const char *path, struct mmp_reader **profile, struct error *err)
{
	struct mmp_error reason;
	int rc = mmp_open(path, profile, &reason);

	return rc ? error_set(err, rc, "%s", reason.text) : 0;
}

int tables_summarize(const char *path, struct summary *summary, struct untimed_labels *untimed, struct error *err)
{
	struct mmp_reader *profile;
	int rc = tables_open(path, &profile, err);

	if (rc)
		return rc;
	rc = summarize_profile(profile, summary, err);
	if (untimed)
		untimed_add(untimed, profile);
	mmp_close(profile);
	return rc;
}
