/* Table metrics: what a program reported at a point by names of its own. Store thread only. */
#ifndef SWEEPD_STORE_METRICS_H
#define SWEEPD_STORE_METRICS_H

#include "daemon/store/sql.h"

/* STORE_PUT_METRICS. SQLite result code. */
int store_metrics_put(struct store_sql *q, const struct store_op *op);

#endif
