#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/json.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

void world_submit_spec(struct world *w, struct spec *s, const struct record_prepared *p,
                       const struct enqueued *first)
{
    struct submission in = {
        .spec = s, .prepared = p, .known = &(struct remedy_prior){0}, .first = first};
    engine_submit(w->engine, &in, NULL, w->now, &w->fx);
}

void world_submit(struct world *w, const char *method, const char *parameters, int64_t run_cap,
                  uint64_t seed, const char *more)
{
    struct spec s;
    struct record_prepared p = {.hash = "abc", .samples = 100, .features = 4, .classes = 2,
                                .target = "kind", .note_count = 1,
                                .notes = {{"data.task", "two names"}}};
    spec_make_with(&s, method, parameters, run_cap, seed, more);
    world_submit_spec(w, &s, &p, NULL);
    assert_int_equal(s.space.count, 0); /* taken over */
}

void world_grid(struct world *w, const char *parameters, const char *more)
{
    world_submit(w, "grid", parameters, 1000, 1, more);
    world_settle(w);
}

void world_end(struct world *w, int64_t run_id, struct run_exit x)
{
    for (size_t i = 0; i < w->worker_count; i++)
        if (w->workers[i].run_id == run_id)
            w->workers[i] = w->workers[--w->worker_count];
    engine_run_ended(w->engine, run_id, &x, w->now, &w->fx);
    world_settle(w);
}

void world_enqueue(struct world *w, int64_t sweep_id, const char *params)
{
    struct errbuf err;
    struct json *v = json_parse(params, strlen(params), &err);
    assert_non_null(v);
    engine_enqueue(w->engine, sweep_id, v, NULL, w->now, &w->fx);
    json_destroy(v);
}

struct point point_at(int64_t number, double val_loss)
{
    struct point p = {.point = number, .epoch = (double)number};
    point_set(&p, CURVE_TRAIN_LOSS, 0.5);
    point_set(&p, CURVE_VAL_LOSS, val_loss);
    return p;
}

void world_tell(struct world *w, int64_t run_id, int64_t number, double val_loss)
{
    struct point p = point_at(number, val_loss);
    engine_run_points(w->engine, run_id, &p, 1, w->now, &w->fx);
}

size_t world_events(const struct world *w, int64_t run_id, const char *kind, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.event_count; i++) {
        const struct fake_event *e = &w->store.events[i];
        n += e->run_id == run_id && strcmp(e->kind, kind) == 0 && strstr(e->detail, text) != NULL;
    }
    return n;
}

void world_submit_finding(struct world *w, const char *kind, const char *on_nan)
{
    struct spec s;
    struct record_prepared p = {.hash = "abc", .finding_count = 2};
    snprintf(p.findings[0].kind, sizeof(p.findings[0].kind), "constant_column");
    p.findings[1] = (struct record_finding){.row = 3, .column = 5, .count = 17};
    snprintf(p.findings[1].kind, sizeof(p.findings[1].kind), "%s", kind);
    spec_make(&s, "grid", SIX_DEPTHS, 10, 1);
    s.trainer.fixed.v[SETTING_ON_NAN] = strcmp(on_nan, "drop") == 0 ? ON_NAN_DROP : ON_NAN_HOLD;
    world_submit_spec(w, &s, &p, NULL);
    world_settle(w);
}
