#include "daemon/plan/deadline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/plan/finalists.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/space.h"

#define PACES_MAX 200 /* of the last runs: more say no more */
#define RUNS_MAX 1000 /* likewise, of their whole length */
#define NEAR 0.15     /* of a dimension's range: as far as a run's pace says much of another's */

/* --- what was measured ----------------------------------------------------------------------- */

static bool is_measured(const struct trial *t)
{
    return t->pace > 0 && isfinite(t->pace);
}

static double distance(const struct space *s, const struct assignment *a,
                       const struct assignment *b)
{
    double sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct dimension *d = &s->dimensions[i];
        bool here = space_has(a, i), there = space_has(b, i);
        if (here != there)
            sum += 1;
        if (!here || !there)
            continue;
        double step = d->type == VALUE_CHOICE
                          ? (double)(a->v[i] != b->v[i])
                          : dimension_position(d, a->v[i]) - dimension_position(d, b->v[i]);
        sum += step * step;
    }
    return sum;
}

/* Paces differ by factors: their logarithms are averaged. Those of the configuration itself say
 * all; where all others are far, the nearest of them does. */
double deadline_pace(const struct study *st, const struct assignment *at)
{
    const struct trial *of[PACES_MAX];
    double d[PACES_MAX], nearest = INFINITY, sum = 0, weight = 0;
    size_t n = 0;
    for (size_t i = st->all_count; i-- > 0 && n < PACES_MAX;) {
        if (!is_measured(st->all[i]))
            continue;
        of[n] = st->all[i];
        d[n] = distance(st->space, at, &of[n]->at);
        nearest = d[n] < nearest ? d[n] : nearest;
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        double w = exp((nearest - d[i]) / (2 * NEAR * NEAR));
        w = nearest > 0 || d[i] == 0 ? w : 0;
        sum += w * log(of[i]->pace);
        weight += w;
    }
    return n > 0 ? exp(sum / weight) : NAN;
}

double deadline_run_seconds(const struct study *st)
{
    double ended = 0, running = 0;
    size_t ends = 0, runs = 0;
    for (size_t i = st->all_count; i-- > 0 && ends < RUNS_MAX;) {
        const struct trial *t = st->all[i];
        if (t->seconds > 0 && (t->status == RUN_COMPLETED || t->status == RUN_STOPPED)) {
            ended += t->seconds;
            ends++;
        } else if (is_measured(t) && !run_status_terminal(t->status)) {
            running += t->pace * (double)(st->perturb > 0 ? st->perturb : t->epochs);
            runs++;
        }
    }
    if (ends > 0)
        return ended / (double)ends;
    return runs > 0 ? running / (double)runs : NAN;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Rounds of the last runs begin one after the other. */
static double rounds_seconds(const struct deadline_plan *p, int64_t last)
{
    size_t of_round, waves = 0, workers = (size_t)p->workers;
    for (size_t begun = 0; begun < (size_t)last;) {
        size_t size = finalists_round((size_t)last, begun, &of_round);
        size_t n = size < (size_t)last - begun ? size : (size_t)last - begun;
        waves += (n + workers - 1) / workers;
        begun += n;
    }
    return (double)waves * p->seconds;
}

/* Of those that are not begun yet. */
static double last_seconds(const struct deadline_plan *p, int64_t last)
{
    return rounds_seconds(p, last > p->along ? last - p->along : 0);
}

static int64_t fitting(const struct deadline_plan *p, double reserve)
{
    double room = (double)p->workers * (p->left - reserve) - p->busy;
    double runs = floor(room / p->seconds), most = (double)(p->run_cap - p->begun);
    if (p->left - reserve < p->seconds) /* on none of them alone */
        return 0;
    return runs < 0 || !(most > 0) ? 0 : (int64_t)(runs < most ? runs : most);
}

/* The most that fit into their share of the time; never one, by which nothing could be chosen. */
static int64_t last_fitting(const struct deadline_plan *p)
{
    double share = (double)p->last / (double)(p->run_cap + p->skipped + p->last) * p->window;
    int64_t low = 0, high = p->last;
    while (low < high) {
        int64_t mid = high - (high - low) / 2;
        if (rounds_seconds(p, mid) <= share && last_seconds(p, mid) <= p->left)
            low = mid;
        else
            high = mid - 1;
    }
    return low > 1 ? low : 0;
}

void deadline_plan_judge(struct deadline_plan *p)
{
    p->runs = p->run_cap;
    p->last_runs = p->last;
    if (!(p->left > 0)) {
        p->runs = p->begun;
        p->last_runs = 0;
    }
    p->reserve = 0;
    if (!(p->left > 0) || !(p->seconds > 0))
        return;
    p->reserve = last_seconds(p, p->last);
    if (p->begun + fitting(p, p->reserve) >= p->run_cap && p->reserve <= p->left)
        return;
    p->last_runs = last_fitting(p);
    p->reserve = last_seconds(p, p->last_runs);
    p->runs = p->begun + fitting(p, p->reserve);
}

void deadline_plan_reason(const struct deadline_plan *p, char out[DEADLINE_REASON_MAX])
{
    if (!(p->left > 0))
        snprintf(out, DEADLINE_REASON_MAX,
                 "the deadline has passed: %" PRId64 " of %" PRId64 " runs were begun", p->begun,
                 p->run_cap + p->last);
    else
        snprintf(out, DEADLINE_REASON_MAX,
                 "%.6g s are left, and a run takes %.3g s on each of %" PRId64 " workers: time for "
                 "%" PRId64 " of %" PRId64 " runs, and for %" PRId64 " of %" PRId64
                 " other seeds of the best",
                 p->left, p->seconds, p->workers, p->runs, p->run_cap, p->last_runs, p->last);
}

void deadline_plan_write(const struct deadline_plan *p, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "runs", p->runs);
    jw_kv_int(w, "last_runs", p->last_runs);
    jw_kv_real(w, "left", p->left);
    jw_kv_real(w, "window", p->window);
    if (p->seconds > 0)
        jw_kv_real(w, "seconds", p->seconds);
    jw_kv_real(w, "busy", p->busy);
    jw_kv_int(w, "workers", p->workers);
    jw_kv_int(w, "planned", p->planned);
    jw_kv_int(w, "begun", p->begun);
    jw_kv_int(w, "run_cap", p->run_cap);
    jw_kv_int(w, "skipped", p->skipped);
    jw_kv_int(w, "last", p->last);
    if (p->along > 0)
        jw_kv_int(w, "along", p->along);
    jw_end_object(w);
}

/* Bytes from the database are not trusted. */
static bool is_sound(const struct deadline_plan *p)
{
    return isfinite(p->left) && isfinite(p->window) && isfinite(p->busy) && p->workers > 0 &&
           p->begun >= 0 && p->planned >= 0 && p->run_cap >= 0 && p->last >= 0 &&
           p->skipped >= 0 && p->skipped < INT32_MAX &&
           p->along >= 0 && p->along < INT32_MAX &&
           p->run_cap < INT32_MAX && p->last < INT32_MAX;
}

bool deadline_plan_read(const char *text, struct deadline_plan *out)
{
    struct errbuf why;
    struct deadline_plan p = {.seconds = NAN};
    struct json *v = text != NULL ? json_parse(text, strlen(text), &why) : NULL;
    bool read = v != NULL && json_get_real(v, "left", &p.left, &why) == 0 &&
                json_get_real(v, "window", &p.window, &why) == 0 &&
                json_get_real(v, "busy", &p.busy, &why) == 0 &&
                json_get_int64(v, "workers", &p.workers, &why) == 0 &&
                json_get_int64(v, "planned", &p.planned, &why) == 0 &&
                json_get_int64(v, "begun", &p.begun, &why) == 0 &&
                json_get_int64(v, "run_cap", &p.run_cap, &why) == 0 &&
                json_get_int64(v, "skipped", &p.skipped, &why) == 0 &&
                json_get_int64(v, "last", &p.last, &why) == 0;
    if (read && json_get(v, "seconds") != NULL)
        read = json_get_real(v, "seconds", &p.seconds, &why) == 0;
    if (read && json_get(v, "along") != NULL)
        read = json_get_int64(v, "along", &p.along, &why) == 0;
    json_destroy(v);
    if (!read || !is_sound(&p))
        return false;
    deadline_plan_judge(&p);
    *out = p;
    return true;
}

void deadline_shrink(struct study *st, const struct deadline_plan *p, size_t had)
{
    size_t runs = (size_t)p->runs > had ? (size_t)p->runs : had, last = (size_t)p->last_runs;
    if (runs < st->run_cap) {
        st->kept = st->kept * runs / st->run_cap; /* their share of what is left */
        st->run_cap = runs;
    }
    if (last < st->last)
        st->last = last;
    st->budget = st->run_cap - st->kept;
}

/* --- a run ----------------------------------------------------------------------------------- */

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

bool deadline_skips(const struct deadline_run *r, char reason[DEADLINE_REASON_MAX])
{
    double seconds = r->pace * (double)r->epochs;
    if (!(r->left > 0))
        snprintf(reason, DEADLINE_REASON_MAX, "the deadline has passed");
    else if (r->places > 0 && r->place > r->places)
        snprintf(reason, DEADLINE_REASON_MAX,
                 "its stage has time for %" PRId64 " run%s before the deadline, and it is "
                 "the one after %" PRId64,
                 r->places, plural(r->places), r->place - 1);
    else if (seconds > r->left - r->reserve)
        snprintf(reason, DEADLINE_REASON_MAX,
                 "%" PRId64 " epoch%s of %.3g s take longer than the %.6g s left for it "
                 "before the deadline",
                 r->epochs, plural(r->epochs), r->pace,
                 r->left > r->reserve ? r->left - r->reserve : 0);
    else
        return false;
    return true;
}

void deadline_run_write(const struct deadline_run *r, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_real(w, "left", r->left);
    jw_kv_real(w, "reserve", r->reserve);
    if (isfinite(r->pace))
        jw_kv_real(w, "seconds_per_epoch", r->pace);
    jw_kv_int(w, "epochs", r->epochs);
    if (r->places > 0) {
        jw_kv_int(w, "place", r->place);
        jw_kv_int(w, "places", r->places);
    }
    jw_end_object(w);
}

bool deadline_run_read(const char *text, struct deadline_run *out)
{
    struct errbuf why;
    struct deadline_run r = {.pace = NAN};
    struct json *v = text != NULL ? json_parse(text, strlen(text), &why) : NULL;
    bool read = v != NULL && json_get_real(v, "left", &r.left, &why) == 0 &&
                json_get_real(v, "reserve", &r.reserve, &why) == 0 &&
                json_get_int64(v, "epochs", &r.epochs, &why) == 0;
    if (read && json_get(v, "seconds_per_epoch") != NULL)
        read = json_get_real(v, "seconds_per_epoch", &r.pace, &why) == 0;
    if (read && json_get(v, "places") != NULL)
        read = json_get_int64(v, "place", &r.place, &why) == 0 &&
               json_get_int64(v, "places", &r.places, &why) == 0;
    json_destroy(v);
    if (read)
        *out = r;
    return read;
}
