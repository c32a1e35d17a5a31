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
	uint64_t entry = holder->ranges[0].address;
	int code;

	memset(out, 0, sizeof(*out));
	*refusal = NULL;
	if (!holder->has_entry)
		*refusal = "the entry of the function that it is in has no symbol";
	else if (!runner && flow_decode(survey->image, holder->ranges, holder->range_count, &out->own, NULL) < 0)
		*refusal = "the function that it is in cannot be decoded";
	if (*refusal)
		return -ENOENT;
	code = values_follow(runner ? runner->flow : &out->own, entry, &out->values);
	if (code < 0) {
		flow_free(&out->own);
		return code;
	}
	out->guarded = (struct guarded){survey->image, &out->values, survey->callees, -1};
	if (runner)
		out->guarded.vtable = guard_vtable_argument(&out->values, survey->filter_offset);
	return 0;
}

void survey_leave(struct survey_function *function)
{
	values_free(&function->values);
	flow_free(&function->own);
}
