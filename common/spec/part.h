/* The pieces of spec_parse. Private to common/spec/. */
#ifndef SWEEP_COMMON_SPEC_PART_H
#define SWEEP_COMMON_SPEC_PART_H

#include "common/base/field.h"
#include "sweep/spec.h"

/* --- auto.c --------------------------------------------------------------------------------- */

/* picked; and the method, where s->picked asks for one. After the space is known. */
int spec_auto_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_auto_write(const struct spec *s, struct json_writer *w);

/* --- objectives.c ---------------------------------------------------------------------------- */

/* objectives, and the metric where they say it. After the metric is known, before the method is
 * picked. */
int spec_objectives_parse(const struct json *root, struct spec *s, struct errbuf *err);
/* Methods, and all else, that go with one metric alone: after these are known. */
int spec_objectives_method(const struct json *root, struct spec *s, struct errbuf *err);
int spec_objectives_check(const struct json *root, struct spec *s, struct errbuf *err);
void spec_objectives_write(const struct spec *s, struct json_writer *w);
void spec_objectives_notes(const struct json *root, const struct spec *s, spec_note *each,
                           void *arg);

/* --- treat.c -------------------------------------------------------------------------------- */

/* treat, treat_share, carry_on, without_remedies. After the method is known. */
int spec_treat_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_treat_write(const struct spec *s, struct json_writer *w);
/* run_cap of a grid of that size that says none. */
int64_t spec_grid_cap(const struct spec *s, int64_t size);

/* --- lag.c ---------------------------------------------------------------------------------- */

/* lag. After the method and run_cap are known. */
int spec_lag_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_lag_write(const struct spec *s, struct json_writer *w);

/* --- repeat.c ------------------------------------------------------------------------------- */

/* repeat, repeat_share. After the method and treatments are known. */
int spec_repeat_parse(const struct json *root, struct spec *s, struct errbuf *err);
/* When run_cap is known: of very many runs the default share is smaller. */
int spec_repeat_limit(const struct json *root, struct spec *s, struct errbuf *err);
double spec_repeat_usual(const struct json *root, int64_t run_cap);
void spec_repeat_write(const struct spec *s, struct json_writer *w);

/* --- gain.c --------------------------------------------------------------------------------- */

/* least_gain. After the method and early_terminate are known. */
int spec_gain_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_gain_write(const struct spec *s, struct json_writer *w);

/* --- rounds.c ------------------------------------------------------------------------------- */

/* rounds. After method and what auto makes of it. */
int spec_rounds_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_rounds_write(const struct spec *s, struct json_writer *w);

/* --- perturb.c ------------------------------------------------------------------------------ */

/* perturb. After all that a method which copies weights from run to run refuses. */
int spec_perturb_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_perturb_write(const struct spec *s, struct json_writer *w);

/* --- deadline.c ----------------------------------------------------------------------------- */

/* max_hours, until. */
/* What may be left out then: how many runs there are. */
bool spec_ends_by_time(const struct json *root, const struct spec *s);
int spec_deadline_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_deadline_write(const struct spec *s, struct json_writer *w);

/* --- warm.c --------------------------------------------------------------------------------- */

/* warm_start. After the method is known. */
int spec_warm_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_warm_write(const struct spec *s, struct json_writer *w);

/* --- stop.c --------------------------------------------------------------------------------- */

int spec_stop_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_stop_write(const struct spec *s, struct json_writer *w);

/* --- limits.c ------------------------------------------------------------------------------- */

int spec_limits_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_limits_write(const struct spec *s, struct json_writer *w);

/* --- resources.c ---------------------------------------------------------------------------- */

/* resources. After the task is known. */
int spec_resources_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_resources_write(const struct spec *s, struct json_writer *w);

/* --- place.c -------------------------------------------------------------------------------- */

/* on. After the task is known. */
int spec_place_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_place_write(const struct spec *s, struct json_writer *w);
void spec_place_finish(struct spec_place *p);

/* --- parameters.c --------------------------------------------------------------------------- */

/* "parameters": fills the space; the task fixes single values. On failure the space may hold
 * values: the caller finishes s. */
int spec_parameters_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_parameters_write(const struct spec *s, struct json_writer *w);
/* No parameter is named, and the task knows what is usually swept. */
bool spec_is_usual(const struct json *root, const struct spec *s);
/* W&B's other ways to say a distribution that there is. X(id, name, distribution, ends) */
#define SPELLING_MAP(X)                                                             \
    X(LOG_UNIFORM, "log_uniform", LOG_UNIFORM_VALUES, EXPONENTS)                    \
    X(Q_LOG_UNIFORM, "q_log_uniform", Q_LOG_UNIFORM_VALUES, EXPONENTS)              \
    X(INV_LOG_UNIFORM, "inv_log_uniform", LOG_UNIFORM_VALUES, INVERSE)              \
    X(INV_LOG_UNIFORM_VALUES, "inv_log_uniform_values", LOG_UNIFORM_VALUES, AS_SAID) \
    X(WITH_PROBABILITIES, "categorical_w_probabilities", CATEGORICAL, WITH_PROBABILITIES)
enum spelling {
    SPELLING_BEFORE = DISTRIBUTION_COUNT - 1,
#define X(id, name, distribution, ends) SPELLING_##id,
    SPELLING_MAP(X)
#undef X
};
/* What min and max are: values, exponents of e, exponents of 1/e. */
enum spelled_ends { ENDS_AS_SAID, ENDS_EXPONENTS, ENDS_INVERSE, ENDS_WITH_PROBABILITIES };
enum spelled_ends spec_spelled_ends(const char *distribution);
/* A member that holds parameters of its own: {"optimizer": {"parameters": {"lr": …}}}. */
bool spec_is_nested(const struct json *member);

/* --- structure.c ---------------------------------------------------------------------------- */

/* The conditions of the parameters, and "constraints". When parameters and task are known. */
/* Of that name, or of the setting that is called so; NULL: none. */
const struct dimension *spec_dimension_called(const struct spec *s, const char *name);
int spec_structure_parse(const struct json *root, struct spec *s, struct errbuf *err);
/* "condition" of a dimension, and "constraints", where there are any. */
void spec_condition_write(const struct spec *s, const struct dimension *d, struct json_writer *w);
void spec_constraints_write(const struct spec *s, struct json_writer *w);

/* --- compare.c ------------------------------------------------------------------------------- */

/* The canonical form as JSON; owned by the caller. */
struct json *spec_canonical(const struct spec *s);
/* Both are written alike. */
bool spec_same_json(const struct json *a, const struct json *b);

#endif
