/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "cmd/sampled.h"

#include <errno.h>

#include "analysis/sampling.h"
#include "samples/samples.h"

int sampled_check(const struct sampled_settings *settings, const char *name, int argc, struct error *err)
{
	bool ways = settings->queries_on_top || settings->whole;

	if (!settings->samples && argc != 1)
		return error_set(err, EINVAL, "%s needs one profile; see querytap %s --help", name, name);
	if (settings->samples && argc != 0)
		return error_set(err, EINVAL, "%s takes --samples or a profile, not both; see querytap %s --help", name,
				 name);
	if (ways && !settings->samples)
		return error_set(err, EINVAL, "options --queries-on-top and --whole are for --samples");
	if (settings->queries_on_top && settings->whole)
		return error_set(err, EINVAL, "option --whole does not go with --queries-on-top");
	return 0;
}

int sampled_fold(const struct sampled_settings *settings, struct fold *fold, struct error *err)
{
	struct samples *samples;
	int rc = samples_read(settings->samples, &samples, err);

	if (rc)
		return rc;
	rc = samples_fold(samples, settings->whole, fold, err);
	samples_free(samples);
	return rc;
}
