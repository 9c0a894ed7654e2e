/* The pieces of spec_parse. Private to common/spec/. */
#ifndef SWEEP_COMMON_SPEC_PART_H
#define SWEEP_COMMON_SPEC_PART_H

#include "common/base/field.h"
#include "sweep/spec.h"

/* --- auto.c --------------------------------------------------------------------------------- */

/* picked; and the method, where s->picked asks for one. After the space is known. */
int spec_auto_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_auto_write(const struct spec *s, struct json_writer *w);

/* --- treat.c -------------------------------------------------------------------------------- */

/* treat, treat_share, carry_on. After the method is known. */
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
void spec_repeat_write(const struct spec *s, struct json_writer *w);

/* --- stop.c --------------------------------------------------------------------------------- */

int spec_stop_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_stop_write(const struct spec *s, struct json_writer *w);

/* --- limits.c ------------------------------------------------------------------------------- */

int spec_limits_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_limits_write(const struct spec *s, struct json_writer *w);

/* --- parameters.c --------------------------------------------------------------------------- */

/* "parameters": fills the space; the task fixes single values. On failure the space may hold
 * values: the caller finishes s. */
int spec_parameters_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_parameters_write(const struct spec *s, struct json_writer *w);
/* A member that holds parameters of its own: {"optimizer": {"parameters": {"lr": …}}}. */
bool spec_is_nested(const struct json *member);

#endif
