/* The "metric" object: what a run is ranked by, and which way is better. Private to common/. */
#ifndef SWEEP_COMMON_OBJECTIVE_H
#define SWEEP_COMMON_OBJECTIVE_H

#include <stdbool.h>

#include "sweep/curve.h"

/* "metric": {"name", "goal"}; the goal defaults to what the metric asks for (losses down). own: the
 * buffer for a name that is no known column's, METRIC_NAMED then; NULL: only known ones. */
int objective_parse(const struct json *v, enum metric *metric, char own[METRIC_NAME_MAX],
                    bool *maximize, struct errbuf *err);
void objective_write(const char *name, bool maximize, struct json_writer *w);

#endif
