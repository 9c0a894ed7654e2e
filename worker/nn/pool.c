/* torch.nn.MaxPool2d and AvgPool2d: square windows side by side; rows and columns that fill no
 * window are left out. */
#include "worker/nn/layer.h"

#include <stdio.h>
#include <string.h>

struct windows {
    size_t planes;        /* channels of all samples */
    size_t height, width; /* of the input */
    size_t size, down, across;
};

static struct windows windows_of(const struct layer *l, size_t rows)
{
    const struct shape *in = &l->in;
    struct windows w = {
        .planes = rows * (in->rank == 3 ? in->dim[0] : 1), /* [height, width]: one channel */
        .height = in->dim[in->rank - 2],
        .width = in->dim[in->rank - 1],
        .size = layer_option(l, LAYER_OPTION_SIZE),
    };
    w.down = w.height / w.size;
    w.across = w.width / w.size;
    return w;
}

static int pool_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    if (l->in.rank < 2)
        return layer_refuse(l, "[channels, height, width] or [height, width]", err);
    struct windows w = windows_of(l, 1);
    if (w.down == 0 || w.across == 0) {
        char needs[80];
        snprintf(needs, sizeof needs, "height and width of at least %zu", w.size);
        return layer_refuse(l, needs, err);
    }
    l->out = (struct shape){3, {w.planes, w.down, w.across}};
    return 0;
}

/* --- the largest ---------------------------------------------------------------------------- */

/* Keeps for each output which number of its window it is, counted row by row from 0: the first
 * of equals, as PyTorch does, or the last NaN. */
static int max_pool_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    int rc = pool_shape(l, rows, err);
    if (rc == 0)
        l->keep_count = rows * shape_count(&l->out);
    return rc;
}

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The first number of the windows of one row of y. */
static inline size_t upper_row(const struct windows *w, size_t r)
{
    return (r / w->down * w->height + r % w->down * w->size) * w->width;
}

/* y and place of n windows of 2 × 2 side by side, whose rows begin at a and b. n is a constant
 * where it is inlined, so that short rows take whole vectors too; unrolled, the loop would not
 * become one of vectors. */
static inline __attribute__((always_inline)) void
max_of_four(size_t n, const real *restrict a, const real *restrict b, real *restrict y,
            real *restrict place)
{
#pragma GCC unroll 1
    for (size_t j = 0; j < n; j++) {
        real x1 = a[2 * j + 1], x2 = b[2 * j], x3 = b[2 * j + 1];
        real best = a[2 * j], at = 0;
        int take = (x1 > best) | (x1 != x1);
        best = take ? x1 : best;
        at = take ? 1 : at;
        take = (x2 > best) | (x2 != x2);
        best = take ? x2 : best;
        at = take ? 2 : at;
        take = (x3 > best) | (x3 != x3);
        y[j] = take ? x3 : best;
        place[j] = take ? 3 : at;
    }
}

/* One row of dx below n such windows, of which it holds the numbers first and first + 1. */
static inline __attribute__((always_inline)) void
give_to_pairs(size_t n, const real *restrict dy, const real *restrict place, real first,
              real *restrict dx)
{
#pragma GCC unroll 1
    for (size_t j = 0; j < n; j++) {
        real d = dy[j], at = place[j]; /* read whatever the comparison says */
        dx[2 * j] = at == first ? d : 0;
        dx[2 * j + 1] = at == first + 1 ? d : 0;
    }
}

/* Windows to take from output out on: a whole vector even where the row has left fewer, for what
 * is written beyond it is written again later. Only at the end of the batch nothing comes later,
 * count outputs in all. (Before it each output has two numbers of this row or four of later ones,
 * so a vector of windows lies within x as well.) */
#define VECTOR_FITS(out, count) ((out) + REAL_LANES <= (count))

REAL_KERNEL
static void max_2x2(const struct windows *w, const real *x, real *y, real *place)
{
    size_t out = 0, count = w->planes * w->down * w->across;
    for (size_t plane = 0; plane < w->planes; plane++, x += w->height * w->width) {
        for (size_t i = 0; i < w->down; i++) {
            const real *a = x + 2 * i * w->width, *b = a + w->width;
            size_t end = out + w->across;
            for (; out < end; out += REAL_LANES, a += 2 * REAL_LANES, b += 2 * REAL_LANES) {
                if (VECTOR_FITS(out, count))
                    max_of_four(REAL_LANES, a, b, y + out, place + out);
                else
                    max_of_four(min_size(end - out, REAL_LANES), a, b, y + out, place + out);
            }
            out = end;
        }
    }
}

/* One of the two rows of dx that the windows of one row of y have. */
static inline __attribute__((always_inline)) void
give_row(const struct windows *w, size_t out, size_t count, const real *dy, const real *place,
         real first, real *dx)
{
    for (size_t j = 0; j < w->across; j += REAL_LANES) {
        const real *d = dy + out + j, *at = place + out + j;
        if (VECTOR_FITS(out + j, count))
            give_to_pairs(REAL_LANES, d, at, first, dx + 2 * j);
        else
            give_to_pairs(min_size(w->across - j, REAL_LANES), d, at, first, dx + 2 * j);
    }
    if (w->width % 2)
        dx[w->width - 1] = 0;
}

REAL_KERNEL
static void give_2x2(const struct windows *w, const real *dy, const real *place, real *dx)
{
    size_t out = 0, count = w->planes * w->down * w->across;
    for (size_t plane = 0; plane < w->planes; plane++) {
        for (size_t i = 0; i < w->down; i++, out += w->across, dx += 2 * w->width) {
            give_row(w, out, count, dy, place, 0, dx);
            give_row(w, out, count, dy, place, 2, dx + w->width);
        }
        if (w->height % 2) {
            memset(dx, 0, w->width * sizeof *dx);
            dx += w->width;
        }
    }
}

/* The same of any size; returns the place. */
static size_t largest(const struct windows *w, const real *corner, real *y)
{
    size_t place = 0;
    *y = corner[0];
    for (size_t a = 0; a < w->size; a++, corner += w->width) {
        for (size_t b = 0; b < w->size; b++) {
            if (corner[b] > *y || isnan(corner[b])) {
                *y = corner[b];
                place = a * w->size + b;
            }
        }
    }
    return place;
}

static void max_of_windows(const struct windows *w, const real *x, real *y, real *place)
{
    for (size_t r = 0; r < w->planes * w->down; r++) {
        const real *corner = x + upper_row(w, r);
        for (size_t j = 0; j < w->across; j++, corner += w->size)
            *place++ = (real)largest(w, corner, y++);
    }
}

static void give_to_windows(const struct windows *w, const real *dy, const real *place, real *dx)
{
    memset(dx, 0, w->planes * w->height * w->width * sizeof *dx);
    for (size_t r = 0; r < w->planes * w->down; r++) {
        real *corner = dx + upper_row(w, r);
        for (size_t j = 0; j < w->across; j++, corner += w->size) {
            size_t at = (size_t)*place++;
            corner[at / w->size * w->width + at % w->size] = *dy++;
        }
    }
}

static void max_pool_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    struct windows w = windows_of(l, p->rows);
    (w.size == 2 ? max_2x2 : max_of_windows)(&w, x, y, l->keep);
}

static void max_pool_backward(const struct layer *l, const struct pass *p,
                              const struct layer_slope *s)
{
    struct windows w = windows_of(l, p->rows);
    if (s->dx)
        (w.size == 2 ? give_2x2 : give_to_windows)(&w, s->dy, l->keep, s->dx);
}

/* --- the mean ------------------------------------------------------------------------------- */

/* Row by row of the windows, each number in order. size is a constant where it is inlined. */
static inline __attribute__((always_inline)) void
mean_of_windows(const struct windows *w, size_t size, const real *restrict x, real *restrict y)
{
    real area = (real)(size * size);
    for (size_t r = 0; r < w->planes * w->down; r++, y += w->across) {
        const real *row = x + upper_row(w, r);
        for (size_t j = 0; j < w->across; j++) {
            real sum = 0;
            for (size_t a = 0; a < size; a++) {
                for (size_t b = 0; b < size; b++)
                    sum += row[a * w->width + j * size + b];
            }
            y[j] = sum / area;
        }
    }
}

REAL_KERNEL
static void mean_2x2(const struct windows *w, const real *x, real *y)
{
    mean_of_windows(w, 2, x, y);
}

static void mean_any(const struct windows *w, const real *x, real *y)
{
    mean_of_windows(w, w->size, x, y);
}

static void avg_pool_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    struct windows w = windows_of(l, p->rows);
    (w.size == 2 ? mean_2x2 : mean_any)(&w, x, y);
}

static void avg_pool_backward(const struct layer *l, const struct pass *p,
                              const struct layer_slope *s)
{
    const real *dy = s->dy;
    real *dx = s->dx;
    if (!dx)
        return;
    struct windows w = windows_of(l, p->rows);
    real area = (real)(w.size * w.size);
    memset(dx, 0, w.planes * w.height * w.width * sizeof *dx);
    for (size_t r = 0; r < w.planes * w.down; r++, dy += w.across) {
        real *row = dx + upper_row(&w, r);
        for (size_t a = 0; a < w.size; a++, row += w.width) {
            for (size_t j = 0; j < w.across; j++) {
                for (size_t b = 0; b < w.size; b++)
                    row[j * w.size + b] = dy[j] / area;
            }
        }
    }
}

const struct layer_ops layer_max_pool = {
    .shape = max_pool_shape,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
};

const struct layer_ops layer_avg_pool = {
    .shape = pool_shape,
    .forward = avg_pool_forward,
    .backward = avg_pool_backward,
};
