#include "daemon/store/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/bind.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#define LOG_MODULE "store"
#include "sweep/log.h"

/* What a metric has already at that point. */
static int get_metric(struct store_sql *q, int64_t run_id, const struct metric_row *m,
                      double *out)
{
    sqlite3_stmt *st = q->statements[STATEMENT_GET_METRIC];

    bind_int(st, 1, run_id);
    bind_int(st, 2, m->point);
    bind_text(st, 3, m->metric.name);
    *out = sqlite3_step(st) == SQLITE_ROW ? store_sql_real(st, 0) : NAN;
    return sqlite3_reset(st);
}

/* Like a point, a value that is there already must be the same to the bit. */
static int compare_metric(struct store_sql *q, int64_t run_id, const struct metric_row *m,
                          bool *differs)
{
    char was[32], is[32];
    double stored, given = m->metric.value;
    int rc = get_metric(q, run_id, m, &stored);

    if (rc != SQLITE_OK || *differs || (isnan(stored) && isnan(given)) ||
        memcmp(&stored, &given, sizeof(stored)) == 0)
        return rc;
    *differs = true;
    json_format_real(stored, was);
    json_format_real(given, is);
    log_warn("run %lld: a metric of point %lld was delivered twice with different values",
             (long long)run_id, (long long)m->point);
    char *detail = xasprintf("stored: point %" PRId64 ", %s = %s; delivered again: %s", m->point,
                             m->metric.name, was, is);
    rc = store_sql_event(q, &(struct event_row){.run_id = run_id,
                                                .kind = "nondeterminism",
                                                .detail = detail,
                                                .created = store_clock()});
    free(detail);
    return rc;
}

int store_metrics_put(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_ADD_METRIC];
    const struct metrics_rows *rows = op->u.metrics;
    bool differs = false; /* one event for all of the op */
    int rc = SQLITE_OK;

    bind_int(st, 1, rows->run_id);
    for (size_t i = 0; i < rows->count && rc == SQLITE_OK; i++) {
        const struct metric_row *m = &rows->rows[i];
        bind_int(st, 2, m->point);
        bind_text(st, 3, m->metric.name);
        bind_maybe(st, 4, maybe(true, m->metric.value));
        rc = store_sql_run(st);
        if (rc == SQLITE_OK && sqlite3_changes(q->db) == 0)
            rc = compare_metric(q, rows->run_id, m, &differs);
    }
    return rc;
}
