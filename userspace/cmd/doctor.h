/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to the room: what `querytap doctor` found out, and how it is shown. */
#ifndef QUERYTAP_CMD_DOCTOR_H
#define QUERYTAP_CMD_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/analysis.h"
#include "collect/collect.h"
#include "collect/features.h"
#include "compiler/compiler.h"
#include "compiler/find.h"

/* What was found out of one compiler. */
struct examined {
	struct plan *plan; /* NULL where there is none, for the reason in `err` */
	const char *path;
	bool likely;
	struct error err;
};

/* How much of a profile a compiler's recording would have. */
struct doctor_coverage {
	const char *profile;		 /* its path */
	const struct examined *compiler; /* NULL if there is none that can be profiled; then the rest is not set */
	char choice[512];		 /* what speaks for this compiler, or against it */
	struct coverage coverage;
};

struct findings {
	struct feature features[FEATURE_COUNT];
	bool usable; /* all required features are there */
	struct found_list found;
	struct examined *compilers; /* with doctor RUSTC, that one comes first */
	size_t compiler_count;
	bool measured;
	uint64_t cost;
	struct instruction_costs instructions;
	struct error measure_error;
	struct doctor_coverage *coverage; /* NULL if not asked for */
};

/* The classes of events that sites have, as profiles name them, indexed by enum event_class. */
extern const char *const doctor_event_names[EVENT_CLASSES];

/* The artifacts whose sizes are recorded, ended by NULL. */
extern const char *const doctor_artifacts[];

/*
 * Fills coverage->compiler, choice and coverage for the profile. `named` says that the user named the compiler, which
 * is then the first. Fails as coverage_of_profile.
 */
int doctor_cover(const struct findings *findings, bool named, const struct mmp_reader *profile,
		 struct doctor_coverage *coverage, struct error *err);

/* Print the findings, with `labels` every label that can be recorded. Fail with -ENOMEM. */
int doctor_print_text(const struct findings *findings, bool labels, struct error *err);
int doctor_print_json(const struct findings *findings, bool labels, struct error *err);

#endif
