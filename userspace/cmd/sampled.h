/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what the commands that fold samples have in common. */
#ifndef QUERYTAP_CMD_SAMPLED_H
#define QUERYTAP_CMD_SAMPLED_H

#include <stdbool.h>

#include "analysis/analysis.h"
#include "util/options.h"

struct sampled_settings {
	const char *samples; /* the file or its folder; NULL: a profile is asked for */
	bool queries_on_top, whole;
};

#define SAMPLED_OPTIONS(type, member)                                                                             \
	{.name = "samples",                                                                                       \
	 .letter = 's',                                                                                           \
	 .kind = OPTION_STRING,                                                                                   \
	 .argument = "DIR",                                                                                       \
	 .offset = offsetof(type, member.samples),                                                                \
	 .help = "Instead of a profile, take the samples that record --sample has put into DIR, or into a file"}, \
	    {.name = "queries-on-top",                                                                            \
	     .kind = OPTION_FLAG,                                                                                 \
	     .offset = offsetof(type, member.queries_on_top),                                                     \
	     .help = "With --samples: all queries and activities of a stack first, below them the functions "     \
		     "within the innermost one (the default)"},                                                   \
	{                                                                                                         \
		.name = "whole", .kind = OPTION_FLAG, .offset = offsetof(type, member.whole),                     \
		.help = "With --samples: whole stacks, each query behind the function that it began in"           \
	}

/* Checks that `name` has either --samples or one argument, and no options that do not go together. */
int sampled_check(const struct sampled_settings *settings, const char *name, int argc, struct error *err);

/* Folds the samples that are asked for. Free *fold with fold_free. */
int sampled_fold(const struct sampled_settings *settings, struct fold *fold, struct error *err);

#endif
