/* The "metric" object: what a run is ranked by, and which way is better. Private to common/. */
#ifndef SWEEP_COMMON_OBJECTIVE_H
#define SWEEP_COMMON_OBJECTIVE_H

#include <stdbool.h>

#include "sweep/curve.h"

/* "metric": {"name", "goal"}; the goal defaults to what the metric asks for (losses down). own: the
 * buffer for a name that is no known column's, METRIC_NAMED then; NULL: only known ones. */
int objective_parse(const struct json *v, enum metric *metric, char own[METRIC_NAME_MAX],
                    bool *maximize, struct errbuf *err);
/* Is more of it better, by the part of a name that says so? -1: none does. */
int metric_hint(const char *name);
/* 1: to be maximized, as its name says; 0: minimized; -1: it does not say. */
int objective_usual_goal(const char *name);
void objective_write(const char *name, bool maximize, struct json_writer *w);

#endif
