/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compiler/survey.h"

#include <errno.h>
#include <string.h>

static const struct survey_runner *find_runner(const struct guard_survey *survey, const struct holder *holder)
{
	for (size_t i = 0; holder->has_entry && i < survey->runner_count; i++)
		if (survey->runners[i].address == holder->ranges[0].address)
			return &survey->runners[i];
	return NULL;
}

bool survey_is_runner(const struct guard_survey *survey, const struct holder *holder)
{
	return find_runner(survey, holder);
}

int survey_follow(const struct guard_survey *survey, const struct holder *holder, struct survey_function *out,
		  const char **refusal)
{
	const struct survey_runner *runner = find_runner(survey, holder);

	memset(out, 0, sizeof(*out));
	*refusal = NULL;
	out->guarded = (struct guarded){survey->image, runner ? runner->values : &out->values, survey->callees, -1};
	if (runner) {
		out->guarded.vtable = guard_vtable_argument(runner->values, survey->filter_offset);
		return 0;
	}
	if (!holder->has_entry)
		*refusal = "the entry of the function that it is in has no symbol";
	else if (flow_decode(survey->image, holder->ranges, holder->range_count, &out->flow, NULL) < 0)
		*refusal = "the function that it is in cannot be decoded";
	if (*refusal)
		return -ENOENT;
	if (values_follow(&out->flow, holder->ranges[0].address, &out->values) < 0) {
		flow_free(&out->flow);
		return -ENOMEM;
	}
	return 0;
}

void survey_leave(struct survey_function *function)
{
	values_free(&function->values);
	flow_free(&function->flow);
}
