/* How fast it goes, and how long it will take. */
#include "client/screen/model.h"

#include <math.h>

double model_rate(const struct model *m, int64_t now_us)
{
    size_t held = m->end_count < MODEL_RATE_ENDS ? m->end_count : MODEL_RATE_ENDS, n = 0;
    int64_t first = now_us;
    for (size_t i = 0; i < held; i++) {
        if (m->ends[i] <= now_us - MODEL_RATE_US)
            continue;
        n++;
        first = m->ends[i] < first ? m->ends[i] : first;
    }
    /* Of a full ring only what it spans is known. */
    double told = fmin((double)MODEL_RATE_US, (double)(now_us - m->since_us));
    double span = n == MODEL_RATE_ENDS ? (double)(now_us - first) : told;
    return span > 0 ? (double)n / (span / 1e6) : 0;
}

double model_epoch_seconds(const struct model *m, const struct model_sweep *s)
{
    double seconds = 0, epochs = 0, live_us = 0, live = 0;
    for (size_t i = 0; i < m->run_count; i++) {
        const struct model_run *r = &m->runs[i];
        if (r->sweep != s->id)
            continue;
        if (model_run_over(r) && isfinite(r->seconds) && isfinite(r->epoch)) {
            seconds += r->seconds;
            epochs += r->epoch;
        } else if (r->running && r->last_us > r->first_us) {
            live_us += (double)(r->last_us - r->first_us);
            live += r->epoch - r->first_epoch;
        }
    }
    if (epochs > 0)
        return seconds / epochs;
    if (s->train_epochs > 0)
        return s->train_seconds / s->train_epochs;
    return live > 0 ? live_us / 1e6 / live : NAN;
}

double model_eta(const struct model *m, const struct model_sweep *s)
{
    double left = 0, epochs = 0, over = 0;
    double speed = model_epoch_seconds(m, s);
    for (size_t i = 0; i < m->run_count; i++) {
        const struct model_run *r = &m->runs[i];
        if (r->sweep != s->id)
            continue;
        if (r->running)
            left += fmax(0, r->epochs - (isnan(r->epoch) ? 0 : r->epoch));
        if (model_run_over(r) && isfinite(r->epoch)) {
            epochs += r->epoch;
            over++;
        }
    }
    /* Runs to come train as long as those that ended did: rules may stop them early. */
    double each = over > 0 ? epochs / over : s->epochs;
    double to_come = (double)(s->run_cap - s->done - s->running);
    left += fmax(0, to_come) * each;
    double workers = (double)(m->workers > 0 ? m->workers : 1);
    return s->over ? 0 : left * speed / workers;
}
