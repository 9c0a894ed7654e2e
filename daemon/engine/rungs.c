/* Runs at rungs: whether they go on (daemon/plan/stop). */
#include "daemon/engine/private.h"
#include "daemon/plan/stop/stop.h"

static void decide(struct engine *e, struct run *r, const struct study *st, utc_us now,
                   struct effects *fx)
{
    struct rung_verdict v;
    struct sweep *s = r->sweep;
    const struct trial *t = s->trials[r->index];
    stop_decide(st, t, &v);
    if (v.verdict == VERDICT_WAIT)
        return;
    rung_decided(r, v.verdict == VERDICT_STOP ? DECISION_STOPPED : DECISION_PROMOTED, &v, fx);
    if (v.verdict == VERDICT_STOP)
        run_stop(e, r, v.reason, now, fx);
    else
        run_continue(r, stop_next_rung(&s->spec.stop, t->number,
                                       t->rungs[t->rung_count - 1].epoch, r->row->epochs),
                     now, fx);
}

void rungs_decide(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    if (s->spec.stop.rule == STOP_NONE || sweep_status_terminal(s->row->status))
        return;
    const struct study st = sweep_study(s);
    for (size_t i = 0; i < s->live_count;) { /* those that are stopped leave the list */
        struct run *r = s->live[i];
        if (run_at_rung(r) && s->trials[r->index]->rung_count > 0)
            decide(e, r, &st, now, fx);
        i += i < s->live_count && s->live[i] == r;
    }
}
