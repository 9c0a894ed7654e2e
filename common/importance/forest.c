#include "common/importance/forest.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"

#define DEPTH_MAX 64

struct growth {
    const struct forest_table *t;
    struct rng *rng;
    struct forest_tree *out;
    double *times;      /* [rows]: how often each was drawn; 0: not in this tree */
    uint32_t **order;   /* [columns][drawn]: the rows by that column's value, node by node */
    uint32_t *aside;    /* room to divide them */
    bool *left;         /* [rows]: of the node that is being split */
    struct forest_side *path; /* [columns]: the box of the node */
    unsigned depth;
};

struct split {
    bool found;
    size_t column;
    double gain, threshold;
    uint64_t set[FOREST_WORDS]; /* categories that go left */
};

struct sums {
    double count, sum;
};

/* What a split into those two explains, but for what all of them have alike. */
static double explained(const struct sums *a, const struct sums *b)
{
    return a->sum * a->sum / a->count + b->sum * b->sum / b->count;
}

static void add(struct sums *s, const struct growth *g, uint32_t row)
{
    s->count += g->times[row];
    s->sum += g->times[row] * g->t->target[row];
}

/* --- the best split of a node ---------------------------------------------------------------- */

/* Above a, at most b; what is absent (below 0) ends at 0. */
static double cut(double a, double b)
{
    double middle = a < 0 ? 0 : (a + b) / 2;
    return middle > a ? middle : b;
}

static void split_ordered(const struct growth *g, size_t c, size_t from, size_t to,
                          const struct sums *all, struct split *best)
{
    const uint32_t *rows = g->order[c];
    const double *v = g->t->column[c].values;
    struct sums left = {0};
    for (size_t i = from; i + 1 < to; i++) {
        add(&left, g, rows[i]);
        double a = v[rows[i]], b = v[rows[i + 1]];
        struct sums right = {all->count - left.count, all->sum - left.sum};
        double gain = explained(&left, &right);
        if (a == b || (best->found && gain <= best->gain))
            continue;
        *best = (struct split){.found = true, .column = c, .gain = gain, .threshold = cut(a, b)};
    }
}

struct category {
    size_t id;
    struct sums sums;
};

static int by_mean(const void *a, const void *b)
{
    const struct category *x = a, *y = b;
    double p = x->sums.sum / x->sums.count, q = y->sums.sum / y->sums.count;
    return p != q ? (p > q) - (p < q) : (x->id > y->id) - (x->id < y->id);
}

/* The best division of categories in two keeps them in the order of their means (Fisher 1958). */
static void split_categories(const struct growth *g, size_t c, size_t from, size_t to,
                             const struct sums *all, struct split *best)
{
    const struct forest_column *col = &g->t->column[c];
    struct category cats[FOREST_CATEGORIES] = {{0}};
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        add(&cats[(size_t)col->values[g->order[c][i]]].sums, g, g->order[c][i]);
    for (size_t i = 0; i < col->categories; i++)
        if (cats[i].sums.count > 0)
            cats[n++] = (struct category){i, cats[i].sums};
    qsort(cats, n, sizeof(*cats), by_mean);
    struct split own = {.found = true, .column = c};
    struct sums left = {0};
    for (size_t i = 0; i + 1 < n; i++) {
        left.count += cats[i].sums.count;
        left.sum += cats[i].sums.sum;
        own.set[cats[i].id / 64] |= UINT64_C(1) << cats[i].id % 64;
        struct sums right = {all->count - left.count, all->sum - left.sum};
        own.gain = explained(&left, &right);
        if (!best->found || own.gain > best->gain)
            *best = own;
    }
}

/* Among equally good columns chance decides, or the first would have all that they share. */
static void find_split(struct growth *g, size_t from, size_t to, struct split *best)
{
    size_t columns = g->t->columns, first = (size_t)rng_below(g->rng, columns);
    struct sums all = {0};
    double square = 0;
    for (size_t i = from; i < to; i++) {
        uint32_t row = g->order[0][i];
        add(&all, g, row);
        square += g->times[row] * g->t->target[row] * g->t->target[row];
    }
    double mean = all.sum * all.sum / all.count;
    *best = (struct split){0};
    if (g->depth >= DEPTH_MAX || square - mean <= 1e-12 * square)
        return;
    for (size_t i = 0; i < columns; i++) {
        size_t c = (first + i) % columns;
        if (g->t->column[c].ordered)
            split_ordered(g, c, from, to, &all, best);
        else
            split_categories(g, c, from, to, &all, best);
    }
}

/* --- nodes ----------------------------------------------------------------------------------- */

static bool goes_left(const struct forest_column *c, const struct split *s, uint32_t row)
{
    double v = c->values[row];
    if (c->ordered)
        return v < s->threshold;
    return s->set[(size_t)v / 64] >> (size_t)v % 64 & 1;
}

/* Every column's rows: those that go left first, in their order. Returns where the others begin. */
static size_t divide(struct growth *g, const struct split *s, size_t from, size_t to)
{
    size_t middle = from;
    for (size_t i = from; i < to; i++) {
        uint32_t row = g->order[0][i];
        g->left[row] = goes_left(&g->t->column[s->column], s, row);
        middle += g->left[row];
    }
    for (size_t c = 0; c < g->t->columns; c++) {
        uint32_t *rows = g->order[c];
        size_t kept = from, others = 0;
        for (size_t i = from; i < to; i++) {
            if (g->left[rows[i]])
                rows[kept++] = rows[i];
            else
                g->aside[others++] = rows[i];
        }
        memcpy(rows + kept, g->aside, others * sizeof(*rows));
    }
    return middle;
}

static void add_leaf(struct growth *g, size_t from, size_t to)
{
    struct forest_tree *t = g->out;
    size_t columns = g->t->columns, had = t->cap;
    struct sums all = {0};
    for (size_t i = from; i < to; i++)
        add(&all, g, g->order[0][i]);
    t->values = array_room(t->values, &t->cap, t->count, sizeof(*t->values));
    if (t->cap != had)
        t->sides = xrealloc(t->sides, t->cap * columns * sizeof(*t->sides));
    memcpy(t->sides + t->count * columns, g->path, columns * sizeof(*t->sides));
    t->values[t->count++] = all.sum / all.count;
}

static void grow(struct growth *g, size_t from, size_t to)
{
    struct split s;
    find_split(g, from, to, &s);
    if (!s.found) {
        add_leaf(g, from, to);
        return;
    }
    struct forest_side *side = &g->path[s.column], before = *side;
    size_t middle = divide(g, &s, from, to);
    g->depth++;
    side->high = s.threshold;
    for (size_t w = 0; w < FOREST_WORDS; w++)
        side->set[w] &= s.set[w];
    grow(g, from, middle);
    *side = before;
    side->low = s.threshold;
    for (size_t w = 0; w < FOREST_WORDS; w++)
        side->set[w] &= ~s.set[w];
    grow(g, middle, to);
    *side = before;
    g->depth--;
}

/* --- a tree ---------------------------------------------------------------------------------- */

struct keyed {
    double value;
    uint32_t row;
};

static int by_value(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->row > y->row) - (x->row < y->row);
}

static size_t draw(struct growth *g)
{
    size_t drawn = 0;
    for (size_t i = 0; i < g->t->rows; i++)
        g->times[rng_below(g->rng, g->t->rows)]++;
    for (size_t i = 0; i < g->t->rows; i++)
        drawn += g->times[i] > 0;
    return drawn;
}

static uint32_t *ordered_rows(const struct growth *g, size_t c, size_t drawn)
{
    struct keyed *keys = xcalloc(drawn, sizeof(*keys));
    uint32_t *rows = xcalloc(drawn, sizeof(*rows));
    size_t n = 0;
    for (size_t i = 0; i < g->t->rows; i++)
        if (g->times[i] > 0)
            keys[n++] = (struct keyed){g->t->column[c].values[i], (uint32_t)i};
    qsort(keys, n, sizeof(*keys), by_value);
    for (size_t i = 0; i < n; i++)
        rows[i] = keys[i].row;
    free(keys);
    return rows;
}

static void path_init(struct growth *g)
{
    for (size_t c = 0; c < g->t->columns; c++) {
        const struct forest_column *col = &g->t->column[c];
        g->path[c] = (struct forest_side){.low = col->low, .high = col->high};
        for (size_t i = 0; i < col->categories; i++)
            g->path[c].set[i / 64] |= UINT64_C(1) << i % 64;
    }
}

void forest_grow(const struct forest_table *t, struct rng *r, struct forest_tree *out)
{
    struct growth g = {.t = t, .rng = r, .out = out};
    *out = (struct forest_tree){0};
    g.times = xcalloc(t->rows, sizeof(*g.times));
    size_t drawn = draw(&g);
    g.left = xcalloc(t->rows, sizeof(*g.left));
    g.aside = xcalloc(drawn, sizeof(*g.aside));
    g.order = xcalloc(t->columns, sizeof(*g.order));
    g.path = xcalloc(t->columns, sizeof(*g.path));
    for (size_t c = 0; c < t->columns; c++)
        g.order[c] = ordered_rows(&g, c, drawn);
    path_init(&g);
    grow(&g, 0, drawn);
    for (size_t c = 0; c < t->columns; c++)
        free(g.order[c]);
    free(g.order);
    free(g.path);
    free(g.aside);
    free(g.left);
    free(g.times);
}

void forest_tree_finish(struct forest_tree *t)
{
    free(t->values);
    free(t->sides);
    *t = (struct forest_tree){0};
}
