/* The parts that a sweep's specification and a worker's configuration share, and the pieces of
 * spec_parse. Private to common/. */
#ifndef SWEEP_COMMON_SPEC_PART_H
#define SWEEP_COMMON_SPEC_PART_H

#include <stdbool.h>

#include "common/base/field.h"
#include "sweep/spec.h"

#define SPEC_DEFAULT_EPOCHS 10

struct errbuf;
struct json;
struct json_writer;

/* --- setting.c: what a setting and an option of a layer have in common ---------------------- */

/* As setting_from_json, setting_to_json and setting_format, for any row of a table. */
int setting_read(const struct setting *t, const struct json *v, const char *key, double *out,
                 struct errbuf *err);
void setting_write(const struct setting *t, double value, struct json_writer *w);
void setting_text(const struct setting *t, double value, char out[32]);
/* v is an object that holds only keys of that section: 0, ERR_TYPE or ERR_KEY. */
int settings_check_keys(const char *section, const struct json *v, struct errbuf *err);
/* The members of one section without the settings whose flag is set in skip (NULL: all). */
void settings_write_except(const struct settings *s, const char *section, const bool *skip,
                           struct json_writer *w);

/* --- spec_data.c ---------------------------------------------------------------------------- */

void spec_data_write_except(const struct spec_data *d, const struct settings *s, const bool *skip,
                            struct json_writer *w);
/* "metric": {"name", "goal"}; the goal defaults to what the metric asks for (losses down). */
int spec_metric_parse(const struct json *v, enum metric *metric, bool *maximize,
                      struct errbuf *err);
void spec_metric_write(enum metric metric, bool maximize, struct json_writer *w);
bool spec_metric_default_maximize(enum metric metric);

/* --- spec_check.c: what settings say together; no dimensions: a worker's configuration ------ */

/* root: the whole object, for messages. seen: settings that were given as fixed. */
int spec_check(const struct json *root, const struct spec *s, const bool seen[SETTING_COUNT],
               struct errbuf *err);
/* model.layers, unless it is absent. */
int spec_layers_parse(const struct json *root, struct layer_list *out, struct errbuf *err);

/* --- spec_treat.c --------------------------------------------------------------------------- */

/* treat, treat_share, treats. After the method is known. */
int spec_treat_parse(const struct json *root, struct spec *s, struct errbuf *err);
void spec_treat_write(const struct spec *s, struct json_writer *w);
/* run_cap of a grid of that size that says none. */
int64_t spec_treat_grid_cap(const struct spec *s, int64_t size);

/* --- spec_parameters.c ---------------------------------------------------------------------- */

/* "parameters": fills dimensions, and fixed from single values. seen: what "data", "model" and
 * "train" gave; single values are added. On failure s->dimensions may hold values: the caller
 * finishes s. */
int spec_parameters_parse(const struct json *v, struct spec *s, bool seen[SETTING_COUNT],
                          struct errbuf *err);
void spec_parameters_write(const struct spec *s, struct json_writer *w);

#endif
