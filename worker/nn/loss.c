#include "worker/nn/loss.h"

#include "sweep/err.h"
#include "sweep/require.h"

/* Numbers of the rows that cross-entropy takes at a time: large enough for the exponentials to
 * vectorise, small enough for the first-level cache. */
#define PIECE 1024

struct batch {
    const struct loss *l;
    size_t rows;
    const real *z;
    const struct targets *t;
    real *dz;       /* or NULL */
    double weight;  /* of all rows */
    double divisor; /* of the gradient: weight, or 1 for the sum */
};

static bool is_binary(const struct loss *l)
{
    return l->kind == LOSS_BINARY_CROSS_ENTROPY && l->outputs == 1;
}

static double row_weight(const struct batch *b, size_t r)
{
    return b->l->class_weights && b->t->labels ? (double)b->l->class_weights[b->t->labels[r]] : 1;
}

/* The largest of z[n]; NaN when one of them is not finite. */
static inline real largest(size_t n, const real *z)
{
    real top = z[0], check = 0;
    for (size_t j = 0; j < n; j++) {
        check += z[j] - z[j]; /* 0, or NaN for NaN and Inf */
        top = z[j] > top ? z[j] : top;
    }
    return top + check;
}

/* label is the first of the outputs that equal top. */
static inline bool first_largest(const real *z, real top, size_t label)
{
    if (!(z[label] == top))
        return false;
    size_t j = 0;
    while (z[j] != top)
        j++;
    return j == label;
}

size_t loss_class(const struct loss *l, const real *z)
{
    real top = largest(l->outputs, z);
    if (isnan(top))
        return is_binary(l) ? 2 : l->outputs;
    if (is_binary(l))
        return z[0] > 0;
    size_t best = 0;
    while (z[best] != top)
        best++;
    return best;
}

REAL_KERNEL
static void exp_map(size_t n, real *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = real_exp(x[i]);
}

/* Σ log x is taken as the logarithm of products, one call for so many factors. A factor lies
 * between 1 and the number of classes, at most 2^16: 32 of them stay far from overflow. */
#define FACTORS_MAX 32

struct log_sum {
    double sum, product;
    unsigned factors;
};

/* Of the rows so far. */
struct totals {
    struct loss_sum sum;
    struct log_sum logs; /* what its loss still lacks */
};

static inline void log_add(struct log_sum *s, double x)
{
    s->product *= x;
    if (++s->factors < FACTORS_MAX)
        return;
    s->sum += log(s->product);
    s->product = 1;
    s->factors = 0;
}

/* What one row adds, with top = max z and total = Σ exp(z - top): the loss is
 * -log p = log total - (z_label - top). Returns the factor of its gradient: 0 when the probability
 * was clipped. */
static inline double cross_entropy_row(const struct batch *b, size_t r, real total, real top,
                                       struct totals *t)
{
    size_t label = b->t->labels[r];
    real below = b->z[r * b->l->outputs + label] - top;
    double weight = row_weight(b, r), clip = (double)b->l->probability_clip;
    if (clip > 0 && (double)(real_exp(below) / total) < clip) {
        t->sum.loss -= weight * log(clip);
        return 0;
    }
    if (b->l->class_weights) {
        t->sum.loss += weight * (log((double)total) - (double)below);
    } else {
        t->sum.loss -= (double)below;
        log_add(&t->logs, (double)total);
    }
    return weight / b->divisor;
}

/* dz holds exp(z - top) of one row and becomes scale·(softmax(z) - onehot(label)). */
static inline void cross_entropy_slope(size_t n, size_t label, real total, real scale, real *dz)
{
    real factor = scale / total;
    for (size_t j = 0; j < n; j++)
        dz[j] *= factor;
    dz[label] -= scale;
}

/* The same where part of the label is spread evenly over all classes (Szegedy et al. 2016). The
 * spread part weighs each class by its own weight, as PyTorch's. */
static void smoothed_slope(const struct batch *b, size_t label, real total, real scale, real *dz)
{
    const struct loss *l = b->l;
    size_t n = l->outputs;
    real spread = l->smoothing / (real)((double)n * b->divisor), own = (1 - l->smoothing) * scale;
    real all = (real)n;
    if (l->class_weights) {
        all = 0;
        for (size_t j = 0; j < n; j++)
            all += l->class_weights[j];
    }
    real factor = (own + spread * all) / total;
    for (size_t j = 0; j < n; j++)
        dz[j] = dz[j] * factor - spread * (l->class_weights ? l->class_weights[j] : 1);
    dz[label] -= own;
}

/* dz holds exp(z - top) of one row and becomes its gradient; scale 0 with a clipped probability. */
static inline void row_slope(const struct batch *b, size_t label, real total, real scale, real *dz)
{
    if (b->l->smoothing != 0 && !(scale == 0 && b->l->probability_clip > 0))
        smoothed_slope(b, label, total, scale, dz);
    else
        cross_entropy_slope(b->l->outputs, label, total, scale, dz);
}

/* Rows first … first + count; work holds their numbers (part of dz, or a scratch). */
static void cross_entropy_piece(const struct batch *b, size_t first, size_t count, real *work,
                                struct totals *t)
{
    size_t n = b->l->outputs;
    const real *z = b->z + first * n;
    real top[PIECE];
    for (size_t r = 0; r < count; r++) {
        top[r] = largest(n, z + r * n);
        t->sum.correct += first_largest(z + r * n, top[r], b->t->labels[first + r]);
        for (size_t j = 0; j < n; j++)
            work[r * n + j] = z[r * n + j] - top[r];
    }
    exp_map(count * n, work);
    for (size_t r = 0; r < count; r++) {
        real total = 0;
        for (size_t j = 0; j < n; j++)
            total += work[r * n + j];
        double scale = cross_entropy_row(b, first + r, total, top[r], t);
        if (b->dz)
            row_slope(b, b->t->labels[first + r], total, (real)scale, work + r * n);
    }
}

/* A row too wide for the scratch whose gradient is not wanted. */
static void cross_entropy_wide(const struct batch *b, size_t r, struct totals *t)
{
    size_t n = b->l->outputs;
    const real *z = b->z + r * n;
    real top = largest(n, z), total = 0;
    for (size_t j = 0; j < n; j++)
        total += real_exp(z[j] - top);
    t->sum.correct += first_largest(z, top, b->t->labels[r]);
    cross_entropy_row(b, r, total, top, t);
}

/* Softmax and cross-entropy in one: dz = weight/divisor · (softmax(z) - onehot(label)). Nothing
 * overflows, and a confident wrong answer costs its true amount. A clipped probability (G3.2)
 * costs -log(clip) and has no gradient, as TensorFlow's clip_by_value. */
static struct loss_sum cross_entropy(const struct batch *b)
{
    size_t n = b->l->outputs, room = n < PIECE ? PIECE / n : 1;
    struct totals t = {.sum.weight = b->weight, .logs.product = 1};
    real scratch[PIECE];
    for (size_t r = 0; r < b->rows; r += room) {
        size_t count = b->rows - r < room ? b->rows - r : room;
        if (b->dz)
            cross_entropy_piece(b, r, count, b->dz + r * n, &t);
        else if (n <= PIECE)
            cross_entropy_piece(b, r, count, scratch, &t);
        else
            cross_entropy_wide(b, r, &t);
    }
    t.sum.loss += t.logs.sum + log(t.logs.product);
    return t.sum;
}

/* Loss of one output, loss + log factor with factor from 1 to 2, and its derivative; y is the
 * target. NaN in z is NaN in both. */
struct part {
    double loss, factor;
    real slope;
};

typedef struct part part_fn(real z, real y, real delta);

/* -y·log σ(z) - (1-y)·log(1-σ(z)) = max(z,0) - z·y + log(1 + e), e = exp(-|z|). The logarithm of
 * a small e is taken from its series, which keeps the digits that 1 + e would lose. */
static inline struct part binary_part(real z, real y, real delta)
{
    real e = real_exp(-(real)fabs(z));
    real sigmoid = (z >= 0 ? 1 : e) / (1 + e);
    double linear = (z > 0 ? (double)z : 0) - (double)z * (double)y;
    double x = (double)e, series = x * (1 - x * (0.5 - x * (1.0 / 3 - x * (0.25 - x * 0.2))));
    bool small = x < 0x1p-10;
    return (struct part){linear + (small ? series : 0), small ? 1 : 1 + x, sigmoid - y};
}

/* d², d = z - y */
static inline struct part squared_part(real z, real y, real delta)
{
    real d = z - y;
    return (struct part){(double)d * (double)d, 1, 2 * d};
}

/* |d|; slope 0 at 0 */
static inline struct part absolute_part(real z, real y, real delta)
{
    real d = z - y;
    return (struct part){fabs((double)d), 1, d > 0 ? 1 : d < 0 ? -1 : d};
}

/* d²/2 up to δ, then δ·(|d| - δ/2) */
static inline struct part huber_part(real z, real y, real delta)
{
    real d = z - y;
    double size = fabs((double)d), limit = (double)delta;
    if (size > limit)
        return (struct part){limit * (size - limit / 2), 1, d > 0 ? delta : -delta};
    return (struct part){size * size / 2, 1, d};
}

static inline bool is_correct(const struct loss *l, const real *z, size_t label)
{
    real top = largest(l->outputs, z);
    if (is_binary(l))
        return !isnan(top) && (z[0] > 0) == (label == 1);
    return first_largest(z, top, label);
}

/* What smoothing adds to the slope of binary cross-entropy, which falls as its target rises: target
 * - (target + smoothing·(1/classes - target)). */
static inline real smoothed_by(const struct loss *l, size_t classes, real target)
{
    return l->smoothing * (target - 1 / (real)classes);
}

/* Mean over rows × outputs, as PyTorch's. Labels stand for one-hot targets; the weight of a row is
 * that of its class. */
static inline __attribute__((always_inline)) struct loss_sum elementwise(const struct batch *b,
                                                                         part_fn *part)
{
    const struct loss *l = b->l;
    size_t n = l->outputs, hot = is_binary(l) ? 1 : 0;
    struct loss_sum sum = {.weight = b->weight};
    for (size_t r = 0; r < b->rows; r++) {
        const real *z = b->z + r * n, *y = b->t->labels ? NULL : b->t->values + r * n;
        size_t label = y ? 0 : b->t->labels[r];
        double weight = row_weight(b, r), row = 0, product = 1;
        real scale = (real)(weight / (b->divisor * (double)n));
        for (size_t j = 0; j < n; j++) {
            real target = y ? y[j] : (real)(j + hot == label);
            struct part p = part(z[j], target, l->huber_delta);
            row += l->report ? p.loss * l->report[j] : p.loss;
            product *= p.factor;
            if (j % FACTORS_MAX == FACTORS_MAX - 1) {
                row += log(product);
                product = 1;
            }
            if (l->smoothing != 0)
                p.slope += smoothed_by(l, n + hot, target);
            if (b->dz)
                b->dz[r * n + j] = scale * p.slope;
        }
        sum.loss += weight * (row + log(product)) / (double)n;
        sum.correct += !y && is_correct(l, z, label);
    }
    return sum;
}

static struct loss_sum binary_cross_entropy(const struct batch *b)
{
    return elementwise(b, binary_part);
}

static struct loss_sum mean_squared(const struct batch *b)
{
    return elementwise(b, squared_part);
}

static struct loss_sum mean_absolute(const struct batch *b)
{
    return elementwise(b, absolute_part);
}

static struct loss_sum huber(const struct batch *b)
{
    return elementwise(b, huber_part);
}

typedef struct loss_sum loss_fn(const struct batch *b);

static const struct {
    loss_fn *compute;
    bool classifies; /* takes no values */
} losses[] = {
    [LOSS_CROSS_ENTROPY] = {cross_entropy, true},
    [LOSS_BINARY_CROSS_ENTROPY] = {binary_cross_entropy, true},
    [LOSS_MSE] = {mean_squared, false},
    [LOSS_MAE] = {mean_absolute, false},
    [LOSS_HUBER] = {huber, false},
};
_Static_assert(ARRAY_LEN(losses) == LOSS_COUNT, "a row for each loss");

enum loss_kind loss_resolve(enum loss_kind chosen, bool classifies)
{
    if (chosen != LOSS_AUTO)
        return chosen;
    return classifies ? LOSS_CROSS_ENTROPY : LOSS_MSE;
}

int loss_outputs(enum loss_kind kind, size_t classes, size_t targets, size_t *outputs,
                 struct errbuf *err)
{
    REQUIRE(kind > LOSS_AUTO && kind < LOSS_COUNT);
    if (classes == 0 && losses[kind].classifies) {
        char name[32];
        setting_choice_name(SETTING_LOSS, (int)kind, name);
        return err_bad(err, ERR_VALUE, "$.train.loss", name,
                       "mse, mae or huber: the target is numbers, not classes");
    }
    bool one = kind == LOSS_BINARY_CROSS_ENTROPY && classes == 2;
    *outputs = one ? 1 : classes ? classes : targets;
    return 0;
}

double loss_report(const struct loss *l)
{
    double sum = 0;
    for (size_t j = 0; l->report && j < l->outputs; j++)
        sum += l->report[j];
    return l->report ? sum / (double)l->outputs : 1;
}

double loss_unit(enum loss_kind kind, double unit)
{
    return kind == LOSS_MAE ? unit : unit * unit;
}

struct loss_sum loss_compute(const struct loss *l, size_t rows, const real *z,
                             const struct targets *t, real *dz)
{
    REQUIRE(l->kind > LOSS_AUTO && l->kind < LOSS_COUNT && l->outputs > 0);
    REQUIRE(t->labels || !losses[l->kind].classifies);
    struct batch b = {.l = l, .rows = rows, .z = z, .t = t, .dz = dz};
    for (size_t r = 0; r < rows; r++)
        b.weight += row_weight(&b, r);
    b.divisor = l->sum ? 1 : b.weight;
    return losses[l->kind].compute(&b);
}
