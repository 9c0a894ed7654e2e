#include "tests/unit/engine/replayed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"

static int read_curve(void *arg, int64_t run_id, struct replay_curve *out, struct errbuf *err)
{
    const struct fake_store *s = arg;
    for (size_t i = 0; i < s->point_count; i++) {
        if (s->points[i].run_id != run_id)
            continue;
        out->points = array_room(out->points, &out->cap, out->count, sizeof(*out->points));
        out->points[out->count++] = s->points[i].p;
    }
    return 0;
}

static size_t read_decisions(const struct fake_store *s, int64_t sweep_id,
                             struct replay_decision *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->decision_count; i++) {
        const struct fake_decision *d = &s->decisions[i];
        if (d->sweep_id == sweep_id)
            out[n++] =
                (struct replay_decision){d->id, d->run_id, d->kind, d->reason, d->detail_json};
    }
    return n;
}

int world_replay(const struct world *w, int64_t sweep_id, struct replay_report *out,
                 struct errbuf *err)
{
    struct replay_source in = {.read = read_curve, .arg = (void *)(uintptr_t)&w->store};
    fake_store_ended(&w->store, sweep_id, &in.rows);
    in.decisions = xcalloc(w->store.decision_count + 1, sizeof(*in.decisions));
    in.count = read_decisions(&w->store, sweep_id, in.decisions);
    int rc = engine_replay(&in, out, err);
    free(in.decisions);
    fake_restored_finish(&in.rows);
    return rc;
}

size_t assert_replays(const struct world *w, int64_t sweep_id)
{
    struct replay_report r;
    struct errbuf err = {0};
    size_t stored = 0;
    if (world_replay(w, sweep_id, &r, &err) != 0)
        fail_msg("%s", err.message);
    if (r.differs)
        fail_msg("run %lld: %s: stored %s, again %s", (long long)r.run_id, r.what, r.stored,
                 r.again);
    for (size_t i = 0; i < w->store.decision_count; i++)
        stored += w->store.decisions[i].sweep_id == sweep_id;
    assert_int_equal(r.decisions, stored);
    replay_report_finish(&r);
    return stored;
}
