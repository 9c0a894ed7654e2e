#include "worker/data/one_hot.h"

#include <stdbool.h>

#define ROWS_MIN 3

/* Place of the row's 1; n where it is not one-hot. */
static size_t place_of(const double *row, size_t n)
{
    size_t place = n;
    for (size_t k = 0; k < n; k++) {
        if (row[k] != 0 && (row[k] != 1 || place < n))
            return n;
        place = row[k] == 1 ? k : place;
    }
    return place;
}

static bool is_one_hot(const struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (place_of(t->targets + i * t->outputs, t->outputs) == t->outputs)
            return false;
    return true;
}

void one_hot_unfold(struct table tables[PART_COUNT])
{
    struct table *train = &tables[PART_TRAIN];
    size_t n = train->outputs;
    if (train->count < ROWS_MIN || n < 2 || n > SAMPLES_CLASSES_MAX || train->class_names > 0 ||
        (train->shape.rank == 2 && train->shape.dim[0] == n))
        return;
    for (int part = 0; part < PART_COUNT; part++)
        if (tables[part].count > 0 && (tables[part].outputs != n || !is_one_hot(&tables[part])))
            return;
    for (int part = 0; part < PART_COUNT; part++) {
        struct table *t = &tables[part];
        for (size_t i = 0; i < t->count; i++)
            t->targets[i] = (double)place_of(t->targets + i * n, n);
        t->outputs = 1;
    }
    notes_add(&train->notes, "data.task", "targets of %zu columns are one-hot: classes", n);
}
