/* What a run has come to so far, by the client that carries it out; and whether it goes on. */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/metrics.h"
#include "sweep/reported_point.h"

#define REPORT_POINTS_MAX 1000

enum { RUN_PARAM, LEASE_PARAM, POINTS_PARAM };

struct reported {
    size_t count;
    struct point_metrics *points[REPORT_POINTS_MAX];
};

static int read_points(const struct json *list, struct reported *out, struct errbuf *err)
{
    char path[32];
    int rc = 0;
    if (list != NULL && json_count(list) > REPORT_POINTS_MAX)
        return err_bad(err, ERR_LIMIT, "$.points", NULL, "at most %d points at a time",
                       REPORT_POINTS_MAX);
    for (const struct json *v = list ? json_first(list) : NULL; v && !rc; v = json_next(v)) {
        snprintf(path, sizeof(path), "$.points[%zu]", out->count);
        rc = reported_point_parse(v, path, &out->points[out->count], err);
        out->count += rc == 0;
    }
    return rc;
}

static void run(struct request *r)
{
    struct daemon *d = r->daemon;
    struct reported *in = xcalloc(1, sizeof(*in));
    struct errbuf err = {0};
    if (read_points(r->given[POINTS_PARAM] ? r->object : NULL, in, &err) != 0)
        request_error(r, &err);
    else
        engine_report(d->engine,
                      &(struct lease_report){r->arg[RUN_PARAM], r->word, in->points, in->count},
                      request_token(r), loop_now(), loop_effects(&d->loop));
    for (size_t i = 0; i < in->count; i++)
        free(in->points[i]);
    free(in);
}

const struct command command_report = {
    .name = "report",
    .params = {PARAM_RUN(true),
               {"lease", PARAM_WORD, true, 0, 0, 0},
               {"points", PARAM_ARRAY, false, 0, 0, 0}},
    .run = run,
};
