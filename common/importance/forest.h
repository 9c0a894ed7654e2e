/* Regression trees over a search space, grown to the end from bootstrap samples (Breiman 2001), and
 * the boxes of their leaves. */
#ifndef IMPORTANCE_FOREST_H
#define IMPORTANCE_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/rng.h"
#include "sweep/space.h"

#define FOREST_CATEGORIES (SPACE_MAX_VALUES + 1) /* with that of an absent value */
#define FOREST_WORDS ((FOREST_CATEGORIES + 63) / 64)

/* A column of the table: an ordered one is cut by thresholds, its values from 0 to 1, and below 0
 * where there is none; the categories of one without order are put left or right. */
struct forest_column {
    bool ordered;
    size_t categories; /* without order: values are 0 … categories-1 */
    double *values;    /* [rows] */
    double low, high;  /* ordered: what its boxes divide up */
    double *weights;   /* without order: of each category */
};

struct forest_table {
    size_t rows, columns;
    struct forest_column *column;
    double *target; /* [rows] */
};

/* Where a leaf lies along a column. */
struct forest_side {
    double low, high;             /* ordered */
    uint64_t set[FOREST_WORDS];   /* without order: the categories in it */
};

struct forest_tree {
    size_t count, cap;
    double *values;            /* [leaves] */
    struct forest_side *sides; /* [leaves][columns] */
};

static inline bool forest_side_has(const struct forest_side *s, size_t category)
{
    return s->set[category / 64] >> category % 64 & 1;
}

/* Grows one on rows drawn with replacement. */
void forest_grow(const struct forest_table *t, struct rng *r, struct forest_tree *out);
void forest_tree_finish(struct forest_tree *t);

#endif
