#include "daemon/causes/run_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/stats.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define END_POINTS 9   /* most that count as "the end" */
#define NOISE_POINTS 512

/* --- while the run goes on ------------------------------------------------------------------ */

static void facts_clear(struct run_facts *f)
{
    *f = (struct run_facts){.pattern = PATTERN_NONE};
#define X(member, doc) f->member = NAN;
    RUN_FACT_MAP(X)
#undef X
}

void run_facts_begin(struct run_facts_gather *g)
{
    *g = (struct run_facts_gather){.stride = 1};
    facts_clear(&g->facts);
}

static double median_of_ratios(const struct layer_stats *s)
{
    double a[LAYER_STATS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (isfinite(s->layers[i].update_ratio))
            a[n++] = s->layers[i].update_ratio;
    }
    return n > 0 ? stats_median(a, n) : NAN;
}

/* Of the first layer's gradient to the last's. 0/0 is a gradient that died altogether. */
static double ratio_of_ends(const struct layer_stats *s)
{
    if (s->count < 2)
        return NAN;
    double first = s->layers[0].grad_norm, last = s->layers[s->count - 1].grad_norm;
    return first == 0 && last >= 0 ? 0 : first / last;
}

static double largest_share(const struct layer_stats *s, size_t member)
{
    double most = NAN;
    for (size_t i = 0; i < s->count; i++)
        most = fmax(most, *(const double *)((const char *)&s->layers[i] + member));
    return most;
}

/* Every stride-th point's values are kept; when there is no room every second of them goes. */
static void keep_ratios(struct run_facts_gather *g, double grad, double update)
{
    if (g->seen++ % g->stride != 0)
        return;
    if (g->kept == RUN_FACTS_KEPT) {
        for (size_t i = 0; i < RUN_FACTS_KEPT / 2; i++) {
            g->grad_ratio[i] = g->grad_ratio[2 * i];
            g->update_ratio[i] = g->update_ratio[2 * i];
        }
        g->kept /= 2;
        g->stride *= 2;
        if ((g->seen - 1) % g->stride != 0)
            return;
    }
    g->grad_ratio[g->kept] = grad;
    g->update_ratio[g->kept++] = update;
}

void run_facts_layers(struct run_facts_gather *g, const struct layer_stats *s)
{
    if (s->count == 0 || s->point <= g->last_point)
        return;
    double update = median_of_ratios(s);
    g->facts.dead = largest_share(s, offsetof(struct layer_stat, dead));
    g->facts.saturated = largest_share(s, offsetof(struct layer_stat, saturated));
    if (g->last_point == 0) {
        g->facts.first_dead = g->facts.dead;
        g->facts.first_update_ratio = update;
    }
    g->last_point = s->point;
    keep_ratios(g, ratio_of_ends(s), update);
}

/* --- at its end ----------------------------------------------------------------------------- */

static double median_of_finite(const double *from, size_t n)
{
    double a[RUN_FACTS_KEPT];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(from[i]))
            a[count++] = from[i];
    }
    return count > 0 ? stats_median(a, count) : NAN;
}

/* One column of the points. */
struct column {
    double first, mid, least, most, end; /* of finite values; NAN: there are none */
    size_t least_at;
};

/* Median of the last points that have a finite value: a tenth of all, 3 to END_POINTS. */
static double end_of(const struct point *p, size_t count, enum curve_column c)
{
    double last[END_POINTS];
    size_t n = 0, wanted = count / 10;
    wanted = wanted < 3 ? 3 : wanted > END_POINTS ? END_POINTS : wanted;
    for (size_t i = count; i-- > 0 && n < wanted;) {
        if (point_has(&p[i], c) && isfinite(p[i].v[c]))
            last[n++] = p[i].v[c];
    }
    return n > 0 ? stats_median(last, n) : NAN;
}

static struct column read_column(const struct point *p, size_t count, enum curve_column c)
{
    struct column k = {NAN, NAN, NAN, NAN, NAN, 0};
    for (size_t i = 0; i < count; i++) {
        double v = p[i].v[c];
        if (!point_has(&p[i], c) || !isfinite(v))
            continue;
        if (isnan(k.first))
            k.first = v;
        if (i <= count / 2)
            k.mid = v;
        if (!(v >= k.least)) {
            k.least = v;
            k.least_at = i;
        }
        k.most = fmax(k.most, v);
    }
    k.end = end_of(p, count, c);
    return k;
}

/* column / training loss, median of the last points. */
static double end_share(const struct point *p, size_t count, enum curve_column c)
{
    double last[END_POINTS];
    size_t n = 0, from = count > END_POINTS ? count - END_POINTS : 0;
    for (size_t i = from; i < count; i++) {
        double share = p[i].v[c] / fabs(p[i].v[CURVE_TRAIN_LOSS]);
        if (point_has(&p[i], c) && point_has(&p[i], CURVE_TRAIN_LOSS) && isfinite(share))
            last[n++] = share;
    }
    return n > 0 ? stats_median(last, n) : NAN;
}

/* 1.4826 · median |v - mean of the two beside it| / √1.5: blind to any straight trend. */
static double noise_of(const struct point *p, size_t count, enum curve_column c)
{
    double a[NOISE_POINTS];
    size_t n = 0, step = count / NOISE_POINTS + 1;
    for (size_t i = 1; i + 1 < count && n < NOISE_POINTS; i += step) {
        bool has = point_has(&p[i - 1], c) && point_has(&p[i], c) && point_has(&p[i + 1], c);
        double off = p[i].v[c] - 0.5 * p[i - 1].v[c] - 0.5 * p[i + 1].v[c];
        if (has && isfinite(off))
            a[n++] = fabs(off);
    }
    return n > 0 ? 1.4826 * stats_median(a, n) / sqrt(1.5) : NAN;
}

static void take_losses(const struct point *p, size_t count, struct run_facts *f)
{
    struct column train = read_column(p, count, CURVE_TRAIN_LOSS);
    struct column val = read_column(p, count, CURVE_VAL_LOSS);
    f->first_train = train.first;
    f->mid_train = train.mid;
    f->best_train = train.least;
    f->end_train = train.end;
    f->first_val = val.first;
    f->best_val = val.least;
    f->max_val = val.most;
    f->end_val = val.end;
    f->val_noise = noise_of(p, count, CURVE_VAL_LOSS);
    if (isnan(val.least))
        return;
    f->best_val_epoch = p[val.least_at].epoch;
    if (point_has(&p[val.least_at], CURVE_TRAIN_ACC))
        f->best_val_train_acc = p[val.least_at].v[CURVE_TRAIN_ACC];
}

static void take_scores(const struct point *p, size_t count, struct run_facts *f)
{
    struct column train = read_column(p, count, CURVE_TRAIN_ACC);
    struct column val = read_column(p, count, CURVE_VAL_ACC);
    struct column grad = read_column(p, count, CURVE_GRAD_NORM);
    f->best_train_acc = train.most;
    f->end_train_acc = train.end;
    f->best_val_acc = val.most;
    f->end_val_acc = val.end;
    f->best_r2 = read_column(p, count, CURVE_VAL_R2).most;
    f->first_grad_norm = grad.first;
    f->max_grad_norm = grad.most;
    f->end_grad_norm = grad.end;
    f->spread = end_share(p, count, CURVE_TRAIN_LOSS_SD);
    f->batch_min = end_share(p, count, CURVE_TRAIN_LOSS_MIN);
    f->batch_max = end_share(p, count, CURVE_TRAIN_LOSS_MAX);
}

void run_facts_end(const struct run_facts_gather *g, const struct point *points, size_t count,
                   const struct diagnosis *d, struct run_facts *out)
{
    struct run_facts f = g->facts;
    f.pattern = d->pattern;
    f.confidence = d->confidence;
    f.tags = d->tags;
    f.points = count > 0 ? (double)points[count - 1].point : 0;
    f.epochs = count > 0 ? points[count - 1].epoch : 0;
    f.grad_ratio = median_of_finite(g->grad_ratio, g->kept);
    f.update_ratio = median_of_finite(g->update_ratio, g->kept);
    take_losses(points, count, &f);
    take_scores(points, count, &f);
    *out = f;
}

/* --- as JSON -------------------------------------------------------------------------------- */

static void write_number(struct json_writer *w, const char *key, double v)
{
    jw_key(w, key);
    if (isnan(v))
        jw_null(w);
    else
        jw_real(w, v);
}

void run_facts_write(const struct run_facts *f, struct json_writer *w)
{
    jw_begin_object(w);
#define X(member, doc) write_number(w, #member, f->member);
    RUN_FACT_MAP(X)
#undef X
    jw_end_object(w);
}

/* A fact that a later version added is NaN: not measured. */
static int read_number(const struct json *v, const char *key, double *out, struct errbuf *err)
{
    const struct json *member = json_get(v, key);
    if (!member || json_type(member) == JSON_NULL)
        return 0;
    return json_get_real(v, key, out, err);
}

int run_facts_parse(const struct json *v, struct run_facts *out, struct errbuf *err)
{
    struct run_facts f;
    int rc = 0;
    facts_clear(&f);
#define X(member, doc)                                       \
    if (rc == 0)                                             \
        rc = read_number(v, #member, &f.member, err);
    RUN_FACT_MAP(X)
#undef X
    if (rc == 0)
        *out = f;
    return rc;
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

bool run_facts_same(const struct run_facts *a, const struct run_facts *b)
{
    bool same = true;
#define X(member, doc) same = same && same_number(a->member, b->member);
    RUN_FACT_MAP(X)
#undef X
    return same;
}
