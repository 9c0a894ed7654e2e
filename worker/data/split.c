#include "worker/data/split.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/rng.h"
#include "worker/data/target_scale.h"
#include "worker/nn/real.h"

/* --- which rows ----------------------------------------------------------------------------- */

static bool row_finite(const struct samples *s, size_t row)
{
    const float *x = (const float *)s->values + row * s->features;
    for (size_t j = 0; j < s->features; j++) {
        if (!isfinite(x[j]))
            return false;
    }
    return true;
}

struct rows {
    uint32_t *row; /* ascending; owned */
    size_t count;
};

/* Those of [first, first + count) that are used. */
static struct rows usable_rows(const struct samples *s, const struct settings *settings,
                               size_t first, size_t count)
{
    bool drop = settings->v[SETTING_ON_NAN] == ON_NAN_DROP && s->type == SAMPLES_F32;
    struct rows r = {.row = xmalloc((count + 1) * sizeof *r.row)};
    for (size_t i = first; i < first + count; i++) {
        if (!drop || row_finite(s, i))
            r.row[r.count++] = (uint32_t)i;
    }
    return r;
}

/* --- how many of each class are held out ---------------------------------------------------- */

/* Classes to hold out of: those of the samples, or a single one that all rows are of. */
struct strata {
    size_t count;
    const uint16_t *labels; /* NULL: all rows are of class 0 */
    uint32_t size[SAMPLES_CLASSES_MAX], quota[SAMPLES_CLASSES_MAX];
};

static size_t class_of(const struct strata *t, uint32_t row)
{
    return t->labels ? t->labels[row] : 0;
}

/* Samples of class c that may be held out: one stays to be trained on, where there is one. */
static uint32_t most_held(const struct strata *t, size_t c, bool all)
{
    return all || t->size[c] == 0 ? t->size[c] : t->size[c] - 1;
}

/* Gives the classes with the largest remainders of their exact shares one more each, the lower
 * class first among equals, until `left` are dealt out. Returns what nobody could take. */
static size_t deal_remainders(struct strata *t, uint64_t held, uint64_t total, size_t left,
                              bool all)
{
    bool done[SAMPLES_CLASSES_MAX] = {false};
    for (; left > 0; left--) {
        size_t best = t->count;
        for (size_t c = 0; c < t->count; c++) {
            if (done[c] || t->quota[c] >= most_held(t, c, all))
                continue;
            if (best == t->count || held * t->size[c] % total > held * t->size[best] % total)
                best = c;
        }
        if (best == t->count)
            break;
        t->quota[best]++;
        done[best] = true;
    }
    return left;
}

/* Largest remainder method (Hamilton's). Both factors are below 2^32. */
static void set_quotas(struct strata *t, const struct rows *r, uint64_t held)
{
    size_t left = (size_t)held;
    for (size_t i = 0; i < r->count; i++)
        t->size[class_of(t, r->row[i])]++;
    for (size_t c = 0; c < t->count; c++) {
        uint64_t share = held * t->size[c] / r->count;
        uint32_t most = most_held(t, c, false);
        t->quota[c] = share < most ? (uint32_t)share : most;
        left -= t->quota[c];
    }
    /* Once around gives each class at most one more; those that are full pass theirs on. */
    bool all = false;
    while (left > 0) {
        size_t before = left;
        left = deal_remainders(t, held, r->count, left, all);
        all = left == before;
    }
}

static struct strata *strata_create(const struct samples *s, const struct settings *settings,
                                    const struct rows *r, size_t held)
{
    struct strata *t = xcalloc(1, sizeof *t);
    bool by_class = settings->v[SETTING_STRATIFY] != 0 && s->labels && s->outputs == 1;
    t->count = by_class ? s->classes : 1;
    t->labels = by_class ? s->labels : NULL;
    set_quotas(t, r, held);
    return t;
}

/* --- training and validation part ----------------------------------------------------------- */

/* Deals the rows out, ascending: a permutation picks who is held out, a mark remembers. */
static void deal(struct split *p, const struct samples *s, const struct settings *settings,
                 const struct rows *r, uint64_t seed)
{
    struct rng rng;
    struct strata *t = strata_create(s, settings, r, p->validation_count);
    uint32_t *order = xmalloc(r->count * sizeof *order);
    bool *held = xcalloc(r->count, sizeof *held);
    for (size_t i = 0; i < r->count; i++)
        order[i] = (uint32_t)i;
    rng_init(&rng, seed, RNG_SPLIT, 0);
    rng_shuffle(&rng, order, r->count);
    for (size_t i = 0; i < r->count; i++) {
        uint32_t *quota = &t->quota[class_of(t, r->row[order[i]])];
        held[order[i]] = *quota > 0;
        *quota -= *quota > 0;
    }
    size_t train = 0, validation = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (held[i])
            p->validation[validation++] = r->row[i];
        else
            p->train[train++] = r->row[i];
    }
    free(order);
    free(held);
    free(t);
}

/* load_check_counts has seen to it that there are enough but for those that are dropped. */
static int fail_dropped(struct errbuf *err, const char *why)
{
    return err_bad(err, ERR_DATA, "$.data.on_nan", "drop", "hold or impute: %s", why);
}

/* All rows are trained on, for there is a file to validate with. */
static int take_parts(struct split *p, const struct samples *s, const struct settings *settings,
                      struct rows *train, struct errbuf *err)
{
    size_t count = s->parts[PART_VALIDATION];
    struct rows validation = usable_rows(s, settings, s->parts[PART_TRAIN], count);
    p->validation = validation.row;
    p->validation_count = validation.count;
    p->train = train->row;
    p->train_count = train->count;
    train->row = NULL;
    if (p->train_count == 0)
        return fail_dropped(err, "every sample has a NaN or Inf and would be left out: nothing to "
                                 "train on");
    if (p->validation_count == 0)
        return fail_dropped(err, "every sample of the validation file has a NaN or Inf and would "
                                 "be left out: nothing to validate with");
    return 0;
}

static int draw_parts(struct split *p, const struct samples *s, const struct settings *settings,
                      const struct rows *usable, uint64_t seed, struct errbuf *err)
{
    double wanted = settings->v[SETTING_VALIDATION];
    char why[160];
    if (!(wanted >= 0) || wanted >= (double)usable->count) {
        snprintf(why, sizeof why, "%zu samples without a NaN or Inf would be left and %.0f of them "
                 "held out: nothing to train on", usable->count, wanted);
        return fail_dropped(err, why);
    }
    p->validation_count = (size_t)wanted;
    p->train_count = usable->count - p->validation_count;
    p->train = xmalloc(p->train_count * sizeof *p->train);
    p->validation = xmalloc((p->validation_count + 1) * sizeof *p->validation);
    deal(p, s, settings, usable, seed);
    return 0;
}

/* --- scaling -------------------------------------------------------------------------------- */

/* Sums over the training rows, one of each per column (a number's place in a sample). */
struct columns {
    size_t count;
    double *origin;      /* a value of the column's feature: sums of differences from it lose
                            nothing, as its own distance is part of the variance */
    double *sum, *square; /* of x - origin, over the finite x */
    double *finite;       /* how many those are */
    float *low, *high;
};

static void columns_init(struct columns *c, size_t count)
{
    c->count = count;
    c->origin = xcalloc(count, sizeof *c->origin);
    c->sum = xcalloc(count, sizeof *c->sum);
    c->square = xcalloc(count, sizeof *c->square);
    c->finite = xcalloc(count, sizeof *c->finite);
    c->low = xmalloc(count * sizeof *c->low);
    c->high = xmalloc(count * sizeof *c->high);
    for (size_t j = 0; j < count; j++) {
        c->low[j] = INFINITY;
        c->high[j] = -INFINITY;
    }
}

static void columns_finish(struct columns *c)
{
    free(c->origin);
    free(c->sum);
    free(c->square);
    free(c->finite);
    free(c->low);
    free(c->high);
}

/* What is not finite adds nothing. */
REAL_KERNEL
static void add_row(size_t n, const float *restrict x, const double *restrict origin,
                    double *restrict sum, double *restrict square, double *restrict finite,
                    float *restrict low, float *restrict high)
{
    for (size_t j = 0; j < n; j++) {
        float is = fabsf(x[j]) <= FLT_MAX ? 1 : 0;
        double d = is != 0 ? (double)x[j] - origin[j] : 0;
        float floor = is != 0 ? x[j] : INFINITY, ceiling = is != 0 ? x[j] : -INFINITY;
        sum[j] += d;
        square[j] += d * d;
        finite[j] += (double)is;
        low[j] = floor < low[j] ? floor : low[j];
        high[j] = ceiling > high[j] ? ceiling : high[j];
    }
}

/* Columns of one feature: rank 1 each its own; a step's or a pixel's over all steps or pixels. */
struct feature {
    size_t first, stride, count;
};

static size_t feature_count(const struct shape *s)
{
    return s->rank == 1 || s->rank == 3 ? s->dim[0] : s->dim[1];
}

static struct feature feature_get(const struct shape *s, size_t k)
{
    size_t pixels = s->rank == 3 ? s->dim[1] * s->dim[2] : 1;
    if (s->rank == 2)
        return (struct feature){.first = k, .stride = s->dim[1], .count = s->dim[0]};
    return (struct feature){.first = k * pixels, .stride = 1, .count = pixels};
}

/* Takes the first finite value of a row's feature for the origin of all its columns. */
static bool find_origin(struct columns *c, const struct feature *f, const float *x)
{
    size_t at = 0;
    while (at < f->count && !isfinite(x[f->first + at * f->stride]))
        at++;
    if (at == f->count)
        return false;
    for (size_t j = 0; j < f->count; j++)
        c->origin[f->first + j * f->stride] = (double)x[f->first + at * f->stride];
    return true;
}

static void find_origins(struct columns *c, const struct samples *s, const struct rows *r, float *x)
{
    size_t features = feature_count(&s->shape), left = features;
    bool *found = xcalloc(features, sizeof *found);
    for (size_t i = 0; i < r->count && left > 0; i++) {
        samples_row(s, r->row[i], NULL, x);
        for (size_t k = 0; k < features; k++) {
            struct feature f = feature_get(&s->shape, k);
            if (found[k] || !find_origin(c, &f, x))
                continue;
            found[k] = true;
            left--;
        }
    }
    free(found);
}

static void add_rows(struct columns *c, const struct samples *s, const struct rows *r)
{
    float *x = xmalloc(s->features * sizeof *x);
    find_origins(c, s, r, x);
    for (size_t i = 0; i < r->count; i++) {
        samples_row(s, r->row[i], NULL, x);
        add_row(c->count, x, c->origin, c->sum, c->square, c->finite, c->low, c->high);
    }
    free(x);
}

struct moments {
    double finite, mean, sd; /* population sd, as scikit-learn's StandardScaler */
    float low, high;
};

static struct moments feature_moments(const struct columns *c, const struct feature *f)
{
    struct moments m = {.low = INFINITY, .high = -INFINITY};
    double sum = 0, square = 0;
    for (size_t i = 0; i < f->count; i++) {
        size_t j = f->first + i * f->stride;
        sum += c->sum[j];
        square += c->square[j];
        m.finite += c->finite[j];
        m.low = c->low[j] < m.low ? c->low[j] : m.low;
        m.high = c->high[j] > m.high ? c->high[j] : m.high;
    }
    if (m.finite == 0)
        return m;
    double rest = square - sum * sum / m.finite;
    m.mean = c->origin[f->first] + sum / m.finite;
    m.sd = sqrt((rest > 0 ? rest : 0) / m.finite);
    return m;
}

static void feature_scale(struct scaling *out, const struct feature *f, const struct moments *m,
                          enum scale kind, bool constant_to_zero)
{
    bool standard = kind == SCALE_STANDARD;
    float shift = standard ? (float)m->mean : m->low;
    float scale = (float)(1 / (standard ? m->sd : (double)m->high - (double)m->low));
    if (m->finite == 0)
        shift = 0;
    if (m->finite == 0 || m->low == m->high || !isfinite(scale))
        scale = constant_to_zero ? 0 : INFINITY;
    for (size_t i = 0; i < f->count; i++) {
        out->shift[f->first + i * f->stride] = shift;
        out->scale[f->first + i * f->stride] = scale;
    }
}

/* The mean of a column; where it has no number, of its feature; else 0. */
static void feature_fill(struct scaling *out, const struct feature *f, const struct moments *m,
                         const struct columns *c)
{
    for (size_t i = 0; i < f->count; i++) {
        size_t j = f->first + i * f->stride;
        out->fill[j] = (float)(c->finite[j] > 0 ? c->origin[j] + c->sum[j] / c->finite[j]
                                                : m->mean);
    }
}

static void fit(struct scaling *out, const struct samples *s, const struct rows *train,
                const struct settings *settings)
{
    enum scale kind = (enum scale)settings->v[SETTING_SCALE];
    enum on_nan on_nan = (enum on_nan)settings->v[SETTING_ON_NAN];
    bool impute = on_nan == ON_NAN_IMPUTE && s->type == SAMPLES_F32;
    if (kind == SCALE_NONE && !impute)
        return;
    struct columns c;
    columns_init(&c, s->features);
    add_rows(&c, s, train);
    out->fill = impute ? xmalloc(s->features * sizeof *out->fill) : NULL;
    out->shift = kind != SCALE_NONE ? xmalloc(s->features * sizeof *out->shift) : NULL;
    out->scale = kind != SCALE_NONE ? xmalloc(s->features * sizeof *out->scale) : NULL;
    for (size_t k = 0; k < feature_count(&s->shape); k++) {
        struct feature f = feature_get(&s->shape, k);
        struct moments m = feature_moments(&c, &f);
        if (out->fill)
            feature_fill(out, &f, &m, &c);
        if (out->shift)
            feature_scale(out, &f, &m, kind, on_nan != ON_NAN_HOLD);
    }
    columns_finish(&c);
}

/* --- all of it ------------------------------------------------------------------------------ */

int split_init(struct split *out, const struct samples *s, const struct settings *settings,
               uint64_t seed, struct errbuf *err)
{
    struct split p = {0};
    double limit = settings->v[SETTING_LIMIT];
    size_t most = s->parts[PART_TRAIN];
    if (!(limit >= 0 && limit <= (double)most))
        return err_set(err, ERR_DATA, "limit %.0f of %zu samples", limit, most);
    struct rows usable = usable_rows(s, settings, 0, limit > 0 ? (size_t)limit : most);
    int rc = s->parts[PART_VALIDATION] > 0 ? take_parts(&p, s, settings, &usable, err)
                                           : draw_parts(&p, s, settings, &usable, seed, err);
    free(usable.row);
    if (rc != 0) {
        split_finish(&p);
        return rc;
    }
    struct rows test = usable_rows(s, settings, s->parts[PART_TRAIN] + s->parts[PART_VALIDATION],
                                   s->parts[PART_TEST]);
    p.test = test.row;
    p.test_count = test.count;
    fit(&p.scaling, s, &(struct rows){.row = p.train, .count = p.train_count}, settings);
    if (s->targets && settings->v[SETTING_TARGET_SCALE] == TARGET_SCALE_STANDARD)
        target_scale_fit(&p.scaling, s, p.train, p.train_count);
    *out = p;
    return 0;
}

void split_finish(struct split *p)
{
    free(p->train);
    free(p->validation);
    free(p->test);
    free(p->scaling.fill);
    free(p->scaling.shift);
    free(p->scaling.scale);
    free(p->scaling.target_shift);
    free(p->scaling.target_unit);
    memset(p, 0, sizeof *p);
}
