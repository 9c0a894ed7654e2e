/* The parts that a sweep's specification and a worker's configuration share, and the pieces of
 * spec_parse. Private to common/. */
#ifndef SWEEP_COMMON_SPEC_PART_H
#define SWEEP_COMMON_SPEC_PART_H

#include <stdbool.h>

#include "sweep/spec.h"

#define SPEC_DEFAULT_EPOCHS 10

struct errbuf;
struct json;
struct json_writer;

/* "metric": {"name", "goal"}; the goal defaults to what the metric asks for (losses down). */
int spec_metric_parse(const struct json *v, enum metric *metric, bool *maximize,
                      struct errbuf *err);
void spec_metric_write(enum metric metric, bool maximize, struct json_writer *w);
bool spec_metric_default_maximize(enum metric metric);

/* "parameters": fills dimensions, and fixed from single values. seen: what "model" and "train"
 * gave. On failure s->dimensions may hold values: the caller finishes s. */
int spec_parameters_parse(const struct json *v, struct spec *s, const bool seen[SETTING_COUNT],
                          struct errbuf *err);
void spec_parameters_write(const struct spec *s, struct json_writer *w);

/* "model":{},"train":{} without the settings whose flag is set in skip (NULL: all). */
void settings_write_except(const struct settings *s, const bool *skip, struct json_writer *w);

#endif
