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
    free(s->ends);
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
    free(t->unreadable);
    t->broken = t->unreadable = NULL;
}

static void tail_break(struct tail *t, const char *why)
{
    if (t->broken)
        return;
    t->broken = xstrdup(why);
    log_warn("run %" PRId64 ": run.jsonl: %s", t->run_id, why);
}

bool tail_inherited_damage(const struct tail *t)
{
    return t->broken && t->whole_bytes < t->dir.kept;
}

/* --- lines ----------------------------------------------------------------------------------- */

static void keep_point(struct tail *t, const struct point *point)
{
    struct tail_scratch *s = t->scratch;
    s->points = array_room(s->points, &s->point_cap, s->point_count, sizeof(*s->points));
    s->ends = array_room(s->ends, &s->end_cap, s->point_count, sizeof(*s->ends));
    s->ends[s->point_count] = rundir_at(&t->dir);
    s->points[s->point_count++] = *point;
    t->share -= 1;
}

/* They belong to the point before them, and are kept or cut with it. */
static void keep_layers(struct tail *t, struct record *r)
{
    struct tail_scratch *s = t->scratch;
    s->layers =
        array_room(s->layers, &s->layers_cap, s->layers_count, sizeof(struct layer_stats *));
    s->layers[s->layers_count++] = r->u.layers;
    r->u.layers = NULL;
    if (s->point_count > 0)
        s->ends[s->point_count - 1] = rundir_at(&t->dir);
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

/* All that was kept so far. end: of the last line that nothing is wrong with. */
static void give_points(struct tail *t, int64_t end)
{
    struct tail_scratch *s = t->scratch;
    struct engine *engine = t->site->engine;
    struct loop *loop = t->site->loop;
    size_t count = s->point_count, taken = 0;
    if (count > 0)
        taken =
            engine_run_points(engine, t->run_id, s->points, count, loop_now(), loop_effects(loop));
    if (taken < count)
        end = taken > 0 ? s->ends[taken - 1] : t->whole_bytes;
    if (!t->refused)
        t->whole_bytes = end;
    t->refused |= taken < count;
    if (t->refused)
        tail_break(t, "its points do not go on from those before");
    s->point_count = 0;
    give_metrics(t);
    for (size_t i = 0; i < s->layers_count; i++) {
        engine_run_layers(engine, t->run_id, s->layers[i], loop_effects(loop));
        free(s->layers[i]);
    }
    s->layers_count = 0;
}

static void take_start(struct tail *t, const struct record *r, int64_t begin)
{
    give_points(t, begin); /* those before it */
    t->introduced = true;
    t->start = r->u.start;
    t->has_result = false; /* it goes on behind a rung */
    if (t->start.anew)
        engine_run_anew(t->site->engine, t->run_id, loop_effects(t->site->loop));
    engine_run_start_line(t->site->engine, t->run_id, &t->start);
}

/* A result is the last line, but for the start of the worker that goes on behind a rung. */
static bool may_follow(const struct tail *t, const struct record *r)
{
    return !t->has_result || (t->result.status == RUN_PAUSED && r->type == RECORD_START);
}

/* begin: of the line in the file. */
static void take_line(struct tail *t, const char *line, size_t len, int64_t begin)
{
    struct record r;
    struct errbuf err;
    char why[640];
    if (len > RECORD_LINE_MAX) {
        tail_break(t, "a line is longer than allowed");
        return;
    }
    if (record_parse(line, len, &r, &err) < 0) {
        record_explain(line, len, &err, why, sizeof(why));
        tail_break(t, why);
        return;
    }
    if (!may_follow(t, &r))
        tail_break(t, "a line follows the result");
    else if (r.type == RECORD_START)
        take_start(t, &r, begin);
    else if (r.type == RECORD_POINT)
        keep_point(t, &r.u.point), keep_metrics(t->scratch, &r);
    else if (r.type == RECORD_LAYERS)
        keep_layers(t, &r);
    else if (r.type == RECORD_RESULT)
        t->result = r.u.result, t->has_result = true;
    else
        tail_break(t, "a line that only --prepare prints");
    record_finish(&r);
}

static void take_lines(struct tail *t)
{
    const char *line;
    size_t len;
    int64_t begin = rundir_at(&t->dir);
    while (!t->broken && rundir_line(&t->dir, &line, &len)) {
        take_line(t, line, len, begin);
        if (!t->broken)
            begin = rundir_at(&t->dir);
    }
    if (!t->broken && rundir_rest(&t->dir) > RECORD_LINE_MAX)
        tail_break(t, "a line is longer than allowed");
    give_points(t, begin);
}

/* --- how much -------------------------------------------------------------------------------- */

static bool has_share(struct tail *t, uint64_t now_ms)
{
    if (t->share_ms == 0)
        t->share = TAIL_POINTS_AT_ONCE;
    else if (now_ms > t->share_ms)
        t->share += (double)(now_ms - t->share_ms) * TAIL_POINTS_PER_SECOND / 1000;
    if (t->share > TAIL_POINTS_AT_ONCE)
        t->share = TAIL_POINTS_AT_ONCE;
    t->share_ms = now_ms > 0 ? now_ms : 1;
    if (t->share > 0)
        return true;
    if (!t->held_back)
        site_note(t->site, t->run_id, "points_held_back",
                  "its worker reports more than %d points a second: the others wait in run.jsonl, "
                  "and none is lost",
                  TAIL_POINTS_PER_SECOND);
    t->held_back = true;
    return false;
}

/* It may be readable again in a moment: the worker knows nothing of it. */
static void note_unreadable(struct tail *t, const char *why, uint64_t now_ms)
{
    if (t->unreadable)
        return;
    t->unreadable = xstrdup(why);
    t->unreadable_ms = now_ms;
    site_note(t->site, t->run_id, "run_file_unreadable", "%s; it is tried again", why);
}

enum tail_end tail_read(struct tail *t, uint64_t now_ms)
{
    struct errbuf err;
    if (t->broken)
        return TAIL_WHOLE;
    if (t->site->congested(t->site->arg) || !has_share(t, now_ms))
        return TAIL_LATER;
    int n = rundir_read(&t->dir, &err);
    if (n < 0) {
        note_unreadable(t, err.message, now_ms);
        return TAIL_LATER;
    }
    free(t->unreadable);
    t->unreadable = NULL;
    take_lines(t);
    return n < RUNDIR_READ_BYTES || t->broken ? TAIL_WHOLE : TAIL_MORE;
}
