#include "daemon/launch/tail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/engine.h"
#include "daemon/launch/site.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"

#define LOG_MODULE "tail"

void tail_scratch_finish(struct tail_scratch *s)
{
    free(s->points);
    free(s->layers);
    free(s->metrics);
    memset(s, 0, sizeof(*s));
}

void tail_init(struct tail *t, const struct launch_site *site, struct tail_scratch *scratch,
               int64_t run_id)
{
    memset(t, 0, sizeof(*t));
    t->site = site;
    t->scratch = scratch;
    t->run_id = run_id;
    rundir_init(&t->dir);
}

void tail_finish(struct tail *t)
{
    rundir_close(&t->dir);
    free(t->broken);
    t->broken = NULL;
}

static void tail_break(struct tail *t, const char *why)
{
    if (t->broken)
        return;
    t->broken = xstrdup(why);
    log_warn("run %" PRId64 ": run.jsonl: %s", t->run_id, why);
}

static void keep_point(struct tail_scratch *s, const struct point *point)
{
    s->points = array_room(s->points, &s->point_cap, s->point_count, sizeof(*s->points));
    s->points[s->point_count++] = *point;
}

static void keep_layers(struct tail_scratch *s, struct record *r)
{
    s->layers =
        array_room(s->layers, &s->layers_cap, s->layers_count, sizeof(struct layer_stats *));
    s->layers[s->layers_count++] = r->u.layers;
    r->u.layers = NULL;
}

static void keep_metrics(struct tail_scratch *s, struct record *r)
{
    if (r->metrics == NULL)
        return;
    s->metrics = array_room(s->metrics, &s->metrics_cap, s->metrics_count,
                            sizeof(struct point_metrics *));
    s->metrics[s->metrics_count++] = r->metrics;
    r->metrics = NULL;
}

static void give_metrics(struct tail *t)
{
    struct tail_scratch *s = t->scratch;
    if (s->metrics_count > 0)
        engine_run_metrics(t->site->engine, t->run_id, s->metrics, s->metrics_count,
                           loop_effects(t->site->loop));
    for (size_t i = 0; i < s->metrics_count; i++)
        free(s->metrics[i]);
    s->metrics_count = 0;
}

static void give_points(struct tail *t)
{
    struct tail_scratch *s = t->scratch;
    struct engine *engine = t->site->engine;
    struct loop *loop = t->site->loop;
    if (s->point_count > 0)
        engine_run_points(engine, t->run_id, s->points, s->point_count, loop_now(),
                          loop_effects(loop));
    s->point_count = 0;
    give_metrics(t);
    for (size_t i = 0; i < s->layers_count; i++) {
        engine_run_layers(engine, t->run_id, s->layers[i], loop_effects(loop));
        free(s->layers[i]);
    }
    s->layers_count = 0;
}

static void take_start(struct tail *t, const struct record *r)
{
    give_points(t); /* those before it */
    t->introduced = true;
    t->start = r->u.start;
    t->has_result = false; /* it goes on behind a rung */
    engine_run_start_line(t->site->engine, t->run_id, &t->start);
}

/* A result is the last line, but for the start of the worker that goes on behind a rung. */
static bool may_follow(const struct tail *t, const struct record *r)
{
    return !t->has_result || (t->result.status == RUN_PAUSED && r->type == RECORD_START);
}

static void take_line(struct tail *t, const char *line, size_t len)
{
    struct record r;
    struct errbuf err;
    if (len > RECORD_LINE_MAX) {
        tail_break(t, "a line is longer than allowed");
        return;
    }
    if (record_parse(line, len, &r, &err) < 0) {
        tail_break(t, err.message);
        return;
    }
    if (!may_follow(t, &r))
        tail_break(t, "a line follows the result");
    else if (r.type == RECORD_START)
        take_start(t, &r);
    else if (r.type == RECORD_POINT)
        keep_point(t->scratch, &r.u.point), keep_metrics(t->scratch, &r);
    else if (r.type == RECORD_LAYERS)
        keep_layers(t->scratch, &r);
    else if (r.type == RECORD_RESULT)
        t->result = r.u.result, t->has_result = true;
    else
        tail_break(t, "a line that only --prepare prints");
    record_finish(&r);
}

bool tail_read(struct tail *t)
{
    struct errbuf err;
    int n = 1;
    while (n > 0 && !t->broken) {
        if (t->site->congested(t->site->arg))
            return false;
        const char *line;
        size_t len;
        n = rundir_read(&t->dir, &err);
        if (n < 0)
            tail_break(t, err.message);
        while (!t->broken && rundir_line(&t->dir, &line, &len))
            take_line(t, line, len);
        if (!t->broken && rundir_rest(&t->dir) > RECORD_LINE_MAX)
            tail_break(t, "a line is longer than allowed");
        give_points(t);
    }
    return true;
}
